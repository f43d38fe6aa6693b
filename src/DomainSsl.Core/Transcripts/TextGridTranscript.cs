using System.Globalization;
using System.Text;

namespace DomainSsl.Core.Transcripts;

/// <summary>
/// Praat's TextGrid (Praat manual, "TextGrid file formats"), long and short. Each speaker has two tiers of intervals, <c>NAME - segments</c> and <c>NAME - words</c> (without a speaker, <c>segments</c> and
/// <c>words</c>); times are exact. Read too: what aligners write (<c>words</c> and <c>phones</c>, the latter passed over), and a tier of any other name as that speaker's segments.
/// </summary>
/// <remarks>
/// Intervals of a tier neither overlap nor have no length. What overlaps begins where the one before ends; what would have no length is written into the interval before, and gets a share of it when
/// it is read. Praat reads only free-standing numbers, quoted texts and flags, and so do we: the long form's other words are decoration, and both forms are read alike.
/// </remarks>
public static class TextGridTranscript
{
    private const string Words = "words", Segments = "segments", Between = " - ";
    private const double Pause = 0.5; // seconds; what parts segments where a file has words only

    /// <summary>The file's text.</summary>
    /// <param name="transcript">What is written; segments without words are left out.</param>
    /// <param name="brief">Praat's short form.</param>
    /// <exception cref="RefusedException"><c>transcript-untimed</c>.</exception>
    public static string Write(Transcript transcript, bool brief = false)
    {
        for (var i = 0; i < transcript.Segments.Count; i++)
            if (transcript.Segments[i] is { Timed: false, Words.Count: > 0 }) throw TranscriptFormats.Untimed("TextGrid", i);
        var segments = transcript.Segments.Where(s => s.Words.Count > 0).Select(s => s.WithAllTimes()).ToList();
        var end = segments.Count == 0 ? 1 : segments.Max(s => Math.Max(s.End!.Value, s.Words[^1].End!.Value));
        var tiers = new List<(string Name, List<Interval> Intervals)>();
        foreach (var speaker in segments.GroupBy(s => TranscriptFormats.SpeakerName(s.Speaker)))
        {
            var prefix = speaker.Key is null ? "" : speaker.Key + Between;
            tiers.Add((prefix + Segments, Filled(speaker.Select(s => new Interval(s.Start!.Value, s.End!.Value, s.Text)), ref end)));
            tiers.Add((prefix + Words, Filled(speaker.SelectMany(s => s.Words).Select(w => new Interval(w.Start!.Value, w.End!.Value, w.Text)), ref end)));
        }
        return Write(tiers, end, brief);
    }

    private readonly record struct Interval(double Start, double End, string Text);

    // From 0 on without gap or overlap; the last gap up to the end is added when it is known.
    private static List<Interval> Filled(IEnumerable<Interval> spoken, ref double end)
    {
        var (filled, at) = (new List<Interval>(), 0.0);
        foreach (var interval in spoken.OrderBy(i => i.Start))
        {
            var start = Math.Max(at, interval.Start);
            if (interval.End <= start)
            {
                // No room: into the interval before, or, at the very beginning, a moment of its own.
                if (filled.Count > 0 && filled[^1].Text.Length > 0) { filled[^1] = filled[^1] with { Text = $"{filled[^1].Text} {interval.Text}" }; continue; }
                if (start > at) filled.Add(new Interval(at, start, ""));
                filled.Add(new Interval(start, at = start + 0.001, interval.Text));
                end = Math.Max(end, at);
                continue;
            }
            if (start > at) filled.Add(new Interval(at, start, ""));
            filled.Add(interval with { Start = start });
            at = interval.End;
        }
        return filled;
    }

    private static string Write(List<(string Name, List<Interval> Intervals)> tiers, double end, bool brief)
    {
        var text = new StringBuilder("File type = \"ooTextFile\"\nObject class = \"TextGrid\"\n\n");
        Line(0, "xmin = ", Number(0));
        Line(0, "xmax = ", Number(end));
        Line(0, "tiers? ", "<exists>");
        Line(0, "size = ", Number(tiers.Count));
        if (!brief) text.Append("item []:\n");
        for (var t = 0; t < tiers.Count; t++)
        {
            var intervals = tiers[t].Intervals;
            var last = intervals.Count == 0 ? 0 : intervals[^1].End;
            if (last < end) intervals.Add(new Interval(last, end, ""));
            if (!brief) text.Append(CultureInfo.InvariantCulture, $"    item [{t + 1}]:\n");
            Line(2, "class = ", "\"IntervalTier\"");
            Line(2, "name = ", Quoted(tiers[t].Name));
            Line(2, "xmin = ", Number(0));
            Line(2, "xmax = ", Number(end));
            Line(2, "intervals: size = ", Number(intervals.Count));
            for (var i = 0; i < intervals.Count; i++)
            {
                if (!brief) text.Append(CultureInfo.InvariantCulture, $"        intervals [{i + 1}]:\n");
                Line(3, "xmin = ", Number(intervals[i].Start));
                Line(3, "xmax = ", Number(intervals[i].End));
                Line(3, "text = ", Quoted(intervals[i].Text));
            }
        }
        return text.ToString();

        void Line(int depth, string name, string value)
        {
            if (!brief) text.Append(' ', 4 * depth).Append(name);
            text.Append(value).Append('\n');
        }

        static string Number(double n) => n.ToString("R", CultureInfo.InvariantCulture);

        static string Quoted(string text) => $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
    }

    /// <summary>Whether a text begins as Praat's files do.</summary>
    internal static bool LooksLike(string text) => text.AsSpan(0, Math.Min(text.Length, 200)).Contains("ooTextFile", StringComparison.Ordinal);

    /// <summary>Reads either form.</summary>
    /// <exception cref="RefusedException"><c>transcript-damaged</c>, with the line.</exception>
    public static Transcript Read(string text)
    {
        var read = new Reader(text);
        if (read.String() != "ooTextFile" || read.String() != "TextGrid") throw read.Wrong("is no TextGrid; save the tiers as a TextGrid and not as a collection");
        read.Number();
        read.Number();
        var tiers = new List<(string Name, List<Interval> Intervals)>();
        if (read.Exists())
        {
            var count = read.Count();
            for (var t = 0; t < count; t++)
            {
                var kind = read.String();
                if (kind is not ("IntervalTier" or "TextTier")) throw read.Wrong($"has a tier of the unknown kind '{kind}'");
                var (name, intervals) = (read.String(), new List<Interval>());
                read.Number();
                read.Number();
                var size = read.Count();
                for (var i = 0; i < size; i++)
                {
                    var start = read.Number();
                    if (kind == "TextTier") { read.String(); continue; } // points have no words
                    var interval = new Interval(start, read.Number(), read.String());
                    if (interval.End < interval.Start || intervals.Count > 0 && interval.Start < intervals[^1].End - 1e-9) throw read.Wrong("has an interval that ends before it starts, or overlaps the one before");
                    intervals.Add(interval);
                }
                if (kind == "IntervalTier") tiers.Add((name, intervals));
            }
        }
        return Assembled(tiers);
    }

    private static Transcript Assembled(List<(string Name, List<Interval> Intervals)> tiers)
    {
        var speakers = new List<(string? Speaker, List<Interval>? Segments, List<Interval>? Words)>();
        foreach (var (name, intervals) in tiers)
        {
            var (speaker, role) = RoleOf(name);
            if (role is null) continue;
            var spoken = intervals.Where(i => !string.IsNullOrWhiteSpace(i.Text)).ToList();
            var at = speakers.FindIndex(s => s.Speaker == speaker && (role == Words ? s.Words : s.Segments) is null);
            if (at < 0)
            {
                at = speakers.Count;
                speakers.Add((speaker, null, null));
            }
            speakers[at] = role == Words ? speakers[at] with { Words = spoken } : speakers[at] with { Segments = spoken };
        }
        var segments = speakers.SelectMany(s => SegmentsOf(s.Speaker, s.Segments, s.Words));
        return new Transcript([.. segments.OrderBy(s => s.Start)]); // a stable sort: speakers who begin together stay in the tiers' order
    }

    private static (string? Speaker, string? Role) RoleOf(string name)
    {
        var (speaker, last) = name.LastIndexOf(Between, StringComparison.Ordinal) is > 0 and var dash ? (name[..dash], name[(dash + Between.Length)..]) : (null, name);
        return last.Trim().ToLowerInvariant() switch
        {
            Words or "word" => (TranscriptFormats.SpeakerName(speaker), Words),
            Segments or "segment" or "utterances" or "utterance" or "sentences" or "text" => (TranscriptFormats.SpeakerName(speaker), Segments),
            "phones" or "phone" or "phonemes" or "phoneme" or "syllables" or "syllable" => (null, null),
            _ => (TranscriptFormats.SpeakerName(name), Segments),
        };
    }

    private static IEnumerable<TranscriptSegment> SegmentsOf(string? speaker, List<Interval>? segments, List<Interval>? words)
    {
        var timed = (words ?? []).SelectMany(i => Transcript.Split(i.Text) is var w
            ? w.Zip(TranscriptSegment.Spread(w, i.Start, i.End), (text, t) => new TranscriptWord(text, t.Start, t.End)) : []).ToList();
        var at = 0;
        foreach (var segment in segments ?? [])
        {
            var loose = at;
            while (at < timed.Count && Middle(timed[at]) < segment.Start) at++;
            foreach (var run in Runs(speaker, timed[loose..at])) yield return run;
            var first = at;
            while (at < timed.Count && Middle(timed[at]) <= segment.End) at++;
            var (text, own) = (Transcript.Split(segment.Text), timed[first..at]);
            // The segment's text is the one people edit; where it differs, the words' tier gives the times only.
            var same = text.SequenceEqual(own.Select(w => w.Text));
            var written = new TranscriptSegment(speaker, segment.Start, segment.End, same ? own : [.. text.Select(t => new TranscriptWord(t))]);
            yield return same || own.Count == 0 ? written : TranscriptAlignment.Align(new Transcript([written]), own).Segments[0] with { Start = segment.Start, End = segment.End };
        }
        foreach (var run in Runs(speaker, timed[at..])) yield return run;

        static double Middle(TranscriptWord word) => (word.Start!.Value + word.End!.Value) / 2;
    }

    // Words outside all segments: a pause parts them.
    private static IEnumerable<TranscriptSegment> Runs(string? speaker, List<TranscriptWord> words)
    {
        for (var first = 0; first < words.Count;)
        {
            var end = first + 1;
            while (end < words.Count && words[end].Start - words[end - 1].End < Pause) end++;
            yield return new TranscriptSegment(speaker, words[first].Start, words[end - 1].End, words[first..end]);
            first = end;
        }
    }

    /// <summary>Hands out the free-standing values of a text, one after another.</summary>
    private sealed class Reader(string text)
    {
        private int _at, _line = 1;

        public string String()
        {
            while (Next() is { } token)
                if (token.Kind == '"') return token.Value;
                else if (token.Kind != ' ') throw Wrong($"has '{Shown(token.Value)}' where a text in quotes is due");
            throw Wrong("is the last, but more should follow");
        }

        public double Number()
        {
            while (Next() is { } token)
                if (token.Kind == '1') return double.Parse(token.Value, CultureInfo.InvariantCulture);
                else if (token.Kind != ' ') throw Wrong($"has '{Shown(token.Value)}' where a number is due");
            throw Wrong("is the last, but more should follow");
        }

        public int Count() => Number() is >= 0 and <= 10_000_000 and var n && n == Math.Floor(n) ? (int)n : throw Wrong("has a size that cannot be");

        public bool Exists()
        {
            while (Next() is { } token)
                if (token.Kind == '<') return token.Value == "<exists>";
                else if (token.Kind != ' ') throw Wrong("should say <exists>");
            throw Wrong("is the last, but more should follow");
        }

        public RefusedException Wrong(string what) => TranscriptFormats.Damaged("TextGrid", _line, what);

        // A quoted text, a number, a flag, or (' ') a word that says nothing.
        private (char Kind, string Value)? Next()
        {
            while (_at < text.Length && (char.IsWhiteSpace(text[_at]) || text[_at] == '!'))
            {
                if (text[_at] == '!') while (_at + 1 < text.Length && text[_at + 1] != '\n') _at++; // a comment
                if (text[_at++] == '\n') _line++;
            }
            if (_at >= text.Length) return null;
            if (text[_at] == '"') return ('"', Quoted());
            var start = _at;
            while (_at < text.Length && !char.IsWhiteSpace(text[_at])) _at++;
            var word = text[start.._at];
            if (word[0] == '<' && word[^1] == '>') return ('<', word);
            return double.TryParse(word, NumberStyles.Float, CultureInfo.InvariantCulture, out var n) && double.IsFinite(n) ? ('1', word) : (' ', word);
        }

        private string Quoted()
        {
            var value = new StringBuilder();
            for (_at++; _at < text.Length; _at++)
            {
                if (text[_at] == '\n') _line++;
                if (text[_at] != '"') value.Append(text[_at]);
                else if (_at + 1 < text.Length && text[_at + 1] == '"') value.Append(text[_at++]);
                else
                {
                    _at++;
                    return value.ToString();
                }
            }
            throw Wrong("has a quotation mark that is never closed");
        }

        private static string Shown(string value) => value.Length <= 40 ? value : value[..40] + "…";
    }
}
