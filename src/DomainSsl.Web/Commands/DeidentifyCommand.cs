using System.CommandLine;
using DomainSsl.Core.Importing;
using Spectre.Console;

namespace DomainSsl.Web.Commands;

/// <summary><c>deidentify PATH… --out DIR</c>: the de-identified copy of each file, nothing imported. The pseudonyms are those that an import would give.</summary>
internal static class DeidentifyCommand
{
    public static Command Create(CommandContext context)
    {
        var paths = new Argument<string[]>("PATH") { Description = "Files or folders.", Arity = ArgumentArity.OneOrMore };
        var to = new Option<string>("--out") { Description = "The folder for the copies.", HelpName = "DIR", Required = true };
        return context.Runs(new Command("deidentify", "Writes the de-identified copy of each file under a name that says nothing.") { paths, to }, async run =>
        {
            var files = InspectCommand.FilesOf(run.Need(paths));
            var copies = await run.ServiceAsync<DeidentifiedCopies>();
            var result = await run.Output.ProgressAsync("De-identifying", "files", progress => copies.WriteAsync(files, run.Need(to), run.Who,
                new Relay(progress, files.Count), run.Cancel));
            run.Output.Result(new { Written = result.Written.Select(w => new { w.File, w.To }), Refused = result.Refused.Select(r => new { r.File, r.Code, r.Reason }) }, console =>
            {
                console.WriteLine($"{result.Written.Count:#,0} written to {run.Need(to)}, {result.Refused.Count:#,0} refused.");
                if (result.Refused.Count == 0) return;
                var table = CommandOutput.Table("File", "Why it was refused");
                foreach (var file in result.Refused) CommandOutput.Row(table, file.File, file.Reason);
                console.Write(table);
            });
            return result.Refused.Count > 0 ? CommandLine.SomeRefused : CommandLine.Done;
        });
    }

    private sealed class Relay(IProgress<CommandProgress> to, int total) : IProgress<int>
    {
        public void Report(int done) => to.Report(new CommandProgress(done, total));
    }
}
