using System.Globalization;

namespace DomainSsl.Core.Transcripts;

/// <summary>
/// Lays a transcript made elsewhere along words whose times are known: the fewest words changed, added and left out (Levenshtein), case and punctuation aside. Words that both have take their times from
/// there, words that stand in another's place take that one's, and the rest share the room between their neighbours by their letters.
/// </summary>
/// <remarks>The alignment is Hirschberg's (1975), so memory grows with the length and not with its square; what both have alike at their ends is taken off first.</remarks>
public static class TranscriptAlignment
{
    /// <summary>The outside transcript with times for all its words. Its words, speakers and segments stay; a segment's times become those of its words, and a word keeps the model's confidence only where the model wrote the same.</summary>
    /// <param name="outside">Words, with or without times, which are not looked at.</param>
    /// <param name="timed">Words in order, all with times.</param>
    /// <exception cref="ArgumentException">A word of <paramref name="timed"/> has no times.</exception>
    public static Transcript Align(Transcript outside, IReadOnlyList<TranscriptWord> timed)
    {
        if (timed.Any(w => !w.Timed)) throw new ArgumentException("All words of the list need times.", nameof(timed));
        if (timed.Count == 0) return outside;
        var words = outside.Words.ToArray();
        var pairs = Pairs(Keys(words), Keys(timed));
        for (var i = 0; i < words.Length;)
        {
            if (pairs[i] is >= 0 and var pair)
            {
                var same = timed[pair];
                var heard = Key(words[i].Text) == Key(same.Text);
                words[i] = words[i] with { Start = same.Start, End = same.End, Confidence = heard ? same.Confidence : null, Fit = heard ? same.Fit : null };
                i++;
                continue;
            }
            // A run of words that the list has not: the room that is left there, with that of the list's words that are not in the transcript.
            var next = i;
            while (next < words.Length && pairs[next] < 0) next++;
            var (before, after) = (i == 0 ? -1 : pairs[i - 1], next == words.Length ? timed.Count : pairs[next]);
            var from = before >= 0 ? timed[before].End!.Value : timed[0].Start!.Value;
            var to = Math.Max(from, after < timed.Count ? timed[after].Start!.Value : timed[^1].End!.Value);
            var times = TranscriptSegment.Spread(words[i..next].Select(w => w.Text), from, to);
            for (var k = i; k < next; k++) words[k] = words[k] with { Start = times[k - i].Start, End = times[k - i].End, Confidence = null, Fit = null };
            i = next;
        }
        var (segments, at) = (new List<TranscriptSegment>(outside.Segments.Count), 0);
        foreach (var segment in outside.Segments)
        {
            var own = words[at..(at += segment.Words.Count)];
            segments.Add(own.Length == 0 ? segment : segment with { Start = own[0].Start, End = own[^1].End, GuessedStart = false, GuessedEnd = false, Words = own });
        }
        return new Transcript(segments);
    }

    /// <summary>A word without case and punctuation; a word of punctuation only stays as it is.</summary>
    internal static string Key(string word)
    {
        var letters = word.Where(char.IsLetterOrDigit).ToArray();
        return letters.Length == 0 ? word : new string(letters).ToLower(CultureInfo.InvariantCulture);
    }

    private static string[] Keys(IEnumerable<TranscriptWord> words) => [.. words.Select(w => Key(w.Text))];

    /// <summary>For each word of <paramref name="a"/> its partner in <paramref name="b"/>, the same or another in its place, or −1.</summary>
    internal static int[] Pairs(string[] a, string[] b)
    {
        var numbers = new Dictionary<string, int>(StringComparer.Ordinal);
        int[] Numbered(string[] words) => Array.ConvertAll(words, w =>
        {
            if (!numbers.TryGetValue(w, out var n)) numbers.Add(w, n = numbers.Count);
            return n;
        });

        var pairs = new int[a.Length];
        Array.Fill(pairs, -1);
        new Hirschberg(Numbered(a), Numbered(b), pairs).Align(0, a.Length, 0, b.Length);
        return pairs;
    }

    private sealed class Hirschberg(int[] a, int[] b, int[] pairs)
    {
        private const int Small = 1 << 16;
        private readonly int[] _forward = new int[b.Length + 1], _backward = new int[b.Length + 1];

        public void Align(int aFrom, int aTo, int bFrom, int bTo)
        {
            while (aFrom < aTo && bFrom < bTo && a[aFrom] == b[bFrom]) pairs[aFrom++] = bFrom++;
            while (aFrom < aTo && bFrom < bTo && a[aTo - 1] == b[bTo - 1]) pairs[--aTo] = --bTo;
            if (aFrom == aTo || bFrom == bTo) return;
            if ((long)(aTo - aFrom + 1) * (bTo - bFrom + 1) <= Small || aTo - aFrom == 1)
            {
                Whole(aFrom, aTo, bFrom, bTo);
                return;
            }
            // Where the middle of a meets b at the least cost of both halves together.
            var middle = (aFrom + aTo) / 2;
            Costs(_forward, aFrom, middle, bFrom, bTo, 1);
            Costs(_backward, middle, aTo, bFrom, bTo, -1);
            var (best, split) = (int.MaxValue, bFrom);
            for (var j = 0; j <= bTo - bFrom; j++)
                if (_forward[j] + _backward[bTo - bFrom - j] is var cost && cost < best) (best, split) = (cost, bFrom + j);
            Align(aFrom, middle, bFrom, split);
            Align(middle, aTo, split, bTo);
        }

        // The costs of all beginnings (or, backwards, ends) of b against a stretch of a.
        private void Costs(int[] row, int aFrom, int aTo, int bFrom, int bTo, int direction)
        {
            var (n, m) = (aTo - aFrom, bTo - bFrom);
            for (var j = 0; j <= m; j++) row[j] = j;
            for (var i = 1; i <= n; i++)
            {
                var word = direction > 0 ? a[aFrom + i - 1] : a[aTo - i];
                var (diagonal, left) = (row[0], row[0] = i);
                for (var j = 1; j <= m; j++)
                {
                    var above = row[j];
                    var cost = diagonal + ((direction > 0 ? b[bFrom + j - 1] : b[bTo - j]) == word ? 0 : 1);
                    row[j] = left = Math.Min(cost, Math.Min(above, left) + 1);
                    diagonal = above;
                }
            }
        }

        private void Whole(int aFrom, int aTo, int bFrom, int bTo)
        {
            int n = aTo - aFrom, m = bTo - bFrom, width = m + 1;
            var cost = new int[(n + 1) * width];
            for (var i = 0; i <= n; i++)
                for (var j = 0; j <= m; j++)
                    cost[i * width + j] = i == 0 ? j : j == 0 ? i : Math.Min(cost[(i - 1) * width + j - 1] + (a[aFrom + i - 1] == b[bFrom + j - 1] ? 0 : 1),
                        Math.Min(cost[(i - 1) * width + j], cost[i * width + j - 1]) + 1);
            for (int i = n, j = m; i > 0 && j > 0;)
            {
                var here = cost[i * width + j];
                if (here == cost[(i - 1) * width + j - 1] + (a[aFrom + i - 1] == b[bFrom + j - 1] ? 0 : 1)) pairs[aFrom + --i] = bFrom + --j;
                else if (here == cost[(i - 1) * width + j] + 1) i--;
                else j--;
            }
        }
    }
}
