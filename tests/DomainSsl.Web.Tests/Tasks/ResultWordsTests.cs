using DomainSsl.Core.Tasks;
using DomainSsl.Web.Components.Pages.Tasks;

namespace DomainSsl.Web.Tests.Tasks;

public sealed class ResultWordsTests
{
    private static TaskResult Result(Measured? scratch, Measured? open, int testPatients = 40, bool crossValidated = false, double low = 0.85, int rare = 12, string? began = TaskResult.BeganHere) => new(1, "m", 60, 80, testPatients, crossValidated,
        [new("ours", "e", "ours", "probe", true, true, new(0.92, low, 0.97), null, began)],
        [.. new[] { ("scratch", scratch), ("public", open) }.Where(d => d.Item2 is not null).Select(d => new ArmDifference(d.Item1, d.Item2!))],
        [new("none", 40, 20, new(0.9, 0.8, 0.96), new(0.08, 0.02, 0.15)), new("effusion", 30, rare, new(0.844, 0.76, 0.912), null)], 10);

    // The page may not know the library that judges; what matters must still be the same to both.
    [Fact]
    public void Matters_IsWhatTheVerdictHasIt() => Assert.Equal(Learning.Evaluation.Verdict.Matters, ResultWords.Matters);

    [Fact]
    public void Worth_IntervalAboveZero_SaysThatItHelped() =>
        Assert.StartsWith("Pretraining on your images helped", ResultWords.Worth(Result(new(0.05, 0.01, 0.09), null)), StringComparison.Ordinal);

    [Theory]
    [InlineData(0.02, -0.01, 0.04, "made no difference that matters")]
    [InlineData(0.08, -0.01, 0.17, "it cannot be told yet")]
    [InlineData(-0.06, -0.1, -0.02, "did not help here")]
    public void Worth_IntervalNotAboveZero_NeverClaimsAGain(double value, double low, double high, string says)
    {
        var words = ResultWords.Worth(Result(new(value, low, high), null));
        Assert.Contains(says, words, StringComparison.Ordinal);
        Assert.DoesNotContain("Pretraining on your images helped", words, StringComparison.Ordinal);
    }

    [Fact]
    public void Worth_WithoutAnInterval_CannotBeTold() =>
        Assert.Contains("cannot be told yet", ResultWords.Worth(Result(new(0.2, null, null), null)), StringComparison.Ordinal);

    [Theory]
    [InlineData(0.02, 0.06, "also better than the public network")]
    [InlineData(-0.02, 0.03, "The public network does as well")]
    [InlineData(-0.09, -0.01, "does better")]
    public void Worth_SaysSeparatelyWhetherThePublicNetworkIsBeaten(double low, double high, string says) =>
        Assert.Contains(says, ResultWords.Worth(Result(new(0.05, 0.01, 0.09), new((low + high) / 2, low, high))), StringComparison.Ordinal);

    private const string Helped = "Pretraining on your images helped";

    [Theory]
    [InlineData(0.01, 0.09, "is better than starting from nothing")]
    [InlineData(-0.09, -0.01, "starting from nothing is better than the public network")]
    [InlineData(-0.02, 0.03, "is no better than starting from nothing")]
    [InlineData(-0.02, 0.2, "cannot be told yet")]
    public void Worth_WithoutAnEncoderOfOnesOwn_SpeaksOfThePublicNetworkAlone(double low, double high, string says)
    {
        var result = Result(new((low + high) / 2, low, high), null) with { Arms = [new("public", "public", "public", "mean", true, true, new(0.9, 0.8, 1), null), new("scratch", null, "From scratch", "mean", false, true, new(0.8, 0.7, 0.9), null)] };
        var words = ResultWords.Worth(result);
        Assert.Contains(says, words, StringComparison.Ordinal);
        Assert.Contains("No encoder of your own", words, StringComparison.Ordinal);
        Assert.DoesNotContain("retraining", words, StringComparison.Ordinal);
    }

    [Fact]
    public void Worth_OnFromThePublicNetwork_CreditsTheImagesOnlyWithAGainOverIt()
    {
        string Worth(double low, double high) => ResultWords.Worth(Result(new(0.05, 0.01, 0.09), new((low + high) / 2, low, high), began: TaskResult.BeganPublic));
        Assert.Equal("Starting from trained weights helped: with 60 labels the classifier is better than one that starts from nothing. Your images added nothing that shows: the public network, from which it went on, does as well.",
            Worth(-0.02, 0.03));
        Assert.Contains("cannot be told yet", Worth(-0.02, 0.2), StringComparison.Ordinal);
        Assert.Contains("Your images did not help", Worth(-0.09, -0.01), StringComparison.Ordinal);
        Assert.Equal($"{Helped}: with 60 labels the classifier is better than on the public network, from which it went on. It is also better than one that starts from nothing.", Worth(0.02, 0.06));
        Assert.DoesNotContain(Helped, ResultWords.Worth(Result(new(0.05, 0.01, 0.09), null, began: TaskResult.BeganPublic)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(TaskResult.Imported, "The imported encoder helped")]
    [InlineData(TaskResult.BeganImported, "Starting from trained weights helped")]
    [InlineData(null, "cannot be told from this")]
    public void Worth_OfWeightsFromElsewhere_NeverCreditsTheImages(string? began, string says)
    {
        var words = ResultWords.Worth(Result(new(0.05, 0.01, 0.09), new(0.04, 0.02, 0.06), began: began));
        Assert.Contains(says, words, StringComparison.Ordinal);
        Assert.DoesNotContain(Helped, words, StringComparison.Ordinal);
    }

    [Fact]
    public void Caution_WhoseTheItemsAreIsNotKnownOfAll_WithholdsWhatNewPeopleMayExpect()
    {
        var result = Result(null, null) with { Unnamed = true };
        Assert.Contains("What a new speaker may expect cannot be said", ResultWords.Caution(result, CaseWords.Of(DomainSsl.Core.Library.ItemKind.Sound)), StringComparison.Ordinal);
        Assert.NotEqual(ResultWords.Next.UseIt, ResultWords.Advice(result, 100));
    }

    [Fact]
    public void Found_SpeaksOfAHundredImagesInWholeNumbers()
    {
        var c = Result(null, null).Classes;
        Assert.Equal("Of 100 images that are ‘effusion’ it finds 84 (76 to 91).", ResultWords.Found(c[1]));
        Assert.Equal("Of 100 others it calls 8 (2 to 15) ‘none’ by mistake.", ResultWords.FalseAlarms(c[0]));
        Assert.Null(ResultWords.FalseAlarms(c[1]));
    }

    [Fact]
    public void Caution_FewPatientsOrCrossValidation_IsSaid()
    {
        Assert.Contains("9 patients only", ResultWords.Caution(Result(null, null, testPatients: 9)), StringComparison.Ordinal);
        Assert.Contains("not fitted on them", ResultWords.Caution(Result(null, null, crossValidated: true)), StringComparison.Ordinal);
        Assert.Contains("Only 3 test patients with ‘effusion’", ResultWords.Caution(Result(null, null, rare: 3)), StringComparison.Ordinal);
        Assert.Null(ResultWords.Caution(Result(null, null)));
    }

    [Fact]
    public void BestOfEach_ArmWithoutAMark_IsStillThere()
    {
        var result = Result(null, null) with
        {
            Arms =
            [
                new("ours", "e", "ours", "full", false, false, new(0.9, 0.8, 1), null), new("ours", "e", "ours", "probe", true, true, new(0.92, 0.8, 1), null),
                new("scratch", null, "scratch", "short", false, false, new(0.7, 0.6, 0.8), null),
            ],
        };
        Assert.Equal(["probe", "short"], ResultWords.BestOfEach(result).Select(a => a.Mode));
    }

    [Theory]
    [InlineData(40, 0.85, 100, ResultWords.Next.UseIt)]
    [InlineData(40, 0.7, 100, ResultWords.Next.LabelMore)]
    [InlineData(9, 0.85, 100, ResultWords.Next.LabelMore)]
    [InlineData(40, 0.7, 0, ResultWords.Next.MoreScans)]
    public void Advice_FollowsHowSureAndHowGoodItIs(int testPatients, double low, int left, ResultWords.Next advice) =>
        Assert.Equal(advice, ResultWords.Advice(Result(null, null, testPatients, low: low), left));
}
