using System.Numerics.Tensors;

namespace DomainSsl.Audio.Peaks;

/// <summary>
/// The outline of a sound for drawing: the smallest and largest sample of each stretch, a fixed number of stretches a second. wavesurfer.js takes
/// <c>peaks: [max, min]</c> together with <c>duration: seconds</c> and then draws without fetching the sound.
/// </summary>
/// <param name="PerSecond">Stretches a second.</param>
/// <param name="Seconds">Length of the sound.</param>
/// <param name="Min">Smallest sample of each stretch, full scale −1.</param>
/// <param name="Max">Largest sample of each stretch, full scale 1.</param>
public sealed record WaveformPeaks(int PerSecond, double Seconds, float[] Min, float[] Max)
{
    /// <summary>Enough for a waveform of a screen's width over some ten seconds.</summary>
    public const int DefaultPerSecond = 100;

    /// <summary>The peaks over all channels of a sound; the last stretch may be shorter.</summary>
    public static WaveformPeaks Of(Sound sound, int perSecond = DefaultPerSecond)
    {
        ArgumentNullException.ThrowIfNull(sound);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(perSecond);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(perSecond, sound.SampleRate);
        int count = (int)(((long)sound.Frames * perSecond + sound.SampleRate - 1) / sound.SampleRate);
        var (min, max) = (new float[count], new float[count]);
        for (int i = 0; i < count; i++)
        {
            int from = Edge(i), to = Math.Min(Edge(i + 1), sound.Frames);
            var stretch = sound.Samples.AsSpan(from * sound.Channels, (to - from) * sound.Channels);
            min[i] = TensorPrimitives.Min<float>(stretch);
            max[i] = TensorPrimitives.Max<float>(stretch);
        }
        return new WaveformPeaks(perSecond, sound.Seconds, min, max);

        int Edge(int i) => (int)Math.Min((long)i * sound.SampleRate / perSecond, sound.Frames);
    }
}
