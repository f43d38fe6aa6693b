using System.Buffers.Binary;
using NAudio.Codecs;
using NAudio.Wave;

namespace DomainSsl.Audio.Decoding;

/// <summary>
/// The stretch of a file that holds samples, as NAudio wants them: little-endian, 8-bit unsigned, A-law and μ-law opened to 16 bits.
/// Never reads beyond the stretch that the header checks have agreed to, and only whole frames.
/// </summary>
internal sealed class SampleBytes : IWaveProvider
{
    private readonly Stream stream;
    private readonly PcmLayout format;
    private byte[] stored = [];
    private long left;

    public SampleBytes(Stream stream, PcmLayout format)
    {
        this.stream = stream;
        this.format = format;
        stream.Position = format.DataOffset;
        left = format.Frames * format.BlockAlign;
        WaveFormat = format.Kind switch
        {
            SampleKind.Float => WaveFormat.CreateCustomFormat(WaveFormatEncoding.IeeeFloat, format.SampleRate, format.Channels,
                format.SampleRate * format.BlockAlign, format.BlockAlign, format.ContainerBits),
            SampleKind.Integer => new WaveFormat(format.SampleRate, format.ContainerBits, format.Channels),
            _ => new WaveFormat(format.SampleRate, 16, format.Channels),
        };
    }

    public WaveFormat WaveFormat { get; }

    public int Read(Span<byte> buffer)
    {
        bool law = format.Kind is SampleKind.ALaw or SampleKind.MuLaw;
        int room = law ? buffer.Length / 2 : buffer.Length;
        int want = (int)Math.Min(room - room % format.BlockAlign, left);
        if (want == 0) return 0;
        if (!law)
        {
            stream.ReadExactly(buffer[..want]);
            left -= want;
            if (format.ContainerBits == 8 && format.SignedBytes) OffsetBytes(buffer[..want]);
            if (format.BigEndian) SwapBytes(buffer[..want], format.ContainerBits / 8);
            return want;
        }

        if (stored.Length < want) stored = new byte[want];
        stream.ReadExactly(stored.AsSpan(0, want));
        left -= want;
        for (int i = 0; i < want; i++)
        {
            short value = format.Kind == SampleKind.ALaw ? ALawDecoder.ALawToLinearSample(stored[i]) : MuLawDecoder.MuLawToLinearSample(stored[i]);
            BinaryPrimitives.WriteInt16LittleEndian(buffer[(2 * i)..], value);
        }
        return 2 * want;
    }

    private static void OffsetBytes(Span<byte> bytes)
    {
        foreach (ref byte b in bytes) b ^= 0x80;
    }

    private static void SwapBytes(Span<byte> bytes, int width)
    {
        if (width == 1) return;
        for (int i = 0; i + width <= bytes.Length; i += width) bytes.Slice(i, width).Reverse();
    }
}
