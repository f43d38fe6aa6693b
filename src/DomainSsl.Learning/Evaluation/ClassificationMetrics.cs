namespace DomainSsl.Learning.Evaluation;

/// <summary>All figures of a classifier on labelled items, each with a 95 % interval that resamples patients.</summary>
public static class ClassificationMetrics
{
    /// <summary>
    /// By name: <c>auroc</c>, <c>balancedAccuracy</c>, <c>accuracy</c>, with two classes <c>sensitivity</c> and <c>specificity</c> of the second class at 0.5,
    /// with more <c>sensitivity.CLASS</c> of each; <c>brier</c>, <c>calibrationError</c>. A figure that the labels do not define is left out.
    /// </summary>
    /// <param name="probabilities">N×K.</param>
    /// <param name="labels">The true class of each item, N.</param>
    /// <param name="patients">The patient of each item, N.</param>
    /// <param name="classes">The names of the K classes; with two, the second is the finding looked for.</param>
    /// <param name="seed">Seeds the resampling.</param>
    /// <param name="resamples">Number of resamples.</param>
    public static IReadOnlyDictionary<string, Interval> Of(
        Probabilities probabilities, int[] labels, IReadOnlyList<string> patients, IReadOnlyList<string> classes, int seed, int resamples = GroupBootstrap.DefaultResamples)
    {
        if (classes.Count != probabilities.Classes) throw new ArgumentException("The probabilities have another number of classes than was named.", nameof(classes));
        var (confusion, calibration) = (new Confusion(probabilities, labels), new Calibration(probabilities, labels));
        var figures = new List<(string Name, WeightedStatistic Of)> { ("auroc", new Auroc(probabilities, labels).Weighted), ("balancedAccuracy", confusion.BalancedAccuracy) };
        if (classes.Count == 2) figures.AddRange([("sensitivity", confusion.Sensitivity(1)), ("specificity", confusion.Specificity(1))]);
        else for (var k = 0; k < classes.Count; k++) figures.Add(($"sensitivity.{classes[k]}", confusion.Sensitivity(k)));
        figures.AddRange([("accuracy", confusion.Accuracy), ("brier", calibration.Brier), ("calibrationError", calibration.ExpectedError)]);

        var bootstrap = new GroupBootstrap(patients, seed, resamples);
        var intervals = bootstrap.Of([.. figures.Select(f => f.Of)], rarest: RarestClass(labels, patients));
        return figures.Zip(intervals).Where(f => !double.IsNaN(f.Second.Value)).ToDictionary(f => f.First.Name, f => f.Second);
    }

    /// <summary>The number of patients that have the class which the fewest patients have (of the classes that occur).</summary>
    public static int RarestClass(int[] labels, IReadOnlyList<string> patients) =>
        labels.Length == 0 ? 0 : Enumerable.Range(0, labels.Length).GroupBy(i => labels[i]).Min(c => c.Select(i => patients[i]).Distinct().Count());
}
