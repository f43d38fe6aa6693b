using System.Globalization;
using DomainSsl.Core.Library;
using DomainSsl.Core.Tasks;
using DomainSsl.Web.Components.Shared;

namespace DomainSsl.Web.Components.Pages.Tasks;

/// <summary>What the intervals of a result allow one to say, in plain words: nothing here can turn "no gain" into a gain.</summary>
public static class ResultWords
{
    /// <summary>A difference in AUROC that would matter at the bedside; an interval about zero that reaches further cannot deny one.</summary>
    public const double Matters = 0.05;

    /// <summary>With fewer test patients or speakers than this the page warns that its figures may well be off.</summary>
    public const int FewPatients = 20;

    private static readonly CaseWords Images = CaseWords.Of(ItemKind.Image);

    /// <summary>What to do next.</summary>
    public enum Next
    {
        /// <summary>Label ten more like those the classifier is unsure of.</summary>
        LabelMore,
        /// <summary>Put it in use and review.</summary>
        UseIt,
        /// <summary>Every case is labelled: only more of them help.</summary>
        MoreScans,
    }

    /// <summary>What pretraining on the clinic's own material was worth: against no pretraining at all, and against the public network.</summary>
    /// <param name="result">What came of the training.</param>
    /// <param name="words">What the task is about; images unless told otherwise, here and below.</param>
    public static string Worth(TaskResult result, CaseWords? words = null)
    {
        words ??= Images;
        var labels = Say.Count(result.TrainingLabels, "label");
        var (scratch, open) = (Against(result, TaskResult.Scratch), Against(result, TaskResult.Public));
        if (scratch is null && open is null)
            return result.Arms.Any(a => a.Arm == TaskResult.Ours) ? "There was nothing to compare with." : result.Arms.Any(a => a.Arm == TaskResult.Public) ? "No encoder of your own was trained yet, so this shows what the public network does with your labels."
                : "No encoder of your own was trained yet, so this shows what a network that starts from nothing does with your labels.";
        var first = scratch switch
        {
            null => null,
            { Low: > 0 } => $"Pretraining on your {words.Many} helped: with {labels} the classifier is better than one that starts from nothing.",
            { High: < 0 } => $"Pretraining on your {words.Many} did not help here: with {labels} a classifier that starts from nothing is better.",
            { } d when Wide(d) => $"With {labels} it cannot be told yet whether pretraining on your {words.Many} helped: there are too few test {words.Many} to see the difference.",
            _ => $"With {labels} pretraining on your {words.Many} made no difference that matters.",
        };
        var second = open switch
        {
            null => null,
            { Low: > 0 } => "It is also better than the public network, which never saw your images.",
            { High: < 0 } => "The public network, which never saw your images, does better.",
            { } d when Wide(d) => "Whether it beats the public network cannot be told yet.",
            _ => "The public network does as well.",
        };
        if (first is not null && second is not null && scratch is not { Low: > 0 } && open is { Low: > 0 }) second = "It is better than the public network, which never saw your images.";
        return string.Join(' ', new[] { first, second }.OfType<string>());
    }

    private static bool Wide(Measured d) => d.Low is not { } low || d.High is not { } high || low < -Matters || high > Matters;

    private static Measured? Against(TaskResult result, string arm) => result.Differences.FirstOrDefault(d => d.Against == arm)?.Auroc;

    /// <summary>Of 100 with a class: how many it finds; null where no test case has the class.</summary>
    public static string? Found(ClassResult c, CaseWords? words = null) => c.Found is { } found ? $"Of 100 {(words ?? Images).Many} that are ‘{c.Name}’ it finds {OfHundred(found)}." : null;

    /// <summary>Of 100 without a class: how many it calls so by mistake.</summary>
    public static string? FalseAlarms(ClassResult c) => c.FalseAlarms is { } wrong ? $"Of 100 others it calls {OfHundred(wrong)} ‘{c.Name}’ by mistake." : null;

    private static string OfHundred(Measured m) => m is { Low: { } low, High: { } high }
        ? $"{Whole(m.Value)} ({Whole(low)} to {Whole(high)})"
        : $"{Whole(m.Value)} (too few to say how sure)";

    private static string Whole(double share) => Math.Round(share * 100).ToString("0", CultureInfo.InvariantCulture);

    /// <summary>How much the figures can be trusted; null where there is nothing to warn of.</summary>
    public static string? Caution(TaskResult result, CaseWords? words = null)
    {
        words ??= Images;
        if (result.CrossValidated)
            return $"Too few labels are on the {words.People} set aside for testing, so these figures come from the training {words.People}, each judged by a classifier that had not {(words == Images ? "seen" : "heard")} them. Label on: test {words.People}' {words.Many} come up among the others.";
        if (result.TestPatients < FewPatients)
            return $"Measured on {Say.Count(result.TestPatients, words.Person)} only: the figures may well be off. They become firmer as you label.";
        return result.Classes.FirstOrDefault(c => c.Patients < 5) is { } rare ? $"Only {Say.Count(rare.Patients, $"test {words.Person}")} with ‘{rare.Name}’: what is said of it may well be off." : null;
    }

    /// <summary>What brings the classifier on most: labels while figures are unsure or poor, then use, and more cases where there is nothing left to label.</summary>
    public static Next Advice(TaskResult result, int casesLeft)
    {
        var good = !result.CrossValidated && result.TestPatients >= FewPatients && Chosen(result) is { Auroc.Low: >= 0.8 };
        return good ? Next.UseIt : casesLeft > 0 ? Next.LabelMore : Next.MoreScans;
    }

    /// <summary>The arm that became the classifier.</summary>
    public static ArmResult? Chosen(TaskResult result) => result.Arms.FirstOrDefault(a => a.Chosen) ?? result.Arms.FirstOrDefault(a => a is { Arm: TaskResult.Ours, Best: true });

    /// <summary>An arm as the picture names it.</summary>
    public static string ArmName(ArmResult arm, CaseWords? words = null) => arm.Arm switch
    {
        TaskResult.Ours => $"Pretrained on your {(words ?? Images).Many}",
        TaskResult.Public => "Public network",
        TaskResult.Scratch => "From nothing",
        _ => arm.Name,
    };

    /// <summary>The way of training as its users call it.</summary>
    public static string ModeName(string mode) => mode switch { "probe" => "linear probe", "full" => "full fine-tuning", "mean" => "both together", "short" => "shorter training", "long" => "longer training", _ => mode };

    /// <summary>Of each arm the way of training that was chosen for it; the first where none is marked, so that no arm is missing from the picture.</summary>
    public static IReadOnlyList<ArmResult> BestOfEach(TaskResult result) => [.. result.Arms.GroupBy(a => a.Arm).Select(g => g.FirstOrDefault(a => a.Best) ?? g.First())];
}
