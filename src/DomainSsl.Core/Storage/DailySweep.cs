using DomainSsl.Core.Audit;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace DomainSsl.Core.Storage;

/// <summary>
/// Once a day, beside the site: blobs that nothing names any more, reports that were learnt from among them (<see cref="OrphanSweep"/>), and what killed processes were writing go, when they are a day old. A machine that is switched
/// off at night sweeps soon after each start.
/// </summary>
public sealed partial class DailySweep(OrphanSweep orphans, IBlobStore blobs, AuditLog audit, TimeProvider time, ILogger<DailySweep> log) : BackgroundService
{
    /// <summary>How long after the start the first one is: what people wait for comes first.</summary>
    public static readonly TimeSpan First = TimeSpan.FromMinutes(10);

    /// <summary>How often it is done.</summary>
    public static readonly TimeSpan Every = TimeSpan.FromDays(1);

    /// <summary>Who did it, in the audit log.</summary>
    public const string By = "daily sweep";

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            for (var pause = First; ; pause = Every)
            {
                await Task.Delay(pause, time, stoppingToken);
                // A full disk or a locked database today is no reason not to try tomorrow.
                try { await SweepAsync(stoppingToken); }
                catch (Exception e) when (e is not OperationCanceledException) { Failed(e); }
            }
        }
        catch (OperationCanceledException) { /* the site is being stopped */ }
    }

    private async Task SweepAsync(CancellationToken stop)
    {
        // In this order: what was being written counts from when it was touched last, whatever the sweep of the blobs takes.
        var left = blobs.RemoveLeft(time.GetUtcNow().UtcDateTime - OrphanSweep.Age);
        var named = await orphans.SweepAsync(stop);
        var (files, bytes) = (left.Files + named.Files, left.Bytes + named.Bytes);
        if (files == 0) return;
        Swept(files, bytes);
        await audit.RecordAsync(By, "removed", FormattableString.Invariant($"{files:#,0} stored files that nothing names"), FormattableString.Invariant($"{bytes:#,0} bytes"), CancellationToken.None);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{Files} stored files that nothing names removed, {Bytes} bytes.")]
    private partial void Swept(int files, long bytes);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Stored files that nothing names could not be swept; it is tried again tomorrow.")]
    private partial void Failed(Exception e);
}
