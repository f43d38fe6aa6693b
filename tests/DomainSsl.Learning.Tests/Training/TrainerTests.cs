using System.Text.Json;
using DomainSsl.Learning.Data;
using DomainSsl.Learning.Encoders;
using DomainSsl.Learning.Health;
using DomainSsl.Learning.Objectives;
using DomainSsl.Learning.Training;
using DomainSsl.Learning.Weights;
using DomainSsl.Testing;
using TorchSharp;
using static TorchSharp.torch;

namespace DomainSsl.Learning.Tests.Training;

public sealed class TrainerTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Run_EveryRecipeThereIs_StepsOnce()
    {
        var stepped = 0;
        foreach (var recipe in Recipes.All)
        {
            // Measuring which precision is quicker takes longer with the networks for a GPU than the step itself.
            var short1 = recipe.With("data.batch=4").With("data.seconds=1").With(recipe.Encoder.Width >= 768 ? "precision=float32" : "precision=auto");
            var result = Run(recipe.Objective is HubertOptions ? short1.With("objective.clusterFrames=600") : short1, "each-" + recipe.Name, 1);
            using var encoder = EncoderWeights.Load(result.EncoderPath, CPU);
            Assert.Equal(recipe.Encoder.Resolution, encoder.Spec.Resolution);
            Assert.Equal(1, result.Steps);
            Assert.True(double.IsFinite(result.Metrics["loss"]));
            Assert.Single(MetricsFile.Read(_folder.At("each-" + recipe.Name)));
            stepped++;
        }
        Assert.Equal(9, stepped);
    }

    [Theory]
    [InlineData("simclr-small")]
    [InlineData("mae-small")]
    [InlineData("hubert-small")]
    [InlineData("wav2vec2-small")]
    [InlineData("pseudo-labels")]
    public void Run_KilledAndResumed_EndsWithTheSameBits(string name)
    {
        var recipe = Small(name).With("checkpoint.steps=3");
        var whole = Run(recipe, "whole", 11);

        // Killed after step 8: the last checkpoint is step 6, lines up to 8 stand in the curve.
        Assert.Throws<KilledException>(() => Run(recipe, "killed", 11, new KillAt(8)));
        Assert.Equal(8, MetricsFile.Read(_folder.At("killed"))[^1].Step);
        Assert.Equal(["step-00000003", "step-00000006"], Directory.GetDirectories(_folder.At("killed", "checkpoints")).Select(Path.GetFileName).Order());
        var starts = new Starts();
        var resumed = Run(recipe, "killed", 11, starts);
        Assert.Equal([6], starts.Steps);

        Assert.Equal(File.ReadAllBytes(whole.EncoderPath), File.ReadAllBytes(resumed.EncoderPath));
        var (a, b) = (MetricsFile.Read(_folder.At("whole")), MetricsFile.Read(_folder.At("killed")));
        Assert.Equal(Enumerable.Range(1, 11), b.Select(l => l.Step));
        Assert.Equal(a.Select(l => (l.Step, l.Loss, l.Lr)), b.Select(l => (l.Step, l.Loss, l.Lr)));
        Assert.Equal(11, resumed.Steps);
    }

    [Fact]
    public void Run_LastCheckpointDamaged_GoesOnFromTheOneBefore()
    {
        var recipe = Small("simclr-small").With("checkpoint.steps=2");
        var whole = Run(recipe, "whole", 6);
        Assert.Throws<KilledException>(() => Run(recipe, "killed", 6, new KillAt(5)));
        using (var file = File.OpenWrite(_folder.At("killed", "checkpoints", "step-00000004", "optimiser.safetensors"))) file.SetLength(file.Length / 2);
        var starts = new Starts();
        var resumed = Run(recipe, "killed", 6, starts);
        Assert.Equal([2], starts.Steps);
        Assert.Equal(File.ReadAllBytes(whole.EncoderPath), File.ReadAllBytes(resumed.EncoderPath));
    }

    [Fact]
    public void Run_Cancelled_LeavesACheckpointOfThatStep()
    {
        var recipe = Small("simclr-small");
        using var cancel = new CancellationTokenSource();
        Assert.Throws<OperationCanceledException>(() => Trainer.Run(Request(recipe, "cancelled", 9), new CancelAt(4, cancel), cancel.Token));
        var starts = new Starts();
        Assert.Equal(9, Run(recipe, "cancelled", 9, starts).Steps);
        Assert.Equal([4], starts.Steps);
    }

    [Fact]
    public void Run_WithATimeLimit_EndsThereAndAResumedOneCarriesItsTime()
    {
        var recipe = Small("simclr-small");
        var request = Request(recipe, "timed", null) with { MaxSeconds = 1.0 };
        var result = Trainer.Run(request, new NoWatcher(), TestContext.Current.CancellationToken);
        Assert.InRange(result.Seconds, 1.0, 20);
        Assert.InRange(MetricsFile.Read(_folder.At("timed"))[^1].Lr, 0, 0.5 * recipe.Optimiser.Rate);

        using var cancel = new CancellationTokenSource();
        var longer = Request(recipe, "carried", null) with { MaxSeconds = 3.0 };
        Assert.Throws<OperationCanceledException>(() => Trainer.Run(longer, new CancelAt(3, cancel), cancel.Token));
        var before = MetricsFile.Read(_folder.At("carried"))[^1].Seconds;
        Trainer.Run(longer, new NoWatcher(), TestContext.Current.CancellationToken);
        var after = MetricsFile.Read(_folder.At("carried"));
        Assert.True(after[3].Seconds > before);
        Assert.True(after[3].Progress >= after[2].Progress);
    }

    [Theory]
    [InlineData("simclr-small")]
    [InlineData("wav2vec2-small")]
    public void Run_OverManySteps_KeepsTheNumberOfLiveTensors(string name)
    {
        var counts = new LiveTensors();
        Run(Small(name).With("checkpoint.steps=7"), "live", 40, counts);
        Assert.Equal(40, counts.Counts.Count);
        Assert.Single(counts.Counts.Skip(1).Distinct()); // the first step makes the gradients
    }

    [Fact]
    public void Run_OverTwoRounds_KeepsTheNumberOfLiveTensorsInEach()
    {
        var counts = new LiveTensors();
        Run(Small("hubert-small").With("checkpoint.steps=7"), "rounds", 40, counts);
        Assert.Equal([1.0, 2.0], MetricsFile.Read(_folder.At("rounds")).Select(l => l.Metrics["round"]).Distinct());
        Assert.Single(counts.Counts.Take(20).Skip(1).Distinct());
        Assert.Single(counts.Counts.Skip(21).Distinct()); // the round's own weights have gradients now
    }

    // A round begins at step 6 of 11, so that the checkpoint of step 9 holds clusters and encoder of the second.
    [Fact]
    public void Run_KilledAfterANewRound_GoesOnWithItsClusters()
    {
        var recipe = Small("hubert-small").With("checkpoint.steps=3");
        var whole = Run(recipe, "whole", 11);
        Assert.Throws<KilledException>(() => Run(recipe, "killed", 11, new KillAt(10)));
        var starts = new Starts();
        var resumed = Run(recipe, "killed", 11, starts);
        Assert.Equal([9], starts.Steps);
        Assert.Equal(File.ReadAllBytes(whole.EncoderPath), File.ReadAllBytes(resumed.EncoderPath));
        Assert.Equal(MetricsFile.Read(_folder.At("whole")).Select(l => l.Loss), MetricsFile.Read(_folder.At("killed")).Select(l => l.Loss));
    }

    [Fact]
    public void Run_LossNotFinite_StopsWithASentence()
    {
        var recipe = Small("simclr-small").With("optimiser.rate=1e30").With("schedule.warmup=0");
        Assert.Contains("is not a finite number", Assert.Throws<LearningException>(() => Run(recipe, "diverged", 20)).Message);
    }

    [Fact]
    public void Run_OtherSeedInTheSameFolder_IsRefused()
    {
        var recipe = Small("simclr-small").With("checkpoint.steps=1");
        Run(recipe, "seeded", 2);
        Assert.Contains("begun with seed", Assert.Throws<LearningException>(() =>
            Trainer.Run(Request(recipe, "seeded", 3) with { Seed = 8 }, new NoWatcher(), TestContext.Current.CancellationToken)).Message);
    }

    [Fact]
    public void Build_ARecipeThatGoesOnFromALearntEncoder_BegunFromScratch_SaysSo() =>
        Assert.Contains("learnt before", Assert.Throws<LearningException>(() => Trainer.Build(Request(Recipes.Find("hubert"), "none", 1) with { InitWeights = "scratch" }, new RandomStreams(1))).Message);

    [Fact]
    public void Run_FromAnEncodersFile_BeginsWithItsWeights()
    {
        using var scope = NewDisposeScope();
        using var encoder = EncoderFactory.Create(Small("simclr-small").Encoder with { Width = 12 }, 77);
        EncoderWeights.Save(encoder, _folder.At("init.safetensors"));
        using var objective = Trainer.Build(Request(Small("simclr-small"), "init", 1) with { InitWeights = _folder.At("init.safetensors") }, new RandomStreams(1));
        Assert.Equal(12, objective.Encoder.Spec.Width);
        Assert.True(objective.Encoder.state_dict()["conv1.weight"].eq(encoder.state_dict()["conv1.weight"]).all().item<bool>());
    }

    [Fact]
    public void Run_Watched_TellsRateWaitingAndHealth()
    {
        var result = Run(Small("simclr-small"), "told", 12);
        Assert.True(result.SamplesPerSecond > 0);
        Assert.InRange(result.WaitingForData, 0, 0.5);
        Assert.InRange(result.PeakMemoryMb, 50, 100_000);
        Assert.Equal("cpu", result.Device);
        Assert.Equal(["accuracy", "alignment", "loss", "spread", "uniformity"], result.Metrics.Keys.Order());
        Assert.True(File.Exists(_folder.At("told", "recipe.json")));
    }

    [Fact]
    public void Run_OnDrafts_CountsThePiecesThatStepsHad_AlsoAfterAKill()
    {
        var recipe = Small("pseudo-labels").With("checkpoint.steps=1").With("objective.ownFrom=1");
        var request = Request(recipe, "whole", null);
        var (steps, pieces) = (0, 0);
        using (var data = new DraftData(recipe, request.ShardPath, request.Drafts!, request.RunFolder, new RandomStreams(request.Seed), CPU))
        using (NewDisposeScope())
        {
            while (pieces < data.Count) pieces += data.Take(steps++, 1, out _).Lengths!.Length;
            Assert.Equal((int)Math.Round(pieces / (double)steps), data.Batch);
        }
        Assert.NotEqual(pieces, steps * recipe.Data.Batch); // a step takes as many as fill its seconds

        var lines = new Lines();
        var whole = Run(recipe, "whole", steps, lines);
        Assert.Equal(pieces, whole.SamplesPerSecond * whole.Seconds, 6);
        Assert.Equal(pieces, lines.All.Zip(lines.All.Select(l => l.Seconds).Prepend(0), (line, before) => line.SamplesPerSecond * (line.Seconds - before)).Sum(), 6);
        Assert.InRange(whole.WaitingForData, double.Epsilon, 1);

        Assert.Throws<KilledException>(() => Run(recipe, "killed", steps, new KillAt(steps - 1)));
        var resumed = Run(recipe, "killed", steps);
        Assert.Equal(pieces, resumed.SamplesPerSecond * resumed.Seconds, 6);
    }

    [Fact]
    public void TrainerState_Members_AreAllInTheCheckpoint()
    {
        Run(Small("simclr-small").With("checkpoint.steps=2"), "state", 2);
        using var state = JsonDocument.Parse(File.ReadAllText(_folder.At("state", "checkpoints", "step-00000002", "state.json")));
        Assert.Equal(typeof(TrainerState).GetProperties().Select(p => JsonNamingPolicy.CamelCase.ConvertName(p.Name)).Order(), state.RootElement.EnumerateObject().Select(p => p.Name).Order());
        Assert.Equal(2, state.RootElement.GetProperty("step").GetInt32());
    }

    [Fact]
    public void AdamW_Fused_EqualsTheOneWrittenOut()
    {
        using var scope = NewDisposeScope();
        var results = new[] { true, false }.Select(fused =>
        {
            var encoder = EncoderFactory.Create(Small("simclr-small").Encoder, 3);
            var head = new Linear(64, 8, new Generator(1, CPU));
            var optimiser = new AdamW(new RecipeOptimiser { Rate = 1e-2, EncoderRate = 1e-3, WeightDecay = 0.1, Fused = fused }, encoder, head);
            var x = arange(4 * 64 * 64, ScalarType.Float32).sin().view(4, 1, 64, 64);
            for (var i = 0; i < 5; i++)
            {
                optimiser.ZeroGradients();
                head.forward(encoder.Features(x)).pow(2).sum().backward();
                optimiser.Step(1.0 / (i + 1));
            }
            return cat([.. optimiser.Weights.Select(w => w.detach().flatten())]);
        }).ToList();
        Assert.True((results[0] - results[1]).abs().max().item<float>() < 2e-5);
    }

    [Fact]
    public void Schedule_RisesThenFalls_AndDependsOnStepAlone()
    {
        var schedule = new Schedule(new RecipeSchedule { Warmup = 0.1, Floor = 0.01 }, 100, null);
        var rates = Enumerable.Range(0, 100).Select(s => schedule.Rate(schedule.Progress(s, s * 1e6))).ToList();
        Assert.Equal(rates.Take(11).Order(), rates.Take(11));
        Assert.Equal(rates.Skip(10).OrderDescending(), rates.Skip(10));
        Assert.Equal(1, rates[10], 1e-9);
        Assert.Equal(0.505, schedule.Rate(0.55), 1e-9);
        Assert.Equal(0.01, schedule.Rate(1), 1e-9);
        Assert.True(schedule.Done(100, 0));
        Assert.False(new Schedule(new RecipeSchedule(), null, 5).Done(1000, 4.9));
    }

    [Fact]
    public void RandomStreams_SamePlace_SameNumbers_AndUniform()
    {
        Assert.Equal(new RandomStreams(1).Order(3).Permutation(50), new RandomStreams(1).Order(3).Permutation(50));
        Assert.NotEqual(new RandomStreams(1).Order(3).Permutation(50), new RandomStreams(1).Order(4).Permutation(50));
        Assert.NotEqual(new RandomStreams(1).Order(3).Permutation(50), new RandomStreams(1).Draws(3).Permutation(50));
        Assert.NotEqual(new RandomStreams(1).Order(3).Permutation(50), new RandomStreams(2).Order(3).Permutation(50));
        Assert.Equal(Enumerable.Range(0, 50), new RandomStreams(1).Order(3).Permutation(50).Order());
        var stream = new RandomStreams(9).Open("test", 0);
        var values = Enumerable.Range(0, 20_000).Select(_ => stream.Uniform(2, 4)).ToList();
        Assert.Equal(3, values.Average(), 0.02);
        Assert.InRange(values.Min(), 2, 2.01);
        Assert.InRange(values.Max(), 3.99, 4);
        var (state, next) = (stream.State, stream.Next());
        stream.State = state;
        Assert.Equal(next, stream.Next());
    }

    [Fact]
    public void DataStream_AnEpoch_GivesEveryImageAtMostOnce()
    {
        using var shard = Shard.Open(ShardFile(32));
        using var data = new ImageData(Recipes.Find("simclr-small").With("data.batch=5"), ShardFile(32), new RandomStreams(1), CPU);
        var epoch = Enumerable.Range(0, Images / 5).SelectMany(data.Indices).ToList();
        Assert.Equal(epoch.Count, epoch.Distinct().Count());
        Assert.NotEqual(epoch.Take(5), data.Indices(Images / 5));
        using var scope = NewDisposeScope();
        Assert.True(data.Images(3, out _).eq(shard.Batch(data.Indices(3), CPU)).all().item<bool>());
        Assert.True(data.Images(9, out _).eq(shard.Batch(data.Indices(9), CPU)).all().item<bool>()); // not the one that was begun
    }

    [Fact]
    public void SoundData_AStep_IsTheSameWheneverItIsTaken_AndAsLongAsItsLongest()
    {
        var recipe = Small("wav2vec2-small").With("data.seconds=0.75");
        using var scope = NewDisposeScope();
        using var data = new SoundData(recipe, SoundShardFile(), new RandomStreams(1), CPU);
        var first = data.Take(2, 1, out _);
        Assert.Equal((Images, 6), (data.Count, data.Batch));
        Assert.Equal([6, first.Lengths!.Max()], first.Views[0].shape);
        Assert.InRange(first.Lengths!.Max(), 1, 12_000);
        for (var b = 0; b < 6; b++) Assert.Equal(0, first.Views[0][b].narrow(0, first.Lengths![b], first.Lengths!.Max() - first.Lengths![b]).abs().sum().item<float>());
        var values = first.Views[0].clone();
        data.Take(7, 1, out _);
        var again = data.Take(2, 1, out _);
        Assert.Equal(first.Lengths, again.Lengths);
        Assert.True(values.eq(again.Views[0]).all().item<bool>());
        Assert.False(values.narrow(1, 0, 4000).eq(data.Take(3, 1, out _).Views[0].narrow(1, 0, 4000)).all().item<bool>());
    }

    private const int Images = 18;

    private TrainResult Run(Recipe recipe, string folder, int steps, IRunWatcher? watcher = null) =>
        Trainer.Run(Request(recipe, folder, steps), watcher ?? new NoWatcher(), TestContext.Current.CancellationToken);

    private TrainRequest Request(Recipe recipe, string folder, int? steps)
    {
        var path = recipe.Modality == "sound" ? SoundShardFile() : ShardFile(recipe.ShardResolution);
        return new()
        {
            Recipe = recipe, ShardPath = path, RunFolder = _folder.At(folder), MaxSteps = steps, Seed = 7, Device = "cpu",
            Drafts = recipe.Objective.NeedsDrafts ? [.. Enumerable.Range(0, Pieces(path)).Select(i => i == 1 ? null : i % 2 == 0 ? "a b" : "no")] : null,
        };
    }

    private static int Pieces(string path)
    {
        using var shard = SoundShard.Open(path);
        return shard.Count;
    }

    private static Recipe Small(string name) => (name switch
    {
        "mae-small" => Recipes.Find(name).With("encoder.depth=2").With("encoder.width=48").With("objective.decoderWidth=32").With("objective.decoderDepth=1"),
        "hubert-small" => SmallSound(name).With("objective.clusterFrames=120").With("""objective.rounds=[{"from":0,"clusters":6},{"from":0.5,"clusters":5,"block":1}]"""),
        "pseudo-labels" => Recipes.Find(name).With("start=scratch").With("encoder.width=16").With("encoder.depth=2").With("encoder.bands=20").With("data.seconds=1"),
        "wav2vec2-small" => SmallSound(name).With("objective.entries=8").With("objective.codeWidth=16").With("objective.distractors=5"),
        _ => Recipes.Find(name).With("encoder.width=8").With("objective.projector=[32,16]"),
    }).With("data.batch=6").With("log.steps=1").With("precision=float32");

    private static Recipe SmallSound(string name) => Recipes.Find(name).With("encoder.width=16").With("encoder.depth=2").With("encoder.bands=20").With("objective.compareWidth=16").With("data.seconds=1");

    private string SoundShardFile()
    {
        var path = _folder.At("sounds.shard");
        if (!File.Exists(path)) MadeSpeech.Write(path, Images);
        return path;
    }

    private string ShardFile(int side)
    {
        var path = _folder.At($"images-{side}.shard");
        if (File.Exists(path)) return path;
        using var writer = ShardWriter.Create(path, Images, 1, side, side);
        var random = new RandomStream(5);
        for (var i = 0; i < Images; i++)
        {
            var (fx, fy) = (random.Uniform(0.02, 0.4), random.Uniform(0.02, 0.4));
            writer.Write(i, [.. Enumerable.Range(0, side * side).Select(p => (ushort)(32767 + 30000 * Math.Sin(p % side * fx) * Math.Cos(p / side * fy)))]);
        }
        writer.Finish([.. Enumerable.Range(0, Images).Select(i => $"{i:x64}")]);
        return path;
    }

    private sealed class KilledException : Exception;

    private abstract class Watcher : IRunWatcher
    {
        public virtual void Started(RunStart start) { }
        public virtual void Stepped(MetricsLine line, RunHealth health) { }
        public void Checked(int step, string folder) { }
        public void Ended(TrainResult result) { }
    }

    /// <summary>Leaves the run as a kill would: nothing is written after that step.</summary>
    private sealed class KillAt(int step) : Watcher
    {
        public override void Stepped(MetricsLine line, RunHealth health) { if (line.Step == step) throw new KilledException(); }
    }

    private sealed class CancelAt(int step, CancellationTokenSource cancel) : Watcher
    {
        public override void Stepped(MetricsLine line, RunHealth health) { if (line.Step == step) cancel.Cancel(); }
    }

    private sealed class Starts : Watcher
    {
        public List<int> Steps { get; } = [];
        public override void Started(RunStart start) => Steps.Add(start.Step);
    }

    private sealed class Lines : Watcher
    {
        public List<MetricsLine> All { get; } = [];
        public override void Stepped(MetricsLine line, RunHealth health) => All.Add(line);
    }

    private sealed class LiveTensors : Watcher
    {
        public List<long> Counts { get; } = [];
        public override void Stepped(MetricsLine line, RunHealth health) => Counts.Add(DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }
}
