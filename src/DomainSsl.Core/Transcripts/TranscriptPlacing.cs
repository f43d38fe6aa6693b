using DomainSsl.Core.Library;

namespace DomainSsl.Core.Transcripts;

/// <summary>
/// Makes segments of a transcript from elsewhere fit for work. Overlong ones are cut at pauses. Those without times get a place in their recording: the speech that was found there is parted among them by their
/// letters. That is an estimate, good enough to find and hear a segment, but none to learn from, and it is marked so; aligning with a model's words is exact.
/// </summary>
internal static class TranscriptPlacing
{
    /// <summary>Seconds above which a segment is cut.</summary>
    public const double MostSeconds = 30;

    private const int MostWords = 80;

    // Nobody speaks faster.
    private const double MostWordsASecond = 8;
    private const double Pause = 0.6;

    /// <summary>The segments, all with times. Where some have them, only those between are estimated.</summary>
    public static List<TranscriptSegment> Place(IReadOnlyList<TranscriptSegment> segments, Recording recording)
    {
        var placed = segments.SelectMany(s => Cut(s, s.Timed ? s.End!.Value - s.Start!.Value : segments.Count == 1 ? recording.Seconds : double.PositiveInfinity)).Select(s => s.Timed ? s : s.WithAllTimes() is { Words: [{ Timed: true }, ..] } timed
            ? timed with { Start = timed.Words[0].Start, End = timed.Words[^1].End, GuessedStart = !s.Words[0].Timed, GuessedEnd = !s.Words[^1].Timed } : s).ToList();
        for (int i = 0; i < placed.Count; i++)
        {
            if (placed[i].Timed) continue;
            int next = i;
            while (next < placed.Count && !placed[next].Timed) next++;
            double from = i == 0 ? 0 : placed[i - 1].End!.Value, to = Math.Max(from, next < placed.Count ? placed[next].Start!.Value : recording.Seconds);
            // Of one segment in a whole recording, as tables have it, nothing is to be estimated.
            var speech = next - i == 1 && placed.Count == 1 ? [] : Joined(recording.Segments, from, to);
            if (speech.Count == 0) speech = [(from, to)];
            double total = speech.Sum(s => s.End - s.Start), letters = placed[i..next].Sum(s => s.Text.Length + 1.0), before = 0;
            for (int k = i; k < next; k++)
            {
                double start = At(speech, total * before / letters, ends: false);
                before += placed[k].Text.Length + 1;
                // All that is not timed fills the stretch, so its two ends are none of the guess.
                placed[k] = placed[k] with { Start = start, End = Math.Max(start, At(speech, total * before / letters, ends: true)), GuessedStart = k > i, GuessedEnd = k < next - 1 };
            }
            i = next - 1;
        }
        return placed;
    }

    // A recogniser may write an hour as one segment. Cut at the longest pause, or, where words have no times, behind a full stop; in the middle half, until all are short enough. Words without times that are known to stand in a
    // short stretch stay together: cut, they would have guessed times.
    private static IEnumerable<TranscriptSegment> Cut(TranscriptSegment segment, double stretch = double.PositiveInfinity)
    {
        var words = segment.Words;
        bool timed = words.Count > 0 && words.All(w => w.Timed);
        double seconds = timed ? words[^1].End!.Value - words[0].Start!.Value : 0;
        if (words.Count < 4 || (words.Count <= MostWords && seconds <= MostSeconds)) return [segment];
        if (!timed && stretch <= MostSeconds && words.Count <= MostWordsASecond * stretch) return [segment];
        int low = Math.Max(1, words.Count / 4), high = Math.Min(words.Count - 1, 3 * words.Count / 4), best = words.Count / 2;
        double most = -1;
        for (int i = low; i <= high; i++)
        {
            double worth = (timed ? Math.Max(0, words[i].Start!.Value - words[i - 1].End!.Value) : 0) + (words[i - 1].Text[^1] is '.' or '?' or '!' ? Pause : 0);
            if (worth > most || (worth == most && Math.Abs(i - words.Count / 2) < Math.Abs(best - words.Count / 2))) (most, best) = (worth, i);
        }
        var (first, second) = (words.Take(best).ToList(), words.Skip(best).ToList());
        return Cut(segment with { End = timed ? first[^1].End : null, Start = timed ? segment.Start ?? first[0].Start : null, Words = first })
            .Concat(Cut(segment with { Start = timed ? second[0].Start : null, End = timed ? segment.End ?? second[^1].End : null, Words = second }));
    }

    // Stretches of either channel, as one line without overlaps.
    private static List<(double Start, double End)> Joined(IEnumerable<Segment> segments, double from, double to)
    {
        var joined = new List<(double Start, double End)>();
        foreach (var s in segments.OrderBy(s => s.Start))
        {
            double start = Math.Max(from, s.Start), end = Math.Min(to, s.End);
            if (end <= start) continue;
            if (joined.Count > 0 && start <= joined[^1].End) joined[^1] = (joined[^1].Start, Math.Max(joined[^1].End, end));
            else joined.Add((start, end));
        }
        return joined;
    }

    /// <summary>The moment at which so many seconds of speech have passed; on a border the end of the one stretch or the start of the next.</summary>
    private static double At(List<(double Start, double End)> speech, double seconds, bool ends)
    {
        foreach (var (start, end) in speech)
        {
            double length = end - start;
            if (seconds < length - 1e-9 || (ends && seconds <= length + 1e-9)) return start + Math.Min(seconds, length);
            seconds -= length;
        }
        return speech[^1].End;
    }
}
