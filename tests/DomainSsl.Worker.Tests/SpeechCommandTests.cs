using System.Diagnostics;
using System.Text;
using System.Text.Json;
using DomainSsl.Audio;
using DomainSsl.Audio.Decoding;
using DomainSsl.Core;
using DomainSsl.Core.Database;
using DomainSsl.Core.Language;
using DomainSsl.Core.Library;
using DomainSsl.Core.Runs;
using DomainSsl.Core.Storage;
using DomainSsl.Core.Transcripts;
using DomainSsl.Learning;
using DomainSsl.Learning.Transcribing;
using DomainSsl.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace DomainSsl.Worker.Tests;

/// <summary>From transcribed recordings to transcripts by the program itself: on "speech" whose letters are tones, which a tiny network learns in seconds, and on a few real recordings.</summary>
public sealed class SpeechCommandTests
{
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(5);

    private static readonly string[] Short =
    [
        "--set", "steps=240", "--set", "rounds=1", "--set", "evaluateEvery=40", "--set", "batchSeconds=12", "--set", "rates=[0.004]", "--set", "encoderShares=[1]", "--set", "headSteps=5", "--set", "masks.timeMasks=0", "--set", "masks.bandMasks=0",
        "--set", "dropout=0",
    ];

    [Fact]
    public async Task FromTranscribedRecordingsToTranscripts_EveryDocumentHasWhatItPromises_AndAKilledRunGoesOn()
    {
        using var folder = new TemporaryFolder();
        var data = folder.At("data");
        var (train, test) = (Sing(folder, "train", 64, 8), Sing(folder, "test", 20, 5));
        Task<JsonElement> Run(params string[] arguments) => Product.JsonAsync(data, Long, arguments);
        await Run("import", train, "--collection", "sung");
        await Run(["pretrain", "sung", .. TinyEncoder.Options]);

        var tuned = await Run(["finetune", "--labels", train, "--encoder", "Tiny", "--name", "Listener", "--here", .. Short]);
        var chosen = tuned.GetProperty("chosen");
        Assert.InRange(chosen.GetProperty("heldOutSpeakers").GetInt32(), 1, 3);
        Assert.True(tuned.GetProperty("metrics").GetProperty("cer").GetProperty("value").GetDouble() < 0.3, tuned.ToString());
        Assert.True(tuned.GetProperty("metrics").TryGetProperty("wer", out _));
        var model = (await Run("models", "show", "Listener"));
        Assert.Contains("transcriber", model.ToString());

        // The test table's recordings are imported on the way, but its texts do not become transcripts from which the next one would learn.
        var measured = await Run("evaluate", "Listener", "--labels", test, "--here");
        Assert.Equal((20, 5), (measured.GetProperty("n").GetInt32(), measured.GetProperty("patients").GetInt32()));
        var cer = measured.GetProperty("metrics").GetProperty("cer");
        Assert.InRange(cer.GetProperty("value").GetDouble(), cer.GetProperty("low").GetDouble(), cer.GetProperty("high").GetDouble());
        Assert.True(cer.GetProperty("value").GetDouble() < 0.3, measured.ToString());
        Assert.Equal(64, (await Run("transcripts", "list")).GetProperty("transcripts").GetArrayLength());
        var refused = await Product.RunAsync(data, Long, "evaluate", "Listener", "--labels", train, "--here", "--json");
        Assert.Contains("was trained on every speaker", refused.Output);

        var worth = await Run("label-efficiency", "--train", train, "--test", test, "--encoder", "Tiny", "--budgets", "1", "--repeats", "1", "--out", folder.At("worth"), "--here", "--set", "steps=2", "--set", "rounds=1");
        Assert.Equal("cer", worth.GetProperty("metric").GetString());
        Assert.Equal(2, worth.GetProperty("arms").GetArrayLength());
        Assert.Contains("1 minute", worth.GetProperty("verdict").GetString());
        var kept = await ArmNamesTests.WorthOfAsync(data, worth.GetProperty("run").GetString()!);
        Assert.Equal((true, 2, 1, 2, 1, 2, 1, "speakers"), (kept.OfSpeech, kept.Arms.Count, kept.Differences.Count, kept.Wer.Count, kept.WerDifferences.Count, kept.WerWithLanguage.Count, kept.WerWithLanguageDifferences.Count, kept.Who));
        Assert.DoesNotContain(kept.Differences[0].Arm, kept.Verdict);
        Assert.All((string[])["svg", "png", "csv"], e => Assert.True(File.Exists(folder.At("worth", $"label-efficiency.{e}"))));

        // A recording that nobody has transcribed: half an hour of a line sung over and over.
        const string line = "abc dea bed ";
        var hour = folder.At("long.wav");
        WriteWav(hour, [.. Enumerable.Repeat(Sung(line, new Random(3)), 700).SelectMany(s => s)]);
        await Run("import", hour);
        string[] transcribe = ["transcribe", "Listener", hour, "--here", "--json"];
        var process = Product.Start(data, transcribe);
        var waited = Stopwatch.StartNew();
        string? Pieces() => Directory.GetFiles(Path.Combine(data, "runs"), "pieces.jsonl", SearchOption.AllDirectories).FirstOrDefault(f => new FileInfo(f).Length > 0);
        while (Pieces() is null)
        {
            if (waited.Elapsed > Long || process.HasExited) Assert.Fail($"No piece came. {await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken)}");
            await Task.Delay(5, TestContext.Current.CancellationToken);
        }
        process.Kill();
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        process.Dispose();
        var runFolder = Path.GetDirectoryName(Pieces()!)!;
        await Run("worker", "--once");
        Assert.Contains("Goes on after", await File.ReadAllTextAsync(Path.Combine(runFolder, "log.txt"), TestContext.Current.CancellationToken));

        // The whole of it, in order, once, as a draft for the reviewers; and the same from a run that was not killed.
        var listed = (await Run("transcripts", "list")).GetProperty("transcripts").EnumerateArray().Single(t => t.GetProperty("state").GetString() == "draft");
        Assert.Equal("Listener", listed.GetProperty("by").GetString());
        // A masked language model that is in use reads the next one, and says of each word how well it fits.
        await File.WriteAllLinesAsync(folder.At("lines.txt"), Enumerable.Range(0, 200).Select(i => $"abc {"abcde"[i % 5]}{"edcba"[i / 5 % 5]}a bed {"dab"[i % 3]}d."), TestContext.Current.CancellationToken);
        await Run("language", "train", "--kind", "masked", "--text", folder.At("lines.txt"), "--steps", "10", "--name", "Reader", "--here");
        await Run("models", "promote", "Reader");
        var (first, second) = (folder.At("first.json"), folder.At("out"));
        await Run("transcripts", "export", listed.GetProperty("recording").GetRawText(), "--format", "json", "--out", first);
        var again = (await Run("transcribe", "Listener", hour, "--here", "--format", "json", "--out", second)).GetProperty("transcripts")[0];
        Assert.Equal(Words(await File.ReadAllTextAsync(first, TestContext.Current.CancellationToken)), Words(await File.ReadAllTextAsync(Path.Combine(second, "long.json"), TestContext.Current.CancellationToken)));
        var fits = Fits(await File.ReadAllTextAsync(Path.Combine(second, "long.json"), TestContext.Current.CancellationToken));
        Assert.All(fits, f => Assert.InRange(f!.Value, 0, 1));
        Assert.InRange(fits.Average()!.Value, 0.49, 0.51);
        Assert.All(Fits(await File.ReadAllTextAsync(first, TestContext.Current.CancellationToken)), f => Assert.Null(f));
        var words = again.GetProperty("words").EnumerateArray().ToList();
        Assert.InRange(words.Count, 700, 700 * 5);
        Assert.All(words, w => Assert.InRange(w.GetProperty("confidence").GetDouble(), 0, 1));
        Assert.All(words, w => Assert.True(w.GetProperty("start").GetDouble() <= w.GetProperty("end").GetDouble()));
        Assert.All(words.Zip(words.Skip(1)), p => Assert.True(p.First.GetProperty("end").GetDouble() <= p.Second.GetProperty("start").GetDouble() + 0.001));

        // What a person stands for stays the newest.
        await Run("transcribe", "Listener", folder.At("train", "00.wav"), "--here", "--format", "textgrid", "--out", second);
        Assert.True(File.Exists(Path.Combine(second, "00.TextGrid")));
        Assert.Equal(64, (await Run("transcripts", "list")).GetProperty("transcripts").EnumerateArray().Count(t => t.GetProperty("state").GetString() == "accepted"));
        Assert.Equal(64, (await Run("transcripts", "export", "--state", "accepted", "--format", "srt", "--out", folder.At("all.zip"))).GetProperty("transcripts").GetInt32());
        using (var zip = System.IO.Compression.ZipFile.OpenRead(folder.At("all.zip"))) Assert.Equal(64, zip.Entries.Count(e => e.FullName.EndsWith(".srt", StringComparison.Ordinal)));

        // One recording whose stored file is damaged is named; the other is written down all the same.
        var damaged = Directory.GetFiles(Path.Combine(data, "blobs"), "*", SearchOption.AllDirectories).MaxBy(f => new FileInfo(f).Length)!;
        File.Delete(damaged);
        await File.WriteAllTextAsync(damaged, "no sound", TestContext.Current.CancellationToken);
        var some = await Product.RunAsync(data, Long, "transcribe", "Listener", hour, folder.At("train", "01.wav"), "--here", "--json", "--quiet");
        Assert.Equal(3, some.ExitCode);
        var document = JsonDocument.Parse(some.Output).RootElement;
        Assert.Equal(hour, Assert.Single(document.GetProperty("refused").EnumerateArray()).GetProperty("file").GetString());
        Assert.Equal(folder.At("train", "01.wav"), Assert.Single(document.GetProperty("transcripts").EnumerateArray()).GetProperty("file").GetString());

        foreach (var (said, arguments) in new (string, string[])[]
        {
            ("name a transcriber", ["transcribe", "Tiny", hour]),
            ("name one of sound", ["finetune", "--labels", train, "--encoder", "public"]),
            ("names no setting", ["finetune", "--labels", train, "--encoder", "scratch", "--set", "step=3"]),
        })
        {
            var result = await Product.RunAsync(data, Long, [.. arguments, "--json"]);
            Assert.Equal(1, result.ExitCode);
            Assert.Contains(said, result.Output);
        }
    }

    [Fact]
    public async Task OnRealRecordings_FromScratch_AShortFitIsMeasuredAndTranscribes()
    {
        var table = SharedData.Path("speech/speechocean/train.csv");
        using var folder = new TemporaryFolder();
        var rows = File.ReadLines(table).Skip(1).Where((_, i) => i % 40 == 0).Select(l => l.Split(',')).Select(c => (File: Path.Combine(Path.GetDirectoryName(table)!, c[0]), Speaker: c[1], Text: c[5])).ToList();
        void Write(string name, IEnumerable<(string File, string Speaker, string Text)> some) => File.WriteAllLines(folder.At(name), ["file,text,speaker", .. some.Select(r => $"{r.File},{r.Text},{r.Speaker}")]);
        var speakers = rows.Select(r => r.Speaker).Distinct().ToList();
        var held = speakers.Skip(speakers.Count - 6).ToHashSet();
        Write("train.csv", rows.Where(r => !held.Contains(r.Speaker)));
        Write("test.csv", rows.Where(r => held.Contains(r.Speaker)));
        var data = folder.At("data");
        var tuned = await Product.JsonAsync(data, Long, "finetune", "--labels", folder.At("train.csv"), "--encoder", "scratch", "--here", "--set", "steps=6", "--set", "rounds=1", "--set", "batchSeconds=15", "--set", "evaluateEvery=3");
        var measured = await Product.JsonAsync(data, Long, "evaluate", tuned.GetProperty("model").GetString()!, "--labels", folder.At("test.csv"), "--here");
        Assert.Equal(rows.Count(r => held.Contains(r.Speaker)), measured.GetProperty("n").GetInt32());
        Assert.InRange(measured.GetProperty("metrics").GetProperty("cer").GetProperty("value").GetDouble(), 0.3, 3); // six steps teach nothing; that it was measured is what counts
        Assert.Equal(1, (await Product.JsonAsync(data, Long, "transcribe", tuned.GetProperty("model").GetString()!, rows[0].File, "--here")).GetProperty("transcripts").GetArrayLength());
    }

    [Fact]
    public async Task Training_WithTestSpeakers_IsMeasuredBySoundAloneAndAsTranscriptsAreWritten_ButNotWithALanguageModelThatReadThem()
    {
        using var folder = new TemporaryFolder();
        var data = folder.At("data");
        var table = Sing(folder, "train", 40, 7);
        await Product.JsonAsync(data, Long, "import", table, "--collection", "sung");
        await File.WriteAllLinesAsync(folder.At("lines.txt"), Enumerable.Range(0, 100).Select(i => $"abc {"abcde"[i % 5]}{"edcba"[i / 5 % 5]}a bed {"dab"[i % 3]}d."), TestContext.Current.CancellationToken);
        await using var services = new ServiceCollection().AddLogging().AddDomainSslCore(new DataFolder(data)).BuildServiceProvider();
        var (queue, transcripts) = (services.GetRequiredService<IRunQueue>(), services.GetRequiredService<TranscriptService>());
        Dictionary<long, (long Item, string Speaker)> owners;
        await using (var db = await services.GetRequiredService<IDbContextFactory<DomainSslContext>>().CreateDbContextAsync(TestContext.Current.CancellationToken))
            owners = (await db.Items.Where(i => i.Kind == ItemKind.Sound).Select(i => new { i.Id, i.RecordingId, i.Recording!.Speaker!.Pseudonym }).ToListAsync(TestContext.Current.CancellationToken))
                .ToDictionary(i => i.RecordingId!.Value, i => (i.Id, i.Pseudonym!));
        var labels = (await transcripts.TrainingRowsAsync(TestContext.Current.CancellationToken)).Select(r => new SpokenLabel(owners[r.RecordingId].Item, r.Text, owners[r.RecordingId].Speaker, r.Start, r.End)).ToList();
        var held = labels.Select(l => l.Speaker).Distinct().Order(StringComparer.Ordinal).Take(5).ToHashSet();
        var (learn, test) = (labels.Where(l => !held.Contains(l.Speaker)).ToList(), labels.Where(l => held.Contains(l.Speaker)).ToList());
        var settings = JsonSerializer.Serialize(new TranscriberSettings { Steps = 4, Rounds = 1, EvaluateEvery = 4, BatchSeconds = 10 }, LearningJson.Options);
        async Task<(JsonElement Result, string Log)> TrainAsync(SpeechLanguage language, string? before)
        {
            var id = await queue.EnqueueAsync(new FineTuneSpeechRequest(learn, "scratch", "Listener", 1, settings, test, before, language), "Training", "anna", cancel: TestContext.Current.CancellationToken);
            await Product.JsonAsync(data, Long, "worker", "--once");
            await using var db = await services.GetRequiredService<IDbContextFactory<DomainSslContext>>().CreateDbContextAsync(TestContext.Current.CancellationToken);
            var run = await db.Runs.SingleAsync(r => r.Id == id, TestContext.Current.CancellationToken);
            Assert.True(run.State == RunState.Done, run.Error);
            return (JsonDocument.Parse(run.Summary!).RootElement, await File.ReadAllTextAsync(Path.Combine(data, "runs", id, "log.txt"), TestContext.Current.CancellationToken));
        }

        // A glossary is part of what the page transcribes with; its terms are counted.
        var terms = test.SelectMany(l => l.Text.Split(' ')).Distinct().Take(5).ToList();
        var (first, _) = await TrainAsync(new SpeechLanguage(null, null, terms), null);
        foreach (var name in (string[])["cer", "wer", "termErrorRate", "cerWithLanguage", "werWithLanguage", "termErrorRateWithLanguage"])
            Assert.True(first.GetProperty("metrics").TryGetProperty(name, out var figure) && figure.GetProperty("low").GetDouble() <= figure.GetProperty("value").GetDouble(), $"{name} in {first}");
        Assert.Equal(held.Order(StringComparer.Ordinal), first.GetProperty("speakers").EnumerateArray().Select(s => s.GetProperty("speaker").GetString()!).Order(StringComparer.Ordinal));

        // So are they on the command line, which tells of few speakers each.
        await services.GetRequiredService<ClinicGlossary>().AddAsync(terms[0], [], "anna", TestContext.Current.CancellationToken);
        var measured = await Product.JsonAsync(data, Long, "evaluate", "Listener", "--labels", table, "--here");
        Assert.True(measured.GetProperty("metrics").TryGetProperty("termErrorRate", out _), measured.ToString());
        Assert.Equal(5, (await Product.RunAsync(data, Long, "evaluate", "Listener", "--labels", table, "--here")).Output.Split('\n').Count(l => l.Contains("of the words wrong", StringComparison.Ordinal)));

        // The same transcriber beside itself, on the same terms: nothing changed.
        await Product.JsonAsync(data, Long, "language", "train", "--kind", "ngram", "--text", folder.At("lines.txt"), "--name", "Lines", "--here");
        var read = await Product.JsonAsync(data, Long, "language", "train", "--kind", "ngram", "--transcripts", "--text", folder.At("lines.txt"), "--name", "Read", "--here");
        Assert.Equal(7, read.GetProperty("speakers").GetArrayLength());
        var (second, _) = await TrainAsync(new SpeechLanguage(await IdAsync("Lines"), null, terms), first.GetProperty("model").GetString());
        foreach (var name in (string[])["cerChange", "cerWithLanguageChange", "werWithLanguageChange"]) Assert.Equal(0, second.GetProperty("metrics").GetProperty(name).GetProperty("value").GetDouble(), 1e-9);

        var (third, log) = await TrainAsync(new SpeechLanguage(await IdAsync("Read"), null, terms), null);
        Assert.False(third.GetProperty("metrics").TryGetProperty("cerWithLanguage", out _), third.ToString());
        Assert.True(third.GetProperty("metrics").TryGetProperty("cer", out _));
        Assert.Contains("Read may have read", log);
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();

        async Task<string> IdAsync(string name) => (await services.GetRequiredService<Core.Models.ModelRegistry>().GetAsync(name, TestContext.Current.CancellationToken)).Id;
    }

    private static List<(string, double, double)> Words(string json) => [.. JsonDocument.Parse(json).RootElement.GetProperty("segments").EnumerateArray().SelectMany(s => s.GetProperty("words").EnumerateArray())
        .Select(w => (w.GetProperty("word").GetString()!, Math.Round(w.GetProperty("start").GetDouble(), 2), Math.Round(w.GetProperty("end").GetDouble(), 2)))];

    private static List<double?> Fits(string json) => [.. JsonDocument.Parse(json).RootElement.GetProperty("segments").EnumerateArray().SelectMany(s => s.GetProperty("words").EnumerateArray())
        .Select(w => w.TryGetProperty("fit", out var fit) ? fit.GetDouble() : (double?)null)];

    // Recordings of three to seven letters with their table.
    private static string Sing(TemporaryFolder folder, string name, int count, int speakers)
    {
        Directory.CreateDirectory(folder.At(name));
        var table = new StringBuilder("file,text,speaker\n");
        for (var i = 0; i < count; i++)
        {
            var random = new Random(1000 * name.Length + i);
            var text = "";
            for (var n = 3 + random.Next(5); text.Length < n;)
            {
                var letter = Letters[random.Next(Letters.Length)];
                if (letter != ' ' || (text.Length > 0 && text[^1] != ' ' && text.Length < n - 1)) text += letter;
            }
            WriteWav(folder.At(name, $"{i:00}.wav"), [.. new float[1600], .. Sung(text, random), .. new float[1600]]);
            table.Append(System.Globalization.CultureInfo.InvariantCulture, $"{i:00}.wav,{text},{name} {i % speakers}\n");
        }
        var path = folder.At(name, "table.csv");
        File.WriteAllText(path, table.ToString());
        return path;
    }

    private const string Letters = "abcde ";

    private static float[] Sung(string text, Random random)
    {
        var samples = new List<float>();
        foreach (var letter in text)
        {
            var (hertz, length) = (300 * Math.Pow(2, Letters.IndexOf(letter, StringComparison.Ordinal) / 2.0), random.Next(2560, 3520));
            for (var i = 0; i < length; i++) samples.Add((float)(0.3 * Math.Sin(Math.PI * i / length) * Math.Sin(2 * Math.PI * hertz * i / 16_000) + 0.004 * (random.NextDouble() - 0.5)));
        }
        return [.. samples];
    }

    private static void WriteWav(string path, float[] samples)
    {
        using var file = File.Create(path);
        SoundFile.WriteWav(file, new Sound(samples, 16_000, 1));
    }
}
