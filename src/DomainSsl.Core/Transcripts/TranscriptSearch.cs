using DomainSsl.Core.Database;
using Microsoft.EntityFrameworkCore;

namespace DomainSsl.Core.Transcripts;

/// <summary>A passage in which something was found.</summary>
/// <param name="RecordingId">Its recording.</param>
/// <param name="Owner">Pseudonym of who speaks in it, where the import said so.</param>
/// <param name="State">How far its transcript is.</param>
/// <param name="Uid">Its name.</param>
/// <param name="Segment">What is said.</param>
/// <param name="Places">Which words of it were found.</param>
public sealed record FoundPassage(long RecordingId, string? Owner, TranscriptState State, string Uid, TranscriptSegment Segment, IReadOnlyList<TranscriptPlace> Places)
{
    /// <summary>Where it is to be heard, seconds: the words found and a little round them, or the passage where their times are not known.</summary>
    public (double From, double To)? Heard
    {
        get
        {
            var (first, last) = (Segment.Words[Places[0].Word], Segment.Words[Places[0].Word + Places[0].Count - 1]);
            if (first.Start is { } start && last.End is { } end) return (Math.Max(0, start - 0.4), end + 0.4);
            return Segment.Start is { } from && Segment.End is { } to ? (from, to) : null;
        }
    }
}

/// <summary>What was found over all recordings.</summary>
/// <param name="Passages">The first of them, by recording and time.</param>
/// <param name="Total">How many there are.</param>
/// <param name="Times">How often it stands in them.</param>
/// <param name="Recordings">In how many recordings.</param>
public sealed record FoundPassages(IReadOnlyList<FoundPassage> Passages, int Total, int Times, int Recordings);

/// <summary>A word that is to be checked in transcripts that nobody stands for yet; case and punctuation aside.</summary>
/// <param name="Text">As it is written most often.</param>
/// <param name="Times">How often it is to be checked.</param>
/// <param name="Recordings">In how many recordings.</param>
/// <param name="Unsure">How often because the transcriber did not trust its ears.</param>
/// <param name="Unlikely">How often because it does not fit between the words round it.</param>
/// <param name="Examples">Passages in which it is to be checked, the least sure first, of as many recordings as possible.</param>
public sealed record DoubtfulWord(string Text, int Times, int Recordings, int Unsure, int Unlikely, IReadOnlyList<FoundPassage> Examples);

/// <summary>One text in the place of another.</summary>
/// <param name="What">What goes.</param>
/// <param name="With">What comes.</param>
/// <param name="MatchCase">Whether capitals matter in it, whatever they do elsewhere.</param>
public sealed record Replacement(string What, string With, bool MatchCase = false)
{
    internal FindOptions In(FindOptions options) => MatchCase ? options with { MatchCase = true } : options;
}

/// <summary>What came of a change of many transcripts.</summary>
/// <param name="Key">Its name, by which it can be taken back.</param>
/// <param name="Recordings">Transcripts that have a new version.</param>
/// <param name="Passages">Their passages that have changed.</param>
public sealed record BulkReceipt(string Key, int Recordings, int Passages);

/// <summary>A change of many transcripts that was made lately.</summary>
/// <param name="Key">Its name.</param>
/// <param name="By">Who.</param>
/// <param name="At">When (UTC).</param>
/// <param name="Recordings">Transcripts that it changed.</param>
/// <param name="Passages">Their passages that changed.</param>
/// <param name="Standing">Of these transcripts, those that have not changed since: there it can be taken back.</param>
/// <param name="Was">The words of one of its places before, for an example; empty where words came to be that had not been there.</param>
/// <param name="Became">And after; the same where words were found right.</param>
public sealed record BulkChange(string Key, string By, DateTime At, int Recordings, int Passages, int Standing, string Was, string Became);

/// <summary>
/// Words over all recordings: finding and replacing them, and those that are to be checked, the same ones together. A change of many transcripts is a version in the history of each, and can be taken back wherever nobody has
/// worked on since.
/// </summary>
public sealed class TranscriptSearch(IDbContextFactory<DomainSslContext> factory, TranscriptService transcripts)
{
    private const int MostExamples = 3, MostLately = 10;
    private const string Prefix = "bulk:";

    /// <summary>Where a text of one or more words stands; not across passages.</summary>
    /// <param name="what">The text.</param>
    /// <param name="options">How it is looked for.</param>
    /// <param name="most">How many passages are wanted.</param>
    /// <param name="cancel">Gives up.</param>
    public async Task<FoundPassages> FindAsync(string what, FindOptions options, int most = 200, CancellationToken cancel = default)
    {
        var (found, total, times, recordings) = (new List<FoundPassage>(), 0, 0, new HashSet<long>());
        await foreach (var passage in PassagesAsync(what, null, segment => TranscriptEdits.Find(segment, what, options), cancel))
        {
            (total, times) = (total + 1, times + passage.Places.Count);
            recordings.Add(passage.RecordingId);
            if (found.Count < most) found.Add(passage);
        }
        return new FoundPassages(found, total, times, recordings.Count);
    }

    /// <summary>Replaces texts wherever they stand, in one go for each transcript.</summary>
    /// <param name="replacements">One after another.</param>
    /// <param name="options">How they are looked for.</param>
    /// <param name="without">Names of passages that are left as they are.</param>
    /// <param name="by">Who.</param>
    /// <param name="cancel">Stops between two transcripts.</param>
    /// <exception cref="RefusedException"><c>nothing-to-replace</c>.</exception>
    public async Task<BulkReceipt> ReplaceAsync(IReadOnlyList<Replacement> replacements, FindOptions options, IReadOnlySet<string> without, string by, CancellationToken cancel = default)
    {
        var meant = replacements.Where(r => r.What.Any(char.IsLetterOrDigit)).ToList();
        if (meant.Count == 0) throw new RefusedException("nothing-to-replace", "Say which words are to be replaced.");
        foreach (var replacement in meant) CheckWords(replacement.With);
        var recordings = new HashSet<long>();
        foreach (var replacement in meant)
            await foreach (var passage in PassagesAsync(replacement.What, null, segment => TranscriptEdits.Find(segment, replacement.What, replacement.In(options)), cancel)) recordings.Add(passage.RecordingId);
        return await RewriteAsync(recordings, named =>
        {
            if (without.Contains(named.Uid)) return null;
            var transcript = new Transcript([named.Segment]);
            var changed = meant.Aggregate(transcript, (t, r) => TranscriptEdits.Replace(t, r.What, r.With, r.In(options)).Transcript);
            return changed.Segments[0].Words.SequenceEqual(named.Segment.Words) ? null : changed.Segments[0];
        }, by, cancel);
    }

    /// <summary>Words that are to be checked in transcripts that nobody stands for yet, the most frequent first.</summary>
    public async Task<IReadOnlyList<DoubtfulWord>> DoubtfulAsync(int most = 100, CancellationToken cancel = default)
    {
        var words = new Dictionary<string, Doubts>(StringComparer.Ordinal);
        await foreach (var passage in PassagesAsync(null, TranscriptState.Accepted, segment => [.. Enumerable.Range(0, segment.Words.Count).Where(w => Doubtful(segment.Words[w])).Select(w => new TranscriptPlace(0, w, 1))], cancel))
        {
            foreach (var place in passage.Places)
            {
                var key = TranscriptAlignment.Key(passage.Segment.Words[place.Word].Text);
                if (!words.TryGetValue(key, out var doubts)) words[key] = doubts = new Doubts();
                doubts.Add(passage with { Places = [place] });
            }
        }
        return [.. words.Values.OrderByDescending(d => d.Times).ThenBy(d => d.Text, StringComparer.Ordinal).Take(most).Select(d => d.Word)];
    }

    /// <summary>A person says that a word is right wherever it is to be checked; an accepted transcript has none of these.</summary>
    public Task<BulkReceipt> ConfirmAsync(string word, string by, CancellationToken cancel = default) => SettleAsync(word, w => [w with { Confidence = null, Fit = null }], by, cancel);

    /// <summary>Replaces a word wherever it is to be checked, as <see cref="DoubtfulAsync"/> counts it: where the transcriber is sure of it, or a person stands for it, it stays. Punctuation round it stays too.</summary>
    /// <exception cref="RefusedException"><c>nothing-to-replace</c>, <c>word-too-long</c>.</exception>
    public Task<BulkReceipt> ReplaceDoubtfulAsync(string word, string with, string by, CancellationToken cancel = default)
    {
        if (!with.Any(char.IsLetterOrDigit)) throw new RefusedException("nothing-to-replace", "Say what the word should be.");
        CheckWords(with);
        return SettleAsync(word, w => TranscriptEdits.Replaced(w, with), by, cancel);
    }

    // What comes of a word wherever it is to be checked.
    private async Task<BulkReceipt> SettleAsync(string word, Func<TranscriptWord, IEnumerable<TranscriptWord>> settled, string by, CancellationToken cancel)
    {
        var key = TranscriptAlignment.Key(word);
        bool Meant(TranscriptWord w) => Doubtful(w) && TranscriptAlignment.Key(w.Text) == key;
        var recordings = new HashSet<long>();
        await foreach (var passage in PassagesAsync(null, TranscriptState.Accepted, segment => [.. Enumerable.Range(0, segment.Words.Count).Where(w => Meant(segment.Words[w])).Select(w => new TranscriptPlace(0, w, 1))], cancel))
            recordings.Add(passage.RecordingId);
        return await RewriteAsync(recordings, named => !named.Segment.Words.Any(Meant) ? null
            : named.Segment with { Words = [.. named.Segment.Words.SelectMany(w => Meant(w) ? settled(w) : [w])] }, by, cancel, butNot: TranscriptState.Accepted);
    }

    private static void CheckWords(string with)
    {
        if (Transcript.Split(with).Any(w => w.Length > TranscriptWords.LongestWord)) throw new RefusedException("word-too-long", $"A word of more than {TranscriptWords.LongestWord} letters is not taken.");
    }

    /// <summary>Changes of many transcripts, the newest first.</summary>
    public async Task<IReadOnlyList<BulkChange>> LatelyAsync(CancellationToken cancel = default)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        var versions = await db.TranscriptVersions.AsNoTracking().Where(v => v.Deed == TranscriptDeed.Replaced).OrderByDescending(v => v.Id).Take(20_000)
            .Select(v => new { v.ClientKey, v.By, v.At, v.Changed, Standing = v.Transcript!.Version == v.Number, v.TranscriptId, v.Number }).ToListAsync(cancel);
        var changes = new List<BulkChange>();
        foreach (var g in versions.GroupBy(v => v.ClientKey.Split(':')[1]).Take(MostLately))
        {
            var one = g.First();
            var rows = await db.TranscriptRows.AsNoTracking().Where(r => r.TranscriptId == one.TranscriptId && (r.From == one.Number || r.To == one.Number)).OrderBy(r => r.Position).ToListAsync(cancel);
            var (was, became) = rows.Find(r => r.To == one.Number) is { } before && rows.Find(r => r.From == one.Number && r.Position == before.Position) is { } after
                ? Difference(TranscriptWords.Read(before.Words), TranscriptWords.Read(after.Words)) : ("", "");
            changes.Add(new BulkChange(g.Key, one.By, one.At, g.Count(), g.Sum(v => v.Changed), g.Count(v => v.Standing), was, became));
        }
        return changes;
    }

    // The words in which two passages differ first, up to the next that both have.
    private static (string Was, string Became) Difference(IReadOnlyList<TranscriptWord> before, IReadOnlyList<TranscriptWord> after)
    {
        var pairs = TranscriptAlignment.Pairs([.. before.Select(w => w.Text)], [.. after.Select(w => w.Text)]);
        var from = 0;
        bool Same(int i) => pairs[i] >= 0 && before[i].Text == after[pairs[i]].Text;
        while (from < pairs.Length && pairs[from] == from && Same(from)) from++;
        var to = from;
        while (to < pairs.Length && !Same(to)) to++;
        var (was, became) = (before.Take(from..to), after.Take(from..(to < pairs.Length ? pairs[to] : after.Count)));
        if (from == before.Count && from == after.Count && before.Zip(after).FirstOrDefault(w => w.First != w.Second).First is { } settled) was = became = [settled];
        return (string.Join(' ', was.Select(w => w.Text)), string.Join(' ', became.Select(w => w.Text)));
    }

    /// <summary>Takes a change of many transcripts back, wherever nobody has worked on since.</summary>
    /// <returns>In how many transcripts it was taken back.</returns>
    public async Task<int> TakeBackAsync(string key, string by, CancellationToken cancel = default)
    {
        List<(long Recording, int Number)> versions;
        await using (var db = await factory.CreateDbContextAsync(cancel))
        {
            var prefix = $"{Prefix}{key}:";
            versions = [.. (await db.TranscriptVersions.AsNoTracking().Where(v => v.ClientKey.StartsWith(prefix)).Select(v => new { v.Transcript!.RecordingId, v.Number }).ToListAsync(cancel)).Select(v => (v.RecordingId, v.Number))];
        }
        var back = 0;
        foreach (var (recording, number) in versions)
            if (await transcripts.TakeBackAsync(recording, number, by, $"back:{key}:{recording}", cancel)) back++;
        return back;
    }

    /// <summary>How often each word stands in the newest versions, case and punctuation aside, and how often what is to be replaced stands there as whole words, in how many recordings; all in one reading.</summary>
    internal async Task<(IReadOnlyDictionary<string, int> Words, IReadOnlyDictionary<Replacement, (int Times, int Recordings)> Texts)> SurveyAsync(IReadOnlyCollection<Replacement> texts, CancellationToken cancel)
    {
        var (counts, times, recordings) = (new Dictionary<string, int>(StringComparer.Ordinal), texts.Distinct().ToDictionary(t => t, _ => 0), texts.Distinct().ToDictionary(t => t, _ => new HashSet<long>()));
        var byFirst = times.Keys.Where(t => t.What.Any(char.IsLetterOrDigit)).ToLookup(t => Runs(t.What).First(), StringComparer.Ordinal);
        var options = new FindOptions();
        await using var db = await factory.CreateDbContextAsync(cancel);
        await foreach (var row in db.TranscriptRows.AsNoTracking().Where(r => r.To == null).Select(r => new { r.Transcript!.RecordingId, r.Words }).AsAsyncEnumerable().WithCancellation(cancel))
        {
            var segment = new TranscriptSegment(null, null, null, TranscriptWords.Read(row.Words));
            var perhaps = new HashSet<Replacement>();
            foreach (var word in segment.Words)
            {
                var key = TranscriptAlignment.Key(word.Text);
                counts[key] = counts.GetValueOrDefault(key) + 1;
                foreach (var run in Runs(word.Text)) perhaps.UnionWith(byFirst[run]);
            }
            foreach (var text in perhaps)
            {
                if (TranscriptEdits.Find(segment, text.What, text.In(options)).Count is not (> 0 and var found)) continue;
                times[text] += found;
                recordings[text].Add(row.RecordingId);
            }
        }
        return (counts, times.ToDictionary(t => t.Key, t => (t.Value, recordings[t.Key].Count)));
    }

    /// <summary>A word's runs of letters and figures in lower case: "X-ray," has two.</summary>
    internal static IEnumerable<string> Runs(string word)
    {
        for (var (i, begin) = (0, 0); i <= word.Length; i++)
        {
            if (i < word.Length && char.IsLetterOrDigit(word[i])) continue;
            if (i > begin) yield return word[begin..i].ToLowerInvariant();
            begin = i + 1;
        }
    }

    /// <summary>A passage with the words marked in which one of the sought runs begins; null where it has none of them as it is written.</summary>
    internal static FoundPassage? Beginning(TranscriptRow row, IReadOnlyList<string> sought, long recording, string? owner, TranscriptState state)
    {
        var segment = new TranscriptSegment(row.Speaker, row.Start, row.End, TranscriptWords.Read(row.Words));
        var places = segment.Words.Index().Where(w => Runs(w.Item.Text).Any(run => sought.Any(s => run.StartsWith(s, StringComparison.Ordinal)))).Select(w => new TranscriptPlace(0, w.Index, 1)).ToList();
        return places.Count == 0 ? null : new FoundPassage(recording, owner, state, row.Uid, segment, places);
    }

    private static bool Doubtful(TranscriptWord word) => word.Unsure || word.Unlikely;

    // Passages of the newest versions in which something is found. What is sought narrows them in the database already: by its longest run of plain letters, which SQLite compares without regard to case.
    private async IAsyncEnumerable<FoundPassage> PassagesAsync(string? what, TranscriptState? butNot, Func<TranscriptSegment, IReadOnlyList<TranscriptPlace>> find,
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancel)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        var rows = db.TranscriptRows.AsNoTracking().Where(r => r.To == null);
        if (butNot is not null) rows = rows.Where(r => r.Transcript!.State != butNot);
        if (what is not null && LongestRun(what) is { Length: > 0 } run) rows = rows.Where(r => EF.Functions.Like(r.Words, $"%{run}%"));
        var found = rows.OrderBy(r => r.Transcript!.RecordingId).ThenBy(r => r.Position)
            .Select(r => new { r.Transcript!.RecordingId, r.Transcript.Recording!.Speaker!.Pseudonym, r.Transcript.State, r.Uid, r.Speaker, r.Start, r.End, r.Words });
        await foreach (var r in found.AsAsyncEnumerable().WithCancellation(cancel))
        {
            var segment = new TranscriptSegment(r.Speaker, r.Start, r.End, TranscriptWords.Read(r.Words));
            if (find(segment) is { Count: > 0 } places) yield return new FoundPassage(r.RecordingId, r.Pseudonym, r.State, r.Uid, segment, places);
        }
    }

    private static string LongestRun(string text)
    {
        var (longest, begin) = ("", 0);
        for (var i = 0; i <= text.Length; i++)
        {
            if (i < text.Length && char.IsAsciiLetterOrDigit(text[i])) continue;
            if (i - begin > longest.Length) longest = text[begin..i];
            begin = i + 1;
        }
        return longest;
    }

    private async Task<BulkReceipt> RewriteAsync(IReadOnlyCollection<long> recordings, Func<NamedSegment, TranscriptSegment?> rewrite, string by, CancellationToken cancel, TranscriptState? butNot = null)
    {
        var (key, changed, passages) = (TranscriptService.NewUid(), 0, 0);
        foreach (var recording in recordings)
        {
            var some = await transcripts.RewriteAsync(recording, rewrite, by, $"{Prefix}{key}:{recording}", cancel, butNot);
            if (some > 0) changed++;
            passages += some;
        }
        return new BulkReceipt(key, changed, passages);
    }

    // One word's doubts, gathered.
    private sealed class Doubts
    {
        private readonly Dictionary<string, int> _spellings = new(StringComparer.Ordinal);
        private readonly HashSet<long> _recordings = [];
        private readonly List<(double Sure, FoundPassage Passage)> _examples = [];
        private int _unsure, _unlikely;

        public int Times { get; private set; }

        public string Text => _spellings.MaxBy(s => s.Value).Key;

        public DoubtfulWord Word => new(Text, Times, _recordings.Count, _unsure, _unlikely, [.. _examples.OrderBy(e => e.Sure).Select(e => e.Passage)]);

        public void Add(FoundPassage passage)
        {
            var word = passage.Segment.Words[passage.Places[0].Word];
            var spelling = word.Text.Trim('.', ',', ';', ':', '!', '?', '"', '“', '”', '(', ')', '…');
            if (spelling.Length == 0) spelling = word.Text;
            _spellings[spelling] = _spellings.GetValueOrDefault(spelling) + 1;
            var other = _recordings.Add(passage.RecordingId);
            Times++;
            if (word.Unsure) _unsure++;
            if (word.Unlikely) _unlikely++;
            // An example of each recording first; after that whatever comes.
            if (_examples.Count < MostExamples && (other || _examples.Count == 0)) _examples.Add((word.Confidence ?? 1, passage));
        }
    }
}
