using DomainSsl.Browser.Tests.Tasks;
using DomainSsl.Core.Importing;
using Microsoft.Playwright;

namespace DomainSsl.Browser.Tests;

/// <summary>The list of refused files, and taking them off it.</summary>
public sealed class QuarantineTests(Chromium chromium) : IClassFixture<Chromium>
{
    [Fact]
    public async Task RefusedFiles_AreTakenOffTheList_OneByOneOrAllThatAreShown()
    {
        await using var clinic = await SeededClinic.StartAsync(6);
        var folder = Path.Combine(clinic.Data.Root, "..", "in");
        Directory.CreateDirectory(folder);
        foreach (var name in (string[])["a.dcm", "b.dcm", "c.dcm"]) await File.WriteAllBytesAsync(Path.Combine(folder, name), [], TestContext.Current.CancellationToken);
        await clinic.Get<LibraryImport>().ImportAsync([folder], new ImportRequest("admin"), cancel: TestContext.Current.CancellationToken);

        var page = await chromium.NewPageAsync(clinic.Site.Address);
        await SeededClinic.SignInAsync(page, "admin", "/import/quarantine");
        await page.Locator("button[aria-label*='a.dcm']").ClickAsync();
        await page.GetByText("1 file taken off the list.").WaitForAsync();
        await page.WaitForFunctionAsync("() => document.querySelectorAll('table tbody tr').length === 2");
        await page.GetByRole(AriaRole.Button, new() { Name = "Take all 2 files off the list" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Take off", Exact = true }).ClickAsync();
        await page.GetByText("No refused file is on the list.").WaitForAsync();
        Assert.Equal(0, (await clinic.Get<Quarantine>().PageAsync(cancel: TestContext.Current.CancellationToken)).Total);
    }
}
