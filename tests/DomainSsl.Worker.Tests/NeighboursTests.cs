using System.Text.Json;
using DomainSsl.Core.Models;
using DomainSsl.Learning;
using DomainSsl.Learning.Encoders;
using DomainSsl.Learning.Weights;

namespace DomainSsl.Worker.Tests;

public sealed class NeighboursTests
{
    [Fact]
    public void Of_GivesTheNearestByAngle_NearestFirst_WithoutTheOneAskedAbout()
    {
        var neighbours = new Neighbours([(1, [1, 0]), (2, [10, 1]), (3, [0, 5]), (4, [-1, 0]), (5, [2, 0])]);
        var nearest = neighbours.Of([3, 0], 3, except: 1);
        Assert.Equal([5L, 2L, 3L], nearest.Select(n => n.Item));
        Assert.Equal(0, nearest[0].Distance, 6);
        Assert.Equal(1, nearest[2].Distance, 6);
    }

    [Fact]
    public void PublicModels_InTheRegistry_AreWhatLearningMakes()
    {
        static EncoderSpec Registered(PublicModel model) => JsonSerializer.Deserialize<EncoderSpec>(model.Architecture, LearningJson.Options)!;
        Assert.True(Registered(PublicModel.Image).SameNetwork(PublicEncoder.Spec));
        Assert.True(Registered(PublicModel.Sound).SameNetwork(EncoderWeights.ReadSpec(SpokenEncoder.FilePath)));
    }
}
