namespace DomainSsl.Learning.Evaluation;

/// <summary>How many labels from scratch do what <see cref="Budget"/> labels do with a pretrained encoder.</summary>
/// <param name="Arm">The pretrained arm.</param>
/// <param name="Budget">Labels it had.</param>
/// <param name="ScratchLabels">Labels from scratch of the same mean, or null where the largest number tried does not reach it.</param>
public sealed record LabelsSaved(string Arm, int Budget, double? ScratchLabels)
{
    /// <summary>Labels saved, 0 where the arm is no better than from scratch; null where from scratch never reaches it.</summary>
    public double? Saved => ScratchLabels is { } s ? Math.Max(0, s - Budget) : null;

    /// <summary>Labels from scratch that do what the lower end of the difference's interval leaves of the gain; null where that was not asked, or is never reached.</summary>
    public double? Low { get; init; }

    /// <summary>The same of the upper end; null also where the largest number tried does not reach it.</summary>
    public double? High { get; init; }

    /// <summary>With both ends: the from-scratch curve read at its own mean with <paramref name="budget"/> labels and the difference to it, and the ends of the difference's interval.</summary>
    /// <param name="arm">The arm's name.</param>
    /// <param name="budget">Labels it had.</param>
    /// <param name="difference">Its figure less that of from scratch with as many.</param>
    /// <param name="scratch">Labels and mean figure of the from-scratch arm, in any order.</param>
    public static LabelsSaved Of(string arm, int budget, Interval difference, IReadOnlyList<(int Labels, double Mean)> scratch)
    {
        var begin = scratch.First(s => s.Labels == budget).Mean;
        double? At(double less) => Of(arm, budget, begin + less, scratch).ScratchLabels;
        return new LabelsSaved(arm, budget, At(difference.Value)) { Low = At(difference.Low), High = At(difference.High) };
    }

    /// <summary>
    /// Reads the from-scratch curve at the arm's mean, linearly in the logarithm of the number of labels. The curve is first made non-decreasing by pooling
    /// adjacent violators (Barlow et al. 1972), so that chance does not let fewer labels look better. Below the curve's start the smallest number tried is taken.
    /// </summary>
    /// <param name="arm">The arm's name.</param>
    /// <param name="budget">Labels it had.</param>
    /// <param name="mean">Its mean figure with them.</param>
    /// <param name="scratch">Labels and mean figure of the from-scratch arm, in any order.</param>
    public static LabelsSaved Of(string arm, int budget, double mean, IEnumerable<(int Labels, double Mean)> scratch)
    {
        var curve = scratch.OrderBy(p => p.Labels).ToArray();
        if (curve.Length == 0) return new LabelsSaved(arm, budget, null);
        var level = NonDecreasing([.. curve.Select(p => p.Mean)]);
        if (mean > level[^1]) return new LabelsSaved(arm, budget, null);
        if (mean <= level[0]) return new LabelsSaved(arm, budget, curve[0].Labels);
        var j = 1;
        while (level[j] < mean) j++;
        var share = (mean - level[j - 1]) / (level[j] - level[j - 1]);
        return new LabelsSaved(arm, budget, Math.Exp(Math.Log(curve[j - 1].Labels) + share * (Math.Log(curve[j].Labels) - Math.Log(curve[j - 1].Labels))));
    }

    private static double[] NonDecreasing(double[] values)
    {
        var blocks = new List<(double Sum, int Count)>();
        foreach (var v in values)
        {
            blocks.Add((v, 1));
            while (blocks.Count > 1 && blocks[^2].Sum / blocks[^2].Count > blocks[^1].Sum / blocks[^1].Count)
            {
                var last = blocks[^1];
                blocks.RemoveAt(blocks.Count - 1);
                blocks[^1] = (blocks[^1].Sum + last.Sum, blocks[^1].Count + last.Count);
            }
        }
        return [.. blocks.SelectMany(b => Enumerable.Repeat(b.Sum / b.Count, b.Count))];
    }
}
