using System.Globalization;
using System.Text.Json;
using DomainSsl.Browser.Tests.Tasks;
using DomainSsl.Core.Models;
using DomainSsl.Core.Runs;
using DomainSsl.Web;
using Microsoft.EntityFrameworkCore;
using Microsoft.Playwright;

namespace DomainSsl.Browser.Tests.Pretraining;

/// <summary>What pretraining was worth, on the page of the run that measured it and where runs are listed.</summary>
public sealed class WorthPageTests(Chromium chromium) : IClassFixture<Chromium>
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task AComparison_SaysItsVerdictFirst_ThenPictureAndFigures_AndNoGainInAsManyWords()
    {
        await using var clinic = await SeededClinic.StartAsync(1);
        await using (var db = await clinic.Database.CreateDbContextAsync(Cancel))
        {
            foreach (var (id, name) in new[] { ("m-chest", "chest, ten minutes"), ("m-voice", "our dictations") })
                db.Models.Add(new Model { Id = id, Name = name, Kind = ModelKind.Encoder, By = "admin", CreatedAt = DateTime.UtcNow, Architecture = id == "m-voice" ? """{"architecture":"sound"}""" : "{}" });
            Add(db, "r-scans", RunKind.LabelEfficiency, RunState.Done, Scans());
            Add(db, "r-speech", RunKind.LabelEfficiencySpeech, RunState.Done, Speech());
            // As runs of before left it: little in the row, the rest in the folder.
            Add(db, "r-before", RunKind.LabelEfficiencySpeech, RunState.Done, new Worth { Metric = "cer", Differences = Speech().Differences, Verdict = Speech().Verdict });
            Add(db, "r-gone", RunKind.LabelEfficiencySpeech, RunState.Done, new Worth { Metric = "cer", Differences = Speech().Differences, Verdict = Speech().Verdict });
            Add(db, "r-busy", RunKind.LabelEfficiency, RunState.Running, null);
            await db.SaveChangesAsync(Cancel);
        }
        foreach (var id in (string[])["r-before", "r-speech"])
        {
            Directory.CreateDirectory(clinic.Data.Run(id));
            await File.WriteAllTextAsync(Path.Combine(clinic.Data.Run(id), Worth.FileName), JsonSerializer.Serialize(Speech(), Json), Cancel);
            foreach (var file in Worth.Files) await File.WriteAllTextAsync(Path.Combine(clinic.Data.Run(id), file), "<svg xmlns=\"http://www.w3.org/2000/svg\"/>", Cancel);
        }

        var page = await chromium.NewPageAsync(clinic.Site.Address);
        await SeededClinic.SignInAsync(page, "anna", Paths.Run("r-scans"));
        var verdict = page.Locator("[data-verdict]");
        await verdict.WaitForAsync();
        Assert.Equal("Gain: with 20 and 50 labels starting from “chest, ten minutes” is better than starting from scratch. No gain is shown with 100 labels.", (await verdict.Locator("p").First.InnerTextAsync()).Trim());
        Assert.Equal("Against “public”: no gain is shown with 20, 50 and 100 labels.", (await verdict.Locator("p").Last.InnerTextAsync()).Trim());
        await page.GetByText("Over 10 draws of labels, the same for every start; 400 test images of 292 patients whose labels were not learnt from.").WaitForAsync();
        Assert.Equal(9, await page.Locator("table.figures tbody tr").CountAsync());
        var rows = page.Locator("table.differences tbody tr");
        Assert.Equal(9, await rows.CountAsync());
        Assert.Equal(["better", "better", "no gain shown"], (await rows.AllInnerTextsAsync()).Take(3).Select(t => t.Contains("no gain shown", StringComparison.Ordinal) && !t.Contains("better", StringComparison.Ordinal) ? "no gain shown" : "better"));
        Assert.Equal(9, await page.Locator(".arm[role=img]").CountAsync());
        await LookAsync(page, "worth-scans");

        await page.GotoAsync(Paths.Run("r-speech"));
        await verdict.WaitForAsync();
        Assert.StartsWith("No gain: with 5 and 15 minutes of transcribed speech starting from “our dictations” is not shown to be better than starting from scratch.", (await verdict.InnerTextAsync()).Trim(), StringComparison.Ordinal);
        Assert.Contains("Words wrong with a language model", await page.InnerTextAsync("table.figures"), StringComparison.Ordinal);
        await LookAsync(page, "worth-speech");
        var download = await page.RunAndWaitForDownloadAsync(() => page.GetByRole(AriaRole.Link, new() { Name = "picture (SVG)" }).ClickAsync());
        Assert.Equal("r-speech-label-efficiency.svg", download.SuggestedFilename);
        await using (var db = await clinic.Database.CreateDbContextAsync(Cancel)) Assert.Equal(1, await db.Audit.CountAsync(e => e.Who == "anna" && e.Action == "exported" && e.Subject == "run r-speech", Cancel));
        foreach (var path in (string[])["r-speech/files/result.json", "r-none/files/label-efficiency.csv", "r-scans/files/label-efficiency.csv"])
            Assert.Equal(400, await page.EvaluateAsync<int>($"fetch('/api/runs/{path}').then(r => r.status)"));

        await page.GotoAsync(Paths.Run("r-before"));
        await page.WaitForSelectorAsync("table.figures");
        await page.GotoAsync(Paths.Run("r-gone"));
        await page.GetByText("The files of this run are gone").WaitForAsync();
        Assert.StartsWith("No gain:", (await verdict.InnerTextAsync()).Trim(), StringComparison.Ordinal);
        await LookAsync(page, "worth-gone");

        // While it runs: how many fits of how many, and how long still.
        await page.GotoAsync(Paths.Run("r-busy"));
        await page.GetByText("12 of 60 fits done; the last: chest, ten minutes, 20 labels, draw 3").WaitForAsync();
        await page.GetByText("about 30 minutes left").WaitForAsync();
        Assert.Equal(0, await verdict.CountAsync());
        await LookAsync(page, "worth-busy");

        // The encoder's own page leads there, and so does the list of runs.
        await page.GotoAsync(Paths.Model("m-chest"));
        await page.GetByText("better than starting from scratch with 20, 50 labels; no gain shown with 100 labels").WaitForAsync();
        await page.Context.ClearCookiesAsync();
        await SeededClinic.SignInAsync(page, "admin", Paths.Pretraining);
        var line = page.GetByRole(AriaRole.Row).Filter(new() { HasText = "Comparing r-speech" });
        await line.WaitForAsync();
        Assert.Contains("no gain over starting from scratch is shown", await line.InnerTextAsync(), StringComparison.Ordinal);
        await LookAsync(page, "worth-list");
    }

    [Fact]
    public async Task AReviewer_HasNeitherThePageNorItsFiles()
    {
        await using var clinic = await SeededClinic.StartAsync(1);
        await using (var db = await clinic.Database.CreateDbContextAsync(Cancel))
        {
            Add(db, "r-scans", RunKind.LabelEfficiency, RunState.Done, Scans());
            await db.SaveChangesAsync(Cancel);
        }
        Directory.CreateDirectory(clinic.Data.Run("r-scans"));
        await File.WriteAllTextAsync(Path.Combine(clinic.Data.Run("r-scans"), Worth.Files[2]), "arm,budget,draw,auroc\n", Cancel);
        var page = await chromium.NewPageAsync(clinic.Site.Address);
        await SeededClinic.SignInAsync(page, "rita", "/");
        Assert.Equal(403, await page.EvaluateAsync<int>("fetch('/api/runs/r-scans/files/label-efficiency.csv').then(r => r.status)"));
        await page.GotoAsync(Paths.Run("r-scans"));
        Assert.Equal(0, await page.Locator("[data-verdict]").CountAsync());
    }

    // Only a page that has its circuit follows the system's colours.
    private static async Task LookAsync(IPage page, string name)
    {
        await page.WaitForFunctionAsync("() => document.body?.dataset.ready");
        await Looks.AtBothWidthsAsync(page, name);
    }

    private static void Add(DbContext db, string id, RunKind kind, RunState state, Worth? worth) => db.Add(new Run
    {
        Id = id, Kind = kind, Title = $"Comparing {id}", Request = """{"train":[],"test":[],"encoderIds":["m-chest","public"],"classes":[],"budgets":[],"modes":[]}""", State = state, By = "cli:ops", QueuedAt = DateTime.UtcNow.AddHours(-3), StartedAt = DateTime.UtcNow.AddHours(-2),
        EndedAt = state == RunState.Done ? DateTime.UtcNow : null, Progress = state == RunState.Done ? 1 : 0.2, Stage = state == RunState.Done ? "" : "12 of 60 fits done; the last: chest, ten minutes, 20 labels, draw 3", SecondsLeft = state == RunState.Done ? null : 1800,
        Lease = state == RunState.Running ? "lease" : null, LeaseUntil = state == RunState.Running ? DateTime.UtcNow.AddHours(1) : null, Summary = worth is null ? null : JsonSerializer.Serialize(worth, Json),
    });

    // The table of the README.
    private static Worth Scans()
    {
        (string Arm, (double, double, double)[] Figures)[] arms =
        [
            ("m-chest", [(0.961, 0.941, 0.978), (0.978, 0.965, 0.990), (0.983, 0.973, 0.992)]), ("public", [(0.960, 0.941, 0.975), (0.978, 0.966, 0.988), (0.984, 0.972, 0.992)]), ("scratch", [(0.930, 0.903, 0.954), (0.961, 0.943, 0.976), (0.970, 0.953, 0.985)]),
        ];
        return new Worth
        {
            Metric = "auroc", TestItems = 400, TestPatients = 292, Who = "patients", Arms = Figures(arms, 10, 20, 50, 100), BalancedAccuracy = Figures([.. arms.Select(a => (a.Arm, a.Figures.Select(f => (f.Item1 - 0.06, f.Item2 - 0.08, f.Item3 - 0.04)).ToArray()))], 10, 20, 50, 100),
            Differences =
            [
                new("m-chest", 20, 0.032, 0.005, 0.060), new("m-chest", 50, 0.018, 0.004, 0.033), new("m-chest", 100, 0.013, 0, 0.028), new("public", 20, 0.031, 0.004, 0.058), new("public", 50, 0.018, 0.004, 0.032), new("public", 100, 0.014, 0.001, 0.028),
            ],
            BalancedAccuracyDifferences = [new("m-chest", 20, 0.041, 0.010, 0.073), new("m-chest", 50, 0.02, -0.004, 0.043), new("m-chest", 100, 0.01, -0.01, 0.028), new("public", 20, 0.04, 0.009, 0.07)],
            Comparisons =
            [
                new("m-chest", 20, 0.001, -0.020, 0.023, "public", "noGain"), new("m-chest", 50, 0, -0.013, 0.012, "public", "noGain"), new("m-chest", 100, 0, -0.010, 0.009, "public", "noGain"),
                new("m-chest", 20, 0.032, 0.005, 0.060, "scratch", "gain"), new("m-chest", 50, 0.018, 0.004, 0.033, "scratch", "gain"), new("m-chest", 100, 0.013, 0, 0.028, "scratch", "noGain"),
            ],
            Verdict = "With 20 and 50 labels chest, ten minutes is better than scratch: AUROC is higher by 0.032 (95 % interval 0.005 to 0.060) and 0.018 (95 % interval 0.004 to 0.033). With 100 labels there is no gain over scratch: the difference in AUROC is +0.013 (95 % interval 0 to +0.028).",
        };
    }

    private static Worth Speech()
    {
        (string Arm, (double, double, double)[] Figures)[] arms = [("m-voice", [(0.62, 0.50, 0.75), (0.41, 0.33, 0.50)]), ("scratch", [(0.66, 0.54, 0.79), (0.43, 0.35, 0.53)])];
        IReadOnlyList<WorthFigure> More(double by) => Figures([.. arms.Select(a => (a.Arm, a.Figures.Select(f => (f.Item1 + by, f.Item2 + by, f.Item3 + by)).ToArray()))], 3, 5, 15);
        IReadOnlyList<WorthDifference> Less(double by) => [new("m-voice", 5, -0.04 + by, -0.11 + by, 0.03 + by), new("m-voice", 15, -0.02 + by, -0.06 + by, 0.02 + by)];
        return new Worth
        {
            Metric = "cer", TestItems = 120, TestPatients = 12, Who = "speakers", Arms = Figures(arms, 3, 5, 15), Wer = More(0.2), WerWithLanguage = More(0.1), Differences = Less(0), WerDifferences = Less(0.01), WerWithLanguageDifferences = Less(-0.04),
            Comparisons = [.. Less(0).Select(d => d with { Finding = "tooFew" })],
            Verdict = "With 5 minutes of transcribed speech no gain of our dictations over scratch is shown, and the test speakers or draws are too few to rule one out: the difference in CER is −0.04 (95 % interval −0.11 to +0.03).",
        };
    }

    private static IReadOnlyList<WorthFigure> Figures((string Arm, (double Mean, double Low, double High)[] Of)[] arms, int draws, params int[] budgets) =>
        [.. arms.SelectMany(a => a.Of.Select((f, i) => new WorthFigure(a.Arm, budgets[i], f.Mean, f.Low, f.High, [.. Enumerable.Repeat(f.Mean, draws)])))];
}
