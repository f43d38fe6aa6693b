using System.Buffers.Binary;
using System.Text;

namespace DomainSsl.SampleData;

/// <summary>
/// Writes a DICOM Part 10 file with one 16-bit frame, RLE lossless (PS3.5 annex G) or uncompressed, explicit little endian. It stands on its own, without the
/// product's DICOM library, so that the samples are an independent trial of the reader.
/// </summary>
internal sealed class DicomOutput
{
    private const string ExplicitLittleEndian = "1.2.840.10008.1.2.1", RleLossless = "1.2.840.10008.1.2.5";
    private readonly SortedDictionary<uint, (string Vr, byte[] Value)> elements = [];

    public DicomOutput Text(uint tag, string vr, string value)
    {
        var bytes = Encoding.ASCII.GetBytes(value);
        elements[tag] = (vr, bytes.Length % 2 == 0 ? bytes : [.. bytes, vr == "UI" ? (byte)0 : (byte)' ']);
        return this;
    }

    public DicomOutput Number(uint tag, int value)
    {
        elements[tag] = ("US", BitConverter.GetBytes((ushort)value));
        return this;
    }

    /// <summary>A UID under 2.25 (PS3.5 B.2): the decimal form of a random UUID of version 4.</summary>
    public static string Uid(Randomness random)
    {
        var id = ((UInt128)random.Next() << 64) | random.Next();
        id = (id & ~((UInt128)0xF000 << 64)) | ((UInt128)0x4000 << 64);
        id = (id & ~((UInt128)0xC000 << 48)) | ((UInt128)0x8000 << 48);
        return "2.25." + id;
    }

    public void Write(string path, ushort[] pixels, int columns, bool rle)
    {
        Text(0x00020002, "UI", Encoding.ASCII.GetString(elements[0x00080016].Value).TrimEnd('\0'))
            .Text(0x00020003, "UI", Encoding.ASCII.GetString(elements[0x00080018].Value).TrimEnd('\0'));
        Text(0x00020010, "UI", rle ? RleLossless : ExplicitLittleEndian).Text(0x00020012, "UI", "2.25.336851275958757810911461898545210578371")
            .Text(0x00020013, "SH", "SAMPLE_DATA");
        elements[0x00020001] = ("OB", [0, 1]);
        int rows = pixels.Length / columns;
        Number(0x00280002, 1).Text(0x00280004, "CS", "MONOCHROME2").Number(0x00280010, rows).Number(0x00280011, columns);
        Number(0x00280100, 16).Number(0x00280101, 12).Number(0x00280102, 11).Number(0x00280103, 0);

        using var meta = new MemoryStream();
        foreach (var (tag, (vr, value)) in elements) if (tag >> 16 == 2) Element(meta, tag, vr, value);
        using var file = new MemoryStream();
        file.Write(new byte[128]);
        file.Write("DICM"u8);
        Element(file, 0x00020000, "UL", BitConverter.GetBytes((uint)meta.Length));
        meta.WriteTo(file);
        foreach (var (tag, (vr, value)) in elements) if (tag >> 16 != 2) Element(file, tag, vr, value);
        if (rle) WriteFragments(file, Rle(pixels, columns));
        else
        {
            var bytes = new byte[pixels.Length * 2];
            for (int i = 0; i < pixels.Length; i++) BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(2 * i), pixels[i]);
            Element(file, 0x7FE00010, "OW", bytes);
        }
        File.WriteAllBytes(path, file.ToArray());
    }

    private static void Element(Stream to, uint tag, string vr, byte[] value)
    {
        Tag(to, tag);
        to.Write(Encoding.ASCII.GetBytes(vr));
        if (vr is "OB" or "OW")
        {
            to.Write([0, 0]);
            to.Write(BitConverter.GetBytes((uint)value.Length));
        }
        else to.Write(BitConverter.GetBytes((ushort)value.Length));
        to.Write(value);
    }

    private static void Tag(Stream to, uint tag)
    {
        to.Write(BitConverter.GetBytes((ushort)(tag >> 16)));
        to.Write(BitConverter.GetBytes((ushort)tag));
    }

    /// <summary>Encapsulated pixel data (PS3.5 A.4): undefined length, an empty offset table, one fragment, the delimiter.</summary>
    private static void WriteFragments(Stream to, byte[] fragment)
    {
        Tag(to, 0x7FE00010);
        to.Write("OB\0\0"u8);
        to.Write(BitConverter.GetBytes(uint.MaxValue));
        Tag(to, 0xFFFEE000);
        to.Write(BitConverter.GetBytes(0u));
        Tag(to, 0xFFFEE000);
        to.Write(BitConverter.GetBytes((uint)fragment.Length));
        to.Write(fragment);
        Tag(to, 0xFFFEE0DD);
        to.Write(BitConverter.GetBytes(0u));
    }

    /// <summary>A header of 64 bytes (number of segments, their offsets), then the high bytes and the low bytes, each packed row by row.</summary>
    private static byte[] Rle(ushort[] pixels, int columns)
    {
        var header = new byte[64];
        using var body = new MemoryStream();
        BinaryPrimitives.WriteUInt32LittleEndian(header, 2);
        for (int segment = 0; segment < 2; segment++)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(4 + 4 * segment), (uint)(64 + body.Length));
            int shift = segment == 0 ? 8 : 0;
            for (int row = 0; row < pixels.Length; row += columns) Pack([.. pixels.AsSpan(row, columns).ToArray().Select(p => (byte)(p >> shift))], body);
            if (body.Length % 2 == 1) body.WriteByte(0);
        }
        return [.. header, .. body.ToArray()];
    }

    /// <summary>PackBits: n − 1 and n bytes as they are, or 257 − n and one byte that stands n times; n up to 128.</summary>
    private static void Pack(byte[] row, Stream to)
    {
        for (int i = 0; i < row.Length;)
        {
            int run = Run(i);
            if (run >= 3)
            {
                to.WriteByte((byte)(257 - run));
                to.WriteByte(row[i]);
                i += run;
                continue;
            }
            int end = i + 1;
            while (end < row.Length && end - i < 128 && Run(end) < 3) end++;
            to.WriteByte((byte)(end - i - 1));
            to.Write(row, i, end - i);
            i = end;
        }

        int Run(int from)
        {
            int n = 1;
            while (from + n < row.Length && n < 128 && row[from + n] == row[from]) n++;
            return n;
        }
    }
}
