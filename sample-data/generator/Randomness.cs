namespace DomainSsl.SampleData;

/// <summary>
/// A named stream of random numbers (xoshiro256**, D. Blackman and S. Vigna, 2018, seeded by SplitMix64): adding a draw to one stream changes no
/// other.
/// </summary>
internal sealed class Randomness
{
    private readonly ulong[] s = new ulong[4];

    public Randomness(ulong seed, string stream)
    {
        ulong x = seed;
        foreach (char c in stream) x = (x ^ c) * 0x100000001B3;      // FNV-1a
        for (int i = 0; i < 4; i++)
        {
            ulong z = x += 0x9E3779B97F4A7C15;
            z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
            z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
            s[i] = z ^ (z >> 31);
        }
    }

    public ulong Next()
    {
        ulong result = ulong.RotateLeft(s[1] * 5, 7) * 9, t = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= t;
        s[3] = ulong.RotateLeft(s[3], 45);
        return result;
    }

    public double Uniform() => (Next() >> 11) * (1.0 / (1UL << 53));

    public double Uniform(double from, double to) => from + (to - from) * Uniform();

    public int Below(int n) => (int)(Next() % (ulong)n);

    public bool Chance(double probability) => Uniform() < probability;

    public double Normal() => Math.Sqrt(-2 * Math.Log(1 - Uniform())) * Math.Cos(2 * Math.PI * Uniform());

    public double Normal(double mean, double deviation) => mean + deviation * Normal();

    public T Pick<T>(IReadOnlyList<T> of) => of[Below(of.Count)];

    public void Shuffle<T>(IList<T> list)
    {
        for (int i = list.Count - 1; i > 0; i--)
        {
            int j = Below(i + 1);
            (list[i], list[j]) = (list[j], list[i]);
        }
    }
}
