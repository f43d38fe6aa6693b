using System.Diagnostics;
using DomainSsl.Learning.Evaluation;

namespace DomainSsl.Learning.Tests.Evaluation;

public class GroupBootstrapTests
{
    private static double Normal(Random random) => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());

    // Patients share half of their score's variance and always their class: what makes images of one patient worth less than images of two.
    private static (double[] Scores, bool[] Positive, string[] Patients) Simulated(int patients, int imagesEach, double shift, Random random)
    {
        var (scores, positive, names) = (new List<double>(), new List<bool>(), new List<string>());
        for (var p = 0; p < patients; p++)
        {
            var (sick, own) = (p % 2 == 0, Normal(random));
            for (var j = 0; j < imagesEach; j++)
            {
                scores.Add((own + Normal(random)) / Math.Sqrt(2) + (sick ? shift : 0));
                positive.Add(sick);
                names.Add($"P{p}");
            }
        }
        return ([.. scores], [.. positive], [.. names]);
    }

    [Fact]
    public void Interval_SimulatedPatients_CoversTheTrueAreaAboutNinetyFiveTimesInAHundred()
    {
        const double shift = 1.0;
        const double truth = 0.76025;     // Φ(1/√2): two unit normals a distance of one apart
        var (random, covered, coveredByItems) = (new Random(7), 0, 0);
        const int trials = 300;
        for (var t = 0; t < trials; t++)
        {
            var (scores, positive, patients) = Simulated(60, 4, shift, random);
            var auroc = new Auroc(scores, positive);
            if (new GroupBootstrap(patients, t, 300).Of(auroc.Weighted).Covers(truth)) covered++;
            if (new GroupBootstrap([.. patients.Select((_, i) => $"{i}")], t, 300).Of(auroc.Weighted).Covers(truth)) coveredByItems++;
        }
        Assert.InRange(covered / (double)trials, 0.90, 0.985);
        Assert.True(coveredByItems < 0.85 * trials, $"Resampling images instead of patients should claim too much, but covered {coveredByItems} of {trials}.");
    }

    [Fact]
    public void Interval_SameSeed_IsTheSame_OtherSeed_IsNot()
    {
        var (scores, positive, patients) = Simulated(40, 2, 1, new Random(3));
        var auroc = new Auroc(scores, positive);
        Assert.Equal(new GroupBootstrap(patients, 5).Of(auroc.Weighted), new GroupBootstrap(patients, 5).Of(auroc.Weighted));
        Assert.NotEqual(new GroupBootstrap(patients, 5).Of(auroc.Weighted), new GroupBootstrap(patients, 6).Of(auroc.Weighted));
    }

    [Fact]
    public void Interval_FewPatientsAllRight_IsNotAPoint()
    {
        var auroc = new Auroc([0.1, 0.2, 0.3, 0.8, 0.9, 0.95], [false, false, false, true, true, true]);
        var interval = new GroupBootstrap(["a", "b", "c", "d", "e", "f"], 1).Of(auroc.Weighted, rarest: 3);
        Assert.Equal(1, interval.Value);
        Assert.Equal(Math.Pow(0.025, 1 / 3.0), interval.Low, 6);
    }

    [Fact]
    public void Interval_FourPatients_ClaimsNothing()
    {
        var auroc = new Auroc([0.1, 0.9, 0.3, 0.8], [false, true, false, true]);
        Assert.Equal(new Interval(1, 0, 1), new GroupBootstrap(["a", "b", "c", "d"], 1).Of(auroc.Weighted));
    }

    [Fact]
    public void Weights_OfOnePatientsImages_AreEqualAndAddUp()
    {
        string[] patients = ["a", "b", "a", "c", "b", "d", "e", "f"];
        new GroupBootstrap(patients, 2, 200).ForEach((_, w) =>
        {
            Assert.Equal(w[0], w[2]);
            Assert.Equal(w[1], w[4]);
            Assert.Equal(6, w[0] + w[1] + w[3] + w[5] + w[6] + w[7]);
        });
    }

    [Fact]
    public void Interval_FourHundredImagesTwoThousandResamples_TakesUnderASecond()
    {
        var (scores, positive, patients) = Simulated(200, 2, 1, new Random(11));
        var auroc = new Auroc(scores, positive);
        new GroupBootstrap(patients, 1, 100).Of(auroc.Weighted);
        var clock = Stopwatch.StartNew();
        new GroupBootstrap(patients, 1, 2000).Of(auroc.Weighted);
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(1), $"took {clock.Elapsed.TotalSeconds:0.00} s");
    }
}
