using System.Globalization;
using DomainSsl.Core.Runs;
using DomainSsl.Core.Tasks;
using DomainSsl.Web.Components.Shared;

namespace DomainSsl.Web.Components.Pages.Pretraining;

/// <summary>What the intervals of a comparison allow one to say, in plain words: nothing is called a gain unless its whole interval lies on the better side.</summary>
public static class WorthWords
{
    private const string FromScratch = "starting from scratch";

    /// <summary>A start as people call it.</summary>
    /// <param name="arm">Its id in the comparison.</param>
    /// <param name="models">Names of models by their ids.</param>
    public static string Name(string arm, IReadOnlyDictionary<string, string> models)
    {
        if (arm == Worth.Scratch) return "From scratch";
        var parts = arm.Split('@', 2);
        var name = models.GetValueOrDefault(parts[0], parts[0]);
        return parts.Length == 1 ? name : $"{name} at {parts[1]} pixels";
    }

    /// <summary>So many labels, or minutes of transcribed speech.</summary>
    public static string Budgets(Worth worth, params IEnumerable<int> budgets)
    {
        int[] all = [.. budgets.Order()];
        var numbers = all.Length < 2 ? string.Concat(all.Select(Number)) : $"{string.Join(", ", all[..^1].Select(Number))} and {Number(all[^1])}";
        return $"{numbers} {(worth.OfSpeech ? all is [1] ? "minute of transcribed speech" : "minutes of transcribed speech" : all is [1] ? "label" : "labels")}";
    }

    /// <summary>The verdict: what the first start was worth against one from scratch, then against each other encoder.</summary>
    /// <param name="worth">What was measured.</param>
    /// <param name="name">A start's name.</param>
    public static IReadOnlyList<string> Lead(Worth worth, Func<string, string> name)
    {
        if (Against(worth, Worth.Scratch) is not { Count: > 0 } scratch) return ["There was nothing to compare with."];
        var sentences = new List<string>();
        var (gain, none, worse) = Sorted(scratch, worth.OfSpeech);
        // Names are people's own, of any words: marks part them from ours.
        var first = $"starting from “{name(scratch[0].Arm)}”";
        if (gain.Count > 0) sentences.Add($"Gain: with {Budgets(worth, gain)} {first} is better than {FromScratch}.");
        if (gain.Count == 0 && none.Count > 0) sentences.Add($"No gain: with {Budgets(worth, none)} {first} is not shown to be better than {FromScratch}.");
        else if (none.Count > 0) sentences.Add($"No gain is shown with {Budgets(worth, none)}.");
        if (worse.Count > 0) sentences.Add($"With {Budgets(worth, worse)} {(sentences.Count > 0 ? "it" : first)} is worse{(sentences.Count > 0 ? "" : $" than {FromScratch}")}.");
        if (scratch.Any(d => d.Figure.Low is null)) sentences.Add($"{(worth.Draws == 1 ? "One draw says nothing of another" : $"So few draws or {Who(worth)} say nothing")}: nothing is claimed.");
        else if (worth.Comparisons.Where(c => c.Against == Worth.Scratch && c.Finding == "tooFew").Select(c => c.Budget).ToList() is { Count: > 0 } open)
            sentences.Add($"{(open.Count == none.Count ? "The" : $"With {Budgets(worth, open)} the")} test {Who(worth)} or draws are too few to rule a gain out.");
        List<string> verdict = [string.Join(' ', sentences)];
        foreach (var other in worth.Comparisons.Select(c => c.Against).Where(a => a != Worth.Scratch).Distinct())
        {
            (gain, none, worse) = Sorted(Against(worth, other), worth.OfSpeech);
            var parts = new List<string>();
            if (gain.Count > 0) parts.Add($"better with {Budgets(worth, gain)}");
            if (none.Count > 0) parts.Add($"no gain is shown with {Budgets(worth, none)}");
            if (worse.Count > 0) parts.Add($"worse with {Budgets(worth, worse)}");
            verdict.Add($"Against “{name(other)}”: {string.Join("; ", parts)}.");
        }
        return verdict;
    }

    /// <summary>The verdict against a start from scratch as it stands in a list.</summary>
    /// <param name="worth">What was measured.</param>
    /// <param name="model">Of which encoder; the first if null.</param>
    public static string Short(Worth worth, string? model = null)
    {
        var arm = worth.Differences.FirstOrDefault(d => model is null || d.Arm == model || d.Arm.StartsWith(model + "@", StringComparison.Ordinal))?.Arm;
        var (gain, none, worse) = Sorted([.. worth.Differences.Where(d => d.Arm == arm)], worth.OfSpeech);
        var unit = worth.OfSpeech ? "min" : "labels";
        string With(List<int> budgets) => $"with {string.Join(", ", budgets.Order().Select(Number))} {unit}";
        if (gain.Count + worse.Count == 0) return none.Count == 0 ? "" : $"no gain over {FromScratch} is shown";
        var parts = new List<string>();
        if (gain.Count > 0) parts.Add($"better than {FromScratch} {With(gain)}");
        if (none.Count > 0) parts.Add($"no gain shown {With(none)}");
        if (worse.Count > 0) parts.Add($"worse {With(worse)}");
        return string.Join("; ", parts);
    }

    /// <summary>What a difference says.</summary>
    /// <param name="difference">It.</param>
    /// <param name="lessIsBetter">Whether it is of something wrong.</param>
    public static string Finding(Measured difference, bool lessIsBetter) => difference switch
    {
        not { Low: not null, High: not null } => "too few to say",
        { Low: > 0 } => lessIsBetter ? "worse" : "better",
        { High: < 0 } => lessIsBetter ? "better" : "worse",
        _ => "no gain shown",
    };

    /// <summary>Over what all this was measured.</summary>
    public static string Over(Worth worth)
    {
        var item = worth.OfSpeech || Who(worth) is "speakers" or "recordings" ? "recording" : "image";
        var draws = $"{Say.Count(worth.Draws, "draw")} of {(worth.OfSpeech ? "transcribed speech" : "labels")}, the same for every start";
        var test = Who(worth) is "images" or "recordings" ? $"{Say.Count(worth.TestItems, $"test {item}")}, of some of which nobody said whose they are, so that nothing is said of new people"
            : $"{Say.Count(worth.TestItems, $"test {item}")} of {Say.Count(worth.TestPatients, Who(worth)[..^1])} whose {(worth.OfSpeech ? "words" : "labels")} were not learnt from";
        return $"Over {draws}; {test}.";
    }

    /// <summary>Whom it was tested on, in the plural.</summary>
    public static string Who(Worth worth) => worth.Who ?? (worth.OfSpeech ? "speakers" : "patients");

    /// <summary>A figure with its interval.</summary>
    public static string Text(Measured figure, bool signed = false)
    {
        if (figure is not { Low: { } low, High: { } high }) return $"{Say.Figure(figure.Value, 2, signed)} (interval unknown)";
        var digits = Say.Digits(low, high);
        return $"{Say.Figure(figure.Value, digits, signed)} ({Say.Figure(low, digits, signed)} to {Say.Figure(high, digits, signed)})";
    }

    private static List<WorthDifference> Against(Worth worth, string other)
    {
        if (worth.Differences.Count == 0) return [];
        var first = worth.Differences[0].Arm;
        return other == Worth.Scratch ? [.. worth.Differences.Where(d => d.Arm == first)] : [.. worth.Comparisons.Where(c => c.Against == other)];
    }

    private static (List<int> Gain, List<int> None, List<int> Worse) Sorted(List<WorthDifference> differences, bool lessIsBetter)
    {
        List<int> Of(Func<string, bool> finding) => [.. differences.Where(d => finding(Finding(d.Figure, lessIsBetter))).Select(d => d.Budget)];
        return (Of(f => f == "better"), Of(f => f is not ("better" or "worse")), Of(f => f == "worse"));
    }

    private static string Number(int budget) => budget.ToString("#,0", CultureInfo.InvariantCulture);
}
