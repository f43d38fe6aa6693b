using System.Globalization;

namespace DomainSsl.Dicom;

/// <summary>The tag of an element: group in the high half, element in the low one (PS3.5 §7.1).</summary>
public readonly record struct DicomTag(uint Value) : IComparable<DicomTag>
{
    /// <summary>Makes a tag from its two halves.</summary>
    public DicomTag(int group, int element) : this((uint)group << 16 | (ushort)element) { }

    /// <summary>The group, e.g. 0x0010 for the patient.</summary>
    public int Group => (int)(Value >> 16);

    /// <summary>The element within the group.</summary>
    public int Element => (int)(Value & 0xFFFF);

    /// <summary>Odd groups belong to manufacturers (PS3.5 §7.8).</summary>
    public bool IsPrivate => (Group & 1) == 1;

    /// <summary>Retired length of a group (PS3.5 §7.2); never kept, for it would be wrong after any change.</summary>
    public bool IsGroupLength => Element == 0;

    /// <summary>Item and delimiters of sequences and fragments.</summary>
    internal bool IsDelimiter => Group == 0xFFFE;

    /// <summary>Reads <c>00100020</c>, <c>0010,0020</c> or <c>(0010,0020)</c>, or a keyword such as <c>PatientID</c>.</summary>
    public static bool TryParse(string text, out DicomTag tag)
    {
        var digits = text.Replace(",", "", StringComparison.Ordinal).Trim('(', ')', ' ');
        if (digits.Length == 8 && uint.TryParse(digits, NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var value))
        {
            tag = new DicomTag(value);
            return true;
        }
        return DicomDictionary.TryFind(text, out tag);
    }

    /// <inheritdoc />
    public int CompareTo(DicomTag other) => Value.CompareTo(other.Value);

    /// <inheritdoc />
    public override string ToString() => $"({Group:X4},{Element:X4})";

#pragma warning disable CS1591 // The four comparisons say themselves.
    public static bool operator <(DicomTag a, DicomTag b) => a.Value < b.Value;
    public static bool operator >(DicomTag a, DicomTag b) => a.Value > b.Value;
    public static bool operator <=(DicomTag a, DicomTag b) => a.Value <= b.Value;
    public static bool operator >=(DicomTag a, DicomTag b) => a.Value >= b.Value;
#pragma warning restore CS1591
}
