using System.Buffers.Binary;
using System.IO.Compression;

namespace DomainSsl.Learning.Evaluation;

/// <summary>Turns a WOFF 1.0 font (W3C Recommendation, 2012) back into the OpenType file it packs: Skia's build without fontconfig reads only that.</summary>
internal static class Woff
{
    /// <summary>The OpenType bytes of a WOFF stream.</summary>
    /// <exception cref="InvalidDataException">The stream is no WOFF 1.0 font.</exception>
    public static byte[] Unpack(Stream stream)
    {
        using var copy = new MemoryStream();
        stream.CopyTo(copy);
        var woff = copy.ToArray();
        if (woff.Length < 44 || BinaryPrimitives.ReadUInt32BigEndian(woff) != 0x774F4646) throw new InvalidDataException("The font is not a WOFF 1.0 file.");
        int tables = U16(woff, 12), size = (int)U32(woff, 16);

        var font = new byte[size];
        U32(woff, 4, font, 0);                                             // flavor
        var power = 1 << (31 - int.LeadingZeroCount(tables));              // OpenType's search fields follow from the number of tables
        BinaryPrimitives.WriteUInt16BigEndian(font.AsSpan(4), (ushort)tables);
        BinaryPrimitives.WriteUInt16BigEndian(font.AsSpan(6), (ushort)(power * 16));
        BinaryPrimitives.WriteUInt16BigEndian(font.AsSpan(8), (ushort)int.Log2(power));
        BinaryPrimitives.WriteUInt16BigEndian(font.AsSpan(10), (ushort)((tables - power) * 16));

        var place = 12 + 16 * tables;
        for (var t = 0; t < tables; t++)
        {
            int entry = 44 + 20 * t, packedAt = (int)U32(woff, entry + 4), packed = (int)U32(woff, entry + 8), length = (int)U32(woff, entry + 12);
            U32(woff, entry, font, 12 + 16 * t);                           // tag
            U32(woff, entry + 16, font, 12 + 16 * t + 4);                  // checksum
            BinaryPrimitives.WriteUInt32BigEndian(font.AsSpan(12 + 16 * t + 8), (uint)place);
            BinaryPrimitives.WriteUInt32BigEndian(font.AsSpan(12 + 16 * t + 12), (uint)length);
            if (packed == length) woff.AsSpan(packedAt, length).CopyTo(font.AsSpan(place));
            else
            {
                using var zlib = new ZLibStream(new MemoryStream(woff, packedAt, packed), CompressionMode.Decompress);
                zlib.ReadExactly(font, place, length);
            }
            place += (length + 3) & ~3;
        }
        return font;
    }

    private static int U16(byte[] b, int at) => BinaryPrimitives.ReadUInt16BigEndian(b.AsSpan(at));

    private static uint U32(byte[] b, int at) => BinaryPrimitives.ReadUInt32BigEndian(b.AsSpan(at));

    private static void U32(byte[] from, int at, byte[] to, int place) => from.AsSpan(at, 4).CopyTo(to.AsSpan(place));
}
