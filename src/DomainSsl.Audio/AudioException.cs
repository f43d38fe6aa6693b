namespace DomainSsl.Audio;

/// <summary>
/// A sound that cannot be taken: <see cref="Code"/> for programs, <see cref="Exception.Message"/> one sentence for people. The only exception that
/// bad input raises.
/// </summary>
public sealed class AudioException(string code, string message, Exception? innerException = null) : Exception(message, innerException)
{
    /// <summary>One of <see cref="AudioError"/>.</summary>
    public string Code { get; } = code;
}

/// <summary>The codes of <see cref="AudioException"/>.</summary>
public static class AudioError
{
    /// <summary>The file has no bytes.</summary>
    public const string Empty = "audio-empty";

    /// <summary>The content is no sound that we know, whatever the name says.</summary>
    public const string NotSound = "audio-not-sound";

    /// <summary>A sound, but in a format or with a codec that is not read.</summary>
    public const string Codec = "audio-codec";

    /// <summary>The header is incomplete or contradicts itself.</summary>
    public const string Header = "audio-header";

    /// <summary>The header announces more sound than the file holds.</summary>
    public const string Truncated = "audio-truncated";

    /// <summary>A sound without a single sample.</summary>
    public const string NoSamples = "audio-no-samples";

    /// <summary>The samples are no numbers, or far beyond what a recording can be.</summary>
    public const string Damaged = "audio-damaged";

    /// <summary>Longer, larger, or with a stranger rate or number of channels than <see cref="SoundLimits"/> allow.</summary>
    public const string Limit = "audio-limit";

    /// <summary>A compressed sound, and the program that decodes such is not installed.</summary>
    public const string NoDecoder = "audio-no-decoder";

    /// <summary>All codes; the site keeps a sentence for each.</summary>
    public static IReadOnlyList<string> All { get; } = [Empty, NotSound, Codec, Header, Truncated, NoSamples, Damaged, Limit, NoDecoder];
}
