using System.Text.Json;
using DomainSsl.Learning.Evaluation;
using DomainSsl.Learning.FineTuning;

namespace DomainSsl.Learning.Tests.FineTuning;

public class TaskTrainingTests
{
    private static TaskTrainingRequest Request(SmallTask task, int testPatients) => new()
    {
        Arms = [new(task.Pretrained, task.TrainShard), new(task.Pretrained with { Name = "public" }, task.TrainShard), new(SmallTask.Scratch, task.TrainShard)],
        Labelled = task.Train,
        TestPatients = task.Train.Select(i => i.Patient).Distinct().Take(testPatients).ToHashSet(),
        Classes = ["normal", "disc"],
        Settings = FitSettings.Quick with { StepShare = 0.03 },
        ClassifierFolder = task.At("classifier"),
        Device = "cpu",
    };

    [Fact]
    public void Run_FewTestPatients_AddsCrossValidationAndComparesByIt()
    {
        using var task = new SmallTask(40, 4);
        var result = TaskTraining.Run(Request(task, 8), null, CancellationToken.None);
        Assert.Equal((24, 12, 16, 8), (result.TrainItems, result.TrainPatients, result.TestItems, result.TestPatients));
        Assert.Equal(["ours", "public", "scratch"], result.Arms.Select(a => a.Arm));
        Assert.All(result.Arms, a => Assert.True(a.CrossValidated!.ContainsKey("auroc") && a.Metrics.ContainsKey("auroc")));
        Assert.Equal(["probe", "full", "mean"], result.Arms[0].Members.Keys);
        Assert.Equal(["public", "scratch"], result.Comparisons.Select(c => c.Against));
        Assert.All(result.Comparisons, c => Assert.True(c.CrossValidated && c.Finding == Verdict.Of(c.Auroc)));
        Assert.StartsWith("On patients it was not fitted on, ours reaches an AUROC of", result.Verdict);
        Assert.Contains(result.Comparisons[1].Sentence, result.Verdict);
    }

    [Fact]
    public void Run_EnoughTestPatients_LetsThemAloneSpeak()
    {
        using var task = new SmallTask(100, 4);
        var result = TaskTraining.Run(Request(task, 36), null, CancellationToken.None);
        Assert.All(result.Arms, a => Assert.Null(a.CrossValidated));
        Assert.All(result.Comparisons, c => Assert.False(c.CrossValidated));
    }

    [Fact]
    public void Run_NoTestPatients_StillGivesAFigure()
    {
        using var task = new SmallTask(24, 4);
        var result = TaskTraining.Run(Request(task, 0), null, CancellationToken.None);
        Assert.All(result.Arms, a => Assert.Empty(a.Metrics));
        Assert.Equal(2, result.Comparisons.Count);
        Assert.Contains("cross-validated on the 24 labels", result.Verdict);
    }

    [Fact]
    public void Run_TestLabelsChanged_LeaveTheClassifierAsItWas()
    {
        using var task = new SmallTask(40, 4);
        var request = Request(task, 8);
        TaskTraining.Run(request, null, CancellationToken.None);
        var flipped = request with
        {
            Labelled = [.. request.Labelled.Select(i => request.TestPatients.Contains(i.Patient) ? i with { Class = 1 - i.Class } : i)],
            ClassifierFolder = task.At("flipped"),
        };
        TaskTraining.Run(flipped, null, CancellationToken.None);
        foreach (var file in Directory.GetFiles(task.At("classifier")))
            Assert.Equal(File.ReadAllBytes(file), File.ReadAllBytes(Path.Combine(task.At("flipped"), Path.GetFileName(file))));
    }

    [Fact]
    public void Run_StoppedAndTakenUp_EndsAsIfItHadNotBeen()
    {
        using var task = new SmallTask(40, 4);
        var request = Request(task, 8);
        var whole = TaskTraining.Run(request, null, CancellationToken.None);

        var kept = request with { ClassifierFolder = task.At("taken up"), FitsFolder = task.At("fits") };
        using var source = new CancellationTokenSource();
        Assert.Throws<OperationCanceledException>(() => TaskTraining.Run(kept, new Watch { StopAfter = 6, Source = source }, source.Token));
        // Killed in the middle of a line, too.
        var file = Directory.GetFiles(task.At("fits"), "*.jsonl").Single();
        var text = File.ReadAllText(file);
        File.WriteAllText(file, text[..^30]);
        var done = text.Count(c => c == '\n') - 1; // at least five of the six; a fit beside the last may have ended too
        Assert.InRange(done, 5, 8);
        var rest = new Watch();
        var resumed = TaskTraining.Run(kept, rest, CancellationToken.None);

        Assert.Equal(12 - done, rest.Seen);
        Assert.Equal(JsonSerializer.Serialize(whole, LearningJson.Options), JsonSerializer.Serialize(resumed, LearningJson.Options));
        foreach (var saved in Directory.GetFiles(task.At("classifier")))
            Assert.Equal(File.ReadAllBytes(saved), File.ReadAllBytes(Path.Combine(task.At("taken up"), Path.GetFileName(saved))));
        var nothing = new Watch();
        TaskTraining.Run(kept, nothing, CancellationToken.None);
        Assert.Equal(0, nothing.Seen);
        Directory.Delete(task.At("taken up"), recursive: true);
        TaskTraining.Run(kept, nothing, CancellationToken.None);
        Assert.Equal(1, nothing.Seen); // a fit whose classifier is gone is none
    }

    private sealed class Watch : IProgress<FitProgress>
    {
        public int StopAfter { get; init; }

        public CancellationTokenSource? Source { get; init; }

        public int Seen { get; private set; }

        public void Report(FitProgress value)
        {
            if (++Seen == StopAfter) Source?.Cancel();
        }
    }

    [Fact]
    public void Run_OneClassWithoutLabels_SaysWhichAndHowMany()
    {
        using var task = new SmallTask(24, 4);
        var request = Request(task, 0) with { Labelled = [.. task.Train.Where(i => i.Class == 0)] };
        Assert.Equal("'disc' has 0 labelled images outside the test patients; label at least 2 more of it.",
            Assert.Throws<LearningException>(() => TaskTraining.Run(request, null, CancellationToken.None)).Message);
    }

    [Fact]
    public void Classifier_SavedAndLoaded_AnswersTheSame()
    {
        using var task = new SmallTask(40, 30);
        TaskTraining.Run(Request(task, 8), null, CancellationToken.None);
        using var classifier = Classifier.Load(task.At("classifier"), Devices.Choose("cpu"));
        using var test = ItemSource.Open(task.TestShard, classifier.About.Encoder);
        int[] items = [.. Enumerable.Range(0, 30)];
        var answer = classifier.Predict(test, items);
        Assert.Equal(["probe", "full"], classifier.About.Members);
        Assert.Equal((30, 2), (answer.Probabilities.Count, answer.Probabilities.Classes));
        Assert.Equal((30, 16), (answer.Features.Count, answer.Features.Dimensions));
        Assert.All(items, i => Assert.Equal(answer.Probabilities.Uncertainty(i), answer.Uncertainty[i], 12));

        classifier.Save(task.At("again"));
        using var again = Classifier.Load(task.At("again"), Devices.Choose("cpu"));
        Assert.Equal(answer.Probabilities.Values.ToArray(), again.Predict(test, items).Probabilities.Values.ToArray());
    }

    [Fact]
    public void Classifier_FromScratch_KeepsBothNetworksAndLearns()
    {
        using var task = new SmallTask(60, 40, noise: 0.05);
        var request = Request(task, 0) with { Arms = [new(SmallTask.Scratch, task.TrainShard)], Settings = FitSettings.Quick };
        TaskTraining.Run(request, null, CancellationToken.None);
        using var classifier = Classifier.Load(task.At("classifier"), Devices.Choose("cpu"));
        using var test = ItemSource.Open(task.TestShard, classifier.About.Encoder);
        Assert.Equal(["short", "long"], classifier.About.Members);
        var p = classifier.Predict(test, [.. task.Test.Select(i => i.Index)]).Probabilities;
        Assert.True(new Auroc(p, [.. task.Test.Select(i => i.Class)]).Value > 0.8);
    }

    [Fact]
    public void Classifier_DamagedDescription_IsRefusedWithASentence()
    {
        using var task = new SmallTask(8, 4);
        Directory.CreateDirectory(task.At("bad"));
        File.WriteAllText(Path.Combine(task.At("bad"), "classifier.json"), "{");
        Assert.Contains("train the task again", Assert.Throws<LearningException>(() => Classifier.Load(task.At("bad"), Devices.Choose("cpu"))).Message);
    }
}
