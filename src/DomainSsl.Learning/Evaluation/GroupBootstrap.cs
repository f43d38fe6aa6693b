namespace DomainSsl.Learning.Evaluation;

/// <summary>
/// Percentile bootstrap over groups (Efron &amp; Tibshirani, An Introduction to the Bootstrap, 1993, ch. 13 and the cluster form of ch. 8):
/// patients are drawn with replacement and bring all their items, since images of one patient are not independent.
/// </summary>
/// <remarks>
/// The percentile interval of resamples that never vary is a point, which would claim certainty for a handful of patients all answered right.
/// There the interval is widened to the exact binomial bound of n out of n, 1 − 0.025^(1/n) (Clopper &amp; Pearson 1934), with n the patients of the rarer
/// class. With fewer than <see cref="FewestGroups"/> patients, or where a tenth of the resamples do not define the figure, it is the whole range.
/// </remarks>
public sealed class GroupBootstrap
{
    /// <summary>Below this many groups no interval is claimed at all.</summary>
    public const int FewestGroups = 5;

    /// <summary>Resamples unless told otherwise: the ends of a 95 % interval then move by about a hundredth of its width between seeds.</summary>
    public const int DefaultResamples = 2000;

    private readonly int[] _groupOfItem;
    private readonly int _groups;
    private readonly int _resamples;
    private readonly int _seed;

    /// <summary>Prepares resampling of N items.</summary>
    /// <param name="groupOfItem">The patient (or speaker) of each item.</param>
    /// <param name="seed">The same seed gives the same resamples, so figures of one test set are paired.</param>
    /// <param name="resamples">How many resamples are drawn.</param>
    public GroupBootstrap(IReadOnlyList<string> groupOfItem, int seed, int resamples = DefaultResamples)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(resamples, 100);
        var numbers = new Dictionary<string, int>(StringComparer.Ordinal);
        _groupOfItem = new int[groupOfItem.Count];
        for (var i = 0; i < _groupOfItem.Length; i++)
        {
            if (!numbers.TryGetValue(groupOfItem[i], out var g)) numbers[groupOfItem[i]] = g = numbers.Count;
            _groupOfItem[i] = g;
        }
        (_groups, _seed, _resamples) = (numbers.Count, seed, resamples);
    }

    /// <summary>Number of patients.</summary>
    public int Groups => _groups;

    /// <summary>Number of resamples.</summary>
    public int Resamples => _resamples;

    /// <summary>Calls <paramref name="visit"/> with the number of each resample and how often it has each item.</summary>
    public void ForEach(WeightsVisitor visit)
    {
        var random = new Random(_seed);
        var times = new int[_groups];
        var weights = new int[_groupOfItem.Length];
        for (var b = 0; b < _resamples; b++)
        {
            Array.Clear(times);
            for (var g = 0; g < _groups; g++) times[random.Next(_groups)]++;
            for (var i = 0; i < weights.Length; i++) weights[i] = times[_groupOfItem[i]];
            visit(b, weights);
        }
    }

    /// <summary>The figure on all items with its 95 % interval.</summary>
    /// <param name="statistic">The figure.</param>
    /// <param name="lowest">The least it can be.</param>
    /// <param name="highest">The most it can be.</param>
    /// <param name="rarest">Patients of the rarest class, for the bound when resamples never vary; all patients when left out.</param>
    public Interval Of(WeightedStatistic statistic, double lowest = 0, double highest = 1, int? rarest = null) =>
        Of([statistic], lowest, highest, rarest)[0];

    /// <summary>Several figures on the same resamples.</summary>
    public Interval[] Of(IReadOnlyList<WeightedStatistic> statistics, double lowest = 0, double highest = 1, int? rarest = null)
    {
        var ones = new int[_groupOfItem.Length];
        Array.Fill(ones, 1);
        var replicates = new double[statistics.Count][];
        for (var s = 0; s < replicates.Length; s++) replicates[s] = new double[_resamples];
        ForEach((b, weights) =>
        {
            for (var s = 0; s < replicates.Length; s++) replicates[s][b] = statistics[s](weights);
        });
        var intervals = new Interval[statistics.Count];
        for (var s = 0; s < intervals.Length; s++)
            intervals[s] = Percentiles(statistics[s](ones), replicates[s], rarest ?? _groups, _groups, lowest, highest);
        return intervals;
    }

    /// <summary>
    /// The 2.5th and 97.5th percentile of <paramref name="replicates"/> (NaN left out) about <paramref name="value"/>, with the two guards told in the remarks; the whole range too where
    /// <paramref name="draws"/>, over which the figure is a mean, are fewer than <see cref="DrawWeights.FewestDraws"/>.
    /// </summary>
    public static Interval Percentiles(double value, double[] replicates, int rarest, int groups, double lowest, double highest, int draws = DrawWeights.FewestDraws)
    {
        var defined = Array.FindAll(replicates, r => !double.IsNaN(r));
        if (groups < FewestGroups || draws < DrawWeights.FewestDraws || defined.Length < 0.9 * replicates.Length) return new Interval(value, lowest, highest);
        Array.Sort(defined);
        var (low, high) = (Math.Max(lowest, At(defined, 0.025)), Math.Min(highest, At(defined, 0.975)));
        if (high - low < 1e-12)
        {
            var unseen = 1 - Math.Pow(0.025, 1.0 / Math.Max(1, rarest));
            (low, high) = (Math.Max(lowest, value - unseen), Math.Min(highest, value + unseen));
        }
        return new Interval(value, low, high);
    }

    // Linear between order statistics (type 7 of Hyndman & Fan 1996, what R and numpy do).
    private static double At(double[] sorted, double share)
    {
        var place = share * (sorted.Length - 1);
        var below = (int)place;
        var above = Math.Min(sorted.Length - 1, below + 1);
        return sorted[above] == sorted[below] ? sorted[below] : sorted[below] + (place - below) * (sorted[above] - sorted[below]); // equal ones may be infinite
    }
}

/// <summary>Receives one resample: its number and how often it has each item.</summary>
public delegate void WeightsVisitor(int resample, ReadOnlySpan<int> weights);
