using DomainSsl.Learning.Decoding;

namespace DomainSsl.Learning.Tests.Decoding;

public class ForcedAlignmentTests
{
    private static readonly Alphabet Small = new(" ab");

    [Theory]
    [InlineData("a", 4)]
    [InlineData("ab", 5)]
    [InlineData("aa", 5)]
    [InlineData("a b", 6)]
    [InlineData("b aa", 6)]
    public void Align_Text_IsTheLikeliestOfAllItsAlignments(string text, int frames)
    {
        for (var seed = 0; seed < 20; seed++)
        {
            var rows = Frames.Random(frames, Small.Size, seed, 2);
            // The trellis tells "a b" from "a  b", so alignments are collapsed without the trimming of the search.
            var best = Frames.Alignments(frames, Small.Size).Where(p => Small.Decode(p.Where((v, t) => t == 0 || v != p[t - 1]).ToArray()) == text)
                .Max(p => p.Select((v, t) => (double)rows[t * Small.Size + v]).Sum());
            Assert.Equal(best, ForcedAlignment.Align(rows, Small, text, 0.02).LogProbability, 1e-5);
        }
    }

    [Fact]
    public void Align_ClearFrames_GivesEachWordItsTimesAndConfidence()
    {
        var a = Alphabet.English;
        var aligned = ForcedAlignment.Align(Frames.Of("__no__  ccl_eaar_", a, 0.9).With(a, 13, 'a', 0.5).With(a, 14, 'a', 0.6), a, "no clear", 0.02, from: 10);
        Assert.Equal(["no", "clear"], aligned.Words.Select(w => w.Text));
        Assert.Equal((10.04, 10.08), (aligned.Words[0].Start, Math.Round(aligned.Words[0].End, 9)));
        Assert.Equal((10.16, 10.32), (Math.Round(aligned.Words[1].Start, 9), Math.Round(aligned.Words[1].End, 9)));
        Assert.Equal(0.9, aligned.Words[0].Confidence, 1e-5);
        // c, l, e, r are 0.9; of a's two frames the better counts
        Assert.Equal(Math.Pow(0.9 * 0.9 * 0.9 * 0.6 * 0.9, 1 / 5.0), aligned.Words[1].Confidence, 1e-5);
    }

    [Fact]
    public void Align_WordThatWasNotSaid_IsDoubtedAndItsNeighboursAreNot()
    {
        var a = Alphabet.English;
        var words = ForcedAlignment.Align(Frames.Of("the _left_ lung", a), a, "the right lung", 0.02).Words;
        Assert.True(words[1].Confidence < 0.1, $"{words[1]}");
        Assert.All([words[0], words[2]], w => Assert.True(w.Confidence > 0.8, $"{w}"));
    }

    [Fact]
    public void Align_Words_ComeInOrderAndDoNotOverlap()
    {
        var rows = Frames.Random(200, Alphabet.English.Size, 3);
        var words = ForcedAlignment.Align(rows, Alphabet.English, "the quick brown fox jumps over the lazy dog", 0.02).Words;
        Assert.All(words, w => Assert.True(w.Start < w.End && w.Confidence is >= 0 and <= 1));
        Assert.All(words.Zip(words.Skip(1)), p => Assert.True(p.First.End <= p.Second.Start + 1e-9));
    }

    [Fact]
    public void Align_TextThatDoesNotFit_SaysHowManyFramesItNeeds()
    {
        Assert.Contains("needs 4 frames, but its sound has 3", Assert.Throws<LearningException>(() => ForcedAlignment.Align(Frames.Random(3, Small.Size, 1), Small, "aab", 0.02)).Message);
        Assert.Equal(4, ForcedAlignment.FramesNeeded("aab"));
        Assert.Single(ForcedAlignment.Align(Frames.Random(4, Small.Size, 1), Small, "aab", 0.02).Words);
        Assert.Empty(ForcedAlignment.Align(Frames.Random(4, Small.Size, 1), Small, " ", 0.02).Words);
    }

    [Fact]
    public void WordPosteriors_WordThatHalfOfTheHypothesesHave_GetsHalf()
    {
        Hypothesis H(string text, double p) => new(text, Math.Log(p), 0, 0, 0, 0);
        var p = WordPosteriors.Of([H("the left lung", 0.5), H("the lung", 0.3), H("a left lung", 0.2)]);
        Assert.Equal([0.8, 0.7, 1.0], p.Select(x => Math.Round(x, 9)));
        Assert.Empty(WordPosteriors.Of([]));
    }
}
