using System.Net;
using DomainSsl.Core.Audit;
using DomainSsl.Core.Database;
using DomainSsl.Core.People;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace DomainSsl.Web.Tests;

public sealed class SignInTests(TestSite site) : IClassFixture<TestSite>
{
    private Accounts Accounts => site.App.Services.GetRequiredService<Accounts>();

    [Fact]
    public async Task SignIn_RightPassword_LeadsHomeAndIsAudited()
    {
        using var visitor = site.Visit();
        var answer = await visitor.PostFormAsync(Paths.SignIn, "sign-in", ("Input.Name", "clinician"), ("Input.Password", TestSite.Password));
        Assert.Equal(site.Address + Paths.Home, new Uri(new Uri(site.Address), answer.Headers.Location!).ToString());
        await using var db = await site.App.Services.GetRequiredService<IDbContextFactory<DomainSslContext>>().CreateDbContextAsync(TestContext.Current.CancellationToken);
        Assert.True(await db.Audit.AnyAsync(a => a.Who == "clinician" && a.Action == "signed in", TestContext.Current.CancellationToken));
        Assert.Null(await site.App.Services.GetRequiredService<AuditLog>().FirstBrokenAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task SignIn_ThroughAProxyThatEndsTls_MarksTheCookieAsForTlsOnly()
    {
        using var visitor = site.Visit();
        var plain = await visitor.PostFormAsync(Paths.SignIn, "sign-in", ("Input.Name", "clinician"), ("Input.Password", TestSite.Password));
        Assert.DoesNotContain(plain.Headers.GetValues("Set-Cookie"), c => c.Contains("secure", StringComparison.OrdinalIgnoreCase));
        using var proxied = site.Visit();
        proxied.Client.DefaultRequestHeaders.Add("X-Forwarded-Proto", "https");
        proxied.Client.DefaultRequestHeaders.Add("X-Forwarded-For", "192.0.2.7");
        using var page = await proxied.GetAsync(Paths.SignIn);
        Assert.All(page.Headers.GetValues("Set-Cookie"), c => Assert.Contains("secure", c, StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public async Task SignIn_AddressOfAnotherSite_IsNotFollowed()
    {
        foreach (var elsewhere in (string[])["https://example.org/", "//example.org", "/\\example.org"])
        {
            using var visitor = site.Visit();
            var answer = await visitor.PostFormAsync($"{Paths.SignIn}?ReturnUrl={Uri.EscapeDataString(elsewhere)}", "sign-in", ("Input.Name", "reviewer"), ("Input.Password", TestSite.Password));
            Assert.Equal(site.Address + Paths.Home, new Uri(new Uri(site.Address), answer.Headers.Location!).ToString());
        }
    }

    [Fact]
    public async Task SignIn_FiveWrongTries_LocksTheAccountEvenForTheRightPassword()
    {
        var password = await Accounts.AddAsync("tried", Roles.Reviewer, "test");
        using var visitor = site.Visit();
        for (int i = 0; i < IdentitySetup.FailedTries; i++)
            Assert.Equal(HttpStatusCode.OK, (await visitor.PostFormAsync(Paths.SignIn, "sign-in", ("Input.Name", "tried"), ("Input.Password", "wrong wrong wrong"))).StatusCode);
        var right = await visitor.PostFormAsync(Paths.SignIn, "sign-in", ("Input.Name", "tried"), ("Input.Password", password));
        Assert.Equal(HttpStatusCode.OK, right.StatusCode);
        Assert.Contains("do not fit together", await right.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        Assert.NotNull((await Accounts.ListAsync()).Single(p => p.Name == "tried").LockedUntil);

        // A new password ends the rest.
        var made = await Accounts.ResetPasswordAsync("tried", "test");
        Assert.Equal(HttpStatusCode.Redirect, (await visitor.PostFormAsync(Paths.SignIn, "sign-in", ("Input.Name", "tried"), ("Input.Password", made))).StatusCode);
    }

    [Fact]
    public async Task SignIn_MadePassword_LeadsToChoosingOneBeforeAnythingElse()
    {
        var made = await Accounts.AddAsync("newcomer", Roles.Clinician, "test");
        using var visitor = site.Visit();
        var signedIn = await visitor.PostFormAsync(Paths.SignIn, "sign-in", ("Input.Name", "newcomer"), ("Input.Password", made));
        Assert.EndsWith(Paths.Password, signedIn.Headers.Location!.ToString());
        Assert.EndsWith(Paths.Password, (await visitor.GetAsync("/")).Headers.Location!.ToString());
        var changed = await visitor.PostFormAsync(Paths.Password, "password", ("Input.Present", made), ("Input.Wanted", "another good one"), ("Input.Again", "another good one"));
        Assert.Equal(HttpStatusCode.Redirect, changed.StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await visitor.GetAsync("/")).StatusCode);
    }

    [Fact]
    public async Task SignIn_DisabledAccount_IsRefused()
    {
        await Accounts.AddAsync("gone", TestSite.Password, Roles.Clinician, "test");
        await Accounts.DisableAsync("gone", "test");
        using var visitor = site.Visit();
        Assert.Equal(HttpStatusCode.OK, (await visitor.PostFormAsync(Paths.SignIn, "sign-in", ("Input.Name", "gone"), ("Input.Password", TestSite.Password))).StatusCode);
    }

    [Fact]
    public async Task SignOut_WithoutTheFormsToken_IsRefused()
    {
        using var visitor = await site.SignInAsync(Roles.Clinician);
        var answer = await visitor.Client.PostAsync(Paths.SignOut, new FormUrlEncodedContent([]), TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await visitor.GetAsync("/")).StatusCode);
    }

    [Fact]
    public async Task Setup_WithSomebodyThere_OffersNothing()
    {
        using var visitor = site.Visit();
        var page = await (await visitor.GetAsync(Paths.Setup)).Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.DoesNotContain("<form", page);
    }
}
