using System.Text.Json;
using DomainSsl.Core;
using DomainSsl.Core.Database;
using DomainSsl.Core.Models;
using DomainSsl.Core.Review;
using DomainSsl.Core.Runs;
using DomainSsl.Core.Storage;
using DomainSsl.Core.Tasks;
using DomainSsl.Learning;
using DomainSsl.Learning.FineTuning;
using Microsoft.EntityFrameworkCore;

namespace DomainSsl.Worker;

/// <summary>A classifier's answers for items: into <c>predictions.json</c> of the run's folder, and for review into the database.</summary>
public sealed class PredictRun(IDbContextFactory<DomainSslContext> factory, ShardStore shards, ModelFiles files, ModelRegistry registry, TimeProvider time)
{
    /// <summary>Similar labelled items kept with a prediction.</summary>
    private const int SimilarItems = 5;

    /// <summary>The name of the file in the run's folder.</summary>
    public const string FileName = "predictions.json";

    /// <summary>One answer.</summary>
    /// <param name="Item">The item.</param>
    /// <param name="Label">The likeliest class.</param>
    /// <param name="Probabilities">By class's name.</param>
    /// <param name="Uncertainty">0 (sure) to 1.</param>
    public sealed record Answer(long Item, string Label, IReadOnlyDictionary<string, double> Probabilities, double Uncertainty);

    /// <summary>Carries it out.</summary>
    public async Task<RunOutcome> CarryOutAsync(PredictRequest request, RunContext context)
    {
        var model = await registry.GetAsync(request.ModelId, context.Stop);
        var classifierFolder = files.ClassifierFolder(model);
        if (request.ForReview && model.TaskId is null) throw new RefusedException("no-task", $"{model.Name} belongs to no task, so its answers cannot be reviewed; predict without review.");
        var items = await shards.ItemsAsync(request.CollectionId, request.ItemIds, files.KindOf(model), context.Stop);
        var spec = Classifier.ReadDescription(classifierFolder).Encoder;
        var shared = request.CollectionId is not null;
        var prepared = shards.Prepare(items, [spec.Resolution], context, shared ? null : context.Folder)[spec.Resolution];
        items = prepared.In(items, i => i.Id);

        TorchProcess.Tune();
        using var classifier = Classifier.Load(classifierFolder, Devices.Choose("auto"));
        using var source = ItemSource.Open(prepared.Path, spec);
        var answers = FeatureBatches.Of(classifier, source, [.. items.Select(i => prepared.Places[i.Id])], context, "Predicting");
        var written = items.Select((item, i) => new Answer(item.Id, classifier.Classes[answers[i].Best],
            classifier.Classes.Select((c, k) => (c, answers[i].Probabilities[k])).ToDictionary(p => p.c, p => Math.Round(p.Item2, 6)), Math.Round(answers[i].Uncertainty, 6))).ToList();
        await WholeFile.WriteTextAsync(Path.Combine(context.Folder, FileName), JsonSerializer.Serialize(written, RunContext.Json), context.Stop);

        var rows = request.ForReview ? await RowsAsync(model, classifier, context, items, answers) : [];
        return new RunOutcome(JsonSerializer.Serialize(new { items = written.Count, model = model.Id }, RunContext.Json), (db, cancel) => StoreAsync(db, rows, cancel), () =>
        {
            if (!shared) File.Delete(prepared.Path);
        });
    }

    /// <summary>The answers of a predict run.</summary>
    public static async Task<IReadOnlyList<Answer>> ReadAsync(string folder, CancellationToken cancel = default)
    {
        await using var stream = File.OpenRead(Path.Combine(folder, FileName));
        return await JsonSerializer.DeserializeAsync<List<Answer>>(stream, RunContext.Json, cancel) ?? [];
    }

    /// <summary>Answers as predictions to be reviewed, each with the labelled items of the task that are most like it.</summary>
    internal async Task<IReadOnlyList<Prediction>> RowsAsync(Model model, Classifier classifier, RunContext context, IReadOnlyList<ShardItem> items, IReadOnlyList<Answered> answers)
    {
        await using var db = await factory.CreateDbContextAsync(context.Stop);
        var taskId = model.TaskId!.Value;
        var classes = await db.TaskClasses.Where(c => c.TaskId == taskId).ToDictionaryAsync(c => c.Name, c => c.Id, context.Stop);
        if (classifier.Classes.FirstOrDefault(c => !classes.ContainsKey(c)) is { } gone)
            throw new RefusedException("class-gone", $"{model.Name} answers '{gone}', which is no longer an answer of its task; train the task again.");
        var labelled = await db.Labels.Where(l => l.TaskId == taskId && l.SupersededAt == null && l.Answer == LabelAnswer.Class).Select(l => l.ItemId).ToListAsync(context.Stop);
        var known = await FeaturesAsync(classifier, labelled, context, items, answers);
        var neighbours = new Neighbours(known);
        var now = time.GetUtcNow().UtcDateTime;
        return [.. items.Select((item, i) => new Prediction
        {
            TaskId = taskId, ModelId = model.Id, ItemId = item.Id, ClassId = classes[classifier.Classes[answers[i].Best]], At = now, Uncertainty = Math.Round(answers[i].Uncertainty, 6),
            Probabilities = JsonSerializer.Serialize(answers[i].Probabilities.Select(p => Math.Round(p, 6))),
            Similar = JsonSerializer.Serialize(neighbours.Of(answers[i].Features, SimilarItems, item.Id).Select(n => n.Item)),
        })];
    }

    // Of labelled items that were predicted too, the features are there already.
    private async Task<List<(long, float[])>> FeaturesAsync(Classifier classifier, List<long> labelled, RunContext context, IReadOnlyList<ShardItem> items, IReadOnlyList<Answered> answers)
    {
        var have = items.Select((item, i) => (item.Id, answers[i].Features)).ToDictionary(p => p.Id, p => p.Features);
        var missing = labelled.Where(id => !have.ContainsKey(id)).Distinct().ToList();
        if (missing.Count > 0)
        {
            var others = await shards.ItemsAsync(null, missing, null, context.Stop);
            var prepared = shards.Prepare(others, [classifier.Resolution], context, context.Folder)[classifier.Resolution];
            others = prepared.In(others, o => o.Id);
            using (var source = ItemSource.Open(prepared.Path, classifier.About.Encoder))
            {
                var found = FeatureBatches.Of(classifier, source, [.. others.Select(o => prepared.Places[o.Id])], context, "Comparing with");
                for (var i = 0; i < others.Count; i++) have[others[i].Id] = found[i].Features;
            }
            File.Delete(prepared.Path);
        }
        return [.. labelled.Distinct().Where(have.ContainsKey).Select(id => (id, have[id]))];
    }

    /// <summary>Stores predictions in the transaction that ends the run; what this model said of an item before is replaced, unless a person has decided on it.</summary>
    internal static async Task StoreAsync(DomainSslContext db, IReadOnlyList<Prediction> rows, CancellationToken cancel)
    {
        foreach (var some in rows.Chunk(500))
        {
            var (model, ids) = (some[0].ModelId, some.Select(r => r.ItemId).ToList());
            await db.Predictions.Where(p => p.ModelId == model && ids.Contains(p.ItemId) && !db.Reviews.Any(r => r.PredictionId == p.Id)).ExecuteDeleteAsync(cancel);
            var kept = await db.Predictions.Where(p => p.ModelId == model && ids.Contains(p.ItemId)).Select(p => p.ItemId).ToListAsync(cancel);
            db.Predictions.AddRange(some.Where(r => !kept.Contains(r.ItemId)));
            await db.SaveChangesAsync(cancel);
            db.ChangeTracker.Clear();
        }
    }
}
