namespace DomainSsl.Learning.Evaluation;

/// <summary>
/// Whether the probabilities mean what they say. Brier score B = (1/N) Σ_i Σ_k (p_ik − 1[y_i = k])², halved with two classes so that it is the
/// usual (p − y)² (Brier, Monthly Weather Review 78, 1950). Expected calibration error: items in ten bins of their highest probability,
/// Σ_b (n_b/N)·|share right in b − mean probability in b| (Naeini et al., AAAI 2015).
/// </summary>
/// <remarks>Classifiers here are trained with every class of equal weight, so their probabilities speak of evenly mixed classes.</remarks>
public sealed class Calibration
{
    private const int Bins = 10;
    private readonly double[] _squared;
    private readonly double[] _confidence;
    private readonly bool[] _right;

    /// <summary>Prepares the figures of N items with their true classes.</summary>
    public Calibration(Probabilities probabilities, ReadOnlySpan<int> labels)
    {
        if (probabilities.Count != labels.Length) throw new ArgumentException("There must be one label for each row of probabilities.", nameof(labels));
        var n = labels.Length;
        (_squared, _confidence, _right) = (new double[n], new double[n], new bool[n]);
        for (var i = 0; i < n; i++)
        {
            for (var k = 0; k < probabilities.Classes; k++)
            {
                var error = probabilities[i, k] - (labels[i] == k ? 1 : 0);
                _squared[i] += probabilities.Classes == 2 ? error * error / 2 : error * error;
            }
            var best = probabilities.Best(i);
            (_confidence[i], _right[i]) = (probabilities[i, best], best == labels[i]);
        }
    }

    /// <summary>The Brier score: 0 is perfect; 0.25 is what "half and half" for everything gets with two classes.</summary>
    public WeightedStatistic Brier => weights =>
    {
        double sum = 0, all = 0;
        for (var i = 0; i < _squared.Length; i++) (sum, all) = (sum + weights[i] * _squared[i], all + weights[i]);
        return sum / all;
    };

    /// <summary>The expected calibration error, 0 to 1. It is biased upwards on few items: compare, do not certify.</summary>
    public WeightedStatistic ExpectedError => weights =>
    {
        Span<double> gap = stackalloc double[Bins];
        gap.Clear();
        double all = 0, sum = 0;
        for (var i = 0; i < _confidence.Length; i++)
        {
            gap[Math.Min(Bins - 1, (int)(_confidence[i] * Bins))] += weights[i] * ((_right[i] ? 1 : 0) - _confidence[i]);
            all += weights[i];
        }
        foreach (var g in gap) sum += Math.Abs(g);
        return sum / all;
    };
}
