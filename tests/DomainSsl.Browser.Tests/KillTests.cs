using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using DomainSsl.Browser.Tests.Tasks;
using DomainSsl.Core.Audit;
using DomainSsl.Core.Runs;
using DomainSsl.Core.Storage;
using DomainSsl.Core.Tasks;
using DomainSsl.Learning.Training;
using DomainSsl.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Playwright;

namespace DomainSsl.Browser.Tests;

/// <summary>
/// Site and worker are killed with SIGKILL at twenty random moments while, all at once, an administrator drops scans, a clinician labels by keyboard and encoders are pretrained. Nothing
/// that anybody entered may be missing or there twice, and the open pages come back by themselves to where they were.
/// </summary>
public sealed class KillTests(Chromium chromium) : IClassFixture<Chromium>
{
    private const int Kills = 20, Images = 100;

    // Much longer than anything takes: only what never comes is to fail.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(4);

    [Fact]
    public async Task SiteAndWorker_KilledAtTwentyRandomMoments_LoseNothingAndDoNothingTwice()
    {
        var cancel = TestContext.Current.CancellationToken;
        var random = new Random(20);
        await using var clinic = await SeededClinic.StartAsync(Images);
        var task = await clinic.MakeTaskAsync();

        var room = new LabellingRoom(await chromium.NewPageAsync(clinic.Site.Address));
        await SeededClinic.SignInAsync(room.Page, "anna", $"/tasks/{task.Id}/label");
        await room.ShowsAsync(null);
        var gate = await chromium.NewPageAsync(clinic.Site.Address);
        await SeededClinic.SignInAsync(gate, "admin", "/import");
        var drops = new Drops(gate);
        var pretraining = new Pretraining(clinic);

        var (back, cutOff) = (new List<double>(), 0);
        for (var kill = 0; kill < Kills; kill++)
        {
            // Together, the worker alone (the site starts another), the site alone (its worker lives on and the next site finds it).
            var (site, worker) = (kill % 5) switch { 0 => (true, true), 1 or 3 => (false, true), _ => (true, false) };
            // A run whose worker dies ten times without getting any further is given up, and rightly.
            if (worker) await pretraining.GoesOnAsync();
            if (site) await drops.DropAsync();
            await room.AnswerAsync(random.Next(2) == 0 ? "1" : "n");
            await Task.Delay(random.Next(600), cancel);
            await room.AnswerAsync("2");
            await Task.Delay(random.Next(60), cancel); // the answer may have arrived, be on its way, or not have left
            if (site && drops.OnTheirWay) cutOff++;
            clinic.Site.Kill(site, worker);
            if (worker) pretraining.WorkerDied();
            if (!site) continue;
            // She goes on although nothing answers: her answer waits in the page.
            if (worker) await room.AnswerAsync("3", shown: false);
            var at = await room.ItemAsync();
            var since = Stopwatch.StartNew();
            await clinic.Site.StartAgainAsync();
            await room.ShowsAsync(at);
            back.Add(since.Elapsed.TotalSeconds);
        }
        await room.SavedAsync();
        await drops.EndAsync();
        await pretraining.EndAsync();

        await using var db = await clinic.Database.CreateDbContextAsync(cancel);
        // Labelling: every answer, in its order, once.
        Assert.Equal(room.Given, (await db.Labels.OrderBy(l => l.Id).ToListAsync(cancel)).Select(l => (l.ItemId, l.Answer)));
        Assert.Equal(room.Given.Count, room.Given.Select(g => g.Item).Distinct().Count());

        // Import: every dropped file was spoken of, and is there once.
        Assert.True(cutOff >= 4, $"Only {cutOff} kills met files on their way; the test means nothing without them.");
        Assert.Equal(drops.Files, drops.Told);
        Assert.Equal(Images + drops.Files, await db.Instances.CountAsync(cancel));
        Assert.Equal(Images + drops.Files, await db.Items.CountAsync(cancel));

        // Pretraining: every run ended with one encoder and an unbroken curve, and the worker was killed in the middle of some.
        await pretraining.AssertWholeAsync(db, cancel);

        var blobs = clinic.Get<IBlobStore>();
        Assert.All(await db.Instances.Select(i => i.BlobHash).Distinct().ToListAsync(cancel), hash => Assert.True(blobs.Contains(hash), $"The blob {hash} is missing."));
        Assert.All(blobs.All(), hash => Assert.True(blobs.IsWhole(hash), $"The blob {hash} is not what its name says."));
        Assert.Null(await clinic.Get<AuditLog>().FirstBrokenAsync(cancel));
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{room.Given.Count} answers, {drops.Files} files ({cutOff} times cut off), {pretraining.Runs} runs; from the start of a site to the page on its item {back.Average():0.0} s, at most {back.Max():0.0} s.");
    }

    /// <summary>Waits for something, and says what was awaited where it does not come.</summary>
    private static async Task AwaitAsync(IPage page, string awaited, Func<Task> wait)
    {
        try { await wait(); }
        catch (Exception e) when (e is TimeoutException or PlaywrightException)
        {
            var seen = "";
            try
            {
                seen = await page.EvaluateAsync<string>("""
                    [document.body?.className, JSON.stringify(document.body?.dataset), JSON.stringify(document.querySelector('.room')?.dataset), document.querySelector('.save-state')?.outerHTML,
                      document.body?.innerText.slice(0, 400)].join(' | ')
                    """);
            }
            catch (PlaywrightException) { } // it is between two pages
            Assert.Fail($"{awaited}: this did not come. {page.Url} shows: {seen} ({e.Message})");
        }
    }

    /// <summary>The labelling page, and what was answered in it.</summary>
    private sealed class LabellingRoom(IPage page)
    {
        public IPage Page => page;
        public List<(long Item, LabelAnswer Answer)> Given { get; } = [];

        /// <summary>The item she is on: the one that the address names, even while its image is not there yet.</summary>
        public async Task<long> ItemAsync() => long.Parse(await page.EvaluateAsync<string>("new URL(location.href).searchParams.get('item')"), CultureInfo.InvariantCulture);

        /// <summary>Waits until the image is on the screen and the page has its circuit.</summary>
        public Task ShowsAsync(long? item) => AwaitAsync(page, $"The labelling page on image {item}", () => SeededClinic.ShownAsync(page, item));

        /// <summary>Answers for the image on the screen by key; the next one comes at once.</summary>
        public async Task AnswerAsync(string key, bool shown = true)
        {
            var item = await ItemAsync();
            await AwaitAsync(page, $"Image {item} on the screen", () => page.WaitForSelectorAsync($".room[data-cover=none][data-item='{item}']"));
            await page.Keyboard.PressAsync(key);
            await AwaitAsync(page, $"The image after {item}", () => page.WaitForFunctionAsync("before => new URL(location.href).searchParams.get('item') !== before", item.ToString(CultureInfo.InvariantCulture)));
            Given.Add((item, key == "n" ? LabelAnswer.NotSure : LabelAnswer.Class));
            if (shown) await ShowsAsync(await ItemAsync());
        }

        /// <summary>Waits until nothing is on its way any more. A page that was loaded anew after the last answer had arrived has nothing to say of it.</summary>
        public Task SavedAsync() => AwaitAsync(page, "All answers saved", () => page.WaitForFunctionAsync("""
            () => document.querySelector('.save-state.saved, .save-state.nothing') && !Object.keys(localStorage).some(name => name.startsWith('domainssl-label/'))
            """, null, new() { Timeout = (float)Patience.TotalMilliseconds }));
    }

    /// <summary>Scans dropped twenty at a time. Once the first is on its way the page alone sees to it, until it says what became of them.</summary>
    private sealed class Drops(IPage page)
    {
        private readonly Queue<string[]> left = new(Directory.GetFiles(Path.Combine(SharedData.Project, "sample-data", "images"), "*.dcm").Order(StringComparer.Ordinal).Chunk(20));
        private Task spokenOf = Task.CompletedTask;

        public bool OnTheirWay => !spokenOf.IsCompleted;
        public int Files { get; private set; }
        public int Told { get; private set; }

        /// <summary>Drops the next twenty, once the page has spoken of those before, and is back when the first is on its way.</summary>
        public async Task DropAsync()
        {
            await spokenOf;
            var files = left.Dequeue();
            await PickAsync(files);
            Files += files.Length;
            spokenOf = ListenAsync();
        }

        /// <summary>Waits until the page has spoken of the last.</summary>
        public Task EndAsync() => spokenOf;

        // The site may be away just now: a person would try again too.
        private async Task PickAsync(string[] files)
        {
            for (var waited = Stopwatch.StartNew(); ; await Task.Delay(300))
            {
                try
                {
                    await page.GotoAsync("/import");
                    await page.WaitForSelectorAsync("body[data-ready]", new() { Timeout = 30_000 });
                    await page.SetInputFilesAsync("#pick-files", files);
                    await page.WaitForFunctionAsync("() => document.body?.dataset.busy || location.search.includes('upload=')", null, new() { Timeout = 10_000 });
                    return;
                }
                catch (Exception e) when (e is TimeoutException or PlaywrightException)
                {
                    if (waited.Elapsed > Patience) Assert.Fail($"The import page taking files: this did not come. {e.Message}");
                }
            }
        }

        private async Task ListenAsync()
        {
            await AwaitAsync(page, $"What became of the first {Files} files", () => page.WaitForFunctionAsync("""
                () => location.search.includes('upload=') && document.body?.dataset.ready && document.querySelector('#upload-title')?.textContent === 'Imported'
                """, null, new() { Timeout = (float)Patience.TotalMilliseconds }));
            // "7 new", "3 known already": those of a drop that had to be made again.
            var chips = await page.Locator("section[aria-labelledby=upload-title] p[role=status] .chip").AllInnerTextsAsync();
            Told += chips.Take(2).Sum(chip => int.Parse(chip.Split(' ')[0], CultureInfo.InvariantCulture));
        }
    }

    /// <summary>One run after another, so that the worker is at work whenever it is killed.</summary>
    private sealed class Pretraining(SeededClinic clinic)
    {
        private const int Steps = 40;
        private readonly List<string> runs = [];
        private string reached = "";

        public int Runs => runs.Count;

        /// <summary>Waits until there is a checkpoint that was not there when the worker was killed last.</summary>
        public async Task GoesOnAsync()
        {
            for (var waited = Stopwatch.StartNew(); ; await Task.Delay(50))
            {
                if (runs.Count == 0 || await StateAsync(runs[^1]) == RunState.Done) await AskAsync();
                if (string.CompareOrdinal(Newest(), reached) > 0) return;
                Assert.True(waited.Elapsed < Patience, $"A checkpoint after {(reached == "" ? "the start" : reached)}: this did not come. {Log(runs[^1])}");
            }
        }

        public void WorkerDied() => reached = Newest();

        /// <summary>Waits until the last run is done.</summary>
        public async Task EndAsync()
        {
            for (var waited = Stopwatch.StartNew(); await StateAsync(runs[^1]) != RunState.Done; await Task.Delay(100))
                Assert.True(waited.Elapsed < Patience, $"The end of the last run: this did not come. {Log(runs[^1])}");
        }

        public async Task AssertWholeAsync(DomainSsl.Core.Database.DomainSslContext db, CancellationToken cancel)
        {
            var models = await db.Models.AsNoTracking().Where(m => m.RunId != null).ToListAsync(cancel);
            Assert.Equal(runs.Order(StringComparer.Ordinal), models.Select(m => m.RunId!).Order(StringComparer.Ordinal));
            foreach (var run in runs)
            {
                var logged = (await File.ReadAllLinesAsync(Path.Combine(clinic.Data.Run(run), "metrics.jsonl"), cancel)).Select(l => JsonDocument.Parse(l).RootElement.GetProperty("step").GetInt32()).ToList();
                Assert.Equal([1, .. Enumerable.Range(1, Steps / 5).Select(i => i * 5)], logged);
            }
            Assert.Contains(runs, run => Log(run).Contains("Goes on from step", StringComparison.Ordinal));
        }

        private async Task AskAsync()
        {
            var recipe = new[] { "data.batch=16", "data.resolution=32", "encoder.resolution=32", "encoder.width=8", "precision=float32", "checkpoint.steps=1", "log.steps=5" }
                .Aggregate(Recipes.Find("simclr-small"), (r, change) => r.With(change));
            var name = $"killed {runs.Count + 1}";
            runs.Add(await clinic.Get<IRunQueue>().EnqueueAsync(new PretrainRequest(clinic.CollectionId, recipe.ToJson(), name, runs.Count, null, Steps, null), name, "admin"));
            reached = "";
        }

        private async Task<RunState> StateAsync(string run)
        {
            await using var db = await clinic.Database.CreateDbContextAsync();
            var row = await db.Runs.AsNoTracking().SingleAsync(r => r.Id == run);
            Assert.True(row.State is RunState.Queued or RunState.Running or RunState.Done, $"The run {run} is {row.State}: {row.Error}");
            return row.State;
        }

        private string Newest()
        {
            var folder = Path.Combine(clinic.Data.Run(runs[^1]), "checkpoints");
            try { return Directory.Exists(folder) ? Directory.GetDirectories(folder, "step-*").Select(d => Path.GetFileName(d)).Max(StringComparer.Ordinal) ?? "" : ""; }
            catch (DirectoryNotFoundException) { return ""; } // the run has just ended
        }

        private string Log(string run) => File.Exists(Path.Combine(clinic.Data.Run(run), "log.txt")) ? File.ReadAllText(Path.Combine(clinic.Data.Run(run), "log.txt")) : "It has no log.";
    }
}
