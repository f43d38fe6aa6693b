using System.Text.Json;
using DomainSsl.Learning.Augmentation;
using DomainSsl.Learning.Encoders;
using DomainSsl.Learning.Evaluation;
using DomainSsl.Learning.FineTuning;
using DomainSsl.Learning.Transcribing;
using DomainSsl.Learning.Weights;
using DomainSsl.Testing;

namespace DomainSsl.Learning.Tests.Transcribing;

public sealed class SpeechEfficiencyTests
{
    private static readonly EncoderSpec Spec = new() { Architecture = "sound", Resolution = 16_000, Front = "mel", Bands = 20, Rate = 25, Width = 16, Depth = 1, Kernel = 5 };

    private static SpeechEfficiencyRequest Request(TemporaryFolder folder, string fits)
    {
        using var encoder = EncoderFactory.Create(Spec, 3);
        EncoderWeights.Save(encoder, folder.At("encoder.safetensors"));
        var (train, test) = (SungLetters.Write(folder.At("train.shard"), 90, 9), SungLetters.Write(folder.At("test.shard"), 24, 6));
        return new SpeechEfficiencyRequest
        {
            Arms = [new TranscriberArm("ours", Spec, folder.At("encoder.safetensors")), new TranscriberArm(Arm.Scratch, Spec, null)], TrainShard = folder.At("train.shard"), TestShard = folder.At("test.shard"), Train = train,
            Test = [.. test.Select(i => i with { Speaker = "test " + i.Speaker })], Budgets = [1, 2], Repeats = 2, Folder = folder.At(fits),
            Settings = new TranscriberSettings { Rates = [4e-3], FreshRates = [4e-3], Steps = 12, Rounds = 1, EvaluateEvery = 6, BatchSeconds = 12, HeadSteps = 2, Distortion = new DistortionOptions { Speed = 0 } },
        };
    }

    private static string Json(SpeechEfficiencyResult result) => JsonSerializer.Serialize(result with { Draws = [.. result.Draws.Select(d => d with { Seconds = 0 })] }, LearningJson.Options);

    [Fact]
    public void Run_GivesEveryArmTheSameMinutes_AndSaysWhatTheIntervalsAllow_AndGoesOnWhereItWasStopped()
    {
        using var folder = new TemporaryFolder();
        var request = Request(folder, "fits");
        var result = SpeechEfficiency.Run(request, null, TestContext.Current.CancellationToken);
        Assert.Equal("cer", result.Metric);
        Assert.Equal([("ours", 1), ("ours", 2), ("scratch", 1), ("scratch", 2)], result.Arms.Select(a => (a.Arm, a.Budget)));
        Assert.All(result.Arms, a => Assert.Equal(a.Values.Average(), a.Mean, 12));
        foreach (var d in result.Differences)
        {
            var (ours, scratch) = (result.Arms.Single(a => a.Arm == d.Arm && a.Budget == d.Budget), result.Arms.Single(a => a.Arm == "scratch" && a.Budget == d.Budget));
            Assert.Equal(ours.Mean - scratch.Mean, d.Mean, 12);
            Assert.Equal(ours.Mean / scratch.Mean, result.Ratios.Single(r => r.Budget == d.Budget).Mean, 12);
            Assert.True(d.Low <= d.Mean && d.Mean <= d.High);
            foreach (var (rates, differences) in new[] { (result.Wer, result.WerDifferences), (result.WerWithLanguage, result.WerWithLanguageDifferences) })
            {
                double Mean(string arm) => rates.Single(a => a.Arm == arm && a.Budget == d.Budget).Mean;
                var words = differences.Single(w => w.Arm == d.Arm && w.Budget == d.Budget);
                Assert.Equal(Mean(d.Arm) - Mean("scratch"), words.Mean, 12);
                Assert.True(words.Low <= words.Mean && words.Mean <= words.High);
            }
            // Twelve steps on weights that were never pretrained: whatever comes, nothing may be called a gain unless its interval lies below zero.
            Assert.Equal(d.High < 0, result.Verdict.Contains($"With {d.Budget} minute", StringComparison.Ordinal) && result.Comparisons.Single(c => c.Budget == d.Budget).Finding == Finding.Gain);
        }
        Assert.Equal(6, result.TestPatients);
        foreach (var draw in result.Draws.GroupBy(d => (d.Budget, d.Draw)))
        {
            Assert.Single(draw.Select(d => (d.Minutes, d.Choice.HeldOutSpeakers)).Distinct());
            Assert.InRange(draw.First().Minutes, Math.Min(draw.Key.Budget, 1.7), draw.Key.Budget + 0.1);
        }
        result.Write(folder.At("out"), new Dictionary<string, string> { ["ours"] = "our dictations" });
        Assert.Contains("our dictations", File.ReadAllText(folder.At("out", "label-efficiency.svg")));
        Assert.Equal(1 + 8, File.ReadAllLines(folder.At("out", "label-efficiency.csv")).Length);

        // Stopped in the middle and asked for again, the end is the same, and what was done is not done again.
        using var stop = new CancellationTokenSource();
        var again = request with { Folder = folder.At("again") };
        var third = new Stopping(0.3, stop);
        Assert.Throws<OperationCanceledException>(() => SpeechEfficiency.Run(again, third, stop.Token));
        var kept = Directory.GetFiles(folder.At("again")).Sum(f => File.ReadAllLines(f).Length);
        Assert.InRange(kept, 1, 7);
        File.AppendAllText(Directory.GetFiles(folder.At("again"))[0], "{\"budget\":1,\"dra"); // as a kill leaves it
        var said = new Said();
        Assert.Equal(Json(result), Json(SpeechEfficiency.Run(again, said, TestContext.Current.CancellationToken)));
        // It goes on counting from what had been kept, and says so until the last.
        Assert.All(said.Stages, s => Assert.InRange(int.Parse(s.Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture), kept, 8));
        Assert.StartsWith("8 of 8 fits done; ", said.Stages[^1]);
    }

    [Fact]
    public void Run_WhatCannotBe_IsSaid()
    {
        using var folder = new TemporaryFolder();
        var request = Request(folder, "fits");
        string Said(SpeechEfficiencyRequest r) => Assert.Throws<LearningException>(() => SpeechEfficiency.Run(r, null, TestContext.Current.CancellationToken)).Message;
        Assert.Contains("ask for fewer", Said(request with { Budgets = [60] }));
        Assert.Contains("from scratch", Said(request with { Arms = [request.Arms[0]] }));
        Assert.Contains("in both tables", Said(request with { Test = request.Train }));
    }

    [Theory]
    [InlineData(-0.10, -0.15, -0.05, "is better than scratch: CER is lower by 0.100 (95 % interval 0.050 to 0.150)")]
    [InlineData(0.10, 0.05, 0.15, "is worse than scratch: CER is higher by 0.100 (95 % interval 0.050 to 0.150)")]
    [InlineData(-0.01, -0.03, 0.01, "there is no gain over scratch: the difference in CER is −0.010 (95 % interval −0.030 to +0.010)")]
    [InlineData(-0.05, -0.20, 0.10, "no gain of ours over scratch is shown")]
    public void Verdict_IsAGain_OnlyWhereTheWholeIntervalIsBelowZero(double value, double low, double high, string said) =>
        Assert.Contains(said, SpeechVerdict.Summary([new Compared("ours", "scratch", 15, new Interval(value, low, high))]));

    private sealed class Said : IProgress<TranscriberProgress>
    {
        public List<string> Stages { get; } = [];

        public void Report(TranscriberProgress value) => Stages.Add(value.Stage);
    }

    private sealed class Stopping(double at, CancellationTokenSource stop) : IProgress<TranscriberProgress>
    {
        public void Report(TranscriberProgress value)
        {
            if (value.Share >= at) stop.Cancel();
        }
    }
}
