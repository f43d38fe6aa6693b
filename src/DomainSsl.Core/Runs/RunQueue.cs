using DomainSsl.Core.Audit;
using DomainSsl.Core.Database;
using Microsoft.EntityFrameworkCore;

namespace DomainSsl.Core.Runs;

/// <summary>The queue in the database: a row is a run, and each method is one transaction. See <see cref="IRunQueue"/> for what each promises.</summary>
public sealed class RunQueue(IDbContextFactory<DomainSslContext> factory, AuditLog audit, TimeProvider time) : IRunQueue
{
    /// <summary>How long a lease holds unless it is renewed.</summary>
    public static readonly TimeSpan LeaseTime = TimeSpan.FromSeconds(10);

    /// <summary>How often a worker renews it.</summary>
    public static readonly TimeSpan RenewEvery = TimeSpan.FromSeconds(2);

    /// <summary>How often a run is taken up again without getting any further, before it counts as failed: whatever ends its worker would end the next one too.</summary>
    public const int MostAttempts = 10;

    private readonly string _holder = ProcessIdentity.Current;

    /// <summary>For tests: a queue as another process sees it.</summary>
    internal RunQueue(IDbContextFactory<DomainSslContext> factory, AuditLog audit, TimeProvider time, string holder) : this(factory, audit, time) => _holder = holder;

    private DateTime Now => time.GetUtcNow().UtcDateTime;

    /// <inheritdoc />
    public async Task<string> EnqueueAsync(RunRequest request, string title, string by, long? taskId = null, CancellationToken cancel = default) =>
        await AddAsync(NewRun(request, title, by, taskId), cancel);

    /// <inheritdoc />
    public async Task<RunLease> EnqueueHeldAsync(RunRequest request, string title, string by, long? taskId = null, CancellationToken cancel = default)
    {
        var run = NewRun(request, title, by, taskId);
        (run.State, run.Lease, run.LeaseUntil, run.Holder, run.StartedAt, run.Attempts) = (RunState.Running, NewToken(), Now + LeaseTime, _holder, Now, 1);
        await AddAsync(run, cancel);
        return new RunLease(run.Id, run.Lease);
    }

    private Run NewRun(RunRequest request, string title, string by, long? taskId) => new()
    {
        Id = ShortId.Run(time.GetUtcNow()), Kind = RunRequestJson.KindOf(request), Title = title, Request = RunRequestJson.Write(request), By = by, QueuedAt = Now, TaskId = taskId,
        Stage = "Waits for its turn",
    };

    private async Task<string> AddAsync(Run run, CancellationToken cancel)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        db.Runs.Add(run);
        await audit.AppendAsync(db, run.By, "asked for", $"run {run.Id}", run.Title, cancel);
        await transaction.CommitAsync(cancel);
        return run.Id;
    }

    /// <inheritdoc />
    public async Task<RunLease?> ClaimAsync(CancellationToken cancel = default)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        var open = await db.Runs.AsNoTracking().Where(r => r.State == RunState.Queued || r.State == RunState.Running).OrderBy(r => r.QueuedAt).ThenBy(r => r.Id)
            .Select(r => new { r.Id, r.State, r.Lease, r.LeaseUntil, r.Holder, r.Attempts, r.CancelRequested }).ToListAsync(cancel);
        foreach (var run in open.Where(r => r.State == RunState.Queued || Abandoned(r.LeaseUntil, r.Holder)))
        {
            if (run.CancelRequested)
            {
                await EndAbandonedAsync(run.Id, run.Lease, RunState.Cancelled, null, cancel);
                continue;
            }
            if (run.Attempts >= MostAttempts)
            {
                await EndAbandonedAsync(run.Id, run.Lease, RunState.Failed,
                    $"The worker ended {run.Attempts} times in this run without getting any further, perhaps for lack of memory; look into its log, then resume it or begin it anew with a smaller batch.", cancel);
                continue;
            }
            var (now, token) = (Now, NewToken());
            // The one conditional update: of all who saw this row as it was, one alone still finds it so.
            int won = await db.Runs.Where(r => r.Id == run.Id && r.State == run.State && r.Lease == run.Lease && r.LeaseUntil == run.LeaseUntil)
                .ExecuteUpdateAsync(s => s.SetProperty(r => r.State, RunState.Running).SetProperty(r => r.Lease, token).SetProperty(r => r.LeaseUntil, now + LeaseTime)
                    .SetProperty(r => r.Holder, _holder).SetProperty(r => r.StartedAt, r => r.StartedAt ?? now).SetProperty(r => r.Attempts, r => r.Attempts + 1), cancel);
            if (won == 1) return new RunLease(run.Id, token);
        }
        return null;
    }

    private bool Abandoned(DateTime? leaseUntil, string? holder) => leaseUntil is null || leaseUntil < Now || ProcessIdentity.IsGone(holder);

    private async Task EndAbandonedAsync(string id, string? lease, RunState state, string? error, CancellationToken cancel)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        var now = Now;
        int ended = await db.Runs.Where(r => r.Id == id && r.Lease == lease && (r.State == RunState.Queued || r.State == RunState.Running))
            .ExecuteUpdateAsync(s => Ended(s, state, now, error), cancel);
        if (ended == 1) await audit.AppendAsync(db, "system", Verb(state), $"run {id}", error ?? "", cancel);
        await transaction.CommitAsync(cancel);
    }

    /// <inheritdoc />
    public async Task<LeaseState> RenewAsync(RunLease lease, CancellationToken cancel = default)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        var until = Now + LeaseTime;
        if (await Held(db, lease).ExecuteUpdateAsync(s => s.SetProperty(r => r.LeaseUntil, until), cancel) == 0) return LeaseState.Lost;
        return await db.Runs.AnyAsync(r => r.Id == lease.RunId && r.CancelRequested, cancel) ? LeaseState.CancelRequested : LeaseState.Held;
    }

    /// <inheritdoc />
    public async Task ReportAsync(RunLease lease, RunReport report, CancellationToken cancel = default)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        var (now, stage, device, summary) = (Now, report.Stage, report.Device, report.Summary);
        double progress = Math.Clamp(report.Progress ?? 0, 0, 1);
        double? left = report.SecondsLeft;
        bool leftGiven = left is not null;
        int written = await Held(db, lease).ExecuteUpdateAsync(s => s
            .SetProperty(r => r.Attempts, r => progress > r.Progress ? 1 : r.Attempts)
            .SetProperty(r => r.Progress, r => progress > r.Progress ? progress : r.Progress)
            .SetProperty(r => r.Stage, r => stage ?? r.Stage).SetProperty(r => r.SecondsLeft, r => leftGiven ? left : r.SecondsLeft)
            .SetProperty(r => r.Device, r => device ?? r.Device).SetProperty(r => r.Summary, r => summary ?? r.Summary)
            .SetProperty(r => r.LeaseUntil, now + LeaseTime), cancel);
        if (written == 0) throw new LeaseLostException(lease.RunId);
    }

    /// <inheritdoc />
    public async Task FinishAsync(RunLease lease, string summary, Func<DomainSslContext, CancellationToken, Task>? results = null, CancellationToken cancel = default)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        var now = Now;
        int ended = await Held(db, lease).ExecuteUpdateAsync(s => s.SetProperty(r => r.State, RunState.Done).SetProperty(r => r.EndedAt, now).SetProperty(r => r.Lease, (string?)null)
            .SetProperty(r => r.LeaseUntil, (DateTime?)null).SetProperty(r => r.Holder, (string?)null).SetProperty(r => r.Progress, 1).SetProperty(r => r.SecondsLeft, (double?)null)
            .SetProperty(r => r.Stage, "Done").SetProperty(r => r.Error, (string?)null).SetProperty(r => r.Summary, summary), cancel);
        if (ended == 0) throw new LeaseLostException(lease.RunId);
        if (results is not null) await results(db, cancel);
        await audit.AppendAsync(db, "worker", "finished", $"run {lease.RunId}", "", cancel);
        await transaction.CommitAsync(cancel);
    }

    /// <inheritdoc />
    public Task FailAsync(RunLease lease, string error, CancellationToken cancel = default) => EndAsync(lease, RunState.Failed, error, cancel);

    /// <inheritdoc />
    public Task CancelledAsync(RunLease lease, CancellationToken cancel = default) => EndAsync(lease, RunState.Cancelled, null, cancel);

    private async Task EndAsync(RunLease lease, RunState state, string? error, CancellationToken cancel)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        var now = Now;
        if (await Held(db, lease).ExecuteUpdateAsync(s => Ended(s, state, now, error), cancel) == 0) throw new LeaseLostException(lease.RunId);
        await audit.AppendAsync(db, "worker", Verb(state), $"run {lease.RunId}", error ?? "", cancel);
        await transaction.CommitAsync(cancel);
    }

    private static void Ended(Microsoft.EntityFrameworkCore.Query.UpdateSettersBuilder<Run> s, RunState state, DateTime now, string? error) =>
        s.SetProperty(r => r.State, state).SetProperty(r => r.EndedAt, now).SetProperty(r => r.Lease, (string?)null).SetProperty(r => r.LeaseUntil, (DateTime?)null)
            .SetProperty(r => r.Holder, (string?)null).SetProperty(r => r.SecondsLeft, (double?)null).SetProperty(r => r.Error, error)
            .SetProperty(r => r.Stage, state == RunState.Failed ? "Failed" : "Cancelled");

    private static string Verb(RunState state) => state == RunState.Failed ? "failed" : "cancelled";

    /// <inheritdoc />
    public async Task ReleaseAsync(RunLease lease, CancellationToken cancel = default)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        int released = await Held(db, lease).ExecuteUpdateAsync(s => s.SetProperty(r => r.State, RunState.Queued).SetProperty(r => r.Lease, (string?)null)
            .SetProperty(r => r.LeaseUntil, (DateTime?)null).SetProperty(r => r.Holder, (string?)null).SetProperty(r => r.Attempts, r => r.Attempts - 1)
            .SetProperty(r => r.SecondsLeft, (double?)null).SetProperty(r => r.Stage, "Waits for its worker"), cancel);
        if (released == 0) throw new LeaseLostException(lease.RunId);
    }

    /// <inheritdoc />
    public async Task RequestCancelAsync(string runId, string by, CancellationToken cancel = default)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        var run = await db.Runs.SingleOrDefaultAsync(r => r.Id == runId, cancel) ?? throw NoRun(runId);
        if (run.State is not (RunState.Queued or RunState.Running))
            throw new RefusedException("run-over", $"The run {runId} is over already ({run.State.ToString().ToLowerInvariant()}); there is nothing to cancel.");
        if (run.State == RunState.Queued || Abandoned(run.LeaseUntil, run.Holder))
            (run.State, run.EndedAt, run.Lease, run.LeaseUntil, run.Holder, run.SecondsLeft, run.Stage) = (RunState.Cancelled, Now, null, null, null, null, "Cancelled");
        else run.CancelRequested = true;
        await audit.AppendAsync(db, by, "asked to cancel", $"run {runId}", "", cancel);
        await transaction.CommitAsync(cancel);
    }

    /// <inheritdoc />
    public async Task ResumeAsync(string runId, string by, CancellationToken cancel = default)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        var run = await db.Runs.SingleOrDefaultAsync(r => r.Id == runId, cancel) ?? throw NoRun(runId);
        if (run.State is not (RunState.Cancelled or RunState.Failed))
            throw new RefusedException("run-not-stopped", $"The run {runId} is {run.State.ToString().ToLowerInvariant()}; only one that failed or was cancelled can be resumed.");
        (run.State, run.QueuedAt, run.EndedAt, run.CancelRequested, run.Attempts, run.Error, run.Stage) = (RunState.Queued, Now, null, false, 0, null, "Waits for its turn");
        await audit.AppendAsync(db, by, "resumed", $"run {runId}", "", cancel);
        await transaction.CommitAsync(cancel);
    }

    private static RefusedException NoRun(string id) => new("no-run", $"There is no run {id}; the list of runs shows those there are.");

    private static IQueryable<Run> Held(DomainSslContext db, RunLease lease) =>
        db.Runs.Where(r => r.Id == lease.RunId && r.State == RunState.Running && r.Lease == lease.Token);

    private static string NewToken() => Guid.NewGuid().ToString("N");
}
