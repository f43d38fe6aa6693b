namespace DomainSsl.Dicom;

/// <summary>What a file may ask of this machine. Everything beyond is refused with <see cref="DicomErrors.TooLarge"/> before memory is taken for it.</summary>
public sealed record DicomLimits
{
    /// <summary>The limits used where none are given.</summary>
    public static DicomLimits Default { get; } = new();

    /// <summary>Longest file, in bytes. Default 1 GiB: an hour of ultrasound or a tomosynthesis stays below it.</summary>
    public int MaxFileBytes { get; init; } = 1 << 30;
    /// <summary>Most elements in all, those in sequences included. Default a million: enhanced multi-frame objects have some 100,000.</summary>
    public int MaxElements { get; init; } = 1_000_000;
    /// <summary>How deep sequences may nest. Default 32; real objects stay below ten.</summary>
    public int MaxDepth { get; init; } = 32;
    /// <summary>Most pixels of a frame. Default 256 Mi: a whole slide level of 16,384 × 16,384.</summary>
    public long MaxFramePixels { get; init; } = 1 << 28;
    /// <summary>Longest a codec may work at one frame. Default 20 s.</summary>
    public TimeSpan MaxDecodeTime { get; init; } = TimeSpan.FromSeconds(20);
}
