namespace DomainSsl.Audio.Decoding;

/// <summary>What the headers of all formats are held against alike, before a byte of sound is read.</summary>
internal static class SoundChecks
{
    public static void Layout(string name, SampleKind kind, int bits, int channels, long rate, SoundLimits limits)
    {
        if (channels == 0) throw new AudioException(AudioError.Header, $"The {name} file says that it has no channels; export it again.");
        if (channels > limits.MaxChannels)
            throw new AudioException(AudioError.Limit, $"The {name} file says that it has {channels} channels; at most {limits.MaxChannels} are taken.");
        if (rate < limits.MinSampleRate || rate > limits.MaxSampleRate)
            throw new AudioException(AudioError.Limit, $"The {name} file says that its sample rate is {rate} Hz; rates from {limits.MinSampleRate} to {limits.MaxSampleRate} Hz are taken.");
        bool known = kind switch
        {
            SampleKind.Integer => bits is 8 or 16 or 24 or 32,
            SampleKind.Float => bits is 32 or 64,
            SampleKind.Compressed => true,
            _ => bits == 8,
        };
        if (!known) throw new AudioException(AudioError.Header,
            $"The {name} file says that a sample has {bits} bits, which no such file has; export it with 16 bits.");
    }

    public static void Length(PcmLayout layout, SoundLimits limits)
    {
        if (layout.Frames == 0) throw new AudioException(AudioError.NoSamples, "The file holds a header but no sound; record or export it again.");
        if (layout.Seconds > limits.MaxSeconds) throw TooLong(layout.Seconds, limits);
    }

    public static AudioException TooLong(double seconds, SoundLimits limits) => new(AudioError.Limit,
        $"The sound is {seconds / 60:0} minutes long; at most {limits.MaxSeconds / 60:0} are taken. Cut it into shorter recordings.");

    public static AudioException Truncated(string name, long announced, long held) => new(AudioError.Truncated,
        $"The {name} file was cut off: it announces {announced} bytes of sound and holds {Math.Max(0, held)}. Copy or export it again.");
}
