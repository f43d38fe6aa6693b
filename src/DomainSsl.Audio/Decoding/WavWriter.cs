using System.Buffers.Binary;

namespace DomainSsl.Audio.Decoding;

/// <summary>How <see cref="SoundFile.WriteWav"/> stores samples.</summary>
public enum WavSamples
{
    /// <summary>16-bit integers, rounded to nearest; what is beyond full scale is clipped.</summary>
    Pcm16,

    /// <summary>32-bit floats, bit for bit.</summary>
    Float32,
}

/// <summary>
/// A WAV of RIFF, fmt, (fact) and data only. The length is known beforehand, so the stream need not seek, and the same sound always gives the same
/// bytes.
/// </summary>
internal static class WavWriter
{
    public static void Write(Stream output, Sound sound, WavSamples kind)
    {
        ArgumentNullException.ThrowIfNull(output);
        ArgumentNullException.ThrowIfNull(sound);
        bool isFloat = kind == WavSamples.Float32;
        int width = isFloat ? 4 : 2, align = width * sound.Channels;
        long dataBytes = (long)sound.Samples.Length * width;
        // Float needs the 18-byte fmt (with an extension of length 0) and a fact chunk (Microsoft, "New Multimedia Data Types", 1994).
        int headerBytes = isFloat ? 12 + 8 + 18 + 12 + 8 : 12 + 8 + 16 + 8;
        if (dataBytes + headerBytes > uint.MaxValue) throw new AudioException(AudioError.Limit,
            "The sound is too long for one WAV file (4 GiB); cut it into shorter recordings.");

        var header = new byte[headerBytes];
        int at = 0;
        Letters("RIFF"); UInt32((uint)(headerBytes - 8 + dataBytes)); Letters("WAVE");
        Letters("fmt "); UInt32(isFloat ? 18u : 16u);
        UInt16(isFloat ? 3 : 1); UInt16(sound.Channels); UInt32((uint)sound.SampleRate); UInt32((uint)(sound.SampleRate * align)); UInt16(align); UInt16(width * 8);
        if (isFloat)
        {
            UInt16(0);
            Letters("fact"); UInt32(4); UInt32((uint)sound.Frames);
        }
        Letters("data"); UInt32((uint)dataBytes);
        output.Write(header);

        const int Block = 16_384;
        var bytes = new byte[Block * width];
        for (int start = 0; start < sound.Samples.Length; start += Block)
        {
            var part = sound.Samples.AsSpan(start, Math.Min(Block, sound.Samples.Length - start));
            for (int i = 0; i < part.Length; i++)
            {
                if (isFloat) BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(4 * i), part[i]);
                else BinaryPrimitives.WriteInt16LittleEndian(bytes.AsSpan(2 * i), (short)Math.Clamp(MathF.Round(part[i] * 32768f), -32768f, 32767f));
            }
            output.Write(bytes, 0, part.Length * width);
        }

        void Letters(string s) { foreach (char c in s) header[at++] = (byte)c; }
        void UInt16(int v) { BinaryPrimitives.WriteUInt16LittleEndian(header.AsSpan(at), (ushort)v); at += 2; }
        void UInt32(uint v) { BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(at), v); at += 4; }
    }
}
