using DomainSsl.Audio;
using DomainSsl.Audio.Decoding;
using DomainSsl.Dicom;

namespace DomainSsl.Core.Importing;

/// <summary>What a file is. For an image what its data set says, as stored; for a sound its form and level. Nothing is changed and nothing imported.</summary>
/// <param name="File">The path as given.</param>
/// <param name="Kind"><c>dicom</c>, <c>sound</c> or <c>unknown</c>.</param>
public sealed record FileInspection(string File, string Kind)
{
    /// <summary>Transfer Syntax UID.</summary>
    public string? TransferSyntax { get; init; }
    /// <summary>SOP Class UID.</summary>
    public string? SopClass { get; init; }
    /// <summary>Modality.</summary>
    public string? Modality { get; init; }
    /// <summary>Height in pixels.</summary>
    public int? Rows { get; init; }
    /// <summary>Width in pixels.</summary>
    public int? Columns { get; init; }
    /// <summary>Number of Frames as stored.</summary>
    public int? Frames { get; init; }
    /// <summary>Samples per Pixel.</summary>
    public int? Samples { get; init; }
    /// <summary>Bits Allocated.</summary>
    public int? BitsAllocated { get; init; }
    /// <summary>Bits Stored.</summary>
    public int? BitsStored { get; init; }
    /// <summary>Pixel Representation is 1.</summary>
    public bool? Signed { get; init; }
    /// <summary>Photometric Interpretation.</summary>
    public string? Photometric { get; init; }
    /// <summary>Top-level data elements, group 0002 left out.</summary>
    public int? Elements { get; init; }
    /// <summary>SHA-256 of the stored values of all frames, see <see cref="PixelHash"/>.</summary>
    public string? PixelSha256 { get; init; }
    /// <summary>Why the pixels could not be decoded though the data set can be read.</summary>
    public string? PixelError { get; init; }
    /// <summary>Patient's Name.</summary>
    public string? PatientName { get; init; }
    /// <summary>Container and codec of a sound, e.g. <c>pcm_s16le</c>.</summary>
    public string? Codec { get; init; }
    /// <summary>Hz.</summary>
    public int? SampleRate { get; init; }
    /// <summary>Channels.</summary>
    public int? Channels { get; init; }
    /// <summary>Length in seconds.</summary>
    public double? Seconds { get; init; }
    /// <summary>Root of the mean square at 16 kHz mono, full scale 1.</summary>
    public double? Rms { get; init; }
    /// <summary>Largest magnitude at 16 kHz mono, full scale 1.</summary>
    public double? Peak { get; init; }
    /// <summary>Why it cannot be read, as a sentence.</summary>
    public string? Error { get; init; }
    /// <summary>The code of <see cref="Error"/> or <see cref="PixelError"/>.</summary>
    public string? ErrorCode { get; init; }

    /// <summary>Looks at one file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="attributes">Filled with every element as tag, name and value, for people.</param>
    public static FileInspection Of(string path, ICollection<(string Tag, string Name, string Value)>? attributes = null)
    {
        try
        {
            var info = new FileInfo(path);
            if (info.Length == 0) return Failed(path, "unknown", ImportRefusals.Empty.Code, ImportRefusals.Empty.Sentence);
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 64 << 10);
            var first = new byte[4096];       // the first frames of MPEG sound; all else tells itself in 12
            int read = stream.ReadAtLeast(first, first.Length, throwOnEndOfStream: false);
            stream.Position = 0;
            return SoundFile.IsSound(first.AsSpan(0, read)) ? Sound(path, stream) : Scan(path, stream, attributes);
        }
        catch (AudioException e) { return Failed(path, "sound", e.Code, e.Message); }
        catch (DicomException e) { return Failed(path, e.Code == DicomErrors.NotDicom ? "unknown" : "dicom", e.Code, e.Message); }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            var refusal = Directory.Exists(path) ? ImportRefusals.FolderUnreadable : ImportRefusals.Unreadable(e.Message);
            return Failed(path, "unknown", refusal.Code, refusal.Sentence);
        }
    }

    private static FileInspection Failed(string path, string kind, string code, string sentence) => new(path, kind) { Error = sentence, ErrorCode = code };

    private static FileInspection Sound(string path, FileStream stream)
    {
        var sound = SoundFile.Inspect(stream);
        return new(path, "sound") { Codec = sound.Codec, SampleRate = sound.SampleRate, Channels = sound.Channels, Seconds = sound.Seconds, Rms = sound.Rms, Peak = sound.Peak };
    }

    private static FileInspection Scan(string path, FileStream stream, ICollection<(string, string, string)>? attributes)
    {
        var file = DicomReader.Default.Read(stream, DicomLimits.Default);
        var data = file.DataSet;
        if (attributes is not null)
            foreach (var element in data.Concat(file.Meta).OrderBy(e => e.Tag)) attributes.Add((element.Tag.ToString(), DicomDictionary.Name(element.Tag) ?? "", Value(data, element)));
        var found = new FileInspection(path, "dicom")
        {
            TransferSyntax = file.Syntax.Uid,
            SopClass = data.GetString(DicomTags.SOPClassUID),
            Modality = data.GetString(DicomTags.Modality),
            Rows = data.GetInt(DicomTags.Rows),
            Columns = data.GetInt(DicomTags.Columns),
            Frames = data.GetInt(DicomTags.NumberOfFrames),
            Samples = data.GetInt(DicomTags.SamplesPerPixel),
            BitsAllocated = data.GetInt(DicomTags.BitsAllocated),
            BitsStored = data.GetInt(DicomTags.BitsStored),
            Signed = data.GetInt(DicomTags.PixelRepresentation) is { } representation ? representation == 1 : null,
            Photometric = data.GetString(DicomTags.PhotometricInterpretation),
            Elements = data.Count,
            PatientName = data.GetString(DicomTags.PatientName),
        };
        if (!data.Contains(DicomTags.PixelData)) return found;
        try { return found with { PixelSha256 = PixelHash.Compute(DicomImage.Of(file)) }; }
        catch (DicomException e) { return found with { PixelError = e.Message, ErrorCode = e.Code }; }
    }

    private static string Value(DicomDataSet data, DicomElement element)
    {
        if (element.Items is { } items) return $"{items.Count} items";
        if (element.Tag == DicomTags.PixelData) return element.Fragments is { } f ? $"{f.Parts.Count} fragments" : $"{element.Value.Length:#,0} bytes";
        var text = data.GetString(element.Tag) ?? (element.Value.Length > 0 ? $"{element.Value.Length:#,0} bytes" : "");
        return text.Length <= 200 ? text : text[..200] + "…";
    }
}
