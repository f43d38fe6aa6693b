using System.Diagnostics;
using DomainSsl.Core.Transcripts;

namespace DomainSsl.Core.Tests.Transcripts;

public class TranscriptAlignmentTests
{
    private static List<TranscriptWord> Timed(string text) => [.. text.Split(' ').Select((w, i) => new TranscriptWord(w, i, i + 0.8, 0.9))];

    private static Transcript Plain(string text) => TextTranscript.Read(text);

    [Fact]
    public void Align_SameWordsInOtherSpelling_TakesAllTimes()
    {
        var aligned = TranscriptAlignment.Align(Plain("[A] No acute fracture.\n[B] The lungs are clear!"), Timed("no acute fracture the lungs are clear"));
        Assert.Equal("No acute fracture.\nThe lungs are clear!", aligned.Text);
        Assert.Equal(Enumerable.Range(0, 7).Select(i => (double?)i), aligned.Words.Select(w => w.Start));
        Assert.All(aligned.Words, w => Assert.Equal(0.9, w.Confidence));
        Assert.Equal((0.0, 2.8, 3.0, 6.8), (aligned.Segments[0].Start, aligned.Segments[0].End, aligned.Segments[1].Start, aligned.Segments[1].End));
        Assert.Equal(["A", "B"], aligned.Segments.Select(s => s.Speaker));
    }

    [Fact]
    public void Align_WordsChangedAddedAndMissing_TakesWhatIsThereAndSharesTheRest()
    {
        var aligned = TranscriptAlignment.Align(Plain("well the big heart is now quite normal"), Timed("the hart is uh normal"));
        var words = aligned.Segments[0].Words;
        Assert.Equal((0.0, 0.8), (words[1].Start, words[1].End));       // the
        Assert.Equal((2.0, 2.8, 0.9), (words[4].Start, words[4].End, words[4].Confidence)); // is
        Assert.Equal((4.0, 4.8), (words[7].Start, words[7].End));       // normal
        Assert.Null(words[3].Confidence);                                // heart: the model wrote another word
        Assert.True(words[2].Start >= 0.8 && words[3].End <= 2.0);       // big heart lies where hart lay
        Assert.True(words[5].Start >= 2.8 && words[6].End <= 4.0);       // now quite lies where uh lay
        Assert.All(words.Zip(words.Skip(1)), p => Assert.True(p.First.Start <= p.First.End && p.First.End <= p.Second.Start + 1e-9));
    }

    [Fact]
    public void Align_NothingInCommon_StaysInOrderAndInTheRecording()
    {
        var words = TranscriptAlignment.Align(Plain("q w e r t"), Timed("a b")).Segments[0].Words;
        Assert.Equal((0.0, 1.8), (words[0].Start, words[^1].End));
        Assert.All(words.Zip(words.Skip(1)), p => Assert.True(p.First.End <= p.Second.Start + 1e-9));
        var same = Plain("a");
        Assert.Same(same, TranscriptAlignment.Align(same, []));
    }

    [Fact]
    public void Pairs_RandomTexts_AreAsGoodAsTheFullTable()
    {
        var random = new Random(6);
        for (var trial = 0; trial < 60; trial++)
        {
            // Long enough that the halves are split several times.
            string[] Text(int n) => [.. Enumerable.Range(0, n).Select(_ => random.Next(trial % 2 == 0 ? 4 : 200).ToString())];
            var (a, b) = (Text(random.Next(0, 700)), Text(random.Next(0, 700)));
            var pairs = TranscriptAlignment.Pairs(a, b);
            var paired = pairs.Where(p => p >= 0).ToList();
            Assert.Equal(paired.Order().Distinct(), paired);
            var cost = pairs.Select((p, i) => p < 0 || a[i] != b[p] ? 1 : 0).Sum() + b.Length - paired.Count;
            Assert.Equal(Distance(a, b), cost);
        }

        static int Distance(string[] a, string[] b)
        {
            var table = new int[a.Length + 1, b.Length + 1];
            for (var i = 0; i <= a.Length; i++)
                for (var j = 0; j <= b.Length; j++)
                    table[i, j] = i == 0 ? j : j == 0 ? i : Math.Min(table[i - 1, j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1), Math.Min(table[i - 1, j], table[i, j - 1]) + 1);
            return table[a.Length, b.Length];
        }
    }

    [Fact]
    public void Align_AnHourOfWordsWithErrorsEverywhere_TakesSeconds()
    {
        var random = new Random(1);
        var said = Enumerable.Range(0, 9000).Select(_ => $"w{random.Next(2000)}").ToArray();
        var written = said.SelectMany(w => random.Next(10) switch { 0 => Array.Empty<string>(), 1 => ["x", w], 2 => ["y"], _ => new[] { w } }).ToArray();
        var clock = Stopwatch.StartNew();
        var aligned = TranscriptAlignment.Align(Plain(string.Join(' ', said)), Timed(string.Join(' ', written)));
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(10), $"took {clock.Elapsed.TotalSeconds:0.0} s");
        Assert.True(aligned.Words.Count(w => w.Confidence is not null) > 6500);
    }

    [Fact]
    public void Align_RealSentences_GivesBackTheTimes()
    {
        var spoken = Generated.Spoken("0006");
        Generated.AssertSame(spoken with { Segments = [.. spoken.Segments.Select(s => s with { Start = s.Words[0].Start, End = s.Words[^1].End })] },
            TranscriptAlignment.Align(Plain(TextTranscript.Write(spoken)), [.. spoken.Words]), 0, 0, confidences: true);
    }
}
