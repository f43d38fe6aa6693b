namespace DomainSsl.Learning.Evaluation;

/// <summary>What an interval of a difference between two arms allows one to say.</summary>
public enum Finding
{
    /// <summary>The whole interval is above zero.</summary>
    Gain,

    /// <summary>Zero is in the interval, and so narrow an interval would have shown a gain that matters.</summary>
    NoGain,

    /// <summary>The whole interval is below zero.</summary>
    Worse,

    /// <summary>Zero is in the interval, and so would be a difference that matters.</summary>
    TooFew,
}

/// <summary>One paired difference: of what, against what, with how many labels.</summary>
public readonly record struct Compared(string Arm, string Against, int Labels, Interval Difference);

/// <summary>Plain sentences for clinicians, derived from intervals alone: nothing else can turn "no gain" into a gain.</summary>
public static class Verdict
{
    /// <summary>A difference in AUROC that would matter at the bedside; an interval about zero that reaches further is too wide to deny one.</summary>
    public const double Matters = 0.05;

    /// <summary>What the interval of a difference says.</summary>
    public static Finding Of(Interval difference) =>
        difference.Above(0) ? Finding.Gain
        : difference.Below(0) ? Finding.Worse
        : difference.High > Matters || difference.Low < -Matters ? Finding.TooFew
        : Finding.NoGain;

    /// <summary>One sentence on one difference.</summary>
    /// <param name="c">The difference.</param>
    /// <param name="metric">The figure's name as shown, e.g. AUROC.</param>
    /// <param name="who">Whom it was tested on.</param>
    public static string Sentence(Compared c, string metric = "AUROC", string who = "patients") => Of(c.Difference) switch
    {
        Finding.Gain => $"With {c.Labels} labels {c.Arm} is better than {c.Against}: {metric} is higher by {Signless(c.Difference)}.",
        Finding.Worse => $"With {c.Labels} labels {c.Arm} is worse than {c.Against}: {metric} is lower by {Signless(Negated(c.Difference))}.",
        Finding.NoGain => $"With {c.Labels} labels there is no gain over {c.Against}: the difference in {metric} is {Signed(c.Difference)}.",
        _ => $"With {c.Labels} labels there are too few test {who} or draws to tell {c.Arm} from {c.Against}: the difference in {metric} is {Signed(c.Difference)}.",
    };

    /// <summary>
    /// The verdict on one arm over several numbers of labels: one sentence for each kind of finding, gains first, then what the gain saves in labels.
    /// </summary>
    public static string Summary(IReadOnlyList<Compared> differences, IReadOnlyList<LabelsSaved> saved, string metric = "AUROC", string who = "patients")
    {
        var sentences = new List<string>();
        foreach (var finding in Enum.GetValues<Finding>())
        {
            var of = differences.Where(d => Of(d.Difference) == finding).OrderBy(d => d.Labels).ToList();
            if (of.Count == 0) continue;
            if (of.Count == 1) { sentences.Add(Sentence(of[0], metric, who)); continue; }
            var labels = List(of.Select(d => d.Labels.ToString()));
            var (arm, against) = (of[0].Arm, of[0].Against);
            sentences.Add(finding switch
            {
                Finding.Gain => $"With {labels} labels {arm} is better than {against}: {metric} is higher by {List(of.Select(d => Signless(d.Difference)))}.",
                Finding.Worse => $"With {labels} labels {arm} is worse than {against}: {metric} is lower by {List(of.Select(d => Signless(Negated(d.Difference))))}.",
                Finding.NoGain => $"With {labels} labels there is no gain over {against}: the differences in {metric} are {List(of.Select(d => Signed(d.Difference)))}.",
                _ => $"With {labels} labels there are too few test {who} or draws to tell {arm} from {against}: the differences in {metric} are {List(of.Select(d => Signed(d.Difference)))}.",
            });
        }
        // Only a proven gain saves labels; a mean that happens to be higher does not.
        var proven = saved.Where(s => s.Saved is > 0 && differences.Any(d => d.Labels == s.Budget && d.Arm == s.Arm && Of(d.Difference) == Finding.Gain)).OrderBy(s => s.Budget).ToList();
        var most = saved.Count == 0 ? 0 : saved.Max(s => s.Budget);
        if (proven.Count > 0 && proven[0] is { Low: { } low } first)
            sentences.Add($"{first.Budget} labels with {first.Arm} do what about {Math.Round(first.ScratchLabels!.Value):0} do from scratch (at the ends of the interval {Math.Round(low):0} and {(first.High is { } high ? $"{Math.Round(high):0}" : $"more than {most}")}).");
        return string.Join(' ', sentences);
    }

    private static Interval Negated(Interval d) => new(-d.Value, -d.High, -d.Low);

    private static string Signless(Interval d) => Range(d, "0." + new string('0', d.Digits));

    private static string Signed(Interval d) => Range(d, $"+0.{new string('0', d.Digits)};−0.{new string('0', d.Digits)};0");

    private static string Range(Interval d, string format) =>
        $"{d.Value.ToString(format)} (95 % interval {d.Low.ToString(format)} to {d.High.ToString(format)})";

    private static string List(IEnumerable<string> parts)
    {
        var all = parts.ToList();
        return all.Count < 2 ? string.Concat(all) : string.Join(", ", all[..^1]) + " and " + all[^1];
    }
}
