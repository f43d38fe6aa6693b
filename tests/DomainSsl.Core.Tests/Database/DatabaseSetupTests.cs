using DomainSsl.Core.Database;
using DomainSsl.Core.Storage;
using DomainSsl.Testing;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace DomainSsl.Core.Tests.Database;

public sealed class DatabaseSetupTests
{
    [Fact]
    public async Task Migrate_AfterAProcessWasKilledInTheMiddleOfIt_GoesOn()
    {
        using var folder = new TemporaryFolder();
        var data = new DataFolder(folder.Path);
        // What Entity Framework leaves behind: its lock is a row that only its maker takes away.
        await using (var connection = new SqliteConnection($"Data Source={data.Database}"))
        {
            await connection.OpenAsync(TestContext.Current.CancellationToken);
            await using var command = connection.CreateCommand();
            command.CommandText = """
                CREATE TABLE "__EFMigrationsLock" ("Id" INTEGER NOT NULL PRIMARY KEY, "Timestamp" TEXT NOT NULL);
                INSERT INTO "__EFMigrationsLock" VALUES (1, '2026-01-01');
                """;
            await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        }
        await using var services = new ServiceCollection().AddLogging().AddDomainSslCore(data).BuildServiceProvider();
        var factory = services.GetRequiredService<IDbContextFactory<DomainSslContext>>();

        // Several at once, as site, worker and a command may start together.
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => DatabaseSetup.MigrateAsync(factory, TestContext.Current.CancellationToken))))
            .WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
        await using var db = await factory.CreateDbContextAsync(TestContext.Current.CancellationToken);
        Assert.Empty(await db.Database.GetPendingMigrationsAsync(TestContext.Current.CancellationToken));
        Assert.Equal(0, await db.Items.CountAsync(TestContext.Current.CancellationToken));
        Assert.Equal("wal", (await db.Database.SqlQueryRaw<string>("SELECT journal_mode AS Value FROM pragma_journal_mode()").ToListAsync(TestContext.Current.CancellationToken))[0]);
        SqliteConnection.ClearAllPools();
    }
}
