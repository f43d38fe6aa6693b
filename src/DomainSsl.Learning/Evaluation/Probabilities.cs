namespace DomainSsl.Learning.Evaluation;

/// <summary>Class probabilities of N items, N×K; each row sums to one.</summary>
public sealed class Probabilities
{
    private readonly double[] _values;

    /// <summary>Makes the table from its values in row order.</summary>
    /// <exception cref="ArgumentException">The number of values is no multiple of <paramref name="classes"/>.</exception>
    public Probabilities(int classes, double[] values)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(classes, 2);
        if (values.Length % classes != 0) throw new ArgumentException($"{values.Length} values do not fill rows of {classes} classes.", nameof(values));
        (Classes, Count, _values) = (classes, values.Length / classes, values);
    }

    /// <summary>Number of items, N.</summary>
    public int Count { get; }

    /// <summary>Number of classes, K.</summary>
    public int Classes { get; }

    /// <summary>All values in row order, N·K.</summary>
    public ReadOnlySpan<double> Values => _values;

    /// <summary>The probability of class <paramref name="k"/> for item <paramref name="i"/>.</summary>
    public double this[int i, int k] => _values[i * Classes + k];

    /// <summary>The K probabilities of one item.</summary>
    public ReadOnlySpan<double> Row(int i) => _values.AsSpan(i * Classes, Classes);

    /// <summary>The most probable class of one item; the first of equals.</summary>
    public int Best(int i)
    {
        var row = Row(i);
        var best = 0;
        for (var k = 1; k < row.Length; k++) if (row[k] > row[best]) best = k;
        return best;
    }

    /// <summary>How unsure the answer for one item is: the entropy of its row over ln K, from 0 (sure) to 1 (all classes alike).</summary>
    public double Uncertainty(int i)
    {
        var entropy = 0.0;
        foreach (var p in Row(i)) if (p > 0) entropy -= p * Math.Log(p);
        return Math.Clamp(entropy / Math.Log(Classes), 0, 1);
    }

    /// <summary>The rows named, in that order.</summary>
    public Probabilities Rows(ReadOnlySpan<int> items)
    {
        var values = new double[items.Length * Classes];
        for (var i = 0; i < items.Length; i++) Row(items[i]).CopyTo(values.AsSpan(i * Classes));
        return new Probabilities(Classes, values);
    }

    /// <summary>The mean of two tables of one size, item by item: the answer of two classifiers asked together.</summary>
    /// <exception cref="ArgumentException">The tables differ in size.</exception>
    public static Probabilities Mean(Probabilities a, Probabilities b)
    {
        if (a.Count != b.Count || a.Classes != b.Classes) throw new ArgumentException("The two tables of probabilities differ in size.", nameof(b));
        var values = new double[a._values.Length];
        for (var i = 0; i < values.Length; i++) values[i] = (a._values[i] + b._values[i]) / 2;
        return new Probabilities(a.Classes, values);
    }
}
