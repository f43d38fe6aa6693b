using DomainSsl.Audio;
using DomainSsl.Audio.Decoding;
using DomainSsl.Testing;

namespace DomainSsl.Core.Tests;

/// <summary>Recordings made of the dictations that come with the product.</summary>
internal static class TestSpeech
{
    /// <summary>A dictation as samples, 16 kHz mono.</summary>
    public static float[] Dictation(int number)
    {
        using var stream = File.OpenRead(Path.Combine(SharedData.Project, "sample-data", "recordings", $"dictation-{number:000}.wav"));
        return SoundFile.Read(stream).Samples;
    }

    /// <summary>A call: dictations in turn on the left and on the right, a second of silence between; and who speaks when.</summary>
    public static (byte[] Wav, IReadOnlyList<(int Channel, double Start, double End)> Truth) Call(int turns)
    {
        var clips = Enumerable.Range(1, turns).Select(Dictation).ToList();
        var stereo = new float[2 * clips.Sum(c => c.Length + 16_000)];
        var truth = new List<(int, double, double)>();
        for (int c = 0, at = 0; c < clips.Count; c++)
        {
            for (int i = 0; i < clips[c].Length; i++) stereo[2 * (at + i) + c % 2] = clips[c][i];
            truth.Add((c % 2, at / 16_000.0, (at + clips[c].Length) / 16_000.0));
            at += clips[c].Length + 16_000;
        }
        return (Wav(stereo, 2), truth);
    }

    /// <summary>Dictations over and over, half a second between, for so long.</summary>
    public static byte[] Long(int seconds)
    {
        var clips = Enumerable.Range(1, 20).Select(Dictation).ToList();
        var mono = new float[seconds * 16_000];
        for (int at = 0, c = 0; at < mono.Length; at += clips[c++ % 20].Length + 8_000) clips[c % 20].AsSpan(0, Math.Min(clips[c % 20].Length, mono.Length - at)).CopyTo(mono.AsSpan(at));
        return Wav(mono, 1);
    }

    /// <summary>Samples as a 16 kHz WAV.</summary>
    public static byte[] Wav(float[] samples, int channels)
    {
        using var stream = new MemoryStream();
        SoundFile.WriteWav(stream, new Sound(samples, 16_000, channels));
        return stream.ToArray();
    }
}
