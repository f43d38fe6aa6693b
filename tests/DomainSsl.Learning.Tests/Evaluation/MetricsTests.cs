using DomainSsl.Learning.Evaluation;

namespace DomainSsl.Learning.Tests.Evaluation;

public class MetricsTests
{
    // Scores rounded so that ties are common, in and across classes.
    private static (Probabilities Probabilities, int[] Labels) Some(int n, int classes, int seed)
    {
        var random = new Random(seed);
        var (values, labels) = (new double[n * classes], new int[n]);
        for (var i = 0; i < n; i++)
        {
            labels[i] = random.Next(classes);
            var sum = 0.0;
            for (var k = 0; k < classes; k++) sum += values[i * classes + k] = 1 + random.Next(4) + (labels[i] == k ? 1 : 0);
            for (var k = 0; k < classes; k++) values[i * classes + k] /= sum;
        }
        return (new Probabilities(classes, values), labels);
    }

    private static double NaiveAuroc(double[] scores, bool[] positive, int[] weights)
    {
        double won = 0, pairs = 0;
        for (var i = 0; i < scores.Length; i++)
        {
            for (var j = 0; j < scores.Length; j++)
            {
                if (!positive[i] || positive[j]) continue;
                double w = weights[i] * weights[j];
                pairs += w;
                if (scores[i] > scores[j]) won += w;
                else if (scores[i] == scores[j]) won += w / 2;
            }
        }
        return won / pairs;
    }

    [Theory]
    [InlineData(2, 1)]
    [InlineData(3, 2)]
    [InlineData(5, 3)]
    public void Auroc_WeightedWithTies_EqualsCountingEveryPair(int classes, int seed)
    {
        var (p, y) = Some(83, classes, seed);
        var random = new Random(seed);
        var weights = y.Select(_ => random.Next(4)).ToArray();
        var expected = Enumerable.Range(classes == 2 ? 1 : 0, classes == 2 ? 1 : classes)
            .Average(k => NaiveAuroc([.. y.Select((_, i) => p[i, k])], [.. y.Select(v => v == k)], weights));
        Assert.Equal(expected, new Auroc(p, y).Weighted(weights), 12);
    }

    [Theory]
    [InlineData(new[] { 0.1, 0.2, 0.8, 0.9 }, new[] { false, false, true, true }, 1.0)]
    [InlineData(new[] { 0.9, 0.8, 0.2, 0.1 }, new[] { false, false, true, true }, 0.0)]
    [InlineData(new[] { 0.5, 0.5, 0.5, 0.5 }, new[] { false, true, false, true }, 0.5)]
    [InlineData(new[] { 0.1, 0.4, 0.35, 0.8 }, new[] { false, false, true, true }, 0.75)]
    public void Auroc_KnownCases_AreExact(double[] scores, bool[] positive, double expected) => Assert.Equal(expected, new Auroc(scores, positive).Value, 12);

    [Fact]
    public void Auroc_OnlyOneClass_IsNotANumber() => Assert.True(double.IsNaN(new Auroc([0.2, 0.4], [true, true]).Value));

    [Fact]
    public void Auroc_ClassThatNobodyHas_IsLeftOutOfTheMean()
    {
        var (three, y) = Some(60, 3, 5);
        var four = new Probabilities(4, [.. Enumerable.Range(0, 60).SelectMany(i => new[] { three[i, 0], three[i, 1], three[i, 2], 0.0 })]);
        Assert.Equal(new Auroc(three, y).Value, new Auroc(four, y).Value, 12);
    }

    [Fact]
    public void Confusion_TwoClasses_GivesSensitivityAndSpecificityAtOneHalf()
    {
        // Second class is the finding: true 1,1,1,0,0; answered 1,1,0,0,1.
        var p = new Probabilities(2, [0.2, 0.8, 0.4, 0.6, 0.7, 0.3, 0.9, 0.1, 0.1, 0.9]);
        int[] y = [1, 1, 1, 0, 0], ones = [1, 1, 1, 1, 1];
        var confusion = new Confusion(p, y);
        Assert.Equal(2 / 3.0, confusion.Sensitivity(1)(ones), 12);
        Assert.Equal(1 / 2.0, confusion.Specificity(1)(ones), 12);
        Assert.Equal((2 / 3.0 + 1 / 2.0) / 2, confusion.BalancedAccuracy(ones), 12);
        Assert.Equal(3 / 5.0, confusion.Accuracy(ones), 12);
    }

    [Fact]
    public void Calibration_KnownCase_GivesBrierAndExpectedError()
    {
        var p = new Probabilities(2, [0.25, 0.75, 0.25, 0.75, 0.6, 0.4]);
        int[] y = [1, 0, 0], ones = [1, 1, 1];
        var calibration = new Calibration(p, y);
        Assert.Equal((0.0625 + 0.5625 + 0.16) / 3, calibration.Brier(ones), 12);
        // Two items at 0.75, one right: gap 2/3·|0.5 − 0.75|; one at 0.6, right: gap 1/3·0.4.
        Assert.Equal(2 / 3.0 * 0.25 + 1 / 3.0 * 0.4, calibration.ExpectedError(ones), 12);
    }

    [Fact]
    public void Uncertainty_EvenRowIsOne_SureRowIsZero()
    {
        var p = new Probabilities(3, [1 / 3.0, 1 / 3.0, 1 / 3.0, 0, 1, 0]);
        Assert.Equal(1, p.Uncertainty(0), 12);
        Assert.Equal(0, p.Uncertainty(1), 12);
    }

    [Fact]
    public void ClassificationMetrics_ThreeClasses_NamesEachSensitivityAndOrdersEnds()
    {
        var (p, y) = Some(120, 3, 9);
        var patients = y.Select((_, i) => $"P{i / 2}").ToArray();
        var metrics = ClassificationMetrics.Of(p, y, patients, ["normal", "bacterial", "viral"], seed: 1, resamples: 300);
        Assert.Equal(["auroc", "balancedAccuracy", "sensitivity.normal", "sensitivity.bacterial", "sensitivity.viral", "accuracy", "brier", "calibrationError"], metrics.Keys);
        Assert.All(metrics.Values, m => Assert.True(m.Low < m.High && m.Low >= 0 && m.High <= 1));
        Assert.Equal(new Auroc(p, y).Value, metrics["auroc"].Value, 12);
    }
}
