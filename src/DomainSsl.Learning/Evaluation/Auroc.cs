namespace DomainSsl.Learning.Evaluation;

/// <summary>A figure computed from items that count several times or not at all: <paramref name="weights"/> has one whole number an item.</summary>
/// <returns>The figure, or NaN where these items do not define it (no positive among them, say).</returns>
public delegate double WeightedStatistic(ReadOnlySpan<int> weights);

/// <summary>
/// Area under the receiver operating characteristic: the chance that a positive item scores above a negative one, ties counting one half,
/// A = Σ_p Σ_n w_p w_n (1[s_p &gt; s_n] + ½·1[s_p = s_n]) / (Σ w_p Σ w_n). (Hanley &amp; McNeil, Radiology 143, 1982.)
/// With more than two classes, the plain mean of the areas of each class against the rest.
/// </summary>
/// <remarks>
/// Scores are sorted once, at construction; each set of weights then takes one pass, so thousands of resamples of hundreds of items cost
/// milliseconds. A class that no item has is left out of the mean.
/// </remarks>
public sealed class Auroc
{
    private readonly List<Curve> _curves = [];

    /// <summary>Prepares the areas of N items with their true classes.</summary>
    public Auroc(Probabilities probabilities, ReadOnlySpan<int> labels)
    {
        if (probabilities.Count != labels.Length) throw new ArgumentException("There must be one label for each row of probabilities.", nameof(labels));
        // With two classes both columns tell the same; the second is taken as the positive one.
        for (var k = probabilities.Classes == 2 ? 1 : 0; k < probabilities.Classes; k++)
        {
            if (!labels.Contains(k) && probabilities.Classes > 2) continue;
            var scores = new double[labels.Length];
            var positive = new bool[labels.Length];
            for (var i = 0; i < scores.Length; i++) (scores[i], positive[i]) = (probabilities[i, k], labels[i] == k);
            _curves.Add(new Curve(scores, positive));
        }
    }

    /// <summary>Prepares the area of N scores of which some belong to positive items.</summary>
    public Auroc(double[] scores, bool[] positive) => _curves.Add(new Curve([.. scores], positive));

    /// <summary>The area with each item counted once; NaN where only one class is there.</summary>
    public double Value
    {
        get
        {
            var ones = new int[_curves.Count == 0 ? 0 : _curves[0].Length];
            Array.Fill(ones, 1);
            return Weighted(ones);
        }
    }

    /// <summary>The area with item i counted <paramref name="weights"/>[i] times; NaN where a class has no weight left.</summary>
    public double Weighted(ReadOnlySpan<int> weights)
    {
        var sum = 0.0;
        foreach (var curve in _curves) sum += curve.Area(weights);
        return sum / _curves.Count;
    }

    private sealed class Curve
    {
        private readonly int[] _order;         // items by rising score
        private readonly bool[] _positive;     // in that order
        private readonly bool[] _lastOfTie;    // in that order: the next one scores higher

        public Curve(double[] scores, bool[] positive)
        {
            _order = new int[scores.Length];
            for (var i = 0; i < _order.Length; i++) _order[i] = i;
            Array.Sort(scores, _order);
            _positive = Array.ConvertAll(_order, i => positive[i]);
            _lastOfTie = new bool[scores.Length];
            for (var i = 0; i < scores.Length; i++) _lastOfTie[i] = i == scores.Length - 1 || scores[i + 1] != scores[i];
        }

        public int Length => _order.Length;

        public double Area(ReadOnlySpan<int> weights)
        {
            double below = 0, positives = 0, area = 0;     // weight of negatives below this tie; of all positives so far
            double tiedPositive = 0, tiedNegative = 0;
            for (var i = 0; i < _order.Length; i++)
            {
                var w = weights[_order[i]];
                if (_positive[i]) tiedPositive += w; else tiedNegative += w;
                if (!_lastOfTie[i]) continue;
                area += tiedPositive * (below + tiedNegative / 2);
                below += tiedNegative;
                positives += tiedPositive;
                tiedPositive = tiedNegative = 0;
            }
            return area / (positives * below);     // 0/0 is NaN, as promised
        }
    }
}
