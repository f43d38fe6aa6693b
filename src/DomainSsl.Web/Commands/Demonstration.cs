using DomainSsl.Core;
using DomainSsl.Core.Collections;
using DomainSsl.Core.Database;
using DomainSsl.Core.Importing;
using DomainSsl.Core.Runs;
using DomainSsl.Core.Tasks;
using DomainSsl.Core.Transcripts;
using Microsoft.EntityFrameworkCore;

namespace DomainSsl.Web.Commands;

/// <summary>
/// What <c>serve --demo</c> does beside serving: imports the sample data, pretrains, makes a task with the labels that come with it, trains, and lets the classifier answer for the rest; then the same on
/// the dictations: pretrains, trains a transcriber on those that come with their text, and lets it write down the rest.
/// Each step looks first whether it is done, so a second start does nothing and one that was cut off goes on. The work itself is the worker's; this asks for it and tells how far it is.
/// </summary>
internal sealed class Demonstration(IServiceProvider services, TextWriter terminal)
{
    /// <summary>Who the audit log names for what the demo does.</summary>
    public const string By = "demo";

    private const string Scans = "Sample scans", Dictations = "Sample dictations", Task = "Chest findings";

    // From scratch at 64 pixels: hundreds of steps in that time, where continuing the public encoder would make a handful.
    private const string Recipe = "simclr-small";

    private readonly DemoOptions _options = BoundOptions.Of<DemoOptions>(services, "Demo");
    private readonly IDbContextFactory<DomainSslContext> _database = services.GetRequiredService<IDbContextFactory<DomainSslContext>>();

    /// <summary>The folder with the sample data: beside the program, or in the checkout that it was built in; null where there is none.</summary>
    public static string? SampleData()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (Path.Combine(folder.FullName, "sample-data") is var path && File.Exists(Path.Combine(path, "labels.csv"))) return path;
        return null;
    }

    /// <summary>Goes through all steps. What goes wrong is told in a sentence; the site goes on.</summary>
    public async Task RunAsync(CancellationToken cancel)
    {
        var clock = System.Diagnostics.Stopwatch.StartNew();
        try
        {
            var sample = SampleData() ?? throw new RefusedException("no-sample-data", "The sample data is not beside the program, so the demo has nothing to show; run it from a checkout, or import files of your own.");
            await ImportAsync(sample, cancel);
            await FollowAsync(await PretrainAsync(Scans, Recipe, "SimCLR", _options.PretrainSeconds, cancel), "Pretraining", cancel);
            await FollowAsync(await TrainAsync(sample, cancel), "Training", cancel);
            Say($"Scans ready after {clock.Elapsed.TotalSeconds:0} s: open Tasks to see the result, Review to go through the predictions. The dictations follow.");
            await FollowAsync(await PretrainAsync(Dictations, RecipeCatalog.Hubert, "HuBERT", _options.PretrainSoundSeconds, cancel), "Pretraining on dictations", cancel);
            await FollowAsync(await TrainTranscriberAsync(sample, cancel), "Training a transcriber", cancel);
            await FollowAsync(await TranscribeAsync(cancel), "Transcribing", cancel);
            Say($"Demo ready after {clock.Elapsed.TotalSeconds:0} s: open Transcripts to read through what the transcriber wrote.");
        }
        catch (RefusedException e) { Say(e.Refusal.Sentence); }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested) { /* the site is being stopped; the next start goes on from here */ }
        catch (Exception e) when (e is IOException or DbUpdateException) { Say($"The demo stopped: {e.Message} Start it again to go on."); }
    }

    private async Task ImportAsync(string sample, CancellationToken cancel)
    {
        await using (var db = await _database.CreateDbContextAsync(cancel))
            if (await db.ImportBatches.CountAsync(b => b.By == By && b.EndedAt != null, cancel) >= 2) return;
        var import = services.GetRequiredService<LibraryImport>();
        var scans = await import.ImportAsync([Path.Combine(sample, "images")], new ImportRequest(By, Scans), Progress("Importing scans"), cancel);
        var sounds = await import.ImportAsync([Path.Combine(sample, "recordings.csv")], new ImportRequest(By, Dictations), Progress("Importing recordings"), cancel);
        Say($"Imported {scans.Imported} scans and {sounds.Imported} recordings, all de-identified.");
    }

    private async Task<string> PretrainAsync(string collectionName, string recipeName, string method, double seconds, CancellationToken cancel)
    {
        var title = $"{method} on {collectionName}";
        if (await ThereAsync(RunKind.Pretrain, title, cancel) is { } there) return there;
        var recipe = services.GetRequiredService<RecipeCatalog>().Get(recipeName);
        var collection = await services.GetRequiredService<CollectionService>().FindAsync(collectionName, cancel);
        var request = new PretrainRequest(collection.Id, recipe.Json, $"{recipe.Name} on {collectionName}", Seed: 1, seconds, MaxSteps: null, InitModelId: null);
        return await services.GetRequiredService<IRunQueue>().EnqueueAsync(request, title, By, cancel: cancel);
    }

    // What was asked for before, by this start of the program or an earlier one.
    private async Task<string?> ThereAsync(RunKind kind, string? title, CancellationToken cancel)
    {
        await using var db = await _database.CreateDbContextAsync(cancel);
        return await db.Runs.Where(r => r.By == By && r.Kind == kind && (title == null || r.Title == title)).Select(r => r.Id).FirstOrDefaultAsync(cancel);
    }

    private async Task<string> EncoderAsync(string collectionName, CancellationToken cancel)
    {
        await using var db = await _database.CreateDbContextAsync(cancel);
        return await db.Runs.Where(r => r.By == By && r.Kind == RunKind.Pretrain && r.Title.EndsWith(" on " + collectionName)).Join(db.Models, r => r.Id, m => m.RunId, (_, m) => m.Id).FirstAsync(cancel);
    }

    private async Task<string> TrainTranscriberAsync(string sample, CancellationToken cancel)
    {
        if (await ThereAsync(RunKind.FineTuneSpeech, null, cancel) is { } there) return there;
        // The dictations are there already; what comes is the text of some of them.
        await services.GetRequiredService<LibraryImport>().ImportAsync([Path.Combine(sample, "transcripts.csv")], new ImportRequest(By, null), Progress("Importing transcripts"), cancel);
        return await services.GetRequiredService<TranscriberService>().TrainAsync(await EncoderAsync(Dictations, cancel), By, SpeechSettings.Resolve([$"steps={_options.TranscriberSteps}", "rounds=1", "batchSeconds=20", "evaluateEvery=50"]), cancel);
    }

    private async Task<string> TranscribeAsync(CancellationToken cancel)
    {
        if (await ThereAsync(RunKind.Transcribe, null, cancel) is { } there) return there;
        var transcribers = services.GetRequiredService<TranscriberService>();
        return await transcribers.TranscribeAsync((await transcribers.OverviewAsync(cancel)).Current!.Id, By, cancel);
    }

    private async Task<string> TrainAsync(string sample, CancellationToken cancel)
    {
        if (await ThereAsync(RunKind.FineTune, null, cancel) is { } there) return there;
        var encoder = await EncoderAsync(Scans, cancel);
        await using var db = await _database.CreateDbContextAsync(cancel);
        var tasks = services.GetRequiredService<TaskService>();
        var id = await db.Tasks.Where(t => t.Name == Task).Select(t => (long?)t.Id).FirstOrDefaultAsync(cancel);
        if (id is null)
        {
            var collection = await services.GetRequiredService<CollectionService>().FindAsync(Scans, cancel);
            id = (await tasks.CreateAsync(Task, "What does this image show?", ["normal", "nodule", "opacity"], collection.Id, By, encoder, cancel)).Id;
        }
        var labels = await tasks.ImportLabelsAsync(id.Value, Path.Combine(sample, "labels.csv"), By, cancel);
        Say($"Made the task “{Task}” with {labels.Stored + labels.Unchanged} labels.");
        return await tasks.TrainAsync(id.Value, By, cancel);
    }

    // Follows a run to its end, a line when it comes to something new and every ten seconds.
    private async Task FollowAsync(string run, string what, CancellationToken cancel)
    {
        var (stage, told) = ("", DateTime.MinValue);
        while (true)
        {
            await using var db = await _database.CreateDbContextAsync(cancel);
            var row = await db.Runs.AsNoTracking().SingleAsync(r => r.Id == run, cancel);
            if (row.State == RunState.Done) { if (told != DateTime.MinValue) Say($"{what}: done."); return; }
            if (row.State is RunState.Failed or RunState.Cancelled) throw new RefusedException("demo-run-ended", $"{what} has ended: {row.Error ?? "it was stopped"}. Its page lets it go on from its last checkpoint.");
            // Some stages count steps behind a colon; those are told with the ten seconds.
            var now = row.Stage.Split(':')[0];
            if (now != stage && told < DateTime.UtcNow.AddSeconds(-2) || told < DateTime.UtcNow.AddSeconds(-10))
            {
                var left = row.SecondsLeft is { } seconds ? $", {Components.Shared.Say.Left(seconds)}" : "";
                Say(row.State == RunState.Queued ? $"{what}: waiting for the worker" : $"{what}: {row.Progress * 100:0} %, {row.Stage}{left}");
                (stage, told) = (now, DateTime.UtcNow);
            }
            await System.Threading.Tasks.Task.Delay(500, cancel);
        }
    }

    private Progress<ImportProgress> Progress(string what)
    {
        var told = DateTime.UtcNow;
        return new Progress<ImportProgress>(p =>
        {
            if (DateTime.UtcNow - told < TimeSpan.FromSeconds(2)) return;
            told = DateTime.UtcNow;
            Say($"{what}: {p.Done} of {p.Total}");
        });
    }

    private void Say(string line) => terminal.WriteLine($"  {line}");
}
