using DomainSsl.Audio.Spectrograms;

namespace DomainSsl.Audio.Tests.Spectrograms;

public class SpectrogramTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(160, 1)]
    [InlineData(161, 2)]
    [InlineData(16_000, 100)]
    [InlineData(99_999, 625)]
    public void LogMel_AnyLength_HasAFrameEachTenMilliseconds(int samples, int frames) => Assert.Equal(80 * frames, MelFrames.LogMel(new float[samples]).Length);

    [Fact]
    public void LogMel_AgainstAPlainTransform_IsTheSame()
    {
        var x = TestSounds.Babble(5, 3_333);
        var ours = MelFrames.LogMel(x, 40);
        var expected = Plain(x, 40);
        Assert.Equal(expected.Length, ours.Length);
        for (int i = 0; i < ours.Length; i++) Assert.InRange(Math.Abs(ours[i] - expected[i]), 0, 2e-3);
    }

    [Fact]
    public void Add_InBlocks_GivesTheWholesFrames()
    {
        var x = TestSounds.Babble(6, 20_000);
        var whole = MelFrames.LogMel(x);
        foreach (int block in (int[])[1, 77, 5_000])
        {
            var all = new List<float>();
            var frames = new MelFrames(80, power => { foreach (float p in power) all.Add(MathF.Log(Math.Max(p, 1e-10f))); });
            for (int at = 0; at < x.Length; at += block) frames.Add(x.AsSpan(at, Math.Min(block, x.Length - at)));
            frames.Finish();
            Assert.Equal(whole, all);
        }
    }

    [Theory]
    [InlineData(250)]
    [InlineData(1000)]
    [InlineData(5000)]
    public void Spectrogram_OfATone_IsBrightAtItsPlace(double hertz)
    {
        using var full = new MemoryStream();
        var meter = new SpectrogramMeter(full);
        meter.Add(TestSounds.Tone(hertz, amplitude: 1, seconds: 2).Samples);
        var overview = meter.Finish();
        Assert.Equal(2 * SpectrogramMeter.ColumnsPerSecond * SpectrogramMeter.Bands, full.Length);
        Assert.Equal(full.ToArray(), overview.Levels);
        var column = overview.Levels.AsSpan(50 * overview.Bands, overview.Bands).ToArray();
        int brightest = Array.IndexOf(column, column.Max());
        var centres = MelFrames.Centres(SpectrogramMeter.Bands);
        Assert.Equal(centres.MinBy(c => Math.Abs(c - hertz)), centres[brightest]);
        Assert.InRange(column[brightest], 235, 255);
    }

    [Fact]
    public void Spectrogram_OfALongSound_IsAsSmallAsPromised()
    {
        var meter = new SpectrogramMeter();
        var minute = TestSounds.Babble(7, 60 * 16_000);
        for (int i = 0; i < 20; i++) meter.Add(minute);
        var overview = meter.Finish();
        Assert.InRange(overview.Levels.Length / overview.Bands, SpectrogramMeter.MaxColumns / 2 - 1, SpectrogramMeter.MaxColumns);
        Assert.InRange(overview.Levels.Length / overview.Bands * overview.SecondsPerColumn, 1200, 1200 + overview.SecondsPerColumn);
    }

    /// <summary>Word for word after the summary of <see cref="MelFrames"/>.</summary>
    private static float[] Plain(float[] x, int bands)
    {
        var window = Enumerable.Range(0, 400).Select(i => 0.5 - 0.5 * Math.Cos(2 * Math.PI * (i + 0.5) / 400)).ToArray();
        double full = window.Sum() / 2, top = 2595 * Math.Log10(1 + 8000 / 700.0);
        var result = new List<float>();
        for (int t = 0; t < (x.Length + 159) / 160; t++)
        {
            var power = new double[257];
            for (int k = 0; k <= 256; k++)
            {
                double re = 0, im = 0;
                for (int i = 0; i < 400; i++)
                {
                    int at = 160 * t + 80 - 200 + i;
                    double v = at >= 0 && at < x.Length ? x[at] * window[i] : 0;
                    re += v * Math.Cos(2 * Math.PI * k * i / 512);
                    im -= v * Math.Sin(2 * Math.PI * k * i / 512);
                }
                power[k] = (re * re + im * im) / (full * full);
            }
            for (int b = 1; b <= bands; b++)
            {
                double sum = 0;
                for (int k = 0; k <= 256; k++) sum += power[k] * Math.Max(0, 1 - Math.Abs(2595 * Math.Log10(1 + k * 31.25 / 700) / (top / (bands + 1)) - b));
                result.Add((float)Math.Log(Math.Max(sum, 1e-10)));
            }
        }
        return [.. result];
    }
}
