namespace DomainSsl.Dicom;

/// <summary>What reads files: our own reader, or fo-dicom's where the project was built with <c>-p:DicomToolkit=fo-dicom</c>. All above it is shared.</summary>
public interface IDicomReader
{
    /// <summary>The whole file. Throws <see cref="DicomException"/>.</summary>
    DicomFile Read(Stream stream, DicomLimits limits);

    /// <summary>The elements before the pixels. Throws <see cref="DicomException"/>.</summary>
    DicomFile Inspect(Stream stream, DicomLimits limits);
}

/// <summary>The reader that this build was made with.</summary>
public static class DicomReader
{
    /// <summary>Thread-safe.</summary>
#if FO_DICOM
    public static IDicomReader Default { get; } = new FoDicomReader();
#else
    public static IDicomReader Default { get; } = new OwnDicomReader();
#endif
}

/// <summary>The reader of this library.</summary>
public sealed class OwnDicomReader : IDicomReader
{
    /// <inheritdoc />
    public DicomFile Read(Stream stream, DicomLimits limits) => DicomFile.Read(stream, limits);

    /// <inheritdoc />
    public DicomFile Inspect(Stream stream, DicomLimits limits) => DicomFile.Inspect(stream, limits);
}
