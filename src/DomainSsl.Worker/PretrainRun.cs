using System.Text.Json;
using DomainSsl.Core;
using DomainSsl.Core.Collections;
using DomainSsl.Core.Database;
using DomainSsl.Core.Library;
using DomainSsl.Core.Models;
using DomainSsl.Core.Runs;
using DomainSsl.Learning;
using DomainSsl.Learning.Data;
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

    // Of the time that is given, at most so much is for drafts.
    private const double DraftShare = 0.65;

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
        var (drafts, seconds) = recipe.Objective.NeedsDrafts ? Drafts(request, recipe, shard, context) : (null, request.MaxSeconds);
        context.Report(new RunReport(Stage: "Starting"));
        var things = recipe.Modality == Modalities.Sound ? "pieces of sound" : "images";
        var progress = new TrainingProgress(context, request.MaxSteps ?? (request.MaxSeconds is null ? recipe.Schedule.Steps : null),
            begun => $"{recipe.Name}: {begun.Encoder}, {begun.Parameters:#,0} parameters, {begun.Items:#,0} {things}, {begun.Batch} a step, on {begun.Device} in {begun.Precision}.",
            (line, health) => new { line.Step, line.Loss, line.SamplesPerSecond, line.WaitingForData, Health = health, line.Metrics, line.Seconds },
            ended => $"{ended.Steps:#,0} steps in {ended.Seconds:0} s, {ended.SamplesPerSecond:0} {things} a second.");
        var result = Trainer.Run(new TrainRequest
        {
            Recipe = recipe, ShardPath = shard, Drafts = drafts, RunFolder = context.Folder, MaxSteps = request.MaxSteps ?? (request.MaxSeconds is null && seconds is not null ? recipe.Schedule.Steps : null), MaxSeconds = seconds, Seed = request.Seed, InitWeights = start,
        }, progress, context.Stop);

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

    // The time that is given is for drafts and training together.
    private static (IReadOnlyList<string?> Drafts, double? Seconds) Drafts(PretrainRequest request, Recipe recipe, string path, RunContext context)
    {
        double? most = request.MaxSeconds ?? (request.MaxSteps is null ? recipe.Schedule.Seconds : null);
        using var shard = SoundShard.Open(path);
        var (drafts, took) = DraftWriter.Write(shard, DraftShare * most, context, request.Seed, most);
        return (drafts, most is { } all ? Math.Max(all - took, (1 - DraftShare) * all) : null);
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
}
