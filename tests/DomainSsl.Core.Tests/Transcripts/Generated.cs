using DomainSsl.Core.Transcripts;
using DomainSsl.Testing;

namespace DomainSsl.Core.Tests.Transcripts;

/// <summary>Transcripts for tests: drawn at random, awkward words among them, and made from real sentences.</summary>
internal static class Generated
{
    private static readonly string[] Awkward =
    [
        "a", "heart,", "[sic]", "<b", "&amp;", "x>y", "\"quoted\"", "don’t", "naïve", "5", "12", "-->", "00:00:01,000", "NOTE", "WEBVTT", "{x}", "[]", "!", "\\", "…", "心脏", "😀", "<i", "&", ":", "]", "xmin", "<exists>", "1.5",
    ];

    /// <summary>A valid transcript with all times: segments in order, words within them in order, none without length; seconds with four decimals.</summary>
    public static Transcript Timed(int seed, bool confidences = true)
    {
        var random = new Random(seed);
        var (segments, now) = (new List<TranscriptSegment>(), random.Next(3) == 0 ? 0.0 : Time(random, 5));
        var count = random.Next(1, 8);
        for (var s = 0; s < count; s++)
        {
            var (start, words) = (now, new List<TranscriptWord>());
            if (random.Next(3) > 0) now += Time(random, 0.4);
            var n = random.Next(1, 9);
            for (var w = 0; w < n; w++)
            {
                var end = now + 0.01 + Time(random, 0.7);
                words.Add(new TranscriptWord(Awkward[random.Next(Awkward.Length)], Round(now), Round(end), confidences && random.Next(4) > 0 ? Math.Round(random.NextDouble(), 3) : null));
                now = random.Next(3) > 0 ? end : end + 0.01 + Time(random, 0.5);
            }
            var last = words[^1].End!.Value;
            now = Math.Max(now, last) + (random.Next(2) == 0 ? 0 : Time(random, 0.3));
            string? speaker = random.Next(4) switch { 0 => null, 1 => "Dr Smith", 2 => "A & B <c>", _ => "speaker-01" };
            segments.Add(new TranscriptSegment(speaker, Round(start), Round(now), words));
            now += 0.01 + Time(random, 2);
        }
        return new Transcript(segments);

        static double Time(Random random, double most) => Math.Round(random.NextDouble() * most, 4);

        static double Round(double seconds) => Math.Round(seconds, 4);
    }

    /// <summary>The same without word times.</summary>
    public static Transcript WithoutWordTimes(this Transcript transcript) => new([.. transcript.Segments.Select(s => s with { Words = [.. s.Words.Select(w => new TranscriptWord(w.Text))] })]);

    /// <summary>The sentences of a speaker one after another, words by their letters; skips the test where the data is absent.</summary>
    public static Transcript Spoken(string speaker)
    {
        var (segments, now) = (new List<TranscriptSegment>(), 0.0);
        foreach (var row in File.ReadAllLines(SharedData.Path("speech/speechocean/train.csv")).Skip(1).Select(l => l.Split(',')).Where(r => r[1] == speaker))
        {
            var (seconds, words) = (double.Parse(row[4]), row[5].Split(' '));
            var sum = words.Sum(w => w.Length + 1.0);
            var (at, spoken) = (now + 0.3, new List<TranscriptWord>());
            foreach (var word in words)
            {
                var length = (seconds - 0.6) * (word.Length + 1) / sum;
                spoken.Add(new TranscriptWord(word, Math.Round(at, 3), Math.Round(at + length * 0.9, 3), 0.5));
                at += length;
            }
            segments.Add(new TranscriptSegment(speaker, Math.Round(now, 3), Math.Round(now + seconds, 3), spoken));
            now += seconds;
        }
        return new Transcript(segments);
    }

    /// <summary>Holds words, speakers and times of two transcripts against each other; times of a kind for which no precision is given must be missing, unless they are untold: then they are not looked at.</summary>
    public static void AssertSame(Transcript expected, Transcript actual, double? segments, double? words, bool confidences = false, bool speakers = true, bool untold = false)
    {
        Assert.Equal(expected.Segments.Select(s => s.Text), actual.Segments.Select(s => s.Text));
        foreach (var (e, a) in expected.Segments.Zip(actual.Segments))
        {
            if (speakers) Assert.Equal(e.Speaker, a.Speaker);
            if (untold) continue;
            Near(segments, e.Start, a.Start);
            Near(segments, e.End, a.End);
            foreach (var (x, y) in e.Words.Zip(a.Words))
            {
                Near(words, x.Start, y.Start);
                Near(words, x.End, y.End);
                Assert.Equal(confidences ? x.Confidence : null, y.Confidence);
            }
        }

        static void Near(double? precision, double? expected, double? actual)
        {
            if (precision is null) Assert.Null(actual);
            else if (expected is null) Assert.Null(actual);
            else Assert.InRange(Math.Abs(expected.Value - actual!.Value), 0, precision.Value + 1e-9);
        }
    }
}
