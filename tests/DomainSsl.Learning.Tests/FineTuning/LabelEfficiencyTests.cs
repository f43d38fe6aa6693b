using System.Text.Json;
using DomainSsl.Learning.Evaluation;
using DomainSsl.Learning.FineTuning;
using TorchSharp;

namespace DomainSsl.Learning.Tests.FineTuning;

public class LabelEfficiencyTests
{
    private static string Json(LabelEfficiencyResult result) => JsonSerializer.Serialize(result with { Choices = [.. result.Choices.Select(c => c with { Seconds = 0 })] }, LearningJson.Options);

    private sealed class Stop(int after, CancellationTokenSource source) : IProgress<FitProgress>
    {
        public int Seen { get; private set; }

        public void Report(FitProgress value)
        {
            if (value.SecondsPerFit is not null && ++Seen == after) source.Cancel();    // the first report is the plan
        }
    }

    [Fact]
    public void Run_TwoArms_GivesEveryFigureOfTheCommandLine()
    {
        using var task = new SmallTask(60, 40);
        var request = task.Request("fits");
        var result = LabelEfficiency.Run(request, null, CancellationToken.None);

        Assert.Equal([("ours", 8), ("ours", 16), ("scratch", 8), ("scratch", 16)], result.Arms.Select(a => (a.Arm, a.Budget)));
        Assert.All(result.Arms, a => Assert.Equal(2, a.Values.Count));
        Assert.All(result.Arms, a => Assert.Equal(a.Values.Average(), a.Mean, 12));
        Assert.Equal([("ours", 8), ("ours", 16)], result.Differences.Select(d => (d.Arm, d.Budget)));
        foreach (var d in result.Differences)
        {
            var (ours, scratch) = (result.Arms.Single(a => a.Arm == d.Arm && a.Budget == d.Budget), result.Arms.Single(a => a.Arm == "scratch" && a.Budget == d.Budget));
            Assert.Equal(ours.Mean - scratch.Mean, d.Mean, 12);
            Assert.True(d.Low <= d.Mean && d.Mean <= d.High);
        }
        Assert.Equal(2, result.LabelsSaved.Count);
        Assert.Equal(8, result.Choices.Count);
        Assert.Equal(["probe", "full", "mean"], result.Members.Where(m => m.Arm == "ours" && m.Budget == 8).Select(m => m.Member));
        Assert.Equal(["short", "long", "mean"], result.Members.Where(m => m.Arm == "scratch" && m.Budget == 8).Select(m => m.Member));
        // The same number of candidates for each arm, each with its cross-validated loss.
        Assert.All(result.Choices, c => Assert.Equal(3, c.Choice.Losses!.Count));
        Assert.Contains("scratch", result.Verdict);
        Assert.Equal(20, result.TestPatients);

        result.Write(task.At("out"));
        Assert.Equal(1 + 8, File.ReadAllLines(task.At("out/label-efficiency.csv")).Length);
        (result with { Arms = [result.Arms[0] with { Arm = "the \"new\", larger one" }, .. result.Arms.Skip(1)] }).Write(task.At("out"));
        Assert.StartsWith("\"the \"\"new\"\", larger one\",", File.ReadAllLines(task.At("out/label-efficiency.csv"))[1], StringComparison.Ordinal);
        Assert.True(new FileInfo(task.At("out/label-efficiency.png")).Length > 5000);
        Assert.Contains("scratch", File.ReadAllText(task.At("out/label-efficiency.svg")));
    }

    [Fact]
    public void Run_TestLabelsPermuted_MakesTheSameChoicesAndAnswers()
    {
        using var task = new SmallTask(60, 40);
        var honest = LabelEfficiency.Run(task.Request("a"), null, CancellationToken.None);
        var classes = task.Test.Select(i => i.Class).ToArray();
        new Random(3).Shuffle(classes);
        var permuted = LabelEfficiency.Run(task.Request("b") with { Test = [.. task.Test.Zip(classes, (i, c) => i with { Class = c })] }, null, CancellationToken.None);

        static IEnumerable<string> Choices(LabelEfficiencyResult r) => r.Choices.Select(c => JsonSerializer.Serialize(c with { Seconds = 0 }, LearningJson.Options));
        Assert.Equal(Choices(honest), Choices(permuted));
        static Dictionary<string, string[]> Answers(string folder) => Directory.GetFiles(folder, "fits-*.jsonl").ToDictionary(f => Path.GetFileName(f),
            f => File.ReadLines(f).Select(l => JsonDocument.Parse(l).RootElement.GetProperty("answers").GetRawText()).Order(StringComparer.Ordinal).ToArray()); // fits side by side end in any order
        Assert.Equal(Answers(task.At("a")), Answers(task.At("b")));
        Assert.NotEqual(honest.Arms.Select(a => a.Mean), permuted.Arms.Select(a => a.Mean));
    }

    [Fact]
    public void Run_StoppedAndTakenUp_EndsAsIfItHadNotBeen()
    {
        using var task = new SmallTask(60, 40);
        var whole = LabelEfficiency.Run(task.Request("whole"), null, CancellationToken.None);

        using var source = new CancellationTokenSource();
        Assert.Throws<OperationCanceledException>(() => LabelEfficiency.Run(task.Request("parts"), new Stop(3, source), source.Token));
        // Killed in the middle of a line, too.
        var file = Directory.GetFiles(task.At("parts"), "fits-*.jsonl").Single();
        var text = File.ReadAllText(file);
        File.WriteAllText(file, text[..^40]);
        var kept = text.Count(c => c == '\n') - 1; // at least two of the three; a fit beside them may have ended too
        var rest = new Stop(-1, source);
        var resumed = LabelEfficiency.Run(task.Request("parts"), rest, CancellationToken.None);

        Assert.InRange(kept, 2, 4);
        Assert.Equal(8 - kept, rest.Seen);
        Assert.Equal(Json(whole), Json(resumed));
    }

    [Fact]
    public void Run_OtherArmAdded_KeepsTheFitsAndDrawsOfTheFirst()
    {
        using var task = new SmallTask(60, 40);
        var request = task.Request("fits") with { Budgets = [8], Settings = new FitSettings { Mode = FitMode.Probe, StepShare = 0.03, MemberFolds = 0 } };
        var first = LabelEfficiency.Run(request, null, CancellationToken.None);
        using var source = new CancellationTokenSource();
        var seen = new Stop(-1, source);
        // The same weights under another name: the same draws must give a probe the same answers, so every difference between the two is nought.
        var both = LabelEfficiency.Run(request with { Arms = [.. request.Arms, request.Arms[0] with { Arm = task.Pretrained with { Name = "twin" } }] }, seen, CancellationToken.None);
        Assert.Equal(2, seen.Seen);
        Assert.Equal(first.Arms[0].Values, both.Arms[0].Values);
        var twin = both.Arms.Single(a => a.Arm == "twin");
        // (C is cross-validated with folds of the arm's own seed, so answers may differ in the last digits of a rank.)
        Assert.Equal(both.Arms[0].Mean, twin.Mean, 1);
    }

    [Fact]
    public void Run_ItemsPreparedInAnotherWay_TakesOverNoFit()
    {
        using var task = new SmallTask(24, 8);
        var request = task.Request("fits") with { Arms = [new(SmallTask.Scratch, task.TrainShard, task.TestShard)], Budgets = [8], Repeats = 1, Settings = new FitSettings { StepShare = 0.01 } };
        using var source = new CancellationTokenSource();
        int Fits(LabelEfficiencyRequest asked)
        {
            var seen = new Stop(-1, source);
            var result = LabelEfficiency.Run(asked, seen, CancellationToken.None);
            Assert.Equal((0, 1), (result.Arms[0].Low, result.Arms[0].High)); // one draw: nothing is claimed
            return seen.Seen;
        }
        Assert.Equal((1, 0, 1), (Fits(request), Fits(request), Fits(request with { Preparation = "another" })));
    }

    [Fact]
    public void Run_PatientInBothTables_IsRefused()
    {
        using var task = new SmallTask(20, 8);
        var request = task.Request("fits") with { Test = [.. task.Test.Select(i => i with { Patient = i.Index == 0 ? "A0" : i.Patient })] };
        Assert.Contains("A0", Assert.Throws<LearningException>(() => LabelEfficiency.Run(request, null, CancellationToken.None)).Message);
    }

    [Fact]
    public void Fit_ManyTimes_LeavesNoTensorsBehind()
    {
        using var task = new SmallTask(24, 8);
        long Live(string folder)
        {
            LabelEfficiency.Run(task.Request(folder) with { Budgets = [8], Repeats = 1, Settings = new FitSettings { StepShare = 0.01, MemberFolds = 2 } }, null, CancellationToken.None);
            return DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        }
        Live("warm");
        var before = Live("a");
        Assert.Equal(before, Live("b"));
    }
}
