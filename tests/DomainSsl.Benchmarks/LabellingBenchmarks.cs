using BenchmarkDotNet.Attributes;
using DomainSsl.Core;
using DomainSsl.Core.Collections;
using DomainSsl.Core.Database;
using DomainSsl.Core.Library;
using DomainSsl.Core.Models;
using DomainSsl.Core.Review;
using DomainSsl.Core.Storage;
using DomainSsl.Core.Tasks;
using DomainSsl.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace DomainSsl.Benchmarks;

/// <summary>
/// What a clinician waits for between two images when the task has 100,000 of them, 2,000 labelled: the next image before there is a model and with one, storing an answer, the
/// next case of the review. Skipping the answered ones by OFFSET is the baseline.
/// </summary>
[ShortRunJob]
public class LabellingBenchmarks : IDisposable
{
    private const int Images = 100_000, Labelled = 2_000;
    private TemporaryFolder folder = null!;
    private ServiceProvider services = null!;
    private TaskService tasks = null!;
    private ReviewQueue reviews = null!;
    private IDbContextFactory<DomainSslContext> database = null!;
    private LabelTask plain = null!, trained = null!;
    private int turn;

    /// <summary>Fills the database.</summary>
    [GlobalSetup]
    public async Task SetUpAsync()
    {
        folder = new TemporaryFolder();
        var collected = new ServiceCollection();
        collected.AddLogging();
        services = collected.AddDomainSslCore(new DataFolder(folder.Path)).BuildServiceProvider();
        database = services.GetRequiredService<IDbContextFactory<DomainSslContext>>();
        (tasks, reviews) = (services.GetRequiredService<TaskService>(), services.GetRequiredService<ReviewQueue>());
        await DatabaseSetup.MigrateAsync(database);
        await using var db = await database.CreateDbContextAsync();
        db.ChangeTracker.AutoDetectChangesEnabled = false;
        var collection = new Collection { Name = "all", By = "benchmark" };
        db.Patients.AddRange(Enumerable.Range(1, Images / 4).Select(p => new Patient { Id = p, Pseudonym = $"P-{p}" }));
        db.Items.AddRange(Enumerable.Range(1, Images).Select(i => new Item { Id = i, Kind = ItemKind.Image, PatientId = 1 + i / 4 % (Images / 4), Hash = $"{i}" }));
        db.Collections.Add(collection);
        await db.SaveChangesAsync();
        db.CollectionItems.AddRange(Enumerable.Range(1, Images).Select(i => new CollectionItem { CollectionId = collection.Id, ItemId = i }));
        await db.SaveChangesAsync();
        db.ChangeTracker.Clear();

        plain = await tasks.CreateAsync("plain", "?", ["a", "b"], collection.Id, "benchmark");
        trained = await tasks.CreateAsync("trained", "?", ["a", "b"], collection.Id, "benchmark");
        foreach (var task in (LabelTask[])[plain, trained])
        {
            var given = new List<GivenLabel>();
            var seen = new HashSet<long>();
            while (given.Count < Labelled)
                foreach (var next in await tasks.NextItemsAsync(task.Id, "benchmark", 20, seen))
                {
                    seen.Add(next.ItemId);
                    given.Add(new GivenLabel(next.ItemId, given.Count % 2 == 0 ? "a" : "b"));
                }
            await tasks.ImportLabelsAsync(task.Id, given, "benchmark");
        }
        db.Models.Add(new Model { Id = "m", Name = "m", Kind = ModelKind.Classifier, TaskId = trained.Id, By = "benchmark", RunId = "r" });
        var random = new Random(1);
        db.Predictions.AddRange(Enumerable.Range(1, Images).Select(i => new Prediction
        {
            TaskId = trained.Id, ModelId = "m", ItemId = i, ClassId = trained.Classes[0].Id, Probabilities = "[0.6,0.4]", Uncertainty = random.NextDouble(),
        }));
        await db.SaveChangesAsync();
    }

    /// <summary>Removes it.</summary>
    [GlobalCleanup]
    public void Dispose()
    {
        services.Dispose();
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        folder.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>The unlabelled items sorted anew and skipped by OFFSET, as one would write it first.</summary>
    [Benchmark(Baseline = true)]
    public async Task<long> NextByOffsetAsync()
    {
        await using var db = await database.CreateDbContextAsync();
        return await db.CollectionItems.Where(c => c.CollectionId == plain.CollectionId).OrderBy(c => c.Item!.Hash).Skip(Labelled + turn++ % 100).Select(c => c.ItemId).FirstAsync();
    }

    /// <summary>The next six images before there is a model; another person each time, so that none is held already.</summary>
    [Benchmark]
    public Task<IReadOnlyList<NextItem>> NextAsync() => tasks.NextItemsAsync(plain.Id, $"person {turn++ % 50}", 6);

    /// <summary>The next six images by uncertainty.</summary>
    [Benchmark]
    public Task<IReadOnlyList<NextItem>> NextByUncertaintyAsync() => tasks.NextItemsAsync(trained.Id, $"person {turn++ % 50}", 6);

    /// <summary>An answer, on the disk with its audit entry.</summary>
    [Benchmark]
    public Task<LabelReceipt> AnswerAsync() =>
        tasks.AnswerAsync(plain.Id, 1 + turn % Images, LabelAnswer.Class, plain.Classes[turn++ % 2].Id, "benchmark", Guid.NewGuid().ToString("N"));

    /// <summary>The figures beside the image.</summary>
    [Benchmark]
    public Task<TaskProgress> ProgressAsync() => tasks.ProgressAsync(plain.Id);

    /// <summary>The next five cases of the review.</summary>
    [Benchmark]
    public Task<IReadOnlyList<ReviewCase>> NextCasesAsync() => reviews.NextAsync(trained.Id, $"person {turn++ % 50}", 5);

    /// <summary>The figures beside a case.</summary>
    [Benchmark]
    public Task<ReviewProgress> ReviewProgressAsync() => reviews.ProgressAsync(trained.Id);
}
