using System.Text;
using DomainSsl.Audio.Decoding;

namespace DomainSsl.Audio.Tests.Decoding;

public class SoundFileTests
{
    [Theory]
    [InlineData(WavSamples.Pcm16, 1, 1.0 / 65536)]
    [InlineData(WavSamples.Pcm16, 2, 1.0 / 65536)]
    [InlineData(WavSamples.Float32, 1, 0)]
    [InlineData(WavSamples.Float32, 3, 0)]
    public void WriteWav_ThenRead_GivesTheSameSamples(WavSamples kind, int channels, double tolerance)
    {
        var sound = TestSounds.Tone(440, rate: 22_050, channels: channels);
        using var file = new MemoryStream();
        SoundFile.WriteWav(file, sound, kind);

        var back = SoundFile.Read(file);

        Assert.Equal((22_050, channels, sound.Frames), (back.SampleRate, back.Channels, back.Frames));
        for (int i = 0; i < sound.Samples.Length; i++) Assert.InRange(Math.Abs(sound.Samples[i] - back.Samples[i]), 0, tolerance);
    }

    [Fact]
    public void WriteWav_BeyondFullScale_ClipsInsteadOfWrapping()
    {
        using var file = new MemoryStream();
        SoundFile.WriteWav(file, new Sound([2f, -2f, 1f, -1f], 16_000, 1));
        Assert.Equal([32767 / 32768f, -1f, 32767 / 32768f, -1f], SoundFile.Read(file).Samples);
    }

    [Fact]
    public void WriteWav16k_FromFileWithNames_KeepsSoundAndNoName()
    {
        byte[] chunks =
        [
            .. TestSounds.Chunk("LIST", "INFOIART\u0008\0\0\0Doe^Jane"), .. TestSounds.Chunk("bext", "Doe^Jane dictation"), .. TestSounds.Chunk("id3 ", "Doe^Jane"),
        ];
        var source = TestSounds.Wav(rate: 44_100, dataBytes: 88_200, extraChunk: chunks);
        Assert.Contains("Doe^Jane", Encoding.Latin1.GetString(source), StringComparison.Ordinal);
        using var copy = new MemoryStream();

        SoundFile.WriteWav16k(copy, SoundFile.Read(new MemoryStream(source)));

        Assert.DoesNotContain("Doe", Encoding.Latin1.GetString(copy.ToArray()), StringComparison.Ordinal);
        Assert.Equal(44 + 2 * 16_000, copy.Length);
        var format = SoundFile.ReadFormat(copy);
        Assert.Equal(("pcm_s16le", 16_000, 1, 16_000L), (format.Codec, format.SampleRate, format.Channels, format.Frames));
    }

    [Fact]
    public void WriteWav_SameSoundTwice_GivesTheSameBytes()
    {
        using MemoryStream a = new(), b = new();
        SoundFile.WriteWav16k(a, TestSounds.Tone(300, rate: 48_000));
        SoundFile.WriteWav16k(b, TestSounds.Tone(300, rate: 48_000));
        Assert.Equal(a.ToArray(), b.ToArray());
    }

    [Fact]
    public void Read_EveryPrefixOfAFile_IsRefusedAndNeverWorse()
    {
        using var whole = new MemoryStream();
        SoundFile.WriteWav(whole, TestSounds.Tone(440, seconds: 0.01, channels: 2), WavSamples.Float32);
        var bytes = whole.ToArray();
        for (int n = 0; n < bytes.Length; n++)
            Assert.Contains(Assert.Throws<AudioException>(() => SoundFile.Read(new MemoryStream(bytes, 0, n))).Code, AudioError.All);
    }

    [Fact]
    public void Read_AnyByteOfTheHeaderChanged_GivesASoundOrARefusal()
    {
        var bytes = TestSounds.Wav(dataBytes: 64);
        int sounds = 0, refusals = 0;
        for (int at = 0; at < 44; at++)
            for (int value = 0; value < 256; value += 5)
            {
                var changed = (byte[])bytes.Clone();
                changed[at] = (byte)value;
                try { SoundFile.Read(new MemoryStream(changed)); sounds++; }
                catch (AudioException) { refusals++; }
            }
        Assert.True(sounds > 100 && refusals > 100, $"{sounds} sounds, {refusals} refusals");
    }

    [Theory]
    [InlineData("channels", AudioError.Header)]
    [InlineData("rate", AudioError.Limit)]
    [InlineData("align", AudioError.Header)]
    [InlineData("bits", AudioError.Header)]
    [InlineData("codec", AudioError.Codec)]
    [InlineData("longer", AudioError.Truncated)]
    [InlineData("empty", AudioError.NoSamples)]
    public void Read_HeaderWithAFault_NamesIt(string fault, string code)
    {
        var bytes = fault switch
        {
            "channels" => TestSounds.Wav(channels: 0),
            "rate" => TestSounds.Wav(rate: 2_000_000_000),
            "align" => TestSounds.Wav(align: 3),
            "bits" => TestSounds.Wav(bits: 17),
            "codec" => TestSounds.Wav(code: 0x1234),
            "longer" => TestSounds.Wav(announced: 3202),
            _ => TestSounds.Wav(dataBytes: 0),
        };
        Assert.Equal(code, Assert.Throws<AudioException>(() => SoundFile.Read(new MemoryStream(bytes))).Code);
    }

    [Fact]
    public void Read_LongerThanTheLimit_IsRefusedBeforeItIsDecoded()
    {
        var bytes = TestSounds.Wav(dataBytes: 64_000);
        Assert.Equal(AudioError.Limit, Assert.Throws<AudioException>(() => SoundFile.Read(new MemoryStream(bytes), new SoundLimits { MaxSeconds = 1.9 })).Code);
        Assert.Equal(AudioError.Limit, Assert.Throws<AudioException>(() =>
            SoundFile.Read(new MemoryStream(bytes), new SoundLimits { MaxBytes = 60_000 })).Code);
        Assert.Equal(AudioError.Limit, Assert.Throws<AudioException>(() =>
            SoundFile.Read(new MemoryStream(bytes), new SoundLimits { MaxSamples = 31_999 })).Code);
        Assert.Equal(2.0, SoundFile.Read(new MemoryStream(bytes)).Seconds);
    }

    [Fact]
    public void Read_FewSamplesThatAreNoNumbers_SetsThemToZeroAndCountsThem()
    {
        var sound = TestSounds.Tone(440, amplitude: 0.5);
        sound.Samples[10] = float.NaN;
        sound.Samples[11] = float.PositiveInfinity;
        sound.Samples[12] = 1e20f;
        using var file = new MemoryStream();
        SoundFile.WriteWav(file, sound, WavSamples.Float32);

        var back = SoundFile.Read(file);

        Assert.Equal(3, back.MendedSamples);
        Assert.Equal([0f, 0f, 0f], back.Samples[10..13]);
    }

    [Fact]
    public void ToMono_OfStereo_IsTheMeanOfTheChannels() =>
        Assert.Equal([0.5f, -0.25f], new Sound([1f, 0f, -0.5f, 0f], 16_000, 2).ToMono().Samples);
}
