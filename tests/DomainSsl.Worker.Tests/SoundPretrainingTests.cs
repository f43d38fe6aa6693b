using System.Diagnostics;
using System.Text.Json;
using DomainSsl.Audio;
using DomainSsl.Audio.Decoding;
using DomainSsl.Learning.Weights;
using DomainSsl.Testing;

namespace DomainSsl.Worker.Tests;

/// <summary>Pretraining on a collection of recordings, by the program itself; the small recipe for speech made smaller still.</summary>
public sealed class SoundPretrainingTests
{
    private static readonly string[] Tiny =
    [
        "--set", "data.batch=8", "--set", "data.seconds=1", "--set", "encoder.width=16", "--set", "encoder.depth=2", "--set", "encoder.bands=20", "--set", "objective.compareWidth=16",
        "--set", "objective.clusterFrames=120", "--set", """objective.rounds=[{"from":0,"clusters":6},{"from":0.5,"clusters":5,"block":1}]""", "--set", "precision=float32",
    ];

    private static readonly TimeSpan Long = TimeSpan.FromMinutes(5);

    [Fact]
    public async Task Pretrain_OnRecordings_TakesTheRecipeForSound_IsKilledAndGoesOn_AndMakesAnEncoderOfSound()
    {
        using var folder = new TemporaryFolder();
        var data = folder.At("data");
        WriteTones(folder, 20);
        await Product.JsonAsync(data, Long, "import", folder.At("tones"), "--collection", "speech");

        const int steps = 300;
        var process = Product.Start(data, ["pretrain", "speech", "--recipe", "hubert-small", .. Tiny, "--steps", $"{steps}", "--set", "checkpoint.steps=5", "--set", "log.steps=5", "--here"]);
        var waited = Stopwatch.StartNew();
        while (!Directory.Exists(Path.Combine(data, "runs")) || Directory.GetDirectories(Path.Combine(data, "runs"), "step-*", SearchOption.AllDirectories).Length == 0)
        {
            if (waited.Elapsed > Long || process.HasExited) Assert.Fail("No checkpoint came.");
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
        process.Kill();
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        process.Dispose();
        await Product.JsonAsync(data, Long, "worker", "--once");

        var models = (await Product.JsonAsync(data, Long, "models", "list")).GetProperty("models").EnumerateArray().ToList();
        var made = Assert.Single(models, m => m.GetProperty("run").ValueKind == JsonValueKind.String);
        Assert.Equal((steps, "encoder", "hubert-small on speech"), (made.GetProperty("steps").GetInt32(), made.GetProperty("kind").GetString(), made.GetProperty("name").GetString()));
        Assert.True(made.GetProperty("metrics").TryGetProperty("maskedAccuracy", out _));
        Assert.Equal(2, made.GetProperty("metrics").GetProperty("round").GetDouble());
        var run = Assert.Single(Directory.GetDirectories(Path.Combine(data, "runs")));
        var log = await File.ReadAllTextAsync(Path.Combine(run, "log.txt"), TestContext.Current.CancellationToken);
        Assert.Contains("Goes on from step", log);
        Assert.Contains("pieces of sound", log);
        Assert.Single(Directory.GetFiles(Path.Combine(data, "shards"), "*-sound-*.shard"));

        // One that goes on from the spoken encoder: what that reads with stays with it.
        var open = await Product.JsonAsync(data, Long, "pretrain", "speech", "--recipe", "hubert", "--steps", "1", "--set", "data.batch=4", "--set", "objective.clusterFrames=300", "--here");
        var continued = (await Product.JsonAsync(data, Long, "models", "list")).GetProperty("models").EnumerateArray().Single(m => m.GetProperty("id").GetString() == open.GetProperty("model").GetString());
        Assert.Equal("spoken", continued.GetProperty("parent").GetString());
        using (var weights = SafeTensors.Read(Path.Combine(data, "models", open.GetProperty("model").GetString()!, "weights.safetensors"))) Assert.Contains("letters.weight", weights.Tensors.Keys);

        // What takes images refuses it in a sentence, and so does a recipe for images here.
        var scans = SmallScans.Write(folder, 8);
        await Product.JsonAsync(data, Long, "import", scans, "--collection", "scans");
        foreach (var (said, arguments) in new (string, string[])[]
        {
            ("holds images, and this works on recordings", ["embed", made.GetProperty("id").GetString()!, "--collection", "scans", "--out", folder.At("f.npy")]),
            ("other-kind", ["pretrain", "speech", "--recipe", "simclr"]),
            ("other-kind", ["pretrain", "scans", "--recipe", "hubert-small"]),
            ("is an encoder of images", ["pretrain", "speech", "--init", "public", "--steps", "1"]),
        })
        {
            var refused = await Product.RunAsync(data, Long, [.. arguments, "--json"]);
            Assert.Equal(1, refused.ExitCode);
            Assert.Contains(said, refused.Output);
        }
    }

    [Fact]
    public void Pieces_AreTheSpeechWhereItIsKnown_ElseAllOfIt_CutEvenly()
    {
        Assert.Equal([new Stretch(0, 4)], ShardStore.Pieces(new SoundItem("a", "b", 0, 4, [])));
        Assert.Equal([new Stretch(0, 10), new Stretch(10, 20)], ShardStore.Pieces(new SoundItem("a", "b", 0, 20, [])));
        Assert.Equal([new Stretch(0, 15)], ShardStore.Pieces(new SoundItem("a", "b", 0, 15, [])));
        Assert.Equal([new Stretch(1, 3, 1), new Stretch(5, 6, 0)], ShardStore.Pieces(new SoundItem("a", "b", 0, 20, [new Stretch(1, 3, 1), new Stretch(5, 6, 0)])));
    }

    // Tones of changing pitch, one to two seconds; each recording another.
    private static void WriteTones(TemporaryFolder folder, int count)
    {
        Directory.CreateDirectory(folder.At("tones"));
        for (var i = 0; i < count; i++)
        {
            var random = new Random(i);
            var samples = new float[16_000 + 800 * i];
            for (int at = 0, length = 0; at < samples.Length; at += length)
            {
                length = random.Next(1000, 3000);
                var hertz = 200 * Math.Pow(2, random.Next(12) / 4.0);
                for (var j = at; j < Math.Min(samples.Length, at + length); j++) samples[j] = (float)(0.3 * Math.Sin(2 * Math.PI * hertz * j / 16_000) + 0.01 * random.NextDouble());
            }
            using var file = File.Create(folder.At("tones", $"{i:00}.wav"));
            SoundFile.WriteWav(file, new Sound(samples, 16_000, 1));
        }
    }
}
