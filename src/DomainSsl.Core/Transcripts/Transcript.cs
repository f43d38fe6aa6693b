namespace DomainSsl.Core.Transcripts;

/// <summary>A word of a transcript.</summary>
/// <param name="Text">As written, with its punctuation, without white space.</param>
/// <param name="Start">Seconds from the recording's beginning, or null where it is not known.</param>
/// <param name="End">Seconds, at least <paramref name="Start"/>.</param>
/// <param name="Confidence">The model's, 0 to 1; null for what a person wrote.</param>
/// <param name="Fit">How well it fits between the words round it, by a masked language model: the share of all words of its transcription that fit worse, 0 to 1; null where none has looked, or a person wrote the word.</param>
public sealed record TranscriptWord(string Text, double? Start = null, double? End = null, double? Confidence = null, double? Fit = null)
{
    /// <summary>Below this confidence a word is to be checked by ear.</summary>
    public const double UnsureBelow = 0.6;

    /// <summary>Below this fit a word is to be checked by sense: one in twenty.</summary>
    public const double UnlikelyBelow = 0.05;

    /// <summary>The transcriber does not trust what it has heard.</summary>
    public bool Unsure => Confidence < UnsureBelow;

    /// <summary>The word is unlikely between its neighbours.</summary>
    public bool Unlikely => Fit < UnlikelyBelow;

    /// <summary>Whether its place in the recording is known.</summary>
    public bool Timed => Start is not null && End is not null;
}

/// <summary>A stretch in which one speaker talks.</summary>
/// <param name="Speaker">Who, or null.</param>
/// <param name="Start">Seconds from the recording's beginning, or null where it is not known.</param>
/// <param name="End">Seconds, at least <paramref name="Start"/>.</param>
/// <param name="Words">In the order in which they are said; those with times do not overlap.</param>
public sealed record TranscriptSegment(string? Speaker, double? Start, double? End, IReadOnlyList<TranscriptWord> Words)
{
    /// <summary>Its start is a border between words of which nobody knows when they are said, put there by their letters: good enough to find them, but nothing to learn from.</summary>
    public bool GuessedStart { get; init; }

    /// <summary>So is its end.</summary>
    public bool GuessedEnd { get; init; }

    /// <summary>The words with spaces between.</summary>
    public string Text => string.Join(' ', Words.Select(w => w.Text));

    /// <summary>Whether its place in the recording is known.</summary>
    public bool Timed => Start is not null && End is not null;

    /// <summary>
    /// The same segment with times for all words: those without share the room between their neighbours, or the segment's ends, by their letters. A segment without times and without a timed word stays as it is.
    /// </summary>
    public TranscriptSegment WithAllTimes()
    {
        var (start, end) = (Start ?? Words.FirstOrDefault(w => w.Timed)?.Start, End ?? Words.LastOrDefault(w => w.Timed)?.End);
        if (Words.Count == 0 || start is null || end is null || Words.All(w => w.Timed)) return this;
        var words = Words.ToArray();
        for (var i = 0; i < words.Length; i++)
        {
            if (words[i].Timed) continue;
            var next = Array.FindIndex(words, i, w => w.Timed) is >= 0 and var n ? n : words.Length;
            var from = i == 0 ? start.Value : words[i - 1].End!.Value;
            var to = Math.Max(from, next == words.Length ? end.Value : words[next].Start!.Value);
            var times = Spread(words[i..next].Select(w => w.Text), from, to);
            for (var k = i; k < next; k++) words[k] = words[k] with { Start = times[k - i].Start, End = times[k - i].End };
            i = next - 1;
        }
        return this with { Words = words };
    }

    /// <summary>Parts a stretch of time among words by their letters and the space behind each.</summary>
    internal static (double Start, double End)[] Spread(IEnumerable<string> words, double from, double to)
    {
        var lengths = words.Select(w => w.Length + 1.0).ToArray();
        var (sum, before) = (lengths.Sum(), 0.0);
        return Array.ConvertAll(lengths, l =>
        {
            var start = before == 0 ? from : from + (to - from) * before / sum;
            before += l;
            return (start, before == sum ? to : from + (to - from) * before / sum);
        });
    }
}

/// <summary>What was said in a recording.</summary>
/// <param name="Segments">In the order of time.</param>
public sealed record Transcript(IReadOnlyList<TranscriptSegment> Segments)
{
    /// <summary>A line a segment, words only.</summary>
    public string Text => string.Join('\n', Segments.Where(s => s.Words.Count > 0).Select(s => s.Text));

    /// <summary>All words.</summary>
    public IEnumerable<TranscriptWord> Words => Segments.SelectMany(s => s.Words);

    /// <summary>A text's words, which white space of any kind parts.</summary>
    internal static string[] Split(string text) => text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
}
