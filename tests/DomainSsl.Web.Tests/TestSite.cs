using System.Net;
using System.Text.RegularExpressions;
using DomainSsl.Core.People;
using DomainSsl.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace DomainSsl.Web.Tests;

/// <summary>The site in this process, on a free port and a data folder of its own, with one person of each role whose password is <see cref="Password"/>.</summary>
public sealed class TestSite : IAsyncLifetime
{
    /// <summary>Everybody's password.</summary>
    public const string Password = "correct horse battery";

    private readonly TemporaryFolder _folder = new();

    /// <summary>The running site.</summary>
    public WebApplication App { get; private set; } = null!;

    /// <summary>Its address.</summary>
    public string Address => App.Urls.First();

    /// <inheritdoc />
    public async ValueTask InitializeAsync()
    {
        App = await SiteHost.BuildAsync(new SiteRequest(_folder.Path, "http://127.0.0.1:0"));
        var accounts = App.Services.GetRequiredService<Accounts>();
        foreach (var role in Roles.All) await accounts.AddAsync(role.ToLowerInvariant(), Password, role, "test");
        await App.StartAsync();
    }

    /// <summary>A browser without cookies that follows no redirect.</summary>
    public Visitor Visit() => new(new HttpClient(new HttpClientHandler { AllowAutoRedirect = false, CookieContainer = new CookieContainer() }) { BaseAddress = new Uri(Address) });

    /// <summary>A browser in which a person of a role has signed in.</summary>
    public async Task<Visitor> SignInAsync(string role)
    {
        var visitor = Visit();
        var answer = await visitor.PostFormAsync(Paths.SignIn, "sign-in", ("Input.Name", role.ToLowerInvariant()), ("Input.Password", Password));
        Assert.Equal(HttpStatusCode.Redirect, answer.StatusCode);
        return visitor;
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await App.DisposeAsync();
        _folder.Dispose();
    }
}

/// <summary>A browser as far as plain forms need one.</summary>
public sealed partial class Visitor(HttpClient client) : IDisposable
{
    /// <summary>The client with its cookies.</summary>
    public HttpClient Client { get; } = client;

    /// <summary>Fetches a page.</summary>
    public Task<HttpResponseMessage> GetAsync(string path) => Client.GetAsync(path, TestContext.Current.CancellationToken);

    /// <summary>Fills in and sends a form of a static page, with the token that the page gave.</summary>
    public async Task<HttpResponseMessage> PostFormAsync(string path, string form, params (string Name, string Value)[] fields)
    {
        var page = await Client.GetStringAsync(path, TestContext.Current.CancellationToken);
        var token = Token().Match(page).Groups[1].Value;
        Assert.NotEmpty(token);
        var all = fields.ToDictionary(f => f.Name, f => f.Value);
        (all["_handler"], all["__RequestVerificationToken"]) = (form, token);
        return await Client.PostAsync(path, new FormUrlEncodedContent(all), TestContext.Current.CancellationToken);
    }

    /// <inheritdoc />
    public void Dispose() => Client.Dispose();

    [GeneratedRegex("name=\"__RequestVerificationToken\" value=\"([^\"]+)\"")]
    private static partial Regex Token();
}
