namespace DomainSsl.Dicom;

/// <summary>A Part 10 file: file meta information and a data set (PS3.10).</summary>
public sealed class DicomFile
{
    private readonly bool _pixelsMet;

    /// <summary>A file made in memory. <paramref name="syntax"/> says how its pixels are stored.</summary>
    public DicomFile(DicomDataSet dataSet, TransferSyntax syntax, DicomDataSet? meta = null) => (DataSet, Syntax, Meta) = (dataSet, syntax, meta ?? []);

    private DicomFile(DicomDataSet dataSet, TransferSyntax syntax, DicomDataSet meta, bool pixelsMet) : this(dataSet, syntax, meta) => _pixelsMet = pixelsMet;

    /// <summary>Group 0002 as it was read; written anew from the data set.</summary>
    public DicomDataSet Meta { get; }

    /// <summary>Everything else.</summary>
    public DicomDataSet DataSet { get; }

    /// <summary>How it is stored.</summary>
    public TransferSyntax Syntax { get; }

    /// <summary>The file has an image, also where <see cref="Inspect(string, DicomLimits?)"/> left it out.</summary>
    public bool HasPixels => _pixelsMet || DataSet.Contains(DicomTags.PixelData) || DataSet.Contains(DicomTags.FloatPixelData) || DataSet.Contains(DicomTags.DoubleFloatPixelData);


    /// <summary>Reads a whole file.</summary>
    /// <exception cref="DicomException">It is not DICOM, is cut, damaged or beyond the limits.</exception>
    public static DicomFile Read(string path, DicomLimits? limits = null)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1, FileOptions.SequentialScan);
        return Read(stream, limits);
    }

    /// <summary>Reads a whole file from where the stream stands.</summary>
    /// <exception cref="DicomException">It is not DICOM, is cut, damaged or beyond the limits.</exception>
    public static DicomFile Read(Stream stream, DicomLimits? limits = null)
    {
        limits ??= DicomLimits.Default;
        return Read(ReadAll(stream, limits), limits);
    }

    /// <summary>Reads a file that lies in memory; its bytes are kept, not copied, and must not change.</summary>
    /// <exception cref="DicomException">It is not DICOM, is cut, damaged or beyond the limits.</exception>
    public static DicomFile Read(ReadOnlyMemory<byte> bytes, DicomLimits? limits = null) => Parse(bytes, limits ?? DicomLimits.Default, headerOnly: false, more: false);

    /// <summary>Reads the elements before the pixels and no more of the file than that needs.</summary>
    /// <exception cref="DicomException">It is not DICOM, is cut, damaged or beyond the limits.</exception>
    public static DicomFile Inspect(string path, DicomLimits? limits = null)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1);
        return Inspect(stream, limits);
    }

    /// <summary>Reads the elements before the pixels from where the stream stands; it is left at no particular place.</summary>
    /// <exception cref="DicomException">It is not DICOM, is cut, damaged or beyond the limits.</exception>
    public static DicomFile Inspect(Stream stream, DicomLimits? limits = null)
    {
        limits ??= DicomLimits.Default;
        var (bytes, filled) = (new byte[64 << 10], 0);
        while (true)
        {
            var got = stream.ReadAtLeast(bytes.AsSpan(filled), bytes.Length - filled, throwOnEndOfStream: false);
            var more = filled + got == bytes.Length;
            filled += got;
            try { return Parse(bytes.AsMemory(0, filled), limits, headerOnly: true, more); }
            // The header is longer than what was read so far. Fourfold steps keep the work of parsing again below a third.
            catch (DicomException e) when (more && e.Code == DicomErrors.Truncated && bytes.Length < limits.MaxFileBytes)
            {
                Array.Resize(ref bytes, (int)Math.Min(4L * bytes.Length, limits.MaxFileBytes));
            }
        }
    }

    /// <summary>
    /// Writes explicit little endian, with pixels byte for byte as they were read: encapsulated ones keep their transfer syntax. Values too long for the explicit
    /// form of their representation are written as UN (PS3.5 §6.2.2).
    /// </summary>
    public void Write(Stream stream) => new DicomWriter(stream).Write(this);

    /// <summary>Writes a file, see <see cref="Write(Stream)"/>.</summary>
    public void Write(string path)
    {
        using var stream = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, 1);
        Write(stream);
    }

    /// <summary>The file as bytes, see <see cref="Write(Stream)"/>.</summary>
    public byte[] ToBytes()
    {
        var stream = new MemoryStream();
        Write(stream);
        return stream.ToArray();
    }

    private static DicomFile Parse(ReadOnlyMemory<byte> bytes, DicomLimits limits, bool headerOnly, bool more)
    {
        if (bytes.Length > limits.MaxFileBytes) throw DicomErrors.Exceeds($"more than {limits.MaxFileBytes >> 20:N0} MB");
        var parser = new DicomParser(bytes, limits, headerOnly, more);
        var (meta, data, syntax) = parser.Parse();
        return new DicomFile(data, syntax, meta, parser.HasPixels);
    }

    private static ReadOnlyMemory<byte> ReadAll(Stream stream, DicomLimits limits)
    {
        if (stream.CanSeek)
        {
            var length = stream.Length - stream.Position;
            if (length > limits.MaxFileBytes) throw DicomErrors.Exceeds($"more than {limits.MaxFileBytes >> 20:N0} MB");
            var bytes = GC.AllocateUninitializedArray<byte>((int)length);
            return bytes.AsMemory(0, stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false));
        }
        var all = new MemoryStream();
        var piece = new byte[81920];
        for (int n; (n = stream.Read(piece)) > 0;)
        {
            if (all.Length + n > limits.MaxFileBytes) throw DicomErrors.Exceeds($"more than {limits.MaxFileBytes >> 20:N0} MB");
            all.Write(piece, 0, n);
        }
        return all.GetBuffer().AsMemory(0, (int)all.Length);
    }
}
