using System.Buffers.Binary;
using System.IO.Compression;

namespace DomainSsl.Dicom;

/// <summary>
/// Reads a Part 10 file (PS3.10 §7) that lies in memory. Values are slices of the file, so nothing is ever allocated by a length that a header claims. Bears what
/// scanners and converters are known to do: no preamble, no or wrong file meta, implicit elements in an explicit file, missing delimiters, trailing padding.
/// </summary>
internal sealed class DicomParser
{
    private const uint Undefined = 0xFFFFFFFF;
    private static readonly DicomTag Item = new(0xFFFE, 0xE000), ItemEnd = new(0xFFFE, 0xE00D), SequenceEnd = new(0xFFFE, 0xE0DD);

    private readonly DicomLimits _limits;
    private readonly bool _headerOnly;
    private readonly bool _more;
    private ReadOnlyMemory<byte> _bytes;
    private int _at;
    private bool _big, _signed;
    private int _bitsAllocated, _elements;

    /// <param name="bytes">The file, or its beginning.</param>
    /// <param name="limits">What it may ask for.</param>
    /// <param name="headerOnly">Stop before the pixels.</param>
    /// <param name="more">The bytes are only the beginning of the file.</param>
    public DicomParser(ReadOnlyMemory<byte> bytes, DicomLimits limits, bool headerOnly, bool more) => (_bytes, _limits, _headerOnly, _more) = (bytes, limits, headerOnly, more);

    private ReadOnlySpan<byte> Span => _bytes.Span;

    /// <summary>Pixels were met; with <c>headerOnly</c> they were left out.</summary>
    public bool HasPixels { get; private set; }

    public (DicomDataSet Meta, DicomDataSet DataSet, TransferSyntax Syntax) Parse()
    {
        if (_bytes.IsEmpty) throw DicomErrors.IsEmpty();
        var certain = _bytes.Length >= 132 && Span[128..132].SequenceEqual("DICM"u8);
        if (certain) _at = 132;
        else if (Span.StartsWith("DICM"u8)) _at = 4;
        else if (!LooksLikeElement(0)) throw DicomErrors.IsNotDicom();
        try
        {
            var meta = ReadMeta();
            var syntax = FindSyntax(meta);
            var data = ReadBody(ref syntax);
            // A preamble is a promise; without one a few known elements must vouch for the rest.
            if (!certain && data.Count(e => DicomDictionary.Name(e.Tag) is not null) < 3) throw DicomErrors.IsNotDicom();
            if (data.Count == 0 && !(_headerOnly && HasPixels))
                throw _more ? DicomErrors.EndsWithin(Item, _at) : new DicomException(DicomErrors.Truncated, "The file holds nothing beyond its DICOM header; copy it again from the source.", offset: _at);
            return (meta, data, syntax);
        }
        catch (DicomException e) when (!certain && !_more && e.Code is DicomErrors.Truncated or DicomErrors.Malformed && _elements < 5)
        {
            throw DicomErrors.IsNotDicom();
        }
    }

    private DicomDataSet ReadMeta()
    {
        var meta = new DicomDataSet();
        while (_at + 8 <= Span.Length && Word(Span[_at..]) == 2)
        {
            // PS3.10 makes the meta group explicit; some writers use the data set's implicit form there too.
            var element = ReadElement(Span.Length, 0, !HasVr(_at), meta);
            if (element is not null) meta.Set(element);
        }
        return meta;
    }

    private TransferSyntax FindSyntax(DicomDataSet meta)
    {
        var uid = meta.GetString(DicomTags.TransferSyntaxUID);
        return uid is not null ? TransferSyntax.Of(uid)
            : BigEndianAt(_at) ? TransferSyntax.ExplicitBig : HasVr(_at) ? TransferSyntax.ExplicitLittle : TransferSyntax.ImplicitLittle;
    }

    private DicomDataSet ReadBody(ref TransferSyntax syntax)
    {
        if (syntax.IsDeflated && !LooksLikeElement(_at)) Inflate();
        // The bytes are believed before the meta group: little endian called big, and the other way round, are both found in the wild.
        _big = syntax.IsBigEndian ? !(_at + 8 <= Span.Length && Word(Span[_at..]) is > 0 and < 0x100) : !syntax.IsEncapsulated && BigEndianAt(_at);
        var body = ReadItems(Span.Length, 0, isImplicit: !HasVr(_at), parent: null, open: false);
        if (_big) syntax = TransferSyntax.ExplicitBig;
        else if (syntax.IsBigEndian) syntax = TransferSyntax.ExplicitLittle;
        return body;
    }

    // One data set: the file's own (depth 0) or an item. `open` items end at their delimiter, others at `end`.
    private DicomDataSet ReadItems(int end, int depth, bool isImplicit, DicomDataSet? parent, bool open)
    {
        if (depth > _limits.MaxDepth) throw DicomErrors.Exceeds($"sequences nested more than {_limits.MaxDepth} deep", offset: _at);
        var data = new DicomDataSet(parent);
        while (_at < end)
        {
            if (end - _at < 8)
            {
                if (depth > 0 || Span[_at..end].IndexOfAnyExcept((byte)0) < 0) { _at = end; break; }
                throw DicomErrors.EndsWithin(end - _at >= 4 ? Tag(_at) : default, _at);
            }
            var tag = Tag(_at);
            if (tag == ItemEnd)
            {
                _at += 8;
                if (open) return data;
                continue; // a delimiter too many
            }
            if (tag == SequenceEnd && depth > 0) return data; // the item's own delimiter was left out; the sequence sees this one
            if (tag == SequenceEnd) { _at += 8; continue; }
            if (tag.Value == 0 && depth == 0 && Span[_at..end].IndexOfAnyExcept((byte)0) < 0) { _at = end; break; }
            if (depth == 0 && IsPixels(tag))
            {
                HasPixels = true;
                if (_headerOnly) return data;
            }
            var element = ReadElement(end, depth, isImplicit, data);
            if (element is null) continue;
            if (element.Tag == DicomTags.PixelRepresentation) _signed = element.Value is { Length: >= 1 } v && v.Span[0] == 1;
            if (element.Tag == DicomTags.BitsAllocated && element.Value.Length >= 2) _bitsAllocated = BinaryPrimitives.ReadUInt16LittleEndian(element.Value.Span);
            data.Set(element);
        }
        if (open && end == Span.Length && !_headerOnly && _at >= end && depth > 0 && _more) throw DicomErrors.EndsWithin(ItemEnd, _at);
        return data;
    }

    // Null for a group length, which is read and dropped.
    private DicomElement? ReadElement(int end, int depth, bool isImplicit, DicomDataSet owner)
    {
        var (tag, start) = (Tag(_at), _at);
        if (++_elements > _limits.MaxElements) throw DicomErrors.Exceeds($"more than {_limits.MaxElements:N0} elements", tag, start);
        var (vr, length) = ReadHeader(tag, isImplicit, end);
        if (length == Undefined)
        {
            if (vr != DicomVr.SQ && tag == DicomTags.PixelData && StartsWithItem(_at)) return new DicomElement(tag, vr, ReadFragments(tag));
            // UN of undefined length is an implicit sequence (PS3.5 §6.2.2 note); converters that keep it explicit are recognised by its first element.
            return new DicomElement(tag, ReadSequence(tag, Span.Length, depth, isImplicit || vr == DicomVr.UN, owner));
        }
        if (length > end - _at)
        {
            // Longer than the item that holds it but within the file: the item's length is wrong, the element's is believed.
            if (length > Span.Length - _at) throw DicomErrors.EndsWithin(tag, start);
        }
        if (vr == DicomVr.SQ && (length == 0 || StartsWithItem(_at)))
            return new DicomElement(tag, ReadSequence(tag, _at + (int)length, depth, isImplicit, owner));
        var value = _bytes.Slice(_at, (int)length);
        _at += (int)length;
        if (tag.IsGroupLength) return null;
        if (vr == DicomVr.SQ) vr = DicomVr.UN; // no items in it: kept as the bytes it is
        return new DicomElement(tag, vr, _big ? Turned(tag, vr, value) : value);
    }

    private (DicomVr Vr, uint Length) ReadHeader(DicomTag tag, bool isImplicit, int end)
    {
        var at = _at;
        if (tag.IsDelimiter) { _at += 8; return (DicomVr.UN, Long(Span[(at + 4)..])); }
        var vr = (DicomVr)(Span[at + 4] | Span[at + 5] << 8);
        if (!isImplicit && vr.IsKnown())
        {
            if (!vr.HasLongLength()) { _at += 8; return (vr, Word(Span[(at + 6)..])); }
            if (end - at < 12 && Span.Length - at < 12) throw DicomErrors.EndsWithin(tag, at);
            _at += 12;
            return (vr, Long(Span[(at + 8)..]));
        }
        if (!isImplicit && char.IsAsciiLetterUpper((char)Span[at + 4]) && char.IsAsciiLetterUpper((char)Span[at + 5]) && Span[at + 6] == 0 && Span[at + 7] == 0 && Span.Length - at >= 12)
        {
            // A representation newer than this table has the long form (PS3.5 §6.2.2).
            _at += 12;
            return (DicomVr.UN, Long(Span[(at + 8)..]));
        }
        if (!isImplicit && Long(Span[(at + 4)..]) is var asImplicit && asImplicit != Undefined && asImplicit > Span.Length - at - 8)
        {
            // Letters that are none (blank, question marks) with a short length behind them.
            _at += 8;
            return (DicomDictionary.Vr(tag, _signed), Word(Span[(at + 6)..]));
        }
        _at += 8;
        return (DicomDictionary.Vr(tag, _signed), Long(Span[(at + 4)..]));
    }

    private List<DicomDataSet> ReadSequence(DicomTag tag, int end, int depth, bool isImplicit, DicomDataSet owner)
    {
        var items = new List<DicomDataSet>();
        while (_at < end)
        {
            if (end - _at < 8) { if (Span.Length - _at < 8) throw DicomErrors.EndsWithin(tag, _at); break; }
            var mark = Tag(_at);
            var length = Long(Span[(_at + 4)..]);
            if (mark == SequenceEnd) { _at += 8; return items; }
            if (mark == ItemEnd) { _at += 8; continue; }
            if (mark != Item) throw DicomErrors.Contradicts(tag, _at, "something other than an item stands in its sequence");
            if (++_elements > _limits.MaxElements) throw DicomErrors.Exceeds($"more than {_limits.MaxElements:N0} elements", tag, _at);
            _at += 8;
            // An item that claims more than the file has may still hold whole elements up to the end (directories edited in place): each is checked by itself.
            if (length != Undefined && length > Span.Length - _at && (_more || _at == Span.Length)) throw DicomErrors.EndsWithin(tag, _at);
            var itemEnd = length == Undefined ? Span.Length : (int)Math.Min(_at + (long)length, Span.Length);
            // A whole file of one kind may hold a sequence of the other (private sequences copied through).
            var inner = itemEnd - _at >= 8 && !Tag(_at).IsDelimiter ? !HasVr(_at) : isImplicit;
            items.Add(ReadItems(itemEnd, depth + 1, inner, owner, open: length == Undefined));
        }
        return items;
    }

    private DicomFragments ReadFragments(DicomTag tag)
    {
        List<uint> offsets = [];
        List<ReadOnlyMemory<byte>> parts = [];
        for (var first = true; ; first = false)
        {
            // Some writers forget the last delimiter; the number of frames will tell if something is missing.
            if (_at == Span.Length && parts.Count > 0) break;
            if (Span.Length - _at < 8) throw DicomErrors.EndsWithin(tag, _at);
            var (mark, length) = (Tag(_at), Long(Span[(_at + 4)..]));
            if (mark == SequenceEnd) { _at += 8; break; }
            if (mark != Item) throw DicomErrors.Contradicts(tag, _at, "something other than a fragment stands in its pixel data");
            _at += 8;
            if (length > Span.Length - _at) throw DicomErrors.EndsWithin(tag, _at);
            if (++_elements > _limits.MaxElements) throw DicomErrors.Exceeds($"more than {_limits.MaxElements:N0} elements", tag, _at);
            var part = _bytes.Slice(_at, (int)length);
            _at += (int)length;
            if (!first) { parts.Add(part); continue; }
            for (var i = 0; i + 4 <= part.Length; i += 4) offsets.Add(Long(part.Span[i..]));
        }
        return new DicomFragments(offsets, parts);
    }

    private ReadOnlyMemory<byte> Turned(DicomTag tag, DicomVr vr, ReadOnlyMemory<byte> value)
    {
        // Pixels of 32 or 64 bits turn round as a whole; 8-bit pixels called OW are pairs that do too (PS3.5 annex D).
        var size = tag == DicomTags.PixelData && vr == DicomVr.OW && _bitsAllocated > 16 ? _bitsAllocated / 8 : vr.WordSize();
        if (size == 1 || value.Length < size) return value;
        var turned = value.ToArray();
        for (var i = 0; i + size <= turned.Length; i += size) turned.AsSpan(i, size).Reverse();
        return turned;
    }

    private void Inflate()
    {
        try
        {
            using var source = new DeflateStream(new MemoryStream(_bytes[_at..].ToArray()), CompressionMode.Decompress);
            var plain = new MemoryStream();
            var piece = new byte[81920];
            // A picture packs to a fifth; two hundred times is no picture, and many such at once would fill the memory.
            var most = Math.Min(_limits.MaxFileBytes, Math.Max(100_000_000, 200L * (_bytes.Length - _at)));
            for (int n; (n = source.Read(piece)) > 0;)
            {
                if (plain.Length + n > most) throw DicomErrors.Exceeds("more content than is allowed once unpacked");
                plain.Write(piece, 0, n);
            }
            (_bytes, _at) = (plain.GetBuffer().AsMemory(0, (int)plain.Length), 0);
        }
        catch (InvalidDataException e)
        {
            throw new DicomException(DicomErrors.Malformed, "The compressed content of this file is damaged; copy it again from the source.", offset: _at, cause: e);
        }
    }

    // A first element that only a data set has: a known tag of the first groups, in either form, with a length that fits.
    private bool LooksLikeElement(int at)
    {
        if (Span.Length - at < 8) return false;
        if (BigEndianAt(at)) return true;
        var tag = new DicomTag(BinaryPrimitives.ReadUInt16LittleEndian(Span[at..]), BinaryPrimitives.ReadUInt16LittleEndian(Span[(at + 2)..]));
        if (tag.Group is not (0x0002 or 0x0004 or 0x0008 or 0x0010) || (!tag.IsGroupLength && DicomDictionary.Name(tag) is null)) return false;
        return HasVr(at) || BinaryPrimitives.ReadUInt32LittleEndian(Span[(at + 4)..]) <= Span.Length - at - 8 || _more;
    }

    private bool HasVr(int at) => Span.Length - at >= 8 && ((DicomVr)(Span[at + 4] | Span[at + 5] << 8)).IsKnown();

    private bool BigEndianAt(int at) => HasVr(at) && Span[at] == 0 && Span[at + 1] is > 0 and <= 0x10;

    private bool StartsWithItem(int at) => Span.Length - at >= 8 && Tag(at) is var tag && (tag == Item || tag == SequenceEnd);

    private static bool IsPixels(DicomTag tag) => tag.Group == 0x7FE0 && tag.Element is 0x0008 or 0x0009 or 0x0010;

    private DicomTag Tag(int at) => new(Word(Span[at..]), Word(Span[(at + 2)..]));

    private ushort Word(ReadOnlySpan<byte> at) => _big ? BinaryPrimitives.ReadUInt16BigEndian(at) : BinaryPrimitives.ReadUInt16LittleEndian(at);

    private uint Long(ReadOnlySpan<byte> at) => _big ? BinaryPrimitives.ReadUInt32BigEndian(at) : BinaryPrimitives.ReadUInt32LittleEndian(at);
}
