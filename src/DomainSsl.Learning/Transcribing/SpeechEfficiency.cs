using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using DomainSsl.Learning.Data;
using DomainSsl.Learning.Decoding;
using DomainSsl.Learning.Evaluation;
using DomainSsl.Learning.FineTuning;
using static TorchSharp.torch;

namespace DomainSsl.Learning.Transcribing;

/// <summary>What is asked: what pretraining is worth for transcribing, by minutes of transcribed speech.</summary>
public sealed record SpeechEfficiencyRequest
{
    /// <summary>The arms, the one of interest first. One from scratch (<see cref="TranscriberArm.FromScratch"/>) must be among them.</summary>
    public required IReadOnlyList<TranscriberArm> Arms { get; init; }

    /// <summary>The sound that is learnt from.</summary>
    public required string TrainShard { get; init; }

    /// <summary>The sound that is only ever transcribed.</summary>
    public required string TestShard { get; init; }

    /// <summary>Pieces that minutes are drawn from.</summary>
    public required IReadOnlyList<SpokenItem> Train { get; init; }

    /// <summary>Pieces of other speakers.</summary>
    public required IReadOnlyList<SpokenItem> Test { get; init; }

    /// <summary>Minutes of transcribed speech. More than there are by less than one means all.</summary>
    public IReadOnlyList<int> Budgets { get; init; } = [5, 15];

    /// <summary>Draws.</summary>
    public int Repeats { get; init; } = 3;

    /// <summary>The letters.</summary>
    public Alphabet Alphabet { get; init; } = Alphabet.English;

    /// <summary>How every arm is fitted.</summary>
    public TranscriberSettings Settings { get; init; } = new();

    /// <summary>Of draws, fits and resampling.</summary>
    public long Seed { get; init; } = 1;

    /// <summary>Who speaks, in the plural: speakers; or the recordings themselves, where that is not known of all.</summary>
    public string Who { get; init; } = "speakers";

    /// <summary>Where every finished fit is kept; a run on the same folder goes on from there.</summary>
    public required string Folder { get; init; }

    /// <summary><c>auto</c>, <c>cpu</c> or <c>cuda</c>.</summary>
    public string Device { get; init; } = "auto";
}

/// <summary>What was chosen in one fit, its error rate on the test speakers, and how long it took.</summary>
public sealed record SpeechDraw(string Arm, int Budget, int Draw, double Minutes, double Cer, double Wer, double WerWithLanguage, TranscriberChoice Choice, double Seconds);

/// <summary>What pretraining is worth for transcribing. Error rates are Σ errors / Σ length over the test set, by greedy decoding, means over draws; lower is better.</summary>
public sealed record SpeechEfficiencyResult
{
    /// <summary>The figure's name: <c>cer</c>.</summary>
    public required string Metric { get; init; }

    /// <summary>Every arm's CER at every number of minutes.</summary>
    public required IReadOnlyList<ArmFigure> Arms { get; init; }

    /// <summary>The same of WER.</summary>
    public required IReadOnlyList<ArmFigure> Wer { get; init; }

    /// <summary>WER where decoding listens to an n-gram model of the draw's own transcripts, by the weights that the held-out speakers of the draw do best with. CER is compared without.</summary>
    public required IReadOnlyList<ArmFigure> WerWithLanguage { get; init; }

    /// <summary>CER of every arm less that of <c>scratch</c>.</summary>
    public required IReadOnlyList<DifferenceFigure> Differences { get; init; }

    /// <summary>WER of every arm less that of <c>scratch</c>.</summary>
    public IReadOnlyList<DifferenceFigure> WerDifferences { get; init; } = [];

    /// <summary>WER with the language model of every arm less that of <c>scratch</c>.</summary>
    public IReadOnlyList<DifferenceFigure> WerWithLanguageDifferences { get; init; } = [];

    /// <summary>CER of every arm by that of <c>scratch</c>.</summary>
    public required IReadOnlyList<DifferenceFigure> Ratios { get; init; }

    /// <summary>CER of the first arm less that of every other, scratch included.</summary>
    public required IReadOnlyList<ComparisonFigure> Comparisons { get; init; }

    /// <summary>Minutes from scratch that do as much.</summary>
    public required IReadOnlyList<LabelsSaved> LabelsSaved { get; init; }

    /// <summary>In plain words, from the intervals.</summary>
    public required string Verdict { get; init; }

    /// <summary>Every fit.</summary>
    public required IReadOnlyList<SpeechDraw> Draws { get; init; }

    /// <summary>Test pieces.</summary>
    public required int TestItems { get; init; }

    /// <summary>Test speakers.</summary>
    public required int TestPatients { get; init; }

    /// <summary>What <see cref="TestPatients"/> counts, as <see cref="SpeechEfficiencyRequest.Who"/> has it.</summary>
    public string Who { get; init; } = "speakers";

    /// <summary>Writes <c>label-efficiency.svg</c>, <c>.png</c> and <c>.csv</c> (arm, minutes, draw, cer, wer, wer_with_language) into a folder.</summary>
    /// <param name="folder">Where to.</param>
    /// <param name="names">What people call the arms: the figure is for them; the table keeps the ids.</param>
    /// <param name="title">The figure's heading.</param>
    public void Write(string folder, IReadOnlyDictionary<string, string>? names = null, string title = "What pretraining is worth")
    {
        var figure = new Figure(title, "CER (lower is better)", Arms[0].Values.Count < DrawWeights.FewestDraws ? $"One draw of transcribed speech, {TestPatients} test {Who}: too few draws for an interval."
            : $"Lines are 95 % intervals over {Arms[0].Values.Count} draws of transcribed speech and {TestPatients} test {Who}.",
            [.. Arms.Select(a => new FigurePoint(names?.GetValueOrDefault(a.Arm) ?? a.Arm, a.Budget, new Interval(a.Mean, a.Low, a.High)))], "minutes of transcribed speech");
        ComparisonFiles.Write(folder, figure, "arm,minutes,draw,cer,wer,wer_with_language",
            Draws.Select(d => (d.Arm, FormattableString.Invariant($"{d.Budget},{d.Draw},{d.Cer:0.000000},{d.Wer:0.000000},{d.WerWithLanguage:0.000000}"))));
    }
}

/// <summary>
/// What pretraining is worth for transcribing, as a methods section: draw minutes of speech, the same for every arm and each holding the fewer; fit each arm with the same search (<see cref="TranscriberFit"/>), which holds out the same
/// speakers of the draw and never sees a test speaker; transcribe the test speakers greedily, and once more with a language model of the draw's own transcripts; resample test speakers and weigh draws (<see cref="DrawWeights"/>) together, so that differences are paired (after the pigeonhole bootstrap of Owen 2007); say what the intervals allow.
/// </summary>
public static class SpeechEfficiency
{
    /// <summary>Runs or goes on with a comparison. Every finished fit is on disk before the next begins.</summary>
    /// <exception cref="LearningException">The request cannot be carried out; the sentence says why.</exception>
    public static SpeechEfficiencyResult Run(SpeechEfficiencyRequest request, IProgress<TranscriberProgress>? progress, CancellationToken cancel)
    {
        var budgets = request.Budgets.Distinct().Order().ToArray();
        using var train = SoundShard.Open(request.TrainShard);
        using var test = SoundShard.Open(request.TestShard);
        Check(request, train, budgets);
        var device = Devices.Choose(request.Device);
        var draws = Enumerable.Range(0, request.Repeats).Select(r => Drawn(request, r)).ToArray();
        var finished = request.Arms.ToDictionary(a => a.Name, a => FinishedTranscripts.Open(request, a, train, test));
        var wanted = (from r in Enumerable.Range(0, draws.Length) from b in budgets from a in request.Arms select (Arm: a, Budget: b, Draw: r)).ToList();
        // All arms of a draw after each other: what is there when it is stopped can be compared. Small steps gain little by a second core, so fits go side by side.
        var missing = wanted.Where(w => finished[w.Arm.Name].Get(w.Budget, w.Draw) is null).ToList();
        var (gate, clock, shares) = (new Lock(), System.Diagnostics.Stopwatch.StartNew(), new double[missing.Count]);
        void Tell(int at, double share, string stage)
        {
            lock (gate)
            {
                shares[at] = share;
                var (sum, done) = (shares.Sum(), wanted.Count - missing.Count + shares.Count(s => s >= 1));
                progress?.Report(new TranscriberProgress((wanted.Count - missing.Count + sum) / wanted.Count, $"{done:#,0} of {wanted.Count:#,0} fits done; {stage}", sum > 0.02 ? clock.Elapsed.TotalSeconds / sum * (missing.Count - sum) : null));
            }
        }
        SideBySide.Run([.. Enumerable.Range(0, missing.Count)], device, (at, stop) =>
        {
            var (arm, budget, draw) = missing[at];
            var began = clock.Elapsed;
            var items = Within(draws[draw], train, budget);
            var unfinished = Path.Combine(finished[arm.Name].Unfinished, $"{budget}-{draw}");
            var title = $"{arm.Name}, {budget} min, draw {draw + 1}";
            // It is done once it is kept: what it wrote of the test pieces comes after its last step.
            using var fit = TranscriberFit.Fit(arm, train, items, request.Alphabet, request.Settings, Seeds.Of(request.Seed, $"fit {budget} {draw}"), device, new Inner(p => Tell(at, Math.Min(p.Share, 0.99), $"at {title}: {p.Stage}")), stop, unfinished);
            var seconds = (clock.Elapsed - began).TotalSeconds;
            var frames = fit.Transcriber.Frames(test, request.Test, stop);
            string[] texts = [.. frames.Select(p => GreedyDecoder.Decode(p, request.Alphabet))];
            var models = BeamChoice.Models(items.Select(i => i.Text));
            var spelled = BeamChoice.Decoded(frames, new PrefixBeamSearch(request.Alphabet, fit.Transcriber.About.Beam ?? new BeamOptions(), models.Words, models.Letters));
            lock (gate) finished[arm.Name].Add(new FinishedTranscript(budget, draw, Math.Round(Minutes(items, train), 3), fit.Choice, Math.Round(seconds, 1), texts, spelled));
            Directory.Delete(unfinished, recursive: true);
            Tell(at, 1, $"the last: {title}");
        }, cancel, alike: true);
        return Summarise(request, budgets, finished);
    }

    // One random order a draw, of which every budget takes a beginning; a draw has a stream of its own, so that asking for more leaves the first ones as they were.
    private static SpokenItem[] Drawn(SpeechEfficiencyRequest request, int draw)
    {
        var order = request.Train.OrderBy(i => i.Index).ToArray();
        Seeds.Random(request.Seed, $"spoken draws {draw}").Shuffle(order);
        return order;
    }

    private static List<SpokenItem> Within(SpokenItem[] order, SoundShard shard, int minutes)
    {
        var (taken, seconds) = (new List<SpokenItem>(), 0.0);
        foreach (var item in order)
        {
            if (seconds >= 60.0 * minutes) break;
            taken.Add(item);
            seconds += shard.Lengths[item.Index] / (double)SoundShard.SampleRate;
        }
        return taken;
    }

    private static double Minutes(IEnumerable<SpokenItem> items, SoundShard shard) => items.Sum(i => (double)shard.Lengths[i.Index]) / SoundShard.SampleRate / 60;

    private static void Check(SpeechEfficiencyRequest request, SoundShard train, int[] budgets)
    {
        if (!request.Arms.Any(a => a is { Name: Arm.Scratch, Weights: null })) throw new LearningException("The comparison has no arm from scratch; add it.");
        if (request.Arms.Select(a => a.Name).Distinct().Count() < request.Arms.Count) throw new LearningException("Two arms have the same name; name each encoder once.");
        if (budgets.Length == 0 || budgets[0] < 1 || request.Repeats < 1) throw new LearningException("There must be at least one number of minutes, of at least one, and at least one draw.");
        if (Minutes(request.Train, train) is var there && budgets[^1] >= there + 1) throw new LearningException($"{budgets[^1]} minutes were asked for, but only {there:0} are transcribed; ask for fewer.");
        if (request.Test.Count == 0) throw new LearningException("There is nothing to test on; give a table of transcripts of other speakers.");
        var shared = request.Train.Select(i => i.Speaker).Intersect(request.Test.Select(i => i.Speaker)).Take(3).ToList();
        if (shared.Count > 0) throw new LearningException($"Some speakers are in both tables ({string.Join(", ", shared)}); a speaker must be in one only.");
    }

    private static SpeechEfficiencyResult Summarise(SpeechEfficiencyRequest request, int[] budgets, Dictionary<string, FinishedFits<FinishedTranscript>> finished)
    {
        var arms = request.Arms.Select(a => a.Name).ToArray();
        var keys = (from a in arms from b in budgets select (Arm: a, Budget: b)).ToList();
        var fits = keys.ToDictionary(k => k, k => Enumerable.Range(0, request.Repeats).Select(r => finished[k.Arm].Get(k.Budget, r)!).ToArray());
        ErrorRate Rate(IReadOnlyList<string> texts, Func<string, string, ErrorCounts> count) => new([.. request.Test.Zip(texts, (i, text) => count(i.Text, text))]);
        var cer = fits.ToDictionary(f => f.Key, f => Array.ConvertAll(f.Value, fit => Rate(fit.Texts, ErrorCounts.OfLetters)));
        var wer = fits.ToDictionary(f => f.Key, f => Array.ConvertAll(f.Value, fit => Rate(fit.Texts, ErrorCounts.OfWords)));
        var helped = fits.ToDictionary(f => f.Key, f => Array.ConvertAll(f.Value, fit => Rate(fit.WithLanguage, ErrorCounts.OfWords)));

        // Test speakers are resampled and draws weighted together; replicate b of every mean is on the same ones.
        var bootstrap = new GroupBootstrap([.. request.Test.Select(i => i.Speaker)], Seeds.Of(request.Seed, "test patients"));
        var drawing = new DrawWeights(request.Repeats, Seeds.Random(request.Seed, "draws"));
        Dictionary<(string Arm, int Budget), double[]> Replicates() => keys.ToDictionary(k => k, _ => new double[bootstrap.Resamples]);
        var (letters, words, withLanguage) = (Replicates(), Replicates(), Replicates());
        bootstrap.ForEach((b, weights) =>
        {
            var share = drawing.Next();
            foreach (var (rates, into) in new[] { (cer, letters), (wer, words), (helped, withLanguage) })
            {
                foreach (var key in keys)
                {
                    for (var r = 0; r < share.Length; r++) into[key][b] += share[r] * rates[key][r].Weighted(weights);
                }
            }
        });
        ArmFigure Figure((string Arm, int Budget) key, Dictionary<(string, int), ErrorRate[]> rates, Dictionary<(string, int), double[]> replicates)
        {
            var values = Array.ConvertAll(rates[key], r => r.Total.Rate);
            var i = Of(values.Average(), replicates[key], 0, Math.Max(1, values.Max()));
            return new ArmFigure(key.Arm, key.Budget, i.Value, i.Low, i.High, values);
        }
        Interval Of(double value, double[] replicates, double lowest, double highest) => GroupBootstrap.Percentiles(value, replicates, bootstrap.Groups, bootstrap.Groups, lowest, highest, request.Repeats);
        Interval Compare(Dictionary<(string, int), ErrorRate[]> rates, Dictionary<(string, int), double[]> replicates, string arm, string against, int budget, Func<double, double, double> compare, double lowest, double highest)
        {
            double Mean(string of) => rates[(of, budget)].Average(r => r.Total.Rate);
            return Of(compare(Mean(arm), Mean(against)), [.. replicates[(arm, budget)].Zip(replicates[(against, budget)], compare)], lowest, highest);
        }
        Interval Less(Dictionary<(string, int), ErrorRate[]> rates, Dictionary<(string, int), double[]> replicates, string arm, string against, int budget) => Compare(rates, replicates, arm, against, budget, (x, y) => x - y, -1, 1);

        var figures = keys.ConvertAll(k => Figure(k, cer, letters));
        var others = arms.Where(a => a != Arm.Scratch).ToArray();
        var scratch = figures.Where(f => f.Arm == Arm.Scratch).Select(f => (f.Budget, -f.Mean)).ToList();
        List<DifferenceFigure> LessScratch(Dictionary<(string, int), ErrorRate[]> rates, Dictionary<(string, int), double[]> replicates) =>
            [.. from a in others from b in budgets let d = Less(rates, replicates, a, Arm.Scratch, b) select new DifferenceFigure(a, b, d.Value, d.Low, d.High)];
        var comparisons = (from other in arms.Skip(1) from b in budgets let d = Less(cer, letters, arms[0], other, b) select new ComparisonFigure(arms[0], other, b, d.Value, d.Low, d.High, SpeechVerdict.Of(d))).ToList();
        return new SpeechEfficiencyResult
        {
            Metric = "cer",
            Arms = figures,
            Wer = keys.ConvertAll(k => Figure(k, wer, words)),
            WerWithLanguage = keys.ConvertAll(k => Figure(k, helped, withLanguage)),
            Differences = LessScratch(cer, letters),
            WerDifferences = LessScratch(wer, words),
            WerWithLanguageDifferences = LessScratch(helped, withLanguage),
            Ratios = [.. from a in others from b in budgets let d = Compare(cer, letters, a, Arm.Scratch, b, (x, y) => Math.Max(0, x) / Math.Max(0, y), 0, double.PositiveInfinity) select new DifferenceFigure(a, b, d.Value, d.Low, d.High)],
            Comparisons = comparisons,
            LabelsSaved = [.. figures.Where(f => f.Arm != Arm.Scratch).Select(f => Evaluation.LabelsSaved.Of(f.Arm, f.Budget, -f.Mean, scratch))],
            Verdict = string.Join(' ', comparisons.GroupBy(c => c.Against).OrderBy(g => g.Key != Arm.Scratch)
                .Select(g => SpeechVerdict.Summary(g.Select(c => new Compared(c.Arm, c.Against, c.Budget, new Interval(c.Mean, c.Low, c.High))), who: request.Who))),
            Draws = [.. keys.SelectMany(k => fits[k].Select((f, r) => new SpeechDraw(k.Arm, k.Budget, r + 1, f.Minutes, cer[k][r].Total.Rate, wer[k][r].Total.Rate, helped[k][r].Total.Rate, f.Choice, f.Seconds)))],
            TestItems = request.Test.Count,
            TestPatients = bootstrap.Groups,
            Who = request.Who,
        };
    }

    private sealed class Inner(Action<TranscriberProgress> report) : IProgress<TranscriberProgress>
    {
        public void Report(TranscriberProgress value) => report(value);
    }
}

/// <summary>One finished fit as it stands on disk: a line of JSON with what it wrote of the test pieces, in their order.</summary>
/// <param name="WithLanguage">The same with a language model.</param>
internal sealed record FinishedTranscript(int Budget, int Draw, double Minutes, TranscriberChoice Choice, double Seconds, IReadOnlyList<string> Texts, IReadOnlyList<string> WithLanguage);

/// <summary>Where the finished fits of an arm are kept: the file is named by what they depend on, so another request never takes them over.</summary>
internal static class FinishedTranscripts
{
    // Raised when transcribers come to be fitted in another way, so that fits kept from before are not mixed with new ones.
    private const int Way = 4;

    public static FinishedFits<FinishedTranscript> Open(SpeechEfficiencyRequest request, TranscriberArm arm, SoundShard train, SoundShard test) =>
        new(Path.Combine(request.Folder, $"speech-{Key(request, arm, train, test)}.jsonl"), f => (f.Budget, f.Draw));

    // Everything a fit depends on, and which pieces it transcribed. Repeats, budgets and other arms are left out: more of them may be asked for later and the fits made so far still count. What the test speakers said is left
    // out too, since no fit may depend on it.
    private static string Key(SpeechEfficiencyRequest request, TranscriberArm arm, SoundShard train, SoundShard test)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        void Text(string s) => hash.AppendData(Encoding.UTF8.GetBytes(s + "\n"));
        Text($"way {Way} {JsonSerializer.Serialize(arm.Spec, LearningJson.Options)}");
        if (arm.Weights is { } weights)
        {
            if (!File.Exists(weights)) throw new LearningException($"The weights of '{arm.Name}' are not at {weights}; choose another encoder.");
            using var file = File.OpenRead(weights);
            hash.AppendData(SHA256.HashData(file));
        }
        foreach (var i in request.Train.OrderBy(i => i.Index)) Text($"{train.ItemHashes[i.Index]} {i.Text} {i.Speaker}");
        foreach (var i in request.Test) Text(test.ItemHashes[i.Index]);
        Text($"{request.Seed} {request.Alphabet.Letters} {JsonSerializer.Serialize(request.Settings, LearningJson.Options)}");
        return Convert.ToHexStringLower(hash.GetHashAndReset())[..16];
    }
}
