using System.Text.Json;
using DomainSsl.Core.Audit;
using DomainSsl.Core.Database;
using DomainSsl.Core.Library;
using DomainSsl.Core.Models;
using DomainSsl.Core.Tasks;
using Microsoft.EntityFrameworkCore;

namespace DomainSsl.Core.Review;

/// <summary>A class with the model's probability for it.</summary>
/// <param name="Id">The class.</param>
/// <param name="Name">Its name.</param>
/// <param name="Probability">0–1.</param>
public sealed record ClassProbability(long Id, string Name, double Probability);

/// <summary>A labelled case like the one under review.</summary>
/// <param name="ItemId">Its item.</param>
/// <param name="ClassId">Its label.</param>
/// <param name="Class">Its label's name.</param>
public sealed record SimilarCase(long ItemId, long ClassId, string Class);

/// <summary>A prediction to be decided on.</summary>
/// <param name="PredictionId">The prediction.</param>
/// <param name="ItemId">Its item.</param>
/// <param name="ClassId">The likeliest class.</param>
/// <param name="Uncertainty">0 (sure) – 1 (no idea).</param>
/// <param name="Classes">All classes in the order of their keys, with probabilities.</param>
/// <param name="Similar">Labelled cases like it, nearest first.</param>
/// <param name="ReferredBy">Who asked for another look; null where nobody did.</param>
public sealed record ReviewCase(long PredictionId, long ItemId, long ClassId, double Uncertainty, IReadOnlyList<ClassProbability> Classes, IReadOnlyList<SimilarCase> Similar,
    string? ReferredBy);

/// <summary>A decision as stored.</summary>
/// <param name="EntryId">Its row.</param>
/// <param name="PredictionId">The prediction decided on.</param>
/// <param name="Again">It had been stored before: the same decision was sent twice.</param>
public sealed record ReviewReceipt(long EntryId, long PredictionId, bool Again);

/// <summary>How often people agreed with the model, by how sure it said it was.</summary>
/// <param name="From">Lower end of the band of the likeliest class's probability.</param>
/// <param name="To">Upper end.</param>
/// <param name="Accepted">Decisions that let the answer stand.</param>
/// <param name="Corrected">Decisions that gave another class.</param>
public sealed record AgreementBand(double From, double To, int Accepted, int Corrected);

/// <summary>How far a task's review is.</summary>
/// <param name="ModelId">The classifier whose predictions are reviewed; null where there are none.</param>
/// <param name="Model">Its name.</param>
/// <param name="Open">Predictions nobody decided on, without those of people kept for testing.</param>
/// <param name="Referred">Predictions referred to another person.</param>
/// <param name="Accepted">Accepted.</param>
/// <param name="Corrected">Corrected.</param>
/// <param name="Agreement">Agreement by the model's confidence.</param>
/// <param name="KeptForTest">Predictions of people kept for testing, without a label: they are not reviewed.</param>
public sealed record ReviewProgress(string? ModelId, string? Model, int Open, int Referred, int Accepted, int Corrected, IReadOnlyList<AgreementBand> Agreement, int KeptForTest);

/// <summary>
/// A task's predictions in the order in which a person's look is worth most: least certain first, undecided ones only. What is accepted or corrected becomes a label of the next
/// round in the same transaction. Predictions are shown here alone: who labels must not be led by them. Nothing of a task's locked test patients comes up: they are labelled without
/// seeing the model's answer, or not at all, since an answer given here could measure nothing and would keep the item from ever being labelled so.
/// </summary>
public sealed class ReviewQueue(IDbContextFactory<DomainSslContext> factory, AuditLog audit, TimeProvider time, TaskService tasks)
{
    private static readonly double[] Bands = [0, 0.5, 0.7, 0.9, 1];

    /// <summary>The classifier whose predictions are reviewed: the one in use, else the newest that is not retired and has predictions; null where there is none.</summary>
    internal static Task<string?> ReviewedModelAsync(DomainSslContext db, long taskId, CancellationToken cancel) =>
        db.Models.Where(m => m.TaskId == taskId && m.Kind == ModelKind.Classifier && m.State != ModelState.Retired && db.Predictions.Any(p => p.ModelId == m.Id && p.TaskId == taskId))
            .OrderByDescending(m => m.State == ModelState.InUse).ThenByDescending(m => m.CreatedAt).Select(m => m.Id).FirstOrDefaultAsync(cancel);

    // The items of a task's locked test patients, of its collection and of all others.
    private static IQueryable<Item> TestItems(DomainSslContext db, long taskId) =>
        db.Items.Where(i => db.TaskTestPatients.Any(t => t.TaskId == taskId && t.PatientId == i.PatientId));

    // Undecided predictions of images that nobody labelled meanwhile.
    private static IQueryable<Prediction> Open(DomainSslContext db, long taskId, string modelId)
    {
        var test = TestItems(db, taskId);
        return db.Predictions.AsNoTracking().Where(p => p.TaskId == taskId && p.ModelId == modelId
            && !test.Any(i => i.Id == p.ItemId)
            && !db.Reviews.Any(r => r.PredictionId == p.Id && r.SupersededAt == null && r.Decision != ReviewDecision.Withdrawn)
            && !db.Labels.Any(l => l.TaskId == taskId && l.ItemId == p.ItemId && l.SupersededAt == null && l.Answer == LabelAnswer.Class));
    }

    /// <summary>
    /// How many are open: all predictions less the test patients' and less those that somebody decided on or labelled; and how many of the test patients' have no label. What is decided or
    /// labelled is little beside a hundred thousand predictions, which are counted by their indexes alone, instead of asking each prediction whether it is open.
    /// </summary>
    internal static async Task<(int Open, int KeptForTest)> CountAsync(DomainSslContext db, long taskId, string modelId, CancellationToken cancel)
    {
        var test = TestItems(db, taskId);
        var all = await db.Predictions.CountAsync(p => p.TaskId == taskId && p.ModelId == modelId, cancel);
        // From the patients by their items to the predictions: by a bare item id SQLite would go the other way, through all predictions.
        var tested = await db.TaskTestPatients.Where(t => t.TaskId == taskId).Join(db.Items, t => (long?)t.PatientId, i => i.PatientId, (_, i) => i.Id + 0)
            .Join(db.Predictions.Where(p => p.ModelId == modelId), item => item, p => p.ItemId, (_, p) => p.Id).CountAsync(cancel);
        var decided = Decisions(db, modelId).Where(r => r.Decision != ReviewDecision.Withdrawn).Select(r => r.Prediction!.ItemId);
        var labelled = db.Labels.Where(l => l.TaskId == taskId && l.SupersededAt == null && l.Answer == LabelAnswer.Class)
            .Join(db.Predictions.Where(p => p.ModelId == modelId), l => l.ItemId, p => p.ItemId, (_, p) => p.ItemId);
        var done = await decided.Union(labelled).CountAsync(item => !test.Any(i => i.Id == item), cancel);
        return (all - tested - done, tested - await labelled.CountAsync(item => test.Any(i => i.Id == item), cancel));
    }

    // Decisions are few beside predictions, so they come first. SQLite, which does not know that, would begin with all predictions of the model or task, for which it has an index; of an
    // expression it has none.
    private static IQueryable<ReviewEntry> Decisions(DomainSslContext db, string modelId) =>
        db.Reviews.AsNoTracking().Where(r => r.SupersededAt == null && r.Prediction!.ModelId + "" == modelId);

    private static IQueryable<ReviewEntry> Referred(DomainSslContext db, long taskId)
    {
        var test = TestItems(db, taskId);
        return db.Reviews.AsNoTracking().Where(r => r.SupersededAt == null && r.Decision == ReviewDecision.Refer && r.Prediction!.TaskId + 0 == taskId && !test.Any(i => i.Id == r.Prediction!.ItemId));
    }

    /// <summary>The next predictions for a person, least certain first; none that another person has before them.</summary>
    /// <param name="taskId">The task.</param>
    /// <param name="by">Who reviews.</param>
    /// <param name="count">How many, 1–20.</param>
    /// <param name="inHand">Predictions that the page has already.</param>
    /// <param name="first">A prediction to begin with, if it is still open: where a page that was reloaded goes on.</param>
    /// <param name="referred">Those that somebody referred, instead of those that nobody looked at; one's own referrals last.</param>
    /// <param name="cancel">Stops looking.</param>
    public async Task<IReadOnlyList<ReviewCase>> NextAsync(long taskId, string by, int count, IReadOnlyCollection<long>? inHand = null, long? first = null, bool referred = false,
        CancellationToken cancel = default)
    {
        count = Math.Clamp(count, 1, 20);
        await using var db = await factory.CreateDbContextAsync(cancel);
        var (scope, taken, next) = (TaskService.Scope(taskId), new HashSet<long>(inHand ?? []), new List<long>());
        // Items are held, not predictions: who labels must not be handed what is being reviewed.
        bool Take(long id, long item) => !taken.Contains(id) && tasks.Holds.TryHold(scope, item, by, HoldPurpose.Review) && taken.Add(id);
        foreach (var item in await db.Predictions.Where(p => taken.Contains(p.Id)).Select(p => p.ItemId).ToListAsync(cancel)) tasks.Holds.TryHold(scope, item, by, HoldPurpose.Review);

        if (referred)
        {
            var all = await Referred(db, taskId).OrderBy(r => r.By == by).ThenBy(r => r.At).ThenBy(r => r.Id).Select(r => new { r.PredictionId, r.Prediction!.ItemId }).ToListAsync(cancel);
            next.AddRange(all.Where(r => Take(r.PredictionId, r.ItemId)).Take(count).Select(r => r.PredictionId));
        }
        else if (await ReviewedModelAsync(db, taskId, cancel) is { } model)
        {
            var open = Open(db, taskId, model);
            var held = tasks.Holds.HeldBy(scope, by, HoldPurpose.Review);
            // By their ids, so that whether each is open is asked of these few and not of a hundred thousand.
            var wanted = held.Count == 0 ? [] : await db.Predictions.Where(p => p.ModelId == model && held.Contains(p.ItemId)).Select(p => p.Id).ToListAsync(cancel);
            if (first is { } one) wanted.Add(one);
            var still = await open.Where(p => wanted.Contains(p.Id)).Select(p => new { p.Id, p.ItemId }).ToListAsync(cancel);
            var places = held.Select((item, at) => (item, at)).ToDictionary(p => p.item, p => p.at);
            next.AddRange(still.OrderBy(p => p.Id != first).ThenBy(p => places.GetValueOrDefault(p.ItemId)).Where(p => Take(p.Id, p.ItemId)).Take(count).Select(p => p.Id));
            if (next.Count < count)
            {
                var ids = open.OrderByDescending(p => p.Uncertainty).ThenByDescending(p => p.Id).Select(p => new { p.Id, p.ItemId });
                await foreach (var p in ids.AsAsyncEnumerable().WithCancellation(cancel))
                {
                    if (Take(p.Id, p.ItemId)) next.Add(p.Id);
                    if (next.Count == count) break;
                }
            }
        }
        return await CasesAsync(db, taskId, next, cancel);
    }

    private static async Task<IReadOnlyList<ReviewCase>> CasesAsync(DomainSslContext db, long taskId, List<long> ids, CancellationToken cancel)
    {
        if (ids.Count == 0) return [];
        var classes = await db.TaskClasses.AsNoTracking().Where(c => c.TaskId == taskId).OrderBy(c => c.Position).ToListAsync(cancel);
        var names = classes.ToDictionary(c => c.Id, c => c.Name);
        var predictions = await db.Predictions.AsNoTracking().Where(p => ids.Contains(p.Id)).ToDictionaryAsync(p => p.Id, cancel);
        var referredBy = await db.Reviews.AsNoTracking().Where(r => ids.Contains(r.PredictionId) && r.SupersededAt == null && r.Decision == ReviewDecision.Refer)
            .ToDictionaryAsync(r => r.PredictionId, r => r.By, cancel);
        var similar = predictions.Values.ToDictionary(p => p.Id, p => JsonSerializer.Deserialize<long[]>(p.Similar) ?? []);
        var all = similar.Values.SelectMany(s => s).Distinct().ToList();
        var labels = await db.Labels.AsNoTracking().Where(l => l.TaskId == taskId && all.Contains(l.ItemId) && l.SupersededAt == null && l.Answer == LabelAnswer.Class)
            .ToDictionaryAsync(l => l.ItemId, l => l.ClassId!.Value, cancel);
        return [.. ids.Select(id =>
        {
            var p = predictions[id];
            var probabilities = JsonSerializer.Deserialize<double[]>(p.Probabilities) ?? [];
            return new ReviewCase(p.Id, p.ItemId, p.ClassId, p.Uncertainty,
                [.. classes.Select((c, i) => new ClassProbability(c.Id, c.Name, i < probabilities.Length ? probabilities[i] : 0))],
                [.. similar[id].Where(labels.ContainsKey).Select(i => new SimilarCase(i, labels[i], names[labels[i]]))], referredBy.GetValueOrDefault(id));
        })];
    }

    /// <summary>
    /// Stores a decision: in one transaction an earlier one is superseded, this one added, and, where it says which class is right, that becomes the item's label. Sent twice with
    /// the same key, it is stored once. <see cref="ReviewDecision.Withdrawn"/> takes the decision and its label back.
    /// </summary>
    /// <param name="predictionId">The prediction.</param>
    /// <param name="decision">What is decided.</param>
    /// <param name="classId">The right class for <see cref="ReviewDecision.Correct"/>; otherwise not looked at.</param>
    /// <param name="by">Who decides.</param>
    /// <param name="clientKey">A key made where the decision was taken, unique to it.</param>
    /// <param name="cancel">Stops before anything is stored.</param>
    /// <exception cref="RefusedException">There is no such prediction or class, or another has answered meanwhile.</exception>
    public async Task<ReviewReceipt> DecideAsync(long predictionId, ReviewDecision decision, long? classId, string by, string clientKey, CancellationToken cancel = default)
    {
        if (string.IsNullOrWhiteSpace(clientKey) || clientKey.Length > 180) throw TaskRefusals.NoKey();
        await using var db = await factory.CreateDbContextAsync(cancel);
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        if (await db.Reviews.AsNoTracking().Where(r => r.ClientKey == clientKey).Select(r => new ReviewReceipt(r.Id, r.PredictionId, true)).SingleOrDefaultAsync(cancel) is { } stored)
            return stored;
        var prediction = await db.Predictions.AsNoTracking().SingleOrDefaultAsync(p => p.Id == predictionId, cancel)
            ?? throw new RefusedException("prediction-missing", "This prediction is no longer there; load the page again.");
        long? right = decision switch { ReviewDecision.Accept => prediction.ClassId, ReviewDecision.Correct => classId ?? throw TaskRefusals.NoClass(), _ => null };
        // "Correct" to the very class that the model gave is an acceptance, whichever key was pressed: agreement figures rely on it.
        if (decision == ReviewDecision.Correct && right == prediction.ClassId) decision = ReviewDecision.Accept;

        var before = await db.Reviews.AsNoTracking().SingleOrDefaultAsync(r => r.PredictionId == predictionId && r.SupersededAt == null, cancel);
        if (decision == ReviewDecision.Withdrawn && before is not null && before.By != by) throw TaskRefusals.AnsweredByAnother();
        if (right is not null && await db.Labels.AnyAsync(l => l.TaskId == prediction.TaskId && l.ItemId == prediction.ItemId && l.SupersededAt == null && l.Answer == LabelAnswer.Class
            && l.Source == LabelSource.Labelling && l.By != by, cancel)) throw TaskRefusals.AnsweredByAnother();
        var now = time.GetUtcNow().UtcDateTime;
        await db.Reviews.Where(r => r.PredictionId == predictionId && r.SupersededAt == null).ExecuteUpdateAsync(set => set.SetProperty(r => r.SupersededAt, now), cancel);
        var entry = new ReviewEntry { PredictionId = predictionId, Decision = decision, ClassId = right, By = by, At = now, ClientKey = clientKey };
        db.Reviews.Add(entry);
        // A referral that was answered stands again once the answer is taken back.
        if (decision == ReviewDecision.Withdrawn && before is not null
            && await db.Reviews.AsNoTracking().SingleOrDefaultAsync(r => r.PredictionId == predictionId && r.SupersededAt == before.At && r.Decision == ReviewDecision.Refer && r.By != by, cancel) is { } referral)
        {
            entry.SupersededAt = now;
            db.Reviews.Add(new ReviewEntry { PredictionId = predictionId, Decision = ReviewDecision.Refer, By = referral.By, At = now, ClientKey = $"again:{clientKey}" });
        }
        await db.SaveChangesAsync(cancel);
        if (right is { } label) await tasks.StoreAsync(db, prediction.TaskId, prediction.ItemId, LabelAnswer.Class, label, LabelSource.Review, by, $"review:{clientKey}", cancel);
        else if (before?.ClassId is not null && await db.Labels.AnyAsync(l => l.ClientKey == $"review:{before.ClientKey}" && l.SupersededAt == null, cancel))
            await tasks.StoreAsync(db, prediction.TaskId, prediction.ItemId, LabelAnswer.Withdrawn, null, LabelSource.Review, by, $"review:{clientKey}", cancel);
        await audit.AppendAsync(db, by, "reviewed", $"prediction {predictionId} of task {prediction.TaskId}", decision.ToString(), cancel);
        await transaction.CommitAsync(cancel);
        if (decision == ReviewDecision.Withdrawn) tasks.Holds.TryHold(TaskService.Scope(prediction.TaskId), prediction.ItemId, by, HoldPurpose.Review);
        else tasks.Holds.Release(TaskService.Scope(prediction.TaskId), prediction.ItemId);
        return new ReviewReceipt(entry.Id, predictionId, false);
    }

    /// <summary>Takes back a person's last decision in a task, so that its prediction is open again.</summary>
    /// <exception cref="RefusedException">There is nothing of theirs to take back.</exception>
    public async Task<ReviewReceipt> UndoAsync(long taskId, string by, string clientKey, CancellationToken cancel = default)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        if (await db.Reviews.AsNoTracking().Where(r => r.ClientKey == clientKey).Select(r => new ReviewReceipt(r.Id, r.PredictionId, true)).SingleOrDefaultAsync(cancel) is { } stored)
            return stored;
        var last = await db.Reviews.Where(r => r.By == by && r.SupersededAt == null && r.Decision != ReviewDecision.Withdrawn && r.Prediction!.TaskId == taskId)
            .OrderByDescending(r => r.At).ThenByDescending(r => r.Id).Select(r => (long?)r.PredictionId).FirstOrDefaultAsync(cancel) ?? throw TaskRefusals.NothingToUndo();
        return await DecideAsync(last, ReviewDecision.Withdrawn, null, by, clientKey, cancel);
    }

    /// <summary>How far a task's review is, and how often people agreed with the model.</summary>
    public async Task<ReviewProgress> ProgressAsync(long taskId, CancellationToken cancel = default)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        var referred = await Referred(db, taskId).CountAsync(cancel);
        if (await ReviewedModelAsync(db, taskId, cancel) is not { } model) return new ReviewProgress(null, null, 0, referred, 0, 0, [], 0);
        var decided = await Decisions(db, model).Where(r => r.Decision == ReviewDecision.Accept || r.Decision == ReviewDecision.Correct)
            .Select(r => new { r.Decision, r.Prediction!.Probabilities }).ToListAsync(cancel);
        var sure = decided.Select(d => (Accepted: d.Decision == ReviewDecision.Accept, Most: (JsonSerializer.Deserialize<double[]>(d.Probabilities) ?? []).DefaultIfEmpty().Max())).ToList();
        AgreementBand Band(double from, double to)
        {
            var within = sure.Where(s => s.Most >= from && (s.Most < to || to == 1)).ToList();
            return new AgreementBand(from, to, within.Count(s => s.Accepted), within.Count(s => !s.Accepted));
        }
        var bands = Bands.Zip(Bands.Skip(1), Band).Where(b => b.Accepted + b.Corrected > 0).ToList();
        var (open, kept) = await CountAsync(db, taskId, model, cancel);
        return new ReviewProgress(model, await db.Models.Where(m => m.Id == model).Select(m => m.Name).SingleAsync(cancel), open, referred, sure.Count(s => s.Accepted), sure.Count(s => !s.Accepted), bands, kept);
    }
}
