using DomainSsl.Learning.Objectives;
using DomainSsl.Learning.Training;
using static TorchSharp.torch;

namespace DomainSsl.Learning.Tests.Objectives;

public sealed class SpanMaskTests
{
    // wav2vec 2.0, appendix A: of 15 seconds with p = 0.065 and M = 10 about 49 % are masked, in spans of 14.7 frames in the mean.
    [Fact]
    public void Draw_WithThePapersNumbers_HasThePapersStatistics()
    {
        var (masked, spans, frames) = (0, 0, 0);
        for (var seed = 0UL; seed < 40; seed++)
        {
            var mask = SpanMask.Draw([749, 749], 0.065, 10, new RandomStream(seed));
            masked += mask.Masked.Count(m => m);
            frames += mask.Masked.Length;
            for (var i = 0; i < mask.Masked.Length; i++) spans += mask.Masked[i] && (i % 749 == 0 || !mask.Masked[i - 1]) ? 1 : 0;
        }
        Assert.InRange((double)masked / frames, 0.47, 0.51);
        Assert.InRange((double)masked / spans, 14, 15.5);
    }

    [Fact]
    public void Draw_OfItemsOfAnyLength_MasksSomeOfEachAndNothingBehindIt()
    {
        for (var seed = 0UL; seed < 200; seed++)
        {
            var mask = SpanMask.Draw([3, 40, 1, 12], 0.08, 5, new RandomStream(seed));
            Assert.Equal(40, mask.Width);
            for (var b = 0; b < 4; b++)
            {
                var own = mask.Masked.AsSpan(b * 40, 40).ToArray();
                Assert.Contains(true, own);
                Assert.DoesNotContain(true, own[(int)mask.Frames[b]..]);
                if (mask.Frames[b] == 3) Assert.Contains(false, own[..3]); // something to guess from is left
                Assert.Equal(mask.OfItem[b], Enumerable.Range(b * 40, 40).Where(i => mask.Masked[i]));
            }
            var (places, others) = (mask.Places(CPU).data<long>().ToArray(), mask.Others(CPU).data<long>().ToArray());
            Assert.Equal(56, places.Length + others.Length);
            Assert.Empty(places.Intersect(others));
            Assert.Equal(places.Length, mask.Of(CPU).sum().item<long>());
        }
    }

    [Fact]
    public void Draw_SameStream_SameMask_OtherStream_Another()
    {
        bool[] Of(ulong seed) => SpanMask.Draw([100], 0.08, 5, new RandomStream(seed)).Masked;
        Assert.Equal(Of(1), Of(1));
        Assert.NotEqual(Of(1), Of(2));
    }
}
