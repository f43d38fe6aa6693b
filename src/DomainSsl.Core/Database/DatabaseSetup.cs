using System.Data.Common;
using DomainSsl.Core.Runs;
using DomainSsl.Core.Storage;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.DependencyInjection;

namespace DomainSsl.Core.Database;

/// <summary>How the database is opened, by every process alike.</summary>
public static class DatabaseSetup
{
    /// <summary>Registers the factory: one short-lived context an operation.</summary>
    public static IServiceCollection AddDomainSslDatabase(this IServiceCollection services, DataFolder folder) =>
        services.AddDbContextFactory<DomainSslContext>(options => options.UseDomainSslDatabase(folder.Database));

    /// <summary>Points a context at the SQLite file.</summary>
    public static DbContextOptionsBuilder UseDomainSslDatabase(this DbContextOptionsBuilder options, string path) =>
        options.UseSqlite(new SqliteConnectionStringBuilder { DataSource = path, DefaultTimeout = 30 }.ToString()).AddInterceptors(new DurableConnection());

    /// <summary>Brings the database to this version's schema; safe while other processes do the same, and whatever a killed one left behind.</summary>
    /// <exception cref="RefusedException"><c>database-busy</c>: another process has been changing the schema for minutes.</exception>
    public static async Task MigrateAsync(IDbContextFactory<DomainSslContext> factory, CancellationToken cancel = default)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        // The usual start changes nothing and needs no lock.
        if (!(await db.Database.GetPendingMigrationsAsync(cancel)).Any()) return;
        // EF Core's own lock on SQLite is a row, which a killed process leaves behind, and every later start would wait for it for ever. A file's lock goes with its holder; whoever has it
        // may clear the row away.
        var path = db.Database.GetDbConnection().DataSource + ".lock";
        using var mine = InstanceLock.TryTake(path, TimeSpan.FromMinutes(2))
            ?? throw new RefusedException("database-busy", "Another process has been changing the database for two minutes; wait for it, or end it, and start again.");
        await db.Database.ExecuteSqlRawAsync("""DROP TABLE IF EXISTS "__EFMigrationsLock" """, cancel);
        // Entity Framework sets this only for a file that it makes itself.
        await db.Database.ExecuteSqlRawAsync("PRAGMA journal_mode=WAL", cancel);
        await db.Database.MigrateAsync(cancel);
    }

    // FULL: a commit is on the disk before it is acknowledged, also after a power cut (SQLite, PRAGMA synchronous). Set per connection, since SQLite does not store it.
    private sealed class DurableConnection : DbConnectionInterceptor
    {
        private const string Pragmas = "PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA busy_timeout=30000;";

        public override void ConnectionOpened(DbConnection connection, ConnectionEndEventData eventData)
        {
            using var command = connection.CreateCommand();
            command.CommandText = Pragmas;
            command.ExecuteNonQuery();
        }

        public override async Task ConnectionOpenedAsync(DbConnection connection, ConnectionEndEventData eventData, CancellationToken cancellationToken = default)
        {
            await using var command = connection.CreateCommand();
            command.CommandText = Pragmas;
            await command.ExecuteNonQueryAsync(cancellationToken);
        }
    }

    /// <summary>For <c>dotnet ef migrations add</c> alone.</summary>
    internal sealed class DesignTimeFactory : IDesignTimeDbContextFactory<DomainSslContext>
    {
        public DomainSslContext CreateDbContext(string[] args) =>
            new((DbContextOptions<DomainSslContext>)new DbContextOptionsBuilder<DomainSslContext>().UseDomainSslDatabase("design.db").Options);
    }
}
