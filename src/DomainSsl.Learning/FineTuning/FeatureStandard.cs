namespace DomainSsl.Learning.FineTuning;

/// <summary>
/// How features are brought to one scale before a linear layer: to unit length, then each less its mean and by its deviation over many unlabelled images. A few dozen
/// labelled images would estimate 512 means and deviations badly; the clinic's other scans do it for nothing.
/// </summary>
public sealed class FeatureStandard
{
    private const double Least = 1e-9;

    /// <summary>From stored values.</summary>
    public FeatureStandard(float[] mean, float[] scale) => (Mean, Scale) = (mean, scale);

    /// <summary>Mean of each feature at unit length, D.</summary>
    public IReadOnlyList<float> Mean { get; }

    /// <summary>One over the deviation of each, D; zero for a feature that never varies.</summary>
    public IReadOnlyList<float> Scale { get; }

    /// <summary>Estimates means and deviations from raw features, N×D.</summary>
    public static FeatureStandard Of(FeatureTable features)
    {
        var (n, d) = (features.Count, features.Dimensions);
        var (mean, square) = (new double[d], new double[d]);
        for (var i = 0; i < n; i++)
        {
            var row = features.Row(i);
            var length = Length(row);
            for (var j = 0; j < d; j++)
            {
                mean[j] += row[j] / length / n;
                square[j] += row[j] / length * (row[j] / length) / n;
            }
        }
        var scale = new float[d];
        for (var j = 0; j < d; j++)
        {
            var variance = square[j] - mean[j] * mean[j];
            scale[j] = variance < Least * Least ? 0 : (float)(1 / Math.Sqrt(variance));
        }
        return new FeatureStandard(Array.ConvertAll(mean, m => (float)m), scale);
    }

    /// <summary>Raw features to standardised ones, N×D.</summary>
    public FeatureTable Apply(FeatureTable features)
    {
        var values = new float[features.Count * features.Dimensions];
        for (var i = 0; i < features.Count; i++)
        {
            var row = features.Row(i);
            var length = Length(row);
            for (var j = 0; j < row.Length; j++) values[i * row.Length + j] = (float)((row[j] / length - Mean[j]) * Scale[j]);
        }
        return new FeatureTable(features.Dimensions, values);
    }

    private static double Length(ReadOnlySpan<float> row)
    {
        var sum = 0.0;
        foreach (var v in row) sum += (double)v * v;
        return Math.Max(Least, Math.Sqrt(sum));
    }
}
