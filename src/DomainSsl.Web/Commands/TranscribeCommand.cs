using System.CommandLine;
using System.Text.Json;
using DomainSsl.Core;
using DomainSsl.Core.Importing;
using DomainSsl.Core.Language;
using DomainSsl.Core.Library;
using DomainSsl.Core.Models;
using DomainSsl.Core.Runs;
using DomainSsl.Core.Storage;
using DomainSsl.Core.Transcripts;
using DomainSsl.Worker;
using Spectre.Console;

namespace DomainSsl.Web.Commands;

/// <summary><c>transcribe MODEL PATH… [--format txt|srt|vtt|json|textgrid] [--out DIR]</c>: what is said in recordings, which are imported first where they are not.</summary>
internal static class TranscribeCommand
{
    public static Command Create(CommandContext context)
    {
        var model = new Argument<string>("MODEL") { Description = "A transcriber, by id or name." };
        var paths = new Argument<string[]>("PATH") { Description = "Recordings, folders of them, or CSVs with a column file; imported first where they are not.", Arity = ArgumentArity.OneOrMore };
        var format = new Option<string>("--format") { Description = "txt, srt, vtt, json or textgrid.", DefaultValueFactory = _ => "txt" };
        var output = new Option<string?>("--out") { Description = "A folder for the transcripts, a file for each recording.", HelpName = "DIR" };
        var language = SpeechSettings.Language();
        var here = RunCommands.Here();
        return context.Runs(new Command("transcribe", "Writes down what is said in recordings.") { model, paths, format, output, language, here }, async run =>
        {
            var kind = TranscriptFormats.Named(run.Need(format)) ?? throw new UsageException($"There is no format {run.Get(format)}; choose txt, srt, vtt, json or textgrid.");
            var services = await RunCommands.ServicesAsync(run);
            var transcriber = await RunCommands.ModelAsync(run, run.Need(model));
            var given = run.Need(paths).SelectMany(PredictCommand.Files).Distinct().ToList();
            var (found, refused) = await LabelTables.FindAsync(run, given, kind: ItemKind.Sound);
            var items = found.Values.SelectMany(f => f).Select(f => f.Item).Distinct().Order().ToList();
            if (items.Count == 0) throw new RefusedException("no-sounds", refused.Count > 0 ? $"None of the files could be used: {refused[0].Reason}" : "There are no recordings there; check the path.");
            var fit = await services.GetRequiredService<ModelRegistry>().LanguageInUseAsync(LanguageKinds.Masked, run.Cancel);
            var named = await SpeechSettings.LanguageAsync(run, run.Get(language));
            var listened = await services.GetRequiredService<ClinicGlossary>().HeardAsync(named?.NGramId, named?.CausalId, run.Cancel);
            var ended = await RunCommands.CarryOutAsync(run, new TranscribeRequest(transcriber.Id, items, listened, fit?.Id), $"Transcribing with {transcriber.Name}", run.Get(here));
            var result = JsonSerializer.Deserialize<TranscribeRun.Result>(ended.Summary!, RunContext.Json)!;

            var folder = services.GetRequiredService<DataFolder>().Run(ended.Id);
            var written = new List<(string File, long Item, Transcript Transcript)>();
            foreach (var path in given.Where(found.ContainsKey))
                foreach (var item in found[path].Where(i => result.Unread?.Contains(i.Item) != true)) written.Add((path, item.Item, await TranscribeRun.ReadAsync(folder, item.Item, run.Cancel)));
            refused = [.. refused, .. given.Where(p => found.TryGetValue(p, out var of) && of.Any(i => result.Unread?.Contains(i.Item) == true))
                .Select(p => new RefusedFile(p, "item-unreadable", "What is stored of it can no longer be read; restore a backup, or do without it."))];
            if (run.Get(output) is { } to) await WriteAsync(to, written.Select(w => (w.File, w.Transcript)), kind, run.Cancel);
            run.Output.Result(new
            {
                Transcripts = written.Select(w => new { w.File, w.Item, w.Transcript.Text, Words = w.Transcript.Words.Select(v => new { Word = v.Text, v.Start, v.End, v.Confidence }) }), result.Kept, Refused = refused, Run = ended.Id,
            }, console =>
            {
                foreach (var w in written)
                {
                    if (written.Count > 1) console.WriteLine($"{w.File}:");
                    console.WriteLine(run.Get(output) is null ? System.Text.Encoding.UTF8.GetString(TranscriptFormats.Write(w.Transcript, kind)).TrimEnd() : w.Transcript.Text);
                }
                if (result.Kept.Count > 0) console.WriteLine($"Of {result.Kept.Count:#,0} recordings a person has worked on the transcript; there it stays as it is.");
            });
            return refused.Count > 0 ? CommandLine.SomeRefused : CommandLine.Done;
        });
    }

    // Named like the recordings; of two with one name the second gets a number.
    private static async Task WriteAsync(string folder, IEnumerable<(string File, Transcript Transcript)> transcripts, TranscriptFormat format, CancellationToken cancel)
    {
        Directory.CreateDirectory(folder);
        var taken = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (var (file, transcript) in transcripts)
        {
            var name = Path.GetFileNameWithoutExtension(file);
            for (var i = 2; !taken.Add(name); i++) name = $"{Path.GetFileNameWithoutExtension(file)} {i}";
            await File.WriteAllBytesAsync(Path.Combine(folder, name + TranscriptFormats.Extension(format)), TranscriptFormats.Write(transcript, format), cancel);
        }
    }
}
