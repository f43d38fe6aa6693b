namespace DomainSsl.Audio;

/// <summary>
/// What a reader accepts before it allocates anything. The defaults let a consultation of four hours through and keep a hostile header from asking
/// for the machine's memory.
/// </summary>
public sealed record SoundLimits
{
    /// <summary>The default limits.</summary>
    public static SoundLimits Default { get; } = new();

    /// <summary>Largest file, bytes. Default 2 GiB.</summary>
    public long MaxBytes { get; init; } = 2L << 30;

    /// <summary>Longest sound, seconds. Default four hours.</summary>
    public double MaxSeconds { get; init; } = 4 * 3600;

    /// <summary>Most samples over all channels, each a float in memory. Default 2^28, 1 GiB.</summary>
    public long MaxSamples { get; init; } = 1L << 28;

    /// <summary>Most channels. Default 32.</summary>
    public int MaxChannels { get; init; } = 32;

    /// <summary>Lowest rate, Hz. Below 4 kHz nothing of speech, heart or breath is left. Default 4,000.</summary>
    public int MinSampleRate { get; init; } = 4_000;

    /// <summary>Highest rate, Hz. Default 384,000.</summary>
    public int MaxSampleRate { get; init; } = 384_000;
}
