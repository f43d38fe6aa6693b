using DomainSsl.Learning.Evaluation;
using DomainSsl.Learning.FineTuning;

namespace DomainSsl.Learning.Tests.FineTuning;

public class LinearProbeTests
{
    private static double Normal(Random random) => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());

    private static (FeatureTable Features, int[] Labels) Some(int n, int d, int classes, double apart, int seed)
    {
        var random = new Random(seed);
        var (x, y) = (new float[n * d], new int[n]);
        for (var i = 0; i < n; i++)
        {
            y[i] = i % classes;
            for (var j = 0; j < d; j++) x[i * d + j] = (float)(Normal(random) + (j % classes == y[i] ? apart / 2 : 0));
        }
        return (new FeatureTable(d, x), y);
    }

    [Fact]
    public void Probe_TwoPointsOneFeature_MeetsTheClosedCondition()
    {
        // Two items at z = ∓1: by symmetry W = (−v, v) and b = 0, the second item has p = σ(2v), and the slope in v vanishes at v = 2C(1 − p).
        const double c = 0.7;
        var probe = LinearProbe.Fit(new FeatureTable(1, [-1f, 1f]), [0, 1], 2, c);
        var p = probe.Predict(new FeatureTable(1, [1f]))[0, 1];
        var v = Math.Log(p / (1 - p)) / 2;
        Assert.Equal(2 * c * (1 - p), v, 4);
    }

    [Theory]
    [InlineData(2, 0.01)]
    [InlineData(3, 1.0)]
    public void Probe_Fitted_HasNoSlopeLeft(int classes, double c)
    {
        // A naive transcription of the objective, differentiated by differences.
        var (features, labels) = Some(30, 4, classes, 1.0, 2);
        labels[0] = labels[1] = classes - 1;     // uneven classes
        var probe = LinearProbe.Fit(features, labels, classes, c);
        var d = features.Dimensions;
        double[] w = [.. probe.Weights, .. probe.Intercepts];
        double Objective(double[] w)
        {
            var value = 0.5 * w.Take(classes * d).Sum(v => v * v);
            for (var i = 0; i < 30; i++)
            {
                var logits = Enumerable.Range(0, classes)
                    .Select(k => w[classes * d + k] + Enumerable.Range(0, d).Sum(j => w[k * d + j] * features.Row(i)[j])).ToArray();
                var weight = 30.0 / (classes * labels.Count(y => y == labels[i]));
                value += c * weight * (Math.Log(logits.Sum(Math.Exp)) - logits[labels[i]]);
            }
            return value;
        }
        for (var j = 0; j < w.Length; j++)
        {
            var (up, down) = ((double[])w.Clone(), (double[])w.Clone());
            (up[j], down[j]) = (up[j] + 1e-4, down[j] - 1e-4);
            Assert.True(Math.Abs(Objective(up) - Objective(down)) / 2e-4 < 2e-3, $"slope in coordinate {j}");
        }
    }

    [Fact]
    public void Standard_Applied_GivesUnitLengthRowsMeanZeroAndDeviationOne()
    {
        var (features, _) = Some(200, 5, 2, 3, 4);
        var z = FeatureStandard.Of(features).Apply(features);
        for (var j = 0; j < 5; j++)
        {
            var column = Enumerable.Range(0, 200).Select(i => (double)z.Row(i)[j]).ToArray();
            Assert.Equal(0, column.Average(), 3);
            Assert.Equal(1, column.Average(v => v * v), 2);
        }
        // Twice as bright an image has the same direction.
        var twice = FeatureStandard.Of(features).Apply(new FeatureTable(5, [.. features.Row(3).ToArray().Select(v => 2 * v)]));
        for (var j = 0; j < 5; j++) Assert.Equal(z.Row(3)[j], twice.Row(0)[j], 4);
    }

    [Fact]
    public void Standard_FeatureThatNeverVaries_IsSwitchedOff()
    {
        var z = FeatureStandard.Of(new FeatureTable(2, [0f, 1f, 0f, 2f, 0f, 3f])).Apply(new FeatureTable(2, [5f, 5f]));
        Assert.Equal(0, z.Row(0)[0]);
    }

    [Fact]
    public void Probe_SeparableClasses_GeneralisesToNewItems()
    {
        var (train, y) = Some(60, 64, 3, 1.5, 5);
        var (test, yTest) = Some(300, 64, 3, 1.5, 6);
        Assert.True(new Auroc(LinearProbe.Fit(train, y, 3, 0.01).Predict(test), yTest).Value > 0.95);
    }

    [Fact]
    public void Probe_WarmStart_EndsWhereAColdOneDoes()
    {
        var (features, labels) = Some(50, 20, 2, 0.7, 8);
        var cold = LinearProbe.Fit(features, labels, 2, 0.1).Predict(features);
        var warm = LinearProbe.Fit(features, labels, 2, 0.1, LinearProbe.Fit(features, labels, 2, 0.001)).Predict(features);
        for (var i = 0; i < 50; i++) Assert.Equal(cold[i, 1], warm[i, 1], 3);
    }

    [Fact]
    public void Probe_UnevenClasses_AreWeighedAlike()
    {
        // Featureless items: only the class weights speak, and they say "half and half" although three in four are of the first class.
        var probe = LinearProbe.Fit(new FeatureTable(1, [1f, 1f, 1f, 1f]), [0, 0, 0, 1], 2, 1);
        Assert.Equal(0.5, probe.Predict(new FeatureTable(1, [1f]))[0, 1], 4);
    }
}
