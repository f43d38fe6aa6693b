using BenchmarkDotNet.Attributes;
using DomainSsl.Core;
using DomainSsl.Core.Collections;
using DomainSsl.Core.Database;
using DomainSsl.Core.Models;
using DomainSsl.Core.Review;
using DomainSsl.Core.Storage;
using DomainSsl.Core.Tasks;
using DomainSsl.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace DomainSsl.Benchmarks;

/// <summary>
/// What a clinician waits for between two images when the task has 100,000 of them, 500 labelled and 2,000 predictions reviewed: the next image before there is a model and with one, storing an answer, the
/// next case of the review. Skipping the answered ones by OFFSET is the baseline.
/// </summary>
[ShortRunJob]
public class LabellingBenchmarks : IDisposable
{
    private const int Images = 100_000, Labelled = 500;
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
        var collection = new Collection { Name = "all", By = "benchmark" };
        db.Collections.Add(collection);
        await db.SaveChangesAsync();
        // Rows by SQL: through the change tracker these would take longer than all that is measured.
        const string Numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)";
        await db.Database.ExecuteSqlRawAsync($"{Numbers} INSERT INTO Patients (Id, Pseudonym) SELECT i, 'P-' || i FROM n WHERE i <= 25000");
        await db.Database.ExecuteSqlRawAsync($"""{Numbers} INSERT INTO Items (Id, Kind, PatientId, Frame, Start, "End", Hash, ImportedAt) SELECT i, 'Image', 1 + i / 4 % 25000, 0, 0, 0, 'h' || i, '2026-01-01' FROM n""");
        await db.Database.ExecuteSqlAsync($"INSERT INTO CollectionItems (CollectionId, ItemId) SELECT {collection.Id}, Id FROM Items");

        plain = await tasks.CreateAsync("plain", "?", ["a", "b"], collection.Id, "benchmark");
        trained = await tasks.CreateAsync("trained", "?", ["a", "b"], collection.Id, "benchmark");
        foreach (var task in (LabelTask[])[plain, trained])
            await tasks.ImportLabelsAsync(task.Id, [.. Enumerable.Range(1, Labelled).Select(i => new GivenLabel(i * (Images / Labelled), i % 2 == 0 ? "a" : "b"))], "benchmark");
        db.Models.Add(new Model { Id = "m", Name = "m", Kind = ModelKind.Classifier, TaskId = trained.Id, By = "benchmark", RunId = "r" });
        await db.SaveChangesAsync();
        await db.Database.ExecuteSqlAsync($"""
            INSERT INTO Predictions (TaskId, ModelId, ItemId, ClassId, Probabilities, Uncertainty, Similar, At)
            SELECT {trained.Id}, 'm', Id, {trained.Classes[0].Id}, '[0.6,0.4]', (Id * 7919 % 100000) / 100000.0, '[]', '2026-01-01' FROM Items
            """);
        await db.Database.ExecuteSqlAsync($"""
            INSERT INTO Reviews (PredictionId, Decision, ClassId, "By", At, ClientKey) SELECT Id, 'Accept', ClassId, 'benchmark', '2026-01-02', 'k' || Id FROM Predictions WHERE Id % 50 = 0
            """);
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
