using DomainSsl.Core.Database;

namespace DomainSsl.Core.Runs;

/// <summary>
/// The queue of runs. People ask, cancel and resume; a worker claims, renews, reports and ends. A lease holds some ten seconds and is renewed every two; a run whose lease has
/// run out, or whose holder on this machine is dead, is claimed again and goes on from its last checkpoint.
/// </summary>
public interface IRunQueue
{
    /// <summary>Asks for a run: row and audit entry in one transaction.</summary>
    /// <param name="request">What to do.</param>
    /// <param name="title">One line for people.</param>
    /// <param name="by">Who asks.</param>
    /// <param name="taskId">The task it belongs to.</param>
    /// <param name="cancel">Gives up asking.</param>
    /// <returns>The run's id.</returns>
    Task<string> EnqueueAsync(RunRequest request, string title, string by, long? taskId = null, CancellationToken cancel = default);

    /// <summary>Asks for a run that the asking process carries out itself: it holds the lease from the first moment, so no worker can take it before.</summary>
    Task<RunLease> EnqueueHeldAsync(RunRequest request, string title, string by, long? taskId = null, CancellationToken cancel = default);

    /// <summary>Takes the oldest run that waits or was left by its worker; null where there is none.</summary>
    Task<RunLease?> ClaimAsync(CancellationToken cancel = default);

    /// <summary>Makes the lease hold for another while.</summary>
    Task<LeaseState> RenewAsync(RunLease lease, CancellationToken cancel = default);

    /// <summary>Says where the run is.</summary>
    /// <exception cref="LeaseLostException">The lease is another's.</exception>
    Task ReportAsync(RunLease lease, RunReport report, CancellationToken cancel = default);

    /// <summary>Ends the run well; what it made is written in the same transaction.</summary>
    /// <param name="lease">The lease.</param>
    /// <param name="summary">The result as JSON.</param>
    /// <param name="results">Adds models and other rows; it may be null.</param>
    /// <param name="cancel">Gives up before the commit.</param>
    /// <exception cref="LeaseLostException">The lease is another's; nothing was written.</exception>
    Task FinishAsync(RunLease lease, string summary, Func<DomainSslContext, CancellationToken, Task>? results = null, CancellationToken cancel = default);

    /// <summary>Ends the run badly, with a sentence.</summary>
    /// <exception cref="LeaseLostException">The lease is another's.</exception>
    Task FailAsync(RunLease lease, string error, CancellationToken cancel = default);

    /// <summary>Ends the run because a person asked for it.</summary>
    /// <exception cref="LeaseLostException">The lease is another's.</exception>
    Task CancelledAsync(RunLease lease, CancellationToken cancel = default);

    /// <summary>Puts the run back, to go on from its checkpoint: the worker is being stopped.</summary>
    /// <exception cref="LeaseLostException">The lease is another's.</exception>
    Task ReleaseAsync(RunLease lease, CancellationToken cancel = default);

    /// <summary>Asks a run to stop: one that waits, or whose worker is dead, is cancelled at once; a running one within seconds.</summary>
    /// <exception cref="RefusedException">There is no such run, or it is over.</exception>
    Task RequestCancelAsync(string runId, string by, CancellationToken cancel = default);

    /// <summary>Puts a cancelled or failed run back into the queue; it goes on from its checkpoint.</summary>
    /// <exception cref="RefusedException">There is no such run, or it neither failed nor was cancelled.</exception>
    Task ResumeAsync(string runId, string by, CancellationToken cancel = default);
}
