using System.Security.Cryptography;
using System.Text.Json;
using DomainSsl.Learning.Encoders;
using DomainSsl.Learning.Evaluation;
using static TorchSharp.torch;

namespace DomainSsl.Learning.FineTuning;

/// <summary>An arm with the shard that holds the task's images at its resolution, or its sounds.</summary>
/// <param name="Arm">What is fitted.</param>
/// <param name="Shard">The same items in the same order for every arm.</param>
public sealed record TaskArm(Arm Arm, string Shard);

/// <summary>What pressing "Train" asks for.</summary>
public sealed record TaskTrainingRequest
{
    /// <summary>The arms, the clinic's own encoder first; the others are what it is compared with.</summary>
    public required IReadOnlyList<TaskArm> Arms { get; init; }

    /// <summary>All labelled images or sounds of the task; <see cref="LabelledItem.Index"/> is the place in every arm's shard.</summary>
    public required IReadOnlyList<LabelledItem> Labelled { get; init; }

    /// <summary>The task's test patients, frozen before the first label. Their labelled items are scored and never fitted.</summary>
    public required IReadOnlySet<string> TestPatients { get; init; }

    /// <summary>Unlabelled ones (places in the shards) that set the scale of features, none of test patients; without any, the labelled ones do.</summary>
    public IReadOnlyList<int> Unlabelled { get; init; } = [];

    /// <summary>Names of the classes; with two, the second is the finding.</summary>
    public required IReadOnlyList<string> Classes { get; init; }

    /// <summary>How much is tried.</summary>
    public FitSettings Settings { get; init; } = FitSettings.Quick;

    /// <summary>Of everything random.</summary>
    public long Seed { get; init; } = 1;

    /// <summary>Whom the items are of, in the plural: patients, speakers; or the items themselves, where that is not known of all.</summary>
    public string Who { get; init; } = "patients";

    /// <summary>Where every finished fit is kept, so that a training that is killed goes on from there; null to keep none.</summary>
    public string? FitsFolder { get; init; }

    /// <summary>Where the first arm's classifier goes (<see cref="Classifier"/>), or null to keep none.</summary>
    public string? ClassifierFolder { get; init; }

    /// <summary><c>auto</c>, <c>cpu</c> or <c>cuda</c>.</summary>
    public string Device { get; init; } = "auto";
}

/// <summary>The figures of one arm.</summary>
/// <param name="Arm">Its name.</param>
/// <param name="Members">By member (<c>probe</c>, <c>full</c>, from scratch <c>short</c>, <c>long</c>; <c>mean</c>): figures on the test patients. Empty where there are none.</param>
/// <param name="Metrics">The chosen answer's figures on the test patients. Empty where there are none.</param>
/// <param name="CrossValidated">The figures of cross-validation by patient on the labels that were fitted, where test patients are few.</param>
/// <param name="Choice">What was chosen.</param>
public sealed record ArmResult(string Arm, IReadOnlyDictionary<string, IReadOnlyDictionary<string, Interval>> Members, IReadOnlyDictionary<string, Interval> Metrics,
    IReadOnlyDictionary<string, Interval>? CrossValidated, FitChoice Choice);

/// <summary>The clinic's own encoder less another arm.</summary>
/// <param name="Arm">The first arm.</param>
/// <param name="Against">The other.</param>
/// <param name="Auroc">The paired difference.</param>
/// <param name="CrossValidated">Whether it comes from cross-validation, because test patients are few.</param>
/// <param name="Finding">What the interval says.</param>
/// <param name="Sentence">The same in words.</param>
public sealed record ArmComparison(string Arm, string Against, Interval Auroc, bool CrossValidated, Finding Finding, string Sentence);

/// <summary>What training a task gave.</summary>
public sealed record TaskTrainingResult
{
    /// <summary>Labels fitted.</summary>
    public required int TrainItems { get; init; }

    /// <summary>Patients they are of.</summary>
    public required int TrainPatients { get; init; }

    /// <summary>Labelled items of test patients.</summary>
    public required int TestItems { get; init; }

    /// <summary>Test patients with a label.</summary>
    public required int TestPatients { get; init; }

    /// <summary>Every arm's figures, in the order asked.</summary>
    public required IReadOnlyList<ArmResult> Arms { get; init; }

    /// <summary>The first arm against each other.</summary>
    public required IReadOnlyList<ArmComparison> Comparisons { get; init; }

    /// <summary>In plain words what pretraining was worth, from the intervals alone.</summary>
    public required string Verdict { get; init; }
}

/// <summary>Trains a clinician's task on every arm, tests it on patients nobody looked at, and says what pretraining was worth.</summary>
public static class TaskTraining
{
    /// <summary>With fewer test patients of any class than this, cross-validation on the labels is reported beside the test.</summary>
    public const int FewTestPatients = 15;

    private const int Folds = 3;

    /// <summary>Fits every arm and scores it.</summary>
    /// <exception cref="LearningException">The labels do not allow it; the sentence says what is missing.</exception>
    public static TaskTrainingResult Run(TaskTrainingRequest request, IProgress<FitProgress>? progress, CancellationToken cancel)
    {
        var train = request.Labelled.Where(i => !request.TestPatients.Contains(i.Patient)).ToArray();
        var test = request.Labelled.Where(i => request.TestPatients.Contains(i.Patient)).ToArray();
        Check(request, train);
        var classes = request.Classes.Count;
        var testable = test.Select(i => i.Class).Distinct().Count() == classes;
        var few = !testable || ClassificationMetrics.RarestClass([.. test.Select(i => i.Class)], [.. test.Select(i => i.Patient)]) < FewTestPatients;
        var folds = few ? PatientFolds.Of([.. train.Select(i => i.Class)], [.. train.Select(i => i.Patient)], Folds, Seeds.Random(request.Seed, "task folds")) : [];

        int[] heldOut = [.. folds.SelectMany(f => f.HeldOut).Order()];
        LabelledItem[] validation = [.. heldOut.Select(i => train[i])];

        var finished = request.FitsFolder is null ? null : new FinishedFits<FinishedTaskFit>(Path.Combine(request.FitsFolder, $"task-{Key(request)}.jsonl"), f => (f.Arm, f.Fold));
        // The first arm's fit counts only with its classifier, which was saved before it.
        bool IsThere(int arm, int fold) => finished?.Get(arm, fold) is not null && (arm > 0 || fold >= 0 || request.ClassifierFolder is null || Directory.Exists(request.ClassifierFolder));
        var pieces = Enumerable.Range(-1, folds.Count + 1).ToList();
        var total = request.Arms.Count * pieces.Count;
        var (done, fitted) = (Enumerable.Range(0, request.Arms.Count).Sum(a => pieces.Count(f => IsThere(a, f))), 0);
        var clock = System.Diagnostics.Stopwatch.StartNew();
        void Step(string what)
        {
            lock (clock) progress?.Report(new FitProgress(++done, total, what, clock.Elapsed.TotalSeconds / ++fitted));
        }
        var (arms, tested, validated) = (new List<ArmResult>(), new List<Probabilities?>(), new List<Probabilities?>());
        for (var a = 0; a < request.Arms.Count; a++)
        {
            var fits = Fit(a);
            var whole = fits[-1];
            var crossValidated = folds.Count == 0 ? null : new Probabilities(classes, Together(fits)).Rows(heldOut);
            var answers = test.Length == 0 ? [] : whole.Answers.ToDictionary(m => m.Key, m => new Probabilities(classes, m.Value));
            var figures = answers.ToDictionary(m => m.Key, m => Metrics(request, m.Value, test));
            arms.Add(new ArmResult(request.Arms[a].Arm.Name, figures, test.Length == 0 ? new Dictionary<string, Interval>() : figures[whole.Choice.Answer],
                crossValidated is null ? null : Metrics(request, crossValidated, validation), whole.Choice));
            tested.Add(testable ? answers[whole.Choice.Answer] : null);
            validated.Add(crossValidated);
        }

        // What the folds say of the items they held out, by their places among the labels.
        double[] Together(IReadOnlyDictionary<int, FinishedTaskFit> fits)
        {
            var values = new double[train.Length * classes];
            foreach (var (fold, f) in folds.Select((fold, f) => (fold, f)))
                for (var i = 0; i < fold.HeldOut.Length; i++) fits[f].Answers[fits[f].Choice.Answer].AsSpan(i * classes, classes).CopyTo(values.AsSpan(fold.HeldOut[i] * classes));
            return values;
        }

        // An arm's fit on all labels (-1), and one for each fold. Each fold is a whole fit of its own; the mean of both members needs no choice, so nothing is chosen on what is held out.
        Dictionary<int, FinishedTaskFit> Fit(int a)
        {
            var fits = pieces.Where(f => IsThere(a, f)).ToDictionary(f => f, f => finished!.Get(a, f)!);
            int[] missing = [.. pieces.Where(f => !fits.ContainsKey(f))];
            if (missing.Length == 0) return fits;
            var entry = request.Arms[a];
            using var source = ItemSource.Open(entry.Shard, entry.Arm.Spec);
            using var arm = new ArmAtWork(entry.Arm, source, Devices.Choose(request.Device));
            var seed = Seeds.Of(request.Seed, $"task {entry.Arm.Name}");
            var standard = arm.Pretrained ? FeatureStandard.Of(arm.Features(ScaleOf(request, train))) : null;
            // Beforehand and at once: the fits side by side then only read them.
            if (arm.Pretrained) arm.Features([.. request.Labelled.Select(l => l.Index).Distinct()]);
            SideBySide.Run(missing, arm.Device, (f, stop) =>
            {
                var (items, settings, own, asked) = f < 0 ? (train, request.Settings, seed, test)
                    : ([.. folds[f].Fit.Select(i => train[i])], request.Settings with { MemberFolds = 0 }, Seeds.Of(seed, $"task fold {f}"), [.. folds[f].HeldOut.Select(i => train[i])]);
                using var fit = ClassifierFit.Fit(arm, standard, items, classes, settings, own, stop);
                var answers = asked.Length == 0 ? [] : fit.Answers(arm.Source, [.. asked.Select(i => i.Index)]).ToDictionary(m => m.Key, m => m.Value.Values.ToArray());
                if (a == 0 && f < 0 && request.ClassifierFolder is { } folder)
                {
                    using var classifier = Classifier.From(fit, request.Classes);
                    classifier.Save(folder);
                }
                var one = new FinishedTaskFit(a, f, fit.Choice, answers);
                lock (fits)
                {
                    fits[f] = one;
                    finished?.Add(one);
                }
                Step(f < 0 ? $"{entry.Arm.Name}: fitted on {train.Length} labels" : $"{entry.Arm.Name}: cross-validation {f + 1} of {folds.Count}");
            }, cancel, alike: folds.Count > 0); // where fits go side by side, one that is left over has a core too: it then ends to the bit as it would have beside them
            return fits;
        }

        var comparisons = new List<ArmComparison>();
        for (var a = 1; a < arms.Count; a++)
        {
            // With few test patients the labels' own cross-validation has more to say; with enough, the test patients alone speak.
            var crossValidated = few && validated[0] is not null;
            var (mine, other, items) = crossValidated ? (validated[0], validated[a], validation) : (tested[0], tested[a], test);
            if (mine is null || other is null) continue;
            var difference = Difference(request, mine, other, items);
            var c = new Compared(arms[0].Arm, arms[a].Arm, train.Length, difference);
            comparisons.Add(new ArmComparison(c.Arm, c.Against, difference, crossValidated, Verdict.Of(difference), Verdict.Sentence(c, who: request.Who)));
        }
        return new TaskTrainingResult
        {
            TrainItems = train.Length,
            TrainPatients = train.Select(i => i.Patient).Distinct().Count(),
            TestItems = test.Length,
            TestPatients = test.Select(i => i.Patient).Distinct().Count(),
            Arms = arms,
            Comparisons = comparisons,
            Verdict = Say(arms, comparisons, train.Length, testable, request.Who),
        };
    }

    // What the fits of a folder depend on. The weights stand by their path: they never change under it.
    private static string Key(TaskTrainingRequest request) => Convert.ToHexStringLower(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(new
    {
        Arms = request.Arms.Select(a => new { a.Arm, a.Shard }), request.Labelled, TestPatients = request.TestPatients.Order(StringComparer.Ordinal), request.Unlabelled, request.Classes, request.Settings, request.Seed,
        ClassifierFit.Way,
    }, LearningJson.Options)))[..16];

    private static void Check(TaskTrainingRequest request, LabelledItem[] train)
    {
        if (request.Arms.Count == 0) throw new LearningException("No encoder was named; choose one, or train from scratch.");
        var items = request.Arms[0].Arm.Spec.Modality == Modalities.Sound ? "recordings" : "images";
        for (var k = 0; k < request.Classes.Count; k++)
        {
            var n = train.Count(i => i.Class == k);
            if (n < LabelDraws.LeastOfAClass)
                throw new LearningException($"'{request.Classes[k]}' has {n} labelled {items} outside the test {request.Who}; label at least {LabelDraws.LeastOfAClass - n} more of it.");
        }
    }

    // At most 400: whoever waits at the screen need not wait for more.
    private static int[] ScaleOf(TaskTrainingRequest request, LabelledItem[] train)
    {
        var all = request.Unlabelled.Concat(train.Select(i => i.Index)).Distinct().ToArray();
        Seeds.Random(request.Seed, "pool").Shuffle(all);
        return [.. all.Take(400)];
    }

    private static IReadOnlyDictionary<string, Interval> Metrics(TaskTrainingRequest request, Probabilities p, LabelledItem[] items) =>
        ClassificationMetrics.Of(p, [.. items.Select(i => i.Class)], [.. items.Select(i => i.Patient)], request.Classes, Seeds.Of(request.Seed, "test patients"));

    private static Interval Difference(TaskTrainingRequest request, Probabilities a, Probabilities b, LabelledItem[] items)
    {
        int[] labels = [.. items.Select(i => i.Class)];
        string[] patients = [.. items.Select(i => i.Patient)];
        var (first, second) = (new Auroc(a, labels), new Auroc(b, labels));
        return new GroupBootstrap(patients, Seeds.Of(request.Seed, "test patients"))
            .Of(w => first.Weighted(w) - second.Weighted(w), -1, 1, ClassificationMetrics.RarestClass(labels, patients));
    }

    private static string Say(List<ArmResult> arms, List<ArmComparison> comparisons, int labels, bool testable, string people)
    {
        var own = arms[0];
        var figure = testable && own.Metrics.TryGetValue("auroc", out var auroc) ? $"On {people} it was not fitted on, {own.Arm} reaches an AUROC of {auroc}."
            : own.CrossValidated is { } cv && cv.TryGetValue("auroc", out auroc) ? $"The test {people} do not have every class yet; cross-validated on the {labels} labels, {own.Arm} reaches an AUROC of {auroc}."
            : $"There are too few labels to test it; label more {people} of every class.";
        return string.Join(' ', comparisons.OrderBy(c => c.Against != Arm.Scratch).Select(c => c.Sentence).Prepend(figure));
    }
}

/// <summary>One finished fit of a task as it stands on disk: the arm by its place, the fold (-1: all labels), and by member the probabilities it gave the test items, or those held out, N·K in rows.</summary>
internal sealed record FinishedTaskFit(int Arm, int Fold, FitChoice Choice, IReadOnlyDictionary<string, double[]> Answers);
