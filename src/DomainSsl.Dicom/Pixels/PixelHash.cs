using System.Buffers.Binary;
using System.Security.Cryptography;

namespace DomainSsl.Dicom;

/// <summary>
/// SHA-256 over the stored values of all frames: rows from the top, samples side by side, each value shifted and masked to Bits Stored, sign-extended, and written little
/// endian in Bits Allocated / 8 bytes (one byte where one bit is allocated). The same image has the same hash however it was compressed, if that lost nothing.
/// </summary>
public static class PixelHash
{
    /// <summary>Decodes and hashes all frames; lower-case hexadecimal.</summary>
    /// <exception cref="DicomException">A frame cannot be decoded.</exception>
    public static string Compute(DicomImage image)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var size = Math.Max(1, image.Description.BitsAllocated / 8);
        byte[] bytes = [];
        for (var f = 0; f < image.Description.Frames; f++)
        {
            var values = image.Decode(f).Values;
            if (bytes.Length != values.Length * size) bytes = new byte[values.Length * size];
            switch (size)
            {
                case 1: for (var i = 0; i < values.Length; i++) bytes[i] = (byte)values[i]; break;
                case 2: for (var i = 0; i < values.Length; i++) BinaryPrimitives.WriteInt16LittleEndian(bytes.AsSpan(2 * i), (short)values[i]); break;
                default: for (var i = 0; i < values.Length; i++) BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(4 * i), values[i]); break;
            }
            hash.AppendData(bytes);
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
