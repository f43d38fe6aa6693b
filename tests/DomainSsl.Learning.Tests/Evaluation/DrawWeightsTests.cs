using DomainSsl.Learning.Evaluation;

namespace DomainSsl.Learning.Tests.Evaluation;

public class DrawWeightsTests
{
    // Half the width of Student's 95 % interval is t·s/√n, and t with n − 1 degrees stands in every table.
    [Theory]
    [InlineData(new[] { 0.80, 0.90 }, 12.706)]
    [InlineData(new[] { 0.80, 0.85, 0.93 }, 4.303)]
    [InlineData(new[] { 0.71, 0.74, 0.75, 0.75, 0.78, 0.79, 0.80, 0.82, 0.83, 0.83 }, 2.262)]
    public void Interval_OverDrawsAlone_IsStudents(double[] draws, double t)
    {
        var (weights, mean) = (new DrawWeights(draws.Length, new Random(5)), draws.Average());
        var replicates = new double[40_000];
        for (var b = 0; b < replicates.Length; b++)
        {
            var share = weights.Next();
            for (var r = 0; r < draws.Length; r++) replicates[b] += share[r] * draws[r];
        }
        var interval = GroupBootstrap.Percentiles(mean, replicates, 20, 20, -100, 100, draws.Length);
        var half = t * Math.Sqrt(draws.Sum(d => (d - mean) * (d - mean)) / (draws.Length - 1) / draws.Length);
        Assert.Equal(half, (interval.High - interval.Low) / 2, 0.08 * half);
        Assert.Equal(mean, (interval.High + interval.Low) / 2, 0.08 * half);
    }

    [Fact]
    public void Interval_DrawsThatAgree_IsLeftToTheTestPatients()
    {
        var weights = new DrawWeights(3, new Random(5));
        for (var b = 0; b < 100; b++) Assert.Equal(1, weights.Next().ToArray().Sum(), 9);
    }

    [Fact]
    public void Interval_OneDraw_IsTheWholeRange_SoThatNoGainIsClaimed()
    {
        var interval = GroupBootstrap.Percentiles(0.2, [.. Enumerable.Repeat(0.2, 2000)], 50, 50, -1, 1, draws: 1);
        Assert.Equal(new Interval(0.2, -1, 1), interval);
        Assert.Equal(Finding.TooFew, Verdict.Of(interval));
        Assert.Equal(Finding.TooFew, SpeechVerdict.Of(interval));
    }
}
