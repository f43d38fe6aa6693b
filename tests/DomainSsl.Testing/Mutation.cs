using System.Buffers.Binary;

namespace DomainSsl.Testing;

/// <summary>Damages files as transmission, disks and attackers do; the same seed always damages alike.</summary>
public static class Mutation
{
    private static readonly uint[] Telling = [0, 1, 2, 3, 7, 8, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFF0, 0xFFFFFFFE, 0xFFFFFFFF];

    /// <summary>A damaged copy: up to six changes, most of them near the beginning, where headers are.</summary>
    public static byte[] Of(byte[] file, Random random)
    {
        ArgumentNullException.ThrowIfNull(file);
        ArgumentNullException.ThrowIfNull(random);
        var bytes = (byte[])file.Clone();
        for (int changes = random.Next(1, 7); changes > 0 && bytes.Length > 0; changes--)
        {
            int reach = random.Next(4) == 0 ? bytes.Length : Math.Min(bytes.Length, 256), at = random.Next(reach), left = bytes.Length - at;
            switch (random.Next(9))
            {
                case 0:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 2 when left >= 4:
                    if (random.Next(2) == 0) BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(at), Telling[random.Next(Telling.Length)]);
                    else BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(at), Telling[random.Next(Telling.Length)]);
                    break;
                case 3 when left >= 2:
                    BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(at), (ushort)Telling[random.Next(Telling.Length)]);
                    break;
                case 4:
                    bytes = bytes[..at];
                    break;
                case 5:
                    bytes = [.. bytes[..at], .. bytes[(at + random.Next(Math.Min(left, 64)))..]];
                    break;
                case 6:
                    var more = new byte[random.Next(64)];
                    random.NextBytes(more);
                    bytes = [.. bytes[..at], .. more, .. bytes[at..]];
                    break;
                case 7:
                    int length = random.Next(Math.Min(left, 128)), to = random.Next(bytes.Length - length + 1);
                    bytes.AsSpan(at, length).ToArray().CopyTo(bytes, to);
                    break;
                default:
                    bytes.AsSpan(at, random.Next(Math.Min(left, 64))).Clear();
                    break;
            }
        }
        return bytes;
    }
}
