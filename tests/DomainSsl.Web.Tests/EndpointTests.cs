using System.Net;
using DomainSsl.Core.People;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.StaticAssets;
using Microsoft.Extensions.DependencyInjection;

namespace DomainSsl.Web.Tests;

/// <summary>Every address of the site asks for a role, or stands in the short list of those that anybody may see.</summary>
public sealed class EndpointTests(TestSite site) : IClassFixture<TestSite>
{
    // Besides static files. Everything else needs one of the three roles.
    private static readonly string[] Open = ["/account/sign-in", "/account/setup", "/account/denied", "/error", "/health"];

    // Blazor's own endpoints carry no page: the fallback policy asks for a signed-in person, and each page's roles are asked again inside the circuit.
    // The other two are the framework's answers to a file that is not there and to a redirect of its own; they show nothing.
    private static readonly string[] Circuit = ["/_blazor", "/{**path:file}", "/_framework/opaque-redirect"];

    private RouteEndpoint[] Endpoints => [.. site.App.Services.GetRequiredService<IEnumerable<EndpointDataSource>>().SelectMany(s => s.Endpoints).OfType<RouteEndpoint>()
        .Where(e => e.Metadata.GetMetadata<StaticAssetDescriptor>() is null)];

    [Fact]
    public void Endpoint_Each_AsksForARoleOrIsListedAsOpen()
    {
        var endpoints = Endpoints;
        Assert.True(endpoints.Length > 12, $"Only {endpoints.Length} endpoints were found; the test looks in the wrong place.");
        var faults = new List<string>();
        foreach (var endpoint in endpoints)
        {
            var path = "/" + endpoint.RoutePattern.RawText!.TrimStart('/');
            bool open = endpoint.Metadata.GetMetadata<IAllowAnonymous>() is not null;
            var roles = endpoint.Metadata.GetOrderedMetadata<IAuthorizeData>().Where(a => a.Roles is not null).SelectMany(a => a.Roles!.Split(',')).ToArray();
            if (open && !Open.Contains(path) && !path.StartsWith("/_framework/", StringComparison.Ordinal)) faults.Add($"{path} is open to anybody but not in the list");
            else if (!open && roles.Length == 0 && !Circuit.Any(c => path.StartsWith(c, StringComparison.Ordinal))) faults.Add($"{path} asks for no role");
            else if (roles.Except(Roles.All).Any()) faults.Add($"{path} asks for a role that is none: {string.Join(", ", roles.Except(Roles.All))}");
        }
        Assert.Empty(faults.Distinct());
    }

    [Fact]
    public async Task Page_WithoutSignIn_LeadsToSignIn()
    {
        using var visitor = site.Visit();
        var pages = Pages().ToArray();
        Assert.Contains("/people", pages);
        foreach (var page in pages)
        {
            var answer = await visitor.GetAsync(page);
            Assert.True(answer.StatusCode == HttpStatusCode.Redirect && answer.Headers.Location!.ToString().Contains(Paths.SignIn, StringComparison.Ordinal), $"{page} answered {answer.StatusCode} to a stranger");
        }
    }

    [Fact]
    public async Task Page_OfASignedInPerson_HasThePlaceThatSaysWhatOfTheirsWaitsInTheBrowser()
    {
        using var visitor = await site.SignInAsync(Roles.Clinician);
        Assert.Contains("id=\"unsent\" role=\"status\" data-person=\"clinician\"", await visitor.Client.GetStringAsync(Paths.Home, TestContext.Current.CancellationToken), StringComparison.Ordinal);
        using var stranger = site.Visit();
        Assert.DoesNotContain("id=\"unsent\"", await stranger.Client.GetStringAsync(Paths.SignIn, TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Circuit_WithoutSignIn_IsRefused()
    {
        using var visitor = site.Visit();
        var answer = await visitor.Client.PostAsync("/_blazor/negotiate?negotiateVersion=1", null, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.Redirect, answer.StatusCode);
    }

    [Theory]
    [InlineData(Roles.Reviewer, "/people", false)]
    [InlineData(Roles.Clinician, "/people", false)]
    [InlineData(Roles.Admin, "/people", true)]
    [InlineData(Roles.Reviewer, "/", true)]
    [InlineData(Roles.Reviewer, "/transcripts/transcriber", true)]
    [InlineData(Roles.Reviewer, "/models", false)]
    public async Task Page_OfARole_AnswersThatRoleAlone(string role, string page, bool allowed)
    {
        using var visitor = await site.SignInAsync(role);
        var answer = await visitor.GetAsync(page);
        if (allowed) Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        else Assert.Contains(Paths.Denied, answer.Headers.Location!.ToString());
    }

    [Fact]
    public async Task Answer_Any_HasTheSecurityHeadersAndIsNotStored()
    {
        using var visitor = await site.SignInAsync(Roles.Admin);
        var answer = await visitor.GetAsync("/");
        var policy = Assert.Single(answer.Headers.GetValues("Content-Security-Policy"));
        Assert.Contains("frame-ancestors 'none'", policy);
        Assert.DoesNotContain("'unsafe-eval'", policy);
        Assert.Contains("nosniff", answer.Headers.GetValues("X-Content-Type-Options"));
        Assert.True(answer.Headers.CacheControl!.NoStore);
    }

    [Fact]
    public async Task StaticAsset_OfTheClient_IsServedWholeWithoutSignIn()
    {
        using var visitor = site.Visit();
        foreach (var asset in (string[])["client/shell.js", "client/keys.js", "client/chart.js", "client/viewer.js", "_framework/blazor.web.js", "favicon.svg", "app.css"])
            Assert.True((await visitor.Client.GetByteArrayAsync(asset, TestContext.Current.CancellationToken)).Length > 100, asset);
    }

    // Pages without parameters, which a stranger can simply ask for.
    private IEnumerable<string> Pages() => Endpoints.Where(e => e.Metadata.GetMetadata<Microsoft.AspNetCore.Components.Endpoints.ComponentTypeMetadata>() is not null
            && e.Metadata.GetMetadata<IAllowAnonymous>() is null && e.RoutePattern.Parameters.Count == 0).Select(e => "/" + e.RoutePattern.RawText!.TrimStart('/')).Distinct();
}
