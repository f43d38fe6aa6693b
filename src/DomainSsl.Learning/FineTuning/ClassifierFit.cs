using DomainSsl.Learning.Encoders;
using DomainSsl.Learning.Evaluation;

namespace DomainSsl.Learning.FineTuning;

/// <summary>What was chosen for one fit, and on what grounds.</summary>
/// <param name="Answer">Whose answer is given: <c>probe</c>, <c>full</c>, <c>short</c>, <c>long</c> or <c>mean</c> (of the two members).</param>
/// <param name="C">The probe's inverse regularisation, or null without a probe.</param>
/// <param name="Schedules">Steps and rates of each network.</param>
/// <param name="Losses">Cross-validated log loss of every candidate answer, where there was cross-validation.</param>
public sealed record FitChoice(string Answer, double? C, IReadOnlyList<Schedule> Schedules, IReadOnlyDictionary<string, double>? Losses);

/// <summary>
/// The whole fit of one arm on one set of labels. It sees these labels and their items and, for the scale of features, unlabelled ones; never a test item. Every
/// choice is made by cross-validation that keeps patients together, within these labels.
/// </summary>
/// <remarks>
/// An arm has two members. Pretrained: a linear probe, whose C is chosen among seven by 3×5-fold cross-validation, and full fine-tuning. From scratch: full
/// training with a short and with a long schedule. The candidates are either member and the mean of both. The mean is the rule; a member alone is taken only if its
/// cross-validated log loss is lower by more than one standard error of the difference (Breiman et al. 1984, the one-standard-error rule): with twenty labels
/// cross-validation is mostly chance, and averaging loses little when either member would have been right.
/// </remarks>
internal static class ClassifierFit
{
    private const int ProbeFolds = 5, ProbeRepeats = 3;
    private const double DefaultC = 0.01;

    /// <summary>Raised when pretrained arms come to be fitted in another way, so that fits kept from before are not mixed with new ones.</summary>
    public const int Way = 2;

    public const string Probe = "probe", Full = "full", Short = "short", Long = "long", Mean = "mean";

    /// <summary>The members an arm has in a mode, with the schedule of those that are networks.</summary>
    public static IReadOnlyList<(string Name, Schedule? Schedule)> Members(Arm arm, FitSettings settings)
    {
        Schedule At(int steps, double encoder, double head) => new(Math.Max(5, (int)Math.Round(steps * settings.StepShare)), encoder * settings.RateShare, head * settings.RateShare);
        var sound = arm.Spec.Modality == Modalities.Sound;
        if (arm.Weights is null) return sound ? [(Short, At(150, 1e-3, 3e-3)), (Long, At(500, 1e-3, 3e-3))] : [(Short, At(80, 3e-4, 3e-3)), (Long, At(300, 3e-4, 3e-3))];
        // Large public networks move little and cost much a step; small ones are cheap and have further to go. On sounds pretrained weights get the rates and the steps of the longer training from scratch.
        var full = sound ? At(500, 1e-3, 3e-3) : arm.Spec.Architecture == "vit" ? At(120, 3e-4, 1e-3) : arm.Spec.Width >= 64 ? At(40, 1e-4, 1e-3) : At(100, 3e-4, 1e-3);
        return settings.Mode switch
        {
            FitMode.Probe => [(Probe, null)],
            FitMode.Full => [(Full, full)],
            _ => [(Probe, null), (Full, full)],
        };
    }

    /// <summary>Fits an arm.</summary>
    /// <param name="arm">The arm.</param>
    /// <param name="standard">The scale of its features; null from scratch.</param>
    /// <param name="items">The labels.</param>
    /// <param name="classes">Number of classes, K.</param>
    /// <param name="settings">What is fitted and how much is tried.</param>
    /// <param name="seed">Of everything random in this fit.</param>
    /// <param name="cancel">Looked at between steps.</param>
    public static FittedArm Fit(ArmAtWork arm, FeatureStandard? standard, IReadOnlyList<LabelledItem> items, int classes, FitSettings settings, int seed, CancellationToken cancel)
    {
        var labels = items.Select(i => i.Class).ToArray();
        var patients = items.Select(i => i.Patient).ToArray();
        var members = Members(arm.Arm, settings);
        var places = items.Select(i => i.Index).ToArray();
        var features = arm.Pretrained ? standard!.Apply(arm.Features(places)) : null;
        var c = features is null ? (double?)null : ChooseC(features, labels, patients, classes, seed);

        // The members fitted on some of the labels, by their places.
        FittedArm On(int[] part, int foldSeed)
        {
            var y = Array.ConvertAll(part, i => labels[i]);
            var probe = features is null ? null : LinearProbe.Fit(features.Rows(part), y, classes, c!.Value);
            var networks = new List<ClassifierNetwork>();
            var some = Array.ConvertAll(part, i => places[i]);
            foreach (var (name, schedule) in members)
            {
                if (schedule is null) continue;
                networks.Add(FullFineTuning.Fit(arm.Arm.Start(Seeds.Of(foldSeed, name), arm.Device), arm.Source, some, y, classes, schedule, settings, Seeds.Of(foldSeed, name), arm.Device, cancel));
            }
            return new FittedArm(arm, standard, members.Any(m => m.Schedule is null) ? probe : null, networks, members, null!);
        }

        var answer = members.Count == 1 ? members[0].Name : Mean;
        Dictionary<string, double>? losses = null;
        var folds = members.Count == 1 || settings.MemberFolds < 2 ? [] : PatientFolds.Of(labels, patients, settings.MemberFolds, Seeds.Random(seed, "member folds"));
        if (folds.Count > 0)
        {
            var loss = new Dictionary<string, double[]>();
            foreach (var (fold, f) in folds.Select((fold, f) => (fold, f)))
            {
                using var fitted = On(fold.Fit, Seeds.Of(seed, $"fold {f}"));
                var held = Array.ConvertAll(fold.HeldOut, i => places[i]);
                foreach (var (name, p) in fitted.Answers(arm.Source, held))
                {
                    if (!loss.TryGetValue(name, out var all)) loss[name] = all = Enumerable.Repeat(double.NaN, labels.Length).ToArray();
                    for (var i = 0; i < held.Length; i++) all[fold.HeldOut[i]] = LogLoss(p, i, labels[fold.HeldOut[i]]);
                }
            }
            answer = OneStandardError(loss, labels, patients, classes);
            losses = loss.ToDictionary(l => l.Key, l => WeightedMean(l.Value, labels, classes));
        }
        var result = On([.. Enumerable.Range(0, labels.Length)], Seeds.Of(seed, "all"));
        return result with { Choice = new FitChoice(answer, c, [.. members.Where(m => m.Schedule is not null).Select(m => m.Schedule!)], losses) };
    }

    // The C of least cross-validated log loss; the path over C starts each fit where the last one ended.
    private static double ChooseC(FeatureTable features, int[] labels, string[] patients, int classes, int seed)
    {
        var loss = new double[LinearProbe.Candidates.Count];
        var random = Seeds.Random(seed, "probe folds");
        var weight = LinearProbe.ClassWeights(labels, classes);
        for (var repeat = 0; repeat < ProbeRepeats; repeat++)
        {
            var folds = PatientFolds.Of(labels, patients, ProbeFolds, random);
            if (folds.Count == 0) return DefaultC;
            foreach (var fold in folds)
            {
                var (fit, held) = (features.Rows(fold.Fit), features.Rows(fold.HeldOut));
                LinearProbe? probe = null;
                for (var c = 0; c < loss.Length; c++)
                {
                    probe = LinearProbe.Fit(fit, Array.ConvertAll(fold.Fit, i => labels[i]), classes, LinearProbe.Candidates[c], probe);
                    var p = probe.Predict(held);
                    for (var i = 0; i < fold.HeldOut.Length; i++) loss[c] += weight[labels[fold.HeldOut[i]]] * LogLoss(p, i, labels[fold.HeldOut[i]]);
                }
            }
        }
        return LinearProbe.Candidates[Array.IndexOf(loss, loss.Min())];
    }

    // The mean of both members, unless another candidate's loss is lower by more than a standard error of the paired difference; patients are the units of that error.
    private static string OneStandardError(Dictionary<string, double[]> loss, int[] labels, string[] patients, int classes)
    {
        var weight = LinearProbe.ClassWeights(labels, classes);
        var (best, bestGain) = (Mean, 0.0);
        foreach (var (name, values) in loss)
        {
            if (name == Mean) continue;
            var gains = Enumerable.Range(0, labels.Length).Where(i => !double.IsNaN(values[i])).GroupBy(i => patients[i])
                .Select(g => g.Sum(i => weight[labels[i]] * (loss[Mean][i] - values[i]))).ToArray();
            if (gains.Length < 2) continue;
            var mean = gains.Average();
            var error = Math.Sqrt(gains.Sum(g => (g - mean) * (g - mean)) / (gains.Length - 1) / gains.Length);
            if (mean > error && mean > bestGain) (best, bestGain) = (name, mean);
        }
        return best;
    }

    private static double WeightedMean(double[] loss, int[] labels, int classes)
    {
        var weight = LinearProbe.ClassWeights(labels, classes);
        double sum = 0, all = 0;
        for (var i = 0; i < loss.Length; i++) if (!double.IsNaN(loss[i])) (sum, all) = (sum + weight[labels[i]] * loss[i], all + weight[labels[i]]);
        return sum / all;
    }

    private static double LogLoss(Probabilities p, int i, int label) => -Math.Log(Math.Max(1e-6, p[i, label]));
}

/// <summary>A fitted arm with all its members.</summary>
internal sealed record FittedArm(
    ArmAtWork Arm, FeatureStandard? Standard, LinearProbe? Probe, IReadOnlyList<ClassifierNetwork> Networks, IReadOnlyList<(string Name, Schedule? Schedule)> Members, FitChoice Choice) : IDisposable
{
    /// <summary>What each member says, and their mean where there are two.</summary>
    public Dictionary<string, Probabilities> Answers(ItemSource source, int[] items, FeatureTable? features = null)
    {
        var answers = new Dictionary<string, Probabilities>();
        var network = 0;
        foreach (var (name, schedule) in Members)
            answers[name] = schedule is null ? Probe!.Predict(Standard!.Apply(features ?? Arm.Features(items))) : Networks[network++].Predict(source, items, Arm.Device);
        if (Members.Count == 2) answers[ClassifierFit.Mean] = Probabilities.Mean(answers[Members[0].Name], answers[Members[1].Name]);
        return answers;
    }

    public void Dispose()
    {
        foreach (var network in Networks) network.Dispose();
    }
}
