using DomainSsl.Core.Audit;
using DomainSsl.Core.Database;
using DomainSsl.Core.Runs;
using DomainSsl.Core.Storage;
using DomainSsl.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace DomainSsl.Core.Tests.Runs;

/// <summary>Core on a fresh data folder with a real database, and a clock that the test turns.</summary>
public sealed class QueueFixture : IAsyncDisposable
{
    private readonly TemporaryFolder _temporary = new();
    private readonly ServiceProvider _services;

    private QueueFixture()
    {
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddSingleton<TimeProvider>(Clock);
        services.AddDomainSslCore(new DataFolder(_temporary.At("data")));
        _services = services.BuildServiceProvider();
    }

    public TurnedClock Clock { get; } = new();
    public IRunQueue Queue => Service<IRunQueue>();
    public DataFolder Folder => Service<DataFolder>();

    public static async Task<QueueFixture> CreateAsync()
    {
        var fixture = new QueueFixture();
        await DatabaseSetup.MigrateAsync(fixture.Service<IDbContextFactory<DomainSslContext>>());
        return fixture;
    }

    public T Service<T>() where T : notnull => _services.GetRequiredService<T>();

    public DomainSslContext Open() => Service<IDbContextFactory<DomainSslContext>>().CreateDbContext();

    /// <summary>The queue as a process sees it that is not this one.</summary>
    public RunQueue QueueOf(string holder) => new(Service<IDbContextFactory<DomainSslContext>>(), Service<AuditLog>(), Clock, holder);

    public async Task<Run> RunAsync(string id)
    {
        await using var db = Open();
        return await db.Runs.AsNoTracking().SingleAsync(r => r.Id == id);
    }

    public Task<string> EnqueueAsync(string title = "a run") => Queue.EnqueueAsync(new EmbedRequest("public", 1, null), title, "cli:test");

    public async ValueTask DisposeAsync()
    {
        await _services.DisposeAsync();
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        _temporary.Dispose();
    }
}

/// <summary>A clock that stands until it is turned.</summary>
public sealed class TurnedClock : TimeProvider
{
    private DateTimeOffset _now = new(2026, 3, 1, 8, 0, 0, TimeSpan.Zero);

    public override DateTimeOffset GetUtcNow() => _now;

    public void Turn(TimeSpan by) => _now += by;
}
