using System.Numerics.Tensors;

namespace DomainSsl.Audio.Quality;

/// <summary>Measures <see cref="SoundQuality"/> on a sound given block by block, in one pass and a few kilobytes.</summary>
public sealed class QualityMeter
{
    private const double FloorDb = -120, SilenceDb = -60, QuietDb = -45, MaxDcOffset = 0.02, MaxClippedShare = 1e-3, MaxSilentShare = 0.9;
    private const double NoisyDb = 10, MinSecondsForNoise = 3, MinSpreadDb = 3;

    // Levels of windows from -100 dB on in steps of half a decibel; flat tops by their height from 0.9 on.
    private const int LevelBins = 220, TopBins = 201;
    private const float LowestTop = 0.9f, FlatWithin = 0.001f;

    private readonly int rate, channels, window;
    private readonly double[] sums;
    private readonly long[] levels = new long[LevelBins], tops = new long[TopBins];
    private readonly int[] runs;
    private readonly float[] runLevels;
    private float[] mono = [];
    private double squares, monoSquares, windowSquares;
    private float peak;
    private long frames, windows, silent;
    private int inWindow;

    /// <summary>Begins.</summary>
    /// <param name="rate">Hz.</param>
    /// <param name="channels">Channels of the interleaved blocks.</param>
    public QualityMeter(int rate, int channels)
    {
        (this.rate, this.channels, window) = (rate, channels, Math.Max(1, rate / 50));
        (sums, runs, runLevels) = (new double[channels], new int[channels], new float[channels]);
    }

    /// <summary>Adds whole frames, channels interleaved.</summary>
    public void Add(ReadOnlySpan<float> interleaved)
    {
        while (!interleaved.IsEmpty)
        {
            int take = Math.Min(window - inWindow, interleaved.Length / channels);
            var part = interleaved[..(take * channels)];
            interleaved = interleaved[part.Length..];
            double energy = TensorPrimitives.SumOfSquares(part);
            float loudest = Math.Abs(TensorPrimitives.MaxMagnitude(part));
            squares += energy;
            windowSquares += energy;
            monoSquares += channels == 1 ? energy : MonoSquares(part);
            Offsets(part);
            if (loudest >= LowestTop) Tops(part);
            else CloseRuns();
            peak = Math.Max(peak, loudest);
            frames += take;
            inWindow += take;
            if (inWindow == window) CloseWindow();
        }
    }

    /// <summary>The measures of all that was added.</summary>
    /// <param name="mendedSamples">Samples that were no numbers and were set to zero on reading.</param>
    /// <param name="ofFile">What the file itself is at fault for; put first.</param>
    public SoundQuality Finish(int mendedSamples = 0, IReadOnlyList<SoundFinding>? ofFile = null)
    {
        if (frames == 0) throw new InvalidOperationException("A sound without samples has no quality.");
        if (inWindow > 0) CloseWindow();
        CloseRuns();
        double rms = Math.Sqrt(squares / (frames * channels)), mixed = Math.Sqrt(monoSquares / frames), seconds = (double)frames / rate;
        double offset = sums.MaxBy(Math.Abs) / frames, silentShare = (double)silent / windows, clipped = ClippedShare();
        double? snr = Snr();

        var findings = new List<SoundFinding>(ofFile ?? []);
        if (Db(peak) < SilenceDb) findings.Add(new("silent", "The recording is silent; check the microphone."));
        else if (Db(mixed) < Db(rms) - 20)
            findings.Add(new("channels-cancel", "The channels cancel each other: one is the other turned over. Use one channel only."));
        else if (Db(rms) < QuietDb) findings.Add(new("quiet", $"The recording is very quiet ({Db(rms):0} dB); move closer to the microphone."));
        if (clipped > MaxClippedShare) findings.Add(new("clipped",
            $"The recording is overdriven: {100 * clipped:0.0} % of it is cut off at the top; lower the gain."));
        if (Math.Abs(offset) > MaxDcOffset) findings.Add(new("dc-offset",
            $"The recording has a constant offset ({100 * offset:0} % of full scale); the sound card may be faulty."));
        if (silentShare > MaxSilentShare && Db(peak) >= SilenceDb) findings.Add(new("mostly-silent", $"{100 * silentShare:0} % of the recording is silence."));
        if (snr < NoisyDb && seconds >= MinSecondsForNoise && Db(peak) >= SilenceDb) findings.Add(new("noisy",
            $"The recording is noisy: what is loud stands only {snr:0} dB above the background; record closer to the mouth."));
        if (mendedSamples > 0) findings.Add(new("mended", $"{mendedSamples} samples of the file were damaged and were set to silence."));
        return new SoundQuality(Db(rms), Db(peak), silentShare, clipped, offset, snr, mendedSamples, findings);
    }

    private static double Db(double magnitude) => magnitude <= 1e-6 ? FloorDb : 20 * Math.Log10(magnitude);

    private double MonoSquares(ReadOnlySpan<float> part)
    {
        int count = part.Length / channels;
        if (mono.Length < count) mono = new float[window];
        Sound.MixToMono(part, channels, mono);
        return TensorPrimitives.SumOfSquares<float>(mono.AsSpan(0, count));
    }

    private void Offsets(ReadOnlySpan<float> part)
    {
        if (channels == 1) sums[0] += TensorPrimitives.Sum(part);
        else
            for (int c = 0; c < channels; c++)
            {
                double sum = 0;
                for (int i = c; i < part.Length; i += channels) sum += part[i];
                sums[c] += sum;
            }
    }

    private void CloseWindow()
    {
        double level = Db(Math.Sqrt(windowSquares / (inWindow * channels)));
        windows++;
        if (level < SilenceDb) silent++;
        // Below this there is no recorded noise but digital silence, which says nothing about the noise beside speech.
        if (level > -100) levels[Math.Min(LevelBins - 1, (int)((level + 100) * 2))]++;
        (windowSquares, inWindow) = (0, 0);
    }

    /// <summary>A clipped wave stays at one value for several samples; a loud one only touches its peak. Beyond full scale counts as full scale, since playing clips it.</summary>
    private void Tops(ReadOnlySpan<float> part)
    {
        for (int c = 0; c < channels; c++)
            for (int i = c; i < part.Length; i += channels)
            {
                float x = Math.Min(Math.Abs(part[i]), 1f);
                if (runs[c] > 0 && Math.Abs(x - runLevels[c]) <= FlatWithin) { runs[c]++; continue; }
                CloseRun(c);
                if (x >= LowestTop) (runs[c], runLevels[c]) = (1, x);
            }
    }

    private void CloseRuns()
    {
        for (int c = 0; c < channels; c++) CloseRun(c);
    }

    private void CloseRun(int c)
    {
        if (runs[c] >= 3) tops[TopBin(runLevels[c])] += runs[c];
        runs[c] = 0;
    }

    private static int TopBin(float level) => Math.Clamp((int)((level - LowestTop) * 2000), 0, TopBins - 1);

    /// <summary>Only flat tops at the recording's own ceiling count: lower ones are a square wave's, not the converter's.</summary>
    private double ClippedShare()
    {
        if (peak < LowestTop) return 0;
        long clipped = 0;
        for (int bin = TopBin(Math.Min(peak, 1f) * (1 - 2 * FlatWithin)); bin < TopBins; bin++) clipped += tops[bin];
        return (double)clipped / (frames * channels);
    }

    /// <summary>
    /// Noise is the level that a tenth of the windows stay below (pauses are at least that much of speech); signal the mean power of those at least 6 dB over it, less the noise.
    /// After the percentile method of NIST's stnr. Null where levels hardly differ: then nothing tells noise from sound.
    /// </summary>
    private double? Snr()
    {
        long counted = levels.Sum();
        if (counted < 25) return null;
        int low = Percentile(0.1), high = Percentile(0.95);
        if ((high - low) / 2.0 < MinSpreadDb) return null;
        double noise = Power(low), power = 0;
        long loud = 0;
        for (int bin = Math.Min(low + 12, high); bin < LevelBins; bin++)
        {
            power += levels[bin] * Power(bin);
            loud += levels[bin];
        }
        return 10 * Math.Log10(Math.Max(power / loud - noise, 1e-3 * noise) / noise);

        int Percentile(double share)
        {
            long below = 0;
            int bin = 0;
            while (bin < LevelBins - 1 && (below += levels[bin]) < share * counted) bin++;
            return bin;
        }

        static double Power(int bin) => Math.Pow(10, ((bin + 0.5) / 2 - 100) / 10);
    }
}
