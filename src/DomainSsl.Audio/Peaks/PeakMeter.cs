using System.Numerics.Tensors;

namespace DomainSsl.Audio.Peaks;

/// <summary>
/// Makes <see cref="WaveformPeaks"/> of a sound given block by block. Past <see cref="MaxStretches"/> (two hours at 100 a second) neighbouring stretches are joined and there are half as many
/// a second, so that three hours take no more room than two.
/// </summary>
public sealed class PeakMeter
{
    /// <summary>Most stretches kept while their number a second can still be halved.</summary>
    public const int MaxStretches = 720_000;

    private readonly int rate, channels, most;
    private readonly List<float> min = [], max = [];
    private int perSecond;
    private long frames;
    private float low = float.PositiveInfinity, high = float.NegativeInfinity;

    /// <summary>Begins.</summary>
    /// <param name="rate">Hz.</param>
    /// <param name="channels">Channels of the interleaved blocks; a stretch is over all of them.</param>
    /// <param name="perSecond">Stretches a second.</param>
    /// <param name="most">See <see cref="MaxStretches"/>.</param>
    public PeakMeter(int rate, int channels, int perSecond = WaveformPeaks.DefaultPerSecond, int most = MaxStretches)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(perSecond);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(perSecond, rate);
        (this.rate, this.channels, this.perSecond, this.most) = (rate, channels, perSecond, most);
    }

    /// <summary>Adds whole frames, channels interleaved.</summary>
    public void Add(ReadOnlySpan<float> interleaved)
    {
        while (!interleaved.IsEmpty)
        {
            long edge = (long)(min.Count + 1) * rate / perSecond;
            int take = (int)Math.Min(edge - frames, interleaved.Length / channels);
            var part = interleaved[..(take * channels)];
            low = Math.Min(low, TensorPrimitives.Min(part));
            high = Math.Max(high, TensorPrimitives.Max(part));
            frames += take;
            interleaved = interleaved[part.Length..];
            if (frames == edge) Close();
        }
    }

    /// <summary>The peaks of all that was added; the last stretch may be shorter.</summary>
    public WaveformPeaks Finish()
    {
        if (high >= low) Close();
        return new WaveformPeaks(perSecond, (double)frames / rate, [.. min], [.. max]);
    }

    private void Close()
    {
        min.Add(low);
        max.Add(high);
        (low, high) = (float.PositiveInfinity, float.NegativeInfinity);
        if (min.Count < most || min.Count % 2 != 0 || perSecond % 2 != 0) return;
        int half = min.Count / 2;
        for (int i = 0; i < half; i++) (min[i], max[i]) = (Math.Min(min[2 * i], min[2 * i + 1]), Math.Max(max[2 * i], max[2 * i + 1]));
        min.RemoveRange(half, min.Count - half);
        max.RemoveRange(half, max.Count - half);
        perSecond /= 2;
    }
}
