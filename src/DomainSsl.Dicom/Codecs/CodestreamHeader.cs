using System.Buffers.Binary;

namespace DomainSsl.Dicom.Codecs;

/// <summary>Which family a codestream is of.</summary>
internal enum CodestreamKind
{
    /// <summary>ITU-T T.81: baseline, extended or lossless.</summary>
    Jpeg,
    /// <summary>ITU-T T.87.</summary>
    JpegLs,
    /// <summary>ITU-T T.800.</summary>
    Jpeg2000,
}

/// <summary>
/// What a compressed frame says of itself, read in managed code before any decoder sees it: decoders trust our rows and columns and would read past the end of a
/// smaller image.
/// </summary>
/// <param name="Kind">Which decoder it needs.</param>
/// <param name="Rows">Height.</param>
/// <param name="Columns">Width.</param>
/// <param name="Components">Samples of a pixel.</param>
/// <param name="Precision">Bits of a sample.</param>
/// <param name="IsSigned">Samples are signed (JPEG 2000 only).</param>
/// <param name="IsComplete">The end-of-image marker is there.</param>
/// <param name="IsLossless">A JPEG of process 14 (SOF3).</param>
/// <param name="HasJfif">A JFIF marker: three components are Y, Cb, Cr whatever else is said.</param>
/// <param name="AdobeTransform">Adobe's colour transform: 0 none, 1 YCbCr; -1 where not stated.</param>
/// <param name="IsLabelledRgb">The components are named R, G, B.</param>
/// <param name="IsPlanar">JPEG-LS with one scan a component: all of one, then all of the next.</param>
internal sealed record CodestreamHeader(CodestreamKind Kind, int Rows, int Columns, int Components, int Precision, bool IsSigned, bool IsComplete, bool IsLossless,
    bool HasJfif, int AdobeTransform, bool IsLabelledRgb, bool IsPlanar = false)
{
    public static CodestreamHeader Read(ReadOnlySpan<byte> stream)
    {
        stream = Bare(stream);
        if (stream.Length < 4) throw DicomErrors.Undecodable("a compressed frame is empty");
        return BinaryPrimitives.ReadUInt32BigEndian(stream) == 0xFF4FFF51 ? ReadJpeg2000(stream)
            : stream[0] == 0xFF && stream[1] == 0xD8 ? ReadJpeg(stream)
            : throw DicomErrors.Undecodable("its compressed frame does not begin as one should");
    }

    /// <summary>The codestream itself where a frame was wrapped as a JP2 file, which PS3.5 §8.2.4 forbids and some writers do.</summary>
    public static ReadOnlySpan<byte> Bare(ReadOnlySpan<byte> frame) =>
        frame.StartsWith((ReadOnlySpan<byte>)[0, 0, 0, 12, (byte)'j', (byte)'P', (byte)' ', (byte)' ']) && frame.IndexOf((ReadOnlySpan<byte>)[0xFF, 0x4F, 0xFF, 0x51]) is > 0 and var at
            ? frame[at..] : frame;

    private static CodestreamHeader ReadJpeg(ReadOnlySpan<byte> stream)
    {
        var (at, jfif, adobe) = (2, false, -1);
        CodestreamHeader? found = null;
        while (at + 4 <= stream.Length)
        {
            if (stream[at] != 0xFF) throw DicomErrors.Undecodable("its compressed frame has no valid header");
            var marker = stream[at + 1];
            if (marker == 0xFF) { at++; continue; } // fill byte
            if (marker is 0x01 or (>= 0xD0 and <= 0xD8)) { at += 2; continue; } // markers without a length
            var length = BinaryPrimitives.ReadUInt16BigEndian(stream[(at + 2)..]);
            if (length < 2 || at + 2 + length > stream.Length) break;
            var body = stream.Slice(at + 4, length - 2);
            if (marker == 0xE0 && body.StartsWith("JFIF"u8)) jfif = true;
            if (marker == 0xEE && body.StartsWith("Adobe"u8) && body.Length >= 12) adobe = body[11];
            // The first scan tells whether it has all components.
            if (marker == 0xDA && found is not null) return found with { IsPlanar = found.Kind == CodestreamKind.JpegLs && found.Components > 1 && body.Length > 0 && body[0] == 1 };
            if (marker is 0xDA or 0xD9) break;
            // SOF0…15 but for DHT, JPG and DAC; SOF55 is JPEG-LS.
            if (marker is >= 0xC0 and <= 0xCF and not (0xC4 or 0xC8 or 0xCC) or 0xF7)
            {
                if (body.Length < 6 || body.Length < 6 + 3 * body[5]) break;
                var named = body[5] == 3 && body[6] == 'R' && body[9] == 'G' && body[12] == 'B';
                found = new(marker == 0xF7 ? CodestreamKind.JpegLs : CodestreamKind.Jpeg, BinaryPrimitives.ReadUInt16BigEndian(body[1..]),
                    BinaryPrimitives.ReadUInt16BigEndian(body[3..]), body[5], body[0], false, EndsWith(stream, 0xD9), marker == 0xC3, jfif, adobe, named);
            }
            at += 2 + length;
        }
        throw DicomErrors.Undecodable("its compressed frame is cut before its size is told");
    }

    private static CodestreamHeader ReadJpeg2000(ReadOnlySpan<byte> stream)
    {
        // SIZ: Lsiz 2, Rsiz 2, Xsiz 4, Ysiz 4, XOsiz 4, YOsiz 4, tiles 16, Csiz 2, then three bytes a component (T.800 §A.5.1).
        var siz = stream[4..];
        if (siz.Length < 41) throw DicomErrors.Undecodable("its compressed frame is cut before its size is told");
        long width = (long)BinaryPrimitives.ReadUInt32BigEndian(siz[4..]) - BinaryPrimitives.ReadUInt32BigEndian(siz[12..]);
        long height = (long)BinaryPrimitives.ReadUInt32BigEndian(siz[8..]) - BinaryPrimitives.ReadUInt32BigEndian(siz[16..]);
        int components = BinaryPrimitives.ReadUInt16BigEndian(siz[36..]);
        if (width is < 1 or > ushort.MaxValue || height is < 1 or > ushort.MaxValue || components is < 1 or > 4 || siz.Length < 38 + 3 * components)
            throw DicomErrors.Undecodable("its compressed frame states an impossible size");
        for (var c = 0; c < components; c++)
        {
            if (siz[38 + 3 * c] != siz[38] || siz[39 + 3 * c] != 1 || siz[40 + 3 * c] != 1)
                throw new DicomException(DicomErrors.UnsupportedPixels, "The image is JPEG 2000 with reduced colour planes, which this version does not read.", DicomTags.PixelData);
        }
        return new(CodestreamKind.Jpeg2000, (int)height, (int)width, components, (siz[38] & 0x7F) + 1, (siz[38] & 0x80) != 0, EndsWith(stream, 0xD9), false, false, -1, false);
    }

    // Padding and stray bytes may follow the marker, but not many: a frame that was cut has none near its end.
    private static bool EndsWith(ReadOnlySpan<byte> stream, byte marker) => stream[Math.Max(0, stream.Length - 1024)..].LastIndexOf([(byte)0xFF, marker]) >= 0;
}
