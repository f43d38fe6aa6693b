namespace DomainSsl.Dicom;

/// <summary>
/// The one exception of this library: a file that cannot be read, decoded or written. <see cref="Exception.Message"/> is a sentence for a person, what is wrong and
/// what to do; <see cref="Code"/> is for programs.
/// </summary>
public sealed class DicomException(string code, string sentence, DicomTag? tag = null, long? offset = null, Exception? cause = null) : Exception(sentence, cause)
{
    /// <summary>One of <see cref="DicomErrors"/>, kebab-case and stable.</summary>
    public string Code { get; } = code;

    /// <summary>The element at fault, where one is known.</summary>
    public DicomTag? Tag { get; } = tag;

    /// <summary>Where in the file, in bytes from its start, where that is known.</summary>
    public long? Offset { get; } = offset;
}

/// <summary>The codes of <see cref="DicomException"/>.</summary>
public static class DicomErrors
{
    /// <summary>Zero bytes.</summary>
    public const string Empty = "empty";
    /// <summary>The content is something else.</summary>
    public const string NotDicom = "not-dicom";
    /// <summary>The file ends before what it announces.</summary>
    public const string Truncated = "truncated";
    /// <summary>The structure of the data set contradicts itself.</summary>
    public const string Malformed = "malformed";
    /// <summary>Stored in a way that this version does not read.</summary>
    public const string UnsupportedTransferSyntax = "unsupported-transfer-syntax";
    /// <summary>Pixels of a kind that this version does not show.</summary>
    public const string UnsupportedPixels = "unsupported-pixels";
    /// <summary>The data set holds no image.</summary>
    public const string NoPixels = "no-pixels";
    /// <summary>The image cannot be decoded or contradicts its description.</summary>
    public const string DamagedPixels = "damaged-pixels";
    /// <summary>Beyond a limit of <see cref="DicomLimits"/>.</summary>
    public const string TooLarge = "too-large";
    /// <summary>An element that the work cannot do without is absent or empty.</summary>
    public const string MissingElement = "missing-element";

    internal static DicomException IsEmpty() => new(Empty, "The file is empty; copy it again from the source.");

    internal static DicomException IsNotDicom() => new(NotDicom, "This is not a DICOM file, whatever its name says; export the scan again as DICOM.", offset: 0);

    internal static DicomException EndsWithin(DicomTag tag, long offset) => tag.Group == 0x7FE0
        ? new(Truncated, "The file ends in the middle of its pixel data; copy it again from the source.", tag, offset)
        : new(Truncated, $"The file ends in the middle of {Describe(tag)}; copy it again from the source.", tag, offset);

    internal static DicomException Contradicts(DicomTag tag, long offset, string what) =>
        new(Malformed, $"The file is damaged at {Describe(tag)}: {what}. Copy it again from the source.", tag, offset);

    internal static DicomException Exceeds(string what, DicomTag? tag = null, long? offset = null) =>
        new(TooLarge, $"The file is refused because it has {what}; ask the administrator to raise the limit if it is a real scan.", tag, offset);

    internal static DicomException Undecodable(string why, Exception? cause = null) =>
        new(DamagedPixels, $"The image in this file is damaged: {why}. Copy it again from the source.", DicomTags.PixelData, cause: cause);

    internal static string Describe(DicomTag tag) => DicomDictionary.Name(tag) is { } name ? $"{name} {tag}" : $"element {tag}";
}
