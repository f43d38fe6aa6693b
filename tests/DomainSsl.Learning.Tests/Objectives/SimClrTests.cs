using DomainSsl.Learning.Encoders;
using DomainSsl.Learning.Objectives;
using DomainSsl.Learning.Tests.Encoders;
using DomainSsl.Learning.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace DomainSsl.Learning.Tests.Objectives;

public sealed class SimClrTests
{
    /// <summary>Algorithm 1 of the paper as it stands there, one number after another; views 2k−1 and 2k are a pair.</summary>
    private static double Algorithm1(float[][] z, double tau)
    {
        var n = z.Length / 2;
        double Dot(float[] a, float[] b) => a.Zip(b, (x, y) => (double)x * y).Sum();
        double S(int i, int j) => Dot(z[i - 1], z[j - 1]) / (Math.Sqrt(Dot(z[i - 1], z[i - 1])) * Math.Sqrt(Dot(z[j - 1], z[j - 1])));
        double L(int i, int j)
        {
            var sum = 0.0;
            for (var k = 1; k <= 2 * n; k++)
                if (k != i) sum += Math.Exp(S(i, k) / tau);
            return -Math.Log(Math.Exp(S(i, j) / tau) / sum);
        }
        var total = 0.0;
        for (var k = 1; k <= n; k++) total += L(2 * k - 1, 2 * k) + L(2 * k, 2 * k - 1);
        return total / (2 * n);
    }

    [Theory]
    [InlineData(2, 3, 0.1)]
    [InlineData(7, 16, 0.5)]
    [InlineData(16, 128, 0.2)]
    public void NtXent_EqualsThePapersAlgorithm(int n, int width, double tau)
    {
        using var scope = NewDisposeScope();
        manual_seed(n);
        var z = randn(2 * n, width);
        var rows = Enumerable.Range(0, 2 * n).Select(i => z[i].data<float>().ToArray()).ToArray();
        var paper = Enumerable.Range(0, n).SelectMany(i => new[] { rows[i], rows[i + n] }).ToArray(); // ours has the second views below the first
        Assert.Equal(Algorithm1(paper, tau), SimClr.NtXent(nn.functional.normalize(z, 2, 1), tau).item<float>(), 1e-4);
    }

    [Fact]
    public void NtXent_ViewsExchangedOrImagesReordered_IsTheSame()
    {
        using var scope = NewDisposeScope();
        var z = nn.functional.normalize(randn(12, 8), 2, 1);
        var (a, b) = (z[..6], z[6..]);
        var loss = SimClr.NtXent(z, 0.2).item<float>();
        Assert.Equal(loss, SimClr.NtXent(cat([b, a], 0), 0.2).item<float>(), 1e-5);
        var order = tensor(new long[] { 3, 1, 5, 0, 2, 4 });
        Assert.Equal(loss, SimClr.NtXent(cat([a[order], b[order]], 0), 0.2).item<float>(), 1e-5);
    }

    [Fact]
    public void Loss_OfAnEncoderThatTellsNothingApart_IsTheTrivialOne()
    {
        using var scope = NewDisposeScope();
        using var objective = Create();
        var same = nn.functional.normalize(ones(32, 8), 2, 1);
        Assert.Equal(objective.TrivialLoss(16), SimClr.NtXent(same, 0.2).item<float>(), 1e-5);
        // and random directions in many dimensions are nearly that
        Assert.Equal(objective.TrivialLoss(16), SimClr.NtXent(nn.functional.normalize(randn(32, 100_000), 2, 1), 0.2).item<float>(), 0.05);
    }

    [Fact]
    public void Measure_CollapsedAndPerfect_GivesTheirValues()
    {
        using var scope = NewDisposeScope();
        using var objective = Create();
        var collapsed = Measure(ones(8, 4), ones(8, 4) / 2);
        Assert.Equal(0, collapsed["uniformity"], 1e-5);
        Assert.Equal(0, collapsed["spread"], 1e-5);
        var half = eye(4);
        var perfect = Measure(cat([half, half], 0), cat([half, half], 0));
        Assert.Equal(1, perfect["accuracy"]);
        Assert.Equal(0, perfect["alignment"], 1e-6);
        Assert.InRange(perfect["spread"], 0.7, 1.0);
        Assert.All(objective.Metrics, m => Assert.Contains(m.Name, perfect.Keys));

        IReadOnlyDictionary<string, double> Measure(Tensor h, Tensor z) => objective.Measure(new ObjectiveLoss(zeros(1), new Dictionary<string, Tensor> { ["h"] = h, ["z"] = z }));
    }

    [Fact]
    public void Loss_CalledTwice_IsTheSameAndReachesEveryWeight()
    {
        using var scope = NewDisposeScope();
        using var objective = Create();
        objective.Encoder.eval(); // running statistics are the encoder's, not the loss's
        objective.Heads.eval();
        var batch = new Batch([rand(6, 1, 64, 64), rand(6, 1, 64, 64)], new RandomStream(1));
        var loss = objective.Loss(batch).Value;
        Assert.Equal(loss.item<float>(), objective.Loss(batch).Value.item<float>());
        loss.backward();
        Assert.All(objective.Encoder.parameters().Concat(objective.Heads.parameters()), p => Assert.NotNull(p.grad));
    }

    [Fact]
    public void Training_OnATinyBatch_LearnsItByHeart()
    {
        using var scope = NewDisposeScope();
        manual_seed(1);
        using var objective = Create();
        using var optimiser = new AdamW(new RecipeOptimiser { Rate = 1e-3 }, objective.Encoder, objective.Heads);
        var x = rand(8, 1, 64, 64);
        var batch = new Batch([x, (x + 0.02 * randn(8, 1, 64, 64)).clamp(0, 1)], new RandomStream(1));
        ObjectiveLoss loss = null!;
        for (var i = 0; i < 40; i++)
        {
            loss = objective.Loss(batch);
            optimiser.ZeroGradients();
            loss.Value.backward();
            optimiser.Step(1);
        }
        Assert.Equal(1, objective.Measure(loss)["accuracy"]);
        Assert.InRange(loss.Value.item<float>(), 0, 0.3 * objective.TrivialLoss(8));
    }

    [Fact]
    public void Create_ImpossibleSettings_SaysWhy()
    {
        Assert.Contains("temperature", Assert.Throws<LearningException>(() => Create(new SimClrOptions { Temperature = 0 })).Message);
        Assert.Contains("projector", Assert.Throws<LearningException>(() => Create(new SimClrOptions { Projector = [] })).Message);
    }

    private static IObjective Create(SimClrOptions? options = null) =>
        (options ?? new SimClrOptions { Projector = [64, 32] }).Create(EncoderFactory.Create(EncoderTests.SmallResNet with { Width = 8 }, 1), new RandomStream(2));
}
