using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using DomainSsl.Learning;
using DomainSsl.Learning.Data;
using DomainSsl.Learning.Encoders;
using DomainSsl.Learning.Health;
using DomainSsl.Learning.Objectives;
using DomainSsl.Learning.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace DomainSsl.Benchmarks;

/// <summary>
/// Two figures of the trainer, as console programs (the allocator is set once a process, so the arms need processes of their own):
/// <code>
/// dotnet run -c Release --project tests/DomainSsl.Benchmarks -- learning-step [RECIPE…]      one training step, with the levers beside plainly written, interleaved
/// dotnet run -c Release --project tests/DomainSsl.Benchmarks -- learning-memory [STEPS] [CSV] resident memory and live tensors over 2,000 steps
/// </code>
/// </summary>
internal static class LearningBenchmarks
{
    private const int Rounds = 3, StepsARound = 4, Images = 256;

    /// <summary>Runs what the first word asks for; null when it is none of these.</summary>
    public static int? Run(string[] args) => args switch
    {
        ["learning-step", .. var recipes] => CompareSteps(recipes.Length > 0 ? recipes : [.. Recipes.All.Select(r => r.Name)]),
        ["learning-step-arm", var recipe, var arm] => TimeSteps(recipe, arm == "plain"),
        ["learning-memory"] => Memory(2000, "learning-memory.csv"),
        ["learning-memory", var steps] => Memory(int.Parse(steps, CultureInfo.InvariantCulture), "learning-memory.csv"),
        ["learning-memory", var steps, var csv] => Memory(int.Parse(steps, CultureInfo.InvariantCulture), csv),
        _ => null,
    };

    /// <summary>Arms in turn, each in a fresh process, so that a busy machine meets both alike; the ratio is of the medians over all rounds.</summary>
    private static int CompareSteps(IReadOnlyList<string> recipes)
    {
        Console.WriteLine("recipe          plain s/step   with levers s/step   ratio");
        foreach (var recipe in recipes)
        {
            var (plain, levers) = (new List<double>(), new List<double>());
            for (var round = 0; round < Rounds; round++)
            {
                plain.AddRange(Child(recipe, "plain"));
                levers.AddRange(Child(recipe, "levers"));
            }
            Console.WriteLine($"{recipe,-15} {Median(plain),12:0.000} {Median(levers),20:0.000} {Median(plain) / Median(levers),7:0.00}");
        }
        return 0;
    }

    private static double[] Child(string recipe, string arm)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true };
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath!) == "dotnet") start.ArgumentList.Add(typeof(LearningBenchmarks).Assembly.Location);
        foreach (var word in new[] { "learning-step-arm", recipe, arm }) start.ArgumentList.Add(word);
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0) throw new InvalidOperationException($"The arm {arm} of {recipe} ended with code {process.ExitCode}.");
        return JsonSerializer.Deserialize<double[]>(output.Trim().Split('\n')[^1])!;
    }

    /// <summary>
    /// One arm. Plain: no setting of the process, float32, matrix products as such, the optimiser one weight after another. With levers: what the trainer does.
    /// Objective, first weights, images and views are the same in both; the first step, which sets kernels up, does not count.
    /// </summary>
    private static int TimeSteps(string name, bool plain)
    {
        if (!plain) TorchProcess.Tune();
        if (plain) Linear.AsConvolution = false;
        var recipe = Recipes.Find(name);
        if (plain) recipe = recipe.With("optimiser.fused=false");
        using var folder = new Testing.TemporaryFolder();
        var shardPath = MakeShard(folder.At("images.shard"), recipe.ShardResolution);
        var random = new RandomStreams(1);
        using var data = StepData.Open(recipe, shardPath, null, Path.GetTempPath(), random, Devices.Choose("cpu"));
        using var objective = Trainer.Build(new TrainRequest { Recipe = recipe, ShardPath = shardPath, RunFolder = folder.Path }, random);
        objective.Encoder.Precision = plain ? ScalarType.Float32 : Precisions.Choose(recipe.Precision, objective.Encoder.Spec, Devices.Choose("cpu"));
        objective.Encoder.train();
        objective.Heads.train();
        using var optimiser = new AdamW(recipe.Optimiser, objective.Encoder, objective.Heads);
        var seconds = new List<double>();
        for (var step = 0; step <= StepsARound; step++)
        {
            var clock = Stopwatch.StartNew();
            using (NewDisposeScope())
            {
                var loss = objective.Loss(data.Take(step, objective.Views, out _));
                optimiser.ZeroGradients();
                loss.Value.backward();
                optimiser.Step(1);
            }
            if (step > 0) seconds.Add(clock.Elapsed.TotalSeconds);
        }
        Console.WriteLine(JsonSerializer.Serialize(seconds));
        return 0;
    }

    /// <summary>The whole trainer, checkpoints and all, on the small SimCLR recipe with a small batch; a line every 20 steps.</summary>
    private static int Memory(int steps, string csv)
    {
        using var folder = new Testing.TemporaryFolder();
        var recipe = Recipes.Find("simclr-small").With("data.batch=32").With("log.steps=20").With("checkpoint.steps=250");
        var watcher = new MemoryWatcher(csv);
        Trainer.Run(new TrainRequest { Recipe = recipe, ShardPath = MakeShard(folder.At("images.shard"), recipe.ShardResolution), RunFolder = folder.At("run"), MaxSteps = steps, Seed = 1 },
            watcher, CancellationToken.None);
        var lines = watcher.Lines;
        // The allocator keeps what was freed, so the first part fills it; what counts is that the rest is level.
        var (early, late) = (lines.Where(l => l.Step > steps / 4 && l.Step <= steps / 2).Average(l => l.ResidentMb), lines.Where(l => l.Step > steps * 3 / 4).Average(l => l.ResidentMb));
        Console.WriteLine($"resident memory: {early:0} MB in the second quarter, {late:0} MB in the last ({late - early:+0.0;-0.0} MB); live tensors {lines[1].Tensors} → {lines[^1].Tensors}; curve in {csv}");
        return late - early < 0.03 * early && lines[1].Tensors == lines[^1].Tensors ? 0 : 1;
    }

    private static string MakeShard(string path, int side)
    {
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

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);

    private sealed record MemoryLine(int Step, double ResidentMb, long Tensors);

    private sealed class MemoryWatcher : IRunWatcher
    {
        private readonly string _csv;

        public MemoryWatcher(string csv) => File.WriteAllText(_csv = csv, "step,resident_mb,live_tensors\n");

        public List<MemoryLine> Lines { get; } = [];

        public void Started(RunStart start) { }

        public void Stepped(MetricsLine line, RunHealth health)
        {
            var entry = new MemoryLine(line.Step, Environment.WorkingSet / 1048576.0, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
            Lines.Add(entry);
            File.AppendAllText(_csv, string.Create(CultureInfo.InvariantCulture, $"{entry.Step},{entry.ResidentMb:0.0},{entry.Tensors}\n"));
        }

        public void Checked(int step, string folder) { }

        public void Ended(TrainResult result) { }
    }
}
