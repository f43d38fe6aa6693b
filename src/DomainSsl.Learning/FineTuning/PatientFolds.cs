namespace DomainSsl.Learning.FineTuning;

/// <summary>One split of labelled items (by their place in the list): what is fitted on and what is held out.</summary>
public sealed record Fold(int[] Fit, int[] HeldOut);

/// <summary>
/// Cross-validation that never has one patient on both sides, with the classes spread evenly over the folds. Where that cannot be because each of a few has every class, as speakers who all say the same words, they are dealt out as
/// they come.
/// </summary>
public static class PatientFolds
{
    /// <summary>
    /// At most <paramref name="most"/> folds, fewer where a class has fewer patients, without those that would leave a class off the fitting side; none where fewer than two are left, since then nothing can
    /// be chosen from these labels.
    /// </summary>
    public static IReadOnlyList<Fold> Of(int[] labels, IReadOnlyList<string> patients, int most, Random random)
    {
        // A patient counts for the class that it has most; several classes of one patient (two findings over time) stay together.
        var people = Enumerable.Range(0, labels.Length).GroupBy(i => patients[i])
            .Select(g => (Items: g.ToArray(), Class: g.GroupBy(i => labels[i]).OrderByDescending(c => c.Count()).ThenBy(c => c.Key).First().Key))
            .GroupBy(p => p.Class).OrderBy(g => g.Key).Select(g => g.ToArray()).ToArray();
        if (labels.Distinct().Count() < 2) return [];
        var count = Math.Min(most, people.Min(g => g.Length));
        if (people.Length < 2 || count < 2)
        {
            if (Enumerable.Range(0, labels.Length).GroupBy(i => labels[i]).Any(c => c.Select(i => patients[i]).Distinct().Count() < 2)) return [];
            people = [[.. people.SelectMany(g => g)]];
            count = Math.Min(most, people[0].Length);
        }

        var held = Enumerable.Range(0, count).Select(_ => new List<int>()).ToArray();
        var next = 0;
        foreach (var group in people)
        {
            random.Shuffle(group);
            foreach (var (items, _) in group) held[next++ % count].AddRange(items);
        }
        var classes = labels.Distinct().Count();
        var folds = new List<Fold>();
        foreach (var h in held)
        {
            var fit = Enumerable.Range(0, labels.Length).Except(h).ToArray();
            if (h.Count > 0 && fit.Select(i => labels[i]).Distinct().Count() == classes) folds.Add(new Fold(fit, [.. h.Order()]));
        }
        return folds.Count >= 2 ? folds : [];
    }
}
