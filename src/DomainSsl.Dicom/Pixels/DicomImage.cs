using System.Buffers.Binary;
using System.Runtime.InteropServices;
using DomainSsl.Dicom.Codecs;
using DomainSsl.Dicom.Codecs.Rle;
using DomainSsl.Dicom.Codecs.Sandbox;

namespace DomainSsl.Dicom;

/// <summary>The image of a file. Frames are decoded one at a time, on demand. Thread-safe once made.</summary>
public sealed class DicomImage
{
    private readonly DicomElement _pixels;
    private readonly TransferSyntax _syntax;
    private readonly DicomLimits _limits;
    private readonly Lazy<IReadOnlyList<ReadOnlyMemory<byte>[]>> _parts;

    private DicomImage(DicomFile file, DicomElement pixels, PixelDescription description, DicomLimits limits)
    {
        (_pixels, _syntax, Description, DataSet, _limits) = (pixels, file.Syntax, description, file.DataSet, limits);
        _parts = new(() => FrameSplitter.Split(pixels.Fragments!, description.Frames));
    }

    /// <summary>Size, depth, kind and number of frames.</summary>
    public PixelDescription Description { get; }

    /// <summary>The data set it came from.</summary>
    public DicomDataSet DataSet { get; }

    /// <summary>Finds and checks the image of a file; nothing is decoded yet.</summary>
    /// <exception cref="DicomException">There is none, its description is unusable, its storage is not supported, or bytes are missing.</exception>
    public static DicomImage Of(DicomFile file, DicomLimits? limits = null)
    {
        limits ??= DicomLimits.Default;
        if (file.DataSet[DicomTags.PixelData] is not { } pixels || pixels.IsEmpty)
        {
            throw file.DataSet.Contains(DicomTags.FloatPixelData) || file.DataSet.Contains(DicomTags.DoubleFloatPixelData)
                ? new DicomException(DicomErrors.UnsupportedPixels, "The image is stored as floating-point numbers, which this version does not read.", DicomTags.FloatPixelData)
                : new DicomException(DicomErrors.NoPixels, "The file is DICOM but holds no image.", DicomTags.PixelData);
        }
        var description = PixelDescription.Of(file.DataSet, limits);
        var image = new DicomImage(file, pixels, description, limits);
        if (pixels.Fragments is { } fragments)
        {
            if (!Supports(file.Syntax)) throw Unsupported(file.Syntax);
            if (fragments.Parts.Count == 0) throw new DicomException(DicomErrors.Truncated, "The file ends before its pixel data; copy it again from the source.", DicomTags.PixelData);
        }
        else
        {
            if (description.Photometric is Photometric.YbrPartial420) throw Unsupported(file.Syntax);
            // In 64 bits, and against the bytes that are there, before anything is allocated.
            if ((image.FrameBits * description.Frames + 7) / 8 > pixels.Value.Length)
                throw new DicomException(DicomErrors.Truncated, "The file holds fewer pixels than its size says; copy it again from the source.", DicomTags.PixelData);
        }
        return image;
    }

    /// <summary>Whether images stored so can be decoded.</summary>
    public static bool Supports(TransferSyntax syntax) => !syntax.IsEncapsulated || syntax == TransferSyntax.Rle || Compressed.Contains(syntax);

    /// <summary>Decodes frame <paramref name="index"/>, counted from 0.</summary>
    /// <exception cref="DicomException">The frame is damaged or too much for the limits.</exception>
    public PixelFrame Decode(int index = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Description.Frames);
        var d = Description;
        if (_pixels.Fragments is null) return DecodeNative(index);
        var encoded = Join(_parts.Value[index]);
        if (_syntax == TransferSyntax.Rle)
        {
            if (d.BitsAllocated == 1) throw new DicomException(DicomErrors.UnsupportedPixels, "The image is RLE with one bit a pixel, which this version does not read.", DicomTags.BitsAllocated);
            var bytes = RleDecoder.Decode(encoded.Span, d.Rows * d.Columns, d.Samples, d.BitsAllocated / 8);
            return new(d.Rows, d.Columns, d.Samples, d.Photometric, Unpack(bytes, d.BitsAllocated / 8, d.HighBit, d.IsSigned));
        }
        return DecodeSandboxed(encoded.Span);
    }

    // Decoders that run in the sandbox; each frame is checked against its own header first.
    private static readonly HashSet<TransferSyntax> Compressed =
    [
        TransferSyntax.JpegBaseline, TransferSyntax.JpegExtended, TransferSyntax.JpegLossless, TransferSyntax.JpegLosslessFirstOrder, TransferSyntax.JpegLsLossless,
        TransferSyntax.JpegLsNearLossless, TransferSyntax.Jpeg2000Lossless, TransferSyntax.Jpeg2000,
    ];

    private long FrameBits => (long)Description.Rows * Description.Columns * Description.BitsAllocated
        * (Description.Photometric is Photometric.YbrFull422 or Photometric.YbrPartial422 ? 2 : Description.Samples);

    private PixelFrame DecodeNative(int index)
    {
        var d = Description;
        var first = FrameBits * index;
        var bytes = _pixels.Value.Span.Slice((int)(first / 8), (int)((FrameBits + first % 8 + 7) / 8));
        var pixels = d.Rows * d.Columns;
        if (d.BitsAllocated == 1)
        {
            var bits = new int[pixels * d.Samples];
            var offset = (int)(first % 8); // frames of one bit follow each other without a gap (PS3.5 §8.1.1)
            for (var i = 0; i < bits.Length; i++) bits[i] = bytes[(i + offset) >> 3] >> ((i + offset) & 7) & 1;
            return new(d.Rows, d.Columns, d.Samples, d.Photometric, bits);
        }
        if (d.Photometric is Photometric.YbrFull422 or Photometric.YbrPartial422)
        {
            // Y1 Y2 Cb Cr for each two pixels (PS3.3 §C.7.6.3.1.2); the colour is repeated for both.
            var values = Unpack(bytes, d.BitsAllocated / 8, d.HighBit, d.IsSigned);
            var wide = new int[pixels * 3];
            for (var p = 0; p < pixels; p++)
            {
                var pair = p / 2 * 4;
                if (pair + 3 >= values.Length) break; // an odd number of pixels has no last pair
                (wide[3 * p], wide[3 * p + 1], wide[3 * p + 2]) = (values[pair + (p & 1)], values[pair + 2], values[pair + 3]);
            }
            return new(d.Rows, d.Columns, 3, d.Photometric, wide);
        }
        var plain = Unpack(bytes, d.BitsAllocated / 8, d.HighBit, d.IsSigned);
        if (!d.IsPlanar) return new(d.Rows, d.Columns, d.Samples, d.Photometric, plain);
        return new(d.Rows, d.Columns, d.Samples, d.Photometric, Interleave(plain, d.Samples));
    }

    private static int[] Interleave(int[] planes, int samples)
    {
        var (pixels, together) = (planes.Length / samples, new int[planes.Length]);
        for (var s = 0; s < samples; s++)
            for (var p = 0; p < pixels; p++) together[p * samples + s] = planes[s * pixels + p];
        return together;
    }

    private PixelFrame DecodeSandboxed(ReadOnlySpan<byte> encoded)
    {
        var d = Description;
        encoded = CodestreamHeader.Bare(encoded);
        var header = CodestreamHeader.Read(encoded);
        if (header.Rows != d.Rows || header.Columns != d.Columns)
            throw DicomErrors.Undecodable($"it says {d.Columns} × {d.Rows} pixels and its compressed frame {header.Columns} × {header.Rows}");
        if (header.Components != d.Samples) throw DicomErrors.Undecodable($"it says {d.Samples} samples a pixel and its compressed frame {header.Components}");
        if (header.Precision is < 2 or > 16) throw new DicomException(DicomErrors.UnsupportedPixels, $"The image has {header.Precision} bits a value, which this version does not read.", DicomTags.PixelData);
        if (!header.IsComplete)
            throw new DicomException(DicomErrors.Truncated, "The file ends in the middle of its pixel data; copy it again from the source.", DicomTags.PixelData);
        // A block of 64 pixels takes two bits at least, colour at a quarter: a claim far beyond that is no image, and no memory is taken for it.
        if (header.Kind == CodestreamKind.Jpeg && (long)d.Rows * d.Columns > (long)encoded.Length * 1024) throw DicomErrors.Undecodable("it holds fewer bytes than its size needs");
        var expected = _syntax.Uid switch
        {
            _ when _syntax == TransferSyntax.JpegLsLossless || _syntax == TransferSyntax.JpegLsNearLossless => CodestreamKind.JpegLs,
            _ when _syntax == TransferSyntax.Jpeg2000 || _syntax == TransferSyntax.Jpeg2000Lossless => CodestreamKind.Jpeg2000,
            _ => CodestreamKind.Jpeg,
        };
        if (header.Kind != expected) throw DicomErrors.Undecodable("its pixels are compressed in another way than its header says");
        var signed = header.Kind == CodestreamKind.Jpeg2000 ? header.IsSigned : d.IsSigned;
        var frame = new CodecFrame(header, signed, (int)d.Photometric);
        var bytes = CodecSandbox.Decode(frame, encoded, _limits.MaxDecodeTime);
        // Values of JPEG lie under HighBit as in uncompressed data; the newer codecs' are right-aligned at their own precision.
        var values = header.Kind == CodestreamKind.Jpeg && !ShouldKeepAlignment(header, d)
            ? Unpack(bytes, frame.SampleBytes, Math.Min(d.HighBit, 8 * frame.SampleBytes - 1), d.IsSigned)
            : Align(bytes, frame.SampleBytes, Math.Min(header.Precision, d.BitsStored), d.IsSigned);
        if (header.IsPlanar) values = Interleave(values, d.Samples);
        return new(d.Rows, d.Columns, d.Samples, DecodedPhotometric(header, d), values);
    }

    // A frame of fewer bits than HighBit supposes was never shifted up.
    private static bool ShouldKeepAlignment(CodestreamHeader header, PixelDescription d) => header.Precision <= d.HighBit;

    // What the samples mean after decoding. Lossy JPEG comes as it was coded: Y, Cb, Cr unless it says that it is not.
    private static Photometric DecodedPhotometric(CodestreamHeader header, PixelDescription d)
    {
        if (d.Samples == 1) return d.Photometric;
        return header.Kind switch
        {
            CodestreamKind.Jpeg2000 => d.Photometric is Photometric.YbrIct or Photometric.YbrRct ? Photometric.Rgb : d.Photometric,
            CodestreamKind.Jpeg when !header.IsLossless && d.Photometric == Photometric.Rgb && (header.HasJfif || header.AdobeTransform == 1) && !header.IsLabelledRgb => Photometric.YbrFull,
            CodestreamKind.Jpeg when !header.IsLossless && (header.AdobeTransform == 0 || header.IsLabelledRgb) => Photometric.Rgb,
            _ => d.Photometric is Photometric.YbrFull422 or Photometric.YbrPartial422 or Photometric.YbrPartial420 ? Photometric.YbrFull : d.Photometric,
        };
    }

    private int[] Unpack(ReadOnlySpan<byte> bytes, int sampleBytes, int highBit, bool signed)
    {
        var stored = Math.Min(Description.BitsStored, highBit + 1);
        return Shift(bytes, sampleBytes, highBit + 1 - stored, stored, signed);
    }

    private static int[] Align(ReadOnlySpan<byte> bytes, int sampleBytes, int precision, bool signed) => Shift(bytes, sampleBytes, 0, precision, signed);

    // Little-endian samples to values: shifted right, masked to `stored` bits, sign-extended from there.
    private static int[] Shift(ReadOnlySpan<byte> bytes, int sampleBytes, int shift, int stored, bool signed)
    {
        var values = new int[bytes.Length / sampleBytes];
        var mask = stored == 32 ? -1 : (1 << stored) - 1;
        var up = 32 - stored;
        switch (sampleBytes)
        {
            case 1 when !signed && shift == 0 && stored == 8:
                for (var i = 0; i < values.Length; i++) values[i] = bytes[i];
                break;
            case 1:
                for (var i = 0; i < values.Length; i++) values[i] = One(bytes[i]);
                break;
            case 2 when BitConverter.IsLittleEndian:
                var words = MemoryMarshal.Cast<byte, ushort>(bytes);
                if (signed) for (var i = 0; i < values.Length; i++) values[i] = words[i] >> shift << up >> up;
                else for (var i = 0; i < values.Length; i++) values[i] = words[i] >> shift & mask;
                break;
            case 2:
                for (var i = 0; i < values.Length; i++) values[i] = One(BinaryPrimitives.ReadUInt16LittleEndian(bytes[(2 * i)..]));
                break;
            default:
                for (var i = 0; i < values.Length; i++) values[i] = One(BinaryPrimitives.ReadInt32LittleEndian(bytes[(4 * i)..]));
                break;
        }
        return values;

        int One(int raw) => signed ? raw >>> shift << up >> up : raw >>> shift & mask;
    }

    private static ReadOnlyMemory<byte> Join(ReadOnlyMemory<byte>[] parts)
    {
        if (parts.Length == 1) return parts[0];
        var joined = new byte[parts.Sum(p => p.Length)];
        var at = 0;
        foreach (var part in parts)
        {
            part.CopyTo(joined.AsMemory(at));
            at += part.Length;
        }
        return joined;
    }

    private static DicomException Unsupported(TransferSyntax syntax) =>
        new(DicomErrors.UnsupportedTransferSyntax, $"The image is stored as {syntax.Name}, which this version does not read; export it as uncompressed, RLE or JPEG.", DicomTags.TransferSyntaxUID);
}
