using System.CommandLine;
using System.Globalization;
using System.Security.Cryptography;
using DomainSsl.Core;
using DomainSsl.Core.Audit;
using DomainSsl.Core.Library;
using DomainSsl.Core.Storage;
using DomainSsl.Core.Transcripts;
using Microsoft.EntityFrameworkCore;
using Spectre.Console;

namespace DomainSsl.Web.Commands;

/// <summary><c>transcripts list</c> · <c>import FILE --recording R</c> · <c>export [R] --format F --out FILE</c>.</summary>
internal static class TranscriptsCommand
{
    public static Command Create(CommandContext context) => new("transcripts", "Transcripts of recordings: lists them, brings one in, writes one or all out.") { List(context), Import(context), Export(context) };

    private static Command List(CommandContext context)
    {
        return context.Runs(new Command("list", "All transcripts: how far they are, and how long."), async run =>
        {
            var page = await (await run.ServiceAsync<TranscriptService>()).PageAsync(sort: TranscriptSort.State, take: int.MaxValue, cancel: run.Cancel);
            run.Output.Result(new { transcripts = page.Rows.Select(t => new { recording = t.RecordingId, t.Speaker, t.Seconds, state = t.State.ToString().ToLowerInvariant(), t.Version, t.Segments, t.Words, t.Doubtful, t.At, t.By }) }, console =>
            {
                var table = CommandOutput.Table("Recording", "Speaker", "Length", "State", "Version", "Segments", "Words", "To check");
                foreach (var t in page.Rows)
                    CommandOutput.Row(table, $"{t.RecordingId}", t.Speaker ?? "", TimeSpan.FromSeconds(Math.Round(t.Seconds)).ToString(null, CultureInfo.InvariantCulture), t.State.ToString().ToLowerInvariant(), $"{t.Version}", $"{t.Segments}", $"{t.Words}", $"{t.Doubtful}");
                console.Write(table);
            });
            return CommandLine.Done;
        });
    }

    private static Command Import(CommandContext context)
    {
        var file = new Argument<string>("FILE") { Description = "A transcript: TXT, SRT, WebVTT, JSON or TextGrid." };
        var recording = new Option<string>("--recording") { Description = "The recording it is of: its number, or the sound file as it was imported.", HelpName = "R", Required = true };
        return context.Runs(new Command("import", "Brings in a transcript made elsewhere, as a draft.") { file, recording }, async run =>
        {
            var path = run.Need(file);
            if (!File.Exists(path)) throw new RefusedException("not-found", $"There is no file {path}; check the path.");
            var transcript = TranscriptFormats.Read(await File.ReadAllBytesAsync(path, run.Cancel), out var format);
            var id = await FindAsync(run, run.Need(recording));
            var receipt = await (await run.ServiceAsync<TranscriptService>()).BringInAsync(id, transcript, TranscriptDeed.BroughtIn, TranscriptState.Draft, run.Who, TranscriptService.KeyOf(id, transcript), run.Cancel);
            run.Output.Result(new { recording = id, format = format.ToString().ToLowerInvariant(), receipt.Version, state = receipt.State.ToString().ToLowerInvariant(), receipt.Again },
                console => console.WriteLine(receipt.Again ? $"Recording {id} has this transcript already." : $"Recording {id} has a transcript of {transcript.Words.Count():#,0} words now, version {receipt.Version}."));
            return CommandLine.Done;
        });
    }

    private static Command Export(CommandContext context)
    {
        var recording = new Argument<string?>("R") { Description = "The recording: its number, or the sound file as it was imported. Left out: all of them, into a zip.", Arity = ArgumentArity.ZeroOrOne };
        var format = new Option<string>("--format") { Description = "txt, srt, vtt, json or textgrid.", DefaultValueFactory = _ => "txt" };
        var version = new Option<int?>("--version-number") { Description = "An earlier version of one recording's.", HelpName = "N" };
        var state = new Option<string?>("--state") { Description = "Of all of them, only those that are so far." };
        state.AcceptOnlyFromAmong("draft", "reviewing", "accepted");
        var to = new Option<string>("--out") { Description = "The file to write.", HelpName = "FILE", Required = true };
        return context.Runs(new Command("export", "Writes a transcript to a file, or all of them to a zip.") { recording, format, version, state, to }, async run =>
        {
            var kind = TranscriptFormats.Named(run.Need(format)) ?? throw new RefusedException("format-unknown", $"There is no format {run.Get(format)}; choose txt, srt, vtt, json or textgrid.");
            if (run.Get(recording) is not { } named)
            {
                // A name that a script left empty would otherwise take everybody's along.
                if (!run.Need(to).EndsWith(".zip", StringComparison.OrdinalIgnoreCase)) throw new UsageException("Without a recording all transcripts go into a zip; give --out a name that ends in .zip, or name the recording.");
                if (run.Get(version) is not null) throw new UsageException("--version-number is of one recording; name it.");
                var count = 0;
                var bundle = await run.ServiceAsync<TranscriptBundle>();
                await WholeFile.WriteAsync(run.Need(to), async stream => count = await bundle.WriteAsync(stream, TranscriptFilter.Of(run.Get(state), null, null), kind, run.Who, run.Cancel));
                run.Output.Result(new { transcripts = count, format = kind.ToString().ToLowerInvariant(), bytes = new FileInfo(run.Need(to)).Length }, console => console.WriteLine($"{count:#,0} transcripts are in {run.Get(to)}."));
                return CommandLine.Done;
            }
            if (run.Get(state) is not null) throw new UsageException("--state chooses among all transcripts; leave the recording out.");
            var id = await FindAsync(run, named);
            var stored = await (await run.ServiceAsync<TranscriptService>()).LoadAsync(id, run.Get(version), run.Cancel) ?? throw TranscriptService.NoTranscript();
            var bytes = TranscriptFormats.Write(stored.Transcript, kind);
            await File.WriteAllBytesAsync(run.Need(to), bytes, run.Cancel);
            await (await run.ServiceAsync<AuditLog>()).RecordAsync(run.Who, "exported", $"transcript of recording {id}", $"version {stored.Version} as {kind}", run.Cancel);
            run.Output.Result(new { recording = id, stored.Version, format = kind.ToString().ToLowerInvariant(), bytes = bytes.Length }, console => console.WriteLine($"Version {stored.Version} of recording {id} is in {run.Get(to)}."));
            return CommandLine.Done;
        });
    }

    /// <summary>A recording by its number, or by the bytes of its file.</summary>
    private static async Task<long> FindAsync(CommandRun run, string named)
    {
        await using var db = await RunCommands.DatabaseAsync(run);
        if (!File.Exists(named))
        {
            if (long.TryParse(named, NumberStyles.None, CultureInfo.InvariantCulture, out long id) && await db.Recordings.AnyAsync(r => r.Id == id, run.Cancel)) return id;
            throw new RefusedException("no-recording", $"There is no recording {named} and no file of that name; 'transcripts list' and the library show the numbers.");
        }
        await using var stream = File.OpenRead(named);
        var hash = Convert.ToHexStringLower(await SHA256.HashDataAsync(stream, run.Cancel));
        return await db.Recordings.Where(r => r.SourceHash == hash).Select(r => (long?)r.Id).SingleOrDefaultAsync(run.Cancel)
            ?? await db.SourceAliases.Where(a => a.SourceHash == hash).Select(a => a.RecordingId).SingleOrDefaultAsync(run.Cancel)
            ?? throw new RefusedException("no-recording", $"{Path.GetFileName(named)} is not in the library; import it first.");
    }
}
