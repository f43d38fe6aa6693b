using System.ComponentModel.DataAnnotations;

namespace DomainSsl.Web.Commands;

/// <summary>How long the demo takes over its steps: long enough to learn something, short enough that scans are ready within five minutes on two cores and everything within eight.</summary>
public sealed record DemoOptions
{
    /// <summary>Pretraining on the scans.</summary>
    /// <value>60 seconds</value>
    [Range(1, 86_400)]
    public double PretrainSeconds { get; init; } = 60;

    /// <summary>Pretraining on the dictations.</summary>
    /// <value>40 seconds</value>
    [Range(1, 86_400)]
    public double PretrainSoundSeconds { get; init; } = 40;

    /// <summary>Steps of the transcriber's training. A minute of speech is all there is to learn from: more would only learn it by heart.</summary>
    /// <value>300</value>
    [Range(1, 1_000_000)]
    public int TranscriberSteps { get; init; } = 300;
}
