using DomainSsl.Learning.Evaluation;

namespace DomainSsl.Learning.Tests.Evaluation;

public class TranscriptMetricsTests
{
    [Theory]
    [InlineData("the heart is normal", "the heart is normal", 0, 0, 0)]
    [InlineData("the heart is normal in shape", "a heart normal in big shape", 1, 1, 1)]
    [InlineData("the heart", "", 0, 0, 2)]
    [InlineData("", "the heart", 0, 2, 0)]
    [InlineData("a b c d", "b c d", 0, 0, 1)]
    public void OfWords_KnownPairs_CountsEachKind(string said, string written, int substitutions, int insertions, int deletions)
    {
        var counts = ErrorCounts.OfWords(said, written);
        Assert.Equal((substitutions, insertions, deletions), (counts.Substitutions, counts.Insertions, counts.Deletions));
        Assert.Equal(said.Split(' ', StringSplitOptions.RemoveEmptyEntries).Length, counts.Length);
    }

    [Fact]
    public void OfLetters_CountsSpacesOnce() => Assert.Equal(new ErrorCounts(1, 0, 1, 7), ErrorCounts.OfLetters("the  cat", "te bat"));

    [Fact]
    public void EditAlignment_RandomTexts_IsAsShortAsTheRecursionSaysAndMakesOneOfTheOther()
    {
        var random = new Random(3);
        string Text() => new([.. Enumerable.Range(0, random.Next(0, 8)).Select(_ => "abc"[random.Next(3)])]);
        int Distance(string a, string b) => a.Length == 0 ? b.Length : b.Length == 0 ? a.Length
            : Math.Min(Distance(a[1..], b[1..]) + (a[0] == b[0] ? 0 : 1), 1 + Math.Min(Distance(a[1..], b), Distance(a, b[1..])));
        for (var trial = 0; trial < 200; trial++)
        {
            var (a, b) = (Text(), Text());
            var edits = EditAlignment.Of(a.AsSpan(), b.AsSpan());
            Assert.Equal(Distance(a, b), edits.Count(e => e.Kind != EditKind.Match));
            Assert.Equal(b, string.Concat(edits.Where(e => e.Kind != EditKind.Deletion).Select(e => e.Kind == EditKind.Match ? a[e.Reference] : b[e.Hypothesis])));
            Assert.Equal(Enumerable.Range(0, a.Length), edits.Where(e => e.Kind != EditKind.Insertion).Select(e => e.Reference));
            Assert.Equal(Enumerable.Range(0, b.Length), edits.Where(e => e.Kind != EditKind.Deletion).Select(e => e.Hypothesis));
        }
    }

    [Theory]
    [InlineData("acute heart failure", "acute heart failure", 0, 0, 2)]
    [InlineData("acute heart failure", "acute hard failure", 0, 2, 2)]
    [InlineData("acute heart failure", "acute heart size failure", 0, 1, 2)]
    [InlineData("the lungs are clear", "the heart are clear", 1, 0, 0)]
    public void OfTerms_TellsMissedFromFalse(string said, string written, int falsely, int missed, int occurrences) =>
        Assert.Equal(new ErrorCounts(0, falsely, missed, occurrences), ErrorCounts.OfTerms(said, written, ["heart", "heart failure", "heart"]));

    [Fact]
    public void Of_Corpus_IsErrorsByLengthWithIntervalsOverSpeakers()
    {
        // Ten speakers, of whom one is never understood: utterances of one speaker go together.
        var pairs = Enumerable.Range(0, 10).SelectMany(s => Enumerable.Range(0, 20).Select(_ => new TranscriptPair("no effusion is seen", s == 0 ? "to fusion it seem" : "no effusion is seen", $"S{s}"))).ToList();
        var figures = TranscriptMetrics.Of(pairs, 1, ["effusion"]);
        Assert.Equal(0.1, figures["wer"].Value, 1e-9);
        Assert.Equal(0.1, figures["termErrorRate"].Value, 1e-9);
        Assert.Equal(0, figures["wer"].Low);
        Assert.InRange(figures["wer"].High, 0.25, 0.4);
        Assert.True(figures["cer"].Value < 0.05);
        var speakers = TranscriptMetrics.BySpeaker(pairs);
        Assert.Equal((10, "S0", 20, 1.0), (speakers.Count, speakers[0].Speaker, speakers[0].Utterances, speakers[0].Words.Rate));
    }

    [Fact]
    public void Of_NothingSaid_LeavesTheFigureOut() => Assert.Empty(TranscriptMetrics.Of([new TranscriptPair("", "noise", "A")], 1, ["effusion"]));

    [Fact]
    public void Of_FewSpeakers_ClaimsNothing() => Assert.Equal(new Interval(2, 0, 2), TranscriptMetrics.Of([new TranscriptPair("a", "b c", "A")], 1)["wer"]);

    [Fact]
    public void LeastSure_ConfidencesThatKnow_FindMoreThanAFifthOfTheWrongWords()
    {
        // Ten words each, two wrong: one that the model doubts and one that it is sure of.
        string said = "a b c d e f g h i j", written = "a X c d e f g h Y j";
        double[] doubts = [0.9, 0.1, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.95, 0.9];
        var pairs = Enumerable.Range(0, 6).Select(s => new TranscriptPair(said, written, $"S{s}", doubts)).ToList();
        Assert.Equal(0.5, TranscriptMetrics.Of(pairs, 1)["wrongWordsInLeastSure"].Value, 1e-9);
        // Doubts about the wrong words alone find all of them, and about right ones none.
        double At(params int[] doubted) => new LeastSure([new TranscriptPair(said, written, "A", [.. Enumerable.Range(0, 10).Select(k => doubted.Contains(k) ? 0.1 : 0.9)])]).Weighted([1]);
        Assert.Equal((1.0, 0.0), (At(1, 8), At(0, 4)));
        Assert.DoesNotContain("wrongWordsInLeastSure", TranscriptMetrics.Of([new TranscriptPair(said, said, "A", doubts)], 1).Keys);
    }

    [Fact]
    public void Change_IsOfTheLaterLessTheEarlier_PairedOverSpeakers()
    {
        List<TranscriptPair> Written(string hypothesis, string ofTwo) => [.. Enumerable.Range(0, 8).Select(s => new TranscriptPair("no effusion is seen", s < 2 ? ofTwo : hypothesis, $"S{s}"))];
        var (before, after) = (Written("no fusion is seem", ofTwo: "no effusion is seem"), Written("no effusion is seem", ofTwo: "no effusion is seem"));
        var change = TranscriptMetrics.Change(before, after, 1)["wer"];
        Assert.Equal(-0.25 * 6 / 8, change.Value, 1e-9);
        Assert.True(change.High < 0);
        Assert.Equal(-0.75, TranscriptMetrics.Change(before, after, 1, ["effusion"])["termErrorRate"].Value, 1e-9);
        Assert.Throws<ArgumentException>(() => TranscriptMetrics.Change(before, [.. after.Skip(1)], 1));
    }
}
