using System.Buffers.Binary;

namespace DomainSsl.Dicom;

/// <summary>One frame as grey values in the modality's own units (Hounsfield, counts, …): after Modality LUT or rescale, before any window. Colour becomes luminance.</summary>
/// <param name="Width">Columns.</param>
/// <param name="Height">Rows.</param>
/// <param name="Values">Width × height, rows from the top.</param>
/// <param name="IsInverted">MONOCHROME1: low values are shown bright.</param>
public sealed record GreyPlane(int Width, int Height, float[] Values, bool IsInverted)
{
    /// <summary>Decodes frame <paramref name="index"/> and takes it to modality values.</summary>
    /// <exception cref="DicomException">The frame cannot be decoded.</exception>
    public static GreyPlane Of(DicomImage image, int index = 0)
    {
        var frame = image.Decode(index);
        var values = new float[frame.Rows * frame.Columns];
        var inverted = frame.Photometric == Photometric.Monochrome1;
        if (frame.Samples == 3 || frame.Photometric == Photometric.Palette)
        {
            var rgb = Colours.ToRgb(image, frame);
            for (var i = 0; i < values.Length; i++) values[i] = 0.299f * rgb[3 * i] + 0.587f * rgb[3 * i + 1] + 0.114f * rgb[3 * i + 2];
            return new(frame.Columns, frame.Rows, values, false);
        }
        CoverPadding(image, frame.Values, inverted);
        ToModality(image, index, frame.Values, values);
        return new(frame.Columns, frame.Rows, values, inverted);
    }

    // Pixel Padding Value (PS3.3 §C.7.5.1.1.2) marks what is outside the picture, often far below any value in it: it takes the darkest real value, or it would decide the contrast.
    private static void CoverPadding(DicomImage image, int[] stored, bool inverted)
    {
        if (image.DataSet.GetInt(DicomTags.PixelPaddingValue) is not { } value) return;
        var limit = image.DataSet.GetInt(DicomTags.PixelPaddingRangeLimit) ?? value;
        // Written as unsigned beside signed pixels by some scanners: the bits are meant.
        if (image.Description.IsSigned && image.Description.BitsAllocated == 16) (value, limit) = ((short)value, (short)limit);
        var (from, to) = (Math.Min(value, limit), Math.Max(value, limit));
        int? darkest = null;
        foreach (var v in stored)
            if ((v < from || v > to) && (darkest is null || (inverted ? v > darkest : v < darkest))) darkest = v;
        if (darkest is not { } cover) return;
        for (var i = 0; i < stored.Length; i++) if (stored[i] >= from && stored[i] <= to) stored[i] = cover;
    }

    // PS3.3 §C.11.1: a table where there is one, else slope and intercept; enhanced objects keep those in functional groups, per frame or shared.
    private static void ToModality(DicomImage image, int index, int[] stored, float[] values)
    {
        var data = image.DataSet;
        if (data.GetItems(DicomTags.ModalityLUTSequence) is [var item, ..] && LookupTable.Of(item, image.Description.IsSigned) is { } table)
        {
            for (var i = 0; i < values.Length; i++) values[i] = table[stored[i]];
            return;
        }
        var groups = Groups(data, index, DicomTags.PixelValueTransformationSequence);
        var slope = (float)(groups?.GetNumber(DicomTags.RescaleSlope) ?? data.GetNumber(DicomTags.RescaleSlope) ?? 1);
        var intercept = (float)(groups?.GetNumber(DicomTags.RescaleIntercept) ?? data.GetNumber(DicomTags.RescaleIntercept) ?? 0);
        if (slope == 0) slope = 1;
        for (var i = 0; i < values.Length; i++) values[i] = stored[i] * slope + intercept;
    }

    /// <summary>The item of a functional group for a frame: its own, else the shared one (PS3.3 §C.7.6.16); null where there is neither.</summary>
    internal static DicomDataSet? Groups(DicomDataSet data, int index, DicomTag sequence)
    {
        var own = data.GetItems(DicomTags.PerFrameFunctionalGroupsSequence);
        if (index < own.Count && own[index].GetItems(sequence) is [var mine, ..]) return mine;
        return data.GetItems(DicomTags.SharedFunctionalGroupsSequence) is [var shared, ..] && shared.GetItems(sequence) is [var all, ..] ? all : null;
    }
}

/// <summary>A lookup table of PS3.3 §C.11.1.1: descriptor (length, first value mapped, bits) and data.</summary>
internal sealed class LookupTable
{
    private readonly ushort[] _entries;
    private readonly int _first;

    private LookupTable(ushort[] entries, int first, int bits) => (_entries, _first, Bits) = (entries, first, bits);

    /// <summary>Bits of an entry.</summary>
    public int Bits { get; }

    /// <summary>The value for <paramref name="stored"/>; those beyond the ends take the end's.</summary>
    public ushort this[int stored] => _entries[Math.Clamp(stored - (long)_first, 0, _entries.Length - 1)];

    /// <summary>Null where the item holds no usable table.</summary>
    public static LookupTable? Of(DicomDataSet item, bool signed) => Of(item[DicomTags.LUTDescriptor], item[DicomTags.LUTData], signed);

    public static LookupTable? Of(DicomElement? descriptor, DicomElement? data, bool signed)
    {
        if (descriptor is not { Value.Length: >= 6 } || data is null || data.Value.IsEmpty) return null;
        var (d, bytes) = (descriptor.Value.Span.ToArray(), data.Value);
        int count = BinaryPrimitives.ReadUInt16LittleEndian(d), bits = BinaryPrimitives.ReadUInt16LittleEndian(d.AsSpan(4));
        if (count == 0) count = 65536;
        var first = signed ? (int)BinaryPrimitives.ReadInt16LittleEndian(d.AsSpan(2)) : BinaryPrimitives.ReadUInt16LittleEndian(d.AsSpan(2));
        // Eight-bit entries may be packed two to a word; as many bytes as entries says so.
        var packed = bytes.Length < 2 * count;
        var entries = new ushort[Math.Min(count, packed ? bytes.Length : bytes.Length / 2)];
        for (var i = 0; i < entries.Length; i++) entries[i] = packed ? bytes.Span[i] : BinaryPrimitives.ReadUInt16LittleEndian(bytes.Span[(2 * i)..]);
        return new LookupTable(entries, first, bits is >= 1 and <= 16 ? bits : 16);
    }
}
