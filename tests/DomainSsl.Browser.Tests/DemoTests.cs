using System.Text.RegularExpressions;
using Microsoft.Playwright;

namespace DomainSsl.Browser.Tests;

/// <summary>
/// The whole way on the demo, as its three people go it: from the address in the terminal to a reviewed prediction. The pictures of the README are taken here:
/// <c>DOMAINSSL_SCREENSHOTS=1</c> writes them to <c>Screenshots/</c> beside this file.
/// </summary>
public sealed partial class DemoTests(Chromium chromium) : IClassFixture<Chromium>
{
    private static readonly string? Screenshots = Environment.GetEnvironmentVariable("DOMAINSSL_SCREENSHOTS") == "1"
        ? Path.Combine(SharedDataProject, "tests", "DomainSsl.Browser.Tests", "Screenshots") : null;

    private static string SharedDataProject => Testing.SharedData.Project;

    [GeneratedRegex(@"^\s+(?<name>admin|clinician|reviewer)\s+password (?<password>\S+)", RegexOptions.Multiline)]
    private static partial Regex SignIns { get; }

    [Fact]
    public async Task Demo_FromStartToReview_WorksForAllThreePeopleAndIsAccessible()
    {
        using var folder = new Testing.TemporaryFolder();
        await using var site = await Testing.RunningSite.StartAsync(folder.At("data"), "--demo");
        await UntilAsync(() => SignIns.Count(site.Said) == 3, TimeSpan.FromSeconds(60), () => $"The terminal shows no three sign-ins: {site.Said}");
        var passwords = SignIns.Matches(site.Said).ToDictionary(m => m.Groups["name"].Value, m => m.Groups["password"].Value);
        await UntilAsync(() => site.Said.Contains("Demo ready", StringComparison.Ordinal), TimeSpan.FromMinutes(20), () => $"The demo did not end: {site.Said}");

        // Whoever is not signed in sees this alone.
        var nobody = await chromium.NewPageAsync(site.Address);
        await OpenAsync(nobody, "/account/sign-in");
        await CheckAsync(nobody, null);
        await nobody.Context.CloseAsync();

        // The administrator sees what the demo left, and that what is known already is not imported twice.
        var admin = await SignInAsync(site, "admin", passwords["admin"]);
        await OpenAsync(admin, "/import");
        var scan = Directory.EnumerateFiles(Path.Combine(SharedDataProject, "sample-data", "images"), "*.dcm").Order(StringComparer.Ordinal).First();
        await admin.SetInputFilesAsync("#pick-files", [scan]);
        await admin.GetByText("1 known already").WaitForAsync();
        await CheckAsync(admin, null);
        await OpenAsync(admin, "/pretraining/new");
        await CheckAsync(admin, "pretraining-new");

        var encoderRun = await FirstLinkAsync(admin, "/pretraining", "a[href^='/runs/']", "simclr-small on Sample scans", "SimCLR on Sample scans");
        var study = await FirstLinkAsync(admin, "/library", "a[href^='/library/studies/']");
        var collection = await FirstLinkAsync(admin, "/collections", "a[href^='/collections/']");
        foreach (var (path, picture) in ((string, string?)[])
            [("/", "home"), ("/library", "library"), (study, "viewer"), ("/library?kind=recordings", null), ("/import", "import"), ("/import/quarantine", null), ("/collections", null), (collection, null), ("/pretraining", null), (encoderRun, "run"),
             ("/models", "models"), ("/transcripts", null), ("/transcripts/transcriber", "transcriber"), ("/pretraining/language", null), ("/people", null), ("/audit", null), ("/system", null),
             ("/account/password", null), ("/not-found", null)])
        {
            await OpenAsync(admin, path);
            if (path == study) await admin.WaitForSelectorAsync("[data-rendered=true]");
            await CheckAsync(admin, picture);
        }
        await SignOutAsync(admin);

        // The clinician labels by keyboard, asks for training, and reads the result of the round before.
        var clinician = await SignInAsync(site, "clinician", passwords["clinician"]);
        var task = await FirstLinkAsync(clinician, "/tasks", "a[href^='/tasks/']", "Chest findings");
        await CheckAsync(clinician, null);
        await OpenAsync(clinician, task + "/label");
        await clinician.WaitForSelectorAsync(".room[data-cover=none][data-item]");
        await CheckAsync(clinician, "label");
        foreach (var key in (string[])["1", "2", "u", "3", "n"])
        {
            var shown = await clinician.GetAttributeAsync(".room", "data-item");
            await clinician.Keyboard.PressAsync(key);
            await clinician.WaitForFunctionAsync("shown => document.querySelector('.room').dataset.item !== shown", shown);
            await clinician.WaitForSelectorAsync(".save-state.saved");
        }
        await OpenAsync(clinician, task + "/result");
        await CheckAsync(clinician, "result");
        await OpenAsync(clinician, task);
        await CheckAsync(clinician, "task");

        await OpenAsync(clinician, "/people");
        Assert.DoesNotContain("/people", new Uri(clinician.Url).AbsolutePath, StringComparison.Ordinal);
        await SignOutAsync(clinician);

        // The reviewer accepts the least certain prediction and cannot reach the people.
        var reviewer = await SignInAsync(site, "reviewer", passwords["reviewer"]);
        await OpenAsync(reviewer, "/people");
        Assert.Equal("/account/denied", new Uri(reviewer.Url).AbsolutePath);
        await CheckAsync(reviewer, null);
        var queue = await FirstLinkAsync(reviewer, "/review", "a[href^='/review/']");
        await OpenAsync(reviewer, queue);
        await reviewer.WaitForSelectorAsync(".room[data-cover=none][data-case]");
        await CheckAsync(reviewer, "review");
        var before = await reviewer.GetAttributeAsync(".room", "data-case");
        await reviewer.Keyboard.PressAsync("Enter");
        await reviewer.WaitForFunctionAsync("before => document.querySelector('.room').dataset.case !== before", before);
        await reviewer.WaitForSelectorAsync(".save-state.saved");

        // The dictations that came without a text wait with the words that the transcriber wrote; one is accepted.
        await OpenAsync(reviewer, await FirstLinkAsync(reviewer, "/transcripts", "td a[href^='/transcripts/']"));
        await reviewer.WaitForFunctionAsync("() => document.querySelector('[data-part=accept]')?.disabled === false && document.querySelectorAll('.passage').length > 0");
        await CheckAsync(reviewer, "transcript");
        await reviewer.Keyboard.PressAsync("a");
        await reviewer.Locator("[data-part=state]", new() { HasText = "accepted" }).WaitForAsync();
        await SignOutAsync(reviewer);

        // A second start loses nothing and does nothing anew.
        site.Kill();
        await site.StartAgainAsync();
        var models = await Testing.Product.JsonAsync(site.Data, TimeSpan.FromMinutes(3), "models", "list");
        Assert.Equal(4, models.GetProperty("models").EnumerateArray().Count(m => m.GetProperty("run").ValueKind == System.Text.Json.JsonValueKind.String));
    }

    private async Task<IPage> SignInAsync(Testing.RunningSite site, string name, string password)
    {
        var page = await chromium.NewPageAsync(site.Address);
        await page.GotoAsync("/account/sign-in");
        await page.FillAsync("#name", name);
        await page.FillAsync("#password", password);
        await page.ClickAsync("button[type=submit]");
        await page.WaitForSelectorAsync("body[data-ready]");
        return page;
    }

    private static async Task SignOutAsync(IPage page)
    {
        await OpenAsync(page, "/");
        await page.ClickAsync("details.menu > summary");
        await page.ClickAsync("form[action='/account/sign-out'] button");
        await page.WaitForURLAsync("**/account/sign-in**");
        await page.Context.CloseAsync();
    }

    private static async Task OpenAsync(IPage page, string path)
    {
        await page.GotoAsync(path);
        if (!page.Url.Contains("/account/", StringComparison.Ordinal)) await page.WaitForSelectorAsync("body[data-ready]");
    }

    // The address of the first link on a page that fits, by the words on it where there are several.
    private static async Task<string> FirstLinkAsync(IPage page, string on, string selector, params string[] words)
    {
        await OpenAsync(page, on);
        await page.WaitForSelectorAsync(selector);
        foreach (var link in await page.QuerySelectorAllAsync(selector))
            if (words.Length == 0 || words.Any((await link.InnerTextAsync()).Contains)) return (await link.GetAttributeAsync("href"))!;
        throw new InvalidOperationException($"{on} has no link {selector} with the words {string.Join(" or ", words)}.");
    }

    // axe finds nothing serious at either width; the picture is taken at the wide one.
    private static async Task CheckAsync(IPage page, string? picture)
    {
        await page.WaitForTimeoutAsync(700);
        if (picture is not null && Screenshots is not null)
        {
            Directory.CreateDirectory(Screenshots);
            await page.ScreenshotAsync(new() { Path = Path.Combine(Screenshots, picture + ".png") });
        }
        foreach (var width in (int[])[390, 1440])
        {
            await page.SetViewportSizeAsync(width, 900);
            await page.WaitForTimeoutAsync(300);
            await Looks.IsAccessibleAsync(page, $"{picture ?? "a page"} at {width} pixels");
        }
    }

    private static async Task UntilAsync(Func<bool> done, TimeSpan limit, Func<string> sentence)
    {
        for (var begun = DateTime.UtcNow; !done(); await Task.Delay(500))
            if (DateTime.UtcNow - begun > limit) Assert.Fail(sentence());
    }
}
