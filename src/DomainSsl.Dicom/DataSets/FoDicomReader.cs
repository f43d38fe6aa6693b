#if FO_DICOM
using FellowOakDicom;
using FellowOakDicom.IO.Writer;

namespace DomainSsl.Dicom;

/// <summary>
/// Reads with fo-dicom and hands its data set over as explicit little endian bytes, so that everything above sees one kind of data set. fo-dicom takes files whole, so
/// the limit on size is held before it sees one.
/// </summary>
public sealed class FoDicomReader : IDicomReader
{
    /// <inheritdoc />
    public DicomFile Read(Stream stream, DicomLimits limits) => Convert(stream, limits, FileReadOption.ReadAll);

    /// <inheritdoc />
    public DicomFile Inspect(Stream stream, DicomLimits limits) => Convert(stream, limits, FileReadOption.SkipLargeTags);

    private static DicomFile Convert(Stream stream, DicomLimits limits, FileReadOption option)
    {
        if (stream.CanSeek && stream.Length - stream.Position == 0) throw DicomErrors.IsEmpty();
        if (stream.CanSeek && stream.Length - stream.Position > limits.MaxFileBytes) throw DicomErrors.Exceeds($"more than {limits.MaxFileBytes >> 20:N0} MB");
        try
        {
            var file = FellowOakDicom.DicomFile.Open(stream, readOption: option);
            if (file.Format == DicomFileFormat.Unknown) throw DicomErrors.IsNotDicom();
            var explicitly = file.Dataset.InternalTransferSyntax.IsEncapsulated ? file.Dataset.InternalTransferSyntax : DicomTransferSyntax.ExplicitVRLittleEndian;
            var plain = file.Clone(explicitly);
            var bytes = new MemoryStream();
            plain.Save(bytes, new DicomWriteOptions());
            return DicomFile.Read(bytes.GetBuffer().AsMemory(0, (int)bytes.Length), limits);
        }
        catch (DicomFileException e) { throw new DicomException(DicomErrors.NotDicom, "This file cannot be read as DICOM; export the scan again.", cause: e); }
        catch (FellowOakDicom.IO.DicomIoException e) { throw new DicomException(DicomErrors.Truncated, "The file ends early; copy it again from the source.", cause: e); }
    }
}
#endif
