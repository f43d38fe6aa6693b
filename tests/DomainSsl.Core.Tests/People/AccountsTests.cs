using DomainSsl.Core.Audit;
using DomainSsl.Core.Database;
using DomainSsl.Core.People;
using DomainSsl.Core.Storage;
using DomainSsl.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace DomainSsl.Core.Tests.People;

public sealed class AccountsTests : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();
    private ServiceProvider _services = null!;

    private Accounts Accounts => _services.GetRequiredService<Accounts>();

    public async ValueTask InitializeAsync()
    {
        _services = new ServiceCollection().AddLogging().AddDomainSslCore(new DataFolder(_folder.Path)).BuildServiceProvider();
        await DatabaseSetup.MigrateAsync(_services.GetRequiredService<IDbContextFactory<DomainSslContext>>());
    }

    [Fact]
    public async Task Disable_LastAdministrator_IsRefusedUntilThereIsAnother()
    {
        await Accounts.CreateFirstAdminAsync("one", "a good long one");
        Assert.Equal("last-admin", (await Assert.ThrowsAsync<RefusedException>(() => Accounts.DisableAsync("one", "one"))).Refusal.Code);
        await Accounts.AddAsync("two", Roles.Admin, "one");
        await Accounts.DisableAsync("one", "two");
        Assert.Equal("last-admin", (await Assert.ThrowsAsync<RefusedException>(() => Accounts.DisableAsync("two", "two"))).Refusal.Code);
    }

    [Fact]
    public async Task Disable_TwoAdministratorsAtOnce_OneStays()
    {
        await Accounts.CreateFirstAdminAsync("one", "a good long one");
        await Accounts.AddAsync("two", Roles.Admin, "one");
        var outcomes = await Task.WhenAll(Outcome("one"), Outcome("two"));
        Assert.Single(outcomes, o => o is null);
        Assert.Single(await Accounts.ListAsync(), p => p is { Role: Roles.Admin, Disabled: false });

        async Task<string?> Outcome(string name)
        {
            try { await Accounts.DisableAsync(name, "test"); return null; }
            catch (RefusedException refused) { return refused.Refusal.Code; }
        }
    }

    [Fact]
    public async Task FirstAdministrator_SecondTime_IsRefused()
    {
        await Accounts.CreateFirstAdminAsync("one", "a good long one");
        Assert.Equal("not-first", (await Assert.ThrowsAsync<RefusedException>(() => Accounts.CreateFirstAdminAsync("two", "a good long one"))).Refusal.Code);
        Assert.Single(await Accounts.ListAsync());
    }

    [Theory]
    [InlineData("one", "short", "account-passwordtooshort")]
    [InlineData("one", "aaaaaaaaaaaaaa", "account-passwordrequiresuniquechars")]
    [InlineData("Dr. One!", "a good long one", "account-invalidusername")]
    public async Task Add_BadNameOrPassword_IsRefusedWithASentence(string name, string password, string code)
    {
        var refused = await Assert.ThrowsAsync<RefusedException>(() => Accounts.AddAsync(name, password, Roles.Clinician, "test"));
        Assert.Equal(code, refused.Refusal.Code);
        Assert.EndsWith(".", refused.Message);
        Assert.Empty(await Accounts.ListAsync());
    }

    [Fact]
    public async Task Deeds_All_StandInTheAuditWithoutThePassword()
    {
        await Accounts.CreateFirstAdminAsync("one", "a good long one");
        var made = await Accounts.AddAsync("two", Roles.Clinician, "one");
        var reset = await Accounts.ResetPasswordAsync("two", "one");
        await Accounts.DisableAsync("two", "one");
        await Accounts.EnableAsync("two", "one");
        await using var db = await _services.GetRequiredService<IDbContextFactory<DomainSslContext>>().CreateDbContextAsync(TestContext.Current.CancellationToken);
        var entries = await db.Audit.OrderBy(a => a.Id).ToListAsync(TestContext.Current.CancellationToken);
        Assert.Equal(["added", "added", "reset the password of", "disabled", "enabled"], entries.Select(e => e.Action));
        Assert.All(entries, e => Assert.DoesNotContain(made, e.Details + e.Subject));
        Assert.All(entries, e => Assert.DoesNotContain(reset, e.Details + e.Subject));
        Assert.Null(await _services.GetRequiredService<AuditLog>().FirstBrokenAsync(TestContext.Current.CancellationToken));
    }

    public async ValueTask DisposeAsync()
    {
        await _services.DisposeAsync();
        _folder.Dispose();
    }
}
