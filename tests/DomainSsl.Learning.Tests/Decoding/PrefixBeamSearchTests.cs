using System.Diagnostics;
using DomainSsl.Learning.Decoding;
using DomainSsl.Learning.Language;

namespace DomainSsl.Learning.Tests.Decoding;

public class PrefixBeamSearchTests
{
    private static readonly Alphabet Small = new(" ab");
    private static readonly BeamOptions Exact = new() { Width = 20_000, Best = 20_000, LetterFloor = double.NegativeInfinity, Margin = double.PositiveInfinity };

    [Theory]
    [InlineData(1, 1)]
    [InlineData(3, 2)]
    [InlineData(5, 3)]
    [InlineData(6, 4)]
    public void Decode_WideBeam_GivesEveryTextTheSumOverAllItsAlignments(int frames, int seed)
    {
        var rows = Frames.Random(frames, Small.Size, seed);
        var truth = Frames.AllTexts(rows, Small);
        var found = new PrefixBeamSearch(Small, Exact).Decode(rows);
        Assert.Equal(truth.Count, found.Count);
        Assert.All(found, h => Assert.Equal(Math.Log(truth[h.Text]), h.Acoustic, 1e-5));
        Assert.Equal(0, Math.Log(found.Sum(h => Math.Exp(h.Acoustic))), 1e-5);
    }

    [Fact]
    public void Decode_WithModelsAndGlossary_RanksByTheWeightedSum()
    {
        var words = NGramModel.Train(["a ab", "ab ab a", "b"], new NGramOptions { Order = 2 });
        var letters = NGramModel.Train(["a ab", "ab ab a", "b"], new NGramOptions { Order = 3, Unit = NGramUnit.Letter });
        var glossary = new Glossary([new GlossaryTerm("BA", 0.7), new GlossaryTerm("a b", 0.4)], Small);
        var options = Exact with { Alpha = 0.6, Beta = 0.9, Gamma = 0.2, UnknownWord = -2 };
        var rows = Frames.Random(6, Small.Size, 9);
        var truth = Frames.AllTexts(rows, Small);
        var found = new PrefixBeamSearch(Small, options, words, letters, glossary).Decode(rows);
        Assert.Equal(truth.Count, found.Count);
        foreach (var h in found)
        {
            string[] said = h.Text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            var unknown = said.Count(w => w is not ("a" or "ab" or "b" or "ba"));
            var bonus = 0.7 * 2 * said.Count(w => w == "ba") + 0.4 * 3 * said.Zip(said.Skip(1)).Count(p => p is ("a", "b"));
            Assert.Equal(Math.Log(truth[h.Text]), h.Acoustic, 1e-5);
            Assert.Equal(words.Score(h.Text) is var lm && said.Length > 0 ? lm - 2 * unknown : EndOf(words), h.Words, 1e-5);
            Assert.Equal(said.Length > 0 ? letters.Score(h.Text) : EndOf(letters), h.Letters, 1e-5);
            Assert.Equal(bonus, h.Bonus, 1e-9);
            Assert.Equal(h.Acoustic + 0.6 * h.Words + 0.9 * said.Length + 0.2 * h.Letters + h.Bonus, h.Score, 1e-9);
        }
        Assert.Equal(found.OrderByDescending(h => h.Score), found);

        static double EndOf(NGramModel model) => model.Next(model.Start, NGramModel.End, out _);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Decode_NarrowBeam_NeverClaimsMoreThanTheTruthAndFindsTheBestText(int seed)
    {
        var rows = Frames.Random(8, Small.Size, seed, 3);
        var truth = Frames.AllTexts(rows, Small);
        var found = new PrefixBeamSearch(Small, new BeamOptions { Width = 16 }).Decode(rows);
        Assert.All(found, h => Assert.True(h.Acoustic <= Math.Log(truth[h.Text]) + 1e-5));
        Assert.Contains(truth.MaxBy(t => t.Value).Key, found.Select(h => h.Text));
    }

    [Fact]
    public void Decode_TextWhoseAlignmentsAddUp_BeatsTheBestPath()
    {
        // The best path is two blanks (0.36), but "a" has three alignments (0.16 + 0.24 + 0.24): Graves et al. 2006, figure 2.
        float[] row = [.. new[] { 0.6, 1e-9, 0.4, 1e-9 }.Select(p => (float)Math.Log(p))];
        float[] rows = [.. row, .. row];
        Assert.Equal("", GreedyDecoder.Decode(rows, Small));
        var best = new PrefixBeamSearch(Small, new BeamOptions { Beta = 0 }).Decode(rows)[0];
        Assert.Equal("a", best.Text);
        Assert.Equal(Math.Log(0.64), best.Acoustic, 1e-5);
    }

    [Fact]
    public void Decode_WordModel_ChoosesTheWordThatFits()
    {
        var model = NGramModel.Train(["no acute fracture is seen", "the fracture is old", "a picture is taken"], new NGramOptions());
        var rows = Frames.Of("no acute _practure is se_en", Alphabet.English, 0.8).With(Alphabet.English, 10, 'f', 0.3);
        Assert.StartsWith("no acute practure", GreedyDecoder.Decode(rows, Alphabet.English), StringComparison.Ordinal);
        Assert.Equal("no acute fracture is seen", new PrefixBeamSearch(Alphabet.English, new BeamOptions { Alpha = 1 }, model).Decode(rows)[0].Text);
    }

    [Fact]
    public void Decode_Glossary_BringsInTheTermAndTakesBackWhatWasLent()
    {
        var a = Alphabet.English;
        var glossary = new Glossary([new GlossaryTerm("PNEUMOTHORAX", 2)], a);
        var plain = new BeamOptions { Beta = 0 };
        var heard = Frames.Of("pneumatorax", a, 0.6).With(a, 5, 'o', 0.2);
        Assert.Equal("pneumatorax", new PrefixBeamSearch(a, plain).Decode(heard)[0].Text);
        // The h is silent here: it must be made from nothing, which the boost pays.
        var withTerm = new PrefixBeamSearch(a, plain, glossary: glossary).Decode(Frames.Of("pneumat_horax", a, 0.6).With(a, 5, 'o', 0.2))[0];
        Assert.Equal("pneumothorax", withTerm.Text);
        Assert.Equal(24, withTerm.Bonus, 1e-9);

        // A word that only begins as the term does gains nothing in the end.
        var begun = new PrefixBeamSearch(a, plain, glossary: glossary).Decode(Frames.Of("pneumonia", a, 0.6))[0];
        Assert.Equal(("pneumonia", 0.0), (begun.Text, begun.Bonus));
        Assert.Equal(new PrefixBeamSearch(a, plain).Decode(Frames.Of("pneumonia", a, 0.6))[0].Score, begun.Score, 1e-6);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Decode_WithoutAWordModel_GivesNothingForAWord(bool favoured)
    {
        // Between e and a a space is nearly as likely as nothing: a nat for one word more would part them.
        var a = Alphabet.English;
        var heard = Frames.Of("the he_art", a, 0.6).With(a, 6, ' ', 0.35);
        var best = new PrefixBeamSearch(a, new BeamOptions(), glossary: favoured ? new Glossary([new GlossaryTerm("pneumothorax")], a) : null).Decode(heard)[0];
        Assert.Equal("the heart", best.Text);
        Assert.Equal(best.Acoustic, best.Score, 1e-9);
    }

    [Fact]
    public void Decode_WordOfTheGlossary_IsNotDistrustedAsUnknown()
    {
        var model = NGramModel.Train(["the heart is normal", "the lung is clear"], new NGramOptions { Order = 2 });
        var rows = Frames.Of("the li_la is normal", Alphabet.English);
        Hypothesis With(Glossary? g) => new PrefixBeamSearch(Alphabet.English, new BeamOptions { UnknownWord = -3 }, model, glossary: g).Decode(rows)[0];
        var (without, with) = (With(null), With(new Glossary([new GlossaryTerm("Lila", 0)], Alphabet.English)));
        Assert.Equal(without.Text, with.Text);
        Assert.Equal(without.Words + 3, with.Words, 1e-9);
    }

    [Fact]
    public void Decode_NoFramesOrSilence_IsEmpty()
    {
        Assert.Equal("", new PrefixBeamSearch(Small, new BeamOptions()).Decode([])[0].Text);
        Assert.Equal("", new PrefixBeamSearch(Small, new BeamOptions()).Decode(Frames.Of("____  __", Small, 0.999))[0].Text);
    }

    [Fact]
    public void Create_ImpossibleSettings_SaysWhy()
    {
        Assert.Contains("width", Assert.Throws<LearningException>(() => new PrefixBeamSearch(Small, new BeamOptions { Width = 0 })).Message);
        Assert.Contains("alphabet", Assert.Throws<LearningException>(() => new PrefixBeamSearch(Small, new BeamOptions()).Decode(new float[7])).Message);
        var letters = NGramModel.Train(["a"], new NGramOptions { Unit = NGramUnit.Letter });
        Assert.Contains("letter", Assert.Throws<LearningException>(() => new PrefixBeamSearch(Small, new BeamOptions(), letters)).Message);
    }

    [Fact]
    public void Decode_TenMinutesOfUnsureFrames_TakesSecondsAndNotMuchMemory()
    {
        // 30,000 frames at 50 a second; so unsure that nearly every letter is tried.
        var rows = Frames.Random(30_000, Alphabet.English.Size, 1, 2);
        var search = new PrefixBeamSearch(Alphabet.English, new BeamOptions());
        search.Decode(rows.AsSpan(0, 500 * 29));
        var (clock, before) = (Stopwatch.StartNew(), GC.GetAllocatedBytesForCurrentThread());
        var whole = search.Decode(rows)[0];
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(10), $"took {clock.Elapsed.TotalSeconds:0.0} s");
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 50 << 20);
        // What was forgotten on the way was not needed: the beginning alone gives the same beginning.
        Assert.StartsWith(search.Decode(rows.AsSpan(0, 400 * 29))[0].Text[..40], whole.Text, StringComparison.Ordinal);
    }
}
