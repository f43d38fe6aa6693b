using DomainSsl.Core.Database;
using DomainSsl.Core.Models;
using DomainSsl.Core.Review;
using Microsoft.EntityFrameworkCore;

namespace DomainSsl.Core.Tasks;

/// <summary>An image to be labelled.</summary>
/// <param name="ItemId">The item.</param>
/// <param name="Skipped">It was put off before and comes again.</param>
public sealed record NextItem(long ItemId, bool Skipped);

/// <summary>An answer as stored.</summary>
/// <param name="LabelId">Its row.</param>
/// <param name="ItemId">The item it is about.</param>
/// <param name="Again">It had been stored before: the same answer was sent twice.</param>
public sealed record LabelReceipt(long LabelId, long ItemId, bool Again);

public sealed partial class TaskService
{
    // Of three images one is a test patient's once there is a model: about their share, so that the measurement grows with the training set.
    private const int TestTurn = 3;

    /// <summary>
    /// The next images for a person, none of them in another's hands, and none that they have before them in review: they are to be answered without a model's answer. First what they hold already; then, while there is no model, all patients in random order; once there is one,
    /// two training images that the model is least sure of (no two of one patient in a batch) to one test image at random; at the very end what was skipped.
    /// </summary>
    /// <param name="taskId">The task.</param>
    /// <param name="by">Who labels.</param>
    /// <param name="count">How many, 1–20.</param>
    /// <param name="inHand">What the page has already: not handed out again.</param>
    /// <param name="first">An image to begin with, if it is still open: where a page that was reloaded goes on.</param>
    /// <param name="cancel">Stops looking.</param>
    public async Task<IReadOnlyList<NextItem>> NextItemsAsync(long taskId, string by, int count, IReadOnlyCollection<long>? inHand = null, long? first = null,
        CancellationToken cancel = default)
    {
        count = Math.Clamp(count, 1, 20);
        await using var db = await factory.CreateDbContextAsync(cancel);
        var order = await OrderAsync(db, taskId, cancel);
        var taken = new HashSet<long>(inHand ?? []);
        var next = new List<NextItem>(count);
        // Who referred a case has seen the model's answer: it is for another to look at.
        var referred = await db.Reviews.Where(r => r.By == by && r.SupersededAt == null && r.Decision == ReviewDecision.Refer && r.Prediction!.TaskId + 0 == taskId)
            .Select(r => r.Prediction!.ItemId).ToListAsync(cancel);
        bool Take(long item) => !taken.Contains(item) && !referred.Contains(item) && Holds.TryHold(Scope(taskId), item, by, HoldPurpose.Label) && taken.Add(item);

        // What is before them stays theirs for as long as they work: a long recording outlasts a hold.
        foreach (var item in taken) Holds.TryHold(Scope(taskId), item, by, HoldPurpose.Label);
        var held = Holds.HeldBy(Scope(taskId), by, HoldPurpose.Label).Where(i => !taken.Contains(i) && order.Contains(i)).ToList();
        if (first is { } wanted && order.Contains(wanted)) held = [wanted, .. held.Where(i => i != wanted)];
        if (held.Count > 0)
        {
            var states = await db.Labels.Where(l => l.TaskId == taskId && l.SupersededAt == null && held.Contains(l.ItemId))
                .ToDictionaryAsync(l => l.ItemId, l => l.Answer, cancel);
            foreach (var item in held)
            {
                var open = !states.TryGetValue(item, out var answer) || answer is LabelAnswer.Withdrawn or LabelAnswer.Skipped;
                if (!open) Holds.Release(Scope(taskId), item);
                else if (next.Count < count && Take(item)) next.Add(new NextItem(item, answer == LabelAnswer.Skipped));
            }
        }

        if (next.Count < count && await NewestClassifierAsync(db, taskId, cancel) is { } model)
        {
            var wantedTest = Enumerable.Range(0, count - next.Count).Count(_ => Random.Shared.Next(TestTurn) == 0);
            var test = await order.Test.NextAsync(db, taskId, wantedTest, Take, cancel);
            var unsure = await LeastSureAsync(db, taskId, model, order, count - next.Count - test.Count, Take, cancel);
            next.AddRange(Interleave(unsure, test).Select(i => new NextItem(i, false)));
        }
        if (next.Count < count) next.AddRange((await order.All.NextAsync(db, taskId, count - next.Count, Take, cancel)).Select(i => new NextItem(i, false)));
        if (next.Count < count)
        {
            var skipped = await db.Labels.Where(l => l.TaskId == taskId && l.SupersededAt == null && l.Answer == LabelAnswer.Skipped).OrderBy(l => l.At).ThenBy(l => l.Id)
                .Select(l => l.ItemId).ToListAsync(cancel);
            next.AddRange(skipped.Where(Take).Take(count - next.Count).Select(i => new NextItem(i, true)));
        }
        return next;
    }

    private static Task<string?> NewestClassifierAsync(DomainSslContext db, long taskId, CancellationToken cancel) =>
        db.Models.Where(m => m.TaskId == taskId && m.Kind == ModelKind.Classifier && m.State != ModelState.Retired).OrderByDescending(m => m.CreatedAt)
            .Select(m => m.Id).FirstOrDefaultAsync(cancel);

    // Read along the index (task, model, uncertainty, id) and stopped as soon as there are enough; what is answered already lies at its front.
    private static async Task<List<long>> LeastSureAsync(DomainSslContext db, long taskId, string model, LabellingOrder order, int count, Func<long, bool> take,
        CancellationToken cancel)
    {
        var (found, patients) = (new List<long>(), new HashSet<long>());
        if (count <= 0) return found;
        var open = db.Predictions.AsNoTracking().Where(p => p.TaskId == taskId && p.ModelId == model)
            .Where(p => !db.Labels.Any(l => l.TaskId == taskId && l.ItemId == p.ItemId && l.SupersededAt == null && l.Answer != LabelAnswer.Withdrawn))
            .OrderByDescending(p => p.Uncertainty).ThenByDescending(p => p.Id).Select(p => new { p.ItemId, p.Item!.PatientId });
        await foreach (var p in open.AsAsyncEnumerable().WithCancellation(cancel))
        {
            // What was answered from other collections is for review alone: its answer would be refused here, and it has been shown there.
            if (!order.Contains(p.ItemId) || order.IsTest(p.PatientId) || (p.PatientId is { } patient && patients.Contains(patient)) || !take(p.ItemId)) continue;
            if (p.PatientId is { } seen) patients.Add(seen);
            found.Add(p.ItemId);
            if (found.Count == count) break;
        }
        return found;
    }

    private static IEnumerable<long> Interleave(List<long> unsure, List<long> test)
    {
        var (u, t) = (0, 0);
        while (u < unsure.Count || t < test.Count)
        {
            var testTurn = t < test.Count && (u == unsure.Count || t * unsure.Count < u * test.Count);
            yield return testTurn ? test[t++] : unsure[u++];
        }
    }

    /// <summary>Stores an answer: in one transaction what was said of the item before is superseded and this is added. Sent twice with the same key, it is stored once.</summary>
    /// <param name="taskId">The task.</param>
    /// <param name="itemId">An item of it; a test patient's too.</param>
    /// <param name="answer">What is said; <see cref="LabelAnswer.Withdrawn"/> takes back what was said.</param>
    /// <param name="classId">The class where the answer is one, else null.</param>
    /// <param name="by">Who says it.</param>
    /// <param name="clientKey">A key made where the answer was given, unique to it.</param>
    /// <param name="cancel">Stops before anything is stored.</param>
    /// <exception cref="RefusedException">Item or class are not the task's, or what is to be taken back is another's.</exception>
    public async Task<LabelReceipt> AnswerAsync(long taskId, long itemId, LabelAnswer answer, long? classId, string by, string clientKey, CancellationToken cancel = default)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        var order = await OrderAsync(db, taskId, cancel);
        if (!order.Contains(itemId)) throw TaskRefusals.NoItem();
        if (answer == LabelAnswer.Withdrawn && await StoredAsync(db, clientKey, cancel) is null
            && await db.Labels.AnyAsync(l => l.TaskId == taskId && l.ItemId == itemId && l.SupersededAt == null && l.Answer != LabelAnswer.Withdrawn && l.By != by, cancel)) throw TaskRefusals.AnsweredByAnother();
        var receipt = await StoreAsync(db, taskId, itemId, answer, classId, LabelSource.Labelling, by, clientKey, cancel);
        await transaction.CommitAsync(cancel);
        if (answer != LabelAnswer.Withdrawn)
        {
            Holds.Release(Scope(taskId), itemId);
            return receipt;
        }
        order.Rewind(itemId);
        Holds.TryHold(Scope(taskId), itemId, by, HoldPurpose.Label); // whoever takes an answer back has its image before them
        return receipt;
    }

    /// <summary>Takes back a person's last answer in a task, so that its item is open again.</summary>
    /// <returns>The receipt; its item is the one to show.</returns>
    /// <exception cref="RefusedException">There is nothing of theirs to take back.</exception>
    public async Task<LabelReceipt> UndoAsync(long taskId, string by, string clientKey, CancellationToken cancel = default)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        var order = await OrderAsync(db, taskId, cancel);
        if (await StoredAsync(db, clientKey, cancel) is { } stored) return stored;
        var last = await db.Labels.Where(l => l.TaskId == taskId && l.By == by && l.SupersededAt == null && l.Answer != LabelAnswer.Withdrawn && l.Source == LabelSource.Labelling)
            .OrderByDescending(l => l.At).ThenByDescending(l => l.Id).Select(l => (long?)l.ItemId).FirstOrDefaultAsync(cancel) ?? throw TaskRefusals.NothingToUndo();
        var receipt = await StoreAsync(db, taskId, last, LabelAnswer.Withdrawn, null, LabelSource.Labelling, by, clientKey, cancel);
        await transaction.CommitAsync(cancel);
        order.Rewind(last);
        Holds.TryHold(Scope(taskId), last, by, HoldPurpose.Label);
        return receipt;
    }

    /// <summary>Within the caller's transaction: supersedes and adds. Review stores its corrections by it too.</summary>
    internal async Task<LabelReceipt> StoreAsync(DomainSslContext db, long taskId, long itemId, LabelAnswer answer, long? classId, LabelSource source, string by, string clientKey,
        CancellationToken cancel)
    {
        if (string.IsNullOrWhiteSpace(clientKey) || clientKey.Length > 200) throw TaskRefusals.NoKey();
        if (await StoredAsync(db, clientKey, cancel) is { } stored) return stored;
        string? className = null;
        if (answer == LabelAnswer.Class)
            className = await db.TaskClasses.Where(c => c.TaskId == taskId && c.Id == classId).Select(c => c.Name).SingleOrDefaultAsync(cancel) ?? throw TaskRefusals.NoClass();
        var now = time.GetUtcNow().UtcDateTime;
        await db.Labels.Where(l => l.TaskId == taskId && l.ItemId == itemId && l.SupersededAt == null)
            .ExecuteUpdateAsync(set => set.SetProperty(l => l.SupersededAt, now), cancel);
        var label = new Label
        {
            TaskId = taskId, ItemId = itemId, Answer = answer, ClassId = answer == LabelAnswer.Class ? classId : null, Source = source, By = by, At = now, ClientKey = clientKey,
        };
        db.Labels.Add(label);
        await db.SaveChangesAsync(cancel);
        await audit.AppendAsync(db, by, "labelled", $"task {taskId} item {itemId}", className ?? answer.ToString(), cancel);
        return new LabelReceipt(label.Id, itemId, false);
    }

    private static Task<LabelReceipt?> StoredAsync(DomainSslContext db, string clientKey, CancellationToken cancel) =>
        db.Labels.AsNoTracking().Where(l => l.ClientKey == clientKey).Select(l => new LabelReceipt(l.Id, l.ItemId, true)).SingleOrDefaultAsync(cancel);
}
