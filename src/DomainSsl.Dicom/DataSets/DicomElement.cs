namespace DomainSsl.Dicom;

/// <summary>
/// One element: a value of bytes, the items of a sequence, or the fragments of compressed pixels. Immutable; the bytes are those of the file, little endian, and
/// are not copied.
/// </summary>
public sealed class DicomElement
{
    /// <summary>An element with a value.</summary>
    public DicomElement(DicomTag tag, DicomVr vr, ReadOnlyMemory<byte> value) => (Tag, Vr, Value) = (tag, vr, value);

    /// <summary>A sequence.</summary>
    public DicomElement(DicomTag tag, IReadOnlyList<DicomDataSet> items) => (Tag, Vr, Items) = (tag, DicomVr.SQ, items);

    /// <summary>Encapsulated pixels: the basic offset table first, then the fragments (PS3.5 annex A.4).</summary>
    public DicomElement(DicomTag tag, DicomVr vr, DicomFragments fragments) => (Tag, Vr, Fragments) = (tag, vr, fragments);

    /// <summary>Which element.</summary>
    public DicomTag Tag { get; }
    /// <summary>What its bytes mean.</summary>
    public DicomVr Vr { get; }
    /// <summary>The value's bytes, little endian, padding included; empty for a sequence or fragments.</summary>
    public ReadOnlyMemory<byte> Value { get; }
    /// <summary>The items of a sequence, else null.</summary>
    public IReadOnlyList<DicomDataSet>? Items { get; }
    /// <summary>The fragments of encapsulated pixels, else null.</summary>
    public DicomFragments? Fragments { get; }
    /// <summary>Nothing in it.</summary>
    public bool IsEmpty => Value.IsEmpty && Items is null or { Count: 0 } && Fragments is null;

    /// <inheritdoc />
    public override string ToString() => $"{Tag} {Vr} {DicomDictionary.Name(Tag)}";
}

/// <summary>Compressed frames as they lie in the file.</summary>
/// <param name="Offsets">The basic offset table: where each frame's first fragment begins, counted from the first byte after the table; may be empty.</param>
/// <param name="Parts">The fragments in order.</param>
public sealed record DicomFragments(IReadOnlyList<uint> Offsets, IReadOnlyList<ReadOnlyMemory<byte>> Parts);
