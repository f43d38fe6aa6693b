using System.Diagnostics;
using DomainSsl.Testing;

namespace DomainSsl.Worker.Tests;

/// <summary>The program itself in processes of its own, which are killed. Small images and the small recipe made smaller still, so that a step takes milliseconds.</summary>
public sealed class KilledWorkerTests
{
    internal static readonly string[] Tiny =
    [
        "--recipe", "simclr-small", "--set", "data.batch=16", "--set", "data.resolution=32", "--set", "encoder.resolution=32", "--set", "encoder.width=8", "--set", "precision=float32",
    ];

    private static readonly TimeSpan Long = TimeSpan.FromMinutes(5);

    [Fact]
    public async Task Worker_KilledInMidPretraining_RunGoesOnFromItsCheckpoint_AndEndsWithOneModel()
    {
        using var folder = new TemporaryFolder();
        var data = folder.At("data");
        await Product.JsonAsync(data, Long, "import", SmallScans.Write(folder, 48), "--collection", "all");
        const int steps = 60;
        string[] pretrain = ["pretrain", "all", .. Tiny, "--steps", $"{steps}", "--set", "checkpoint.steps=5", "--set", "log.steps=5", "--here"];
        var process = Product.Start(data, [.. pretrain]);
        var resumedAt = new List<int>();
        for (var kill = 0; kill < 2; kill++)
        {
            await UntilCheckpointAsync(data, resumedAt.LastOrDefault(), process);
            if (process.HasExited) break;
            resumedAt.Add(LastCheckpoint(data));
            process.Kill();
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
            process.Dispose();
            process = Product.Start(data, "worker", "--once", "--json");
        }
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, process.ExitCode);
        process.Dispose();

        Assert.NotEmpty(resumedAt); // the test means nothing if the run was over before the first kill
        var models = (await Product.JsonAsync(data, Long, "models", "list")).GetProperty("models").EnumerateArray().ToList();
        var made = Assert.Single(models, m => m.GetProperty("run").ValueKind == System.Text.Json.JsonValueKind.String);
        Assert.Equal((steps, "encoder"), (made.GetProperty("steps").GetInt32(), made.GetProperty("kind").GetString()));
        var run = Assert.Single(Directory.GetDirectories(Path.Combine(data, "runs")));
        var log = await File.ReadAllTextAsync(Path.Combine(run, "log.txt"), TestContext.Current.CancellationToken);
        Assert.Contains("Goes on from step", log);
        var logged = (await File.ReadAllLinesAsync(Path.Combine(run, "metrics.jsonl"), TestContext.Current.CancellationToken)).Select(l => System.Text.Json.JsonDocument.Parse(l).RootElement.GetProperty("step").GetInt32()).ToList();
        Assert.Equal(logged.Distinct().Order(), logged); // every step's line once, in order
        Assert.Equal(2, Directory.GetDirectories(Path.Combine(data, "models")).Length + (Directory.Exists(Path.Combine(data, "models", "public")) ? 0 : 1)); // nothing half stored is left
    }

    [Fact]
    public async Task Worker_ToldToStop_PutsItsRunBackAtACheckpoint_AndASecondWorkerIsRefused()
    {
        using var folder = new TemporaryFolder();
        var data = folder.At("data");
        await Product.JsonAsync(data, Long, "import", SmallScans.Write(folder, 32), "--collection", "all");
        // Left behind by a killed command: a run that waits for a worker.
        var command = Product.Start(data, ["pretrain", "all", .. Tiny, "--steps", "100000", "--set", "checkpoint.steps=5", "--here"]);
        await UntilCheckpointAsync(data, 0, command);
        command.Kill();
        await command.WaitForExitAsync(TestContext.Current.CancellationToken);
        command.Dispose();

        using var worker = Product.Start(data, "worker");
        await UntilCheckpointAsync(data, LastCheckpoint(data), worker);
        var refused = await Product.RunAsync(data, Long, "worker", "--once", "--json");
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains("worker-running", refused.Output);
        Process.Start("kill", ["-TERM", $"{worker.Id}"]).WaitForExit();
        await worker.WaitForExitAsync(TestContext.Current.CancellationToken);
        var log = await File.ReadAllTextAsync(Path.Combine(Assert.Single(Directory.GetDirectories(Path.Combine(data, "runs"))), "log.txt"), TestContext.Current.CancellationToken);
        Assert.Contains("the run waits to go on from its checkpoint", log);
        Assert.Equal(0, worker.ExitCode);
    }

    private static int LastCheckpoint(string data) => Directory.Exists(Path.Combine(data, "runs"))
        ? Directory.GetDirectories(Path.Combine(data, "runs"), "step-*", SearchOption.AllDirectories).Select(d => int.Parse(Path.GetFileName(d)[5..])).DefaultIfEmpty().Max() : 0;

    private static async Task UntilCheckpointAsync(string data, int after, Process process)
    {
        var waited = Stopwatch.StartNew();
        while (LastCheckpoint(data) <= after && !process.HasExited)
        {
            if (waited.Elapsed > Long) Assert.Fail("No checkpoint came.");
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
    }
}
