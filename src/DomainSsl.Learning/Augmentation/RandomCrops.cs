using DomainSsl.Learning.Training;

namespace DomainSsl.Learning.Augmentation;

/// <summary>How far what is heard may differ from the recording. A value of 0 switches a part off.</summary>
public sealed record DistortionOptions
{
    /// <summary>Sound is played faster or slower by up to this share, with the pitch that goes with it.</summary>
    public double Speed { get; init; } = 0.1;

    /// <summary>Probability of white noise, 10 to 30 dB below the sound.</summary>
    public double Noise { get; init; }
}

/// <summary>Random stretches of sound, one at a time and on plain memory, so that another thread can make them while the step before is computed.</summary>
/// <param name="options">How far they may differ.</param>
/// <param name="samples">Samples at most.</param>
public sealed class RandomCrops(DistortionOptions options, int samples)
{
    private const double LeastNoise = 10, MostNoise = 30;

    /// <summary>Samples at most.</summary>
    public int Samples { get; } = samples;

    /// <summary>A random stretch of a piece, all of it where it is short enough.</summary>
    /// <param name="piece">Full scale ±32767.</param>
    /// <param name="target">Gets the stretch, full scale ±1, and silence behind it; at least <see cref="Samples"/> long.</param>
    /// <param name="random">Where chance comes from.</param>
    /// <returns>Samples of the stretch.</returns>
    public int Crop(ReadOnlySpan<short> piece, Span<float> target, RandomStream random)
    {
        var speed = options.Speed > 0 ? random.Uniform(1 - options.Speed, 1 + options.Speed) : 1;
        var count = Math.Min(Samples, Math.Max(1, (int)((piece.Length - 1) / speed) + 1));
        var begin = random.Uniform() * Math.Max(0, piece.Length - 1 - (count - 1) * speed);
        var crop = target[..count];
        if (options.Speed == 0)
        {
            var whole = piece.Slice((int)begin, count);
            for (var i = 0; i < count; i++) crop[i] = whole[i] * (1f / 32767);
        }
        else
        {
            // Straight lines between samples: at a tenth faster or slower what folds back lies far below speech.
            for (var i = 0; i < count; i++)
            {
                var place = begin + i * speed;
                var at = Math.Min((int)place, piece.Length - 1);
                var next = Math.Min(at + 1, piece.Length - 1);
                var share = (float)(place - at);
                crop[i] = (piece[at] + share * (piece[next] - piece[at])) * (1f / 32767);
            }
        }
        target[count..].Clear();
        if (options.Noise > 0 && random.Chance(options.Noise)) AddNoise(crop, random);
        return count;
    }

    private static void AddNoise(Span<float> crop, RandomStream random)
    {
        double squares = 0;
        foreach (var x in crop) squares += x * x;
        var deviation = Math.Sqrt(squares / crop.Length) * Math.Pow(10, -random.Uniform(LeastNoise, MostNoise) / 20);
        // Uniform numbers of that deviation: as white as normal ones, and quicker to draw.
        var reach = Math.Sqrt(3) * deviation;
        foreach (ref var x in crop) x += (float)random.Uniform(-reach, reach);
    }
}
