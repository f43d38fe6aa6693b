namespace DomainSsl.Audio;

/// <summary>
/// What a reader accepts before it allocates anything, and what the decoder beside it may use. The defaults let a consultation of four hours through and
/// keep a hostile header from asking for the machine's memory.
/// </summary>
public sealed record SoundLimits
{
    /// <summary>The default limits.</summary>
    public static SoundLimits Default { get; } = new();

    /// <summary>Largest file, bytes. Default 2 GiB.</summary>
    public long MaxBytes { get; init; } = 2L << 30;

    /// <summary>Longest sound, seconds. Default four hours.</summary>
    public double MaxSeconds { get; init; } = 4 * 3600;

    /// <summary>Most samples over all channels where a whole sound is read into memory, each a float. Default 2^28, 1 GiB. Reading by blocks knows no such limit.</summary>
    public long MaxSamples { get; init; } = 1L << 28;

    /// <summary>Most channels. Default 32.</summary>
    public int MaxChannels { get; init; } = 32;

    /// <summary>Lowest rate, Hz. Below 4 kHz nothing of speech, heart or breath is left. Default 4,000.</summary>
    public int MinSampleRate { get; init; } = 4_000;

    /// <summary>Highest rate, Hz. Default 384,000.</summary>
    public int MaxSampleRate { get; init; } = 384_000;

    /// <summary>The program that decodes what is not read here: a name to be found in PATH, or a path. Default <c>ffmpeg</c>.</summary>
    public string Ffmpeg { get; init; } = "ffmpeg";

    /// <summary>Most memory of that program, bytes. Default 400 MiB, several times what sound needs.</summary>
    public long MaxDecoderBytes { get; init; } = 400L << 20;

    /// <summary>Longest time that program may use over a whole file, seconds. Default ten minutes; an hour of MP3 takes some ten seconds.</summary>
    public double MaxDecoderSeconds { get; init; } = 600;

    /// <summary>Longest time that program may be silent while we wait for it, seconds. Default 20.</summary>
    public double MaxSilentSeconds { get; init; } = 20;

    /// <summary>Where the copy lies that a film with its index at the end needs; removed at once after. Default the system's folder for temporary files.</summary>
    public string TemporaryFolder { get; init; } = Path.GetTempPath();
}
