using System.Diagnostics;
using DomainSsl.Core;
using DomainSsl.Core.Database;
using DomainSsl.Core.Runs;
using DomainSsl.Core.Storage;
using DomainSsl.Dicom;
using DomainSsl.Learning;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;

namespace DomainSsl.Worker;

/// <summary>What becomes of a run when its process is told to stop.</summary>
public enum WhenStopped
{
    /// <summary>It goes back into the queue, to go on from its checkpoint: a worker is being stopped.</summary>
    Release,
    /// <summary>It is cancelled, and may be resumed: a person stopped the command that carries it out.</summary>
    Cancel,
}

/// <summary>
/// The worker's life: claim, carry out, end, again. While a run is carried out, its lease is renewed and its progress written beside it; a lost lease, a request to cancel or
/// a worker that is being stopped reach the run as its <see cref="RunContext.Stop"/>.
/// </summary>
public sealed partial class RunLoop(
    IRunQueue queue, IDbContextFactory<DomainSslContext> factory, DataFolder folder, RunLog runLog, ShardStore shards, PretrainRun pretrain, FineTuneRun fineTune, EvaluateRun evaluate,
    LabelEfficiencyRun labelEfficiency, PredictRun predict, EmbedRun embed, FineTuneSpeechRun fineTuneSpeech, EvaluateSpeechRun evaluateSpeech, LabelEfficiencySpeechRun labelEfficiencySpeech, TranscribeRun transcribe,
    LanguageRun language, ILogger<RunLoop> log)
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1), ReportEvery = TimeSpan.FromMilliseconds(800);

    /// <summary>Takes runs until stopped, or with <paramref name="once"/> until none waits.</summary>
    /// <returns>The runs that were ended, in their order.</returns>
    public async Task<IReadOnlyList<Run>> RunAsync(bool once, Func<bool> goOn, CancellationToken stop)
    {
        shards.SweepUnfinished();
        var ended = new List<Run>();
        try
        {
            await SweepSpeechAsync(stop);
            while (goOn())
            {
                if (await queue.ClaimAsync(stop) is { } lease)
                {
                    ended.Add(await ExecuteAsync(lease, WhenStopped.Release, stop));
                    await SweepSpeechAsync(stop); // a command may have been killed meanwhile, and its run cancelled
                }
                else if (once) break;
                else await Task.Delay(Pause, stop);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested) { /* told to stop; a run that was under way is back in the queue */ }
        return ended;
    }

    /// <summary>Carries out the run of a lease to its end and gives back its row.</summary>
    public async Task<Run> ExecuteAsync(RunLease lease, WhenStopped whenStopped, CancellationToken stop)
    {
        var run = await RowAsync(lease.RunId);
        Directory.CreateDirectory(folder.Run(run.Id));
        using var stopRun = CancellationTokenSource.CreateLinkedTokenSource(stop);
        using var runOver = new CancellationTokenSource();
        var context = new RunContext(run, folder.Run(run.Id), runLog, stopRun.Token);
        var beside = new Beside();
        context.Log(run.Attempts > 1 ? $"Taken up again by process {Environment.ProcessId}." : $"Begun by process {Environment.ProcessId}: {run.Title}.");
        var renewing = Task.Run(() => RenewAsync(lease, context, beside, stopRun, runOver.Token), CancellationToken.None);
        try
        {
            // A thread of its own: training holds it for minutes, and the pool is for those who come and go.
            var outcome = await Task.Factory.StartNew(() => CarryOutAsync(RunRequestJson.Read(run), context), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default).Unwrap();
            await queue.FinishAsync(lease, outcome.Summary, outcome.Results, CancellationToken.None);
            context.Log("Done.");
            TidyUp(outcome, run.Id);
        }
        catch (LeaseLostException e) { context.Log(e.Message); }
        catch (OperationCanceledException) when (stopRun.IsCancellationRequested)
        {
            if (beside.Lost) context.Log("The lease was lost; another worker goes on with the run.");
            else if (beside.CancelRequested || whenStopped == WhenStopped.Cancel) await EndAsync(() => queue.CancelledAsync(lease), context, "Cancelled; it can be resumed from its checkpoint.");
            else await EndAsync(() => queue.ReleaseAsync(lease), context, "The worker is being stopped; the run waits to go on from its checkpoint.");
        }
        catch (Exception e)
        {
            var sentence = SentenceOf(e);
            if (sentence is null)
            {
                RunFailed(e, run.Id);
                context.Log(e.ToString());
                sentence = $"Something went wrong inside the program ({e.GetType().Name}: {e.Message.ReplaceLineEndings(" ")}); the run's log has the details. Resume the run, or begin it anew.";
            }
            await EndAsync(() => queue.FailAsync(lease, sentence), context, sentence);
        }
        finally
        {
            await runOver.CancelAsync();
            await renewing;
        }
        var ended = await RowAsync(run.Id);
        TidySpeech(ended);
        return ended;
    }

    private Task<RunOutcome> CarryOutAsync(RunRequest request, RunContext context) => request switch
    {
        PretrainRequest r => pretrain.CarryOutAsync(r, context),
        FineTuneRequest r => fineTune.CarryOutAsync(r, context),
        EvaluateRequest r => evaluate.CarryOutAsync(r, context),
        LabelEfficiencyRequest r => labelEfficiency.CarryOutAsync(r, context),
        PredictRequest r => predict.CarryOutAsync(r, context),
        EmbedRequest r => embed.CarryOutAsync(r, context),
        FineTuneSpeechRequest r => fineTuneSpeech.CarryOutAsync(r, context),
        EvaluateSpeechRequest r => evaluateSpeech.CarryOutAsync(r, context),
        LabelEfficiencySpeechRequest r => labelEfficiencySpeech.CarryOutAsync(r, context),
        TranscribeRequest r => transcribe.CarryOutAsync(r, context),
        LanguageRequest r => language.CarryOutAsync(r, context),
        _ => throw new ArgumentException($"No kind of run carries out a {request.GetType().Name}."),
    };

    // Goes on until the run is over, whatever the run does meanwhile. A database that cannot be reached for a moment is tried again; only a clear answer counts as lost.
    private async Task RenewAsync(RunLease lease, RunContext context, Beside beside, CancellationTokenSource stopRun, CancellationToken over)
    {
        var sinceRenewal = Stopwatch.StartNew();
        while (!over.IsCancellationRequested)
        {
            await Task.Delay(ReportEvery, over).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (over.IsCancellationRequested) return;
            try
            {
                if (context.TakeReport() is { } report) await queue.ReportAsync(lease, report, CancellationToken.None);
                if (sinceRenewal.Elapsed < RunQueue.RenewEvery) continue;
                sinceRenewal.Restart();
                var state = await queue.RenewAsync(lease, CancellationToken.None);
                if (state == LeaseState.Held) continue;
                if (over.IsCancellationRequested) return;
                beside.Lost |= state == LeaseState.Lost;
                beside.CancelRequested |= state == LeaseState.CancelRequested;
                await stopRun.CancelAsync();
                if (beside.Lost) return;
            }
            catch (LeaseLostException)
            {
                beside.Lost = true;
                await stopRun.CancelAsync();
                return;
            }
            catch (Exception e) when (e is Microsoft.Data.Sqlite.SqliteException or DbUpdateException or IOException) { NotRenewed(e, lease.RunId); }
        }
    }

    private static async Task EndAsync(Func<Task> end, RunContext context, string sentence)
    {
        context.Log(sentence);
        try { await end(); }
        catch (LeaseLostException e) { context.Log(e.Message); }
    }

    private static string? SentenceOf(Exception e) => e switch
    {
        RefusedException or LearningException or DicomException => e.Message,
        _ when Disk.IsFull(e) => "The disk is full; make room, then resume the run.",
        _ => null,
    };

    private void TidyUp(RunOutcome outcome, string runId)
    {
        try { outcome.Afterwards?.Invoke(); }
        catch (IOException e) { NotTidied(e, runId); }
    }

    // What killed processes left of recordings, also in runs that nobody takes up again.
    private async Task SweepSpeechAsync(CancellationToken cancel)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        foreach (var run in await db.Runs.AsNoTracking().Where(r => r.Kind == RunKind.Pretrain).ToListAsync(cancel)) TidySpeech(run);
    }

    private void TidySpeech(Run run)
    {
        // Its process may be listening.
        if (run.State == RunState.Running && !ProcessIdentity.IsGone(run.Holder)) return;
        try { DraftWriter.Tidy(folder.Run(run.Id), run.State == RunState.Done); }
        catch (IOException e) { NotTidied(e, run.Id); }
    }

    private async Task<Run> RowAsync(string id)
    {
        await using var db = await factory.CreateDbContextAsync();
        return await db.Runs.AsNoTracking().SingleAsync(r => r.Id == id);
    }

    /// <summary>What the renewing task has learnt.</summary>
    private sealed class Beside
    {
        public volatile bool Lost, CancelRequested;
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Run {Run} failed.")]
    private partial void RunFailed(Exception e, string run);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The lease of run {Run} could not be renewed just now.")]
    private partial void NotRenewed(Exception e, string run);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The folder of run {Run} could not be tidied.")]
    private partial void NotTidied(Exception e, string run);
}
