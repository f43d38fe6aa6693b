using System.Buffers.Binary;

namespace DomainSsl.Audio.Decoding;

/// <summary>How a WAV stores samples.</summary>
public enum WavSamples
{
    /// <summary>16-bit integers, rounded to nearest; what is beyond full scale is clipped.</summary>
    Pcm16,

    /// <summary>32-bit floats, bit for bit.</summary>
    Float32,
}

/// <summary>
/// Writes a WAV block by block: RIFF, fmt, (fact) and data only, so there is no place for a name, and the same sound always gives the same bytes. Where the length is
/// known beforehand the stream need not seek.
/// </summary>
public sealed class WavWriter
{
    private const int Block = 16_384;

    private readonly Stream output;
    private readonly WavSamples kind;
    private readonly long start;
    private readonly long? frames;
    private readonly int rate, channels, width;
    private readonly byte[] bytes;
    private long samples;

    /// <summary>Begins the file.</summary>
    /// <param name="output">Left open.</param>
    /// <param name="rate">Hz.</param>
    /// <param name="channels">Channels.</param>
    /// <param name="kind">How samples are stored.</param>
    /// <param name="frames">How many frames will be added; null where that is not known: then the header is mended at the end.</param>
    /// <exception cref="AudioException">The sound is too long for the format (4 GiB).</exception>
    public WavWriter(Stream output, int rate, int channels, WavSamples kind = WavSamples.Pcm16, long? frames = null)
    {
        ArgumentNullException.ThrowIfNull(output);
        if (frames is null && !output.CanSeek) throw new ArgumentException("Where the length is not known beforehand the stream must be seekable.", nameof(output));
        (this.output, this.kind, this.frames, this.rate, this.channels) = (output, kind, frames, rate, channels);
        width = kind == WavSamples.Float32 ? 4 : 2;
        bytes = new byte[Block * width];
        start = frames is null ? output.Position : 0;
        output.Write(Header(frames ?? 0));
    }

    /// <summary>Adds whole frames, channels interleaved.</summary>
    public void Add(ReadOnlySpan<float> interleaved)
    {
        for (; !interleaved.IsEmpty; interleaved = interleaved[Math.Min(Block, interleaved.Length)..])
        {
            var part = interleaved[..Math.Min(Block, interleaved.Length)];
            for (int i = 0; i < part.Length; i++)
            {
                if (kind == WavSamples.Float32) BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(4 * i), part[i]);
                else BinaryPrimitives.WriteInt16LittleEndian(bytes.AsSpan(2 * i), (short)Math.Clamp(MathF.Round(part[i] * 32768f), -32768f, 32767f));
            }
            output.Write(bytes, 0, part.Length * width);
            samples += part.Length;
        }
    }

    /// <summary>Ends the file: the lengths in its header are now true.</summary>
    public void Finish()
    {
        long written = samples / channels;
        if (frames is { } promised)
        {
            if (written != promised) throw new InvalidOperationException($"{promised} frames were announced and {written} added.");
            return;
        }
        var header = Header(written);
        long end = output.Position;
        output.Position = start;
        output.Write(header);
        output.Position = end;
    }

    private byte[] Header(long count)
    {
        bool isFloat = kind == WavSamples.Float32;
        int align = width * channels;
        long dataBytes = count * align;
        // Float needs the 18-byte fmt (with an extension of length 0) and a fact chunk (Microsoft, "New Multimedia Data Types", 1994).
        int headerBytes = isFloat ? 12 + 8 + 18 + 12 + 8 : 12 + 8 + 16 + 8;
        if (dataBytes + headerBytes > uint.MaxValue) throw new AudioException(AudioError.Limit,
            "The sound is too long for one WAV file (4 GiB); cut it into shorter recordings.");

        var header = new byte[headerBytes];
        int at = 0;
        Letters("RIFF"); UInt32((uint)(headerBytes - 8 + dataBytes)); Letters("WAVE");
        Letters("fmt "); UInt32(isFloat ? 18u : 16u);
        UInt16(isFloat ? 3 : 1); UInt16(channels); UInt32((uint)rate); UInt32((uint)(rate * align)); UInt16(align); UInt16(width * 8);
        if (isFloat)
        {
            UInt16(0);
            Letters("fact"); UInt32(4); UInt32((uint)count);
        }
        Letters("data"); UInt32((uint)dataBytes);
        return header;

        void Letters(string s) { foreach (char c in s) header[at++] = (byte)c; }
        void UInt16(int v) { BinaryPrimitives.WriteUInt16LittleEndian(header.AsSpan(at), (ushort)v); at += 2; }
        void UInt32(uint v) { BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(at), v); at += 4; }
    }
}
