namespace DomainSsl.Learning.FineTuning;

/// <summary>
/// Which items a clinician would have labelled: for each repeat one random order of the training items, of which every budget takes a prefix, so that more labels
/// always contain the fewer. Every arm is given the same draws.
/// </summary>
public static class LabelDraws
{
    /// <summary>At least this many items of each class are in the smallest budget, of different patients where there are as many.</summary>
    public const int LeastOfAClass = 2;

    /// <summary>The draws: <c>[repeat][place]</c> is an item's place in <paramref name="labels"/>; a budget is the first so many of them.</summary>
    /// <param name="labels">The class of each training item.</param>
    /// <param name="patients">The patient of each training item.</param>
    /// <param name="classes">Number of classes.</param>
    /// <param name="budgets">Numbers of labels; the smallest must hold two of each class, the largest must not exceed the items.</param>
    /// <param name="repeats">Number of draws.</param>
    /// <param name="seed">The run's seed.</param>
    /// <param name="balanced">Whether every class comes as often: of any budget, numbers of the classes then differ by one at most, as long as each has items left. Else as chance has it.</param>
    /// <exception cref="LearningException">A budget cannot be drawn.</exception>
    public static int[][] Of(int[] labels, IReadOnlyList<string> patients, int classes, IReadOnlyList<int> budgets, int repeats, long seed, bool balanced = false)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(repeats, 1);
        if (budgets.Count == 0) throw new LearningException("No number of labels was asked for; name at least one, e.g. 20.");
        var (least, most) = (budgets.Min(), budgets.Max());
        if (least < LeastOfAClass * classes)
            throw new LearningException($"{least} labels are too few for {classes} classes; ask for at least {LeastOfAClass * classes}.");
        if (most > labels.Length)
            throw new LearningException($"{most} labels were asked for, but only {labels.Length} training items are labelled; ask for fewer.");
        for (var k = 0; k < classes; k++)
            if (labels.Count(y => y == k) < LeastOfAClass)
                throw new LearningException($"Class number {k + 1} has fewer than {LeastOfAClass} training items; add labels or leave the class out.");

        var draws = new int[repeats][];
        for (var r = 0; r < repeats; r++)
        {
            // Each repeat has a stream of its own, so that asking for more repeats leaves the first ones as they were.
            var random = Seeds.Random(seed, $"label draws {r}");
            var order = Enumerable.Range(0, labels.Length).ToArray();
            random.Shuffle(order);
            if (balanced) order = InTurn(order, labels, classes, random);
            for (var k = 0; k < classes; k++) Promote(order, k, labels, patients, least);
            draws[r] = order;
        }
        return draws;
    }

    // One item of each class, in an order of classes drawn anew, then another of each, and so on.
    private static int[] InTurn(int[] order, int[] labels, int classes, Random random)
    {
        var waiting = Enumerable.Range(0, classes).Select(k => new Queue<int>(order.Where(i => labels[i] == k))).ToArray();
        var turns = new List<int>(order.Length);
        while (turns.Count < order.Length)
        {
            random.Shuffle(waiting);
            foreach (var queue in waiting) if (queue.TryDequeue(out var item)) turns.Add(item);
        }
        return [.. turns];
    }

    // Brings class k up to two items (of two patients, where it has two) within the first `least` places, by exchange with the last item of a class that has some to spare.
    private static void Promote(int[] order, int k, int[] labels, IReadOnlyList<string> patients, int least)
    {
        var apart = Enumerable.Range(0, labels.Length).Where(i => labels[i] == k).Select(i => patients[i]).Distinct().Count() >= LeastOfAClass;
        while (true)
        {
            var mine = order.Take(least).Where(i => labels[i] == k).ToList();
            var others = mine.Select(i => patients[i]).Distinct().ToList();
            if (mine.Count >= LeastOfAClass && (!apart || others.Count >= LeastOfAClass)) return;
            var from = Array.FindIndex(order, least, i => labels[i] == k && (!apart || !others.Contains(patients[i])));
            var counts = order.Take(least).GroupBy(i => labels[i]).ToDictionary(g => g.Key, g => g.Count());
            // Its own surplus of one patient goes first, else the most frequent class gives way.
            var spare = mine.Count >= LeastOfAClass ? k : counts.Where(c => c.Key != k).MaxBy(c => c.Value).Key;
            var to = Array.FindLastIndex(order, least - 1, i => labels[i] == spare);
            (order[from], order[to]) = (order[to], order[from]);
        }
    }
}
