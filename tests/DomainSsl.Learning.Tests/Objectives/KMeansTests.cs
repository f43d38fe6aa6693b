using System.Diagnostics;
using DomainSsl.Learning.Objectives;
using DomainSsl.Learning.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace DomainSsl.Learning.Tests.Objectives;

public sealed class KMeansTests
{
    [Fact]
    public void Fit_PlantedClusters_FindsThemAll()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(3, CPU);
        const int clusters = 40;
        var centres = zeros(clusters, 13).uniform_(-5, 5, generator);
        var of = randint(0, clusters, [20_000], generator: generator);
        var points = centres.index_select(0, of) + zeros(20_000, 13).normal_(0, 0.3, generator);
        var found = KMeans.Fit(points, clusters, new RandomStream(1));
        Assert.Equal([clusters, 13], found.shape);

        // Every planted centre has a found one close by, and points of one cluster fall together.
        var distance = (centres.unsqueeze(1) - found.unsqueeze(0)).square().sum(2).sqrt();
        Assert.True(distance.min(1).values.max().item<float>() < 0.2, "a planted cluster was not found");
        var assigned = KMeans.Assign(points, found);
        var table = (of * clusters + assigned).bincount(null, clusters * clusters).view(clusters, clusters);
        Assert.True(table.max(1).values.sum().item<long>() > 0.995 * 20_000);
    }

    [Fact]
    public void Assign_EqualsTheNearestWrittenOut()
    {
        using var scope = NewDisposeScope();
        var (points, centres) = (randn(300, 7), randn(9, 7));
        var ours = KMeans.Assign(points, centres).data<long>().ToArray();
        for (var i = 0; i < 300; i++)
        {
            var (best, least) = (-1, double.MaxValue);
            for (var k = 0; k < 9; k++)
            {
                var d = (points[i] - centres[k]).square().sum().item<float>();
                if (d < least) (best, least) = (k, d);
            }
            Assert.Equal(best, ours[i]);
        }
    }

    [Fact]
    public void Fit_SamePointsAndStream_SameBits()
    {
        using var scope = NewDisposeScope();
        var points = randn(5000, 5);
        Assert.True(KMeans.Fit(points, 20, new RandomStream(1)).eq(KMeans.Fit(points, 20, new RandomStream(1))).all().item<bool>());
        Assert.False(KMeans.Fit(points, 20, new RandomStream(1)).eq(KMeans.Fit(points, 20, new RandomStream(2))).all().item<bool>());
    }

    [Fact]
    public void Fit_AllPointsAlike_OrFewerThanClusters()
    {
        using var scope = NewDisposeScope();
        Assert.True(KMeans.Fit(ones(50, 3), 5, new RandomStream(1)).isfinite().all().item<bool>());
        Assert.Contains("4 frames of sound cannot be sorted into 5 clusters", Assert.Throws<LearningException>(() => KMeans.Fit(ones(4, 3), 5, new RandomStream(1))).Message);
    }

    [Fact]
    public void Fit_AnHourOfFrames_TakesSeconds()
    {
        using var scope = NewDisposeScope();
        var points = randn(60_000, 39);
        var clock = Stopwatch.StartNew();
        KMeans.Fit(points, 100, new RandomStream(1));
        Assert.InRange(clock.Elapsed.TotalSeconds, 0, 60); // some seconds; the rest is for a busy machine
    }
}
