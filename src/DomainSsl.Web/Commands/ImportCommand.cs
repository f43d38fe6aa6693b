using System.CommandLine;
using DomainSsl.Core.Importing;
using Spectre.Console;

namespace DomainSsl.Web.Commands;

/// <summary><c>import PATH… [--collection NAME]</c>.</summary>
internal static class ImportCommand
{
    public static Command Create(CommandContext context)
    {
        var paths = new Argument<string[]>("PATH") { Description = "Files, folders, zips, DICOMDIRs, and CSVs with a column 'file'.", Arity = ArgumentArity.OneOrMore };
        var collection = new Option<string?>("--collection") { Description = "Put all of it into this collection, made if it is not there.", HelpName = "NAME" };
        var keep = new Option<bool>("--keep-originals") { Description = "Keep the untouched originals, names and all, beside the de-identified copies." };
        var command = new Command("import", "Brings scans and recordings into the library, de-identified.") { paths, collection, keep };
        return context.Runs(command, async run =>
        {
            var import = await run.ServiceAsync<LibraryImport>();
            var request = new ImportRequest(run.Who, run.Get(collection), run.Get(keep) ? true : null);
            var summary = await run.Output.ProgressAsync("Importing", "files", progress => import.ImportAsync(run.Need(paths), request, new Relay(progress), run.Cancel));
            run.Output.Result(
                new { summary.Imported, summary.Duplicates, summary.Named, Refused = summary.Refused.Select(r => new { r.File, r.Code, r.Reason }), Collection = request.CollectionName },
                console =>
                {
                    console.MarkupLineInterpolated($"[bold]{summary.Imported:#,0}[/] imported, {summary.Duplicates:#,0} there already{(summary.Named > 0 ? $" (of {summary.Named:#,0} it is known now whose they are)" : "")}, {summary.Refused.Count:#,0} refused.");
                    if (summary.Refused.Count == 0) return;
                    var table = CommandOutput.Table("File", "Why it was refused");
                    foreach (var file in summary.Refused.Take(50)) CommandOutput.Row(table, file.File, file.Reason);
                    console.Write(table);
                    if (summary.Refused.Count > 50) console.WriteLine($"… and {summary.Refused.Count - 50:#,0} more; all stand in quarantine.");
                });
            return summary.Refused.Count > 0 ? CommandLine.SomeRefused : CommandLine.Done;
        });
    }

    private sealed class Relay(IProgress<CommandProgress> to) : IProgress<ImportProgress>
    {
        public void Report(ImportProgress p) => to.Report(new CommandProgress(p.Done, p.Total, p.Refused > 0 ? $"{p.Refused:#,0} refused" : ""));
    }
}
