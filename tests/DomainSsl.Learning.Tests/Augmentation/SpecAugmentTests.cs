using DomainSsl.Learning.Augmentation;
using DomainSsl.Learning.Training;
using static TorchSharp.torch;

namespace DomainSsl.Learning.Tests.Augmentation;

public sealed class SpecAugmentTests
{
    [Fact]
    public void Hide_HidesWholeStretches_NoMoreThanAsked_AndNothingElse()
    {
        using var scope = NewDisposeScope();
        var (options, hidden) = (new SpecAugmentOptions { TimeMasks = 2, TimeSeconds = 0.3, TimeShare = 0.2, BandMasks = 1, BandShare = 0.25 }, 0);
        for (var seed = 0; seed < 20; seed++)
        {
            var front = rand(2, 200, 16) + 1;                                                           // 2 s and 1 s
            var after = SpecAugment.Hide(front, [32_000, 16_000], 32_000, options, new RandomStream((ulong)seed));
            Assert.True(after.eq(front).logical_or(after.eq(0)).all().item<bool>());
            for (var b = 0; b < 2; b++)
            {
                var (frames, bands) = (after[b].eq(0).all(1).sum().item<long>(), after[b].eq(0).all(0).sum().item<long>());
                Assert.InRange(frames, 0, b == 0 ? 2 * 30 : 2 * 20);
                Assert.InRange(bands, 0, 4);
                hidden += (int)(frames + bands);
            }
            Assert.False(after[1].narrow(0, 100, 100).eq(0).all(1).any().item<bool>()); // behind an item's end nothing needs hiding
        }
        Assert.True(hidden > 100);
        var whole = rand(1, 50, 1);
        Assert.True(SpecAugment.Hide(whole, [8000], 8000, new SpecAugmentOptions { TimeMasks = 0 }, new RandomStream(1)).eq(whole).all().item<bool>());
    }
}
