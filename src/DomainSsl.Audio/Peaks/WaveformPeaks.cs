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
        var meter = new PeakMeter(sound.SampleRate, sound.Channels, perSecond, int.MaxValue);
        meter.Add(sound.Samples);
        return meter.Finish();
    }

    /// <summary>The same outline with at most so many stretches, for a view of the whole: neighbours joined in equal groups.</summary>
    /// <returns>Smallest and largest of each group, and how long a group is, seconds.</returns>
    public (float[] Min, float[] Max, double SecondsEach) Overview(int most)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(most);
        int each = Math.Max(1, (Min.Length + most - 1) / most), count = (Min.Length + each - 1) / each;
        var (min, max) = (new float[count], new float[count]);
        for (int i = 0; i < count; i++)
        {
            int from = i * each, length = Math.Min(each, Min.Length - from);
            min[i] = TensorPrimitives.Min<float>(Min.AsSpan(from, length));
            max[i] = TensorPrimitives.Max<float>(Max.AsSpan(from, length));
        }
        return (min, max, (double)each / PerSecond);
    }
}
