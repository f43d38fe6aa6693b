using DomainSsl.Audio.Resampling;

namespace DomainSsl.Audio.Tests.Resampling;

public class ResamplerTests
{
    [Theory]
    [InlineData(44_100)]
    [InlineData(48_000)]
    [InlineData(96_000)]
    [InlineData(22_050)]
    [InlineData(44_101)]    // 16,000 phases: the filters are made as they are needed
    public void Resample_ToneThe16kHzCannotHold_Vanishes(int rate)
    {
        var ours = Resampler.To16kMono(TestSounds.Tone(10_000, rate, amplitude: 1)).Samples;
        double rms = Math.Sqrt(ours[400..^400].Average(x => (double)x * x));
        Assert.True(20 * Math.Log10(rms) < -85, $"{20 * Math.Log10(rms):0.0} dB are left");
    }

    [Theory]
    [InlineData(8_000, 3_000)]
    [InlineData(11_025, 4_000)]
    [InlineData(44_100, 7_000)]
    [InlineData(48_000, 7_000)]
    [InlineData(44_101, 1_000)]
    public void Resample_ToneBothRatesHold_StaysThatTone(int rate, double hertz)
    {
        var ours = Resampler.To16kMono(TestSounds.Tone(hertz, rate, amplitude: 0.5)).Samples;
        var expected = TestSounds.Tone(hertz, 16_000, amplitude: 0.5).Samples;
        Assert.Equal(expected.Length, ours.Length);
        for (int i = 400; i < ours.Length - 400; i++) Assert.InRange(Math.Abs(ours[i] - expected[i]), 0, 2e-4);
    }

    [Fact]
    public void Resample_Constant_StaysThatConstantAtEveryPhase()
    {
        var ones = Enumerable.Repeat(0.25f, 11_025).ToArray();
        var ours = new Resampler(11_025, 16_000).Resample(ones);
        Assert.All(ours[200..^200], x => Assert.InRange(x, 0.25f - 1e-6f, 0.25f + 1e-6f));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    [InlineData(400)]
    public void Resample_SoundShorterThanTheFilter_StillGivesItsLength(int frames) =>
        Assert.Equal(Math.Max(1, (int)Math.Round(frames * 16_000 / 44_100.0)), new Resampler(44_100, 16_000).Resample(new float[frames]).Length);

    [Fact]
    public void To16kMono_OfThatAlready_IsTheSoundItself()
    {
        var sound = TestSounds.Tone(440);
        Assert.Same(sound, Resampler.To16kMono(sound));
    }
}
