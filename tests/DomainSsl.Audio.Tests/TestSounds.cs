using System.Buffers.Binary;
using System.Text;

namespace DomainSsl.Audio.Tests;

/// <summary>Sounds and file bytes made on the spot.</summary>
internal static class TestSounds
{
    public static Sound Tone(double hertz, int rate = 16_000, double seconds = 1, double amplitude = 0.5, int channels = 1)
    {
        var samples = new float[(int)(rate * seconds) * channels];
        for (int i = 0; i < samples.Length; i++) samples[i] = (float)(amplitude * Math.Sin(2 * Math.PI * hertz * (i / channels) / rate));
        return new Sound(samples, rate, channels);
    }

    /// <summary>A WAV header with any values, and data behind it.</summary>
    public static byte[] Wav(int code = 1, int channels = 1, int rate = 16_000, int align = 2, int bits = 16, int dataBytes = 3200,
        long? announced = null, byte[]? extraChunk = null)
    {
        var extra = extraChunk ?? [];
        var b = new byte[44 + extra.Length + dataBytes];
        Encoding.ASCII.GetBytes("RIFF").CopyTo(b, 0);
        BinaryPrimitives.WriteUInt32LittleEndian(b.AsSpan(4), (uint)(b.Length - 8));
        Encoding.ASCII.GetBytes("WAVEfmt ").CopyTo(b, 8);
        BinaryPrimitives.WriteUInt32LittleEndian(b.AsSpan(16), 16);
        BinaryPrimitives.WriteUInt16LittleEndian(b.AsSpan(20), (ushort)code);
        BinaryPrimitives.WriteUInt16LittleEndian(b.AsSpan(22), (ushort)channels);
        BinaryPrimitives.WriteUInt32LittleEndian(b.AsSpan(24), (uint)rate);
        BinaryPrimitives.WriteUInt32LittleEndian(b.AsSpan(28), (uint)(rate * align));
        BinaryPrimitives.WriteUInt16LittleEndian(b.AsSpan(32), (ushort)align);
        BinaryPrimitives.WriteUInt16LittleEndian(b.AsSpan(34), (ushort)bits);
        extra.CopyTo(b, 36);
        Encoding.ASCII.GetBytes("data").CopyTo(b, 36 + extra.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(b.AsSpan(40 + extra.Length), (uint)(announced ?? dataBytes));
        for (int i = 0; i < dataBytes; i++) b[44 + extra.Length + i] = (byte)(i * 37);
        return b;
    }

    /// <summary>An AIFF (or AIFF-C of the codec named) of 300 frames, 16 bits, mono, 16 kHz.</summary>
    public static byte[] Aiff(string? codec = null)
    {
        byte[] comm = [0, 1, 0, 0, 1, 44, 0, 16, 0x40, 0x0C, 0xFA, 0, 0, 0, 0, 0, 0, 0, .. codec is null ? (byte[])[] : [.. Encoding.ASCII.GetBytes(codec), 0, 0]];
        byte[] body = [.. Encoding.ASCII.GetBytes(codec is null ? "AIFF" : "AIFC"), .. Part("COMM", comm), .. Part("SSND", [0, 0, 0, 0, 0, 0, 0, 0, .. Enumerable.Range(0, 600).Select(i => (byte)(i * 37))])];
        return Part("FORM", body);
    }

    /// <summary>A Sun AU of 300 frames, 16 bits, mono, 16 kHz.</summary>
    public static byte[] Au(uint code = 3, uint channels = 1, uint rate = 16_000, uint? bytes = null)
    {
        var b = new byte[24 + 600];
        Encoding.ASCII.GetBytes(".snd").CopyTo(b, 0);
        uint[] words = [24, bytes ?? 600, code, rate, channels];
        for (int i = 0; i < words.Length; i++) BinaryPrimitives.WriteUInt32BigEndian(b.AsSpan(4 + 4 * i), words[i]);
        for (int i = 0; i < 600; i++) b[24 + i] = (byte)(i * 37);
        return b;
    }

    /// <summary>Speech-like: noise in syllables of 0.2 s with pauses between, then longer pauses; for tests that must not need real recordings.</summary>
    public static float[] Babble(int seed, int samples, double amplitude = 0.2)
    {
        var random = new Random(seed);
        var x = new float[samples];
        float low = 0;
        for (int i = 0; i < samples; i++)
        {
            low += 0.3f * ((float)(random.NextDouble() * 2 - 1) - low);
            x[i] = (float)(amplitude * 3 * low * Math.Pow(Math.Max(0, Math.Sin(2 * Math.PI * i / 8_000)), 2));
        }
        return x;
    }

    /// <summary>So many spoken clips of the samples that come with the product, 16 kHz mono, of several speakers.</summary>
    public static IReadOnlyList<float[]> Speech(int count)
    {
        var files = Directory.GetFiles(Path.Combine(DomainSsl.Testing.SharedData.Project, "sample-data", "recordings"), "*.wav").Order(StringComparer.Ordinal).ToList();
        return [.. Enumerable.Range(0, count).Select(i =>
        {
            using var file = File.OpenRead(files[i * (files.Count / count)]);
            return DomainSsl.Audio.Decoding.SoundFile.Read(file).Samples;
        })];
    }

    private static byte[] Part(string id, byte[] body) => [.. Encoding.ASCII.GetBytes(id), .. BitConverter.GetBytes(body.Length).Reverse(), .. body];

    public static byte[] Chunk(string id, string text)
    {
        var body = Encoding.ASCII.GetBytes(text.Length % 2 == 0 ? text : text + "\0");
        return [.. Encoding.ASCII.GetBytes(id), .. BitConverter.GetBytes(body.Length), .. body];
    }
}
