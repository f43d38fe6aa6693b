using System.CommandLine;
using System.Globalization;
using DomainSsl.Core.Importing;
using Spectre.Console;

namespace DomainSsl.Web.Commands;

/// <summary><c>inspect PATH…</c>: what a file is. Needs no data folder and changes nothing.</summary>
internal static class InspectCommand
{
    public static Command Create(CommandContext context)
    {
        var paths = new Argument<string[]>("PATH") { Description = "Files or folders.", Arity = ArgumentArity.OneOrMore };
        return context.Runs(new Command("inspect", "What a file is: every attribute of a scan, form and level of a sound.") { paths }, async run =>
        {
            var files = FilesOf(run.Need(paths));
            var attributes = files.Count == 1 && !run.Output.Json ? new List<(string Tag, string Name, string Value)>() : null;
            var found = new FileInspection[files.Count];
            await run.Output.ProgressAsync("Inspecting", "files", async progress =>
            {
                int done = 0;
                await Parallel.ForAsync(0, files.Count, new ParallelOptions { CancellationToken = run.Cancel, MaxDegreeOfParallelism = Environment.ProcessorCount }, (i, _) =>
                {
                    found[i] = FileInspection.Of(files[i], attributes);
                    progress.Report(new CommandProgress(Interlocked.Increment(ref done), files.Count));
                    return ValueTask.CompletedTask;
                });
                return found;
            });
            run.Output.Result(new { Files = found }, console =>
            {
                if (attributes is { Count: > 0 })
                {
                    var all = CommandOutput.Table("Tag", "Name", "Value");
                    foreach (var (tag, name, value) in attributes) CommandOutput.Row(all, tag, name, value);
                    console.Write(all);
                }
                var table = CommandOutput.Table("File", "Kind", "What");
                foreach (var f in found) CommandOutput.Row(table, f.File, f.Kind, Describe(f));
                console.Write(table);
            });
            return found.Any(f => f.Error is not null) ? CommandLine.SomeRefused : CommandLine.Done;
        });
    }

    /// <summary>Files as they are, folders with all in them, sorted.</summary>
    /// <exception cref="Core.RefusedException">A path is not there.</exception>
    public static List<string> FilesOf(IEnumerable<string> paths)
    {
        var files = new List<string>();
        foreach (var path in paths)
        {
            if (File.Exists(path)) files.Add(path);
            else if (Directory.Exists(path)) files.AddRange(SourceFolder.Files(path));
            else throw new Core.RefusedException("not-found", $"There is no file or folder {path}; check the path.");
        }
        return files;
    }

    private static string Describe(FileInspection f) => f switch
    {
        { Error: { } error } => error,
        { Kind: "sound" } => string.Create(CultureInfo.InvariantCulture, $"{f.Codec}, {f.SampleRate:#,0} Hz, {f.Channels} channels, {f.Seconds:0.0} s"),
        { Rows: null } => $"{f.Modality} without an image, {f.Elements} elements",
        _ => $"{f.Modality} {f.Columns} × {f.Rows}{(f.Frames > 1 ? $" × {f.Frames}" : "")}, {f.BitsStored} bits, {f.Photometric}, {f.Elements} elements{(f.PixelError is { } e ? "; " + e : "")}",
    };
}
