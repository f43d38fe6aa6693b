namespace DomainSsl.Learning.FineTuning;

/// <summary>Limited-memory BFGS with a backtracking line search, for smooth convex functions (Nocedal &amp; Wright 2006, algorithms 7.4 and 7.5).</summary>
internal static class Lbfgs
{
    private const int Memory = 10;

    /// <summary>The minimum of <paramref name="value"/>, which returns the function at its first argument and writes the gradient into the second.</summary>
    /// <param name="value">The function.</param>
    /// <param name="start">Where to begin; left as it is.</param>
    /// <param name="iterations">At most so many.</param>
    /// <param name="tolerance">Ends when the largest component of the gradient is below this times max(1, ‖x‖∞).</param>
    public static double[] Minimise(Func<double[], double[], double> value, double[] start, int iterations, double tolerance)
    {
        var n = start.Length;
        var (x, g, xNext, gNext, direction) = ((double[])start.Clone(), new double[n], new double[n], new double[n], new double[n]);
        var history = new List<(double[] S, double[] Y, double Rho)>();
        Span<double> alpha = stackalloc double[Memory];
        var f = value(x, g);
        for (var t = 0; t < iterations && Largest(g) > tolerance * Math.Max(1, Largest(x)); t++)
        {
            g.CopyTo(direction, 0);
            for (var i = history.Count - 1; i >= 0; i--)
            {
                alpha[i] = history[i].Rho * LinearProbe.Dot(history[i].S, direction);
                LinearProbe.Add(direction, -alpha[i], history[i].Y);
            }
            var scale = history.Count == 0 ? 1 / Math.Max(1, Math.Sqrt(LinearProbe.Dot(g, g))) : 1 / (history[^1].Rho * LinearProbe.Dot(history[^1].Y, history[^1].Y));
            for (var j = 0; j < n; j++) direction[j] *= scale;
            for (var i = 0; i < history.Count; i++)
                LinearProbe.Add(direction, alpha[i] - history[i].Rho * LinearProbe.Dot(history[i].Y, direction), history[i].S);

            // Armijo: at least a ten-thousandth of what the slope promises.
            var slope = -LinearProbe.Dot(g, direction);
            double step = 1, next = 0;
            var down = false;
            for (var tries = 0; tries < 40 && !down; tries++, step *= down ? 1 : 0.5)
            {
                x.CopyTo(xNext, 0);
                LinearProbe.Add(xNext, -step, direction);
                next = value(xNext, gNext);
                down = next <= f + 1e-4 * step * slope;
            }
            if (!down) break;     // at the limit of double precision

            var (s, y) = (new double[n], new double[n]);
            for (var j = 0; j < n; j++) (s[j], y[j]) = (xNext[j] - x[j], gNext[j] - g[j]);
            var sy = LinearProbe.Dot(s, y);
            if (sy > 1e-12)
            {
                if (history.Count == Memory) history.RemoveAt(0);
                history.Add((s, y, 1 / sy));
            }
            (x, xNext, g, gNext, f) = (xNext, x, gNext, g, next);
        }
        return x;
    }

    private static double Largest(double[] v)
    {
        var most = 0.0;
        foreach (var e in v) most = Math.Max(most, Math.Abs(e));
        return most;
    }
}
