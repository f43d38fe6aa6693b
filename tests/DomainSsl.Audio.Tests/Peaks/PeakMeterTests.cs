using DomainSsl.Audio.Peaks;

namespace DomainSsl.Audio.Tests.Peaks;

public class PeakMeterTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(999)]
    public void Add_InBlocks_GivesTheWholesPeaks(int block)
    {
        var sound = new Sound(TestSounds.Babble(2, 22_050), 11_025, 2);
        var whole = WaveformPeaks.Of(sound);
        var meter = new PeakMeter(11_025, 2);
        for (int at = 0; at < sound.Samples.Length; at += 2 * block) meter.Add(sound.Samples.AsSpan(at, Math.Min(2 * block, sound.Samples.Length - at)));
        var peaks = meter.Finish();
        Assert.Equal(whole.Min, peaks.Min);
        Assert.Equal(whole.Max, peaks.Max);
        Assert.Equal(whole.Seconds, peaks.Seconds);
    }

    [Fact]
    public void Finish_SoundPastTheMost_HasHalfAsManyASecondAndLosesNoPeak()
    {
        var meter = new PeakMeter(1_000, 1, perSecond: 100, most: 600);
        var samples = new float[10_000];
        (samples[4_321], samples[9_999]) = (0.9f, -0.8f);
        meter.Add(samples);
        var peaks = meter.Finish();
        Assert.Equal((50, 10.0), (peaks.PerSecond, peaks.Seconds));
        Assert.Equal(500, peaks.Max.Length);
        Assert.Equal(0.9f, peaks.Max[4_321 / 20]);
        Assert.Equal(-0.8f, peaks.Min[^1]);
    }

    [Fact]
    public void Overview_OfManyStretches_HasFewAndLosesNoPeak()
    {
        var peaks = WaveformPeaks.Of(new Sound(TestSounds.Babble(3, 160_001), 16_000, 1));
        var (min, max, each) = peaks.Overview(64);
        Assert.InRange(min.Length, 50, 64);
        Assert.Equal((peaks.Min.Min(), peaks.Max.Max()), (min.Min(), max.Max()));
        Assert.InRange(each * min.Length, peaks.Seconds, peaks.Seconds + each);
    }
}
