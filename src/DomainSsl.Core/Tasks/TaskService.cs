using System.Collections.Concurrent;
using DomainSsl.Core.Audit;
using DomainSsl.Core.Collections;
using DomainSsl.Core.Database;
using DomainSsl.Core.Library;
using DomainSsl.Core.Models;
using DomainSsl.Core.Runs;
using DomainSsl.Core.Storage;
using Microsoft.EntityFrameworkCore;

namespace DomainSsl.Core.Tasks;

/// <summary>
/// Everything about tasks: made once with their test patients drawn and locked, labelled one by one (<c>TaskService.Labelling.cs</c>), trained
/// (<c>TaskService.Training.cs</c>), and taken on to what is imported later (<c>TaskService.NewCases.cs</c>). A label is committed before a method returns, is stored once however often it is sent, and is never overwritten.
/// </summary>
public sealed partial class TaskService(IDbContextFactory<DomainSslContext> factory, AuditLog audit, IRunQueue queue, LibraryQuery library, DataFolder folder, TimeProvider time, TaskOptions options)
{
    private readonly ConcurrentDictionary<long, LabellingOrder> orders = new();

    /// <summary>Who has which item before them, be it to label or to review it.</summary>
    internal ItemHolds Holds { get; } = new(time, options.HoldFor);

    /// <summary>Makes a task: freezes its collection, and draws and locks its test patients, in one transaction and before any label.</summary>
    /// <param name="name">Unique name.</param>
    /// <param name="question">The question above each image or recording; the name where it is empty.</param>
    /// <param name="classes">Two to nine answers, in the order of their keys.</param>
    /// <param name="collectionId">The collection asked about: its images, or its recordings where it has none.</param>
    /// <param name="by">Who makes it.</param>
    /// <param name="encoderId">The encoder to train from; null for the one in use when training is asked for.</param>
    /// <param name="cancel">Stops before anything is stored.</param>
    /// <exception cref="RefusedException">Something is missing, too long, or there already.</exception>
    public async Task<LabelTask> CreateAsync(string name, string question, IReadOnlyList<string> classes, long collectionId, string by, string? encoderId = null,
        CancellationToken cancel = default)
    {
        (name, question, classes) = (name.Trim(), question.Trim(), [.. classes.Select(c => c.Trim()).Where(c => c.Length > 0)]);
        if (name.Length == 0) throw TaskRefusals.NoName();
        if (name.Length > 80) throw TaskRefusals.TooLong("name", 80);
        if (question.Length > 300) throw TaskRefusals.TooLong("question", 300);
        if (classes.Count is < 2 or > 9) throw TaskRefusals.ClassCount();
        if (classes.Any(c => c.Length > 60)) throw TaskRefusals.TooLong("answer", 60);
        if (classes.GroupBy(c => c, StringComparer.OrdinalIgnoreCase).FirstOrDefault(g => g.Count() > 1) is { } twice) throw TaskRefusals.ClassTwice(twice.Key);

        await using var db = await factory.CreateDbContextAsync(cancel);
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        var collection = await db.Collections.SingleOrDefaultAsync(c => c.Id == collectionId, cancel) ?? throw TaskRefusals.NoCollection();
        if (await db.Tasks.AnyAsync(t => t.Name == name, cancel)) throw TaskRefusals.NameTaken(name);
        var now = time.GetUtcNow().UtcDateTime;
        await CollectionFreeze.FreezeAsync(db, audit, collection, by, now, cancel);
        var task = new LabelTask { Name = name, Question = question.Length > 0 ? question : name, CollectionId = collectionId, EncoderId = encoderId, CreatedAt = now, By = by };
        task.Classes.AddRange(classes.Select((c, i) => new TaskClass { Name = c, Position = i }));
        db.Tasks.Add(task);
        await db.SaveChangesAsync(cancel);

        var kind = await KindAsync(db, collectionId, cancel);
        var items = await db.CollectionItems.Where(c => c.CollectionId == collectionId && c.Item!.Kind == kind).Select(c => c.Item!.PatientId).ToListAsync(cancel);
        if (items.Count == 0) throw TaskRefusals.NoItems(collection.Name);
        var test = DrawTestPatients(task.Id, [.. items.OfType<long>().Distinct()]);
        db.TaskTestPatients.AddRange(test.Select(p => new TaskTestPatient { TaskId = task.Id, PatientId = p }));
        await audit.AppendAsync(db, by, "made", $"task {name}", kind == ItemKind.Sound ? $"{items.Count} recordings, {string.Join(" / ", classes)}, {test.Count} test speakers locked" : $"{items.Count} images, {string.Join(" / ", classes)}, {test.Count} test patients locked", cancel);
        await transaction.CommitAsync(cancel);
        return task;
    }

    // A frozen collection never changes, so what a task asks about follows from it: its images, or its recordings where it has none.
    private static async Task<ItemKind> KindAsync(DomainSslContext db, long collectionId, CancellationToken cancel) =>
        await db.CollectionItems.AnyAsync(c => c.CollectionId == collectionId && c.Item!.Kind == ItemKind.Image, cancel) ? ItemKind.Image
        : await db.CollectionItems.AnyAsync(c => c.CollectionId == collectionId, cancel) ? ItemKind.Sound : ItemKind.Image;

    // By the task's own number: the same task on the same patients always locks the same ones.
    private List<long> DrawTestPatients(long taskId, IReadOnlyCollection<long> patients)
    {
        if (patients.Count < options.FewestPatientsForTest) return [];
        var count = Math.Max((int)Math.Ceiling(options.TestShare * patients.Count), Math.Min(options.MinTestPatients, patients.Count / 2));
        return [.. patients.OrderBy(p => LabellingOrder.Mix(~taskId, p)).Take(count)];
    }

    /// <summary>All tasks, the newest first, with how far each is.</summary>
    public async Task<IReadOnlyList<TaskOverview>> ListAsync(CancellationToken cancel = default)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        var tasks = await db.Tasks.AsNoTracking().Include(t => t.Classes).Include(t => t.Collection).OrderByDescending(t => t.Id).ToListAsync(cancel);
        var overviews = new List<TaskOverview>();
        foreach (var task in tasks) overviews.Add(await OverviewAsync(db, task, cancel));
        return overviews;
    }

    /// <summary>One task with how far it is; null where there is none of this id.</summary>
    public async Task<TaskOverview?> FindAsync(long taskId, CancellationToken cancel = default)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        var task = await db.Tasks.AsNoTracking().Include(t => t.Classes).Include(t => t.Collection).SingleOrDefaultAsync(t => t.Id == taskId, cancel);
        return task is null ? null : await OverviewAsync(db, task, cancel);
    }

    /// <summary>How far a task's labelling is.</summary>
    public async Task<TaskProgress> ProgressAsync(long taskId, CancellationToken cancel = default)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        var task = await db.Tasks.AsNoTracking().Include(t => t.Classes).SingleOrDefaultAsync(t => t.Id == taskId, cancel) ?? throw TaskRefusals.NoTask();
        return await ProgressAsync(db, task, cancel);
    }

    private async Task<TaskOverview> OverviewAsync(DomainSslContext db, LabelTask task, CancellationToken cancel)
    {
        var progress = await ProgressAsync(db, task, cancel);
        var testPatients = await db.TaskTestPatients.CountAsync(t => t.TaskId == task.Id, cancel);
        var models = await db.Models.AsNoTracking().Where(m => m.TaskId == task.Id && m.Kind == ModelKind.Classifier && m.State != ModelState.Retired)
            .OrderByDescending(m => m.CreatedAt).Select(m => new { m.Id, m.Name, m.State }).ToListAsync(cancel);
        var run = await db.Runs.AsNoTracking().Where(r => r.TaskId == task.Id && r.Kind == RunKind.FineTune).OrderByDescending(r => r.QueuedAt)
            .Select(r => new { r.Id, r.State, r.QueuedAt }).FirstOrDefaultAsync(cancel);
        var since = run is null ? progress.Labelled
            : await db.Labels.CountAsync(l => l.TaskId == task.Id && l.SupersededAt == null && l.Answer == LabelAnswer.Class && l.At > run.QueuedAt, cancel);
        var reviewed = await Review.ReviewQueue.ReviewedModelAsync(db, task.Id, cancel);
        var waiting = reviewed is null ? 0 : (await Review.ReviewQueue.CountAsync(db, task.Id, reviewed, cancel)).Open;
        return new TaskOverview(task.Id, task.Name, task.Question, task.CollectionId, task.Collection!.Name, await KindAsync(db, task.CollectionId, cancel), testPatients, progress,
            models.FirstOrDefault(m => m.State == ModelState.InUse)?.Name, models.FirstOrDefault()?.Id, run?.Id, run?.State, since, waiting,
            task is { Wanted: { } what, WantedBy: { } who, WantedAt: { } at } ? new WantedCases(what, who, at) : null);
    }

    private async Task<TaskProgress> ProgressAsync(DomainSslContext db, LabelTask task, CancellationToken cancel)
    {
        var order = await OrderAsync(db, task.Id, cancel);
        var current = await db.Labels.AsNoTracking().Where(l => l.TaskId == task.Id && l.SupersededAt == null && l.Answer != LabelAnswer.Withdrawn)
            .Select(l => new { l.ItemId, l.Answer, l.ClassId, l.Item!.PatientId }).ToListAsync(cancel);
        var classes = current.Where(l => l.Answer == LabelAnswer.Class).ToList();
        var byClass = classes.CountBy(l => l.ClassId!.Value).ToDictionary();
        return new TaskProgress(order.All.Count, classes.Count, classes.DistinctBy(l => l.PatientId ?? -1 - l.ItemId).Count(),
            current.Count(l => l.Answer == LabelAnswer.NotSure), current.Count(l => l.Answer == LabelAnswer.Skipped),
            [.. task.Classes.OrderBy(c => c.Position).Select(c => new ClassProgress(c.Id, c.Name, byClass.GetValueOrDefault(c.Id)))], current.Count(l => !order.Contains(l.ItemId)));
    }

    // A frozen collection never changes, nor do a task's test patients, so an order once made stays right.
    private async Task<LabellingOrder> OrderAsync(DomainSslContext db, long taskId, CancellationToken cancel)
    {
        if (orders.TryGetValue(taskId, out var known)) return known;
        var collection = await db.Tasks.Where(t => t.Id == taskId).Select(t => (long?)t.CollectionId).SingleOrDefaultAsync(cancel) ?? throw TaskRefusals.NoTask();
        return orders.GetOrAdd(taskId, await LabellingOrder.ReadAsync(db, taskId, collection, await KindAsync(db, collection, cancel), cancel));
    }

    internal static string Scope(long taskId) => $"task {taskId}";
}
