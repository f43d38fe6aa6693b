using System.Text;
using System.Text.Json;
using DomainSsl.Audio;
using DomainSsl.Audio.Decoding;
using DomainSsl.Testing;

namespace DomainSsl.Worker.Tests;

/// <summary>Classifying recordings by the program itself: the commands that serve scans, on a table of sounds with their speakers.</summary>
public sealed class SoundClassificationTests
{
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(5);

    [Fact]
    public async Task FromLabelledRecordingsToPredictions_EveryDocumentHasWhatItPromises()
    {
        using var folder = new TemporaryFolder();
        var data = folder.At("data");
        var (train, test) = (Write(folder, "train", 64, 8), Write(folder, "test", 24, 2));
        Task<JsonElement> Run(params string[] arguments) => Product.JsonAsync(data, Long, arguments);
        await Run("import", train, "--collection", "sounds");
        await Run(["pretrain", "sounds", .. TinyEncoder.Options]);

        var tuned = await Run("finetune", "--labels", train, "--encoder", "Tiny", "--task", "How high?", "--name", "Listener", "--set", "stepShare=0.3", "--here");
        Assert.Contains(tuned.GetProperty("chosen").GetProperty("mode").GetString(), (string[])["probe", "full", "mean"]);
        var auroc = tuned.GetProperty("metrics").GetProperty("auroc");
        Assert.InRange(auroc.GetProperty("value").GetDouble(), auroc.GetProperty("low").GetDouble(), auroc.GetProperty("high").GetDouble());
        Assert.Contains("speakers", tuned.GetProperty("verdict").GetString());

        // The test table is imported on the way; of two speakers each one's share is told.
        var measured = await Run("evaluate", "Listener", "--labels", test, "--here");
        Assert.Equal((24, 2), (measured.GetProperty("n").GetInt32(), measured.GetProperty("patients").GetInt32()));
        Assert.Equal([12, 12], measured.GetProperty("each").EnumerateArray().Select(e => e.GetProperty("n").GetInt32()));
        Assert.True(measured.GetProperty("metrics").GetProperty("auroc").GetProperty("value").GetDouble() > 0.8, measured.ToString());

        var predicted = await Run("predict", "Listener", folder.At("test", "00.wav"), folder.At("test", "05.wav"), "--out", folder.At("answers.csv"), "--here");
        var predictions = predicted.GetProperty("predictions").EnumerateArray().ToList();
        Assert.Equal([folder.At("test", "00.wav"), folder.At("test", "05.wav")], predictions.Select(p => p.GetProperty("file").GetString()).Order());
        Assert.All(predictions, p => Assert.Equal(1, p.GetProperty("probabilities").EnumerateObject().Sum(c => c.Value.GetDouble()), 4));
        Assert.Equal(3, (await File.ReadAllLinesAsync(folder.At("answers.csv"), TestContext.Current.CancellationToken)).Length);

        var worth = await Run("label-efficiency", "--train", train, "--test", test, "--encoder", "Tiny", "--budgets", "8", "--repeats", "1", "--balanced", "--set", "stepShare=0.02", "--out", folder.At("worth"), "--here");
        var arms = worth.GetProperty("arms").EnumerateArray().ToList();
        Assert.Equal(2, arms.Count);
        Assert.Equal("scratch", arms[1].GetProperty("arm").GetString());
        Assert.Equal("auroc", worth.GetProperty("metric").GetString());
        Assert.Equal(2, worth.GetProperty("balancedAccuracy").GetArrayLength());
        Assert.Equal(4, worth.GetProperty("patients").GetArrayLength());
        Assert.Contains("too few test speakers", worth.GetProperty("verdict").GetString());
        Assert.All((string[])["svg", "png", "csv"], e => Assert.True(File.Exists(folder.At("worth", $"label-efficiency.{e}"))));

        Assert.Equal((64, 32), await Size(Run("embed", "Tiny", "--collection", "sounds", "--out", folder.At("features.npy"), "--here")));
        Assert.Equal(3, (await Run("similar", "Listener", folder.At("test", "00.wav"), "-k", "3", "--here")).GetProperty("neighbours").GetArrayLength());

        var scans = SmallScans.Write(folder, 8);
        foreach (var (said, arguments) in new (string, string[])[]
        {
            ("is an encoder of images", ["finetune", "--labels", train, "--encoder", "public", "--here"]),
            ("is an encoder of sound", ["finetune", "--labels", scans, "--encoder", "Tiny", "--here"]),
            ("give two of one kind", ["label-efficiency", "--train", train, "--test", scans, "--encoder", "Tiny", "--budgets", "8", "--here"]),
            ("not recordings", ["predict", "Listener", folder.At("scans", "000.dcm"), "--here"]),
        })
        {
            var refused = await Product.RunAsync(data, Long, [.. arguments, "--json"]);
            Assert.Equal(1, refused.ExitCode);
            Assert.Contains(said, refused.Output);
        }
    }

    private static async Task<(int, int)> Size(Task<JsonElement> embedded) => ((await embedded).GetProperty("items").GetInt32(), (await embedded).GetProperty("dimensions").GetInt32());

    // Low and high tones of 0.15 to 0.9 seconds at 8 kHz, the like of each from every speaker, with their table.
    private static string Write(TemporaryFolder folder, string name, int count, int speakers)
    {
        Directory.CreateDirectory(folder.At(name));
        var table = new StringBuilder("file,label,speaker\n");
        for (var i = 0; i < count; i++)
        {
            var random = new Random(1000 * name.Length + i);
            var samples = new float[random.Next(1200, 7200)];
            var (hertz, from, to) = (i % 2 == 0 ? 500 : 1400, random.Next(samples.Length / 3), samples.Length - random.Next(samples.Length / 3));
            for (var t = 0; t < samples.Length; t++) samples[t] = (float)((t < from || t >= to ? 0 : 0.3 * Math.Sin(2 * Math.PI * hertz * t / 8000)) + 0.02 * (random.NextDouble() - 0.5));
            using var file = File.Create(folder.At(name, $"{i:00}.wav"));
            SoundFile.WriteWav(file, new Sound(samples, 8_000, 1));
            table.Append(System.Globalization.CultureInfo.InvariantCulture, $"{i:00}.wav,{(i % 2 == 0 ? "low" : "high")},{name} {i / 2 % speakers}\n");
        }
        var path = folder.At(name, "table.csv");
        File.WriteAllText(path, table.ToString());
        return path;
    }
}
