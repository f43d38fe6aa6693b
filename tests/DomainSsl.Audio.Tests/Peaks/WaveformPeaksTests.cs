using DomainSsl.Audio.Peaks;

namespace DomainSsl.Audio.Tests.Peaks;

public class WaveformPeaksTests
{
    [Fact]
    public void Of_Ramp_GivesEachStretchItsSmallestAndLargest()
    {
        var ramp = Enumerable.Range(0, 16_000).Select(i => i / 16_000f).ToArray();
        var peaks = WaveformPeaks.Of(new Sound(ramp, 16_000, 1), perSecond: 10);
        Assert.Equal(10, peaks.Min.Length);
        for (int i = 0; i < 10; i++) Assert.Equal((ramp[1600 * i], ramp[1600 * i + 1599]), (peaks.Min[i], peaks.Max[i]));
    }

    [Theory]
    [InlineData(16_000, 1, 100)]
    [InlineData(16_001, 1, 101)]
    [InlineData(11_025, 2, 69)]
    public void Of_AnyLength_CoversEverySample(int frames, int channels, int count)
    {
        var samples = new float[frames * channels];
        samples[^1] = 0.5f;
        var peaks = WaveformPeaks.Of(new Sound(samples, 16_000, channels));
        Assert.Equal(count, peaks.Max.Length);
        Assert.Equal(0.5f, peaks.Max[^1]);
        Assert.Equal(frames / 16_000.0, peaks.Seconds);
    }
}
