using DomainSsl.Learning.Objectives;
using DomainSsl.Learning.Training;

namespace DomainSsl.Learning.Health;

/// <summary>How a run does.</summary>
/// <param name="State"><c>good</c>, <c>watch</c> (worth a look) or <c>bad</c> (the encoder will be of no use).</param>
/// <param name="Findings">Sentences: what is seen, and what to do.</param>
public sealed record RunHealth(string State, IReadOnlyList<string> Findings)
{
    private const double Near = 0.02;

    /// <summary>Judges a run by its curve: collapse, divergence, no progress, starving for data. Early lines are given the benefit of the doubt.</summary>
    /// <param name="lines">The curve so far.</param>
    /// <param name="metrics">What the objective reports, with the values that mean collapse.</param>
    /// <param name="trivialLoss">The loss of an encoder that gives the same for every item.</param>
    public static RunHealth Judge(IReadOnlyList<MetricsLine> lines, IReadOnlyList<MetricInfo> metrics, double trivialLoss)
    {
        var (bad, watch) = (new List<string>(), new List<string>());
        var all = lines;
        // Losses of another task, such as another clustering, say nothing about this one's.
        if (metrics.FirstOrDefault(m => m.Stage) is { } stage && lines.Count > 0 && lines[^1].Metrics.TryGetValue(stage.Name, out var now))
            lines = [.. lines.Where(l => l.Metrics.TryGetValue(stage.Name, out var then) && then == now)];
        var begun = lines.Count == all.Count ? 0 : lines[0].Progress;
        var share = lines.Count == 0 ? 0 : (lines[^1].Progress - begun) / Math.Max(1 - begun, 1e-9);
        // What tells nothing apart does so whatever it is given to learn: while a stage is young, the end of the one before counts too.
        var collapsed = all.Count >= 5 && all[^1].Progress >= 0.1
            ? metrics.FirstOrDefault(m => m.Collapsed is { } value && all.TakeLast(lines.Count >= 5 ? 3 : lines.Count + 3).All(l => l.Metrics.TryGetValue(m.Name, out var at) && Math.Abs(at - value) < Near)) : null;
        if (collapsed is not null)
        {
            bad.Add($"Collapse: the encoder gives nearly the same whatever it is given ({collapsed.Name} is {all[^1].Metrics[collapsed.Name]:0.000}, {collapsed.Collapsed:0.##} tells nothing apart). Lower optimiser.rate, or start from trained weights.");
        }
        else if (lines.Count >= 5 && share >= 0.1)
        {
            var first = Median(lines.Take(3).Select(l => l.Loss));
            var last = Median(lines.TakeLast(3).Select(l => l.Loss));
            var best = Enumerable.Range(0, lines.Count - 2).Min(i => Median(lines.Skip(i).Take(3).Select(l => l.Loss)));
            if (last > best + 0.25 * trivialLoss || last > 1.2 * Math.Max(first, trivialLoss))
            {
                bad.Add($"Divergence: the loss has risen from {best:0.00} to {last:0.00}. Lower optimiser.rate or set optimiser.clip=1.");
            }
            else if (lines.Count >= 10 && share >= 0.3)
            {
                var part = lines.Count / 5;
                var (early, late) = (lines.Take(part).Average(l => l.Loss), lines.TakeLast(part).Average(l => l.Loss));
                if (late > 0.98 * early) watch.Add($"No progress: the loss was {early:0.00} and is {late:0.00}. Raise optimiser.rate, or give the run more time.");
            }
        }
        if (lines.Count >= 3 && lines[^1].WaitingForData > 0.1)
            watch.Add($"Starving for data: {lines[^1].WaitingForData:0%} of the time is spent waiting for data. Put the data folder on a faster disk, or give the program more processors.");
        return new RunHealth(bad.Count > 0 ? "bad" : watch.Count > 0 ? "watch" : "good", [.. bad, .. watch]);
    }

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return sorted[sorted.Length / 2];
    }
}
