using DomainSsl.Browser.Tests.Tasks;
using DomainSsl.Core.Audit;
using DomainSsl.Core.Collections;
using DomainSsl.Core.Runs;
using DomainSsl.Core.Storage;
using DomainSsl.Core.Tasks;
using DomainSsl.Learning.Training;
using Microsoft.EntityFrameworkCore;
using Microsoft.Playwright;

namespace DomainSsl.Browser.Tests;

/// <summary>
/// Site and worker are killed with SIGKILL at twenty random moments while, all at once, an administrator drops scans, a clinician labels by keyboard and an encoder is pretrained. Nothing
/// that anybody entered may be missing or there twice, and the open pages come back by themselves to where they were.
/// </summary>
public sealed class KillTests(Chromium chromium) : IClassFixture<Chromium>
{
    private const int Kills = 20, Steps = 200;

    [Fact]
    public async Task SiteAndWorker_KilledAtTwentyRandomMoments_LoseNothingAndDoNothingTwice()
    {
        var cancel = TestContext.Current.CancellationToken;
        var random = new Random(20);
        await using var clinic = await SeededClinic.StartAsync(160);
        var task = await clinic.MakeTaskAsync();
        await clinic.Get<CollectionService>().FrozenForRunAsync(clinic.CollectionId, "admin", cancel);
        var recipe = new[] { "data.batch=16", "data.resolution=32", "encoder.resolution=32", "encoder.width=8", "precision=float32", "checkpoint.steps=5", "log.steps=5" }
            .Aggregate(Recipes.Find("simclr-small"), (r, change) => r.With(change));
        var run = await clinic.Get<IRunQueue>().EnqueueAsync(new PretrainRequest(clinic.CollectionId, recipe.ToJson(), "killed", 1, null, Steps, null), "killed", "admin", cancel: cancel);

        var room = await chromium.NewPageAsync(clinic.Site.Address);
        await SeededClinic.SignInAsync(room, "anna", $"/tasks/{task.Id}/label");
        await room.WaitForSelectorAsync(".room[data-cover=none][data-item]");
        var gate = await chromium.NewPageAsync(clinic.Site.Address);
        await SeededClinic.SignInAsync(gate, "admin", "/import");

        using var enough = new CancellationTokenSource();
        var dropping = DropAsync(gate, enough.Token);
        var given = new List<(long Item, LabelAnswer Answer)>();
        var backAfter = new List<double>();
        for (var kill = 0; kill < Kills; kill++)
        {
            await Task.Delay(random.Next(100, 1500), cancel);
            await AnswerAsync(room, given, random.Next(2) == 0 ? "1" : "n");
            await AnswerAsync(room, given, "2");
            await Task.Delay(random.Next(60), cancel); // the answer may have arrived, be on its way, or not have left
            var at = await ItemAsync(room);
            switch (kill % 4)
            {
                case 0: // the worker alone; the site starts another
                    clinic.Site.KillWorker();
                    continue;
                case 1: // the site alone; its worker lives on and the next site finds it
                    clinic.Site.Kill(worker: false);
                    break;
                default:
                    clinic.Site.Kill();
                    break;
            }
            if (kill % 4 == 3)
            {
                // She goes on although nothing answers: her answers wait in the page.
                await AnswerAsync(room, given, "3");
                await room.WaitForSelectorAsync(".save-state.notsaved");
                at = await ItemAsync(room);
            }
            var down = System.Diagnostics.Stopwatch.StartNew();
            await clinic.Site.StartAgainAsync();
            await room.WaitForFunctionAsync("""item => document.querySelector('.room[data-cover=none]')?.dataset.item === item && !document.body.classList.contains('connection-lost')""",
                at.ToString(), new() { Timeout = 60_000 });
            backAfter.Add(down.Elapsed.TotalSeconds);
        }
        TestContext.Current.TestOutputHelper?.WriteLine($"From the start of the site to the page on its item: {backAfter.Average():0.0} s, at most {backAfter.Max():0.0} s.");
        await room.WaitForSelectorAsync(".save-state.saved, .save-state.nothing", new() { Timeout = 60_000 }); // a page loaded anew with nothing to send has nothing to say
        await enough.CancelAsync();
        var (dropped, told) = await dropping;
        Assert.True(dropped >= 60, $"Only {dropped} files were dropped between twenty kills.");
        Assert.Equal(dropped, told);

        await using var db = await clinic.Database.CreateDbContextAsync(cancel);
        var labels = await db.Labels.OrderBy(l => l.Id).ToListAsync(cancel);
        Assert.Equal(given, labels.Select(l => (l.ItemId, l.Answer)));
        Assert.Equal(labels.Count, labels.Select(l => l.ItemId).Distinct().Count());

        for (var waited = 0; await StateAsync() is RunState.Queued or RunState.Running; waited++)
        {
            Assert.True(waited < 240, "The run did not end.");
            await Task.Delay(500, cancel);
        }
        Assert.Equal(RunState.Done, await StateAsync());
        var model = Assert.Single(await db.Models.AsNoTracking().Where(m => m.RunId != null).ToListAsync(cancel));
        Assert.Equal("killed", model.Name);
        var logged = (await File.ReadAllLinesAsync(Path.Combine(clinic.Data.Run(run), "metrics.jsonl"), cancel))
            .Select(l => System.Text.Json.JsonDocument.Parse(l).RootElement.GetProperty("step").GetInt32()).ToList();
        Assert.Equal(logged.Distinct().Order(), logged);
        Assert.Equal(Steps, logged[^1]);
        Assert.Contains("Goes on from step", await File.ReadAllTextAsync(Path.Combine(clinic.Data.Run(run), "log.txt"), cancel));

        Assert.Equal(160 + dropped, await db.Instances.CountAsync(cancel));
        Assert.Equal(160 + dropped, await db.Items.CountAsync(cancel));
        var blobs = clinic.Get<IBlobStore>();
        Assert.All(await db.Instances.Select(i => i.BlobHash).Distinct().ToListAsync(cancel), hash => Assert.True(blobs.Contains(hash), hash));
        Assert.All(blobs.All(), hash => Assert.True(blobs.IsWhole(hash), $"The blob {hash} is not what its name says."));
        Assert.Null(await clinic.Get<AuditLog>().FirstBrokenAsync(cancel));

        async Task<RunState> StateAsync() => await db.Runs.AsNoTracking().Where(r => r.Id == run).Select(r => r.State).SingleAsync(cancel);
    }

    // Drops scans ten at a time, one drop after another, until it is told that it is enough; each drop is waited for until the page says what became of it.
    private static async Task<(int Dropped, int Told)> DropAsync(IPage page, CancellationToken enough)
    {
        var files = Directory.GetFiles(Path.Combine(Testing.SharedData.Project, "sample-data", "images"), "*.dcm").Order(StringComparer.Ordinal).Chunk(10).ToList();
        var (dropped, told) = (0, 0);
        foreach (var some in files)
        {
            if (enough.IsCancellationRequested) break;
            await AgainAsync(async () =>
            {
                await page.GotoAsync("/import");
                await page.WaitForSelectorAsync("body[data-ready]", new() { Timeout = 5000 });
                await page.SetInputFilesAsync("#pick-files", some);
                // Once the first piece is on its way the page holds all by itself.
                await page.WaitForFunctionAsync("document.body.dataset.busy || location.search.includes('upload=')", null, new() { Timeout = 5000 });
            });
            dropped += some.Length;
            await AgainAsync(() => page.WaitForURLAsync("**/import?upload=*", new() { Timeout = 60_000 }));
            var chips = page.Locator("section[aria-labelledby=upload-title] h2:text-is('Imported') ~ p[role=status] .chip");
            await AgainAsync(() => chips.First.WaitForAsync(new() { Timeout = 60_000 }));
            foreach (var chip in (await chips.AllInnerTextsAsync()).Take(2)) told += int.Parse(chip.Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture);
        }
        return (dropped, told);

        // The site may be away in the middle of a step that a person would try again too.
        static async Task AgainAsync(Func<Task> step)
        {
            for (var tries = 0; ; tries++)
            {
                try { await step(); return; }
                catch (PlaywrightException) when (tries < 30) { await Task.Delay(500, CancellationToken.None); }
                catch (TimeoutException) when (tries < 30) { }
            }
        }
    }

    private static async Task AnswerAsync(IPage page, List<(long, LabelAnswer)> given, string key)
    {
        await page.WaitForSelectorAsync(".room[data-cover=none][data-item]");
        var item = await ItemAsync(page);
        await page.Keyboard.PressAsync(key);
        await page.WaitForFunctionAsync("before => document.querySelector('.room').dataset.item !== before", item.ToString());
        given.Add((item, key == "n" ? LabelAnswer.NotSure : LabelAnswer.Class));
    }

    private static async Task<long> ItemAsync(IPage page) => long.Parse((await page.GetAttributeAsync(".room", "data-item"))!, System.Globalization.CultureInfo.InvariantCulture);
}
