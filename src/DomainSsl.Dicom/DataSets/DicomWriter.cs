using System.Buffers.Binary;

namespace DomainSsl.Dicom;

/// <summary>Writes a Part 10 file in explicit little endian. Sequences and items have undefined lengths, so one pass is enough.</summary>
internal sealed class DicomWriter(Stream stream)
{
    /// <summary>Names this implementation in file meta (PS3.7 §D.3.3.2); made once from a random UUID (PS3.5 §B.2).</summary>
    public const string ImplementationClass = "2.25.41878042971013893914284170083675715975";
    private const string ImplementationVersion = "DOMAINSSL_0.1";
    private const uint Undefined = 0xFFFFFFFF;

    private readonly byte[] _buffer = new byte[16 << 10];
    private int _filled;

    public void Write(DicomFile file)
    {
        var meta = Meta(file);
        Put(new byte[128]);
        Put("DICM"u8);
        var length = meta.Sum(e => (e.Vr.HasLongLength() ? 12 : 8) + (e.Value.Length + 1 & ~1));
        Span<byte> group = stackalloc byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(group, length);
        Element(new DicomElement(new DicomTag(0x00020000), DicomVr.UL, group.ToArray()));
        foreach (var element in meta) Element(element);
        DataSet(file.DataSet);
        Flush();
    }

    private static DicomDataSet Meta(DicomFile file)
    {
        var meta = new DicomDataSet();
        foreach (var element in file.Meta) if (element.Items is null && !element.Tag.IsGroupLength) meta.Set(element);
        meta.Set(new DicomElement(DicomTags.FileMetaInformationVersion, DicomVr.OB, new byte[] { 0, 1 }));
        if (file.DataSet.GetString(DicomTags.SOPClassUID) is { } kind) meta.SetString(DicomTags.MediaStorageSOPClassUID, kind);
        if (file.DataSet.GetString(DicomTags.SOPInstanceUID) is { } instance) meta.SetString(DicomTags.MediaStorageSOPInstanceUID, instance);
        var syntax = file.Syntax.IsEncapsulated ? file.Syntax : TransferSyntax.ExplicitLittle;
        // An encapsulated syntax with plain pixels in it (an oddity that is read) is written as what it is.
        if (file.DataSet[DicomTags.PixelData] is { Fragments: null, Value.IsEmpty: false }) syntax = TransferSyntax.ExplicitLittle;
        meta.SetString(DicomTags.TransferSyntaxUID, syntax.Uid);
        meta.SetString(DicomTags.ImplementationClassUID, ImplementationClass);
        meta.SetString(DicomTags.ImplementationVersionName, ImplementationVersion);
        return meta;
    }

    private void DataSet(DicomDataSet data)
    {
        foreach (var element in data) if (!element.Tag.IsGroupLength) Element(element);
    }

    private void Element(DicomElement element)
    {
        var (tag, vr, value) = (element.Tag, element.Vr, element.Value);
        if (element.Items is { } items)
        {
            Header(tag, DicomVr.SQ, Undefined);
            foreach (var item in items)
            {
                Delimiter(0xE000, Undefined);
                DataSet(item);
                Delimiter(0xE00D, 0);
            }
            Delimiter(0xE0DD, 0);
            return;
        }
        if (element.Fragments is { } fragments)
        {
            Header(tag, DicomVr.OB, Undefined); // PS3.5 §A.4: encapsulated pixels are OB
            Delimiter(0xE000, (uint)fragments.Offsets.Count * 4);
            Span<byte> word = stackalloc byte[4];
            foreach (var offset in fragments.Offsets)
            {
                BinaryPrimitives.WriteUInt32LittleEndian(word, offset);
                Put(word);
            }
            foreach (var part in fragments.Parts)
            {
                Delimiter(0xE000, (uint)(part.Length + 1 & ~1));
                Padded(part.Span, 0);
            }
            Delimiter(0xE0DD, 0);
            return;
        }
        if (!vr.HasLongLength() && value.Length > 0xFFFE) vr = DicomVr.UN;
        Header(tag, vr, (uint)(value.Length + 1 & ~1));
        Padded(value.Span, vr.IsText() && vr != DicomVr.UI ? (byte)' ' : (byte)0);
    }

    private void Header(DicomTag tag, DicomVr vr, uint length)
    {
        Span<byte> header = stackalloc byte[12];
        BinaryPrimitives.WriteUInt16LittleEndian(header, (ushort)tag.Group);
        BinaryPrimitives.WriteUInt16LittleEndian(header[2..], (ushort)tag.Element);
        BinaryPrimitives.WriteUInt16LittleEndian(header[4..], (ushort)vr);
        if (vr.HasLongLength())
        {
            header[6..8].Clear();
            BinaryPrimitives.WriteUInt32LittleEndian(header[8..], length);
            Put(header);
        }
        else
        {
            BinaryPrimitives.WriteUInt16LittleEndian(header[6..], (ushort)length);
            Put(header[..8]);
        }
    }

    private void Delimiter(int element, uint length)
    {
        Span<byte> mark = stackalloc byte[8];
        BinaryPrimitives.WriteUInt16LittleEndian(mark, 0xFFFE);
        BinaryPrimitives.WriteUInt16LittleEndian(mark[2..], (ushort)element);
        BinaryPrimitives.WriteUInt32LittleEndian(mark[4..], length);
        Put(mark);
    }

    private void Padded(ReadOnlySpan<byte> value, byte padding)
    {
        Put(value);
        if (value.Length % 2 == 1) Put([padding]);
    }

    private void Put(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > _buffer.Length - _filled) Flush();
        if (bytes.Length > _buffer.Length) { stream.Write(bytes); return; }
        bytes.CopyTo(_buffer.AsSpan(_filled));
        _filled += bytes.Length;
    }

    private void Flush()
    {
        stream.Write(_buffer, 0, _filled);
        _filled = 0;
    }
}
