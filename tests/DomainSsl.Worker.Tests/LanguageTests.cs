using System.Diagnostics;
using System.Text.Json;
using DomainSsl.Core;
using DomainSsl.Core.Models;
using DomainSsl.Core.Storage;
using DomainSsl.Testing;
using DomainSsl.Worker;
using Microsoft.Extensions.DependencyInjection;

namespace DomainSsl.Worker.Tests;

/// <summary>Language models by the program itself: what the command answers, what is kept, what is told to nobody, and a process that is killed.</summary>
public sealed class LanguageTests
{
    private const string Secret = "quillfeather";       // a name, as it may stand in a report
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(5);

    [Fact]
    public async Task Train_NGram_AnswersWithItsFigures_IsPromotedExportedAndRolledBack_AndTellsNothingOfTheText()
    {
        using var folder = new TemporaryFolder();
        var data = folder.At("data");
        var made = await Product.JsonAsync(data, Long, "language", "train", "--kind", "ngram", "--text", Reports(folder, 80), "--name", "ours");
        var metrics = made.GetProperty("metrics");
        double bits = metrics.GetProperty("bitsPerLetter").GetDouble(), baseline = metrics.GetProperty("baselineBitsPerLetter").GetDouble();
        Assert.True(bits < baseline - 1 && metrics.GetProperty("gain").GetProperty("low").GetDouble() > 1, metrics.ToString());
        var model = made.GetProperty("model").GetString()!;

        var shown = (await Product.JsonAsync(data, Long, "models", "show", "ours")).GetProperty("models")[0];
        Assert.Equal((model, "language", "ngram", bits), (shown.GetProperty("id").GetString(), shown.GetProperty("kind").GetString(), shown.GetProperty("recipe").GetString(), shown.GetProperty("metrics").GetProperty("bitsPerLetter").GetDouble()));
        Assert.Equal(64, shown.GetProperty("dataHash").GetString()!.Length);
        await Product.JsonAsync(data, Long, "models", "export", "ours", "--out", folder.At("arpa"));
        Assert.Contains("\\data\\", await File.ReadAllTextAsync(folder.At("arpa", "words.arpa"), TestContext.Current.CancellationToken));

        // The same text, the same figures; each kind has one in use.
        var again = await Product.JsonAsync(data, Long, "language", "train", "--kind", "ngram", "--text", Reports(folder, 80));
        Assert.Equal(bits, again.GetProperty("metrics").GetProperty("bitsPerLetter").GetDouble());
        await Product.JsonAsync(data, Long, "models", "promote", "ours");
        await Product.JsonAsync(data, Long, "models", "promote", again.GetProperty("model").GetString()!);
        Assert.Equal(model, (await Product.JsonAsync(data, Long, "models", "rollback", "language-ngram")).GetProperty("models")[0].GetProperty("id").GetString());

        var run = Path.Combine(data, "runs", made.GetProperty("run").GetString()!);
        Assert.Equal(["log.txt", "metrics.jsonl"], Directory.GetFileSystemEntries(run).Select(f => Path.GetFileName(f)).Order());
        Assert.DoesNotContain(Secret, await File.ReadAllTextAsync(Path.Combine(run, "log.txt"), TestContext.Current.CancellationToken), StringComparison.OrdinalIgnoreCase);
        await File.WriteAllTextAsync(folder.At("short.txt"), $"Mister {Secret} is well.", TestContext.Current.CancellationToken);
        var refused = await Product.RunAsync(data, Long, "language", "train", "--kind", "masked", "--text", folder.At("short.txt"), "--json");
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains("only 1 sentence", refused.Output);
        Assert.DoesNotContain(Secret, refused.Output + refused.Errors, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("no-transcripts", (await Product.RunAsync(data, Long, "language", "train", "--kind", "ngram", "--transcripts", "--json")).Output);
        Assert.Equal(2, (await Product.RunAsync(data, Long, "language", "train", "--kind", "ngram", "--json")).ExitCode);
    }

    [Fact]
    public async Task Train_Masked_KilledInTheMiddle_GoesOnFromItsCheckpoint_AndScoresEachWord()
    {
        using var folder = new TemporaryFolder();
        var data = folder.At("data");
        var process = Product.Start(data, "language", "train", "--kind", "masked", "--text", Reports(folder, 80), "--steps", "160", "--here");
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
        var made = Assert.Single((await Product.JsonAsync(data, Long, "models", "list")).GetProperty("models").EnumerateArray(), m => m.GetProperty("kind").GetString() == "language");
        Assert.Equal((160, "masked"), (made.GetProperty("steps").GetInt32(), made.GetProperty("recipe").GetString()));
        Assert.True(made.GetProperty("metrics").GetProperty("bitsPerLetter").GetDouble() < made.GetProperty("metrics").GetProperty("baselineBitsPerLetter").GetDouble());
        Assert.Contains("Goes on from step", await File.ReadAllTextAsync(Path.Combine(Assert.Single(Directory.GetDirectories(Path.Combine(data, "runs"))), "log.txt"), TestContext.Current.CancellationToken));

        await using var services = new ServiceCollection().AddLogging().AddDomainSslCore(new DataFolder(data)).AddDomainSslWorker().BuildServiceProvider();
        var model = await services.GetRequiredService<ModelRegistry>().GetAsync(made.GetProperty("id").GetString()!, TestContext.Current.CancellationToken);
        using var language = services.GetRequiredService<ModelFiles>().LanguageNetworkOf(model);
        var scores = WordFit.Of(language, ["The", "heart,", "is", "—", "normal", "in", "3.5"]);
        Assert.Equal([false, false, false, true, false, false, false], scores.Select(s => s is null));
        Assert.All(scores, s => Assert.True(s is null or <= 0));
        Assert.Throws<RefusedException>(() => services.GetRequiredService<ModelFiles>().NGrams(model));
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
    }

    [Fact]
    public void Shares_OfScores_SayHowManyAreLower()
    {
        Assert.Equal([0.75, null, 0.125, 0.75, 0.375], WordFit.Shares([-1, null, -9, -1, -2.5]));
        Assert.Equal([null, null], WordFit.Shares([null, null]));
        Assert.Equal([0.5], WordFit.Shares([-3]));
    }

    private static string Reports(TemporaryFolder folder, int count)
    {
        var path = folder.At("reports.txt");
        File.WriteAllText(path, string.Join("\n\n", Enumerable.Range(0, count).Select(i =>
            $"{MadeReports.Sentence(i)}\nDoctor {Secret} has seen the {MadeReports.Organ(i * 3)}; it {MadeReports.State(i * 11)}.")));
        return path;
    }
}
