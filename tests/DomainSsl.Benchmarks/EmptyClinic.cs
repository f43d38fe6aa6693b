using DomainSsl.Core;
using DomainSsl.Core.Database;
using DomainSsl.Core.Storage;
using DomainSsl.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace DomainSsl.Benchmarks;

/// <summary>A clinic with nothing in it, in a folder that goes with it.</summary>
internal sealed class EmptyClinic : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly ServiceProvider _services;

    private EmptyClinic() => _services = new ServiceCollection().AddLogging().AddDomainSslCore(new DataFolder(_folder.Path)).BuildServiceProvider();

    public IDbContextFactory<DomainSslContext> Database => Get<IDbContextFactory<DomainSslContext>>();

    public static async Task<EmptyClinic> MakeAsync()
    {
        var clinic = new EmptyClinic();
        await DatabaseSetup.MigrateAsync(clinic.Database);
        return clinic;
    }

    public T Get<T>() where T : notnull => _services.GetRequiredService<T>();

    public async ValueTask DisposeAsync()
    {
        await _services.DisposeAsync();
        _folder.Dispose();
    }
}
