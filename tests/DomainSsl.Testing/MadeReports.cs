namespace DomainSsl.Testing;

/// <summary>Reports as a radiologist might dictate them, of nobody: a language model learns from few of them.</summary>
public static class MadeReports
{
    private static readonly string[] Organs = ["heart", "liver", "spleen", "left lung", "right lung", "left kidney", "right kidney", "pancreas", "aorta", "stomach"];
    private static readonly string[] States = ["is normal in size", "is enlarged", "shows no abnormality", "is not seen", "is unchanged", "has a small lesion"];

    /// <summary>One of ten.</summary>
    public static string Organ(int i) => Organs[i % 10];

    /// <summary>What is said of an organ, one of six.</summary>
    public static string State(int i) => States[i % 6];

    /// <summary>A sentence; the first sixty begin differently.</summary>
    public static string Sentence(int i) => $"The {Organ(i)} {State(i / 10)}, and the {Organ(i * 7)} {State(i * 5)}.";
}
