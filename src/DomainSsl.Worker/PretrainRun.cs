using System.Text.Json;
using DomainSsl.Core;
using DomainSsl.Core.Collections;
using DomainSsl.Core.Database;
using DomainSsl.Core.Library;
using DomainSsl.Core.Models;
using DomainSsl.Core.Runs;
using DomainSsl.Learning;
using DomainSsl.Learning.Encoders;
using DomainSsl.Learning.Health;
using DomainSsl.Learning.Training;
using DomainSsl.Learning.Weights;
using Microsoft.EntityFrameworkCore;

namespace DomainSsl.Worker;

/// <summary>Pretraining: the collection's images or recordings → shard → trainer → an encoder in the registry.</summary>
public sealed class PretrainRun(IDbContextFactory<DomainSslContext> factory, CollectionService collections, ShardStore shards, ModelFiles files, ModelRegistry registry)
{
    /// <summary>The result as it stands in the row, and as <c>pretrain --json</c> has it.</summary>
    public sealed record Result(string Model, string Run, int Steps, double SamplesPerSecond, double WaitingForData, double PeakMemoryMb, RunHealth Health,
        IReadOnlyDictionary<string, double> Metrics, double Seconds);

    /// <summary>Carries it out, from the last checkpoint if there is one.</summary>
    public async Task<RunOutcome> CarryOutAsync(PretrainRequest request, RunContext context)
    {
        var recipe = request.Recipe.TrimStart().StartsWith('{') ? Recipe.Parse(request.Recipe) : Recipes.Find(request.Recipe);
        // Frozen before its first item is read: what was learnt from stays what it was, over every interruption, and has a hash.
        var collection = await collections.FrozenForRunAsync(request.CollectionId, context.Run.By, context.Stop);
        var shard = recipe.Modality == Modalities.Sound
            ? shards.PrepareSounds(await shards.SoundsAsync(collection.Id, context.Stop), context)
            : shards.Prepare(await shards.ItemsAsync(collection.Id, null, ItemKind.Image, context.Stop), [recipe.ShardResolution], context)[recipe.ShardResolution].Path;

        if (await TestPeopleAsync(collection.Id, context.Stop) is > 0 and var locked)
        {
            var (people, cases) = recipe.Modality == Modalities.Sound ? ("speakers", "recordings") : ("patients", "images");
            context.Log($"{locked:#,0} test {people} of tasks are in the collection: the encoder learns from their {cases} as from all, without labels; no task fits their labels.");
        }
        var (start, parent) = await StartAsync(request.InitModelId ?? recipe.Start, recipe.Modality, context.Stop);
        context.Report(new RunReport(Stage: "Starting"));
        var watcher = new Watcher(context, request, recipe);
        var result = Trainer.Run(new TrainRequest
        {
            Recipe = recipe, ShardPath = shard, RunFolder = context.Folder, MaxSteps = request.MaxSteps, MaxSeconds = request.MaxSeconds, Seed = request.Seed, InitWeights = start,
        }, watcher, context.Stop);

        context.Report(new RunReport(Stage: "Storing the encoder", SecondsLeft: 0));
        var id = ShortId.ModelOf(context.Run.Id);
        var architecture = JsonSerializer.Serialize(EncoderWeights.ReadSpec(result.EncoderPath), LearningJson.Options);
        var hash = files.PlaceEncoder(id, result.EncoderPath, architecture);
        var summary = new Result(id, context.Run.Id, result.Steps, Round(result.SamplesPerSecond), Round(result.WaitingForData), Round(result.PeakMemoryMb), result.Health,
            result.Metrics, Round(result.Seconds));
        return new RunOutcome(JsonSerializer.Serialize(summary, RunContext.Json), (db, cancel) => registry.AddAsync(db, new Model
        {
            Id = id, Name = request.ModelName, Kind = ModelKind.Encoder, RunId = context.Run.Id, ParentId = parent, Recipe = recipe.Name, RecipeJson = recipe.ToJson(),
            Architecture = architecture, DataHash = collection.Hash ?? "", Seed = request.Seed, Steps = result.Steps, WeightsHash = hash, By = context.Run.By,
            Metrics = JsonSerializer.Serialize(result.Metrics, RunContext.Json),
        }, cancel), () =>
        {
            // The model has its own copy now, and a run that is done is never resumed.
            File.Delete(result.EncoderPath);
            Directory.Delete(Path.Combine(context.Folder, "checkpoints"), recursive: true);
        });
    }

    private async Task<int> TestPeopleAsync(long collectionId, CancellationToken cancel)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        return await db.CollectionItems.Where(c => c.CollectionId == collectionId && db.TaskTestPatients.Any(t => t.PatientId == c.Item!.PatientId)).Select(c => c.Item!.PatientId).Distinct().CountAsync(cancel);
    }

    private async Task<(string Weights, string? Parent)> StartAsync(string start, string modality, CancellationToken cancel)
    {
        if (start == "scratch") return (start, null);
        var model = await registry.GetAsync(start, cancel);
        return (files.EncoderWeights(model, modality), model.Id);
    }

    private static double Round(double value) => Math.Round(value, 4);

    private sealed class Watcher(RunContext context, PretrainRequest request, Recipe recipe) : IRunWatcher
    {
        private readonly string _items = recipe.Modality == Modalities.Sound ? "pieces of sound" : "images";
        private string _state = "";

        public void Started(RunStart start)
        {
            context.Log($"{recipe.Name}: {start.Encoder}, {start.Parameters:#,0} parameters, {start.Items:#,0} {_items}, {start.Batch} a step, on {start.Device} in {start.Precision}.");
            foreach (var note in start.Notes) context.Log(note);
            // A checkpoint is progress, also where the worker was killed before it could say so: only a run that gets no further is given up (RunQueue.MostAttempts).
            context.Report(new RunReport(start.Progress, Device: start.Device == "cpu" ? $"cpu ({TorchProcess.Cores()} threads)" : start.Device, Stage: $"Step {start.Step:#,0}"));
        }

        public void Stepped(MetricsLine line, RunHealth health)
        {
            int? steps = request.MaxSteps ?? (request.MaxSeconds is null ? recipe.Schedule.Steps : null);
            var left = line.Progress > 0.001 ? line.Seconds / line.Progress * (1 - line.Progress) : (double?)null;
            context.Report(new RunReport(line.Progress, steps is null ? $"Step {line.Step:#,0}" : $"Step {line.Step:#,0} of {steps:#,0}", left,
                Summary: JsonSerializer.Serialize(new { line.Step, line.Loss, line.SamplesPerSecond, line.WaitingForData, Health = health, line.Metrics, line.Seconds }, RunContext.Json)));
            if (health.State == _state) return;
            _state = health.State;
            foreach (var finding in health.Findings) context.Log(finding);
        }

        public void Checked(int step, string folder) => context.Log($"Checkpoint at step {step}.");

        public void Ended(TrainResult result) => context.Log($"{result.Steps:#,0} steps in {result.Seconds:0} s, {result.SamplesPerSecond:0} {_items} a second.");
    }
}
