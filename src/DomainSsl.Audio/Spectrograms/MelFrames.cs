using NAudio.Dsp;

namespace DomainSsl.Audio.Spectrograms;

/// <summary>
/// Power in mel bands, a frame each 10 ms, of 16 kHz mono given block by block. Frame t looks at 25 ms (Hann) around the middle of [10·t, 10·t + 10) ms, so n samples give ⌈n / 160⌉
/// frames and beyond its ends the sound is silence. Bands are triangles, evenly spaced on the mel scale 2595·log10(1 + f/700) (D. O'Shaughnessy, 1987) from 0 to 8,000 Hz; power is such that a sine of
/// full scale has 1 where its band peaks.
/// </summary>
public sealed class MelFrames
{
    /// <summary>Samples a second, Hz.</summary>
    public const int SampleRate = 16_000;

    /// <summary>Samples from one frame to the next.</summary>
    public const int Hop = 160;

    private const int Window = 400, Log2Size = 9, Size = 1 << Log2Size, Bins = Size / 2;

    private readonly Action<ReadOnlySpan<float>> each;
    private readonly float[] hann = new float[Window], rising = new float[Bins + 1], power;
    private readonly int[] bandBelow = new int[Bins + 1];
    private readonly Complex[] pair = new Complex[Size];
    private float[] held = new float[8 * Size];
    private int count;
    private long received, frames;

    /// <summary>Begins.</summary>
    /// <param name="bands">Number of bands; up to 80 each holds at least one frequency.</param>
    /// <param name="each">Gets the bands' power of each frame in turn; the span is used again.</param>
    public MelFrames(int bands, Action<ReadOnlySpan<float>> each)
    {
        ArgumentNullException.ThrowIfNull(each);
        ArgumentOutOfRangeException.ThrowIfLessThan(bands, 2);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bands, 80);
        (this.each, power) = (each, new float[bands]);
        double sum = 0;
        for (int i = 0; i < Window; i++) sum += hann[i] = (float)(0.5 - 0.5 * Math.Cos(2 * Math.PI * (i + 0.5) / Window));
        // NAudio divides by the transform's length; half the window's sum is what a full-scale sine has in its bin.
        for (int i = 0; i < Window; i++) hann[i] *= (float)(2 * Size / sum);
        double step = Mel(SampleRate / 2.0) / (bands + 1);
        for (int k = 0; k <= Bins; k++)
        {
            double place = Mel((double)k * SampleRate / Size) / step - 1;       // 0 where the first band peaks
            bandBelow[k] = (int)Math.Floor(place);
            rising[k] = (float)(place - bandBelow[k]);
        }
        count = Window / 2 - Hop / 2;        // silence before the beginning, so that the first window is around the first hop
    }

    /// <summary>Bands a frame.</summary>
    public int Bands => power.Length;

    /// <summary>Where each band peaks, Hz, for the axis of a picture.</summary>
    public static double[] Centres(int bands)
    {
        double step = Mel(SampleRate / 2.0) / (bands + 1);
        return [.. Enumerable.Range(1, bands).Select(b => 700 * (Math.Pow(10, b * step / 2595) - 1))];
    }

    /// <summary>Natural logarithms of the bands' power, floor 1e-10, of a whole 16 kHz mono sound: frames × bands, row by row.</summary>
    public static float[] LogMel(ReadOnlySpan<float> samples, int bands = 80)
    {
        var all = new List<float>((samples.Length + Hop - 1) / Hop * bands);
        var frames = new MelFrames(bands, power => { foreach (float p in power) all.Add(MathF.Log(Math.Max(p, 1e-10f))); });
        frames.Add(samples);
        frames.Finish();
        return [.. all];
    }

    /// <summary>Adds samples.</summary>
    public void Add(ReadOnlySpan<float> samples)
    {
        received += samples.Length;
        while (!samples.IsEmpty)
        {
            int take = Math.Min(samples.Length, held.Length - count);
            samples[..take].CopyTo(held.AsSpan(count));
            count += take;
            samples = samples[take..];
            Transform(long.MaxValue);
        }
    }

    /// <summary>The last frames.</summary>
    public void Finish()
    {
        long all = (received + Hop - 1) / Hop;
        while (frames < all)
        {
            int room = held.Length - count;
            held.AsSpan(count, room).Clear();
            count += room;
            Transform(all);
        }
    }

    private void Transform(long all)
    {
        int at = 0;
        for (; at + Window + Hop <= count && frames < all; at += 2 * Hop) Pair(at, Math.Min(2, all - frames));
        held.AsSpan(at, count - at).CopyTo(held);
        count -= at;
    }

    /// <summary>Two frames in one transform: one as its real, one as its imaginary part; symmetry takes them apart (Press et al., "Numerical Recipes", §12.3).</summary>
    private void Pair(int at, long wanted)
    {
        for (int i = 0; i < Window; i++)
        {
            pair[i].X = held[at + i] * hann[i];
            pair[i].Y = held[at + Hop + i] * hann[i];
        }
        pair.AsSpan(Window).Clear();
        FastFourierTransform.FFT(true, Log2Size, pair);
        for (int frame = 0; frame < wanted; frame++)
        {
            Array.Clear(power);
            for (int k = 0; k <= Bins; k++)
            {
                var (z, w) = (pair[k], pair[(Size - k) % Size]);
                float re = frame == 0 ? z.X + w.X : z.Y + w.Y, im = frame == 0 ? z.Y - w.Y : w.X - z.X, p = 0.25f * (re * re + im * im);
                int below = bandBelow[k];
                if (below >= 0 && below < power.Length) power[below] += p * (1 - rising[k]);
                if (below + 1 < power.Length) power[below + 1] += p * rising[k];
            }
            frames++;
            each(power);
        }
    }

    private static double Mel(double hertz) => 2595 * Math.Log10(1 + hertz / 700);
}
