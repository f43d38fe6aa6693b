using System.Buffers.Binary;
using System.Security.Cryptography;

namespace DomainSsl.Dicom;

/// <summary>
/// SHA-256 over the stored values of all frames: rows from the top, samples side by side, each value shifted and masked to Bits Stored, sign-extended, and written little
/// endian in Bits Allocated / 8 bytes (one byte where one bit is allocated). The same image has the same hash however it was compressed, if that lost nothing.
/// </summary>
public static class PixelHash
{
    /// <summary>
    /// The hash of a file's pixels, lower-case hexadecimal; those stored as floating-point numbers are hashed as their little-endian bytes. Null where the file has none.
    /// </summary>
    /// <exception cref="DicomException">A frame cannot be decoded.</exception>
    public static string? Compute(DicomFile file, DicomLimits? limits = null)
    {
        var data = file.DataSet;
        foreach (var (tag, size) in ((DicomTag, int)[])[(DicomTags.FloatPixelData, 4), (DicomTags.DoubleFloatPixelData, 8)])
        {
            if (data[tag] is not { Value: { IsEmpty: false } values }) continue;
            var length = (long)data.RequireInt(DicomTags.Rows) * data.RequireInt(DicomTags.Columns) * size * Math.Max(1, data.GetInt(DicomTags.NumberOfFrames) ?? 1);
            if (length < 0 || length > values.Length) throw new DicomException(DicomErrors.Truncated, "The file holds fewer pixels than its size says; copy it again from the source.", tag);
            return Convert.ToHexStringLower(SHA256.HashData(values.Span[..(int)length]));
        }
        return data[DicomTags.PixelData] is { IsEmpty: false } ? Compute(DicomImage.Of(file, limits)) : null;
    }

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
