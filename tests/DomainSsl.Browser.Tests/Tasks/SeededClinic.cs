using System.Security.Cryptography;
using DomainSsl.Core;
using DomainSsl.Core.Collections;
using DomainSsl.Core.Database;
using DomainSsl.Core.Library;
using DomainSsl.Core.Models;
using DomainSsl.Core.People;
using DomainSsl.Core.Review;
using DomainSsl.Core.Runs;
using DomainSsl.Core.Storage;
using DomainSsl.Core.Tasks;
using DomainSsl.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Playwright;

namespace DomainSsl.Browser.Tests.Tasks;

/// <summary>A data folder with images of the sample data and people, and the site that serves it: of one test's own, or shared by a class of tests (<see cref="IClassFixture{T}"/>), since a site that has just begun takes seconds for its first pages.</summary>
public sealed class SeededClinic : IAsyncLifetime
{
    // Of a shared one: as many as any of the tests that share it needs.
    private const int Images = 40;

    public const string Password = "a long enough password";
    private readonly TemporaryFolder folder = new();
    private readonly ServiceProvider services;
    private int tasks;

    public SeededClinic()
    {
        var collection = new ServiceCollection();
        collection.AddLogging();
        collection.AddDomainSslCore(new DataFolder(folder.At("data")));
        services = collection.BuildServiceProvider();
    }

    public RunningSite Site { get; private set; } = null!;
    public TaskService Tasks => services.GetRequiredService<TaskService>();
    public ReviewQueue Reviews => services.GetRequiredService<ReviewQueue>();
    public IDbContextFactory<DomainSslContext> Database => services.GetRequiredService<IDbContextFactory<DomainSslContext>>();
    public DataFolder Data => services.GetRequiredService<DataFolder>();
    public T Get<T>() where T : notnull => services.GetRequiredService<T>();
    public long CollectionId { get; private set; }

    public static async Task<SeededClinic> StartAsync(int images)
    {
        var clinic = new SeededClinic();
        await clinic.ServeAsync(images);
        return clinic;
    }

    public ValueTask InitializeAsync() => new(ServeAsync(Images));

    private async Task ServeAsync(int images)
    {
        await DatabaseSetup.MigrateAsync(Database);
        var accounts = services.GetRequiredService<Accounts>();
        await accounts.EnsureRolesAsync();
        await accounts.CreateFirstAdminAsync("admin", Password);
        await accounts.AddAsync("anna", Password, Roles.Clinician, "admin");
        await accounts.AddAsync("rita", Password, Roles.Reviewer, "admin");
        await SeedAsync(images);
        Site = await RunningSite.StartAsync(Data.Root);
    }

    private async Task SeedAsync(int images)
    {
        var blobs = services.GetRequiredService<IBlobStore>();
        var files = Directory.GetFiles(Path.Combine(SharedData.Project, "sample-data", "images"), "*.dcm").Order(StringComparer.Ordinal).ToArray();
        await using var db = await Database.CreateDbContextAsync();
        var collection = new Collection { Name = "phantoms", By = "admin", Items = images };
        var patients = new Dictionary<string, Patient>();
        for (var i = 0; i < images; i++)
        {
            var file = files[i % files.Length];
            var name = $"P-{Path.GetFileName(file)[8..11]}-{i / files.Length}";
            if (!patients.TryGetValue(name, out var patient)) patients[name] = patient = new Patient { Pseudonym = name };
            var bytes = await File.ReadAllBytesAsync(file);
            var study = new Study { Patient = patient, Uid = $"1.{i}", Images = 1 };
            var instance = new Instance
            {
                Series = new Series { Study = study, Uid = $"1.{i}.1" }, Uid = $"1.{i}.1.1", SourceHash = $"{Convert.ToHexStringLower(SHA256.HashData(bytes))}-{i}", BlobHash = blobs.Put(bytes),
            };
            db.CollectionItems.Add(new CollectionItem { Collection = collection, Item = new Item { Kind = ItemKind.Image, Patient = patient, Instance = instance, Hash = $"item-{i}" } });
        }
        collection.Patients = patients.Count;
        await db.SaveChangesAsync();
        CollectionId = collection.Id;
    }

    public Task<LabelTask> MakeTaskAsync() => Tasks.CreateAsync(++tasks == 1 ? "Opacity" : $"Opacity {tasks}", "Is there an opacity in the lung?", ["normal", "opacity", "effusion"], CollectionId, "anna");

    /// <summary>A training run that ended well, its classifier and its predictions, as the worker leaves them.</summary>
    public async Task AddTrainedAsync(LabelTask task, TaskResult? result = null)
    {
        await using var db = await Database.CreateDbContextAsync();
        var at = DateTime.UtcNow;
        db.Runs.Add(new Run { Id = "r-1", Kind = RunKind.FineTune, Title = "Train", Request = "{}", State = RunState.Done, By = "anna", QueuedAt = at, EndedAt = at, TaskId = task.Id, Progress = 1 });
        db.Models.Add(new Model { Id = "m-1", Name = "Opacity 1", Kind = ModelKind.Classifier, TaskId = task.Id, RunId = "r-1", By = "anna", CreatedAt = at });
        var items = await db.CollectionItems.Where(c => c.CollectionId == CollectionId).OrderBy(c => c.ItemId).Select(c => c.ItemId).ToListAsync();
        var labelled = await db.Labels.Where(l => l.TaskId == task.Id && l.Answer == LabelAnswer.Class && l.SupersededAt == null).Select(l => l.ItemId).ToListAsync();
        foreach (var (item, i) in items.Except(labelled).Select((item, i) => (item, i)))
        {
            var p = 0.34 + 0.65 * i / items.Count;
            db.Predictions.Add(new Prediction
            {
                TaskId = task.Id, ModelId = "m-1", ItemId = item, ClassId = task.Classes[i % 3].Id, Uncertainty = 1 - p, At = at,
                Probabilities = "[" + string.Join(',', Enumerable.Range(0, 3).Select(c => (c == i % 3 ? p : (1 - p) / 2).ToString(System.Globalization.CultureInfo.InvariantCulture))) + "]",
                Similar = $"[{string.Join(',', labelled.Take(6))}]",
            });
        }
        await db.SaveChangesAsync();
        Directory.CreateDirectory(Data.Run("r-1"));
        await (result ?? Result(task.Id)).WriteAsync(Data.Run("r-1"));
    }

    public static TaskResult Result(long task) => new(task, "m-1", 60, 31, 24, false,
        [
            new("ours", "m-0", "phantoms", "probe", true, true, new(0.94, 0.89, 0.98), null), new("ours", "m-0", "phantoms", "full", false, false, new(0.92, 0.86, 0.97), null),
            new("public", "public", "public", "probe", false, true, new(0.88, 0.81, 0.94), null), new("public", "public", "public", "full", false, false, new(0.86, 0.78, 0.93), null),
            new("scratch", null, "scratch", "full", false, true, new(0.81, 0.72, 0.89), null),
        ],
        [new("scratch", new(0.13, 0.04, 0.22)), new("public", new(0.06, -0.01, 0.13))],
        [
            new("normal", 12, 10, new(0.92, 0.75, 1), new(0.11, 0.02, 0.22)), new("opacity", 11, 9, new(0.82, 0.6, 0.95), new(0.07, 0, 0.17)),
            new("effusion", 8, 4, new(0.75, 0.45, 0.95), new(0.04, 0, 0.12)),
        ], 180);

    public static async Task SignInAsync(IPage page, string name, string then)
    {
        await page.GotoAsync($"/account/sign-in?ReturnUrl={Uri.EscapeDataString(then)}");
        await page.FillAsync("#name", name);
        await page.FillAsync("#password", Password);
        await page.ClickAsync("button[type=submit]");
        await page.WaitForSelectorAsync("body[data-ready]");
    }

    /// <summary>Waits until the room shows an image (this one, if it is named), takes keys, and has its circuit.</summary>
    public static Task ShownAsync(IPage page, long? item = null) => page.WaitForFunctionAsync("""
        item => {
          const shown = document.querySelector('.room[data-cover=none]')?.dataset.item;
          return document.body?.dataset.ready && document.querySelector("dialog.keys[data-ready]") && !document.body.classList.contains('connection-lost') && (item === null ? !!shown : shown === item);
        }
        """, item?.ToString(System.Globalization.CultureInfo.InvariantCulture), new() { Timeout = 240_000 });

    /// <summary>Waits until so many images have been fetched: what is needed to go on while the server is away.</summary>
    public static Task FetchedAsync(IPage page, int images) => page.WaitForFunctionAsync(
        "least => performance.getEntriesByType('resource').filter(r => r.name.endsWith('/pixels') && r.responseEnd > 0).length >= least", images);

    public async ValueTask DisposeAsync()
    {
        if (Site is not null) await Site.DisposeAsync();
        await services.DisposeAsync();
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        folder.Dispose();
    }
}
