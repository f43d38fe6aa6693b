using System.Numerics.Tensors;
using DomainSsl.Audio;
using DomainSsl.Audio.Resampling;
using DomainSsl.SampleData;

namespace DomainSsl.SpokenEncoder;

/// <summary>Where it is said: echo, a microphone that favours high or low sounds or cuts them off, noise, level, and silence before and after.</summary>
/// <param name="Echo">Seconds until the echo is 60 dB down; 0: none.</param>
/// <param name="EchoShare">Its energy, the direct sound's being 1.</param>
/// <param name="Tilt">-1 dull to 1 sharp.</param>
/// <param name="Cut">Share of the last value that a one-pole low-pass keeps; 0: nothing is cut off.</param>
/// <param name="NoiseDb">Noise, by the speech's own level.</param>
/// <param name="NoiseColour">Share of the last value that noise keeps: 0 hiss, near 1 rumble.</param>
/// <param name="Level">Peak.</param>
internal sealed record Room(double Echo, double EchoShare, double Tilt, double Cut, double NoiseDb, double NoiseColour, double Level)
{
    private const int Rate = Resampler.LearningRate;

    public static Room Draw(Randomness random) => new(random.Chance(0.6) ? random.Uniform(0.08, 0.5) : 0, random.Uniform(0.05, 0.8), random.Uniform(-0.6, 0.6), random.Chance(0.2) ? random.Uniform(0.2, 0.5) : 0,
        -random.Uniform(8, 45), random.Uniform(0, 0.97), random.Uniform(0.1, 0.9));

    public Sound Around(Sound spoken, Randomness random)
    {
        var said = spoken.Samples.AsSpan();
        int first = said.IndexOfAnyExceptInRange(-0.005f, 0.005f), last = said.LastIndexOfAnyExceptInRange(-0.005f, 0.005f);
        var words = first < 0 ? said : said[first..(last + 1)];
        int before = (int)(random.Uniform(0.05, 0.5) * Rate), after = (int)(random.Uniform(0.05, 0.5) * Rate);
        var x = new float[before + words.Length + after];
        words.CopyTo(x.AsSpan(before));
        if (Echo > 0) x = Echoing(x, random);
        float previous = 0, kept = 0;
        for (int i = 0; i < x.Length; i++)
        {
            float now = x[i];
            float sharp = (float)(now - Tilt * previous);
            previous = now;
            x[i] = kept = (float)(Cut * kept + (1 - Cut) * sharp);
        }
        double power = TensorPrimitives.SumOfSquares<float>(x) / Math.Max(1, words.Length), noise = Math.Sqrt(power) * Math.Pow(10, NoiseDb / 20), state = 0, unit = Math.Sqrt(1 - NoiseColour * NoiseColour);
        for (int i = 0; i < x.Length; i++)
        {
            state = NoiseColour * state + unit * random.Normal();
            x[i] += (float)(noise * state);
        }
        float peak = Math.Max(1e-6f, Math.Max(TensorPrimitives.Max<float>(x), -TensorPrimitives.Min<float>(x)));
        TensorPrimitives.Multiply(x, (float)(Level / peak), x);
        return new Sound(x, Rate, 1);
    }

    // The direct sound and a tail of noise that dies away exponentially (Polack's model of late reverberation).
    private float[] Echoing(float[] x, Randomness random)
    {
        var tail = new float[(int)(Math.Min(Echo, 0.25) * Rate)];
        double energy = 0;
        for (int i = 0; i < tail.Length; i++) energy += (tail[i] = (float)(random.Normal() * Math.Pow(10, -3.0 * i / (Echo * Rate)))) * (double)tail[i];
        TensorPrimitives.Multiply(tail, (float)Math.Sqrt(EchoShare / energy), tail);
        var y = (float[])x.Clone();
        int gap = Rate / 200;
        for (int i = 0; i + gap < x.Length; i++)
        {
            if (x[i] == 0) continue;
            var into = y.AsSpan(i + gap, Math.Min(tail.Length, x.Length - i - gap));
            TensorPrimitives.MultiplyAdd(tail.AsSpan(0, into.Length), x[i], into, into);
        }
        return y;
    }
}
