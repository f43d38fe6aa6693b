using DomainSsl.Learning.Encoders;
using DomainSsl.Learning.Training;
using static TorchSharp.torch;

namespace DomainSsl.Learning.Augmentation;

/// <summary>How much of a spectrogram is hidden. A number of 0 switches a kind off.</summary>
public sealed record SpecAugmentOptions
{
    /// <summary>m_T, stretches of time.</summary>
    public int TimeMasks { get; init; } = 2;

    /// <summary>T, the longest of them, seconds.</summary>
    public double TimeSeconds { get; init; } = 0.4;

    /// <summary>p, the longest of them as a share of the item.</summary>
    public double TimeShare { get; init; } = 0.15;

    /// <summary>m_F, stretches of bands.</summary>
    public int BandMasks { get; init; } = 2;

    /// <summary>F, the widest of them, as a share of all bands.</summary>
    public double BandShare { get; init; } = 0.2;
}

/// <summary>
/// "SpecAugment: A Simple Data Augmentation Method for Automatic Speech Recognition", Park, Chan, Zhang, Chiu, Zoph, Cubuk, Le, 2019, sections 2 and 3.1, without time warping: stretches of time and of bands, of random length up
/// to a longest, become the mean. Of a waveform, which has no bands, only time is hidden.
/// </summary>
public static class SpecAugment
{
    /// <summary>A copy with stretches hidden.</summary>
    /// <param name="front">B×F×M from <see cref="SoundEncoder.Front"/>, each channel with mean 0.</param>
    /// <param name="lengths">Samples of each item, at 16 kHz.</param>
    /// <param name="samples">Samples of the batch, T.</param>
    /// <param name="options">How much.</param>
    /// <param name="random">Where chance comes from.</param>
    public static Tensor Hide(Tensor front, long[] lengths, long samples, SpecAugmentOptions options, RandomStream random)
    {
        var (items, frames, bands) = ((int)front.shape[0], (int)front.shape[1], (int)front.shape[2]);
        var perSample = frames / (double)samples;
        var (time, band) = (new float[items * frames], new float[items * bands]);
        Array.Fill(time, 1f);
        Array.Fill(band, 1f);
        for (var b = 0; b < items; b++)
        {
            var length = Math.Min(frames, (int)Math.Ceiling(lengths[b] * perSample));
            var longest = (int)Math.Min(options.TimeSeconds * LogMel.SampleRate * perSample, options.TimeShare * length);
            for (var m = 0; m < options.TimeMasks; m++) Hide(time.AsSpan(b * frames, length), longest, random);
            for (var m = 0; m < options.BandMasks && bands > 1; m++) Hide(band.AsSpan(b * bands, bands), (int)(options.BandShare * bands), random);
        }
        return front * tensor(time, [items, frames, 1]).to(front.device) * tensor(band, [items, 1, bands]).to(front.device);
    }

    private static void Hide(Span<float> places, int longest, RandomStream random)
    {
        var length = random.Index(Math.Min(longest, places.Length) + 1);
        places.Slice(random.Index(places.Length - length + 1), length).Clear();
    }
}
