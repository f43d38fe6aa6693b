using DomainSsl.Learning.Encoders;
using DomainSsl.Learning.Objectives;
using DomainSsl.Learning.Tests.Encoders;
using DomainSsl.Learning.Training;
using DomainSsl.Learning.Weights;
using DomainSsl.Testing;
using TorchSharp;
using static TorchSharp.torch;

namespace DomainSsl.Learning.Tests.Objectives;

public sealed class HubertTests
{
    private static readonly HubertOptions Options = new()
    {
        MaskLength = 4, CompareWidth = 16, ClusterFrames = 300, Rounds = [new() { Clusters = 8 }, new() { From = 0.5, Clusters = 6, Block = 1 }],
    };

    [Fact]
    public void Coefficients_EqualTheCosineTransformWrittenOut_AndSlopes()
    {
        using var scope = NewDisposeScope();
        var mel = randn(1, 9, 20);
        var ours = Hubert.Coefficients(mel);
        Assert.Equal([1, 9, 39], ours.shape);
        double C(int t, int k) => Enumerable.Range(0, 20).Sum(m => mel[0, Math.Clamp(t, 0, 8), m].item<float>() * Math.Cos(Math.PI * k * (m + 0.5) / 20)) * Math.Sqrt(2.0 / 20);
        for (var t = 0; t < 9; t++)
            for (var k = 0; k < 13; k++)
            {
                Assert.Equal(C(t, k), ours[0, t, k].item<float>(), 1e-3);
                Assert.Equal((C(t + 1, k) - C(t - 1, k) + 2 * (C(t + 2, k) - C(t - 2, k))) / 10, ours[0, t, 13 + k].item<float>(), 1e-3);
            }
    }

    [Fact]
    public void BeforeStep_ClustersTheSoundsToCome_SoThatVowelsFallApart()
    {
        using var scope = NewDisposeScope();
        using var objective = (Hubert)Create();
        objective.BeforeStep(0, 0, Look);
        var batch = Look(0);
        var targets = objective.Targets(batch.Views[0], batch.Lengths, 0);
        Assert.Equal([3, 32], targets.shape);
        Assert.True(objective.Measure(objective.Loss(batch))["codebookPerplexity"] > 3);
        Assert.InRange(targets.max().item<long>(), 1, 7);
    }

    [Fact]
    public void Clusters_AfterACheckpointIsRestored_AreTheSame()
    {
        using var folder = new TemporaryFolder();
        using var scope = NewDisposeScope();
        using var objective = (Hubert)Create();
        objective.BeforeStep(0, 0, Look);
        objective.BeforeStep(5, 0.5, Look);
        SafeTensors.Write(folder.At("heads.safetensors"), objective.Heads.state_dict());
        using var other = (Hubert)Options.Create(EncoderFactory.Create(SoundEncoderTests.Mel, 4), new RandomStream(99));
        using (var saved = SafeTensors.Read(folder.At("heads.safetensors"))) EncoderWeights.Restore(other.Heads, saved.Tensors, "here");
        other.BeforeStep(6, 0.6, _ => throw new InvalidOperationException("Nothing is to be clustered again."));
        var batch = Look(3);
        foreach (var round in new[] { 0, 1 })
            Assert.True(objective.Targets(batch.Views[0], batch.Lengths, round).eq(other.Targets(batch.Views[0], batch.Lengths, round)).all().item<bool>());
        Assert.Equal(2, other.Measure(other.Loss(batch))["round"]);
    }

    [Fact]
    public void Loss_EqualsEquation3WrittenOut_OverHiddenFramesAlone()
    {
        using var scope = NewDisposeScope();
        using var objective = (Hubert)Create();
        objective.BeforeStep(0, 0, Look);
        var loss = objective.Loss(Look(1));
        var heads = objective.Heads.state_dict();
        var (o, targets) = (loss.Parts["context"], loss.Parts["targets"].data<long>().ToArray());
        var projected = nn.functional.linear(o, heads["projection0.weight"], heads["projection0.bias"]);
        double sum = 0;
        for (var i = 0; i < targets.Length; i++)
        {
            var scores = Enumerable.Range(0, 8).Select(c =>
            {
                var e = heads["clusters0"][c];
                return Math.Exp((projected[i] * e).sum().item<float>() / (projected[i].norm().item<float>() * e.norm().item<float>()) / 0.1);
            }).ToList();
            sum -= Math.Log(scores[(int)targets[i]] / scores.Sum());
        }
        Assert.Equal(sum / targets.Length, loss.Value.item<float>(), 1e-3);
        var mask = SpanMask.Draw([32, 24, 16], Options.MaskStart, Options.MaskLength, new RandomStream(9));
        Assert.Equal(mask.OfItem.Sum(m => m.Count), targets.Length);
    }

    [Fact]
    public void Loss_WithAlphaBelowOne_CountsTheOthersToo()
    {
        using var scope = NewDisposeScope();
        float Of(double alpha)
        {
            using var objective = (Hubert)Create(Options with { Alpha = alpha });
            objective.BeforeStep(0, 0, Look);
            return objective.Loss(Look(1)).Value.item<float>();
        }
        var (hidden, both, others) = (Of(1), Of(0.5), Of(0));
        Assert.Equal((hidden + others) / 2, both, 1e-4);
        Assert.NotEqual(hidden, others);
    }

    [Fact]
    public void Teacher_IsTheEncoderAsItWas_AndIsNotTrained()
    {
        using var scope = NewDisposeScope();
        using var objective = (Hubert)Create();
        using var optimiser = new AdamW(new RecipeOptimiser { Rate = 1e-2 }, objective.Encoder, objective.Heads);
        objective.BeforeStep(0, 0, Look);
        objective.BeforeStep(5, 0.5, Look);
        var before = objective.Encoder.state_dict().ToDictionary(w => w.Key, w => w.Value.clone());
        for (var step = 0; step < 3; step++)
        {
            var loss = objective.Loss(Look(step));
            optimiser.ZeroGradients();
            loss.Value.backward();
            optimiser.Step(1);
        }
        var (now, heads) = (objective.Encoder.state_dict(), objective.Heads.state_dict());
        foreach (var (name, weight) in before)
        {
            Assert.True(heads["teacher." + name].eq(weight).all().item<bool>(), name);
            if (name.StartsWith("blocks", StringComparison.Ordinal)) Assert.False(now[name].eq(weight).all().item<bool>(), name);
        }
        Assert.DoesNotContain(optimiser.State.Keys, k => k.Contains("teacher"));
    }

    [Fact]
    public void Training_OnRealSpeech_LossFalls_InBothRounds()
    {
        using var folder = new TemporaryFolder();
        MadeSpeech.WriteReal(folder.At("speech.shard"), 48);
        var recipe = Recipes.Find("hubert-small").With("encoder.width=64").With("encoder.depth=3").With("data.batch=12").With("data.seconds=2").With("precision=float32").With("log.steps=5")
            .With("objective.clusterFrames=6000").With("""objective.rounds=[{"from":0,"clusters":50},{"from":0.5,"clusters":50,"block":2}]""");
        Trainer.Run(new TrainRequest { Recipe = recipe, ShardPath = folder.At("speech.shard"), RunFolder = folder.At("run"), MaxSteps = 240, Device = "cpu" }, new NoWatcher(), TestContext.Current.CancellationToken);
        foreach (var round in MetricsFile.Read(folder.At("run")).GroupBy(l => l.Metrics["round"]))
        {
            var lines = round.ToList();
            var (early, late) = (lines.Take(4).Average(l => l.Loss), lines.TakeLast(4).Average(l => l.Loss));
            Assert.True(late < 0.9 * early, $"in round {round.Key} the loss was {early:0.00} and is {late:0.00}");
            Assert.True(lines.TakeLast(4).Average(l => l.Metrics["maskedAccuracy"]) > 3.0 / 50); // chance is one in 50
            Assert.True(lines[^1].Metrics["codebookPerplexity"] > 20);
        }
    }

    [Fact]
    public void Create_WhatDoesNotFit_SaysWhy()
    {
        LearningException Refused(HubertOptions options) => Assert.Throws<LearningException>(() => options.Create(EncoderFactory.Create(SoundEncoderTests.Mel, 1), new RandomStream(1)));
        Assert.Contains("must begin at 0", Refused(Options with { Rounds = [new() { From = 0.1, Clusters = 5 }] }).Message);
        Assert.Contains("needs a block of the encoder, 1 to 2", Refused(Options with { Rounds = [new() { Clusters = 5 }, new() { Clusters = 5, From = 0.5 }] }).Message);
        Assert.Contains("needs a block of the encoder, 1 to 2", Refused(Options with { Rounds = [new() { Clusters = 5 }, new() { From = 0.5, Clusters = 5, Block = 3 }] }).Message);
        Assert.Contains("needs a sound encoder", Assert.Throws<LearningException>(() => Options.Create(EncoderFactory.Create(EncoderTests.SmallResNet, 1), new RandomStream(1))).Message);
    }

    private static IObjective Create(HubertOptions? options = null) => (options ?? Options).Create(EncoderFactory.Create(SoundEncoderTests.Mel, 1), new RandomStream(2));

    private static Batch Look(int ahead)
    {
        var samples = zeros(3, 20_480);
        long[] lengths = [20_480, 15_360, 10_240];
        for (var b = 0; b < 3; b++) samples[b].narrow(0, 0, lengths[b]).copy_(tensor(MadeSpeech.Piece(new RandomStream((ulong)(b + 10 * ahead)), 1.28).AsSpan(0, (int)lengths[b]).ToArray()));
        return new Batch([samples], new RandomStream(9), lengths);
    }
}
