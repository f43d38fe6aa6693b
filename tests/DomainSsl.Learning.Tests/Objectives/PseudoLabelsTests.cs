using System.Globalization;
using System.Text.Json;
using DomainSsl.Audio.Decoding;
using DomainSsl.Audio.Resampling;
using DomainSsl.Learning.Data;
using DomainSsl.Learning.Decoding;
using DomainSsl.Learning.Encoders;
using DomainSsl.Learning.Evaluation;
using DomainSsl.Learning.Health;
using DomainSsl.Learning.Objectives;
using DomainSsl.Learning.Tests.Encoders;
using DomainSsl.Learning.Training;
using DomainSsl.Learning.Transcribing;
using DomainSsl.Learning.Weights;
using DomainSsl.Testing;
using TorchSharp;
using static TorchSharp.torch;

namespace DomainSsl.Learning.Tests.Objectives;

public sealed class PseudoLabelsTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public void Loss_IsThatOfCtc_AndSaysHowFarItIsFromTheDrafts()
    {
        using var objective = new PseudoLabels(new PseudoLabelsOptions { Dropout = 0, Masks = new() { TimeMasks = 0, BandMasks = 0 } }, EncoderFactory.Create(SoundEncoderTests.Mel, 1), new RandomStream(2));
        using var scope = NewDisposeScope();
        var alphabet = PseudoLabels.Alphabet;
        int[] first = alphabet.Encode("ab"), second = alphabet.Encode("c");
        long[] lengths = [16_000, 12_000];
        var batch = new Batch([randn(2, 16_000)], new RandomStream(3), lengths, new BatchText(tensor(new long[] { first[0], first[1], second[0], Alphabet.Blank }, [2, 2]), [2, 1]));
        var loss = objective.Loss(batch);
        // By hand: each item's probability of all ways to write its letters, by its letters, the mean over items.
        var (encoder, p) = ((SoundEncoder)objective.Encoder, loss.Parts["p"]);
        var frames = encoder.Frames(lengths);
        double Lost(int b, int[] letters)
        {
            var states = new List<int> { Alphabet.Blank };
            foreach (var letter in letters) states.AddRange([letter, Alphabet.Blank]);
            var a = new double[states.Count];
            a[0] = 1;
            for (var t = -1; t + 1 < frames[b]; t++)
            {
                var next = new double[a.Length];
                for (var s = 0; s < a.Length; s++)
                {
                    var from = t < 0 ? (s <= 1 ? 1 : 0) : a[s] + (s > 0 ? a[s - 1] : 0) + (s > 1 && states[s] != Alphabet.Blank && states[s] != states[s - 2] ? a[s - 2] : 0);
                    next[s] = from * Math.Exp(p[b, t + 1, states[s]].item<float>());
                }
                a = next;
            }
            return -Math.Log(a[^1] + a[^2]) / letters.Length;
        }
        Assert.Equal((Lost(0, first) + Lost(1, second)) / 2, loss.Value.item<float>(), 3);
        var measured = objective.Measure(loss);
        Assert.Equal(["blank", "otherThanDraft", "round"], measured.Keys.Order());
        Assert.InRange(measured["blank"], 0, 1);
        Assert.True(measured["otherThanDraft"] > 0);
    }

    [Fact]
    public void Training_GoesOnFromTheSpokenEncoderThatReads_LearnsTheDrafts_AndTheEncoderReadsAfterwards()
    {
        using var folder = new TemporaryFolder();
        string?[] texts = [.. Dictations(folder.At("dictations.shard"), 24).Select((text, i) => i % 6 == 5 ? null : text)];   // some were not heard
        var recipe = Recipes.Find("pseudo-labels").With("log.steps=5");
        var result = Trainer.Run(new TrainRequest { Recipe = recipe, ShardPath = folder.At("dictations.shard"), Drafts = texts, RunFolder = folder.At("run"), MaxSteps = 30, Seed = 1, Device = "cpu" }, new NoWatcher(), Cancel);
        var lines = MetricsFile.Read(folder.At("run"));
        // From chance the first steps would write nothing at all.
        Assert.True(lines[0].Metrics["otherThanDraft"] < 0.6, $"{lines[0].Metrics["otherThanDraft"]:0.00}");
        var (early, late) = (lines.Take(2).Average(l => l.Metrics["otherThanDraft"]), lines.TakeLast(2).Average(l => l.Metrics["otherThanDraft"]));
        Assert.True(late < 0.7 * early, $"{early:0.00} → {late:0.00}");

        // Those that were not heard are read better too, by a transcriber that begins from the encoder with its head.
        double Wrong(string weights)
        {
            using var shard = SoundShard.Open(folder.At("dictations.shard"));
            var spec = EncoderWeights.ReadSpec(weights);
            var items = File.ReadLines(Path.Combine(SharedData.Project, "sample-data", "transcripts.csv")).Skip(1).Select((l, i) => new SpokenItem(i, l.Split(',')[1], l.Split(',')[2])).Take(24).Where(i => i.Index % 6 == 5).ToList();
            using var fitted = TranscriberFit.Fit(new TranscriberArm("one", spec, weights), shard, items, Alphabet.English, new TranscriberSettings { Rates = [1e-9], Steps = 1, Rounds = 1, Averaging = 0 }, 1, CPU, null, Cancel);
            return fitted.Transcriber.Texts(shard, items, Cancel).Zip(items, (text, i) => ErrorCounts.OfLetters(i.Text, text)).Aggregate(ErrorCounts.Add).Rate;
        }
        var (before, after) = (Wrong(SpokenEncoder.FilePath), Wrong(result.EncoderPath));
        Assert.True(after < before, $"{before:0.000} → {after:0.000}");
    }

    [Fact]
    public void InTheSecondHalf_OnlyTheBestDraftsStay_AndTheRestIsItsOwnText_OfWhatWasNotHeardToo()
    {
        using var folder = new TemporaryFolder();
        var truth = Dictations(folder.At("dictations.shard"), 20);
        string?[] drafts = [.. truth.Select((text, i) => i % 4 == 3 ? null : i % 4 == 0 ? "quite another thing was said" : text)];
        // Steps of 100 s: in the two that are left all the 47 s come four times, so that all are written down.
        var request = new TrainRequest { Recipe = Recipes.Find("pseudo-labels").With("log.steps=1").With("data.batch=25"), ShardPath = folder.At("dictations.shard"), Drafts = drafts, RunFolder = folder.At("run"), MaxSteps = 4, Seed = 1, Device = "cpu" };
        var watcher = new Notes();
        Trainer.Run(request, watcher, Cancel);
        Assert.Contains("20 pieces down itself", Assert.Single(watcher.Said), StringComparison.Ordinal);
        Assert.DoesNotContain("That is little", watcher.Said[0], StringComparison.Ordinal);
        Assert.Equal("Writing the recordings down: 20 of 20 pieces", watcher.Stages[^1]);
        Assert.Equal([1, 1, 2, 2], MetricsFile.Read(folder.At("run")).Select(l => l.Metrics["round"]));
        using var own = JsonDocument.Parse(File.ReadAllText(folder.At("run", DraftData.OwnFile)));
        Assert.Equal(2, own.RootElement.GetProperty("step").GetInt32());
        var texts = own.RootElement.GetProperty("texts").EnumerateObject().ToDictionary(t => int.Parse(t.Name, CultureInfo.InvariantCulture), t => t.Value.GetString()!);
        Assert.Equal(Enumerable.Range(0, 20), texts.Keys.Order());
        // Three in ten of the fifteen drafts, and none of those that speak of something else.
        Assert.InRange(texts.Count(t => t.Value == drafts[t.Key]), 4, 6);
        Assert.DoesNotContain("quite another thing was said", texts.Values);
        Assert.True(texts.Select(t => ErrorCounts.OfLetters(truth[t.Key], t.Value)).Aggregate(ErrorCounts.Add).Rate < 0.5);
    }

    [Fact]
    public void DraftsThatHaveLittleToDoWithTheSound_AreToldOf()
    {
        using var folder = new TemporaryFolder();
        var count = Dictations(folder.At("dictations.shard"), 6).Length;
        var watcher = new Notes();
        Trainer.Run(new TrainRequest { Recipe = Recipes.Find("pseudo-labels"), ShardPath = folder.At("dictations.shard"), Drafts = [.. Enumerable.Repeat("zzzz qqq xx jjj vv kkk zz", count)], RunFolder = folder.At("run"), MaxSteps = 2, Seed = 1, Device = "cpu" }, watcher, Cancel);
        Assert.Contains("look whether English is spoken", Assert.Single(watcher.Said), StringComparison.Ordinal);
    }

    [Fact]
    public void AnEncoderThatWritesNothingYet_GoesOnWithAllDrafts()
    {
        using var folder = new TemporaryFolder();
        var drafts = Dictations(folder.At("dictations.shard"), 8);
        var watcher = new Notes();
        Trainer.Run(new TrainRequest { Recipe = Recipes.Find("pseudo-labels").With("log.steps=1"), InitWeights = "scratch", ShardPath = folder.At("dictations.shard"), Drafts = drafts, RunFolder = folder.At("run"), MaxSteps = 4, Seed = 1, Device = "cpu" }, watcher, Cancel);
        Assert.Contains("goes on with all drafts", Assert.Single(watcher.Said), StringComparison.Ordinal);
        Assert.Equal([1, 1, 1, 1], MetricsFile.Read(folder.At("run")).Select(l => l.Metrics["round"]));
    }

    private sealed class Notes : IRunWatcher
    {
        public List<string> Said { get; } = [];

        public List<string> Stages { get; } = [];

        public void Noted(string sentence) => Said.Add(sentence);

        public void Busy(string stage) => Stages.Add(stage);

        public void Started(RunStart start) { }

        public void Stepped(MetricsLine line, RunHealth health) { }

        public void Checked(int step, string folder) { }

        public void Ended(TrainResult result) { }
    }

    // So many of the sample data's dictations, and what is said in them.
    private static string[] Dictations(string path, int count)
    {
        using var writer = new SoundShardWriter(path);
        var texts = new List<string>();
        foreach (var cells in File.ReadLines(Path.Combine(SharedData.Project, "sample-data", "transcripts.csv")).Skip(1).Select(l => l.Split(',')).Take(count))
        {
            using var file = File.OpenRead(Path.Combine(SharedData.Project, "sample-data", cells[0]));
            writer.Add($"{texts.Count:x64}", Resampler.To16kMono(SoundFile.Read(file)).Samples);
            texts.Add(cells[1]);
        }
        writer.Finish();
        return [.. texts];
    }

    [Fact]
    public void WithoutDrafts_AndOfImages_IsRefusedWithASentence()
    {
        using var folder = new TemporaryFolder();
        MadeSpeech.Write(folder.At("speech.shard"), 4);
        TrainRequest Asked(IReadOnlyList<string?>? drafts) => new() { Recipe = Recipes.Find("pseudo-labels"), ShardPath = folder.At("speech.shard"), Drafts = drafts, RunFolder = folder.At("run"), MaxSteps = 1, Device = "cpu" };
        Assert.Contains("there are none", Assert.Throws<LearningException>(() => Trainer.Run(Asked(null), new NoWatcher(), Cancel)).Message, StringComparison.Ordinal);
        Assert.Contains("Nothing of what the recogniser wrote down", Assert.Throws<LearningException>(() => Trainer.Run(Asked(["", null, "§", ""]), new NoWatcher(), Cancel)).Message, StringComparison.Ordinal);
        Assert.Contains("need a sound encoder", Assert.Throws<LearningException>(() => new PseudoLabelsOptions().Create(EncoderFactory.Create(EncoderTests.SmallResNet, 1), new RandomStream(1))).Message, StringComparison.Ordinal);
    }
}
