using DomainSsl.Core.Runs;
using DomainSsl.Core.Tasks;
using DomainSsl.Web.Components.Pages.Pretraining;

namespace DomainSsl.Web.Tests.Pretraining;

public sealed class WorthWordsTests
{
    private static string Name(string arm) => WorthWords.Name(arm, new Dictionary<string, string> { ["m-1"] = "chest", ["public"] = "public" });

    private static string Lead(Worth worth) => string.Join(' ', WorthWords.Lead(worth, Name));

    // Differences of the first encoder from scratch, one a number of labels; of AUROC unless it is of speech.
    private static Worth Of(string metric, params (int Budget, double Mean, double Low, double High, string Finding)[] differences) => new()
    {
        Metric = metric, TestItems = 400, TestPatients = 292, Who = metric == "cer" ? "speakers" : "patients",
        Arms = [.. differences.Select(d => new WorthFigure("m-1", d.Budget, 0.9, 0.85, 0.95, [0.9, 0.9, 0.9]))],
        Differences = [.. differences.Select(d => new WorthDifference("m-1", d.Budget, d.Mean, d.Low, d.High))],
        Comparisons = [.. differences.Select(d => new WorthDifference("m-1", d.Budget, d.Mean, d.Low, d.High, Worth.Scratch, d.Finding))],
    };

    [Fact]
    public void Lead_OfAGain_NamesTheLabelsForWhichItIsShown_AndThoseForWhichNot()
    {
        var worth = Of("auroc", (20, 0.03, 0.005, 0.06, "gain"), (50, 0.02, 0.004, 0.03, "gain"), (100, 0.01, 0, 0.028, "noGain"));
        Assert.Equal("Gain: with 20 and 50 labels starting from “chest” is better than starting from scratch. No gain is shown with 100 labels.", Lead(worth));
        Assert.Equal("better than starting from scratch with 20, 50 labels; no gain shown with 100 labels", WorthWords.Short(worth));
    }

    [Fact]
    public void Lead_OfNoGain_SaysSo_AndWhetherOneIsRuledOut()
    {
        Assert.Equal("No gain: with 20 labels starting from “chest” is not shown to be better than starting from scratch.", Lead(Of("auroc", (20, 0.001, -0.02, 0.023, "noGain"))));
        Assert.Equal("No gain: with 20 and 50 labels starting from “chest” is not shown to be better than starting from scratch. With 20 labels the test patients or draws are too few to rule a gain out.",
            Lead(Of("auroc", (20, 0.08, -0.02, 0.2, "tooFew"), (50, 0, -0.01, 0.01, "noGain"))));
        Assert.EndsWith("scratch. The test patients or draws are too few to rule a gain out.", Lead(Of("auroc", (20, 0.2, 0, 0.4, "tooFew"))));
        Assert.Equal("no gain over starting from scratch is shown", WorthWords.Short(Of("auroc", (20, 0.2, 0, 0.4, "tooFew"))));
    }

    [Fact]
    public void Lead_OfErrorRates_IsAGainOnlyBelowZero()
    {
        Assert.Equal("Gain: with 5 minutes of transcribed speech starting from “chest” is better than starting from scratch. No gain is shown with 15 minutes of transcribed speech.",
            Lead(Of("cer", (5, -0.1, -0.15, -0.05, "gain"), (15, -0.01, -0.03, 0.01, "noGain"))));
        Assert.Equal("With 1 minute of transcribed speech starting from “chest” is worse than starting from scratch.", Lead(Of("cer", (1, 0.1, 0.05, 0.15, "worse"))));
        Assert.Equal("worse with 1 min", WorthWords.Short(Of("cer", (1, 0.1, 0.05, 0.15, "worse"))));
    }

    [Fact]
    public void Lead_OfOneDraw_ClaimsNothing_HoweverGoodItLooks()
    {
        var worth = Of("auroc", (20, 0.3, -1, 1, "tooFew")) with { Arms = [new WorthFigure("m-1", 20, 0.9, 0, 1, [0.9])] };
        Assert.Equal("No gain: with 20 labels starting from “chest” is not shown to be better than starting from scratch. One draw says nothing of another: nothing is claimed.", Lead(worth));
        Assert.Equal("+0.30 (interval unknown)", WorthWords.Text(worth.Differences[0].Figure, signed: true));
        Assert.Equal("0.90 (interval unknown)", WorthWords.Text(worth.Arms[0].Figure));
    }

    [Fact]
    public void Lead_AgainstOtherEncoders_FollowsTheOneAgainstScratch()
    {
        var worth = Of("auroc", (20, 0.03, 0.005, 0.06, "gain"), (50, 0.02, 0.004, 0.03, "gain"));
        worth = worth with { Comparisons = [.. worth.Comparisons, new("m-1", 20, 0, -0.02, 0.02, "public", "noGain"), new("m-1", 50, -0.02, -0.03, -0.01, "public", "worse")] };
        Assert.EndsWith("Against “public”: no gain is shown with 20 labels; worse with 50 labels.", Lead(worth));
        Assert.Equal("There was nothing to compare with.", Lead(new Worth()));
    }

    [Theory]
    [InlineData(0.001, 0.2, false, "better")]
    [InlineData(0.001, 0.2, true, "worse")]
    [InlineData(0, 0.2, false, "no gain shown")]
    [InlineData(-0.2, 0, true, "no gain shown")]
    [InlineData(-0.2, -0.01, true, "better")]
    [InlineData(-0.2, -0.01, false, "worse")]
    public void Finding_IsBetter_OnlyWhereTheWholeIntervalIsOnThatSide(double low, double high, bool lessIsBetter, string said) =>
        Assert.Equal(said, WorthWords.Finding(new Measured((low + high) / 2, low, high), lessIsBetter));

    [Fact]
    public void Over_SaysOverWhatItWasMeasured()
    {
        var worth = Of("auroc", (20, 0, -0.1, 0.1, "tooFew"));
        Assert.Equal("Over 3 draws of labels, the same for every start; 400 test images of 292 patients whose labels were not learnt from.", WorthWords.Over(worth));
        Assert.Contains("nothing is said of new people", WorthWords.Over(worth with { Who = "images" }));
        Assert.Equal("Over 3 draws of transcribed speech, the same for every start; 400 test recordings of 292 speakers whose words were not learnt from.", WorthWords.Over(Of("cer", (5, 0, -0.1, 0.1, "tooFew"))));
    }

    [Fact]
    public void Name_IsTheModels_WithItsSize_AndTheIdOfOneThatIsGone()
    {
        Assert.Equal(["chest", "public at 224 pixels", "From scratch", "m-9"], ((string[])["m-1", "public@224", "scratch", "m-9"]).Select(Name));
    }

    [Fact]
    public async Task Read_OfARunOfBefore_TakesItsFile_AndWhereThatIsGoneWhatItsRowSays()
    {
        using var folder = new Testing.TemporaryFolder();
        var run = new Run
        {
            Id = "r-1", Kind = RunKind.LabelEfficiencySpeech, Title = "", Request = "{}", By = "anna", State = RunState.Done,
            Summary = """{"metric":"cer","differences":[{"arm":"m-1","budget":5,"mean":-0.1,"low":-0.2,"high":-0.05}],"verdict":"better"}""",
        };
        Assert.Equal((0, 1), await CountsAsync(run, folder.Path));
        await File.WriteAllTextAsync(folder.At(Worth.FileName), """
            {"metric":"cer","arms":[{"arm":"m-1","budget":5,"mean":0.4,"low":0.3,"high":0.5,"values":[0.4,0.4]},{"arm":"scratch","budget":5,"mean":0.5,"low":null,"high":null,"values":[0.5,0.5]}],"differences":[{"arm":"m-1","budget":5,"mean":-0.1,"low":-0.2,"high":-0.05}],
             "wer":[],"werWithLanguage":[],"ratios":[{"arm":"m-1","budget":5,"mean":0.8,"low":0.6,"high":null}],"comparisons":[],"labelsSaved":[],"verdict":"better","draws":[],"testItems":3,"testPatients":2}
            """, TestContext.Current.CancellationToken);
        Assert.Equal((2, 1), await CountsAsync(run, folder.Path));
        run.State = RunState.Running;
        Assert.Null(await Worth.ReadAsync(run, folder.Path, TestContext.Current.CancellationToken));

        static async Task<(int, int)> CountsAsync(Run run, string folder) => await Worth.ReadAsync(run, folder, TestContext.Current.CancellationToken) is { } w ? (w.Arms.Count, w.Differences.Count) : (-1, -1);
    }
}
