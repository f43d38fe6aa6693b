using System.Globalization;
using System.Text.Json;
using DomainSsl.Learning.Augmentation;
using DomainSsl.Learning.Data;
using DomainSsl.Learning.Decoding;
using DomainSsl.Learning.Encoders;
using DomainSsl.Learning.Evaluation;
using DomainSsl.Learning.Training;
using DomainSsl.Learning.Transcribing;
using DomainSsl.Learning.Weights;
using DomainSsl.Testing;
using TorchSharp;
using static TorchSharp.torch;

namespace DomainSsl.Learning.Tests.Transcribing;

public sealed class TranscriberTests
{
    private static readonly EncoderSpec Spec = new() { Architecture = "sound", Resolution = 16_000, Front = "mel", Bands = 32, Rate = 25, Width = 48, Depth = 2, Kernel = 5 };
    private static readonly TranscriberArm Scratch = new("scratch", Spec, null);

    private static readonly TranscriberSettings Quick = new()
    {
        Rates = [4e-3], FreshRates = [4e-3], Averaging = 0.9, Steps = 250, Rounds = 1, EvaluateEvery = 50, BatchSeconds = 12, HeadSteps = 0, Dropout = 0, Masks = new SpecAugmentOptions { TimeMasks = 0, BandMasks = 0 }, Distortion = new DistortionOptions { Speed = 0 },
    };

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static FittedTranscriber Fit(SoundShard shard, IReadOnlyList<SpokenItem> items, TranscriberSettings settings, TranscriberArm? arm = null) =>
        TranscriberFit.Fit(arm ?? Scratch, shard, items, Alphabet.English, settings, 1, CPU, null, Cancel);

    [Fact]
    public void Fit_OnAHandfulOfClips_LearnsThemByHeart_AndSavedItIsTheSame()
    {
        using var folder = new TemporaryFolder();
        var items = SungLetters.Write(folder.At("few.shard"), 8, 3);
        using var shard = SoundShard.Open(folder.At("few.shard"));
        using var fitted = Fit(shard, items, Quick);
        var transcriber = fitted.Transcriber;
        Assert.Null(fitted.Choice.HeldOutCer); // eight pieces are too few to hold any out
        var errors = transcriber.Texts(shard, items, Cancel).Zip(items, (text, i) => ErrorCounts.OfLetters(i.Text, text)).Aggregate(ErrorCounts.Add);
        Assert.True(errors.Rate < 0.05, $"{errors.Rate:0.000}");

        // The words stand where they were sung: 0.1 s of silence, then some 0.19 s a letter.
        var item = items.First(i => i.Text.Contains(' ', StringComparison.Ordinal));
        var sung = SungLetters.Sung(item);
        var words = transcriber.Words(transcriber.LogProbabilities([sung])[0], from: 10);
        Assert.Equal(item.Text.Split(' '), words.Select(w => w.Text));
        var second = item.Text.IndexOf(' ', StringComparison.Ordinal) + 1;
        Assert.InRange(words[0].Start, 10.0, 10.3);
        Assert.InRange(words[1].Start, 10.1 + (second - 0.8) * 0.16, 10.1 + (second + 0.8) * 0.22);
        Assert.All(words, w => Assert.InRange(w.Confidence, 0.5, 1));

        for (var i = 0; i < 2; i++) transcriber.Save(folder.At("saved"));
        Assert.Empty(Directory.GetDirectories(folder.Path, "*.tmp"));
        using var loaded = Transcriber.Load(folder.At("saved"), CPU);
        Assert.Equal(transcriber.LogProbabilities([sung])[0], loaded.LogProbabilities([sung])[0]);
        Assert.Equal(transcriber.About, loaded.About);
        File.WriteAllText(folder.At("saved", "transcriber.json"), "{");
        Assert.Throws<LearningException>(() => Transcriber.Load(folder.At("saved"), CPU));
    }

    [Fact]
    public void Fit_HoldsSpeakersOut_ChoosesByThem_AndEndsTheSameTwice()
    {
        using var folder = new TemporaryFolder();
        var items = SungLetters.Write(folder.At("some.shard"), 40, 8);
        using var shard = SoundShard.Open(folder.At("some.shard"));
        var settings = Quick with { FreshRates = [1e-5, 4e-3], TrialSteps = 40, Steps = 40, EvaluateEvery = 20, Masks = new SpecAugmentOptions(), Distortion = new DistortionOptions { Noise = 0.5 }, Dropout = 0.1, Refit = true };
        using var first = Fit(shard, items, settings);
        Assert.Equal(4e-3, first.Choice.Rate);
        Assert.Equal(2, first.Choice.Trials.Count);
        Assert.True(first.Choice.Trials[0].HeldOutCer > first.Choice.Trials[1].HeldOutCer);
        Assert.Equal(40, first.Choice.Steps);
        Assert.True(first.Choice.Refitted);
        Assert.Equal(first.Choice.HeldOutSpeakers, first.HeldOut.Select(p => p.Speaker).Distinct().Count());
        Assert.Equal(first.Choice.HeldOutCer!.Value, first.HeldOut.Select(p => ErrorCounts.OfLetters(p.Reference, p.Hypothesis)).Aggregate(ErrorCounts.Add).Rate, 9);

        // By the same speakers: how much decoding with a language model listens to it.
        Assert.NotNull(first.Transcriber.About.Beam);
        first.Transcriber.Save(folder.At("saved"));
        Assert.Equal(first.Transcriber.About, Transcriber.ReadDescription(folder.At("saved")));

        using var again = Fit(shard, items, settings);
        var sung = SungLetters.Sung(items[0]);
        Assert.Equal(first.Transcriber.LogProbabilities([sung])[0], again.Transcriber.LogProbabilities([sung])[0]);
    }

    [Fact]
    public async Task Fit_Stopped_GoesOnFromWhatItKept_AndEndsAsIfNothingHadBeen()
    {
        using var folder = new TemporaryFolder();
        var items = SungLetters.Write(folder.At("some.shard"), 40, 8);
        using var shard = SoundShard.Open(folder.At("some.shard"));
        var settings = Quick with { FreshRates = [1e-5, 4e-3], TrialSteps = 10, Steps = 30, Rounds = 2, LeastGain = -1, EvaluateEvery = 5, Masks = new SpecAugmentOptions(), Dropout = 0.1 };
        using var whole = Fit(shard, items, settings);

        // Stopped in the first round, and in the second.
        foreach (var step in new[] { 10, 35 })
        {
            using var stop = new CancellationTokenSource();
            var watching = Task.Run(() =>
            {
                var written = Directory.CreateDirectory(folder.At("fit", "checkpoints"));
                while (!written.EnumerateDirectories("step-*").Any(d => int.Parse(d.Name[5..], CultureInfo.InvariantCulture) >= step)) Thread.Sleep(1);
                stop.Cancel();
            }, Cancel);
            Assert.Throws<OperationCanceledException>(() => TranscriberFit.Fit(Scratch, shard, items, Alphabet.English, settings, 1, CPU, null, stop.Token, folder.At("fit"), 0));
            await watching;
        }
        using var again = TranscriberFit.Fit(Scratch, shard, items, Alphabet.English, settings, 1, CPU, null, Cancel, folder.At("fit"), 0);
        Assert.Equal(JsonSerializer.Serialize(whole.Choice), JsonSerializer.Serialize(again.Choice));
        var sung = SungLetters.Sung(items[0]);
        Assert.Equal(whole.Transcriber.LogProbabilities([sung])[0], again.Transcriber.LogProbabilities([sung])[0]);
    }

    [Fact]
    public void Fit_DoublesItsRounds_AndMakesNoFurtherOneWhereTheLastGainedNothing()
    {
        using var folder = new TemporaryFolder();
        var items = SungLetters.Write(folder.At("some.shard"), 24, 6);
        using var shard = SoundShard.Open(folder.At("some.shard"));
        var still = Quick with { FreshRates = [1e-9], Steps = 2, Rounds = 4, EvaluateEvery = 1 };
        using var stopped = Fit(shard, items, still);
        Assert.Equal(2 + 4, stopped.Choice.StepsTried);
        using var whole = Fit(shard, items, still with { LeastGain = -1 });
        Assert.Equal(2 + 4 + 8 + 16, whole.Choice.StepsTried);
        Assert.Contains("lower 'steps'", Assert.Throws<LearningException>(() => Fit(shard, items, still with { Rounds = 60 })).Message);
    }

    [Fact]
    public void Split_NeverPartsASpeaker_AndLeavesMostToLearnFrom()
    {
        using var folder = new TemporaryFolder();
        var items = SungLetters.Write(folder.At("some.shard"), 60, 12);
        using var shard = SoundShard.Open(folder.At("some.shard"));
        for (var seed = 1; seed < 6; seed++)
        {
            var (train, held) = TranscriberFit.Split(shard, items, 0.12, seed);
            Assert.Empty(train.Select(i => i.Speaker).Intersect(held.Select(i => i.Speaker)));
            Assert.Equal(60, train.Count + held.Count);
            Assert.InRange(held.Count, 1, 15);
        }
        // Of one speaker, pieces.
        var (rest, pieces) = TranscriberFit.Split(shard, [.. items.Select(i => i with { Speaker = "one" })], 0.12, 1);
        Assert.InRange(pieces.Count, 1, 15);
        Assert.Equal(60, rest.Count + pieces.Count);
        Assert.Empty(TranscriberFit.Split(shard, [.. items.Take(9)], 0.12, 1).Held);
        // Of one who says nearly all and two who say little, one or both of the two.
        for (var seed = 1; seed < 6; seed++)
        {
            var few = TranscriberFit.Split(shard, [.. items.Select((item, i) => item with { Speaker = i == 7 ? "two" : i == 23 ? "three" : "one" })], 0.02, seed).Held;
            Assert.NotEmpty(few);
            Assert.DoesNotContain("one", few.Select(i => i.Speaker));
        }
    }

    [Fact]
    public void HeadSteps_LeaveAPretrainedEncoderAsItWas_TillTheyAreOver()
    {
        using var folder = new TemporaryFolder();
        var items = SungLetters.Write(folder.At("few.shard"), 8, 3);
        using var shard = SoundShard.Open(folder.At("few.shard"));
        using var encoder = EncoderFactory.Create(Spec, 3);
        EncoderWeights.Save(encoder, folder.At("encoder.safetensors"));
        var arm = new TranscriberArm("ours", Spec, folder.At("encoder.safetensors"));
        bool Moved(TranscriberSettings settings, string name)
        {
            using var fitted = Fit(shard, items, settings, arm);
            fitted.Transcriber.Save(folder.At("fitted"));
            using var after = SafeTensors.Read(folder.At("fitted", "network.safetensors"));
            return !after.Tensors["encoder." + name].bytes.SequenceEqual(encoder.state_dict()[name].bytes);
        }
        const string weight = "blocks.1.conv1.weight", first = "conv0.weight";
        var settings = Quick with { Steps = 4, HeadSteps = 4 };
        Assert.False(Moved(settings, weight) || Moved(settings, first) || Moved(settings, "norm.bias"));
        Assert.True(Moved(settings with { HeadSteps = 3 }, weight));
        // Blocks that begin afresh are others from the start, those before them are not.
        Assert.True(Moved(settings with { FreshBlocks = 1 }, weight));
        Assert.False(Moved(settings with { FreshBlocks = 1 }, "blocks.0.conv1.weight"));
        using var shorter = Fit(shard, items, settings with { DroppedBlocks = 1, Layers = "mix" }, arm);
        Assert.Equal(1, shorter.Transcriber.About.Encoder.Depth);
    }

    [Fact]
    public void Head_ThatComesWithAnEncoder_ReadsFromTheFirstStep_AndIsLeftWhereItCannotServe()
    {
        using var folder = new TemporaryFolder();
        var items = SungLetters.Write(folder.At("few.shard"), 8, 3);
        using var shard = SoundShard.Open(folder.At("few.shard"));
        using (var reader = Fit(shard, items, Quick)) reader.Transcriber.SaveEncoder(folder.At("encoder.safetensors"), ScalarType.Float16);
        var arm = new TranscriberArm("reader", Spec, folder.At("encoder.safetensors"));
        double Errors(TranscriberSettings settings)
        {
            // Of another seed: with the same one a fresh head would be what the head that reads had begun as.
            using var fitted = TranscriberFit.Fit(arm, shard, items, Alphabet.English, settings, 2, CPU, null, Cancel);
            return fitted.Transcriber.Texts(shard, items, Cancel).Zip(items, (text, i) => ErrorCounts.OfLetters(i.Text, text)).Aggregate(ErrorCounts.Add).Rate;
        }
        // One step at next to no rate: what is read then was brought along.
        var one = Quick with { Rates = [1e-9], Steps = 1, Averaging = 0 };
        Assert.InRange(Errors(one), 0, 0.05);
        Assert.InRange(Errors(one with { TakeHead = false }), 0.5, 10);
        Assert.InRange(Errors(one with { Layers = "mix" }), 0.5, 10);
        // As an encoder like any other it is read without its head.
        using var encoder = EncoderWeights.Load(folder.At("encoder.safetensors"), CPU);
        Assert.True(encoder.Spec.SameNetwork(Spec));
    }

    [Theory]
    [InlineData("last")]
    [InlineData("mix")]
    public void LogProbabilities_BesideALongerSound_AreThoseOfTheSoundAlone(string layers)
    {
        using var folder = new TemporaryFolder();
        var items = SungLetters.Write(folder.At("few.shard"), 6, 3);
        using var shard = SoundShard.Open(folder.At("few.shard"));
        using var fitted = Fit(shard, items, Quick with { Steps = 5, Layers = layers });
        var (shorter, longer) = (SungLetters.Sung(items[0] with { Text = "abc" }), SungLetters.Sung(items[0] with { Text = "de abcde" }));
        var (alone, together) = (fitted.Transcriber.LogProbabilities([shorter])[0], fitted.Transcriber.LogProbabilities([longer, shorter])[1]);
        Assert.Equal((shorter.Length + 639) / 640 * 29, alone.Length);
        Assert.Equal(alone.Length, together.Length);
        Assert.All(alone.Zip(together), p => Assert.Equal(p.First, p.Second, 2e-3f));
    }

    [Fact]
    public void Fit_OfMoreSteps_LeavesNoMoreTensorsBehind()
    {
        using var folder = new TemporaryFolder();
        var items = SungLetters.Write(folder.At("some.shard"), 12, 4);
        using var shard = SoundShard.Open(folder.At("some.shard"));
        long Left(int steps)
        {
            var before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
            Fit(shard, items, Quick with { Steps = steps, EvaluateEvery = 2, Dropout = 0.1, HeadSteps = 2, Masks = new SpecAugmentOptions() }).Dispose();
            return DisposeScopeManager.Statistics.ThreadTotalLiveCount - before;
        }
        Left(2);
        Assert.Equal(Left(4), Left(12));
    }

    [Fact]
    public void WhatCannotBeLearntFrom_IsSaid()
    {
        using var folder = new TemporaryFolder();
        var items = SungLetters.Write(folder.At("few.shard"), 3, 3);
        using var shard = SoundShard.Open(folder.At("few.shard"));
        Assert.Contains("None of the transcribed recordings", Assert.Throws<LearningException>(() => Fit(shard, [.. items.Select(i => i with { Text = new string('a', 500) })], Quick)).Message);
        Assert.Throws<LearningException>(() => Fit(shard, items, Quick with { Layers = "first" }));
        Assert.Contains("leave at least one", Assert.Throws<LearningException>(() => Fit(shard, items, Quick with { DroppedBlocks = 2 })).Message);
    }
}
