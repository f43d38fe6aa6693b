using System.Diagnostics;
using System.Runtime.InteropServices;
using DomainSsl.Audio.Decoding;
using DomainSsl.Audio.Resampling;
using DomainSsl.Testing;

namespace DomainSsl.Audio.Tests.Decoding;

/// <summary>Held against ffmpeg, where it is installed: other programs read what we write, and decode to what we decode.</summary>
public class FfmpegPeerTests
{
    [Theory]
    [InlineData(44_100, 1)]
    [InlineData(48_000, 1)]
    [InlineData(8_000, 1)]
    [InlineData(22_050, 1)]
    public void To16kMono_AgainstFfmpegsResampler_DiffersByLessThanAThousandth(int rate, int channels)
    {
        var sound = TestSounds.Tone(700, rate, amplitude: 0.4, channels: channels);
        using var folder = new TemporaryFolder();
        string path = folder.At("tone.wav");
        using (var file = File.Create(path)) SoundFile.WriteWav(file, sound, WavSamples.Float32);
        var theirs = Decode(path);

        var ours = Resampler.To16kMono(sound).Samples;

        Assert.InRange(theirs.Length, ours.Length - 2, ours.Length + 2);
        for (int i = 800; i < ours.Length - 800; i++) Assert.InRange(Math.Abs(ours[i] - theirs[i]), 0, 1e-3);
    }

    [Theory]
    [InlineData(WavSamples.Pcm16)]
    [InlineData(WavSamples.Float32)]
    public void WriteWav16k_ReadByFfmpeg_IsTheSameSound(WavSamples kind)
    {
        var sound = TestSounds.Tone(440, amplitude: 0.7);
        using var folder = new TemporaryFolder();
        using (var file = File.Create(folder.At("a.wav"))) SoundFile.WriteWav16k(file, sound, kind);
        var theirs = Decode(folder.At("a.wav"));
        Assert.Equal(sound.Samples.Length, theirs.Length);
        for (int i = 0; i < theirs.Length; i++) Assert.InRange(Math.Abs(sound.Samples[i] - theirs[i]), 0, 1.0 / 65536);
    }

    private static float[] Decode(string path)
    {
        var start = new ProcessStartInfo("ffmpeg") { RedirectStandardOutput = true };
        foreach (var a in new[] { "-nostdin", "-v", "error", "-i", path, "-ac", "1", "-ar", "16000", "-f", "f32le", "pipe:1" }) start.ArgumentList.Add(a);
        Process process;
        try { process = Process.Start(start)!; }
        catch (System.ComponentModel.Win32Exception) { Assert.Skip("ffmpeg is not installed; it is only the peer here."); throw; }
        using (process)
        {
            using var bytes = new MemoryStream();
            process.StandardOutput.BaseStream.CopyTo(bytes);
            process.WaitForExit();
            Assert.Equal(0, process.ExitCode);
            return MemoryMarshal.Cast<byte, float>(bytes.ToArray()).ToArray();
        }
    }
}
