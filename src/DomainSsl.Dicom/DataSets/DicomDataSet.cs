using System.Buffers.Binary;
using System.Collections;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace DomainSsl.Dicom;

/// <summary>
/// Elements in the order of their tags. Getters answer null or empty where an element is absent or its value is not of the kind asked for: what must be there is
/// for the caller to say. Not for use by several threads while one changes it.
/// </summary>
public sealed class DicomDataSet : IEnumerable<DicomElement>
{
    // A tree, not a sorted array: a hostile file may hold a million elements in reverse order.
    private readonly SortedDictionary<DicomTag, DicomElement> _elements = [];
    private readonly DicomDataSet? _parent;
    private CharacterSet? _characters;

    /// <summary>An empty data set; as an item of a sequence it takes the character set of <paramref name="parent"/> where it states none.</summary>
    public DicomDataSet(DicomDataSet? parent = null) => _parent = parent;

    /// <summary>How many elements, those within sequences not counted.</summary>
    public int Count => _elements.Count;

    /// <summary>The element, or null.</summary>
    public DicomElement? this[DicomTag tag] => _elements.GetValueOrDefault(tag);

    /// <summary>Whether the element is there, be it empty.</summary>
    public bool Contains(DicomTag tag) => _elements.ContainsKey(tag);

    /// <summary>Puts an element in place of what stood there.</summary>
    public void Set(DicomElement element)
    {
        _elements[element.Tag] = element;
        if (element.Tag == DicomTags.SpecificCharacterSet) _characters = null;
    }

    /// <summary>Puts text, with the dictionary's representation, in the data set's character set; characters it lacks become question marks.</summary>
    public void SetString(DicomTag tag, string value) => SetString(tag, DicomDictionary.Vr(tag), value);

    /// <summary>Puts text with a stated representation.</summary>
    public void SetString(DicomTag tag, DicomVr vr, string value)
    {
        var text = vr.IsLocalText() ? Characters.Encode(value) : Encoding.ASCII.GetBytes(value);
        if (text.Length % 2 == 1) text = [.. text, vr == DicomVr.UI ? (byte)0 : (byte)' '];
        Set(new DicomElement(tag, vr, text));
    }

    /// <summary>Puts 16-bit numbers (US).</summary>
    public void SetUInt16(DicomTag tag, params ReadOnlySpan<ushort> values)
    {
        var bytes = new byte[values.Length * 2];
        for (var i = 0; i < values.Length; i++) BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(2 * i), values[i]);
        Set(new DicomElement(tag, DicomVr.US, bytes));
    }

    /// <summary>Takes an element out.</summary>
    public bool Remove(DicomTag tag) => _elements.Remove(tag);

    /// <summary>The text, all values with their backslashes, padding trimmed; null where absent, empty or no text.</summary>
    public string? GetString(DicomTag tag)
    {
        if (this[tag] is not { } element) return null;
        if (!element.Vr.IsText() && element.Vr != DicomVr.UN)
            return GetNumbers(element) is { Length: > 0 } numbers ? string.Join('\\', numbers.Select(n => n.ToString(CultureInfo.InvariantCulture))) : null;
        var bytes = element.Value.Span;
        // A tag that the file calls UN is still text if the dictionary says so.
        var vr = element.Vr == DicomVr.UN ? DicomDictionary.Vr(tag) : element.Vr;
        if (!vr.IsText()) return null;
        var text = (vr.IsLocalText() ? Characters.Decode(bytes, vr) : Encoding.Latin1.GetString(bytes)).TrimEnd('\0', ' ');
        if (!vr.IsSingleText()) text = text.TrimStart(' ');
        return text.Length == 0 ? null : text;
    }

    /// <summary>The values of a text, each trimmed; empty where there is none.</summary>
    public IReadOnlyList<string> GetStrings(DicomTag tag) => GetString(tag)?.Split('\\', StringSplitOptions.TrimEntries) ?? [];

    /// <summary>The value at <paramref name="index"/> as a whole number, from binary or from text (IS, DS); null where there is none.</summary>
    public int? GetInt(DicomTag tag, int index = 0) =>
        GetNumber(tag, index) is { } value && value == Math.Floor(value) && value is >= int.MinValue and <= int.MaxValue ? (int)value : null;

    /// <summary>The value at <paramref name="index"/> as a number, from binary or from text (DS, IS); null where there is none.</summary>
    public double? GetNumber(DicomTag tag, int index = 0) => this[tag] is { } e && GetNumbers(e) is var all && index < all.Length ? all[index] : null;

    /// <summary>All values as numbers; empty where there are none.</summary>
    public double[] GetNumbers(DicomTag tag) => this[tag] is { } e ? GetNumbers(e) : [];

    /// <summary>The date of a DA (or the date in a DT); null where absent, empty or impossible.</summary>
    public DateOnly? GetDate(DicomTag tag)
    {
        var text = GetString(tag)?.Replace(".", "", StringComparison.Ordinal); // ACR-NEMA wrote 1993.08.22
        return text is { Length: >= 8 } && DateOnly.TryParseExact(text.AsSpan(0, 8), "yyyyMMdd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var date) ? date : null;
    }

    /// <summary>The items of a sequence; empty where absent.</summary>
    public IReadOnlyList<DicomDataSet> GetItems(DicomTag tag) => this[tag]?.Items ?? [];

    /// <summary>The text, or a refusal with <see cref="DicomErrors.MissingElement"/>.</summary>
    public string RequireString(DicomTag tag) => GetString(tag) ?? throw Missing(tag);

    /// <summary>The whole number, or a refusal with <see cref="DicomErrors.MissingElement"/>.</summary>
    public int RequireInt(DicomTag tag) => GetInt(tag) ?? throw Missing(tag);

    /// <summary>The specific character set in force here (PS3.3 §C.12.1.1.2).</summary>
    public CharacterSet Characters => _characters ??= this[DicomTags.SpecificCharacterSet] is { Value.IsEmpty: false } own
        ? CharacterSet.Of(Encoding.Latin1.GetString(own.Value.Span)) : _parent?.Characters ?? CharacterSet.Default;

    /// <inheritdoc />
    public IEnumerator<DicomElement> GetEnumerator() => _elements.Values.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private double[] GetNumbers(DicomElement element)
    {
        var vr = element.Vr;
        var bytes = element.Value.Span;
        if (vr == DicomVr.UN) vr = DicomDictionary.Vr(element.Tag, GetIsSigned());
        switch (vr)
        {
            case DicomVr.US or DicomVr.OW: return Convert<ushort>(bytes);
            case DicomVr.SS: return Convert<short>(bytes);
            case DicomVr.UL or DicomVr.OL: return Convert<uint>(bytes);
            case DicomVr.SL: return Convert<int>(bytes);
            case DicomVr.FL or DicomVr.OF: return Convert<float>(bytes);
            case DicomVr.FD or DicomVr.OD: return Convert<double>(bytes);
            case DicomVr.SV: return Convert<long>(bytes);
            case DicomVr.UV or DicomVr.OV: return Convert<ulong>(bytes);
        }
        if (!vr.IsText()) return [];
        var texts = Encoding.Latin1.GetString(bytes).TrimEnd('\0', ' ').Split('\\', StringSplitOptions.TrimEntries);
        var values = new double[texts.Length];
        for (var i = 0; i < texts.Length; i++)
            if (!double.TryParse(texts[i].TrimEnd('\0'), NumberStyles.Float, CultureInfo.InvariantCulture, out values[i]) || !double.IsFinite(values[i])) return values[..i];
        return values;

        static double[] Convert<T>(ReadOnlySpan<byte> bytes) where T : unmanaged, System.Numerics.INumber<T>
        {
            var size = Marshal.SizeOf<T>();
            var values = new double[bytes.Length / size];
            for (var i = 0; i < values.Length; i++) values[i] = double.CreateTruncating(MemoryMarshal.Read<T>(bytes[(i * size)..]));
            return values;
        }
    }

    private bool GetIsSigned() => this[DicomTags.PixelRepresentation] is { Value: { Length: 2 } value } && value.Span[0] == 1;

    [SuppressMessage("Performance", "CA1859", Justification = "An exception, whatever its type.")]
    private static Exception Missing(DicomTag tag) =>
        new DicomException(DicomErrors.MissingElement, $"The file lacks {DicomErrors.Describe(tag)}, without which it cannot be used; export it again from the source.", tag);
}
