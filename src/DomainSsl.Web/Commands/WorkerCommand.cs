using System.CommandLine;
using DomainSsl.Core;
using DomainSsl.Core.Runs;
using DomainSsl.Core.Storage;
using DomainSsl.Worker;
using Spectre.Console;

namespace DomainSsl.Web.Commands;

/// <summary><c>worker [--once]</c>: carries out runs. One worker serves a folder; a run whose process died is taken up from its last checkpoint.</summary>
internal static class WorkerCommand
{
    // A predecessor that was killed has its lock taken back by the system within moments.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    public static Command Create(CommandContext context)
    {
        var once = new Option<bool>("--once") { Description = "Stop when no run is waiting." };
        var parent = new Option<string?>("--parent") { Description = "The site that started it: when that has ended, the worker ends after its run.", Hidden = true };
        var command = new Command("worker", "Carries out the runs that are waiting, until stopped.") { once, parent };
        return context.Runs(command, async run =>
        {
            Settings.Check(run.Configuration);
            var services = await RunCommands.ServicesAsync(run);
            var folder = services.GetRequiredService<DataFolder>();
            using var only = InstanceLock.TryTake(InstanceLock.Worker(folder), Patience)
                ?? throw new RefusedException("worker-running", $"A worker serves {folder.Root} already; it takes the runs that wait. Stop it first if this one shall take its place.");
            run.Output.Note($"Working on {folder.Root}.");
            var starter = run.Get(parent);
            var ended = await services.GetRequiredService<RunLoop>().RunAsync(run.Get(once), () => !ProcessIdentity.IsGone(starter), run.Cancel);
            run.Output.Result(new { Runs = ended.Select(r => new { r.Id, r.Kind, r.State, r.Title }) },
                console => console.WriteLine(ended.Count == 0 ? "No run was carried out." : string.Join('\n', ended.Select(r => $"{r.Id}  {r.State}  {r.Title}"))));
            return CommandLine.Done;
        });
    }
}
