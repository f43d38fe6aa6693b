using System.Numerics.Tensors;

namespace DomainSsl.Audio.Resampling;

/// <summary>
/// Changes the sample rate by a band-limited polyphase filter: a sinc windowed by Kaiser's window (J. F. Kaiser, 1974; J. O. Smith, "Digital Audio
/// Resampling", 2002). The cut-off lies below the lower of the two Nyquist frequencies, so what the new rate cannot hold is removed instead of folded back.
/// </summary>
/// <remarks>
/// With rates in ratio L : M in lowest terms, output sample n lies at input position n·M/L, whose fraction takes L values ("phases"). Each phase is a short
/// filter; an output sample is one dot product with it. For odd pairs of rates with thousands of phases the filter is made when it is needed instead of kept.
/// </remarks>
public sealed class Resampler
{
    /// <summary>The rate at which everything is learnt from, Hz.</summary>
    public const int LearningRate = 16_000;

    // Kaiser's design rule: with beta 9 (stop band −90 dB, below the noise of 16 bits) and 48 zero crossings on each side the transition is 0.11 wide;
    // around 0.94 it reaches from 0.885 to 0.995 of the lower Nyquist frequency. For 16 kHz that keeps all up to 7.08 kHz.
    private const int ZeroCrossings = 48;
    private const double Beta = 9.0;
    private const double CutOff = 0.94;
    private const int MaxKeptPhases = 2_048;

    /// <summary>
    /// The right half of the windowed sinc, <see cref="Steps"/> values a zero crossing; read between them by straight lines, which at 1,024 is exact
    /// to −118 dB.
    /// </summary>
    private const int Steps = 1_024;
    private static readonly float[] Prototype = MakePrototype();

    private readonly int up, down, taps;
    private readonly double bandwidth;
    private readonly float[]?[] phases;

    /// <summary>A resampler from one rate to another, both in Hz.</summary>
    public Resampler(int fromRate, int toRate)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(fromRate);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(toRate);
        int divisor = Gcd(fromRate, toRate);
        (up, down) = (toRate / divisor, fromRate / divisor);
        bandwidth = CutOff * Math.Min(1.0, (double)toRate / fromRate);
        taps = 2 * (int)Math.Ceiling(ZeroCrossings / bandwidth);
        phases = new float[up <= MaxKeptPhases ? up : 0][];
    }

    /// <summary>A sound as 16 kHz mono: the mean of its channels, resampled. The sound itself where it is that already.</summary>
    public static Sound To16kMono(Sound sound)
    {
        ArgumentNullException.ThrowIfNull(sound);
        var mono = sound.ToMono();
        if (mono.SampleRate == LearningRate) return mono;
        var samples = new Resampler(mono.SampleRate, LearningRate).Resample(mono.Samples);
        return new Sound(samples, LearningRate, 1) { MendedSamples = sound.MendedSamples };
    }

    /// <summary>One channel at the new rate: n input samples give round(n·to/from), at least one. Beyond its ends the sound is silence.</summary>
    public float[] Resample(ReadOnlySpan<float> input)
    {
        if (up == down) return input.ToArray();
        if (input.IsEmpty) return [];
        var output = new float[Math.Max(1, (int)Math.Round((double)input.Length * up / down))];
        var scratch = new float[taps];
        for (int n = 0; n < output.Length; n++)
        {
            long position = (long)n * down;
            long whole = position / up;
            int phase = (int)(position % up);
            var filter = FilterAt(phase, scratch);
            long first = whole - taps / 2 + 1;
            int skip = (int)Math.Max(0, -first);
            int count = (int)Math.Min(taps, input.Length - first) - skip;
            if (count > 0) output[n] = TensorPrimitives.Dot(input.Slice((int)(first + skip), count), filter.AsSpan(skip, count));
        }
        return output;
    }

    /// <summary>Output samples for each <see cref="Down"/> input samples.</summary>
    internal int Up => up;

    internal int Down => down;

    /// <summary>Length of a filter; output n is its product with the input from n·down/up − taps/2 + 1 on.</summary>
    internal int Taps => taps;

    /// <summary>The filter of a phase; made in <paramref name="scratch"/> where there are too many to keep.</summary>
    internal float[] FilterAt(int phase, float[] scratch) => phases.Length > 0 ? phases[phase] ??= Filter(phase, new float[taps]) : Filter(phase, scratch);

    /// <summary>The taps for one phase, scaled to a sum of one so that a constant stays that constant at every phase.</summary>
    private float[] Filter(int phase, float[] into)
    {
        double fraction = (double)phase / up, sum = 0, half = taps / 2, scale = bandwidth * Steps;
        for (int k = 0; k < taps; k++)
        {
            double x = Math.Abs(k - half + 1 - fraction) * scale;       // distance from the output's place, in table steps
            int i = (int)x;
            double h = i >= Prototype.Length - 1 ? 0 : Prototype[i] + (x - i) * (Prototype[i + 1] - Prototype[i]);
            into[k] = (float)h;
            sum += h;
        }
        TensorPrimitives.Multiply(into, (float)(1 / sum), into);
        return into;
    }

    private static float[] MakePrototype()
    {
        var table = new float[ZeroCrossings * Steps + 1];
        table[0] = 1;
        double norm = 1 / BesselI0(Beta);
        for (int i = 1; i < table.Length - 1; i++)
        {
            double x = (double)i / Steps, edge = x / ZeroCrossings;
            table[i] = (float)(Math.Sin(Math.PI * x) / (Math.PI * x) * BesselI0(Beta * Math.Sqrt(1 - edge * edge)) * norm);
        }
        return table;
    }

    /// <summary>The modified Bessel function of order zero by its power series.</summary>
    private static double BesselI0(double x)
    {
        double sum = 1, term = 1, quarter = x * x / 4;
        for (int k = 1; term > 1e-12 * sum; k++)
        {
            term *= quarter / ((double)k * k);
            sum += term;
        }
        return sum;
    }

    private static int Gcd(int a, int b) => b == 0 ? a : Gcd(b, a % b);
}
