using DomainSsl.Audio.Quality;

namespace DomainSsl.Audio.Tests.Quality;

public class ChannelMeterTests
{
    private const int Rate = 16_000, Samples = 20 * Rate;

    [Theory]
    [InlineData(0, 1)]
    [InlineData(0.2, 1)]        // the other's voice on one's own microphone
    [InlineData(0.05, 0.1)]     // one microphone ten times as sensitive
    public void Finish_TwoSpeakersTakingTurns_AreKeptApart(double leak, double gain)
    {
        var (a, b) = Turns();
        var relation = Relate(i => a[i] + leak * b[i], i => gain * (b[i] + leak * a[i]));
        Assert.Equal(ChannelUse.Apart, relation.Use);
        Assert.InRange(relation.LeftAlone, 0.3, 0.6);
        Assert.InRange(relation.RightAlone, 0.3, 0.6);
    }

    [Fact]
    public void Finish_OneSoundInBothChannels_IsMixed()
    {
        var (a, b) = Turns();
        var relation = Relate(i => a[i] + b[i], i => a[i] + b[i]);
        Assert.Equal(ChannelUse.Mean, relation.Use);
        Assert.Equal(1, relation.Correlation, 3);
    }

    [Fact]
    public void Finish_TwoMicrophonesInARoom_AreMixed()
    {
        var (a, b) = Turns();
        // Each voice is 4 dB louder and a millisecond earlier at one of them.
        Assert.Equal(ChannelUse.Mean, Relate(i => a[i] + 0.63 * b[Math.Max(0, i - 16)], i => 0.63 * a[Math.Max(0, i - 16)] + b[i]).Use);
    }

    [Fact]
    public void Finish_OneChannelSilent_TakesTheOther()
    {
        var (a, _) = Turns();
        Assert.Equal(ChannelUse.Left, Relate(i => a[i], _ => 0).Use);
        Assert.Equal(ChannelUse.Right, Relate(i => 1e-4 * a[i], i => a[i]).Use);
        Assert.Equal(ChannelUse.Mean, Relate(_ => 0, _ => 0).Use);
    }

    [Fact]
    public void Finish_OneChannelTurnedOver_TakesOne()
    {
        var (a, _) = Turns();
        Assert.Equal(ChannelUse.Left, Relate(i => a[i], i => -a[i]).Use);
    }

    /// <summary>Two voices: three seconds the one, three the other, over quiet noise.</summary>
    private static (float[] A, float[] B) Turns()
    {
        var (a, b, random) = (TestSounds.Babble(1, Samples), TestSounds.Babble(2, Samples), new Random(3));
        for (int i = 0; i < Samples; i++)
        {
            if (i / (3 * Rate) % 2 == 0) b[i] = 0;
            else a[i] = 0;
            a[i] += (float)(random.NextDouble() - 0.5) * 1e-3f;
            b[i] += (float)(random.NextDouble() - 0.5) * 1e-3f;
        }
        return (a, b);
    }

    private static ChannelRelation Relate(Func<int, double> left, Func<int, double> right)
    {
        var stereo = new float[2 * Samples];
        for (int i = 0; i < Samples; i++) (stereo[2 * i], stereo[2 * i + 1]) = ((float)left(i), (float)right(i));
        var meter = new ChannelMeter(Rate);
        for (int at = 0; at < stereo.Length; at += 2_000) meter.Add(stereo.AsSpan(at, Math.Min(2_000, stereo.Length - at)));
        return meter.Finish();
    }
}
