using System.CommandLine;
using System.Globalization;
using System.Text;
using DomainSsl.Core;
using DomainSsl.Core.Collections;
using DomainSsl.Core.Importing;
using DomainSsl.Core.Runs;
using DomainSsl.Core.Storage;
using DomainSsl.Worker;
using Spectre.Console;

namespace DomainSsl.Web.Commands;

/// <summary><c>predict MODEL PATH…|--collection C [--out CSV]</c>.</summary>
internal static class PredictCommand
{
    public static Command Create(CommandContext context)
    {
        var model = new Argument<string>("MODEL") { Description = "A classifier, by id or name." };
        var paths = new Argument<string[]>("PATH") { Description = "Scans or recordings, folders of them, or CSVs with a column file; imported first where they are not.", Arity = ArgumentArity.ZeroOrMore };
        var collection = new Option<string?>("--collection") { Description = "All images or recordings of a collection.", HelpName = "C" };
        var review = new Option<bool>("--for-review") { Description = "Put the answers into the review queue of the model's task." };
        var output = new Option<string?>("--out") { Description = "A CSV for the answers.", HelpName = "CSV" };
        var here = RunCommands.Here();
        var command = new Command("predict", "Lets a classifier answer for scans or recordings.") { model, paths, collection, review, output, here };
        return context.Runs(command, async run =>
        {
            var given = run.Get(paths) ?? [];
            if (given.Length == 0 == (run.Get(collection) is null)) throw new UsageException("Name files or a collection, and not both.");
            var services = await RunCommands.ServicesAsync(run);
            var answering = await RunCommands.ModelAsync(run, run.Need(model));
            IReadOnlyList<RefusedFile> refused = [];
            var files = new Dictionary<long, string>();
            PredictRequest request;
            if (run.Get(collection) is { } name)
                request = new PredictRequest(answering.Id, (await services.GetRequiredService<CollectionService>().FindAsync(name, run.Cancel)).Id, null, run.Get(review));
            else
            {
                (var found, refused) = await LabelTables.FindAsync(run, [.. given.SelectMany(Files)], kind: null);
                foreach (var item in found.Values.SelectMany(f => f)) files[item.Item] = item.File;
                if (files.Count == 0) throw new Core.RefusedException("no-images", refused.Count > 0 ? $"None of the files could be used: {refused[0].Reason}" : "There are no files there; check the path.");
                request = new PredictRequest(answering.Id, null, [.. files.Keys], run.Get(review));
            }
            var ended = await RunCommands.CarryOutAsync(run, request, $"Predicting with {answering.Name}", run.Get(here), request.ForReview ? answering.TaskId : null);
            var answers = await PredictRun.ReadAsync(services.GetRequiredService<DataFolder>().Run(ended.Id), run.Cancel);
            refused = [.. refused, .. files.ExceptBy(answers.Select(a => a.Item), f => f.Key).Select(f => f.Value).Distinct().Select(f => new RefusedFile(f, "item-unreadable", "Its stored image can no longer be read; restore a backup."))];
            var predictions = answers.Select(a => new { File = files.GetValueOrDefault(a.Item), a.Item, a.Label, a.Probabilities, a.Uncertainty }).ToList();
            if (run.Get(output) is { } to)
            {
                var csv = new StringBuilder($"file,item,label,{string.Join(',', answers[0].Probabilities.Keys.Select(CsvTable.Quoted))},uncertainty\n");
                foreach (var p in predictions)
                    csv.Append(CultureInfo.InvariantCulture, $"{CsvTable.Quoted(p.File ?? "")},{p.Item},{CsvTable.Quoted(p.Label)},{string.Join(',', p.Probabilities.Values.Select(v => v.ToString("0.######", CultureInfo.InvariantCulture)))},{p.Uncertainty:0.######}\n");
                await File.WriteAllTextAsync(to, csv.ToString(), run.Cancel);
            }
            run.Output.Result(new { Predictions = predictions, Refused = refused, Run = ended.Id }, console =>
            {
                var table = CommandOutput.Table("File or item", "Answer", "Probability", "Uncertainty");
                foreach (var p in predictions.Take(50)) CommandOutput.Row(table, p.File ?? $"item {p.Item}", p.Label, $"{p.Probabilities[p.Label]:0%}", $"{p.Uncertainty:0.00}");
                console.Write(table);
                if (predictions.Count > 50) console.WriteLine($"… and {predictions.Count - 50:#,0} more; --out writes all.");
            });
            return refused.Count > 0 ? CommandLine.SomeRefused : CommandLine.Done;
        });
    }

    /// <summary>The full paths of the files that a path stands for.</summary>
    public static IEnumerable<string> Files(string path)
    {
        var full = Path.GetFullPath(path);
        if (Directory.Exists(full)) return SourceFolder.Files(full);
        if (full.EndsWith(".zip", StringComparison.OrdinalIgnoreCase)) throw new RefusedException("zip", $"{Path.GetFileName(full)} is a zip, which only import takes: unpack it and name the folder.");
        if (!full.EndsWith(".csv", StringComparison.OrdinalIgnoreCase) || !File.Exists(full)) return [full];
        var table = CsvTable.Read(full);
        return table.Has("file") ? table.Rows.Select(r => Path.GetFullPath(table.Value(r, "file"), Path.GetDirectoryName(full)!)) : [full];
    }
}
