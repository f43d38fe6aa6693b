using System.Numerics;
using System.Runtime.InteropServices;
using DomainSsl.Learning.Evaluation;

namespace DomainSsl.Learning.FineTuning;

/// <summary>
/// Multinomial logistic regression on frozen features: min_W,b  C·Σ_i w_i·(−log softmax(W z_i + b)_{y_i}) + ½‖W‖², z the features (<see cref="FeatureStandard"/>), the
/// intercept not penalised, w_i making every class weigh alike. (Linear evaluation of Chen et al., SimCLR, ICML 2020; C as in scikit-learn.)
/// </summary>
/// <remarks>Solved by limited-memory BFGS (Nocedal &amp; Wright, Numerical Optimization, 2006, algorithm 7.4): strictly convex in W, so the answer has no seed.</remarks>
public sealed class LinearProbe
{
    /// <summary>The candidates for C, from strongly to hardly regularised.</summary>
    public static IReadOnlyList<double> Candidates { get; } = [0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 1];

    private readonly double[] _w;     // K·D and then K intercepts

    private LinearProbe(int features, int classes, double[] w) => (Features, Classes, _w) = (features, classes, w);

    /// <summary>From stored values.</summary>
    /// <param name="weights">K·D in rows.</param>
    /// <param name="intercepts">K.</param>
    public LinearProbe(float[] weights, float[] intercepts)
    {
        if (intercepts.Length < 2 || weights.Length % intercepts.Length != 0) throw new ArgumentException("Weights and intercepts do not fit each other.", nameof(weights));
        (Features, Classes) = (weights.Length / intercepts.Length, intercepts.Length);
        _w = [.. weights.Select(w => (double)w), .. intercepts.Select(b => (double)b)];
    }

    /// <summary>Number of features, D.</summary>
    public int Features { get; }

    /// <summary>Number of classes, K.</summary>
    public int Classes { get; }

    /// <summary>The weights, K·D in rows.</summary>
    public float[] Weights => Array.ConvertAll(_w[..(Classes * Features)], w => (float)w);

    /// <summary>The intercepts, K.</summary>
    public float[] Intercepts => Array.ConvertAll(_w[(Classes * Features)..], w => (float)w);

    /// <summary>Fits a probe.</summary>
    /// <param name="features">N×D.</param>
    /// <param name="labels">The class of each row, N.</param>
    /// <param name="classes">Number of classes, K.</param>
    /// <param name="c">The inverse strength of regularisation.</param>
    /// <param name="start">A probe on the same rows at another C, to start from.</param>
    public static LinearProbe Fit(FeatureTable features, int[] labels, int classes, double c, LinearProbe? start = null)
    {
        if (features.Count != labels.Length) throw new ArgumentException("There must be one label for each row of features.", nameof(labels));
        var (n, d) = (features.Count, features.Dimensions);
        var z = Doubles(features);
        var weight = ClassWeights(labels, classes);

        // Value and gradient at w; p holds the softmax of one row.
        double Value(double[] w, double[] gradient)
        {
            Array.Clear(gradient);
            var value = 0.0;
            Span<double> p = stackalloc double[classes];
            for (var k = 0; k < classes; k++)
            {
                var wk = w.AsSpan(k * d, d);
                value += 0.5 * Dot(wk, wk);
                wk.CopyTo(gradient.AsSpan(k * d, d));
            }
            for (var i = 0; i < n; i++)
            {
                var zi = z.AsSpan(i * d, d);
                for (var k = 0; k < classes; k++) p[k] = Dot(w.AsSpan(k * d, d), zi) + w[classes * d + k];
                var log = Softmax(p);
                var wi = c * weight[labels[i]];
                value += wi * (log - (Dot(w.AsSpan(labels[i] * d, d), zi) + w[classes * d + labels[i]]));
                for (var k = 0; k < classes; k++)
                {
                    var g = wi * (p[k] - (labels[i] == k ? 1 : 0));
                    Add(gradient.AsSpan(k * d, d), g, zi);
                    gradient[classes * d + k] += g;
                }
            }
            return value;
        }

        var solution = Lbfgs.Minimise(Value, start?._w ?? new double[classes * (d + 1)], iterations: 200, tolerance: 1e-5);
        return new LinearProbe(d, classes, solution);
    }

    /// <summary>The probabilities of N rows of features.</summary>
    public Probabilities Predict(FeatureTable features)
    {
        if (features.Dimensions != Features) throw new ArgumentException($"The probe takes {Features} features, not {features.Dimensions}.", nameof(features));
        var z = Doubles(features);
        var p = new double[features.Count * Classes];
        for (var i = 0; i < features.Count; i++)
        {
            var row = p.AsSpan(i * Classes, Classes);
            for (var k = 0; k < Classes; k++) row[k] = Dot(_w.AsSpan(k * Features, Features), z.AsSpan(i * Features, Features)) + _w[Classes * Features + k];
            Softmax(row);
        }
        return new Probabilities(Classes, p);
    }

    /// <summary>w_k = N / (K·n_k): every class weighs alike, and all weights add up to N.</summary>
    internal static double[] ClassWeights(int[] labels, int classes)
    {
        var counts = new int[classes];
        foreach (var y in labels) counts[y]++;
        var present = counts.Count(n => n > 0);
        return [.. counts.Select(n => n == 0 ? 0 : labels.Length / ((double)present * n))];
    }

    private static double[] Doubles(FeatureTable features)
    {
        var z = new double[features.Values.Length];
        for (var i = 0; i < z.Length; i++) z[i] = features.Values[i];
        return z;
    }

    // Turns logits into probabilities in place and returns the logarithm of their sum of exponentials.
    private static double Softmax(Span<double> logits)
    {
        var most = double.NegativeInfinity;
        foreach (var l in logits) most = Math.Max(most, l);
        var sum = 0.0;
        for (var k = 0; k < logits.Length; k++) sum += logits[k] = Math.Exp(logits[k] - most);
        for (var k = 0; k < logits.Length; k++) logits[k] /= sum;
        return most + Math.Log(sum);
    }

    internal static double Dot(ReadOnlySpan<double> a, ReadOnlySpan<double> b)
    {
        var va = MemoryMarshal.Cast<double, Vector<double>>(a);
        var vb = MemoryMarshal.Cast<double, Vector<double>>(b);
        var sums = Vector<double>.Zero;
        for (var i = 0; i < va.Length; i++) sums += va[i] * vb[i];
        var sum = Vector.Sum(sums);
        for (var i = va.Length * Vector<double>.Count; i < a.Length; i++) sum += a[i] * b[i];
        return sum;
    }

    internal static void Add(Span<double> to, double times, ReadOnlySpan<double> x)
    {
        var vt = MemoryMarshal.Cast<double, Vector<double>>(to);
        var vx = MemoryMarshal.Cast<double, Vector<double>>(x);
        for (var i = 0; i < vt.Length; i++) vt[i] += times * vx[i];
        for (var i = vt.Length * Vector<double>.Count; i < to.Length; i++) to[i] += times * x[i];
    }
}

/// <summary>Features of N items, float32 N×D in rows.</summary>
public sealed class FeatureTable
{
    private readonly float[] _values;

    /// <summary>Makes the table from its values in row order.</summary>
    public FeatureTable(int dimensions, float[] values)
    {
        if (dimensions < 1 || values.Length % dimensions != 0) throw new ArgumentException($"{values.Length} values do not fill rows of {dimensions} features.", nameof(values));
        (Dimensions, Count, _values) = (dimensions, values.Length / dimensions, values);
    }

    /// <summary>Number of items, N.</summary>
    public int Count { get; }

    /// <summary>Number of features, D.</summary>
    public int Dimensions { get; }

    /// <summary>All values in row order, N·D.</summary>
    public ReadOnlySpan<float> Values => _values;

    /// <summary>The features of one item, D.</summary>
    public ReadOnlySpan<float> Row(int i) => _values.AsSpan(i * Dimensions, Dimensions);

    /// <summary>The rows named, in that order.</summary>
    public FeatureTable Rows(ReadOnlySpan<int> items)
    {
        var values = new float[items.Length * Dimensions];
        for (var i = 0; i < items.Length; i++) Row(items[i]).CopyTo(values.AsSpan(i * Dimensions));
        return new FeatureTable(Dimensions, values);
    }
}
