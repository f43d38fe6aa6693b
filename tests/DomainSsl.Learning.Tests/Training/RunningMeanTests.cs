using DomainSsl.Learning.Training;
using static TorchSharp.torch;

namespace DomainSsl.Learning.Tests.Training;

public sealed class RunningMeanTests
{
    [Fact]
    public void Swap_PutsTheMeanInPlace_AndTheSecondTimeTheWeightsBack()
    {
        using var scope = NewDisposeScope();
        var (weight, count) = (zeros(3), tensor(7L));
        using var mean = new RunningMean([weight, count], 0.9);
        var expected = 0.0;
        for (var step = 0; step < 200; step++)
        {
            weight.fill_(step % 2 == 0 ? 3.0 : 1.0);
            mean.Add();
            var keep = Math.Min(0.9, (1 + step) / (10.0 + step));
            expected = keep * expected + (1 - keep) * (step % 2 == 0 ? 3 : 1);
        }
        mean.Swap();
        Assert.Equal(expected, weight[0].item<float>(), 4);
        Assert.InRange(expected, 1.9, 2.1);
        mean.Swap();
        Assert.Equal(1, weight[0].item<float>());
        Assert.Equal(7, count.item<long>());
    }
}
