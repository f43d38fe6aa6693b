namespace DomainSsl.Audio;

/// <summary>A decoded sound: float32, full scale ±1, frames × channels interleaved (frame 0 channel 0, frame 0 channel 1, …).</summary>
public sealed class Sound
{
    /// <summary>Wraps samples without copying them.</summary>
    /// <exception cref="ArgumentException">The number of samples is not a multiple of the channels, or the rate is not positive.</exception>
    public Sound(float[] samples, int sampleRate, int channels)
    {
        ArgumentNullException.ThrowIfNull(samples);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(sampleRate);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(channels);
        if (samples.Length % channels != 0) throw new ArgumentException($"{samples.Length} samples do not divide into {channels} channels.", nameof(samples));
        Samples = samples;
        SampleRate = sampleRate;
        Channels = channels;
    }

    /// <summary>Interleaved samples, <see cref="Frames"/> × <see cref="Channels"/>.</summary>
    public float[] Samples { get; }

    /// <summary>Frames a second, Hz.</summary>
    public int SampleRate { get; }

    /// <summary>Number of channels.</summary>
    public int Channels { get; }

    /// <summary>Samples a channel.</summary>
    public int Frames => Samples.Length / Channels;

    /// <summary>Length in seconds.</summary>
    public double Seconds => (double)Frames / SampleRate;

    /// <summary>How many stored samples were no finite numbers or beyond any recording, and were set to zero on reading.</summary>
    public int MendedSamples { get; init; }

    /// <summary>The samples of one channel, a copy.</summary>
    public float[] Channel(int channel)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(channel);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(channel, Channels);
        var one = new float[Frames];
        for (int i = 0, j = channel; i < one.Length; i++, j += Channels) one[i] = Samples[j];
        return one;
    }

    /// <summary>The plain mean of the channels; this sound itself where it has one.</summary>
    public Sound ToMono()
    {
        if (Channels == 1) return this;
        var mono = new float[Frames];
        MixToMono(Samples, Channels, mono);
        return new Sound(mono, SampleRate, 1) { MendedSamples = MendedSamples };
    }

    /// <summary>The plain mean of interleaved channels, into as many samples as there are frames.</summary>
    internal static void MixToMono(ReadOnlySpan<float> interleaved, int channels, Span<float> mono)
    {
        int frames = interleaved.Length / channels;
        switch (channels)
        {
            case 1:
                interleaved.CopyTo(mono);
                break;
            case 2:
                for (int i = 0; i < frames; i++) mono[i] = 0.5f * (interleaved[2 * i] + interleaved[2 * i + 1]);
                break;
            default:
                float share = 1f / channels;
                for (int i = 0, j = 0; i < frames; i++)
                {
                    float sum = 0;
                    for (int c = 0; c < channels; c++) sum += interleaved[j++];
                    mono[i] = sum * share;
                }
                break;
        }
    }
}
