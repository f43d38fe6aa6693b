namespace DomainSsl.SampleData;

/// <summary>What is to be found in an image.</summary>
internal enum Finding
{
    Normal,

    /// <summary>A few round, sharply bounded, faint spots.</summary>
    Nodule,

    /// <summary>One or two patchy, clouded regions without a boundary, like a consolidation.</summary>
    Opacity,
}

/// <summary>One spot or region of a patient's finding, the same in all of the patient's images.</summary>
/// <param name="Side">−1 or 1: which lung.</param>
/// <param name="Along">0 at the top of the lung, 1 at its base.</param>
/// <param name="Across">0 at the middle line, 1 at the outer wall.</param>
/// <param name="Size">0 to 1 within the range of its kind.</param>
/// <param name="Strength">0 to 1 within the range of its kind; alike for all of a patient's.</param>
internal sealed record Focus(int Side, double Along, double Across, double Size, double Strength)
{
    public static Focus[] Draw(Finding finding, Randomness random)
    {
        double strength = random.Uniform();
        int count = finding switch { Finding.Nodule => 2 + random.Below(4), Finding.Opacity => 1 + random.Below(2), _ => 0 };
        return [.. Enumerable.Range(0, count).Select(_ => new Focus(random.Chance(0.5) ? -1 : 1, random.Uniform(0.22, 0.85), random.Uniform(0.25, 0.8),
            random.Uniform(), strength))];
    }
}
