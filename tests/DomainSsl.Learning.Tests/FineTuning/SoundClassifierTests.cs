using DomainSsl.Learning.Data;
using DomainSsl.Learning.Evaluation;
using DomainSsl.Learning.FineTuning;
using DomainSsl.Learning.Training;
using static TorchSharp.torch;

namespace DomainSsl.Learning.Tests.FineTuning;

/// <summary>Sounds on the way that images go.</summary>
public sealed class SoundClassifierTests
{
    private static TaskTrainingRequest Request(SmallSounds sounds, params Arm[] arms) => new()
    {
        Arms = [.. arms.Select(a => new TaskArm(a, sounds.TrainShard))],
        Labelled = sounds.Train,
        TestPatients = new HashSet<string>(),
        Classes = SmallSounds.Classes,
        Settings = FitSettings.Quick with { StepShare = 0.02 },
        ClassifierFolder = sounds.At("classifier"),
        Who = "speakers",
        Device = "cpu",
    };

    [Fact]
    public void Train_FromScratchOnAFewSpeakers_TellsTheSoundsOfOthersApart()
    {
        using var sounds = new SmallSounds(60, 60, 4);
        TaskTraining.Run(Request(sounds, SmallSounds.Scratch) with { Settings = FitSettings.Quick with { StepShare = 0.3 } }, null, CancellationToken.None);
        using var classifier = Classifier.Load(sounds.At("classifier"), Devices.Choose("cpu"));
        using var test = ItemSource.Open(sounds.TestShard, classifier.About.Encoder);
        Assert.Equal(["short", "long"], classifier.About.Members);
        var p = classifier.Predict(test, [.. sounds.Test.Select(i => i.Index)]).Probabilities;
        Assert.True(new Auroc(p, [.. sounds.Test.Select(i => i.Class)]).Value > 0.95);
    }

    [Fact]
    public void Train_FewSpeakersWhoSayEverything_IsCrossValidatedBySpeakerAndSaysSo()
    {
        using var sounds = new SmallSounds(36, 3, 3);
        var result = TaskTraining.Run(Request(sounds, sounds.Pretrained, SmallSounds.Scratch), null, CancellationToken.None);
        Assert.All(result.Arms, a => Assert.True(a.CrossValidated!.ContainsKey("auroc")));
        Assert.Equal(["probe", "full"], Classifier.ReadDescription(sounds.At("classifier")).Members);
        Assert.Contains("too few test speakers", result.Verdict);
        Assert.DoesNotContain("patients", result.Verdict);
    }

    [Fact]
    public void Train_AClassWithoutLabels_SaysHowManyRecordingsAreWanted()
    {
        using var sounds = new SmallSounds(24, 3, 4);
        var request = Request(sounds, SmallSounds.Scratch) with { Labelled = [.. sounds.Train.Where(i => i.Class != 2)] };
        Assert.Equal("'high' has 0 labelled recordings outside the test speakers; label at least 2 more of it.",
            Assert.Throws<LearningException>(() => TaskTraining.Run(request, null, CancellationToken.None)).Message);
    }

    [Fact]
    public void Classifier_SavedAndLoaded_AnswersTheSame_WhateverLiesBesideASound()
    {
        using var sounds = new SmallSounds(30, 30, 5);
        TaskTraining.Run(Request(sounds, sounds.Pretrained), null, CancellationToken.None);
        using var classifier = Classifier.Load(sounds.At("classifier"), Devices.Choose("cpu"));
        using var test = ItemSource.Open(sounds.TestShard, classifier.About.Encoder);
        int[] items = [.. Enumerable.Range(0, 30)];
        var answer = classifier.Predict(test, items);
        Assert.Equal((30, 3, 16), (answer.Probabilities.Count, answer.Probabilities.Classes, answer.Features.Dimensions));

        classifier.Save(sounds.At("again"));
        using var again = Classifier.Load(sounds.At("again"), Devices.Choose("cpu"));
        Assert.Equal(answer.Probabilities.Values.ToArray(), again.Predict(test, items).Probabilities.Values.ToArray());
        foreach (var i in items)
        {
            var alone = classifier.Predict(test, [i]).Probabilities;
            for (var k = 0; k < 3; k++) Assert.Equal(answer.Probabilities[i, k], alone[0, k], 3);
        }
    }

    [Fact]
    public void Source_InTraining_VariesAndCutsWhatAnAnswerHearsWhole()
    {
        using var sounds = new SmallSounds(6, 3, 2);
        using var scope = NewDisposeScope();
        using var source = ItemSource.Open(sounds.TrainShard, SmallSounds.Scratch.Spec);
        using var shard = SoundShard.Open(sounds.TrainShard);
        var whole = source.Batch([4, 1], CPU);
        Assert.Equal([shard.Lengths[4], shard.Lengths[1]], whole.Lengths!.Select(n => (int)n));
        Assert.Null(whole.Hide);
        var (settings, random) = (new FitSettings { StepSeconds = 0.1 }, new Random(1));
        var (once, twice) = (source.Varied([4, 1], settings, random, CPU), source.Varied([4, 1], settings, random, CPU));
        Assert.Equal([2, 1600], once.Values.shape);
        Assert.False(once.Values.eq(twice.Values).all().item<bool>());
        var hidden = Enumerable.Range(0, 20).Sum(_ => once.Hide!(ones(2, 100, 20)).eq(0).sum().item<long>());
        Assert.InRange(hidden, 1, 20 * 2 * 100 * 20 * 9 / 10);
    }

    [Fact]
    public void LabelEfficiency_OnSounds_GivesBalancedDrawsAccuracyAndEachSpeaker()
    {
        using var sounds = new SmallSounds(60, 30, 2);
        LabelEfficiencyRequest Asked(params LabelEfficiencyArm[] arms) => new()
        {
            Arms = arms,
            Train = sounds.Train,
            Test = sounds.Test,
            Classes = SmallSounds.Classes,
            Budgets = [9],
            Repeats = 2,
            Balanced = true,
            Settings = new FitSettings { StepShare = 0.02 },
            Folder = sounds.At("fits"),
            Who = "speakers",
            Device = "cpu",
        };
        LabelEfficiencyArm Of(Arm arm) => new(arm, sounds.TrainShard, sounds.TestShard);
        var result = LabelEfficiency.Run(Asked(Of(sounds.Pretrained), Of(SmallSounds.Scratch)), null, CancellationToken.None);

        Assert.Equal([("ours", 9), ("scratch", 9)], result.BalancedAccuracy.Select(a => (a.Arm, a.Budget)));
        Assert.All(result.BalancedAccuracy, a => Assert.Equal((2, a.Values.Average()), (a.Values.Count, a.Mean)));
        var difference = Assert.Single(result.BalancedAccuracyDifferences);
        Assert.Equal(result.BalancedAccuracy[0].Mean - result.BalancedAccuracy[1].Mean, difference.Mean, 12);
        Assert.Equal(["B0", "B1", "B0", "B1"], result.Patients.Select(p => p.Patient));
        Assert.All(result.Patients, p => Assert.Equal(15, p.Items));
        // As many sounds of each class of each speaker: the mean of the speakers' shares is the balanced accuracy.
        Assert.All(result.BalancedAccuracy, a => Assert.Equal(a.Mean, result.Patients.Where(p => p.Arm == a.Arm).Average(p => p.Accuracy), 9));
        // Two speakers allow no interval, and the verdict says what is wanting.
        Assert.Contains("too few test speakers", result.Verdict);

        Assert.Contains("of one kind", Assert.Throws<LearningException>(() => LabelEfficiency.Run(Asked(Of(sounds.Pretrained), Of(SmallTask.Scratch)), null, CancellationToken.None)).Message);
    }

    [Fact]
    public void ArmFromScratch_OnSounds_IsTheNetworkOfTheDefaultRecipe()
    {
        Assert.True(Arm.FromScratchOn("sound").Spec.SameNetwork(Recipes.Find("hubert-small").Encoder));
        Assert.Same(Arm.FromScratch, Arm.FromScratchOn("image"));
    }
}
