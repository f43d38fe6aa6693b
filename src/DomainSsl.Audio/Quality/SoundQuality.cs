using System.Numerics.Tensors;

namespace DomainSsl.Audio.Quality;

/// <summary>One thing about a recording that a person should know: a code for programs and a sentence.</summary>
public sealed record SoundFinding(string Code, string Sentence);

/// <summary>How good a recording is, measured on the sound as stored, before resampling.</summary>
/// <param name="RmsDb">Level, dB below full scale (0 is a full-scale square wave); −120 for silence.</param>
/// <param name="PeakDb">Largest magnitude, dB; above 0 for float files beyond full scale.</param>
/// <param name="SilentShare">Share of 20 ms windows whose level is below −60 dB, 0 to 1.</param>
/// <param name="ClippedShare">Share of samples in runs of three or more at the recording's ceiling, where that is near or beyond full scale, 0 to 1.</param>
/// <param name="DcOffset">Mean of the samples, full scale 1: the largest over the channels, with its sign.</param>
/// <param name="MendedSamples">Samples that were no numbers and were set to zero.</param>
/// <param name="Findings">What is worth a warning, worst first; empty for a good recording.</param>
public sealed record SoundQuality(
    double RmsDb, double PeakDb, double SilentShare, double ClippedShare, double DcOffset, int MendedSamples, IReadOnlyList<SoundFinding> Findings)
{
    private const double FloorDb = -120, SilenceDb = -60, QuietDb = -45, MaxDcOffset = 0.02, MaxClippedShare = 1e-3, MaxSilentShare = 0.9;

    /// <summary>Measures a sound. One pass, nothing kept.</summary>
    public static SoundQuality Measure(Sound sound)
    {
        ArgumentNullException.ThrowIfNull(sound);
        if (sound.Frames == 0) throw new ArgumentException("A sound without samples has no quality.", nameof(sound));
        double rms = Rms(sound.Samples), peak = Math.Abs(TensorPrimitives.MaxMagnitude<float>(sound.Samples));
        double mono = sound.Channels == 1 ? rms : Rms(sound.ToMono().Samples);
        double offset = DcOf(sound), silent = SilentWindows(sound), clipped = Clipped(sound, (float)peak);

        var findings = new List<SoundFinding>();
        if (Db(peak) < SilenceDb) findings.Add(new("silent", "The recording is silent; check the microphone."));
        else if (Db(mono) < Db(rms) - 20)
            findings.Add(new("channels-cancel", "The channels cancel each other: one is the other turned over. Use one channel only."));
        else if (Db(rms) < QuietDb) findings.Add(new("quiet", $"The recording is very quiet ({Db(rms):0} dB); move closer to the microphone."));
        if (clipped > MaxClippedShare) findings.Add(new("clipped",
            $"The recording is overdriven: {100 * clipped:0.0} % of it is cut off at the top; lower the gain."));
        if (Math.Abs(offset) > MaxDcOffset) findings.Add(new("dc-offset",
            $"The recording has a constant offset ({100 * offset:0} % of full scale); the sound card may be faulty."));
        if (silent > MaxSilentShare && Db(peak) >= SilenceDb) findings.Add(new("mostly-silent", $"{100 * silent:0} % of the recording is silence."));
        if (sound.MendedSamples > 0) findings.Add(new("mended", $"{sound.MendedSamples} samples of the file were damaged and were set to silence."));
        return new SoundQuality(Db(rms), Db(peak), silent, clipped, offset, sound.MendedSamples, findings);
    }

    private static double Db(double magnitude) => magnitude <= 1e-6 ? FloorDb : 20 * Math.Log10(magnitude);

    private static double Rms(ReadOnlySpan<float> x)
    {
        double sum = 0;
        int n = x.Length;
        for (; x.Length > 4096; x = x[4096..]) sum += TensorPrimitives.SumOfSquares(x[..4096]);
        return Math.Sqrt((sum + TensorPrimitives.SumOfSquares(x)) / n);
    }

    private static double DcOf(Sound sound)
    {
        var sums = new double[sound.Channels];
        for (int i = 0; i < sound.Samples.Length; i++) sums[i % sums.Length] += sound.Samples[i];
        return sums.MaxBy(Math.Abs) / sound.Frames;
    }

    private static double SilentWindows(Sound sound)
    {
        int window = Math.Max(1, sound.SampleRate / 50) * sound.Channels, windows = 0, silent = 0;
        for (int start = 0; start < sound.Samples.Length; start += window, windows++)
            if (Db(Rms(sound.Samples.AsSpan(start, Math.Min(window, sound.Samples.Length - start)))) < SilenceDb) silent++;
        return (double)silent / windows;
    }

    /// <summary>
    /// A clipped wave stays at one value for several samples; a loud one only touches its peak. Beyond full scale counts too, since playing clips it.
    /// </summary>
    private static double Clipped(Sound sound, float peak)
    {
        if (peak < 0.9f) return 0;
        float ceiling = Math.Min(peak, 1f) * 0.999f;
        long clipped = 0;
        for (int c = 0; c < sound.Channels; c++)
        {
            int run = 0;
            for (int i = c; i < sound.Samples.Length; i += sound.Channels)
            {
                if (Math.Abs(sound.Samples[i]) >= ceiling) { run++; continue; }
                if (run >= 3) clipped += run;
                run = 0;
            }
            if (run >= 3) clipped += run;
        }
        return (double)clipped / sound.Samples.Length;
    }
}
