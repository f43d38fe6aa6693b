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

    [Theory]
    [InlineData(5)]
    [InlineData(15)]
    [InlineData(30)]
    public void Measure_SpeechInNoise_EstimatesTheirRatio(double decibels)
    {
        float[] speech = [.. TestSounds.Speech(4).SelectMany(c => c.Concat(new float[6_000]))];
        // Speech as loud as it is while it is there: mean power of what stands above its own loudest by less than 25 dB.
        var windows = speech.Chunk(320).Select(w => w.Average(x => (double)x * x)).ToList();
        double power = windows.Where(p => p > windows.Max() / 300).Average(), deviation = Math.Sqrt(power / Math.Pow(10, decibels / 10));
        var random = new Random(4);
        for (int i = 0; i < speech.Length; i++)
            speech[i] += (float)(deviation * Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));
        var quality = SoundQuality.Measure(new Sound(speech, 16_000, 1));
        Assert.Equal(decibels, quality.SnrDb!.Value, 4.0);
        Assert.Equal(decibels < 10, quality.Findings.Any(f => f.Code == "noisy"));
    }

    [Fact]
    public void Measure_SteadyTone_HasNoSignalToNoise() => Assert.Null(SoundQuality.Measure(TestSounds.Tone(440, seconds: 5)).SnrDb);

    [Theory]
    [InlineData(2)]
    [InlineData(1_000)]
    public void Meter_InBlocks_MeasuresTheWhole(int block)
    {
        using var file = File.OpenRead(SharedData.Path("speech/compat/wav-clipped.wav"));
        var sound = SoundFile.Read(file);
        var whole = SoundQuality.Measure(sound);
        var meter = new QualityMeter(sound.SampleRate, 1);
        for (int at = 0; at < sound.Samples.Length; at += block) meter.Add(sound.Samples.AsSpan(at, Math.Min(block, sound.Samples.Length - at)));
        var ours = meter.Finish();
        Assert.Equal(whole.RmsDb, ours.RmsDb, 5);
        Assert.Equal((whole.PeakDb, whole.ClippedShare), (ours.PeakDb, ours.ClippedShare));
        Assert.Equal(whole.Findings, ours.Findings);
    }
}
