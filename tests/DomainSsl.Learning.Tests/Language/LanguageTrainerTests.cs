using DomainSsl.Learning.Decoding;
using DomainSsl.Learning.Health;
using DomainSsl.Learning.Language;
using DomainSsl.Learning.Training;
using DomainSsl.Testing;
using TorchSharp;

namespace DomainSsl.Learning.Tests.Language;

public class LanguageTrainerTests
{
    private static readonly LanguageRecipe Small = new()
    {
        Network = new LanguageSpec { Kind = "causal", Width = 32, Depth = 2, Heads = 2, Context = 48 }, Batch = 16, Optimiser = new RecipeOptimiser { Rate = 6e-3, Clip = 1, WeightDecay = 0.01 },
    };

    private static LanguageLine[] Reports(int count) => [.. Enumerable.Range(0, count).Select(i => new LanguageLine($"report {i}", MadeReports.Sentence(i)))];

    private static LanguageLine[] SpeechOcean()
    {
        var path = SharedData.Path("speech/speechocean/train.csv");
        return [.. File.ReadLines(path).Skip(1).Select(l => l.Split(',')).Select(f => new LanguageLine(f[1], f[5]))];
    }

    [Fact]
    public void Parts_AreCutBetweenSpeakers_AndNoHeldOutSentenceIsLearntFrom()
    {
        var lines = SpeechOcean();
        var parts = LanguageParts.Of(lines, Alphabet.English);
        Assert.False(parts.BySentence);
        var (choosers, testers) = (parts.Choose.Select(l => l.Group).ToHashSet(), parts.Test.Select(l => l.Group).ToHashSet());
        Assert.Empty(choosers.Intersect(testers));
        var learnt = parts.Train.ToHashSet();
        Assert.DoesNotContain(parts.Test, l => learnt.Contains(l.Text));
        Assert.DoesNotContain(parts.Choose, l => learnt.Contains(l.Text));
        Assert.Empty(parts.Choose.Select(l => l.Text).Intersect(parts.Test.Select(l => l.Text)));
        // What others than those speakers said is all there.
        Assert.Equal(lines.Where(l => !choosers.Contains(l.Group) && !testers.Contains(l.Group)).Count(), parts.Train.Count);
        Assert.Equal(parts.Hash, LanguageParts.Of(lines.Reverse(), Alphabet.English).Hash);
        Assert.Equal(parts.Test, LanguageParts.Of(lines.Reverse(), Alphabet.English).Test);
    }

    [Fact]
    public void Parts_OfOneReport_AreCutBetweenDifferentSentences_AndTooShortATextIsRefusedWithoutQuotingIt()
    {
        var one = new LanguageLine("report", string.Join(' ', Reports(60).Select(r => r.Text)));
        var parts = LanguageParts.Of([one, one], Alphabet.English);
        Assert.True(parts.BySentence);
        Assert.InRange(parts.Test.Count, 4, 12);
        Assert.Empty(parts.Test.Select(l => l.Text).Intersect(parts.Train));
        var refused = Assert.Throws<LearningException>(() => LanguageParts.Of([new LanguageLine("a", "Mister Smith is well. Mister Smith is well.")], Alphabet.English));
        Assert.Contains("only 1 sentence", refused.Message);
        Assert.DoesNotContain("Smith", refused.Message, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void NGram_OnRealText_NeedsFewerBitsThanLettersAlone_AndSaysHowManyWordsItHasNeverSeen()
    {
        var parts = LanguageParts.Of(SpeechOcean(), Alphabet.English);
        var lengths = new List<int>();
        var (models, figures) = NGramTraining.Run(parts, Alphabet.English, (i, n, _) => { Assert.Equal(11, n); lengths.Add(i); });
        Assert.Equal(Enumerable.Range(1, 11), lengths);
        TestContext.Current.TestOutputHelper?.WriteLine($"{figures} words {models.Words.Order}, letters {models.Letters.Order}");
        Assert.InRange(figures.BaselineBitsPerLetter, 3.8, 4.6);
        Assert.InRange(figures.BitsPerLetter, 1.5, 3);
        Assert.True(figures.Gain.Low > 1 && figures.Gain.Covers(figures.BaselineBitsPerLetter - figures.BitsPerLetter));
        Assert.InRange(figures.UnknownWords!.Value, 0.01, 0.6);
        using var folder = new TemporaryFolder();
        models.Save(folder.Path);
        Assert.Equal(models.Letters.Score("we▁are"), NGramPair.Load(folder.Path).Letters.Score("we▁are"));
    }

    [Theory]
    [InlineData("causal")]
    [InlineData("masked")]
    public void Network_OnReports_ForetellsThoseItHasNotSeen_AndTheVerdictSaysSo(string kind)
    {
        using var folder = new TemporaryFolder();
        var result = LanguageTrainer.Run(Request(folder, Small with { Network = Small.Network with { Kind = kind } }, kind == "causal" ? 120 : 240), new NoWatcher(), TestContext.Current.CancellationToken);
        TestContext.Current.TestOutputHelper?.WriteLine($"{result.Figures}");
        Assert.True(result.Figures.Gain.Low > 0.5, result.Figures.ToString());
        Assert.Contains("not seen it needs", result.Figures.Verdict);
        Assert.Equal(kind == "causal", result.Figures.NGramBitsPerLetter is not null);
        // The curve has the held-out figure with its baseline, and it falls.
        var looks = MetricsFile.Read(folder.Path).Where(l => l.Metrics.ContainsKey("bitsPerLetter")).ToList();
        Assert.Equal(21, looks.Count);
        Assert.True(looks.Min(l => l.Metrics["bitsPerLetter"]) < looks[0].Metrics["baselineBitsPerLetter"] - 0.5);
        Assert.Equal(looks.MinBy(l => l.Metrics["bitsPerLetter"])!.Step, result.BestStep);
    }

    [Fact]
    public void Network_ThatHasHardlyLearnt_ClaimsNoGain()
    {
        using var folder = new TemporaryFolder();
        var result = LanguageTrainer.Run(Request(folder, Small, 1), new NoWatcher(), TestContext.Current.CancellationToken);
        Assert.True(result.Figures.Gain.Low < 0);
        Assert.Contains("no gain", result.Figures.Verdict);
    }

    [Theory]
    [InlineData("causal")]
    [InlineData("masked")]
    public void Network_StoppedAndTakenUpAgain_EndsWithTheSameBits(string kind)
    {
        using var folders = new TemporaryFolder();
        var recipe = Small with { Network = Small.Network with { Kind = kind }, Checkpoint = new RecipeCheckpoint { Steps = 7 }, Log = new RecipeLog { Steps = 5 } };
        var (whole, parted) = (Request(folders, recipe, 30, "whole"), Request(folders, recipe, 30, "parted"));
        LanguageTrainer.Run(whole, new NoWatcher(), TestContext.Current.CancellationToken);
        using var stop = new CancellationTokenSource();
        Assert.Throws<OperationCanceledException>(() => LanguageTrainer.Run(parted, new StopAt(20, stop), stop.Token));
        // As a killed process leaves it: the last checkpoint is older than the curve.
        Directory.Delete(Directory.GetDirectories(Path.Combine(parted.RunFolder, "checkpoints")).Order().Last(), recursive: true);
        var started = new StopAt(int.MaxValue, stop);
        LanguageTrainer.Run(parted, started, TestContext.Current.CancellationToken);
        Assert.Equal(14, started.From);
        Assert.Equal(File.ReadAllBytes(Path.Combine(whole.RunFolder, "language.safetensors")), File.ReadAllBytes(Path.Combine(parted.RunFolder, "language.safetensors")));
        Assert.Equal(MetricsFile.Read(whole.RunFolder).Select(l => (l.Step, l.Loss)), MetricsFile.Read(parted.RunFolder).Select(l => (l.Step, l.Loss)));
        Assert.Contains("seed", Assert.Throws<LearningException>(() => LanguageTrainer.Run(parted with { Seed = 9 }, new NoWatcher(), default)).Message);
    }

    [Fact]
    public void Network_ManySteps_LeavesNoTensors()
    {
        using var folder = new TemporaryFolder();
        LanguageTrainer.Run(Request(folder, Small, 2, "a"), new NoWatcher(), default);
        var live = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        LanguageTrainer.Run(Request(folder, Small, 12, "b"), new NoWatcher(), default);
        Assert.Equal(live, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    private static LanguageTrainRequest Request(TemporaryFolder folder, LanguageRecipe recipe, int steps, string name = "") => new()
    {
        Recipe = recipe, Parts = LanguageParts.Of(Reports(150), Alphabet.English), RunFolder = Directory.CreateDirectory(folder.At(name)).FullName, MaxSteps = steps, Seed = 2, Device = "cpu",
    };

    private sealed class StopAt(int step, CancellationTokenSource stop) : IRunWatcher
    {
        public int From { get; private set; }

        public void Started(RunStart start) => From = start.Step;

        public void Stepped(MetricsLine line, RunHealth health)
        {
            if (line.Step >= step) stop.Cancel();
        }

        public void Checked(int at, string folder) { }

        public void Ended(TrainResult result) { }
    }
}
