namespace DomainSsl.Learning.Evaluation;

/// <summary>
/// Figures of decided answers (the most probable class; with two classes that is the threshold 0.5): sensitivity of class k = TP_k / (TP_k + FN_k),
/// specificity = TN / (TN + FP), balanced accuracy = mean over classes of their sensitivities (Brodersen et al., ICPR 2010).
/// </summary>
public sealed class Confusion
{
    private readonly int[] _answers;
    private readonly int[] _labels;
    private readonly int _classes;

    /// <summary>Decides each of the N items and keeps its true class.</summary>
    public Confusion(Probabilities probabilities, ReadOnlySpan<int> labels)
    {
        if (probabilities.Count != labels.Length) throw new ArgumentException("There must be one label for each row of probabilities.", nameof(labels));
        (_labels, _classes, _answers) = (labels.ToArray(), probabilities.Classes, new int[labels.Length]);
        for (var i = 0; i < _answers.Length; i++) _answers[i] = probabilities.Best(i);
    }

    /// <summary>Share of the items of class <paramref name="k"/> that were answered k; NaN where there is none.</summary>
    public WeightedStatistic Sensitivity(int k) => weights => Recall(k, weights);

    /// <summary>Share of the items not of class <paramref name="k"/> that were not answered k; NaN where there is none.</summary>
    public WeightedStatistic Specificity(int k) => weights =>
    {
        double right = 0, all = 0;
        for (var i = 0; i < _labels.Length; i++)
        {
            if (_labels[i] == k) continue;
            all += weights[i];
            if (_answers[i] != k) right += weights[i];
        }
        return right / all;
    };

    /// <summary>Mean of the sensitivities of all classes that the labels have; NaN where one of them has no weight.</summary>
    public WeightedStatistic BalancedAccuracy => weights =>
    {
        double sum = 0;
        var present = 0;
        for (var k = 0; k < _classes; k++)
        {
            if (!_labels.AsSpan().Contains(k)) continue;
            sum += Recall(k, weights);
            present++;
        }
        return sum / present;
    };

    /// <summary>Share of all items that were answered right.</summary>
    public WeightedStatistic Accuracy => weights =>
    {
        double right = 0, all = 0;
        for (var i = 0; i < _labels.Length; i++)
        {
            all += weights[i];
            if (_answers[i] == _labels[i]) right += weights[i];
        }
        return right / all;
    };

    private double Recall(int k, ReadOnlySpan<int> weights)
    {
        double right = 0, all = 0;
        for (var i = 0; i < _labels.Length; i++)
        {
            if (_labels[i] != k) continue;
            all += weights[i];
            if (_answers[i] == k) right += weights[i];
        }
        return right / all;
    }
}
