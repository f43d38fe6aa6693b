using DomainSsl.Audio.Resampling;

namespace DomainSsl.Audio.Tests.Resampling;

public class StreamResamplerTests
{
    [Theory]
    [InlineData(44_100, 1)]
    [InlineData(44_100, 1000)]
    [InlineData(48_000, 7)]
    [InlineData(8_000, 333)]
    [InlineData(96_000, 64)]
    [InlineData(16_000, 100)]
    [InlineData(44_101, 500)]
    public void Add_InBlocks_GivesWhatTheWholeGives(int rate, int block)
    {
        var input = TestSounds.Babble(1, 9_001);
        var whole = new Resampler(rate, 16_000).Resample(input);
        var stream = new StreamResampler(rate, 16_000);
        var all = new List<float>();
        for (int at = 0; at < input.Length; at += block) all.AddRange(stream.Add(input.AsSpan(at, Math.Min(block, input.Length - at))));
        all.AddRange(stream.Finish());
        Assert.Equal(whole.Length, all.Count);
        for (int i = 0; i < whole.Length; i++) Assert.InRange(Math.Abs(whole[i] - all[i]), 0, 1e-6);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    [InlineData(400)]
    public void Finish_SoundShorterThanTheFilter_StillGivesItsLength(int frames)
    {
        var stream = new StreamResampler(44_100, 16_000);
        int count = stream.Add(new float[frames]).Length;
        Assert.Equal(Math.Max(1, (int)Math.Round(frames * 16_000 / 44_100.0)), count + stream.Finish().Length);
    }
}
