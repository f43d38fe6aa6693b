using DomainSsl.Core.Database;
using DomainSsl.Core.Library;
using DomainSsl.Core.Models;
using DomainSsl.Core.Runs;
using Microsoft.EntityFrameworkCore;

namespace DomainSsl.Core.Tasks;

/// <summary>Another collection with cases that a task's classifier in use has not answered for.</summary>
/// <param name="CollectionId">The collection.</param>
/// <param name="Name">Its name.</param>
/// <param name="Cases">Images or recordings in it.</param>
/// <param name="New">Of those, how many have neither an answer of the classifier nor a label, without those of locked test patients: they are never reviewed.</param>
public sealed record NewCasesOffer(long CollectionId, string Name, int Cases, int New);

/// <summary>What a task's classifier can be asked to answer for besides the task's own collection.</summary>
/// <param name="Run">The newest run in which it was asked to; null before the first.</param>
/// <param name="Offers">The collections, the newest first; none while no classifier is in use.</param>
public sealed record NewCases(string? Run, IReadOnlyList<NewCasesOffer> Offers);

public sealed partial class TaskService
{
    private const int LongestWanted = 300;

    /// <summary>The other collections, of images or of recordings alone as the task is, in which the classifier in use has something left to answer for.</summary>
    /// <exception cref="RefusedException">There is no such task.</exception>
    public async Task<NewCases> NewCasesAsync(long taskId, CancellationToken cancel = default)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        var own = await db.Tasks.Where(t => t.Id == taskId).Select(t => (long?)t.CollectionId).SingleOrDefaultAsync(cancel) ?? throw TaskRefusals.NoTask();
        var run = await db.Runs.Where(r => r.TaskId == taskId && r.Kind == RunKind.Predict).OrderByDescending(r => r.QueuedAt).Select(r => r.Id).FirstOrDefaultAsync(cancel);
        if (await InUseAsync(db, taskId, cancel) is not { } model) return new NewCases(run, []);
        var kind = await KindAsync(db, own, cancel);
        var offers = await db.Collections.Where(c => c.Id != own && !db.CollectionItems.Any(i => i.CollectionId == c.Id && i.Item!.Kind != kind))
            .OrderByDescending(c => c.CreatedAt).ThenByDescending(c => c.Id).Select(c => new NewCasesOffer(c.Id, c.Name, db.CollectionItems.Count(i => i.CollectionId == c.Id),
                db.CollectionItems.Count(i => i.CollectionId == c.Id && !db.Predictions.Any(p => p.ModelId == model.Id && p.ItemId == i.ItemId)
                    && !db.TaskTestPatients.Any(t => t.TaskId == taskId && t.PatientId == i.Item!.PatientId)
                    && !db.Labels.Any(l => l.TaskId == taskId && l.ItemId == i.ItemId && l.SupersededAt == null && l.Answer == LabelAnswer.Class)))).ToListAsync(cancel);
        return new NewCases(run, [.. offers.Where(o => o.New > 0)]);
    }

    /// <summary>Has the classifier in use answer for a collection's images or recordings: the answers come into the review queue, and what is corrected there teaches the next classifier.</summary>
    /// <returns>The run's id.</returns>
    /// <exception cref="RefusedException">No classifier is in use, or it is answering already, or the collection is not of the task's kind of items.</exception>
    public async Task<string> AnswerForAsync(long taskId, long collectionId, string by, CancellationToken cancel = default)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        var own = await db.Tasks.Where(t => t.Id == taskId).Select(t => (long?)t.CollectionId).SingleOrDefaultAsync(cancel) ?? throw TaskRefusals.NoTask();
        var collection = await db.Collections.AsNoTracking().SingleOrDefaultAsync(c => c.Id == collectionId, cancel) ?? throw TaskRefusals.NoCollection();
        var model = await InUseAsync(db, taskId, cancel) ?? throw TaskRefusals.NothingInUse();
        var kind = await KindAsync(db, own, cancel);
        var items = db.CollectionItems.Where(i => i.CollectionId == collectionId);
        if (!await items.AnyAsync(cancel)) throw TaskRefusals.NoItems(collection.Name);
        if (await items.AnyAsync(i => i.Item!.Kind != kind, cancel)) throw TaskRefusals.OtherKind(collection.Name, kind);
        if (await db.Runs.AnyAsync(r => r.TaskId == taskId && r.Kind == RunKind.Predict && (r.State == RunState.Queued || r.State == RunState.Running), cancel))
            throw TaskRefusals.AlreadyAnswering();
        return await queue.EnqueueAsync(new PredictRequest(model.Id, collectionId, null, ForReview: true), $"{model.Name} answers for {collection.Name}", by, taskId, cancel);
    }

    /// <summary>Asks the administrator to bring in more for a task; what was asked for it before gives way.</summary>
    /// <param name="taskId">The task.</param>
    /// <param name="what">How many, and of what, in a sentence.</param>
    /// <param name="by">Who asks.</param>
    /// <param name="cancel">Stops before anything is stored.</param>
    /// <exception cref="RefusedException">Nothing is said, too much, or there is no such task.</exception>
    public async Task AskForMoreAsync(long taskId, string what, string by, CancellationToken cancel = default)
    {
        what = what.Trim();
        if (what.Length == 0) throw TaskRefusals.NothingWanted();
        if (what.Length > LongestWanted) throw TaskRefusals.TooLong("sentence", LongestWanted);
        await WantAsync(taskId, task =>
        {
            (task.Wanted, task.WantedBy, task.WantedAt) = (what, by, time.GetUtcNow().UtcDateTime);
            return ("asked for more", what);
        }, by, cancel);
    }

    /// <summary>What was asked for is there, or no longer needed. Said twice, it changes nothing the second time.</summary>
    /// <exception cref="RefusedException">There is no such task.</exception>
    public Task SettleWantedAsync(long taskId, string by, CancellationToken cancel = default) => WantAsync(taskId, task =>
    {
        if (task.Wanted is not { } what) return null;
        (task.Wanted, task.WantedBy, task.WantedAt) = (null, null, null);
        return ("settled what was asked for", what);
    }, by, cancel);

    private async Task WantAsync(long taskId, Func<LabelTask, (string Action, string Details)?> change, string by, CancellationToken cancel)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        var task = await db.Tasks.SingleOrDefaultAsync(t => t.Id == taskId, cancel) ?? throw TaskRefusals.NoTask();
        if (change(task) is not { } done) return;
        await audit.AppendAsync(db, by, done.Action, $"task {task.Name}", done.Details, cancel);
        await transaction.CommitAsync(cancel);
    }

    private static Task<Model?> InUseAsync(DomainSslContext db, long taskId, CancellationToken cancel) =>
        db.Models.AsNoTracking().Where(m => m.TaskId == taskId && m.Kind == ModelKind.Classifier && m.State == ModelState.InUse).OrderByDescending(m => m.CreatedAt).FirstOrDefaultAsync(cancel);
}
