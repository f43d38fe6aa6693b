using DomainSsl.Audio.Decoding;
using DomainSsl.Audio.Quality;
using DomainSsl.Testing;

namespace DomainSsl.Audio.Tests.Quality;

public class SoundQualityTests
{
    [Fact]
    public void Measure_CleanTone_HasItsLevelAndNoFindings()
    {
        var quality = SoundQuality.Measure(TestSounds.Tone(440, amplitude: 0.5));
        Assert.Equal(-9.03, quality.RmsDb, 0.02);
        Assert.Equal(-6.02, quality.PeakDb, 0.02);
        Assert.Equal(0, quality.ClippedShare);
        Assert.Empty(quality.Findings);
    }

    [Fact]
    public void Measure_FullScaleToneThatIsNotCutOff_IsNotCalledClipped() =>
        Assert.DoesNotContain(SoundQuality.Measure(TestSounds.Tone(441, amplitude: 1)).Findings, f => f.Code == "clipped");

    [Fact]
    public void Measure_HalfSilence_TellsTheShare()
    {
        var tone = TestSounds.Tone(440);
        Array.Clear(tone.Samples, 0, 8_000);
        Assert.Equal(0.5, SoundQuality.Measure(tone).SilentShare, 0.01);
    }

    [Fact]
    public void Measure_VeryQuietTone_IsCalledQuiet() =>
        Assert.Equal("quiet", Assert.Single(SoundQuality.Measure(TestSounds.Tone(440, amplitude: 0.004)).Findings).Code);

    [Theory]
    [InlineData("wav-clipped.wav", "clipped")]
    [InlineData("wav-silence.wav", "silent")]
    [InlineData("wav-dc-offset.wav", "dc-offset")]
    [InlineData("wav-stereo-opposite.wav", "channels-cancel")]
    [InlineData("bad-nan.wav", "mended")]
    public void Measure_FaultyRecording_FindsTheFault(string file, string code)
    {
        using var stream = File.OpenRead(SharedData.Path("speech/compat/" + file));
        Assert.Contains(SoundQuality.Measure(SoundFile.Read(stream)).Findings, f => f.Code == code);
    }

    [Theory]
    [InlineData("wav-pcm16-16k.wav")]
    [InlineData("wav-stereo-44k1.wav")]
    public void Measure_GoodRecording_FindsNothing(string file)
    {
        using var stream = File.OpenRead(SharedData.Path("speech/compat/" + file));
        Assert.Empty(SoundQuality.Measure(SoundFile.Read(stream)).Findings);
    }
}
