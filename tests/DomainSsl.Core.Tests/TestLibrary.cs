using DomainSsl.Core.Database;
using DomainSsl.Core.Importing;
using DomainSsl.Core.Storage;
using DomainSsl.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace DomainSsl.Core.Tests;

/// <summary>An installation in a temporary folder: real database, real blobs, and a folder <c>in/</c> for files to import.</summary>
internal sealed class TestLibrary : IAsyncDisposable
{
    private readonly TemporaryFolder _temporary = new();
    private ServiceProvider _services = null!;

    public string Data => _temporary.At("data");

    public static async Task<TestLibrary> MakeAsync(ImportOptions? options = null)
    {
        var library = new TestLibrary();
        var services = new ServiceCollection().AddLogging();
        if (options is not null) services.AddSingleton(options);
        library._services = services.AddDomainSslCore(new DataFolder(library.Data)).BuildServiceProvider();
        await DatabaseSetup.MigrateAsync(library.Get<IDbContextFactory<DomainSslContext>>(), TestContext.Current.CancellationToken);
        return library;
    }

    public T Get<T>() where T : notnull => _services.GetRequiredService<T>();

    public DomainSslContext Open() => Get<IDbContextFactory<DomainSslContext>>().CreateDbContext();

    /// <summary>Puts a file below <c>in/</c>.</summary>
    public string Put(string name, byte[] bytes)
    {
        var path = _temporary.At("in", name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, bytes);
        return path;
    }

    public string At(params string[] parts) => _temporary.At(parts);

    public string In => _temporary.At("in");

    public Task<ImportSummary> ImportAsync(string path, string? collection = null) =>
        Get<LibraryImport>().ImportAsync([path], new ImportRequest("cli:test", collection), cancel: TestContext.Current.CancellationToken);

    /// <summary>Every blob has the hash of its name, and every row's blob is there.</summary>
    public async Task AssertWholeAsync()
    {
        var blobs = Get<IBlobStore>();
        Assert.All(blobs.All(), hash => Assert.True(blobs.IsWhole(hash), hash));
        await using var db = Open();
        Assert.All(await db.Instances.Select(i => i.BlobHash).ToListAsync(), hash => Assert.True(blobs.Contains(hash)));
        Assert.All(await db.Recordings.Select(r => r.BlobHash).ToListAsync(), hash => Assert.True(blobs.Contains(hash)));
    }

    public async ValueTask DisposeAsync()
    {
        await _services.DisposeAsync();
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        _temporary.Dispose();
    }
}
