using System.Net;
using DomainSsl.Core.People;
using DomainSsl.Testing;
using DomainSsl.Web.Security;
using Microsoft.Extensions.DependencyInjection;

namespace DomainSsl.Web.Tests;

public sealed class SetupTests
{
    private static readonly (string, string)[] First = [("Input.Name", "first"), ("Input.Password", "a good long one"), ("Input.Again", "a good long one")];

    [Fact]
    public async Task Setup_SiteWithoutPeople_MakesTheAdministratorInTheBrowser()
    {
        using var folder = new TemporaryFolder();
        await using var app = await SiteHost.BuildAsync(new SiteRequest(folder.Path, "http://127.0.0.1:0"), cancel: TestContext.Current.CancellationToken);
        await app.StartAsync(TestContext.Current.CancellationToken);
        using var visitor = Browser(app.Urls.First());
        Assert.Equal(Paths.Setup, (await visitor.GetAsync("/")).Headers.Location!.ToString());
        Assert.Equal(HttpStatusCode.Redirect, (await visitor.PostFormAsync(Paths.Setup, "setup", First)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await visitor.GetAsync("/people")).StatusCode);
    }

    [Fact]
    public async Task Setup_ThroughAProxy_WantsTheCodeFromTheTerminal()
    {
        using var folder = new TemporaryFolder();
        await using var app = await SiteHost.BuildAsync(new SiteRequest(folder.Path, "http://127.0.0.1:0"), cancel: TestContext.Current.CancellationToken);
        await app.StartAsync(TestContext.Current.CancellationToken);
        using var visitor = Browser(app.Urls.First());
        visitor.Client.DefaultRequestHeaders.Add("X-Forwarded-For", "192.0.2.7");
        var accounts = app.Services.GetRequiredService<Accounts>();

        Assert.Equal(HttpStatusCode.OK, (await visitor.PostFormAsync(Paths.Setup, "setup", [.. First, ("Input.Code", "00000000")])).StatusCode);
        Assert.False(await accounts.AnyAsync(TestContext.Current.CancellationToken));
        var code = app.Services.GetRequiredService<FirstStart>().Code;
        Assert.Equal(HttpStatusCode.Redirect, (await visitor.PostFormAsync(Paths.Setup, "setup", [.. First, ("Input.Code", code)])).StatusCode);
        Assert.True(await accounts.AnyAsync(TestContext.Current.CancellationToken));
    }

    private static Visitor Browser(string address) => new(new HttpClient(new HttpClientHandler { AllowAutoRedirect = false, CookieContainer = new CookieContainer() }) { BaseAddress = new Uri(address) });
}
