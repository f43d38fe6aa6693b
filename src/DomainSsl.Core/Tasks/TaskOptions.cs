using System.ComponentModel.DataAnnotations;

namespace DomainSsl.Core.Tasks;

/// <summary>How tasks draw their test patients, when training makes sense, and how long an item is kept for the person who has it before them.</summary>
public sealed record TaskOptions
{
    /// <summary>Share of a collection's patients that are locked for testing. About a third: fewer leave an interval too wide to say anything, more starve training.</summary>
    /// <value>0.3</value>
    [Range(0, 0.5)]
    public double TestShare { get; init; } = 0.3;

    /// <summary>At least this many test patients, as long as they are no more than half of all.</summary>
    /// <value>10 patients</value>
    [Range(1, 10_000)]
    public int MinTestPatients { get; init; } = 10;

    /// <summary>With fewer patients than this none is locked: the result then comes from cross-validation alone, and says so.</summary>
    /// <value>6 patients</value>
    [Range(2, 10_000)]
    public int FewestPatientsForTest { get; init; } = 6;

    /// <summary>Training is refused while a class has fewer labels than this.</summary>
    /// <value>5 labels</value>
    [Range(1, 10_000)]
    public int MinLabelsPerClass { get; init; } = 5;

    /// <summary>Of those, at least this many outside the test patients.</summary>
    /// <value>3 labels</value>
    [Range(1, 10_000)]
    public int MinTrainingLabelsPerClass { get; init; } = 3;

    /// <summary>Training is refused while a class was seen in fewer patients than this (test patients not counted): it would learn the patient, not the finding.</summary>
    /// <value>2 patients</value>
    [Range(1, 10_000)]
    public int MinTrainingPatientsPerClass { get; init; } = 2;

    /// <summary>Steps of full fine-tuning when a task is trained, as a share of what <c>finetune</c> makes: somebody waits for it.</summary>
    /// <value>0.5</value>
    [Range(0.01, 10)]
    public double TrainingShare { get; init; } = 0.5;

    /// <summary>How long an item that was handed out is kept from others, so that two people do not label the same one.</summary>
    /// <value>10 minutes</value>
    public TimeSpan HoldFor { get; init; } = TimeSpan.FromMinutes(10);
}
