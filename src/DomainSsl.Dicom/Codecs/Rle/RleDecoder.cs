using System.Buffers.Binary;

namespace DomainSsl.Dicom.Codecs.Rle;

/// <summary>RLE Lossless (PS3.5 annex G): a header of up to fifteen offsets, then each byte plane, most significant first, packed by PackBits.</summary>
internal static class RleDecoder
{
    private const int HeaderLength = 64;

    /// <summary>Unpacks a frame to samples side by side, little endian.</summary>
    /// <param name="encoded">The frame's fragments, joined.</param>
    /// <param name="pixels">Rows × columns.</param>
    /// <param name="samples">Samples of a pixel.</param>
    /// <param name="sampleBytes">Bytes of a sample.</param>
    public static byte[] Decode(ReadOnlySpan<byte> encoded, int pixels, int samples, int sampleBytes)
    {
        if (encoded.Length < HeaderLength) throw DicomErrors.Undecodable("its RLE header is cut");
        var segments = BinaryPrimitives.ReadUInt32LittleEndian(encoded);
        if (segments != samples * sampleBytes) throw DicomErrors.Undecodable($"it has {segments} RLE segments where {samples * sampleBytes} are needed");
        // Two bytes make at most 128: a claim beyond that cannot be true, and no memory is taken for it.
        if ((long)pixels * segments > (long)(encoded.Length - HeaderLength) * 64) throw DicomErrors.Undecodable("it holds fewer RLE bytes than its size needs");
        if ((long)pixels * segments > Array.MaxLength) throw DicomErrors.Exceeds("a frame of more than two gigabytes", DicomTags.PixelData);
        var decoded = new byte[pixels * segments];
        var stride = samples * sampleBytes;
        for (var s = 0; s < segments; s++)
        {
            var start = BinaryPrimitives.ReadUInt32LittleEndian(encoded[(4 + 4 * s)..]);
            var end = s + 1 < segments ? BinaryPrimitives.ReadUInt32LittleEndian(encoded[(8 + 4 * s)..]) : (uint)encoded.Length;
            if (start < HeaderLength || end < start || end > encoded.Length) throw DicomErrors.Undecodable("an RLE segment lies outside the frame");
            // Segment s is byte (sampleBytes - 1 - s % sampleBytes), counted from the least significant, of sample s / sampleBytes.
            Unpack(encoded[(int)start..(int)end], decoded.AsSpan(s / sampleBytes * sampleBytes + sampleBytes - 1 - s % sampleBytes), pixels, stride);
        }
        return decoded;
    }

    private static void Unpack(ReadOnlySpan<byte> packed, Span<byte> target, int count, int stride)
    {
        var (at, written) = (0, 0);
        while (written < count)
        {
            if (at >= packed.Length) throw DicomErrors.Undecodable("an RLE segment ends early");
            int n = (sbyte)packed[at++];
            if (n >= 0)
            {
                var run = Math.Min(n + 1, count - written);
                if (run > packed.Length - at) throw DicomErrors.Undecodable("an RLE segment ends early");
                if (stride == 1) packed.Slice(at, run).CopyTo(target[written..]);
                else for (var k = 0; k < run; k++) target[(written + k) * stride] = packed[at + k];
                at += n + 1;
                written += run;
            }
            else if (n != -128)
            {
                if (at >= packed.Length) throw DicomErrors.Undecodable("an RLE segment ends early");
                var run = Math.Min(1 - n, count - written);
                var value = packed[at++];
                if (stride == 1) target.Slice(written, run).Fill(value);
                else for (var k = 0; k < run; k++) target[(written + k) * stride] = value;
                written += run;
            }
        }
    }
}
