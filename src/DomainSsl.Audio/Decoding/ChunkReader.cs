using System.Buffers.Binary;

namespace DomainSsl.Audio.Decoding;

/// <summary>
/// Walks the chunks of an IFF-like file (RIFF, FORM): four letters, a 32-bit length, the body, a pad byte after an odd length. All positions are
/// 64-bit and checked against the file.
/// </summary>
internal sealed class ChunkReader(Stream stream, long length, bool bigEndian)
{
    /// <summary>A file with more chunks than this is not a recording but an attempt to keep us busy.</summary>
    private const int MaxChunks = 10_000;

    private long next = 12;
    private int seen;

    public bool BigEndian => bigEndian;

    /// <summary>Goes to the next chunk; false at the end of the file. <paramref name="size"/> is as written, and may be more than the file holds.</summary>
    public bool TryNext(out string id, out long body, out long size)
    {
        (id, body, size) = ("", 0, 0);
        if (next + 8 > length) return false;
        if (++seen > MaxChunks) throw new AudioException(AudioError.Header,
            "The sound file consists of thousands of empty parts and is not a recording; export it again.");
        Span<byte> head = stackalloc byte[8];
        ReadAt(next, head);
        id = FourLetters(head);
        size = UInt32(head[4..]);
        body = next + 8;
        next = body + size + (size & 1);
        return true;
    }

    /// <summary>Places the walk behind a chunk whose real size differs from the one written (RF64).</summary>
    public void Continue(long body, long size) => next = body + size + (size & 1);

    /// <summary>A chunk's body, at most <paramref name="most"/> bytes of it. Throws where the file ends inside it.</summary>
    public byte[] Body(long body, long size, int most)
    {
        if (body + size > length) throw new AudioException(AudioError.Truncated,
            "The sound file ends inside its header: it was cut off. Copy or export it again.");
        var bytes = new byte[Math.Min(size, most)];
        ReadAt(body, bytes);
        return bytes;
    }

    public uint UInt32(ReadOnlySpan<byte> b) => bigEndian ? BinaryPrimitives.ReadUInt32BigEndian(b) : BinaryPrimitives.ReadUInt32LittleEndian(b);

    public ushort UInt16(ReadOnlySpan<byte> b) => bigEndian ? BinaryPrimitives.ReadUInt16BigEndian(b) : BinaryPrimitives.ReadUInt16LittleEndian(b);

    /// <summary>Four bytes as text; what is not printable ASCII becomes '?', so that it may stand in a sentence.</summary>
    public static string FourLetters(ReadOnlySpan<byte> b)
    {
        Span<char> letters = stackalloc char[4];
        for (int i = 0; i < 4; i++) letters[i] = b[i] is >= 0x20 and < 0x7f ? (char)b[i] : '?';
        return new string(letters);
    }

    private void ReadAt(long position, Span<byte> into)
    {
        stream.Position = position;
        stream.ReadExactly(into);
    }
}
