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

namespace DomainSsl.Core.Tests.Tasks;

/// <summary>A real database in a temporary folder with a collection of images of made-up patients, or of recordings of made-up speakers.</summary>
internal sealed class LabellingClinic : IAsyncDisposable
{
    private readonly TemporaryFolder folder = new();
    private ServiceProvider services;

    private LabellingClinic() => services = Open();

    public TaskService Tasks => services.GetRequiredService<TaskService>();
    public ModelRegistry Models => services.GetRequiredService<ModelRegistry>();
    public ReviewQueue Reviews => services.GetRequiredService<ReviewQueue>();
    public IDbContextFactory<DomainSslContext> Database => services.GetRequiredService<IDbContextFactory<DomainSslContext>>();
    public long CollectionId { get; private set; }
    public string Folder => folder.Path;

    private ServiceProvider Open() => new ServiceCollection().AddDomainSslCore(new DataFolder(folder.At("data"))).BuildServiceProvider();

    public static async Task<LabellingClinic> MakeAsync(int patients, int imagesEach, ItemKind kind = ItemKind.Image)
    {
        var clinic = new LabellingClinic();
        await DatabaseSetup.MigrateAsync(clinic.Database);
        await using var db = await clinic.Database.CreateDbContextAsync();
        db.ChangeTracker.AutoDetectChangesEnabled = false;
        var collection = new Collection { Name = "chest", By = "test", Items = patients * imagesEach, Patients = patients };
        db.Collections.Add(collection);
        for (var p = 0; p < patients; p++)
        {
            var patient = new Patient { Pseudonym = $"P-{p:D6}" };
            if (kind == ItemKind.Sound)
            {
                for (var i = 0; i < imagesEach; i++)
                {
                    var recording = new Recording { Speaker = patient, SourceHash = $"source-{p}-{i}", BlobHash = $"blob-{p}-{i}", Seconds = 1 };
                    var sound = new Item { Kind = ItemKind.Sound, Patient = patient, Recording = recording, End = 1, Hash = $"item-{p}-{i}" };
                    db.CollectionItems.Add(new CollectionItem { Collection = collection, Item = sound });
                }
                continue;
            }
            var study = new Study { Patient = patient, Uid = $"1.{p}", Images = imagesEach };
            var series = new Series { Study = study, Uid = $"1.{p}.1" };
            for (var i = 0; i < imagesEach; i++)
            {
                var instance = new Instance { Series = series, Uid = $"1.{p}.1.{i}", SourceHash = $"source-{p}-{i}", BlobHash = $"blob-{p}-{i}" };
                var item = new Item { Kind = ItemKind.Image, Patient = patient, Instance = instance, Hash = $"item-{p}-{i}" };
                db.CollectionItems.Add(new CollectionItem { Collection = collection, Item = item });
            }
        }
        await db.SaveChangesAsync();
        clinic.CollectionId = collection.Id;
        return clinic;
    }

    public Task<LabelTask> MakeTaskAsync(params string[] classes) =>
        Tasks.CreateAsync("effusion", "Is there an effusion?", classes.Length > 0 ? classes : ["none", "effusion"], CollectionId, "anna");

    /// <summary>What a restarted program sees: nothing kept in memory.</summary>
    public async Task RestartAsync()
    {
        await services.DisposeAsync();
        services = Open();
    }

    /// <summary>A classifier that is less sure the higher the item's id.</summary>
    public async Task<string> AddClassifierAsync(LabelTask task, ModelState state = ModelState.Candidate, string id = "m-1")
    {
        await using var db = await Database.CreateDbContextAsync();
        db.Models.Add(new Model { Id = id, Name = id, Kind = ModelKind.Classifier, TaskId = task.Id, State = state, By = "anna", RunId = id, CreatedAt = DateTime.UtcNow });
        var items = await db.CollectionItems.Where(c => c.CollectionId == CollectionId).OrderBy(c => c.ItemId).Select(c => c.ItemId).ToListAsync();
        for (var i = 0; i < items.Count; i++)
        {
            var sure = 1 - (0.5 * i / items.Count);
            db.Predictions.Add(new Prediction
            {
                TaskId = task.Id, ModelId = id, ItemId = items[i], ClassId = task.Classes[0].Id, At = DateTime.UtcNow, Uncertainty = 2 * (1 - sure),
                Probabilities = FormattableString.Invariant($"[{sure},{1 - sure}]"), Similar = $"[{items[0]},{items[1]}]",
            });
        }
        await db.SaveChangesAsync();
        return id;
    }

    /// <summary>A collection that was imported later: one more image, or recording, of each of these patients, known or new.</summary>
    public async Task<(long Collection, IReadOnlyList<long> Items)> ImportLaterAsync(string name, IReadOnlyList<string> pseudonyms, ItemKind kind = ItemKind.Image)
    {
        await using var db = await Database.CreateDbContextAsync();
        var collection = new Collection { Name = name, By = "test", Items = pseudonyms.Count, Patients = pseudonyms.Count, CreatedAt = DateTime.UtcNow };
        db.Collections.Add(collection);
        var items = new List<Item>();
        foreach (var pseudonym in pseudonyms)
        {
            var patient = await db.Patients.SingleOrDefaultAsync(p => p.Pseudonym == pseudonym) ?? new Patient { Pseudonym = pseudonym };
            var (uid, source) = ($"2.{name}.{pseudonym}", $"{name}-{pseudonym}");
            var item = new Item { Kind = kind, Patient = patient, Hash = $"item-{source}" };
            if (kind == ItemKind.Sound) item.Recording = new Recording { Speaker = patient, SourceHash = $"source-{source}", BlobHash = $"blob-{source}", Seconds = item.End = 1 };
            else
                item.Instance = new Instance
                {
                    Series = new Series { Study = new Study { Patient = patient, Uid = uid, Images = 1 }, Uid = $"{uid}.1" }, Uid = $"{uid}.1.1", SourceHash = $"source-{source}", BlobHash = $"blob-{source}",
                };
            items.Add(item);
            db.CollectionItems.Add(new CollectionItem { Collection = collection, Item = item });
        }
        await db.SaveChangesAsync();
        return (collection.Id, [.. items.Select(i => i.Id)]);
    }

    /// <summary>What the worker leaves of a run that answers for review: unsure of all.</summary>
    public async Task<IReadOnlyList<long>> AddAnswersAsync(LabelTask task, string model, IReadOnlyList<long> items)
    {
        await using var db = await Database.CreateDbContextAsync();
        var answers = items.Select(item => new Prediction
        {
            TaskId = task.Id, ModelId = model, ItemId = item, ClassId = task.Classes[0].Id, At = DateTime.UtcNow, Uncertainty = 1, Probabilities = "[0.5,0.5]",
        }).ToList();
        db.Predictions.AddRange(answers);
        await db.SaveChangesAsync();
        return [.. answers.Select(a => a.Id)];
    }

    public async Task<List<Label>> LabelsAsync(long item)
    {
        await using var db = await Database.CreateDbContextAsync();
        return await db.Labels.AsNoTracking().Where(l => l.ItemId == item).OrderBy(l => l.Id).ToListAsync();
    }

    public async Task<Dictionary<long, long>> PatientsAsync()
    {
        await using var db = await Database.CreateDbContextAsync();
        return await db.Items.ToDictionaryAsync(i => i.Id, i => i.PatientId!.Value);
    }

    /// <summary>The items of people kept for testing, and those of all others, by their ids.</summary>
    public async Task<(IReadOnlyList<long> Test, IReadOnlyList<long> Others)> SplitAsync(long taskId)
    {
        var (patients, test) = (await PatientsAsync(), await TestPatientsAsync(taskId));
        return ([.. patients.Where(p => test.Contains(p.Value)).Select(p => p.Key).Order()], [.. patients.Where(p => !test.Contains(p.Value)).Select(p => p.Key).Order()]);
    }

    /// <summary>A classifier's answer for an item.</summary>
    public async Task<long> PredictionAsync(long item)
    {
        await using var db = await Database.CreateDbContextAsync();
        return await db.Predictions.Where(p => p.ItemId == item).Select(p => p.Id).SingleAsync();
    }

    public async Task<HashSet<long>> TestPatientsAsync(long taskId)
    {
        await using var db = await Database.CreateDbContextAsync();
        return [.. await db.TaskTestPatients.Where(t => t.TaskId == taskId).Select(t => t.PatientId).ToListAsync()];
    }

    public async ValueTask DisposeAsync()
    {
        await services.DisposeAsync();
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        folder.Dispose();
    }
}
