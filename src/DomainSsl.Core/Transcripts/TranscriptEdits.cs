namespace DomainSsl.Core.Transcripts;

/// <summary>Where a text was found.</summary>
/// <param name="Segment">Number of the segment, from 0.</param>
/// <param name="Word">Number of the first word in it, from 0.</param>
/// <param name="Count">How many words it reaches over.</param>
public sealed record TranscriptPlace(int Segment, int Word, int Count);

/// <summary>How a text is looked for.</summary>
/// <param name="MatchCase">Whether capitals matter.</param>
/// <param name="WholeWords">Whether it must begin and end where words do; punctuation round them does not matter.</param>
public sealed record FindOptions(bool MatchCase = false, bool WholeWords = true);

/// <summary>Find and replace in transcripts, as functions: the transcript that is given stays as it was.</summary>
public static class TranscriptEdits
{
    /// <summary>All places of a text of one or more words. It is not found across segments.</summary>
    public static IReadOnlyList<TranscriptPlace> Find(Transcript transcript, string what, FindOptions? options = null)
    {
        var places = new List<TranscriptPlace>();
        for (var s = 0; s < transcript.Segments.Count; s++)
            foreach (var match in Matches(transcript.Segments[s], what, options ?? new FindOptions()))
                places.Add(new TranscriptPlace(s, match.FirstWord, match.LastWord - match.FirstWord + 1));
        return places;
    }

    /// <summary>
    /// Replaces a text wherever it stands. Words that stay one for one keep their times; where their number changes, the new ones share the time of the old ones by their letters. Changed words lose the model's
    /// confidence, since a person wrote them. An empty replacement takes the words out.
    /// </summary>
    /// <returns>The new transcript, and how often the text was replaced.</returns>
    public static (Transcript Transcript, int Count) Replace(Transcript transcript, string what, string with, FindOptions? options = null)
    {
        var (segments, count) = (transcript.Segments.ToArray(), 0);
        with = string.Join(' ', Transcript.Split(with));
        for (var s = 0; s < segments.Length; s++)
        {
            var matches = Matches(segments[s], what, options ?? new FindOptions());
            if (matches.Count == 0) continue;
            count += matches.Count;
            segments[s] = Replaced(segments[s], matches, with);
        }
        return (count == 0 ? transcript : new Transcript(segments), count);
    }

    /// <summary>A word's letters anew, as a person writes them; punctuation round them stays.</summary>
    internal static IEnumerable<TranscriptWord> Replaced(TranscriptWord word, string with)
    {
        var letters = word.Text.ToCharArray();
        var (first, last) = (Array.FindIndex(letters, char.IsLetterOrDigit), Array.FindLastIndex(letters, char.IsLetterOrDigit));
        var made = first < 0 ? with : word.Text[..first] + string.Join(' ', Transcript.Split(with)) + word.Text[(last + 1)..];
        return Written([word with { Confidence = null, Fit = null }], Transcript.Split(made), removed: false);
    }

    /// <summary>
    /// The same transcript with the terms written as they are to be, wherever a word or a run of words differs from one in capitals alone; times and confidences stay, since it is the same that was heard. Of terms within one
    /// another the longest counts, and of those that differ in capitals alone none does, since nobody can hear which is meant.
    /// </summary>
    /// <param name="transcript">As a transcriber writes, without capitals.</param>
    /// <param name="terms">As they are to be written.</param>
    public static Transcript Spelled(Transcript transcript, IEnumerable<string> terms)
    {
        var meant = terms.GroupBy(t => t, StringComparer.OrdinalIgnoreCase).Where(g => g.Count() == 1).Select(g => g.Key).Where(t => t.Any(char.IsUpper)).OrderByDescending(t => t.Length).ToList();
        return meant.Count == 0 ? transcript : new Transcript([.. transcript.Segments.Select(s => Spelled(s, meant))]);
    }

    private static TranscriptSegment Spelled(TranscriptSegment segment, List<string> terms)
    {
        var (letters, spelled) = ((char[]?)null, (bool[]?)null);
        foreach (var term in terms)
        {
            foreach (var match in Matches(segment, term, new FindOptions()))
            {
                letters ??= segment.Text.ToCharArray();
                spelled ??= new bool[letters.Length];
                if (spelled.AsSpan(match.From, term.Length).Contains(true)) continue;
                term.CopyTo(letters.AsSpan(match.From));
                spelled.AsSpan(match.From, term.Length).Fill(true);
            }
        }
        if (letters is null) return segment;
        var words = new string(letters).Split(' ');
        return segment with { Words = [.. segment.Words.Select((w, i) => w with { Text = words[i] })] };
    }

    /// <summary>The places of one segment alone.</summary>
    internal static IReadOnlyList<TranscriptPlace> Find(TranscriptSegment segment, string what, FindOptions options) => Find(new Transcript([segment]), what, options);

    // Places in the segment's text, and the words that they touch.
    private readonly record struct Match(int From, int To, int FirstWord, int LastWord);

    private static List<Match> Matches(TranscriptSegment segment, string what, FindOptions options)
    {
        var (sought, text, matches) = (string.Join(' ', Transcript.Split(what)), segment.Text, new List<Match>());
        if (sought.Length == 0) return matches;
        var comparison = options.MatchCase ? StringComparison.Ordinal : StringComparison.OrdinalIgnoreCase;
        var (word, start) = (0, 0); // the word that the place lies in, and where it begins
        for (var at = text.IndexOf(sought, comparison); at >= 0; at = text.IndexOf(sought, at, comparison))
        {
            var end = at + sought.Length;
            if (options.WholeWords && (Within(text, at) || Within(text, end))) { at++; continue; }
            while (start + segment.Words[word].Text.Length < at) start += segment.Words[word++].Text.Length + 1;
            var (last, reach) = (word, start + segment.Words[word].Text.Length);
            while (reach < end) reach += segment.Words[++last].Text.Length + 1;
            matches.Add(new Match(at, end, word, last));
            at = end;
        }
        return matches;

        // Whether a place lies inside a word's letters: "heart" is not found in "hearts", but in "heart,".
        static bool Within(string text, int at) => at > 0 && at < text.Length && IsLetter(text[at - 1]) && IsLetter(text[at]);

        static bool IsLetter(char c) => char.IsLetterOrDigit(c) || c is '\'' or '’';
    }

    private static TranscriptSegment Replaced(TranscriptSegment segment, List<Match> matches, string with)
    {
        var starts = new int[segment.Words.Count];
        for (var i = 1; i < starts.Length; i++) starts[i] = starts[i - 1] + segment.Words[i - 1].Text.Length + 1;
        var (text, words, at) = (segment.Text, new List<TranscriptWord>(), 0);
        for (var m = 0; m < matches.Count;)
        {
            var (first, last, made, from) = (matches[m].FirstWord, matches[m].LastWord, "", starts[matches[m].FirstWord]);
            // Matches that touch the same word are replaced together.
            for (; m < matches.Count && matches[m].FirstWord <= last; m++)
            {
                made += text[from..matches[m].From] + with;
                (from, last) = (matches[m].To, Math.Max(last, matches[m].LastWord));
            }
            made += text[from..(starts[last] + segment.Words[last].Text.Length)];
            words.AddRange(segment.Words.Skip(at).Take(first - at));
            words.AddRange(Written([.. segment.Words.Skip(first).Take(last - first + 1)], Transcript.Split(made), with.Length == 0));
            at = last + 1;
        }
        words.AddRange(segment.Words.Skip(at));
        return segment with { Words = words };
    }

    private static IEnumerable<TranscriptWord> Written(TranscriptWord[] old, string[] made, bool removed)
    {
        if (removed && !made.Any(w => w.Any(char.IsLetterOrDigit))) return []; // no word is left, its comma goes too
        if (made.Length == old.Length) return old.Zip(made, (o, n) => o.Text == n ? o : o with { Text = n, Confidence = null, Fit = null });
        if (old[0].Start is not { } from || old[^1].End is not { } to) return made.Select(w => new TranscriptWord(w));
        return made.Zip(TranscriptSegment.Spread(made, from, to), (w, t) => new TranscriptWord(w, t.Start, t.End));
    }
}
