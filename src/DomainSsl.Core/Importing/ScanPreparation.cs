using DomainSsl.Core.Library;
using DomainSsl.Core.Storage;
using DomainSsl.Dicom;

namespace DomainSsl.Core.Importing;

/// <summary>From the bytes of a DICOM file to what is stored of it: parsed within limits, its pixels decoded whole, de-identified, written as a valid DICOM file with the pixels as they came.</summary>
internal static class ScanPreparation
{
    /// <summary>Checks, de-identifies, stores.</summary>
    /// <exception cref="DicomException">The scan cannot be taken.</exception>
    public static PreparedScan Prepare(ImportSource source, byte[] bytes, string sourceHash, Secrets secrets, IBlobStore blobs, bool keepOriginal)
    {
        var original = Read(bytes);
        var image = DicomImage.Of(original);
        CheckPixels(original, image);
        var (clean, pseudonym) = secrets.Deidentifier.Deidentify(original);
        var whose = WhoseOf(original, source.Patient, secrets);
        var stored = clean.ToBytes();
        var data = clean.DataSet;
        var modality = data.GetString(DicomTags.Modality) ?? "";
        var instance = new Instance
        {
            Uid = data.RequireString(DicomTags.SOPInstanceUID),
            SopClass = data.GetString(DicomTags.SOPClassUID) ?? "",
            Number = data.GetInt(DicomTags.InstanceNumber) ?? 0,
            Rows = image.Description.Rows,
            Columns = image.Description.Columns,
            Frames = image.Description.Frames,
            TransferSyntax = clean.Syntax.Uid,
            Photometric = data.GetString(DicomTags.PhotometricInterpretation) ?? "",
            SourceHash = sourceHash,
            BlobHash = blobs.Put(stored),
            OriginalBlobHash = keepOriginal ? blobs.Put(bytes) : null,
            Bytes = stored.Length,
        };
        var study = new ScanStudy(data.RequireString(DicomTags.StudyInstanceUID), data.GetDate(DicomTags.StudyDate), modality, data.GetString(DicomTags.BodyPartExamined) ?? "");
        return new PreparedScan(source.Name, bytes.Length, sourceHash, instance, whose?.Pseudonym ?? pseudonym, study, data.RequireString(DicomTags.SeriesInstanceUID), data.GetInt(DicomTags.SeriesNumber) ?? 0, whose);
    }

    /// <summary>Whose a table says the scan is. The file itself knows best; a table's word counts where it is silent.</summary>
    public static Whose? WhoseOf(DicomFile original, string? told, Secrets secrets) => told is null || !string.IsNullOrWhiteSpace(original.DataSet.GetString(DicomTags.PatientID))
        ? null : new Whose(secrets.Deidentifier.Pseudonym(told), secrets.Deidentifier.PseudonymOf(original));

    /// <summary>Parses within limits.</summary>
    public static DicomFile Read(byte[] bytes)
    {
        using var stream = new MemoryStream(bytes, writable: false);
        return DicomReader.Default.Read(stream, DicomLimits.Default);
    }

    // What training takes of it must be had of it: a colour table that is missing, say, shows only there. Uncompressed frames differ in nothing that could fail, and their length is checked; compressed ones must be
    // decoded to be believed.
    private static void CheckPixels(DicomFile file, DicomImage image)
    {
        GreyPlane.Of(image);
        if (!file.Syntax.IsEncapsulated) return;
        for (int frame = 1; frame < image.Description.Frames; frame++) image.Decode(frame);
    }
}
