namespace DomainSsl.Learning.Evaluation;

/// <summary>
/// How a mean over a few draws of labels would scatter, had other draws been made: weights of the draws, fresh for each replicate of a bootstrap. Over draws alone the interval of a weighted mean is
/// Student's with n − 1 degrees of freedom; resampling n draws with replacement would take their variance as (n − 1)/n of what it is and their number as large.
/// </summary>
/// <param name="draws">Number of draws, n.</param>
/// <param name="random">Of the weights.</param>
public sealed class DrawWeights(int draws, Random random)
{
    /// <summary>Below so many draws nothing is known of how they scatter: no interval is claimed.</summary>
    public const int FewestDraws = 2;

    private readonly double[] _weights = [.. Enumerable.Repeat(1.0 / draws, draws)];

    /// <summary>The next replicate's weights, which sum to one; some may be below zero. They are overwritten by the replicate after it.</summary>
    public ReadOnlySpan<double> Next()
    {
        if (draws < FewestDraws) return _weights;
        var mean = 0.0;
        for (var r = 0; r < draws; r++) mean += (_weights[r] = Normal()) / draws;
        // Normal weights about their mean, by √(n/(n−1)), give s/√n; over the root of χ² by its degrees of freedom they give Student's t.
        var chi = 0.0;
        for (var f = 1; f < draws; f++) chi += Math.Pow(Normal(), 2);
        var scale = Math.Sqrt(draws / (draws - 1.0) * ((draws - 1) / chi)) / draws;
        for (var r = 0; r < draws; r++) _weights[r] = 1.0 / draws + scale * (_weights[r] - mean);
        return _weights;
    }

    // Box & Muller 1958.
    private double Normal() => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}
