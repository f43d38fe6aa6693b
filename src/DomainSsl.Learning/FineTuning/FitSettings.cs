using System.Text.Json.Serialization;

namespace DomainSsl.Learning.FineTuning;

/// <summary>What is fitted on an encoder.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<FitMode>))]
public enum FitMode
{
    /// <summary>A linear probe on frozen features.</summary>
    [JsonStringEnumMemberName("probe")]
    Probe,

    /// <summary>All weights.</summary>
    [JsonStringEnumMemberName("full")]
    Full,

    /// <summary>Both, and the mean of their answers unless cross-validation within the labels speaks clearly for one of them.</summary>
    [JsonStringEnumMemberName("best")]
    Best,
}

/// <summary>One labelled image.</summary>
/// <param name="Index">Its place in the shards.</param>
/// <param name="Class">Its class, 0 to K − 1.</param>
/// <param name="Patient">Whose it is.</param>
public sealed record LabelledItem(int Index, int Class, string Patient);

/// <summary>How much is tried. Every arm is given the same.</summary>
public sealed record FitSettings
{
    /// <summary>What is fitted; an arm from scratch is always trained in full.</summary>
    public FitMode Mode { get; init; } = FitMode.Best;

    /// <summary>
    /// Folds of cross-validation between the two members of an arm (probe and full; from scratch a short and a long schedule); 0 takes their mean without asking.
    /// Each fold costs as much again as the fit itself, and with a few dozen labels it rarely speaks clearly: the mean is the rule.
    /// </summary>
    public int MemberFolds { get; init; }

    /// <summary>Steps of full fine-tuning as a share of the usual: for when somebody waits.</summary>
    public double StepShare { get; init; } = 1;

    /// <summary>How images are varied in full fine-tuning.</summary>
    public MildAugmentation Augmentation { get; init; } = new();

    /// <summary>For a person at the screen: half of the steps.</summary>
    public static FitSettings Quick { get; } = new() { StepShare = 0.5 };
}
