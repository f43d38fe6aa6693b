using System.Globalization;
using DomainSsl.Browser.Tests.Tasks;
using DomainSsl.Testing;
using DomainSsl.Web;
using Microsoft.Playwright;

namespace DomainSsl.Browser.Tests;

/// <summary>Pages whose site goes away at the most awkward moment, and comes back.</summary>
public sealed class ReconnectTests(Chromium chromium, SeededClinic clinic) : IClassFixture<Chromium>, IClassFixture<SeededClinic>
{
    [Theory]
    [InlineData("**/client/shell*.js")]         // the document has arrived; the script that brings it back never will
    [InlineData("**/_blazor/negotiate**")]      // the scripts have too; the circuit never will
    public async Task Page_WhoseSiteIsKilledBeforeItHasACircuit_ComesBackByItself(string last)
    {
        var page = await chromium.NewPageAsync(clinic.Site.Address);
        await SeededClinic.SignInAsync(page, "anna", "/");
        var killed = new TaskCompletionSource();
        await page.RouteAsync(last, async route =>
        {
            if (killed.TrySetResult()) clinic.Site.Kill();
            await route.AbortAsync();
        });
        await page.GotoAsync("/tasks");
        await killed.Task.WaitAsync(TimeSpan.FromMinutes(2), TestContext.Current.CancellationToken);
        await page.UnrouteAllAsync();
        await clinic.Site.StartAgainAsync();
        await page.WaitForSelectorAsync("body[data-ready]:not(.connection-lost)");
        Assert.Equal("/tasks", new Uri(page.Url).AbsolutePath);
    }

    [Fact]
    public async Task Page_WhoseConnectionFailsOnceWhileItsSiteIsThere_ComesBackByItself()
    {
        var page = await chromium.NewPageAsync(clinic.Site.Address);
        await SeededClinic.SignInAsync(page, "anna", "/");
        var tries = 0;
        await page.RouteAsync("**/_blazor/negotiate**", route => tries++ == 0 ? route.AbortAsync() : route.ContinueAsync());
        await page.GotoAsync("/tasks");
        await page.WaitForSelectorAsync("body[data-ready]:not(.connection-lost)");
        Assert.True(tries > 1, "The connection never failed.");
    }

    [Fact]
    public async Task Link_FollowedBeforeThePageIsLive_LeadsWhereItSays()
    {
        var page = await chromium.NewPageAsync(clinic.Site.Address);
        await SeededClinic.SignInAsync(page, "anna", "/");
        // The circuit has begun for one page as the next is asked for: what the server says comes late.
        var begun = new TaskCompletionSource();
        await page.RouteWebSocketAsync("**/_blazor**", socket =>
        {
            var server = socket.ConnectToServer();
            socket.OnMessage(frame =>
            {
                Send(server, frame);
                begun.TrySetResult();
            });
            server.OnMessage(async frame =>
            {
                await Task.Delay(700);
                Send(socket, frame);
            });
        });
        foreach (var wait in (int[])[1100, 1200, 1300])
        {
            begun = new();
            await page.GotoAsync("/tasks", new() { WaitUntil = WaitUntilState.DOMContentLoaded });
            await begun.Task.WaitAsync(TimeSpan.FromMinutes(2), TestContext.Current.CancellationToken);
            await page.WaitForTimeoutAsync(wait);
            await page.ClickAsync("nav a[href='/library']");
            await page.WaitForURLAsync("**/library");
            await page.WaitForSelectorAsync("body[data-ready]");
            await page.WaitForTimeoutAsync(1500);
            Assert.Contains("Library", await page.InnerTextAsync("h1"));
        }

        static void Send(IWebSocketRoute to, IWebSocketFrame frame)
        {
            if (frame.Binary is { } bytes) to.Send(bytes);
            else to.Send(frame.Text!);
        }
    }

    [Fact]
    public async Task Page_LeftWhileItsScriptsAreLoading_LeavesNoFaultOnTheNext()
    {
        var page = await chromium.NewPageAsync(clinic.Site.Address);
        await SeededClinic.SignInAsync(page, "anna", "/");
        var asked = new TaskCompletionSource();
        var late = new TaskCompletionSource();
        await page.RouteAsync("**/client/keys*.js", async route =>
        {
            asked.TrySetResult();
            await late.Task;
            await route.ContinueAsync();
        });
        await page.GotoAsync(Paths.Transcripts);
        await page.WaitForSelectorAsync("body[data-ready]");
        await asked.Task.WaitAsync(TimeSpan.FromMinutes(2), TestContext.Current.CancellationToken);
        await page.ClickAsync("nav a[href='/tasks']");
        await page.WaitForFunctionAsync("() => document.querySelector('h1')?.innerText.includes('Tasks')");
        var loaded = page.WaitForResponseAsync("**/client/keys*.js");
        late.SetResult();
        await loaded;
        await page.WaitForTimeoutAsync(1000);
        Assert.Equal(0, await page.Locator(".note.failed").CountAsync());
        Assert.Contains("Tasks", await page.InnerTextAsync("h1"));
    }

    [Fact]
    public async Task Upload_WhoseSiteIsKilledOnceAllIsThere_EndsOnThePageThatSaysWhatBecameOfIt()
    {
        var page = await chromium.NewPageAsync(clinic.Site.Address);
        await SeededClinic.SignInAsync(page, "admin", "/import");
        var killed = new TaskCompletionSource();
        await page.RouteAsync("**/api/imports/*/start", async route =>
        {
            var answer = await route.FetchAsync();
            if (killed.TrySetResult()) clinic.Site.Kill();
            await route.FulfillAsync(new() { Response = answer });
        });
        var files = Directory.EnumerateFiles(Path.Combine(SharedData.Project, "sample-data", "images"), "*.dcm").Order(StringComparer.Ordinal).Take(5).ToArray();
        await page.SetInputFilesAsync("#pick-files", files);
        await killed.Task.WaitAsync(TimeSpan.FromMinutes(2), TestContext.Current.CancellationToken);
        await Task.Delay(1000, TestContext.Current.CancellationToken); // what the page does before it is answered again must not lead astray
        await clinic.Site.StartAgainAsync();
        await page.Locator("#upload-title", new() { HasText = "Imported" }).WaitForAsync();
        var chips = await page.Locator("section[aria-labelledby=upload-title] p[role=status] .chip").AllInnerTextsAsync();
        // None of them is known already: what the killed site had imported of this upload is as new as the rest.
        Assert.Equal([files.Length, 0, 0], chips.Select(chip => int.Parse(chip.Split(' ')[0], CultureInfo.InvariantCulture)));
    }
}
