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

    public static byte[] Chunk(string id, string text)
    {
        var body = Encoding.ASCII.GetBytes(text.Length % 2 == 0 ? text : text + "\0");
        return [.. Encoding.ASCII.GetBytes(id), .. BitConverter.GetBytes(body.Length), .. body];
    }
}
