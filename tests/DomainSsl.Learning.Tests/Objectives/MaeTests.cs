using DomainSsl.Learning.Encoders;
using DomainSsl.Learning.Objectives;
using DomainSsl.Learning.Tests.Encoders;
using DomainSsl.Learning.Training;
using static TorchSharp.torch;

namespace DomainSsl.Learning.Tests.Objectives;

public sealed class MaeTests
{
    private static readonly EncoderSpec Spec = EncoderTests.SmallVit with { Resolution = 32, Width = 48, Depth = 2, Heads = 4 };

    [Fact]
    public void Targets_EqualTheNaiveTranscription()
    {
        using var scope = NewDisposeScope();
        var x = rand(2, 1, 16, 16);
        var targets = Mae.Targets(x, 8);
        Assert.Equal([2, 4, 64], targets.shape);
        for (var b = 0; b < 2; b++)
            for (var patch = 0; patch < 4; patch++)
            {
                var values = new List<double>();
                for (var i = 0; i < 8; i++)
                    for (var j = 0; j < 8; j++) values.Add(x[b, 0, patch / 2 * 8 + i, patch % 2 * 8 + j].item<float>());
                var mean = values.Average();
                var variance = values.Sum(v => (v - mean) * (v - mean)) / (values.Count - 1);
                var ours = targets[b, patch].data<float>().ToArray();
                for (var k = 0; k < 64; k++) Assert.Equal((values[k] - mean) / Math.Sqrt(variance + 1e-6), ours[k], 1e-3);
            }
    }

    [Fact]
    public void Loss_EqualsTheMeanOverMaskedPatchesAlone()
    {
        using var scope = NewDisposeScope();
        using var objective = Create();
        var x = rand(3, 1, 32, 32);
        var loss = objective.Loss(new Batch([x], new RandomStream(5)));
        var (prediction, mask, targets) = (loss.Parts["prediction"], loss.Parts["mask"], Mae.Targets(x, 8));
        Assert.Equal(3 * 12, mask.sum().item<float>()); // three quarters of 16 patches
        double sum = 0, count = 0;
        for (var b = 0; b < 3; b++)
            for (var n = 0; n < 16; n++)
            {
                if (mask[b, n].item<float>() == 0) continue;
                var (p, t) = (prediction[b, n].data<float>().ToArray(), targets[b, n].data<float>().ToArray());
                sum += p.Zip(t, (u, v) => (u - v) * (double)(u - v)).Average();
                count++;
            }
        Assert.Equal(sum / count, loss.Value.item<float>(), 1e-4);
    }

    [Fact]
    public void Loss_HiddenPatchesChanged_GuessesTheSame()
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        using var objective = Create();
        var x = rand(1, 1, 32, 32);
        var before = objective.Loss(new Batch([x], new RandomStream(5)));
        var hidden = Enumerable.Range(0, 16).First(n => before.Parts["mask"][0, n].item<float>() == 1);
        var other = x.clone();
        other.narrow(2, hidden / 4 * 8, 8).narrow(3, hidden % 4 * 8, 8).fill_(0.5f);
        var after = objective.Loss(new Batch([other], new RandomStream(5)));
        Assert.True(before.Parts["prediction"].eq(after.Parts["prediction"]).all().item<bool>());
        Assert.NotEqual(before.Value.item<float>(), after.Value.item<float>());
    }

    [Fact]
    public void Loss_SameStream_SameMask_OtherStream_Another()
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        using var objective = Create();
        var x = rand(4, 1, 32, 32);
        Tensor Mask(ulong seed) => objective.Loss(new Batch([x], new RandomStream(seed))).Parts["mask"];
        Assert.True(Mask(1).eq(Mask(1)).all().item<bool>());
        Assert.False(Mask(1).eq(Mask(2)).all().item<bool>());
        Assert.False(Mask(1)[0].eq(Mask(1)[1]).all().item<bool>());
    }

    [Fact]
    public void Loss_OfAFlatGuess_IsTheTrivialOne()
    {
        using var scope = NewDisposeScope();
        var targets = Mae.Targets(rand(4, 1, 64, 64), 8);
        Assert.Equal(1, targets.pow(2).mean().item<float>(), 0.02);
        using var objective = Create();
        Assert.Equal(1, objective.TrivialLoss(4));
    }

    [Fact]
    public void Training_OnATinyBatch_LearnsItByHeart()
    {
        using var scope = NewDisposeScope();
        using var objective = Create();
        using var optimiser = new AdamW(new RecipeOptimiser { Rate = 3e-3, Beta2 = 0.95 }, objective.Encoder, objective.Heads);
        var ramp = arange(32, ScalarType.Float32) / 31;
        var x = stack([ramp.expand(1, 32, 32), ramp.view(32, 1).expand(1, 32, 32), (1 - ramp).expand(1, 32, 32)]); // smooth, so patches tell of their neighbours
        ObjectiveLoss loss = null!;
        for (var i = 0; i < 120; i++)
        {
            loss = objective.Loss(new Batch([x], new RandomStream((ulong)i)));
            optimiser.ZeroGradients();
            loss.Value.backward();
            optimiser.Step(1);
        }
        Assert.InRange(loss.Value.item<float>(), 0, 0.2);
        var metrics = objective.Measure(loss);
        Assert.All(objective.Metrics, m => Assert.Contains(m.Name, metrics.Keys));
        Assert.Equal(1 - loss.Value.item<float>(), metrics["explained"], 1e-5);
    }

    [Fact]
    public void Create_WithAResNet_SaysThatAVitIsNeeded() => Assert.Contains("needs a vit",
        Assert.Throws<LearningException>(() => new MaeOptions().Create(EncoderFactory.Create(EncoderTests.SmallResNet, 1), new RandomStream(1))).Message);

    private static IObjective Create() => new MaeOptions { DecoderWidth = 32, DecoderDepth = 1, DecoderHeads = 2 }.Create(EncoderFactory.Create(Spec, 1), new RandomStream(2));
}
