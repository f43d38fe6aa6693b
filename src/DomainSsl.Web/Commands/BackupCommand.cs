using System.CommandLine;
using DomainSsl.Core.Audit;
using DomainSsl.Core.Storage;
using Spectre.Console;

namespace DomainSsl.Web.Commands;

/// <summary><c>backup FILE</c>: a consistent copy while running.</summary>
internal static class BackupCommand
{
    public static Command Create(CommandContext context)
    {
        var file = new Argument<string>("FILE") { Description = "The zip to write; must not be there yet." };
        return context.Runs(new Command("backup", "Writes a consistent copy of everything, keys included, while the site runs.") { file }, async run =>
        {
            var (folder, audit) = (await run.ServiceAsync<DataFolder>(), await run.ServiceAsync<AuditLog>());
            var result = await run.Output.ProgressAsync("Backing up", "MB", progress =>
                Backup.WriteAsync(folder, audit, run.Need(file), run.Who, new Relay(progress), run.Cancel));
            run.Output.Result(result, console => console.WriteLine($"{result.Files:#,0} files, {result.Bytes / 1e6:#,0.0} MB. It holds the keys: keep it as safe as the data folder."));
            return CommandLine.Done;
        });
    }

    private sealed class Relay(IProgress<CommandProgress> to) : IProgress<long>
    {
        public void Report(long bytes) => to.Report(new CommandProgress(bytes / 1e6, 0));
    }
}

/// <summary><c>restore FILE</c>: back into an empty folder.</summary>
internal static class RestoreCommand
{
    public static Command Create(CommandContext context)
    {
        var file = new Argument<string>("FILE") { Description = "A backup." };
        return context.Runs(new Command("restore", "Puts a backup into an empty data folder, every file verified.") { file }, async run =>
        {
            var result = await Backup.RestoreAsync(run.Need(file), run.DataPath, run.Who, run.Cancel);
            run.Output.Result(result, console => console.WriteLine($"{result.Files:#,0} files, {result.Bytes / 1e6:#,0.0} MB restored to {run.DataPath}."));
            return CommandLine.Done;
        });
    }
}
