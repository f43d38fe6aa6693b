using DomainSsl.Core;
using DomainSsl.Core.Database;
using DomainSsl.Core.Storage;
using DomainSsl.Core.Tasks;
using DomainSsl.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;

namespace DomainSsl.Browser.Tests;

/// <summary>From an empty data folder to a reviewed prediction, in the browser alone: drop, see, pretrain, label, train, read, review.</summary>
public sealed class WholeWayTests(Chromium chromium) : IClassFixture<Chromium>
{
    private const string Password = "a long enough password", Better = "an even longer password";
    private const int Scans = 90, Labels = 26;

    [Fact]
    public async Task FromAnEmptyFolderToAReviewedPrediction_EverythingIsDoneInTheBrowser()
    {
        using var folder = new TemporaryFolder();
        await using var site = await RunningSite.StartAsync(folder.At("data"));
        var page = await chromium.NewPageAsync(site.Address);

        // The first person who comes becomes the administrator.
        await page.GotoAsync("/");
        Assert.Equal("/account/setup", new Uri(page.Url).AbsolutePath);
        await page.FillAsync("#name", "chief");
        await page.FillAsync("#password", Password);
        await page.FillAsync("#again", Password);
        await page.ClickAsync("button[type=submit]");
        await page.WaitForSelectorAsync("body[data-ready]");

        // Drops scans and two files that are none, and sees what became of each.
        var scans = Directory.EnumerateFiles(Path.Combine(SharedData.Project, "sample-data", "images"), "*.dcm").Order(StringComparer.Ordinal).Take(Scans).ToArray();
        await File.WriteAllTextAsync(folder.At("letter.dcm"), "not a scan", TestContext.Current.CancellationToken);
        await File.WriteAllBytesAsync(folder.At("cut.dcm"), (await File.ReadAllBytesAsync(scans[0], TestContext.Current.CancellationToken))[..3000], TestContext.Current.CancellationToken);
        await OpenAsync(page, "/import");
        await page.FillAsync("[data-draft=import-collection]", "our scans");
        await page.Keyboard.PressAsync("Tab");
        await page.SetInputFilesAsync("#pick-files", [.. scans, folder.At("letter.dcm"), folder.At("cut.dcm")]);
        await page.GetByText($"{Scans} new").WaitForAsync(new() { Timeout = 60_000 });
        await page.GetByText("2 refused").WaitForAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = "Why were they refused?" }).ClickAsync();
        await page.GetByText("letter.dcm").WaitForAsync();
        await page.GetByText("cut.dcm").WaitForAsync();

        // The study with the most images first: it can be scrolled by key, and the address remembers where.
        await OpenAsync(page, "/library?sort=images&order=down");
        await page.WaitForSelectorAsync("table.cards tbody tr img.thumbnail");
        await page.ClickAsync("td[data-label=Patient] a >> nth=0");
        await page.WaitForSelectorAsync("[data-rendered=true]");
        await page.Locator("[data-overlay]", new() { HasText = "1 of " }).WaitForAsync();
        await KeysAsync(page);
        await page.Keyboard.PressAsync("ArrowDown");
        await page.Locator("[data-overlay]", new() { HasText = "2 of " }).WaitForAsync();
        await page.WaitForURLAsync("**image=2*");

        await OpenAsync(page, "/pretraining/new");
        await page.CheckAsync("input[name=recipe][value=simclr-small]");
        await page.FillAsync("#minutes", "0.5");
        await page.FillAsync("#name", "ours");
        await page.GetByRole(AriaRole.Button, new() { Name = "Start pretraining" }).ClickAsync();
        await page.WaitForURLAsync("**/runs/*");
        await page.GetByText("It made").WaitForAsync(new() { Timeout = 180_000 });

        await OpenAsync(page, "/people");
        await page.FillAsync("[data-draft=new-person]", "doctor");
        await page.Keyboard.PressAsync("Tab");
        await page.GetByRole(AriaRole.Button, new() { Name = "Add person" }).ClickAsync();
        var first = await page.InnerTextAsync(".note.good .secret");
        await SignOutAsync(page);

        // The clinician chooses a password of her own, asks a question, and answers by keyboard.
        await SignInAsync(page, "doctor", first);
        await page.FillAsync("#present", first);
        await page.FillAsync("#wanted", Better);
        await page.FillAsync("#again", Better);
        await page.ClickAsync("button[type=submit]");
        await page.WaitForSelectorAsync("body[data-ready]");
        await OpenAsync(page, "/tasks/new");
        await page.FillAsync("#name", "Shadow");
        await page.FillAsync("#question", "Is there a shadow?");
        await page.FillAsync("[aria-label='Answer 1']", "clear");
        await page.FillAsync("[aria-label='Answer 2']", "shadow");
        await page.GetByRole(AriaRole.Button, new() { Name = "Make the task and label" }).ClickAsync();
        await page.WaitForSelectorAsync(".room[data-cover=none][data-item]");
        await KeysAsync(page);
        for (var i = 0; i < Labels; i++)
        {
            await page.WaitForSelectorAsync(".room[data-cover=none]");
            var before = await page.GetAttributeAsync(".room", "data-item");
            await page.Keyboard.PressAsync(i % 2 == 0 ? "1" : "2");
            await page.WaitForFunctionAsync("before => document.querySelector('.room').dataset.item !== before", before);
        }
        await page.WaitForSelectorAsync(".save-state.saved");

        // Trains, and reads what it is worth.
        await page.GotoAsync(new Uri(page.Url).AbsolutePath.Replace("/label", "", StringComparison.Ordinal));
        await KeysAsync(page);
        await page.Keyboard.PressAsync("t");
        await page.GetByText("A classifier is trained").WaitForAsync(new() { Timeout = 400_000 });
        await page.GetByRole(AriaRole.Link, new() { Name = "See the result" }).ClickAsync();
        await page.GetByRole(AriaRole.Heading, new() { Name = "What pretraining was worth" }).WaitForAsync();
        var worth = await page.InnerTextAsync("section[aria-labelledby=worth] .lead");
        Assert.Contains("retraining on your images", worth, StringComparison.Ordinal);
        await page.GetByRole(AriaRole.Button, new() { Name = "Use this classifier" }).ClickAsync();

        // Reviews its least certain answer, and has had enough for today.
        await page.WaitForURLAsync("**/review/*");
        await page.WaitForSelectorAsync(".room[data-cover=none][data-case]", new() { Timeout = 60_000 });
        await KeysAsync(page);
        var reviewed = await page.GetAttributeAsync(".room", "data-case");
        await page.Keyboard.PressAsync("Enter");
        await page.WaitForFunctionAsync("before => document.querySelector('.room').dataset.case !== before", reviewed);
        await page.WaitForSelectorAsync(".save-state.saved");
        await SignOutAsync(page);

        var models = (await Product.JsonAsync(site.Data, TimeSpan.FromMinutes(3), "models", "list")).GetProperty("models").EnumerateArray().ToList();
        Assert.Contains(models, m => m.GetProperty("kind").GetString() == "classifier" && m.GetProperty("state").GetString() == "in use");
        // What an encoder learnt from is frozen and has its hash, wherever it was asked for.
        Assert.Equal(64, models.Single(m => m.GetProperty("name").GetString() == "ours").GetProperty("dataHash").GetString()!.Length);
        var data = new ServiceCollection().AddLogging();
        await using var services = data.AddDomainSslCore(new DataFolder(site.Data)).BuildServiceProvider();
        await using var db = await services.GetRequiredService<IDbContextFactory<DomainSslContext>>().CreateDbContextAsync(TestContext.Current.CancellationToken);
        var labels = await db.Labels.Select(l => new { l.ItemId, l.Source, l.By }).ToListAsync(TestContext.Current.CancellationToken);
        Assert.Equal((Labels, 1), (labels.Count(l => l.Source == LabelSource.Labelling), labels.Count(l => l.Source == LabelSource.Review)));
        Assert.All(labels, l => Assert.Equal("doctor", l.By));
    }

    private static async Task SignInAsync(IPage page, string name, string password)
    {
        await page.GotoAsync("/account/sign-in");
        await page.FillAsync("#name", name);
        await page.FillAsync("#password", password);
        await page.ClickAsync("button[type=submit]");
        await page.WaitForSelectorAsync("#present");
    }

    private static async Task SignOutAsync(IPage page)
    {
        await OpenAsync(page, "/");
        await page.ClickAsync("details.menu > summary");
        await page.ClickAsync("form[action='/account/sign-out'] button");
        await page.WaitForURLAsync("**/account/sign-in**");
    }

    // Keys are taken a moment after the page is there.
    private static async Task KeysAsync(IPage page) => await page.WaitForSelectorAsync("dialog.keys[data-ready]", new() { State = WaitForSelectorState.Attached });

    private static async Task OpenAsync(IPage page, string path)
    {
        await page.GotoAsync(path);
        await page.WaitForSelectorAsync("body[data-ready]");
    }
}
