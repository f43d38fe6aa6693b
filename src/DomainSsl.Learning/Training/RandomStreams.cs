using System.Text;
using static TorchSharp.torch;

namespace DomainSsl.Learning.Training;

/// <summary>
/// All randomness of a run, from one seed through named streams. A stream is opened for a place (a step, an epoch, a repeat) and is a pure function of seed, name and
/// place: the state of all streams is the seed and the step, nothing else has to be saved, and work done ahead by another thread draws the same numbers.
/// </summary>
/// <param name="seed">The run's seed.</param>
public sealed class RandomStreams(long seed)
{
    /// <summary>The run's seed.</summary>
    public long Seed { get; } = seed;

    /// <summary>The order of items; a place is an epoch.</summary>
    public RandomStream Order(long epoch) => Open("order", epoch);

    /// <summary>Crops, rotations, intensities; a place is a step and a view.</summary>
    public RandomStream Augmentation(long step, int view) => Open("augmentation", step * 16 + view);

    /// <summary>What an objective itself draws in a step, such as masks.</summary>
    public RandomStream Objective(long step) => Open("objective", step);

    /// <summary>Weights; a place is a part of the network.</summary>
    public RandomStream Initialisation(int part) => Open("initialisation", part);

    /// <summary>Draws of labels; a place is a repeat.</summary>
    public RandomStream Draws(long repeat) => Open("draws", repeat);

    /// <summary>Any other named stream.</summary>
    public RandomStream Open(string name, long place)
    {
        var state = RandomStream.Mix((ulong)Seed ^ 0x6a09e667f3bcc908);
        foreach (var letter in Encoding.UTF8.GetBytes(name)) state = RandomStream.Mix(state ^ letter);
        return new RandomStream(RandomStream.Mix(state ^ RandomStream.Mix((ulong)place)));
    }
}

/// <summary>A sequence of random numbers: SplitMix64 (Steele, Lea, Flood 2014).</summary>
/// <param name="state">The seed; the whole state.</param>
public sealed class RandomStream(ulong state)
{
    /// <summary>The whole state; setting it goes on from there.</summary>
    public ulong State { get; set; } = state;

    /// <summary>64 random bits.</summary>
    public ulong Next()
    {
        State += 0x9e3779b97f4a7c15;
        return Mix(State);
    }

    /// <summary>Uniform in [low, high).</summary>
    public double Uniform(double low = 0, double high = 1) => low + (high - low) * (Next() >> 11) * (1.0 / (1UL << 53));

    /// <summary>True with the given probability.</summary>
    public bool Chance(double probability) => Uniform() < probability;

    /// <summary>Uniform in 0 … count−1.</summary>
    public int Index(int count) => (int)(((UInt128)Next() * (ulong)count) >> 64);

    /// <summary>0 … count−1 in random order (Fisher and Yates).</summary>
    public int[] Permutation(int count)
    {
        var order = Enumerable.Range(0, count).ToArray();
        for (var i = count - 1; i > 0; i--)
        {
            var j = Index(i + 1);
            (order[i], order[j]) = (order[j], order[i]);
        }
        return order;
    }

    /// <summary>A generator for whole tensors, seeded from here. It is the host's: what it fills is made there and then moved, so that a run's numbers are the same on any device.</summary>
    public Generator Generator() => new(Next() >> 1, Devices.Host);

    internal static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return z ^ (z >> 31);
    }
}
