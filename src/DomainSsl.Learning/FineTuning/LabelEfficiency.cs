using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using DomainSsl.Learning.Encoders;
using DomainSsl.Learning.Evaluation;
using static TorchSharp.torch;

namespace DomainSsl.Learning.FineTuning;

/// <summary>An arm with its images at its own resolution, or its sounds; both shards hold the same items in the same order for every arm.</summary>
/// <param name="Arm">What is compared.</param>
/// <param name="TrainShard">Holds the training items.</param>
/// <param name="TestShard">Holds the test items; may be the same file.</param>
public sealed record LabelEfficiencyArm(Arm Arm, string TrainShard, string TestShard);

/// <summary>What is asked: what pretraining is worth, in labels.</summary>
public sealed record LabelEfficiencyRequest
{
    /// <summary>The arms, the one of interest first. One from scratch (<see cref="Arm.FromScratch"/>) must be among them.</summary>
    public required IReadOnlyList<LabelEfficiencyArm> Arms { get; init; }

    /// <summary>Items labels are drawn from; <see cref="LabelledItem.Index"/> is the place in every arm's train shard. All of them, unlabelled, also set the scale of features.</summary>
    public required IReadOnlyList<LabelledItem> Train { get; init; }

    /// <summary>Items that are only ever scored; <see cref="LabelledItem.Index"/> is the place in every arm's test shard.</summary>
    public required IReadOnlyList<LabelledItem> Test { get; init; }

    /// <summary>Names of the classes; with two, the second is the finding.</summary>
    public required IReadOnlyList<string> Classes { get; init; }

    /// <summary>Numbers of labels.</summary>
    public IReadOnlyList<int> Budgets { get; init; } = [10, 20, 50, 100, 200];

    /// <summary>Draws of labels.</summary>
    public int Repeats { get; init; } = 10;

    /// <summary>Whether every class is drawn as often; else they come as they do among the training items.</summary>
    public bool Balanced { get; init; }

    /// <summary>What is fitted and how much is tried, for every arm alike.</summary>
    public FitSettings Settings { get; init; } = new();

    /// <summary>Of draws, fits and resampling.</summary>
    public long Seed { get; init; } = 1;

    /// <summary>Whom the items are of, in the plural: patients, speakers; or the items themselves, where that is not known of all.</summary>
    public string Who { get; init; } = "patients";

    /// <summary>In what way the shards were prepared: another way is never mixed with the fits kept from this one.</summary>
    public string Preparation { get; init; } = "";

    /// <summary>Where every finished fit is kept; a run on the same folder goes on from there.</summary>
    public required string Folder { get; init; }

    /// <summary><c>auto</c>, <c>cpu</c> or <c>cuda</c>.</summary>
    public string Device { get; init; } = "auto";
}

/// <summary>How far a comparison is.</summary>
/// <param name="Done">Fits done, those taken over from before included.</param>
/// <param name="Total">Fits in all.</param>
/// <param name="What">The fit just done, in words.</param>
/// <param name="SecondsPerFit">Mean so far, or null before the first.</param>
public sealed record FitProgress(int Done, int Total, string What, double? SecondsPerFit);

/// <summary>An arm at a number of labels: mean over draws with its 95 % interval, and the figure of every draw.</summary>
public sealed record ArmFigure(string Arm, int Budget, double Mean, double Low, double High, IReadOnlyList<double> Values);

/// <summary>The same for one member (<c>probe</c>, <c>full</c>, <c>short</c>, <c>long</c>, <c>mean</c>) of an arm.</summary>
public sealed record MemberFigure(string Arm, string Member, int Budget, double Mean, double Low, double High, IReadOnlyList<double> Values);

/// <summary>An arm less the one from scratch, paired over draws and test patients.</summary>
public sealed record DifferenceFigure(string Arm, int Budget, double Mean, double Low, double High);

/// <summary>An arm less any other, paired likewise.</summary>
public sealed record ComparisonFigure(string Arm, string Against, int Budget, double Mean, double Low, double High, Finding Finding);

/// <summary>An arm on the items of one test patient: AUROC (null where the patient has not every class) and the share answered right, means over draws.</summary>
public sealed record PatientFigure(string Arm, int Budget, string Patient, int Items, double? Auroc, double Accuracy);

/// <summary>What was chosen in one fit.</summary>
public sealed record DrawChoice(string Arm, int Budget, int Draw, FitChoice Choice, double Seconds);

/// <summary>What pretraining is worth.</summary>
public sealed record LabelEfficiencyResult
{
    /// <summary>The figure's name.</summary>
    public required string Metric { get; init; }

    /// <summary>Every arm at every number of labels.</summary>
    public required IReadOnlyList<ArmFigure> Arms { get; init; }

    /// <summary>Every arm less <c>scratch</c>.</summary>
    public required IReadOnlyList<DifferenceFigure> Differences { get; init; }

    /// <summary>The first arm less every other, scratch included.</summary>
    public required IReadOnlyList<ComparisonFigure> Comparisons { get; init; }

    /// <summary>Labels from scratch that do as much.</summary>
    public required IReadOnlyList<LabelsSaved> LabelsSaved { get; init; }

    /// <summary>In plain words, from the intervals.</summary>
    public required string Verdict { get; init; }

    /// <summary>Each member of each arm by itself.</summary>
    public required IReadOnlyList<MemberFigure> Members { get; init; }

    /// <summary>What was chosen in each fit, and how long it took.</summary>
    public required IReadOnlyList<DrawChoice> Choices { get; init; }

    /// <summary>Balanced accuracy of every arm: the mean over classes of the share that is found.</summary>
    public IReadOnlyList<ArmFigure> BalancedAccuracy { get; init; } = [];

    /// <summary>Balanced accuracy of every arm less that of <c>scratch</c>.</summary>
    public IReadOnlyList<DifferenceFigure> BalancedAccuracyDifferences { get; init; } = [];

    /// <summary>Each test patient, where they are so few that an interval over them says little.</summary>
    public IReadOnlyList<PatientFigure> Patients { get; init; } = [];

    /// <summary>Test items.</summary>
    public required int TestItems { get; init; }

    /// <summary>Test patients.</summary>
    public required int TestPatients { get; init; }

    /// <summary>What <see cref="TestPatients"/> counts, as <see cref="LabelEfficiencyRequest.Who"/> has it.</summary>
    public string Who { get; init; } = "patients";

    /// <summary>The figure of this result.</summary>
    /// <param name="title">Its heading.</param>
    /// <param name="names">What people call the arms.</param>
    public Figure Figure(string title, IReadOnlyDictionary<string, string>? names = null) => new(title, Metric.ToUpperInvariant(),
        Arms[0].Values.Count < DrawWeights.FewestDraws ? $"One draw of labels, {TestPatients} test {Who}: too few draws for an interval." : $"Lines are 95 % intervals over {Arms[0].Values.Count} draws of labels and {TestPatients} test {Who}.",
        [.. Arms.Select(a => new FigurePoint(names?.GetValueOrDefault(a.Arm) ?? a.Arm, a.Budget, new Interval(a.Mean, a.Low, a.High)))]);

    /// <summary>Writes <c>label-efficiency.svg</c>, <c>.png</c> and <c>.csv</c> (arm, budget, draw, value) into a folder.</summary>
    /// <param name="folder">Where to.</param>
    /// <param name="names">What people call the arms: the figure is for them; the table keeps the ids.</param>
    /// <param name="title">The figure's heading.</param>
    public void Write(string folder, IReadOnlyDictionary<string, string>? names = null, string title = "What pretraining is worth") =>
        ComparisonFiles.Write(folder, Figure(title, names), $"arm,budget,draw,{Metric}", Arms.SelectMany(a => a.Values.Select((v, r) => (a.Arm, FormattableString.Invariant($"{a.Budget},{r + 1},{v:0.000000}")))));
}

/// <summary>
/// What pretraining is worth, as a methods section: draw labels (<see cref="LabelDraws"/>), the same for every arm; fit each arm with the same search
/// (<see cref="ClassifierFit"/>), which never sees a test item; score on the test patients; resample test patients and weigh draws (<see cref="DrawWeights"/>) together, the
/// same for every arm, so that differences are paired (after the pigeonhole bootstrap of Owen, Annals of Applied Statistics 1, 2007); say what the intervals allow (<see cref="Verdict"/>).
/// </summary>
public static class LabelEfficiency
{
    /// <summary>Up to so many test patients each one's figures stand in the result.</summary>
    public const int FewPatients = 12;

    /// <summary>Runs or goes on with a comparison. Every finished fit is on disk before the next begins.</summary>
    /// <exception cref="LearningException">The request cannot be carried out; the sentence says why.</exception>
    public static LabelEfficiencyResult Run(LabelEfficiencyRequest request, IProgress<FitProgress>? progress, CancellationToken cancel)
    {
        Check(request);
        var labels = request.Train.Select(i => i.Class).ToArray();
        var budgets = request.Budgets.Distinct().Order().ToArray();
        var draws = LabelDraws.Of(labels, [.. request.Train.Select(i => i.Patient)], request.Classes.Count, budgets, request.Repeats, request.Seed, request.Balanced);
        var done = request.Arms.ToDictionary(a => a.Arm.Name, a => FinishedFits.Open(request, a));
        var total = request.Arms.Count * budgets.Length * draws.Length;
        // A folder may hold fits of more draws or numbers of labels than are asked for now.
        int Done() => done.Values.Sum(fits => budgets.Sum(b => Enumerable.Range(0, draws.Length).Count(r => fits.Get(b, r) is not null)));
        var (clock, fitted) = (System.Diagnostics.Stopwatch.StartNew(), 0);
        progress?.Report(new FitProgress(Done(), total, Plan(request), null));

        foreach (var entry in request.Arms)
        {
            var wanted = (from r in Enumerable.Range(0, draws.Length) from b in budgets where done[entry.Arm.Name].Get(b, r) is null select (Draw: r, Budget: b)).ToList();
            if (wanted.Count == 0) continue;
            using var train = ItemSource.Open(entry.TrainShard, entry.Arm.Spec);
            using var test = ItemSource.Open(entry.TestShard, entry.Arm.Spec);
            using var arm = new ArmAtWork(entry.Arm, train, Devices.Choose(request.Device));
            var standard = arm.Pretrained ? FeatureStandard.Of(arm.Features(Pool(request))) : null;
            var testIndices = request.Test.Select(i => i.Index).ToArray();
            var testFeatures = arm.Pretrained ? arm.Embed(test, testIndices) : null;
            // Beforehand and at once: the fits side by side then only read them.
            if (arm.Pretrained) arm.Features([.. wanted.SelectMany(w => draws[w.Draw].Take(w.Budget)).Distinct().Select(i => request.Train[i].Index)]);
            SideBySide.Run(wanted, arm.Device, (w, stop) =>
            {
                var (draw, budget) = w;
                var began = clock.Elapsed;
                var items = draws[draw].Take(budget).Select(i => request.Train[i]).ToArray();
                using var fit = ClassifierFit.Fit(arm, standard, items, request.Classes.Count, request.Settings, Seeds.Of(request.Seed, $"fit {entry.Arm.Name} {budget} {draw}"), stop);
                var answers = fit.Answers(test, testIndices, testFeatures);
                var finished = new FinishedFit(budget, draw, fit.Choice, Math.Round((clock.Elapsed - began).TotalSeconds, 2),
                    answers.ToDictionary(a => a.Key, a => a.Value.Values.ToArray().Select(v => (float)v).ToArray()));
                lock (done)
                {
                    done[entry.Arm.Name].Add(finished);
                    fitted++;
                    progress?.Report(new FitProgress(Done(), total, $"{entry.Arm.Name}, {budget} labels, draw {draw + 1}", clock.Elapsed.TotalSeconds / fitted));
                }
            }, cancel, alike: true);
        }
        return Summarise(request, budgets, draws.Length, done);
    }

    /// <summary>What a request costs, in words: fits, and steps of each arm's networks.</summary>
    public static string Plan(LabelEfficiencyRequest request)
    {
        var fits = request.Budgets.Distinct().Count() * request.Repeats;
        var parts = request.Arms.Select(a =>
        {
            var members = ClassifierFit.Members(a.Arm, request.Settings);
            var rounds = 1 + (members.Count > 1 && request.Settings.MemberFolds > 1 ? request.Settings.MemberFolds : 0);
            var steps = $"{a.Arm.Name} {fits * rounds * members.Sum(m => m.Schedule?.Steps ?? 0):N0} steps";
            return a.Arm.Spec.Modality == Modalities.Sound ? steps : $"{steps} at {a.Arm.Spec.Resolution}×{a.Arm.Spec.Resolution}";
        });
        return $"{request.Arms.Count} arms with {fits} fits each; at most {string.Join(", ", parts)}, {FullFineTuning.LargestBatch} items a step at most";
    }

    // At most 1,000 items set the scale of features: more change the third digit of a deviation.
    private static int[] Pool(LabelEfficiencyRequest request)
    {
        var all = request.Train.Select(i => i.Index).Distinct().ToArray();
        Seeds.Random(request.Seed, "pool").Shuffle(all);
        return [.. all.Take(1000)];
    }

    private static void Check(LabelEfficiencyRequest request)
    {
        if (request.Classes.Count < 2) throw new LearningException("There is only one class; a comparison needs at least two.");
        if (!request.Arms.Any(a => a.Arm is { Name: Arm.Scratch, Weights: null })) throw new LearningException("The comparison has no arm from scratch; add it.");
        if (request.Arms.Select(a => a.Arm.Spec.Modality).Distinct().Count() > 1) throw new LearningException("Some arms take images and some take sounds; compare encoders of one kind.");
        if (request.Arms.Select(a => a.Arm.Name).Distinct().Count() < request.Arms.Count) throw new LearningException("Two arms have the same name; name each encoder once.");
        if (request.Test.Count == 0) throw new LearningException("There are no test items; give a table of labels that were not trained on.");
        if (request.Test.Select(i => i.Class).Distinct().Count() < request.Classes.Count) throw new LearningException("The test items lack a class; every class must be among them.");
        var shared = request.Train.Select(i => i.Patient).Intersect(request.Test.Select(i => i.Patient)).Take(3).ToList();
        if (shared.Count > 0) throw new LearningException($"Some patients are in both tables ({string.Join(", ", shared)}); a patient must be in one only.");
    }

    private static LabelEfficiencyResult Summarise(LabelEfficiencyRequest request, int[] budgets, int draws, Dictionary<string, FinishedFits<FinishedFit>> done)
    {
        var labels = request.Test.Select(i => i.Class).ToArray();
        var patients = request.Test.Select(i => i.Patient).ToArray();
        var classes = request.Classes.Count;
        var arms = request.Arms.Select(a => a.Arm.Name).ToArray();

        // One curve for each arm, member, budget and draw; "" is the chosen answer. What was decided, of the chosen answers alone.
        var curves = new Dictionary<(string Arm, string Member, int Budget), Auroc[]>();
        var decided = new Dictionary<(string Arm, int Budget), (Probabilities[] Answers, WeightedStatistic[] Accuracy)>();
        var choices = new List<DrawChoice>();
        foreach (var arm in arms)
        {
            foreach (var budget in budgets)
            {
                var fits = Enumerable.Range(0, draws).Select(r => done[arm].Get(budget, r)!).ToArray();
                Probabilities[] Said(string member) => [.. fits.Select(f => new Probabilities(classes, Array.ConvertAll(f.Answers[member.Length == 0 ? f.Choice.Answer : member], p => (double)p)))];
                foreach (var member in fits[0].Answers.Keys.Append("")) curves[(arm, member, budget)] = Array.ConvertAll(Said(member), p => new Auroc(p, labels));
                decided[(arm, budget)] = (Said(""), Array.ConvertAll(Said(""), p => new Confusion(p, labels).BalancedAccuracy));
                choices.AddRange(fits.Select(f => new DrawChoice(arm, budget, f.Draw + 1, f.Choice, f.Seconds)));
            }
        }

        // Test patients are resampled and draws weighted together; replicate b of every mean is on the same ones.
        var bootstrap = new GroupBootstrap(patients, Seeds.Of(request.Seed, "test patients"));
        var drawing = new DrawWeights(draws, Seeds.Random(request.Seed, "draws"));
        var means = curves.Keys.ToDictionary(k => k, _ => new double[bootstrap.Resamples]);
        var right = decided.Keys.ToDictionary(k => k, _ => new double[bootstrap.Resamples]);
        bootstrap.ForEach((b, weights) =>
        {
            var share = drawing.Next();
            foreach (var (key, curve) in curves)
                for (var r = 0; r < draws; r++) means[key][b] += share[r] * curve[r].Weighted(weights);
            foreach (var (key, (_, accuracy)) in decided)
                for (var r = 0; r < draws; r++) right[key][b] += share[r] * accuracy[r](weights);
        });
        var values = curves.ToDictionary(c => c.Key, c => c.Value.Select(a => a.Value).ToArray());
        var rarest = ClassificationMetrics.RarestClass(labels, patients);
        Interval Of(double value, double[] replicates, double lowest) => GroupBootstrap.Percentiles(value, replicates, rarest, bootstrap.Groups, lowest, 1, draws);
        Interval Mean((string, string, int) key) => Of(values[key].Average(), means[key], 0);
        Interval Difference(string arm, string against, int budget)
        {
            var (a, b) = ((arm, "", budget), (against, "", budget));
            return Of(values[a].Average() - values[b].Average(), [.. means[a].Zip(means[b], (x, y) => x - y)], -1);
        }

        int[] ones = [.. labels.Select(_ => 1)];
        double[] Found(string arm, int budget) => Array.ConvertAll(decided[(arm, budget)].Accuracy, a => a(ones));
        Interval Right(string arm, int budget) => Of(Found(arm, budget).Average(), right[(arm, budget)], 0);
        PatientFigure OnPatient(string arm, int budget, string patient)
        {
            int[] mine = [.. Enumerable.Range(0, labels.Length).Where(i => patients[i] == patient)], own = [.. mine.Select(i => labels[i])];
            var answers = Array.ConvertAll(decided[(arm, budget)].Answers, p => p.Rows(mine));
            double? auroc = own.Distinct().Count() == classes ? answers.Average(p => new Auroc(p, own).Value) : null;
            return new PatientFigure(arm, budget, patient, mine.Length, auroc, answers.Average(p => Enumerable.Range(0, own.Length).Count(i => p.Best(i) == own[i]) / (double)own.Length));
        }

        var figures = (from a in arms from b in budgets let i = Mean((a, "", b)) select new ArmFigure(a, b, i.Value, i.Low, i.High, values[(a, "", b)])).ToList();
        var scratch = figures.Where(f => f.Arm == Arm.Scratch).Select(f => (f.Budget, f.Mean)).ToList();
        var comparisons = (from other in arms.Skip(1)
                           from b in budgets
                           let d = Difference(arms[0], other, b)
                           select new ComparisonFigure(arms[0], other, b, d.Value, d.Low, d.High, Verdict.Of(d))).ToList();
        var differences = (from a in arms where a != Arm.Scratch from b in budgets let d = Difference(a, Arm.Scratch, b) select new DifferenceFigure(a, b, d.Value, d.Low, d.High)).ToList();
        var saved = differences.ConvertAll(d => LabelsSaved.Of(d.Arm, d.Budget, new Interval(d.Mean, d.Low, d.High), scratch));
        return new LabelEfficiencyResult
        {
            Metric = "auroc",
            Arms = figures,
            Differences = differences,
            Comparisons = comparisons,
            LabelsSaved = saved,
            BalancedAccuracy = [.. from a in arms from b in budgets let i = Right(a, b) select new ArmFigure(a, b, i.Value, i.Low, i.High, Found(a, b))],
            BalancedAccuracyDifferences = [.. from a in arms where a != Arm.Scratch from b in budgets
                                              let i = Of(Found(a, b).Average() - Found(Arm.Scratch, b).Average(), [.. right[(a, b)].Zip(right[(Arm.Scratch, b)], (x, y) => x - y)], -1)
                                              select new DifferenceFigure(a, b, i.Value, i.Low, i.High)],
            Patients = bootstrap.Groups > FewPatients ? [] : [.. from a in arms from b in budgets from p in patients.Distinct().Order(StringComparer.Ordinal) select OnPatient(a, b, p)],
            Verdict = Say(arms[0], comparisons, saved, request.Who),
            Members = [.. from c in curves.Keys where c.Member.Length > 0 let i = Mean(c) select new MemberFigure(c.Arm, c.Member, c.Budget, i.Value, i.Low, i.High, values[c])],
            Choices = choices,
            TestItems = labels.Length,
            TestPatients = bootstrap.Groups,
            Who = request.Who,
        };
    }

    // From scratch first: that is what pretraining is for; the other encoders after it.
    private static string Say(string arm, List<ComparisonFigure> comparisons, List<LabelsSaved> saved, string who) => string.Join(' ', comparisons
        .GroupBy(c => c.Against).OrderBy(g => g.Key != Arm.Scratch)
        .Select(g => Verdict.Summary([.. g.Select(c => new Compared(arm, c.Against, c.Budget, new Interval(c.Mean, c.Low, c.High)))], g.Key == Arm.Scratch ? saved : [], who: who)));
}

/// <summary>One finished fit as it stands on disk: a line of JSON with the probabilities it gave the test items, by member, N·K in rows.</summary>
internal sealed record FinishedFit(int Budget, int Draw, FitChoice Choice, double Seconds, IReadOnlyDictionary<string, float[]> Answers);

/// <summary>Where the finished fits of an arm are kept: the file is named by what they depend on, so another request never takes them over.</summary>
internal static class FinishedFits
{
    public static FinishedFits<FinishedFit> Open(LabelEfficiencyRequest request, LabelEfficiencyArm arm) => new(Path.Combine(request.Folder, $"fits-{Key(request, arm)}.jsonl"), f => (f.Budget, f.Draw));

    // Everything a fit depends on. Number of repeats, larger budgets and other arms are left out: more of them may be asked for later and the fits made so far still
    // count. Test labels are left out too, since no fit may depend on them; scores are computed afresh.
    private static string Key(LabelEfficiencyRequest request, LabelEfficiencyArm arm)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        void Text(string s) => hash.AppendData(Encoding.UTF8.GetBytes(s + "\n"));
        Text($"{arm.Arm.Name} {JsonSerializer.Serialize(arm.Arm.Spec, LearningJson.Options)}");
        if (arm.Arm.Weights is { } weights)
        {
            if (!File.Exists(weights)) throw new LearningException($"The weights of '{arm.Arm.Name}' are not at {weights}; choose another encoder.");
            using var file = File.OpenRead(weights);
            hash.AppendData(SHA256.HashData(file));
            Text($"way {ClassifierFit.Way}");
        }
        foreach (var path in new[] { arm.TrainShard, arm.TestShard })
        {
            using var source = ItemSource.Open(path, arm.Arm.Spec);
            foreach (var item in source.ItemHashes) Text(item);
            Text(source.Preparation);
        }
        foreach (var i in request.Train) Text($"{i.Index} {i.Class} {i.Patient}");
        foreach (var i in request.Test) Text($"{i.Index}");
        foreach (var (name, schedule) in ClassifierFit.Members(arm.Arm, request.Settings)) Text($"{name} {schedule}");
        if (request.Balanced) Text("balanced");
        Text(request.Preparation);
        // The smallest budget shapes the draws: two of each class must fit into it.
        Text($"{request.Seed} {request.Classes.Count} {request.Budgets.Min()} {JsonSerializer.Serialize(request.Settings, LearningJson.Options)}");
        return Convert.ToHexStringLower(hash.GetHashAndReset())[..16];
    }
}
