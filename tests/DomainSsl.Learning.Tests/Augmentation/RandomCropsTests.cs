using DomainSsl.Learning.Augmentation;
using DomainSsl.Learning.Training;

namespace DomainSsl.Learning.Tests.Augmentation;

public sealed class RandomCropsTests
{
    private static readonly short[] Ramp = [.. Enumerable.Range(0, 2000).Select(i => (short)(i * 10))];

    [Fact]
    public void Crop_WithoutDistortion_IsAStretchOfThePiece_AnywhereInIt()
    {
        var crops = new RandomCrops(new DistortionOptions { Speed = 0 }, 500);
        var begins = new List<int>();
        for (var seed = 0UL; seed < 200; seed++)
        {
            var target = new float[500];
            Assert.Equal(500, crops.Crop(Ramp, target, new RandomStream(seed)));
            var first = (int)Math.Round(target[0] * 32767 / 10);
            Assert.Equal(Enumerable.Range(first, 500), target.Select(x => (int)Math.Round(x * 32767 / 10)));
            begins.Add(first);
        }
        Assert.InRange(begins.Min(), 0, 60);
        Assert.InRange(begins.Max(), 1440, 1500);
    }

    [Fact]
    public void Crop_ShorterThanAsked_IsAllOfIt_WithSilenceBehind()
    {
        var target = new float[2500];
        Array.Fill(target, 1f);
        Assert.Equal(2000, new RandomCrops(new DistortionOptions { Speed = 0 }, 2500).Crop(Ramp, target, new RandomStream(1)));
        Assert.Equal(Ramp[^1], (short)Math.Round(target[1999] * 32767));
        Assert.All(target[2000..], x => Assert.Equal(0, x));
    }

    [Fact]
    public void Crop_FasterOrSlower_KeepsTheSlopeInProportion_AndStaysInThePiece()
    {
        var crops = new RandomCrops(new DistortionOptions { Speed = 0.1 }, 5000);
        var slopes = new List<double>();
        for (var seed = 0UL; seed < 200; seed++)
        {
            var target = new float[5000];
            var count = crops.Crop(Ramp, target, new RandomStream(seed));
            var slope = (target[count - 1] - target[0]) * 32767 / (count - 1) / 10;
            Assert.InRange(slope, 0.9 - 1e-3, 1.1 + 1e-3);
            Assert.Equal(2000 / slope, count, 3.0);
            slopes.Add(slope);
        }
        Assert.True(slopes.Min() < 0.92 && slopes.Max() > 1.08);
        Assert.Equal(1, crops.Crop([7], new float[5000], new RandomStream(3)));
    }

    [Fact]
    public void Crop_WithNoise_IsLouderByTenToThirtyDecibelsBelowTheSound()
    {
        var tone = Enumerable.Range(0, 16_000).Select(i => (short)(8000 * Math.Sin(i * 0.3))).ToArray();
        var levels = new List<double>();
        for (var seed = 0UL; seed < 40; seed++)
        {
            var target = new float[16_000];
            new RandomCrops(new DistortionOptions { Speed = 0, Noise = 1 }, 16_000).Crop(tone, target, new RandomStream(seed));
            double noise = 0, sound = 0;
            for (var i = 0; i < tone.Length; i++)
            {
                noise += Math.Pow(target[i] - tone[i] / 32767.0, 2);
                sound += Math.Pow(tone[i] / 32767.0, 2);
            }
            levels.Add(10 * Math.Log10(sound / noise));
        }
        Assert.All(levels, l => Assert.InRange(l, 9.8, 30.2));
        Assert.True(levels.Max() - levels.Min() > 10);
    }
}
