using System.Text;
using DomainSsl.Audio.Decoding;
using DomainSsl.Audio.Quality;
using DomainSsl.Audio.Spectrograms;
using DomainSsl.Audio.VoiceActivity;

namespace DomainSsl.Audio.Tests;

public sealed class RecordingIntakeTests : IDisposable
{
    private readonly SileroVad network = new();

    public void Dispose() => network.Dispose();

    [Fact]
    public void Take_CallOfTwoSpeakers_KeepsThemApartWithTheirSegments()
    {
        var clips = TestSounds.Speech(6);
        int length = clips.Sum(c => c.Length + 8_000);
        var stereo = new float[2 * length];
        var truth = new List<(int Channel, double Start, double End)>();
        for (int c = 0, at = 0; c < clips.Count; c++)
        {
            for (int i = 0; i < clips[c].Length; i++) stereo[2 * (at + i) + c % 2] = clips[c][i];
            truth.Add((c % 2, at / 16_000.0, (at + clips[c].Length) / 16_000.0));
            at += clips[c].Length + 8_000;
        }
        using MemoryStream source = new(), kept = new(), full = new();
        SoundFile.WriteWav(source, new Sound(stereo, 16_000, 2));

        var intake = RecordingIntake.Take(source, kept, full, network);

        Assert.Equal(ChannelUse.Apart, intake.Channels);
        Assert.Equal(2, intake.Peaks.Count);
        Assert.All(intake.Segments, s => Assert.Contains(truth, t => t.Channel == s.Channel && s.Start < t.End && s.End > t.Start));
        Assert.All(truth, t => Assert.Contains(intake.Segments, s => t.Channel == s.Channel && s.Start < t.End && s.End > t.Start));
        var sound = SoundFile.Read(kept);
        Assert.Equal((16_000, 2, length), (sound.SampleRate, sound.Channels, sound.Frames));
        for (int i = 0; i < stereo.Length; i++) Assert.InRange(Math.Abs(stereo[i] - sound.Samples[i]), 0, 1.01 / 65536);
        Assert.Equal((length + 319) / 320 * SpectrogramMeter.Bands, full.Length);
    }

    [Fact]
    public void Take_StereoOfOneRoom_IsWhatReadingAndMixingGives()
    {
        var mono = TestSounds.Babble(1, 3 * 44_100);
        var stereo = new float[2 * mono.Length];
        for (int i = 0; i < mono.Length; i++) (stereo[2 * i], stereo[2 * i + 1]) = (mono[i], 0.8f * mono[i]);
        using MemoryStream source = new(), kept = new(), whole = new();
        SoundFile.WriteWav(source, new Sound(stereo, 44_100, 2), WavSamples.Float32);
        SoundFile.WriteWav16k(whole, SoundFile.Read(source));

        var intake = RecordingIntake.Take(source, kept, null, null, new IntakeOptions { Segments = null });

        Assert.Equal((ChannelUse.Mean, 3.0), (intake.Channels, intake.Seconds));
        Assert.Empty(intake.Segments);
        var (ours, expected) = (SoundFile.Read(kept).Samples, SoundFile.Read(whole).Samples);
        Assert.Equal(expected.Length, ours.Length);
        for (int i = 0; i < ours.Length; i++) Assert.InRange(Math.Abs(ours[i] - expected[i]), 0, 1.01 / 32768);
        Assert.Equal(SoundQuality.Measure(SoundFile.Read(source)).RmsDb, intake.Quality.RmsDb, 6);
        Assert.DoesNotContain("LIST", Encoding.Latin1.GetString(kept.ToArray(), 0, 44), StringComparison.Ordinal);
    }

    [Fact]
    public void Take_Cancelled_Stops()
    {
        using MemoryStream source = new(), kept = new();
        SoundFile.WriteWav(source, TestSounds.Tone(440, seconds: 60));
        using var cancel = new CancellationTokenSource();
        Assert.ThrowsAny<OperationCanceledException>(() => RecordingIntake.Take(source, kept, null, network, progress: new Inline(_ => cancel.Cancel()), cancellation: cancel.Token));
    }

    [Fact]
    public void Take_DamagedFile_IsRefusedAndLeavesNothingRunning()
    {
        using MemoryStream kept = new();
        var wav = TestSounds.Wav(code: 3, align: 4, bits: 32, dataBytes: 400_000);
        for (int i = 44; i + 4 <= wav.Length; i += 4) BitConverter.TryWriteBytes(wav.AsSpan(i), float.NaN);
        Assert.Equal(AudioError.Damaged, Assert.Throws<AudioException>(() => RecordingIntake.Take(new MemoryStream(wav), kept, null, network)).Code);
    }

    private sealed class Inline(Action<double> report) : IProgress<double>
    {
        public void Report(double value) => report(value);
    }
}
