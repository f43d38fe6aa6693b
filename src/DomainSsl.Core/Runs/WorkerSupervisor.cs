using System.Diagnostics;
using System.Reflection;
using DomainSsl.Core.Storage;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace DomainSsl.Core.Runs;

/// <summary>
/// Keeps a worker beside the site: starts <c>domainssl worker</c> as a child and starts it again when it ends, sooner or later by how long it lived. Where a worker holds the
/// folder already (one that outlived a killed site finishes its run first), it waits until that one has gone.
/// </summary>
public sealed partial class WorkerSupervisor(DataFolder folder, WorkerOptions options, ILogger<WorkerSupervisor> log) : BackgroundService
{
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30), Look = TimeSpan.FromSeconds(2), Farewell = TimeSpan.FromSeconds(20);

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!options.AutoStart) return;
        var pause = TimeSpan.FromSeconds(1);
        try
        {
            while (true)
            {
                if (InstanceLock.IsHeld(InstanceLock.Worker(folder)))
                {
                    await Task.Delay(Look, stoppingToken);
                    continue;
                }
                var lived = Stopwatch.StartNew();
                int? exit = await RunWorkerAsync(stoppingToken);
                pause = lived.Elapsed > TimeSpan.FromMinutes(1) ? TimeSpan.FromSeconds(1) : TimeSpan.FromTicks(Math.Min(LongestPause.Ticks, pause.Ticks * 2));
                if (exit is not 0) WorkerEnded(exit, pause.TotalSeconds);
                await Task.Delay(pause, stoppingToken);
            }
        }
        catch (OperationCanceledException) { /* the site is being stopped */ }
    }

    // Ends with the worker, or, when the site is stopped, after the worker has put its run back at a checkpoint.
    private async Task<int?> RunWorkerAsync(CancellationToken stop)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { UseShellExecute = false, RedirectStandardInput = true };
        // Run as `dotnet domainssl.dll`, the program is dotnet and ours its first argument.
        if (Path.GetFileNameWithoutExtension(start.FileName).Equals("dotnet", StringComparison.OrdinalIgnoreCase)) start.ArgumentList.Add(Assembly.GetEntryAssembly()!.Location);
        foreach (var argument in (string[])["worker", "--parent", ProcessIdentity.Current, "--data", folder.Root]) start.ArgumentList.Add(argument);
        start.Environment["GOMP_SPINCOUNT"] = "1000";
        using var process = new Process { StartInfo = start };
        try { process.Start(); }
        catch (System.ComponentModel.Win32Exception e)
        {
            WorkerNotStarted(e, start.FileName);
            return null;
        }
        WorkerStarted(process.Id);
        try { await process.WaitForExitAsync(stop); }
        catch (OperationCanceledException)
        {
            Terminate(process.Id);
            using var patience = new CancellationTokenSource(Farewell);
            try { await process.WaitForExitAsync(patience.Token); }
            // Nothing is lost by this: the run goes on from its last checkpoint.
            catch (OperationCanceledException) { process.Kill(entireProcessTree: true); }
            throw;
        }
        return process.ExitCode;
    }

    private static void Terminate(int pid)
    {
        if (OperatingSystem.IsWindows()) return; // there is no polite signal for a console child; the patience runs out
        _ = Kill(pid, 15);
    }

    [System.Runtime.InteropServices.LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int pid, int signal);

    [LoggerMessage(Level = LogLevel.Information, Message = "The worker is process {Pid}.")]
    private partial void WorkerStarted(int pid);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The worker ended with {Exit}; it is started again in {Seconds:0} s. Its run goes on from the last checkpoint.")]
    private partial void WorkerEnded(int? exit, double seconds);

    [LoggerMessage(Level = LogLevel.Error, Message = "The worker could not be started as {Program}.")]
    private partial void WorkerNotStarted(Exception e, string program);
}
