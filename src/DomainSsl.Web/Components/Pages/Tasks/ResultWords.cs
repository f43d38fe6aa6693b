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

    /// <summary>
    /// What pretraining was worth: against no pretraining at all, and against the public network. The clinic's own material is credited with a gain only where nothing else was learnt from before it, or where the gain is over
    /// the public network from which it went on.
    /// </summary>
    /// <param name="result">What came of the training.</param>
    /// <param name="words">What the task is about; images unless told otherwise, here and below.</param>
    public static string Worth(TaskResult result, CaseWords? words = null)
    {
        words ??= Images;
        var with = $"with {Say.Count(result.TrainingLabels, "label")}";
        var (scratch, open) = (Against(result, TaskResult.Scratch), Against(result, TaskResult.Public));
        var ours = result.Arms.FirstOrDefault(a => a.Arm == TaskResult.Ours);
        if (ours is null)
        {
            var (publicBetter, nothingBetter) = ($"{Upper(with)} the public network, which never saw your {words.Many}, is better than starting from nothing.", $"{Upper(with)} starting from nothing is better than the public network.");
            var (untold, alike) = ($"{Upper(with)} it cannot be told yet whether the public network is better than starting from nothing.", $"{Upper(with)} the public network is no better than starting from nothing.");
            return Sentences("No encoder of your own is compared here.", Than(scratch, publicBetter, nothingBetter, untold, alike) ?? Than(open, nothingBetter, publicBetter, untold, alike)
                ?? $"This shows what {(result.Arms.Any(a => a.Arm == TaskResult.Public) ? "the public network" : "a network that starts from nothing")} does with your labels.");
        }
        if (scratch is null && open is null) return "There was nothing to compare with.";
        string? OfStart(string start) => Than(scratch, $"{start} helped: {with} the classifier is better than one that starts from nothing.", $"{start} did not help here: {with} a classifier that starts from nothing is better.",
            $"{Upper(with)} it cannot be told yet whether {Lower(start)} helped: there are too few test {words.Many} to see the difference.", $"{Upper(with)} {Lower(start)} made no difference that matters.");
        var beatsPublic = Than(open, $"It is {(scratch is { Low: > 0 } ? "also " : "")}better than the public network, which never saw your {words.Many}.", $"The public network, which never saw your {words.Many}, does better.",
            "Whether it beats the public network cannot be told yet.", "The public network does as well.");
        const string trained = "Starting from trained weights";
        return ours.Began switch
        {
            TaskResult.BeganHere => Sentences(OfStart($"Pretraining on your {words.Many}"), beatsPublic),
            TaskResult.BeganPublic when open is { Low: > 0 } => Sentences($"Pretraining on your {words.Many} helped: {with} the classifier is better than on the public network, from which it went on.",
                Than(scratch, "It is also better than one that starts from nothing.", "One that starts from nothing does better still.", "Whether it beats one that starts from nothing cannot be told yet.", "One that starts from nothing does as well.")),
            TaskResult.BeganPublic => Sentences(OfStart(trained), Than(open, null, $"Your {words.Many} did not help: the public network, which never saw them, does better.",
                $"Whether your {words.Many} added anything to the public network, from which it went on, cannot be told yet.", $"Your {words.Many} added nothing that shows: the public network, from which it went on, does as well.")
                ?? $"What your {words.Many} added to them was not compared."),
            TaskResult.Imported => Sentences(OfStart("The imported encoder"), beatsPublic, $"It was not pretrained on your {words.Many} here."),
            _ => Sentences(OfStart(trained), beatsPublic, $"What your {words.Many} added to them cannot be told from this."),
        };
    }

    private static string Sentences(params string?[] all) => string.Join(' ', all.OfType<string>());

    private static string Upper(string sentence) => char.ToUpperInvariant(sentence[0]) + sentence[1..];

    private static string Lower(string sentence) => char.ToLowerInvariant(sentence[0]) + sentence[1..];

    // What the interval of a difference allows one to say; nothing where there is none.
    private static string? Than(Measured? d, string? better, string worse, string untold, string alike) =>
        d switch { null => null, { Low: > 0 } => better, { High: < 0 } => worse, _ => Wide(d) ? untold : alike };

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
        if (result.Unnamed)
            return $"Of some {words.Many} nobody said whose they are, so each of them counts by itself: others of the same {words.Person} may have been learnt from. What a new {words.Person} may expect cannot be said from these figures.";
        if (result.CrossValidated)
            return $"Too few labels are on the {words.People} set aside for testing, so these figures come from the training {words.People}, each judged by a classifier that was not fitted on them. Label on: test {words.People}' {words.Many} come up among the others.";
        if (result.TestPatients < FewPatients)
            return $"Measured on {Say.Count(result.TestPatients, words.Person)} only: the figures may well be off. They become firmer as you label.";
        return result.Classes.FirstOrDefault(c => c.Patients < 5) is { } rare ? $"Only {Say.Count(rare.Patients, $"test {words.Person}")} with ‘{rare.Name}’: what is said of it may well be off." : null;
    }

    /// <summary>What brings the classifier on most: labels while figures are unsure or poor, then use, and more cases where there is nothing left to label.</summary>
    public static Next Advice(TaskResult result, int casesLeft)
    {
        var good = result is { CrossValidated: false, Unnamed: false } && result.TestPatients >= FewPatients && Chosen(result) is { Auroc.Low: >= 0.8 };
        return good ? Next.UseIt : casesLeft > 0 ? Next.LabelMore : Next.MoreScans;
    }

    /// <summary>The arm that became the classifier.</summary>
    public static ArmResult? Chosen(TaskResult result) => result.Arms.FirstOrDefault(a => a.Chosen) ?? result.Arms.FirstOrDefault(a => a is { Arm: TaskResult.Ours, Best: true });

    /// <summary>Whether the classifier's encoder, which learns without labels, may have seen items of the very people it is tested on.</summary>
    public static bool EncoderMaySee(TaskResult result) => Chosen(result) is { Arm: TaskResult.Ours, Began: not TaskResult.Imported };

    /// <summary>An arm as the picture names it.</summary>
    public static string ArmName(ArmResult arm, CaseWords? words = null) => arm.Arm switch
    {
        TaskResult.Ours when arm.Began == TaskResult.Imported => "Imported encoder",
        TaskResult.Ours => $"Pretrained on your {(words ?? Images).Many}",
        TaskResult.Public => "Public network",
        TaskResult.Scratch => "From nothing",
        _ => arm.Name,
    };

    /// <summary>The way of training as its users call it.</summary>
    public static string ModeName(string mode) => mode switch { "probe" => "linear probe", "full" => "full fine-tuning", "mean" => "both together", "short" => "shorter training", "long" => "longer training", _ => mode };

    /// <summary>Of each arm the way of training that is its answer; the first where none is marked, so that no arm is missing from the picture.</summary>
    public static IReadOnlyList<ArmResult> BestOfEach(TaskResult result) => [.. result.Arms.GroupBy(a => a.Arm).Select(g => g.FirstOrDefault(a => a.Best) ?? g.First())];
}
