using System.Text.Json;
using System.Text.Json.Nodes;
using DomainSsl.Core;
using DomainSsl.Core.Collections;
using DomainSsl.Core.Runs;
using DomainSsl.Core.Storage;
using DomainSsl.Core.Tasks;
using DomainSsl.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace DomainSsl.Worker.Tests;

/// <summary>The documents of the commands that do long work, on small made-up scans: what scripts rely on is there and means what it says.</summary>
public sealed class CommandTests
{
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(5);

    [Fact]
    public async Task FromScansToPredictions_EveryDocumentHasWhatItPromises()
    {
        using var folder = new TemporaryFolder();
        var data = folder.At("data");
        var (train, test) = (SmallScans.Write(folder, 64), SmallScans.Write(folder, 40, "others", seed: 2));
        Task<JsonElement> Run(params string[] arguments) => Product.JsonAsync(data, Long, arguments);
        await Run("import", train, "--collection", "all");

        var recipes = (await Run("recipes", "list")).GetProperty("recipes").EnumerateArray().Select(r => r.GetProperty("name").GetString());
        string[] sounds = ["hubert", "hubert-base", "hubert-small", "pseudo-labels", "wav2vec2-base", "wav2vec2-small"];
        Assert.Equal(["simclr", "mae-small", "simclr-small", .. sounds.OrderBy(r => r != RecipeCatalog.DefaultForSound)], recipes);
        Assert.Equal("simclr", (await Run("recipes", "show", "simclr-small")).GetProperty("objective").GetProperty("name").GetString());

        var pretrained = await Run(["pretrain", "all", .. KilledWorkerTests.Tiny, "--steps", "20", "--name", "Spots"]);
        var encoder = pretrained.GetProperty("model").GetString()!;
        Assert.Equal(20, pretrained.GetProperty("steps").GetInt32());
        Assert.True(pretrained.GetProperty("samplesPerSecond").GetDouble() > 0);
        Assert.InRange(pretrained.GetProperty("waitingForData").GetDouble(), 0, 1);
        Assert.True(pretrained.GetProperty("peakMemoryMb").GetDouble() > 10);
        Assert.Contains(pretrained.GetProperty("health").GetProperty("state").GetString(), (string[])["good", "watch", "bad"]);
        Assert.Equal(JsonValueKind.Array, pretrained.GetProperty("health").GetProperty("findings").ValueKind);
        Assert.True(pretrained.GetProperty("metrics").GetProperty("loss").GetDouble() > 0);
        Assert.StartsWith("r-", pretrained.GetProperty("run").GetString(), StringComparison.Ordinal);

        // The other scans are not imported yet: the table of labels brings them.
        var worth = await Run("label-efficiency", "--train", train, "--test", test, "--encoder", encoder, "--budgets", "8", "--repeats", "1", "--modes", "probe", "--out", folder.At("worth"));
        var arms = worth.GetProperty("arms").EnumerateArray().ToList();
        Assert.Equal([encoder, "scratch"], arms.Select(a => a.GetProperty("arm").GetString()));
        Assert.All(arms, a => Assert.Equal(1, a.GetProperty("values").GetArrayLength()));
        Assert.All(arms, a => Assert.InRange(a.GetProperty("mean").GetDouble(), a.GetProperty("low").GetDouble(), a.GetProperty("high").GetDouble()));
        var difference = Assert.Single(worth.GetProperty("differences").EnumerateArray());
        Assert.Equal((encoder, 8), (difference.GetProperty("arm").GetString(), difference.GetProperty("budget").GetInt32()));
        Assert.Equal(arms[0].GetProperty("mean").GetDouble() - arms[1].GetProperty("mean").GetDouble(), difference.GetProperty("mean").GetDouble(), 9);
        // Whether there is a gain is the data's to say; that the sentence names the labels it holds for is ours.
        Assert.Contains("8 labels", worth.GetProperty("verdict").GetString());
        Assert.Equal("auroc", worth.GetProperty("metric").GetString());
        Assert.All((string[])["svg", "png", "csv"], e => Assert.True(File.Exists(folder.At("worth", $"label-efficiency.{e}"))));
        Assert.Contains("Spots", await File.ReadAllTextAsync(folder.At("worth", "label-efficiency.svg"), TestContext.Current.CancellationToken)); // people know it by its name
        // The run's row alone is what its page is drawn from.
        var kept = await ArmNamesTests.WorthOfAsync(data, worth.GetProperty("run").GetString()!);
        Assert.Equal(("auroc", 2, 1, 1, 1, 2, 40, 20, "patients"), (kept.Metric, kept.Arms.Count, kept.Draws, kept.Differences.Count, kept.Comparisons.Count, kept.BalancedAccuracy.Count, kept.TestItems, kept.TestPatients, kept.Who));
        Assert.Null(kept.Differences[0].Figure.Low); // one draw: no interval is claimed

        var tuned = await Run("finetune", "--labels", train, "--encoder", "Spots", "--mode", "probe", "--task", "Spot?");
        var classifier = tuned.GetProperty("model").GetString()!;
        var auroc = tuned.GetProperty("metrics").GetProperty("auroc");
        Assert.InRange(auroc.GetProperty("value").GetDouble(), auroc.GetProperty("low").GetDouble(), auroc.GetProperty("high").GetDouble());
        Assert.Equal("probe", tuned.GetProperty("chosen").GetProperty("mode").GetString());

        var measured = await Run("evaluate", classifier, "--labels", test);
        Assert.Equal((40, 20), (measured.GetProperty("n").GetInt32(), measured.GetProperty("patients").GetInt32()));
        Assert.True(measured.GetProperty("metrics").TryGetProperty("auroc", out _));
        // Of the scans that it was trained on, only those of the locked test patients are left.
        Assert.True((await Run("evaluate", classifier, "--labels", train)).GetProperty("n").GetInt32() < 64 / 2);

        var predicted = await Run("predict", classifier, folder.At("others", "000.dcm"), folder.At("others", "002.dcm"), "--out", folder.At("answers.csv"));
        var predictions = predicted.GetProperty("predictions").EnumerateArray().ToList();
        Assert.Equal(2, predictions.Count);
        Assert.All(predictions, p => Assert.Equal(1, p.GetProperty("probabilities").EnumerateObject().Sum(c => c.Value.GetDouble()), 4));
        Assert.All(predictions, p => Assert.Contains(p.GetProperty("label").GetString(), (string[])["none", "spot"]));
        Assert.Equal([folder.At("others", "000.dcm"), folder.At("others", "002.dcm")], predictions.Select(p => p.GetProperty("file").GetString()).Order());
        Assert.Equal(3, (await File.ReadAllLinesAsync(folder.At("answers.csv"), TestContext.Current.CancellationToken)).Length);

        var embedded = await Run("embed", encoder, "--collection", "all", "--out", folder.At("features.npy"));
        var (items, dimensions) = (embedded.GetProperty("items").GetInt32(), embedded.GetProperty("dimensions").GetInt32());
        Assert.Equal(64, items);
        Assert.Equal(0, (new FileInfo(folder.At("features.npy")).Length - 4L * items * dimensions) % 64); // the header fills whole lines of 64 bytes
        Assert.Equal(65, (await File.ReadAllLinesAsync(folder.At("features.csv"), TestContext.Current.CancellationToken)).Length);

        var similar = (await Run("similar", encoder, folder.At("scans", "000.dcm"), "-k", "3")).GetProperty("neighbours").EnumerateArray().Select(n => n.GetProperty("distance").GetDouble()).ToList();
        Assert.Equal(3, similar.Count);
        Assert.Equal(similar.Order(), similar);

        // The registry: promoted, exported, imported again with every tensor.
        Assert.Equal("in use", (await Run("models", "promote", classifier)).GetProperty("models")[0].GetProperty("state").GetString());
        var shown = await Run("models", "show", classifier);
        Assert.Equal([encoder], shown.GetProperty("lineage").EnumerateArray().Select(l => l.GetString()));
        await Run("models", "export", "public", "--out", folder.At("public.safetensors"));
        var imported = (await Run("models", "import", folder.At("public.safetensors"), "--as", "simclr", "--name", "Again")).GetProperty("imported");
        Assert.True(imported.GetProperty("matched").GetInt32() > 100);
        Assert.Equal((0, 0), (imported.GetProperty("missing").GetArrayLength(), imported.GetProperty("unexpected").GetArrayLength()));
        var wrong = await Product.RunAsync(data, Long, "models", "import", folder.At("public.safetensors"), "--as", "simclr-small", "--json");
        Assert.Equal(1, wrong.ExitCode);
        Assert.Contains("weights-missing", wrong.Output);
    }

    [Fact]
    public async Task Recipe_AddedInTheDataFolder_IsListedShownAndTrainedBy_AndABadOneHidesNone()
    {
        using var folder = new TemporaryFolder();
        var data = folder.At("data");
        Task<JsonElement> Run(params string[] arguments) => Product.JsonAsync(data, Long, arguments);
        var shipped = JsonNode.Parse((await Product.RunAsync(data, Long, "recipes", "show", "simclr-small")).Output)!;
        Assert.False(Directory.Exists(data), "Looking at recipes makes no data folder.");
        shipped["name"] = "Clinic";
        Directory.CreateDirectory(folder.At("data", "recipes"));
        await File.WriteAllTextAsync(folder.At("data", "recipes", "clinic.json"), shipped.ToJsonString(), TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(folder.At("data", "recipes", "bad.json"), """{"name":"bad","objective":{"name":"astrology"}}""", TestContext.Current.CancellationToken);

        var names = (await Run("recipes", "list")).GetProperty("recipes").EnumerateArray().Select(r => r.GetProperty("name").GetString()).ToList();
        Assert.Equal(DomainSsl.Learning.Training.Recipes.All.Count + 1, names.Count);
        Assert.Contains("Clinic", names);
        Assert.Equal("Clinic", (await Run("recipes", "show", "clinic")).GetProperty("name").GetString());
        Assert.Equal(1, (await Product.RunAsync(data, Long, "recipes", "show", "bad")).ExitCode);

        await Run("import", SmallScans.Write(folder, 16), "--collection", "all");
        var trained = await Run(["pretrain", "all", "--recipe", "clinic", .. KilledWorkerTests.Tiny[2..], "--steps", "2"]);
        Assert.Equal(2, trained.GetProperty("steps").GetInt32());
    }

    [Theory]
    [InlineData(2, "--modes", "foo")]
    [InlineData(2, "--modes", ",")]
    [InlineData(2, "--budgets", "ten")]
    [InlineData(2, "--repeats", "0")]
    [InlineData(2, "--seed", "x")]
    [InlineData(1, "--set", "stepShar=1")]
    [InlineData(1, "--budgets", "8,1000")]
    public async Task LabelEfficiency_WhatCannotBeAskedFor_IsRefusedBeforeThereIsARun(int exitCode, params string[] option)
    {
        using var folder = new TemporaryFolder();
        var result = await Product.RunAsync(folder.At("data"), Long, ["label-efficiency", "--train", SmallScans.Write(folder, 16), "--test", SmallScans.Write(folder, 8, "others", seed: 2), "--encoder", "scratch", .. option, "--json"]);
        Assert.Equal(exitCode, result.ExitCode);
        Assert.InRange(JsonDocument.Parse(result.Output).RootElement.GetProperty("error").GetProperty("message").GetString()!.Length, 20, 300);
        Assert.Empty(Runs(folder.At("data")));
    }

    [Theory]
    [InlineData("--minutes", "NaN")]
    [InlineData("--recipe", "simclrr")]
    [InlineData("--set", "optimiser.rat=1")]
    public async Task Pretrain_WhatCannotBeAskedFor_IsRefusedBeforeThereIsARun(params string[] option)
    {
        using var folder = new TemporaryFolder();
        await Product.JsonAsync(folder.At("data"), Long, "import", SmallScans.Write(folder, 4), "--collection", "all");
        var result = await Product.RunAsync(folder.At("data"), Long, ["pretrain", "all", .. option, "--json"]);
        var error = JsonDocument.Parse(result.Output).RootElement.GetProperty("error");
        Assert.NotEqual("unexpected", error.GetProperty("code").GetString());
        Assert.InRange(error.GetProperty("message").GetString()!.Length, 20, 300);
        Assert.Empty(Runs(folder.At("data")));
    }

    [Fact]
    public async Task FineTune_FilesThatAreNotInTheTasksCollection_SaysWhatToDoOnTheCommandLine()
    {
        var cancel = TestContext.Current.CancellationToken;
        using var folder = new TemporaryFolder();
        var data = folder.At("data");
        await Product.JsonAsync(data, Long, "import", SmallScans.Write(folder, 8), "--collection", "first");
        await using (var services = new ServiceCollection().AddLogging().AddDomainSslCore(new DataFolder(data)).BuildServiceProvider())
        {
            var collection = await services.GetRequiredService<CollectionService>().FindAsync("first", cancel);
            await services.GetRequiredService<TaskService>().CreateAsync("spot", "Is there a spot?", ["none", "spot"], collection.Id, "anna", cancel: cancel);
        }
        var result = await Product.RunAsync(data, Long, "finetune", "--labels", SmallScans.Write(folder, 8, "others", seed: 2), "--encoder", "scratch", "--mode", "full", "--task", "spot", "--json");
        Assert.Equal(1, result.ExitCode);
        var message = JsonDocument.Parse(result.Output).RootElement.GetProperty("error").GetProperty("message").GetString()!;
        Assert.Contains("8 of the 8 rows", message, StringComparison.Ordinal);
        Assert.Contains("leave out --task", message, StringComparison.Ordinal);
        Assert.Empty(Runs(data));
    }

    private static string[] Runs(string data) => Directory.Exists(Path.Combine(data, "runs")) ? Directory.GetDirectories(Path.Combine(data, "runs")) : [];

    [Theory]
    [InlineData("no transcriber", "transcribe", "m-1", "a.wav")]
    [InlineData("no collection", "pretrain", "nothing")]
    [InlineData("no recipe", "recipes", "show", "simclrr")]
    [InlineData("no model", "models", "show", "nothing")]
    [InlineData("no table", "evaluate", "public", "--labels", "nothing.csv")]
    public async Task WhatCannotBeDone_IsSaidInOneSentence(string what, params string[] arguments)
    {
        using var folder = new TemporaryFolder();
        var result = await Product.RunAsync(folder.At("data"), Long, [.. arguments, "--json"]);
        Assert.True(result.ExitCode == 1, what);
        var error = JsonDocument.Parse(result.Output).RootElement.GetProperty("error");
        Assert.InRange(error.GetProperty("message").GetString()!.Length, 20, 300);
        Assert.DoesNotContain("   at ", result.Errors);
    }
}
