using System.CommandLine;
using DomainSsl.Core;
using DomainSsl.Core.Database;
using DomainSsl.Core.Models;
using DomainSsl.Core.Runs;
using DomainSsl.Core.Storage;
using DomainSsl.Worker;
using Microsoft.EntityFrameworkCore;

namespace DomainSsl.Web.Commands;

/// <summary>What the commands that do long work share: where a run is carried out, and how it is followed to its end.</summary>
internal static class RunCommands
{
    /// <summary><c>--here</c>.</summary>
    public static Option<bool> Here() => new("--here") { Description = "Do it in this process, also where a server with its worker is running." };

    /// <summary>Core's and the worker's services, with the public encoder registered.</summary>
    public static async Task<IServiceProvider> ServicesAsync(CommandRun run)
    {
        var services = await run.ServicesAsync(s => s.AddDomainSslWorker());
        await services.GetRequiredService<ModelRegistry>().EnsurePublicAsync(run.Cancel);
        return services;
    }

    /// <summary>
    /// Has a run carried out and waits for its end: by the worker of the server that runs on this folder, or, with <paramref name="here"/> or where none runs, by this process.
    /// </summary>
    /// <returns>The row of the run, which is done.</returns>
    /// <exception cref="RefusedException">The run failed; the sentence says why.</exception>
    /// <exception cref="OperationCanceledException">Stopped from here.</exception>
    public static async Task<Run> CarryOutAsync(CommandRun run, RunRequest request, string title, bool here, long? taskId = null)
    {
        var services = await ServicesAsync(run);
        var (queue, feed) = (services.GetRequiredService<IRunQueue>(), services.GetRequiredService<RunFeed>());
        RunLease? lease = null;
        string id;
        if (here || !InstanceLock.IsHeld(InstanceLock.Serve(services.GetRequiredService<DataFolder>())))
        {
            lease = await queue.EnqueueHeldAsync(request, title, run.Who, taskId, run.Cancel);
            id = lease.RunId;
        }
        else
        {
            id = await queue.EnqueueAsync(request, title, run.Who, taskId, run.Cancel);
            run.Output.Note($"The server's worker carries it out as run {id}; stopping this command cancels it.");
        }
        var ended = await run.Output.ProgressAsync(title, "percent", async progress =>
        {
            var over = new TaskCompletionSource<Run>(TaskCreationOptions.RunContinuationsAsynchronously);
            using var following = feed.Subscribe(id, update =>
            {
                progress.Report(new CommandProgress(Math.Floor(100 * update.Run.Progress), 100, update.Run.Stage, update.Run.SecondsLeft));
                if (update.Run.State is RunState.Done or RunState.Failed or RunState.Cancelled) over.TrySetResult(update.Run);
            });
            if (lease is not null)
            {
                var row = await services.GetRequiredService<RunLoop>().ExecuteAsync(lease, WhenStopped.Cancel, run.Cancel);
                if (row.State is not (RunState.Queued or RunState.Running)) return row;
                // This process slept through its lease and another goes on with the run: follow that one.
            }
            try { return await over.Task.WaitAsync(run.Cancel); }
            catch (OperationCanceledException)
            {
                try { await queue.RequestCancelAsync(id, run.Who, CancellationToken.None); }
                catch (RefusedException) { /* it ended in this moment */ }
                throw;
            }
        });
        if (ended.State == RunState.Done) return ended;
        if (ended.State == RunState.Cancelled)
        {
            run.Cancel.ThrowIfCancellationRequested();
            throw new RefusedException("run-cancelled", $"The run {id} was cancelled by somebody; resume it on its page, or ask for it again.");
        }
        throw new RefusedException("run-failed", ended.Error ?? $"The run {id} failed; its log says more.");
    }

    /// <summary>A model's id from its id or name.</summary>
    public static async Task<Model> ModelAsync(CommandRun run, string idOrName) =>
        await (await ServicesAsync(run)).GetRequiredService<ModelRegistry>().GetAsync(idOrName, run.Cancel);

    /// <summary>A short-lived context on the data folder.</summary>
    public static async Task<DomainSslContext> DatabaseAsync(CommandRun run) =>
        await (await ServicesAsync(run)).GetRequiredService<IDbContextFactory<DomainSslContext>>().CreateDbContextAsync(run.Cancel);
}
