using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using DomainSsl.Core.Database;
using DomainSsl.Core.Runs;
using DomainSsl.Core.Storage;
using DomainSsl.Core.Transcripts;
using Microsoft.EntityFrameworkCore;

namespace DomainSsl.Core.Language;

/// <summary>The kinds of language models; each has its own model in use.</summary>
public static class LanguageKinds
{
    /// <summary>Counts words and letters; helps transcription to choose between what sounds alike.</summary>
    public const string NGram = "ngram";
    /// <summary>A small network that reads forwards; for the same, with a longer memory.</summary>
    public const string Causal = "causal";
    /// <summary>A small network that reads on both sides of a word; points out words that do not fit.</summary>
    public const string Masked = "masked";

    /// <summary>All of them.</summary>
    public static IReadOnlyList<string> All { get; } = [NGram, Causal, Masked];

    /// <summary>As people call it.</summary>
    public static string Words(string kind) => kind switch { NGram => "n-gram", Causal => "causal network", Masked => "masked network", _ => kind };
}

/// <summary>What a person asks for.</summary>
/// <param name="Kind">One of <see cref="LanguageKinds"/>.</param>
/// <param name="Transcripts">Whether to learn from accepted transcripts.</param>
/// <param name="CollectionId">Of the recordings of this collection alone.</param>
/// <param name="Texts">Names of kept texts, see <see cref="LanguageTexts.Keep"/>.</param>
/// <param name="Name">The model's name, or null.</param>
/// <param name="Minutes">Minutes of training at most; without these and steps, as long as suits the text.</param>
/// <param name="Steps">Steps at most.</param>
/// <param name="Seed">Seed of every random stream.</param>
public sealed record LanguageAsk(string Kind, bool Transcripts, long? CollectionId, IReadOnlyList<string> Texts, string? Name = null, double? Minutes = null, int? Steps = null, long Seed = 1);

/// <summary>A stretch of text that a model may learn from.</summary>
/// <param name="Group">The pseudonym of who speaks, the recording, or the report: held-out text is cut between groups.</param>
/// <param name="Text">As written.</param>
public sealed record LanguagePassage(string Group, string Text);

/// <summary>How much accepted text there is to learn from.</summary>
/// <param name="Transcripts">Accepted transcripts, but of speakers who are kept for testing.</param>
/// <param name="Words">Their words.</param>
public sealed record AcceptedText(int Transcripts, long Words);

/// <summary>
/// The clinic's own text, from which language models learn: accepted transcripts of the library, and reports that somebody pasted or attached, which are kept as blobs. It stays in the data folder: nothing
/// of it stands in a run's title, a log or a sentence of refusal. What speakers said who are kept for testing transcribers is not read: transcribers are measured with the language models' help.
/// </summary>
public sealed partial class LanguageTexts(IDbContextFactory<DomainSslContext> factory, IBlobStore blobs)
{
    /// <summary>Longest text that is taken at once, bytes.</summary>
    public const int MostBytes = 32 << 20;

    private const string Report = "report ";

    [GeneratedRegex(@"(?:\r?\n[ \t]*){2,}")]
    private static partial Regex BlankLines();

    /// <summary>How much accepted text there is.</summary>
    /// <param name="collectionId">Of the recordings of this collection alone.</param>
    /// <param name="cancel">Gives up.</param>
    public async Task<AcceptedText> AcceptedAsync(long? collectionId = null, CancellationToken cancel = default)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        var test = await TestSpeakersAsync(db, cancel);
        var found = (await Accepted(db, collectionId).Select(t => new { t.RecordingId, t.Recording!.Speaker!.Pseudonym, t.Words }).ToListAsync(cancel)).Where(t => !test.Contains(TranscriberService.SpeakerOf(t.RecordingId, t.Pseudonym))).ToList();
        return new AcceptedText(found.Count, found.Sum(t => (long)t.Words));
    }

    /// <summary>Keeps a text until a run has learnt from it; while a run names it, it stays.</summary>
    /// <param name="bytes">A text file: UTF-8, or Western European as old programs write it.</param>
    /// <returns>Its name.</returns>
    /// <exception cref="RefusedException"><c>text-empty</c>, <c>text-too-long</c>, <c>no-text</c>.</exception>
    public string Keep(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > MostBytes) throw new RefusedException("text-too-long", $"The text is longer than the {MostBytes >> 20} MB that are taken at once; split it.");
        string text;
        try { text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(bytes); }
        catch (DecoderFallbackException) { text = Encoding.Latin1.GetString(bytes); }
        if (text.Any(c => char.IsControl(c) && c is not ('\r' or '\n' or '\t' or '\f'))) throw new RefusedException("no-text", "The file is no plain text; save it as a text file (.txt) and choose that.");
        if (!text.Any(char.IsLetter)) throw new RefusedException("text-empty", "There are no words in the text; paste reports, or choose another file.");
        var name = blobs.Put(Encoding.UTF8.GetBytes(text));
        blobs.Flush();
        return name;
    }

    /// <summary>Checks what is asked for, and makes a run's request and title of it.</summary>
    /// <exception cref="RefusedException">There is nothing to learn from, or a setting cannot be.</exception>
    public async Task<(LanguageRequest Request, string Title)> PrepareAsync(LanguageAsk ask, CancellationToken cancel = default)
    {
        if (!LanguageKinds.All.Contains(ask.Kind)) throw new RefusedException("unknown-kind", $"There is no kind '{ask.Kind}' of language model; choose {string.Join(", ", LanguageKinds.All)}.");
        if (ask.Minutes is not null and not (> 0 and <= 10080)) throw new RefusedException("minutes", "Give the minutes of training, above 0 and at most a week (10,080).");
        if (ask.Steps is <= 0) throw new RefusedException("steps", "Give the steps of training, above 0.");
        if (ask.Name?.Length > 60) throw new RefusedException("name-too-long", "The name is longer than 60 letters; give a shorter one.");
        if (!ask.Transcripts && ask.Texts.Count == 0) throw new RefusedException("nothing-to-learn", "There is nothing to learn from yet; paste reports, attach text files, or take the accepted transcripts.");
        var accepted = ask.Transcripts ? await AcceptedAsync(ask.CollectionId, cancel) : new AcceptedText(0, 0);
        if (accepted.Words == 0 && ask.Texts.Count == 0)
            throw new RefusedException("no-transcripts", $"No transcript{(ask.CollectionId is null ? "" : " of this collection")} has been accepted yet; accept some on their pages, or paste reports.");
        var from = string.Join(" and ", new[] { accepted.Transcripts > 0 ? "accepted transcripts" : null, ask.Texts.Count > 0 ? "reports" : null }.Where(f => f is not null));
        var title = $"Language model ({LanguageKinds.Words(ask.Kind)}) from {from}";
        var name = string.IsNullOrWhiteSpace(ask.Name) ? $"{LanguageKinds.Words(ask.Kind)} of our {from}" : ask.Name.Trim();
        return (new LanguageRequest(ask.Kind, ask.Transcripts, ask.CollectionId, ask.Texts, name, ask.Seed, ask.Minutes * 60, ask.Steps), title);
    }

    /// <summary>All text of a request: a passage a transcript's segment, and a passage a report (what blank lines part; of a text without any, each line).</summary>
    public async Task<IReadOnlyList<LanguagePassage>> GatherAsync(LanguageRequest request, CancellationToken cancel = default)
    {
        var passages = new List<LanguagePassage>();
        if (request.Transcripts)
        {
            await using var db = await factory.CreateDbContextAsync(cancel);
            var accepted = Accepted(db, request.CollectionId).Select(t => t.Id);
            var rows = await db.TranscriptRows.AsNoTracking().Where(r => r.To == null && accepted.Contains(r.TranscriptId)).OrderBy(r => r.TranscriptId).ThenBy(r => r.Position)
                .Select(r => new { r.Words, r.Transcript!.RecordingId, r.Transcript.Recording!.Speaker!.Pseudonym }).ToListAsync(cancel);
            var test = await TestSpeakersAsync(db, cancel);
            passages.AddRange(rows.Select(r => new LanguagePassage(TranscriberService.SpeakerOf(r.RecordingId, r.Pseudonym), string.Join(' ', TranscriptWords.Read(r.Words).Select(w => w.Text)))).Where(p => !test.Contains(p.Group)));
        }
        foreach (var name in request.Texts)
        {
            var text = Encoding.UTF8.GetString(blobs.Read(name));
            var reports = BlankLines().Split(text.Trim());
            foreach (var report in (reports.Length > 1 ? reports : text.Split('\n')).Where(r => !string.IsNullOrWhiteSpace(r)))
                passages.Add(new LanguagePassage($"{Report}{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(report)))[..16]}", report));
        }
        return passages;
    }

    /// <summary>Those of a request's passages' groups who speak in transcripts.</summary>
    public static IReadOnlyList<string> Speakers(IEnumerable<LanguagePassage> passages) => [.. passages.Select(p => p.Group).Where(g => !g.StartsWith(Report, StringComparison.Ordinal)).Distinct().Order(StringComparer.Ordinal)];

    private static async Task<IReadOnlySet<string>> TestSpeakersAsync(DomainSslContext db, CancellationToken cancel) =>
        TranscriberService.TestOf((await Accepted(db, null).Select(t => new { t.RecordingId, t.Recording!.Speaker!.Pseudonym }).ToListAsync(cancel)).Select(t => TranscriberService.SpeakerOf(t.RecordingId, t.Pseudonym)));

    private static IQueryable<RecordingTranscript> Accepted(DomainSslContext db, long? collectionId) => db.Transcripts.AsNoTracking().Where(t => t.State == TranscriptState.Accepted
        && (collectionId == null || db.CollectionItems.Any(c => c.CollectionId == collectionId && c.Item!.RecordingId == t.RecordingId)));
}
