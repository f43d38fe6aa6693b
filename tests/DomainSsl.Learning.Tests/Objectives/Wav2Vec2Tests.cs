using DomainSsl.Learning.Encoders;
using DomainSsl.Learning.Objectives;
using DomainSsl.Learning.Tests.Encoders;
using DomainSsl.Learning.Training;
using DomainSsl.Testing;
using TorchSharp;
using static TorchSharp.torch;

namespace DomainSsl.Learning.Tests.Objectives;

public sealed class Wav2Vec2Tests
{
    private static readonly Wav2Vec2Options Options = new() { MaskLength = 4, Entries = 12, CodeWidth = 16, CompareWidth = 16, Distractors = 6 };

    [Fact]
    public void GumbelSoftmax_GivesOneHot_ChosenAsOftenAsTheSoftmaxSays()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1, CPU);
        var logits = tensor(new float[] { 0, 1, 2, -1 }).expand(40_000, 1, 4);
        foreach (var tau in new[] { 2.0, 0.5 }) // the choice itself does not depend on τ (Gumbel-max)
        {
            var p = Wav2Vec2.GumbelSoftmax(logits, tau, generator);
            Assert.True((p.sum(-1) - 1).abs().max().item<float>() < 1e-5);
            Assert.True((p.max(-1).values - 1).abs().max().item<float>() < 1e-5);
            Assert.True((p.mean([0, 1]) - logits[0, 0].softmax(0)).abs().max().item<float>() < 0.01);
        }
    }

    [Fact]
    public void GumbelSoftmax_Gradient_IsThatOfTheSoftmaxOfEquation1()
    {
        using var scope = NewDisposeScope();
        const double tau = 0.7;
        var weights = tensor(new float[] { 3, -1, 2 });
        var logits = tensor(new float[] { 0.2f, 0.1f, -0.3f }, [1, 1, 3]).requires_grad_();
        using (var generator = new Generator(5, CPU)) (Wav2Vec2.GumbelSoftmax(logits, tau, generator) * weights).sum().backward();
        using var same = new Generator(5, CPU);
        var u = empty(1, 1, 3).uniform_(1e-6, 1 - 1e-6, same);
        var n = -(-u.log()).log();
        var plain = logits.detach().clone().requires_grad_();
        (((plain + n) / tau).softmax(-1) * weights).sum().backward();
        Assert.True((logits.grad! - plain.grad!).abs().max().item<float>() < 1e-6);
    }

    [Fact]
    public void Unused_AllAlike_IsNothing_OneOnly_IsAllButOne()
    {
        using var scope = NewDisposeScope();
        Assert.Equal(0, Wav2Vec2.Unused(full([2, 8], 1 / 8f)).item<float>(), 1e-5);
        var one = zeros(2, 8);
        one.select(1, 3).fill_(1);
        Assert.Equal(1 - 1 / 8.0, Wav2Vec2.Unused(one).item<float>(), 1e-5);
        var half = zeros(2, 8);
        half.narrow(1, 0, 4).fill_(0.25f);
        Assert.Equal([4f, 4f], Wav2Vec2.Perplexity(half).data<float>().ToArray().Select(x => MathF.Round(x, 4)));
    }

    [Fact]
    public void Contrast_EqualsEquation3WrittenOut()
    {
        using var scope = NewDisposeScope();
        const double kappa = 0.1;
        var (c, q, codes) = (randn(7, 5), randn(7, 5), tensor(new long[] { 0, 1, 2, 1, 3, 4, 5 }, [7, 1]));
        var distractors = tensor(new long[] { 1, 2, 4, 3, 0, 6, 1, 5, 3, 0, 1, 2, 5, 6, 0, 4, 3, 1, 2, 4, 5 }, [7, 3]);
        var (similarity, right) = Wav2Vec2.Contrast(c, q, codes, distractors, kappa);
        var loss = nn.functional.cross_entropy(similarity, zeros(7, ScalarType.Int64)).item<float>();
        double Sim(int i, int j) => (c[i] * q[j]).sum().item<float>() / (c[i].norm().item<float>() * q[j].norm().item<float>());
        double sum = 0;
        for (var t = 0; t < 7; t++)
        {
            var (own, others, best) = (Math.Exp(Sim(t, t) / kappa), 0.0, true);
            for (var k = 0; k < 3; k++)
            {
                var other = (int)distractors[t, k].item<long>();
                if (codes[other, 0].item<long>() == codes[t, 0].item<long>()) continue; // the very same entry tells nothing
                others += Math.Exp(Sim(t, other) / kappa);
                best &= Sim(t, t) > Sim(t, other);
            }
            sum -= Math.Log(own / (own + others));
            Assert.Equal(best, right[t].item<bool>());
        }
        Assert.Equal(sum / 7, loss, 1e-4);
    }

    [Fact]
    public void Distractors_AreOthersOfTheSameUtterance()
    {
        var mask = SpanMask.Draw([60, 30, 1], 0.1, 4, new RandomStream(1));
        var drawn = Wav2Vec2.Distractors(mask, 20, new RandomStream(2));
        var (first, at) = (0, 0);
        foreach (var item in mask.OfItem.Take(2))
        {
            for (var i = 0; i < item.Count; i++)
            {
                var own = drawn.AsSpan(20 * at++, 20).ToArray();
                Assert.All(own, d => Assert.InRange(d, first, first + item.Count - 1));
                Assert.DoesNotContain(first + i, own);
                Assert.True(own.Distinct().Count() > 1);
            }
            first += item.Count;
        }
        Assert.All(drawn[(20 * at)..], d => Assert.InRange(d, 0, first - 1)); // alone in its utterance: from the others
    }

    [Fact]
    public void Loss_GoesIntoEveryWeight_AndIsTheSameTwice()
    {
        using var scope = NewDisposeScope();
        using var objective = Create();
        var batch = Batch();
        var loss = objective.Loss(batch with { Random = new RandomStream(3) });
        var again = objective.Loss(batch with { Random = new RandomStream(3) });
        Assert.Equal(loss.Value.item<float>(), again.Value.item<float>());
        loss.Value.backward();
        foreach (var (name, weight) in objective.Encoder.named_parameters().Concat(objective.Heads.named_parameters()))
            Assert.True(weight.grad is not null && weight.grad.isfinite().all().item<bool>() && weight.grad.abs().sum().item<float>() > 0, name);
        Assert.Equal(objective.Metrics.Select(m => m.Name).Order(), objective.Measure(loss).Keys.Order());
        Assert.InRange(loss.Value.item<float>(), 0.5, 2 * objective.TrivialLoss(3));
    }

    [Fact]
    public void BeforeStep_TemperatureFallsToItsEnd_AsAFunctionOfTheStepAlone()
    {
        using var scope = NewDisposeScope();
        using var objective = Create(Options with { GumbelDecay = 0.9 });
        double At(int step)
        {
            objective.BeforeStep(step, 0, _ => throw new InvalidOperationException());
            return objective.Measure(objective.Loss(Batch()))["temperature"];
        }
        Assert.Equal(2, At(0), 1e-9);
        Assert.Equal(2 * Math.Pow(0.9, 5), At(5), 1e-9);
        Assert.Equal(0.5, At(500), 1e-9);
        Assert.Equal(2 * Math.Pow(0.9, 5), At(5), 1e-9);
    }

    [Fact]
    public void Training_OnRealSpeech_LossFalls_AndTheCodebooksStayInUse()
    {
        using var folder = new TemporaryFolder();
        MadeSpeech.WriteReal(folder.At("speech.shard"), 48);
        var recipe = Recipes.Find("wav2vec2-small").With("encoder.width=64").With("encoder.depth=3").With("data.batch=12").With("data.seconds=2").With("precision=float32").With("log.steps=5");
        Trainer.Run(new TrainRequest { Recipe = recipe, ShardPath = folder.At("speech.shard"), RunFolder = folder.At("run"), MaxSteps = 120, Device = "cpu" }, new NoWatcher(), TestContext.Current.CancellationToken);
        var lines = MetricsFile.Read(folder.At("run"));
        var (early, late) = (lines.Take(4).Average(l => l.Loss), lines.TakeLast(4).Average(l => l.Loss));
        Assert.True(late < early - 0.15, $"the loss was {early:0.00} and is {late:0.00}");
        Assert.True(lines[^1].Metrics["codebookPerplexity"] > 4);
        Assert.True(lines.TakeLast(4).Average(l => l.Metrics["maskedAccuracy"]) > 3.0 / 51); // chance is one in 51
    }

    [Fact]
    public void Create_WithAnImageEncoder_SaysThatSoundIsNeeded() =>
        Assert.Contains("needs a sound encoder", Assert.Throws<LearningException>(() => Options.Create(EncoderFactory.Create(EncoderTests.SmallResNet, 1), new RandomStream(1))).Message);

    private static IObjective Create(Wav2Vec2Options? options = null) => (options ?? Options).Create(EncoderFactory.Create(SoundEncoderTests.Mel, 1), new RandomStream(2));

    private static Batch Batch()
    {
        var samples = zeros(3, 20_000);
        long[] lengths = [20_000, 13_000, 9_000];
        for (var b = 0; b < 3; b++) samples[b].narrow(0, 0, lengths[b]).copy_(tensor(MadeSpeech.Piece(new RandomStream((ulong)b), 1.25).AsSpan(0, (int)lengths[b]).ToArray()));
        return new Batch([samples], new RandomStream(9), lengths);
    }
}
