using DomainSsl.Learning.Evaluation;

namespace DomainSsl.Learning.Tests.Evaluation;

public class VerdictTests
{
    [Theory]
    [InlineData(0.03, 0.01, 0.05, Finding.Gain)]
    [InlineData(-0.03, -0.05, -0.01, Finding.Worse)]
    [InlineData(0.01, -0.01, 0.03, Finding.NoGain)]
    [InlineData(0.01, 0.0, 0.03, Finding.NoGain)]
    [InlineData(0.04, -0.03, 0.11, Finding.TooFew)]
    [InlineData(0.0, -1.0, 1.0, Finding.TooFew)]
    public void Finding_FollowsFromTheIntervalAlone(double value, double low, double high, Finding expected) =>
        Assert.Equal(expected, Verdict.Of(new Interval(value, low, high)));

    [Fact]
    public void Sentence_Gain_NamesArmsLabelsAndInterval() => Assert.Equal(
        "With 20 labels simclr is better than scratch: AUROC is higher by 0.034 (95 % interval 0.012 to 0.056).",
        Verdict.Sentence(new Compared("simclr", "scratch", 20, new Interval(0.034, 0.012, 0.056))));

    [Fact]
    public void Sentence_NoGain_SaysSoWithSigns() => Assert.Equal(
        "With 20 labels there is no gain over public: the difference in AUROC is −0.003 (95 % interval −0.020 to +0.012).",
        Verdict.Sentence(new Compared("simclr", "public", 20, new Interval(-0.003, -0.020, 0.012))));

    [Fact]
    public void Summary_GainAtSomeBudgets_SaysWhichAndWhatItSaves()
    {
        Compared[] differences = [new("simclr", "scratch", 20, new(0.04, 0.02, 0.06)), new("simclr", "scratch", 50, new(0.02, 0.01, 0.03)), new("simclr", "scratch", 100, new(0.0, -0.01, 0.01))];
        var text = Verdict.Summary(differences, [new("simclr", 20, 96.4) { Low = 41.7 }, new("simclr", 50, null), new("simclr", 100, 100)]);
        Assert.Contains("With 20 and 50 labels simclr is better than scratch", text);
        Assert.Contains("With 100 labels there is no gain over scratch", text);
        Assert.EndsWith("20 labels with simclr do what about 96 do from scratch (at the ends of the interval 42 and more than 100).", text);
    }

    [Fact]
    public void Summary_NoGain_NeverSpeaksOfSavedLabels()
    {
        var text = Verdict.Summary([new("simclr", "scratch", 20, new(0.01, -0.01, 0.03))], [new("simclr", 20, 35)]);
        Assert.DoesNotContain("do what", text);
    }

    [Fact]
    public void Summary_SavedLabelsWithoutAnInterval_AreNotSpokenOf() =>
        Assert.DoesNotContain("do what", Verdict.Summary([new("simclr", "scratch", 20, new(0.04, 0.02, 0.06))], [new("simclr", 20, 96.4)]));

    [Fact]
    public void LabelsSaved_OfADifference_HasThoseOfTheEndsOfItsInterval()
    {
        var saved = LabelsSaved.Of("simclr", 20, new Interval(0.05, 0.02, 0.08), [(20, 0.90), (50, 0.94), (200, 0.96)]);
        Assert.Equal(100, saved.ScratchLabels!.Value, 6);
        Assert.Equal(Math.Sqrt(1000), saved.Low!.Value, 6);
        Assert.Null(saved.High);
    }

    [Fact]
    public void LabelsSaved_BetweenTwoBudgets_IsInterpolatedInTheLogarithm()
    {
        var saved = LabelsSaved.Of("simclr", 20, 0.95, [(20, 0.90), (50, 0.94), (200, 0.96)]);
        Assert.Equal(100, saved.ScratchLabels!.Value, 6);
        Assert.Equal(80, saved.Saved!.Value, 6);
    }

    [Fact]
    public void LabelsSaved_NeverReached_IsNull() => Assert.Null(LabelsSaved.Of("simclr", 20, 0.97, [(20, 0.90), (50, 0.94)]).ScratchLabels);

    [Fact]
    public void LabelsSaved_WorseThanScratch_IsZero() => Assert.Equal(0, LabelsSaved.Of("mae", 50, 0.91, [(20, 0.90), (50, 0.94)]).Saved);

    [Fact]
    public void LabelsSaved_CurveThatDips_IsPooledFirst()
    {
        // 50 and 100 pool to 0.9325, so 0.9325 (less rounding) is reached at the first of them.
        var saved = LabelsSaved.Of("simclr", 20, 0.9325 - 1e-9, [(20, 0.90), (50, 0.945), (100, 0.92), (200, 0.96)]);
        Assert.Equal(50, saved.ScratchLabels!.Value, 3);
    }
}
