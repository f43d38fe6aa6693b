using System.Text.Json.Serialization;
using DomainSsl.Learning.Augmentation;

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

/// <summary>One labelled image or sound.</summary>
/// <param name="Index">Its place in the shards.</param>
/// <param name="Class">Its class, 0 to K − 1.</param>
/// <param name="Patient">Whose it is: a patient, or who speaks.</param>
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

    /// <summary>Rates of full fine-tuning as a share of the usual, from scratch and from pretrained weights alike.</summary>
    public double RateShare { get; init; } = 1;

    /// <summary>How images are varied in full fine-tuning.</summary>
    public MildAugmentation Augmentation { get; init; } = new();

    /// <summary>How sounds are: speed and noise.</summary>
    public DistortionOptions Distortion { get; init; } = new() { Speed = 0.1, Noise = 0.3 };

    /// <summary>Stretches of time and bands of them that are hidden.</summary>
    public SpecAugmentOptions Masks { get; init; } = new() { TimeSeconds = 0.3, BandShare = 0.16 };

    /// <summary>Seconds at most that a step hears of a sound, a random stretch of a longer one; an answer is given on all of it.</summary>
    public double StepSeconds { get; init; } = 5;

    /// <summary>Throws where a value cannot be.</summary>
    /// <exception cref="LearningException">With a sentence that names it.</exception>
    public void Validate()
    {
        if (StepShare <= 0 || RateShare <= 0 || StepSeconds <= 0 || MemberFolds < 0) throw new LearningException("A classifier's 'stepShare', 'rateShare' and 'stepSeconds' must be above 0, and 'memberFolds' not below.");
        if (Distortion.Speed is < 0 or >= 1) throw new LearningException("A classifier's 'distortion.speed' must be a share below 1.");
    }

    /// <summary>For a person at the screen: half of the steps.</summary>
    public static FitSettings Quick { get; } = new() { StepShare = 0.5 };
}
