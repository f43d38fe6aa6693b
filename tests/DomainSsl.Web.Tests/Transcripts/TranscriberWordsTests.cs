using DomainSsl.Core.Tasks;
using DomainSsl.Core.Transcripts;
using DomainSsl.Web.Components.Pages.Models;
using DomainSsl.Web.Components.Pages.Transcripts;

namespace DomainSsl.Web.Tests.Transcripts;

public sealed class TranscriberWordsTests
{
    [Theory]
    [InlineData(0.62, 0.48, 0.71, "The least sure fifth of the words holds 62 % of the wrong ones (48 to 71 %); its marks do not reliably find half of the errors: read everything.")]
    [InlineData(0.62, 0.53, 0.71, "The least sure fifth of the words holds 62 % of the wrong ones (53 to 71 %): read these first.")]
    [InlineData(0.62, 0.499, 0.701, "(49 to 71 %); its marks do not")]
    [InlineData(0.7, 0.0, 1.0, "Too few speakers")]
    public void Doubts_PromiseOnlyWhatTheWholeIntervalDoes(double value, double low, double high, string says) =>
        Assert.Contains(says, TranscriberWords.Doubts(new Measured(value, low, high)), StringComparison.Ordinal);

    [Fact]
    public void Doubts_NotMeasured_SayThatEverythingIsToBeRead() => Assert.EndsWith("read everything.", TranscriberWords.Doubts(null), StringComparison.Ordinal);

    [Theory]
    [InlineData(-0.05, -0.08, -0.02, "better: −0.050 (−0.080 to −0.020)")]
    [InlineData(-0.05, -0.08, 0.02, "no gain shown: ")]
    [InlineData(0.05, 0.02, 0.08, "worse: ")]
    [InlineData(0.05, -1.0, 1.0, "too few test speakers to say")]
    public void Change_IsCalledBetterOnlyWhereTheWholeIntervalIs(double value, double low, double high, string says) =>
        Assert.StartsWith(says, TranscriberWords.Change(new Measured(value, low, high)), StringComparison.Ordinal);

    [Fact]
    public void Speaker_IsSaidInWholePercents() => Assert.Equal("43 % of the words wrong, 12 % of the letters, in 3 passages", TranscriberWords.Speaker(new SpeakerErrorRates("S-1", 3, 0.1234, 0.4321)));

    [Theory]
    [InlineData("wrongWordsInLeastSure", "Share of the wrong words that stand in the least sure fifth")]
    [InlineData("cerBefore", "Letters wrong (CER), of the one before")]
    [InlineData("werWithLanguageChange", "Words wrong (WER), with language models and glossary, what changed from the one before")]
    [InlineData("auroc", "AUROC")]
    public void FigureNames_AreForPeople(string name, string said) => Assert.Equal(said, FigureNames.Of(name));

    [Theory]
    [InlineData(12, 0, false, "12 speakers")]
    [InlineData(12, 5, false, "12 speakers and 5 recordings of which nobody said who speaks")]
    [InlineData(1, 1, true, "1 other speaker and 1 recording of which nobody said who speaks")]
    [InlineData(0, 3, true, "3 recordings of which nobody said who speaks")]
    public void Voices_ARecordingOfNobodySaid_IsNoSpeaker(int speakers, int unnamed, bool other, string said) => Assert.Equal(said, TranscriberWords.Voices(speakers, unnamed, other));

    [Fact]
    public void LeftOut_SaysHowMuchAndWhy()
    {
        Assert.Null(TranscriberWords.LeftOut(new Dictionary<LeftOutFor, double>()));
        Assert.Equal("Not learnt from, and not tested with: 40 seconds in passages of more than 30 seconds.", TranscriberWords.LeftOut(new Dictionary<LeftOutFor, double> { [LeftOutFor.Length] = 40 / 60.0 }));
        var all = TranscriberWords.LeftOut(new Dictionary<LeftOutFor, double> { [LeftOutFor.NoLetters] = 0.5, [LeftOutFor.Length] = 2, [LeftOutFor.GuessedTimes] = 12 });
        Assert.StartsWith("Not learnt from, and not tested with: 12 min of texts that came without times", all, StringComparison.Ordinal);
        Assert.EndsWith(", 2 min in passages of more than 30 seconds and 30 seconds in passages without a letter from a to z.", all, StringComparison.Ordinal);
    }
}
