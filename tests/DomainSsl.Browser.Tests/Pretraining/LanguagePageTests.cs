using DomainSsl.Browser.Tests.Tasks;
using DomainSsl.Core.Audit;
using DomainSsl.Core.Models;
using DomainSsl.Testing;
using DomainSsl.Web;
using Microsoft.EntityFrameworkCore;
using Microsoft.Playwright;

namespace DomainSsl.Browser.Tests.Pretraining;

/// <summary>An administrator has a language model trained in a real browser.</summary>
public sealed class LanguagePageTests(Chromium chromium, SeededClinic clinic) : IClassFixture<Chromium>, IClassFixture<SeededClinic>
{
    [Fact]
    public async Task PastedReports_ByKeyboard_BecomeAModelWithItsCurveAndFigures_AndARefusalKeepsThem()
    {
        var page = await chromium.NewPageAsync(clinic.Site.Address);
        await SeededClinic.SignInAsync(page, "admin", Paths.Pretraining);
        await page.GetByRole(AriaRole.Link, new() { Name = "Train a language model" }).ClickAsync();
        await page.WaitForSelectorAsync("form.language[data-ready]");
        Assert.Contains("No transcript has been accepted yet", await page.InnerTextAsync("form.language"));
        await Looks.AtBothWidthsAsync(page, "language");

        await page.FocusAsync("#text");
        await page.Keyboard.InsertTextAsync("The heart is large.");
        await page.FocusAsync("#name");
        await page.Keyboard.TypeAsync("our reports");
        await page.Keyboard.PressAsync("Enter");
        await page.WaitForURLAsync("**/runs/*");
        await page.WaitForSelectorAsync(".note.failed");
        Assert.Contains("only 1 sentence", await page.InnerTextAsync(".note.failed"));

        await page.GotoAsync(Paths.NewLanguage);
        await page.WaitForSelectorAsync("form.language[data-ready]");
        await page.Keyboard.PressAsync("Tab");
        await page.FocusAsync("#name");
        await page.Keyboard.PressAsync("Enter");                 // nothing to learn from
        await page.WaitForSelectorAsync(".note.failed");
        await page.FillAsync("#text", string.Join("\n\n", Enumerable.Range(0, 400).Select(MadeReports.Sentence)));
        await page.FillAsync("#name", "our reports");
        await page.FocusAsync("#name");
        await page.Keyboard.PressAsync("Enter");
        await page.WaitForURLAsync("**/runs/*");
        await page.WaitForSelectorAsync(".note.good");
        Assert.Contains("On text that it has not seen", await page.InnerTextAsync(".note.good"));
        await page.WaitForSelectorAsync(".curve canvas");
        Assert.Contains("Bits a letter", await page.Locator(".curve").First.InnerTextAsync());
        Assert.Contains("Letters' frequencies alone", await page.InnerTextAsync(".curve .u-legend"));
        await Looks.AtBothWidthsAsync(page, "language-run");
        // From dark to light: the axes are drawn anew in the colours that the server has sent since.
        await page.WaitForFunctionAsync("""
            () => {
              const one = document.createElement('canvas').getContext('2d');
              one.fillStyle = getComputedStyle(document.documentElement).getPropertyValue('--mud-palette-lines-default');
              one.fillRect(0, 0, 1, 1);
              const wanted = one.getImageData(0, 0, 1, 1).data;
              const canvas = document.querySelector('.curve canvas'), { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
              let lines = 0;
              for (let i = 0; i < data.length; i += 4) if ([0, 1, 2, 3].every(c => Math.abs(data[i + c] - wanted[c]) < 3)) lines++;
              return lines > 500;
            }
            """);
        await page.GetByRole(AriaRole.Link, new() { Name = "our reports" }).ClickAsync();
        await page.WaitForSelectorAsync("table.figures");
        Assert.Contains("by the letters’ frequencies alone".Replace('’', '\''), await page.InnerTextAsync("table.figures"));
        await page.GetByRole(AriaRole.Button, new() { Name = "Put in use" }).ClickAsync();
        await page.WaitForSelectorAsync(".state.inuse");
        await Looks.AtBothWidthsAsync(page, "language-model");

        var model = await clinic.Get<ModelRegistry>().LanguageInUseAsync("ngram", TestContext.Current.CancellationToken);
        Assert.Equal("our reports", model?.Name);
        await using var db = await clinic.Database.CreateDbContextAsync(TestContext.Current.CancellationToken);
        var deeds = await db.Set<AuditEntry>().Where(e => e.Who == "admin").ToListAsync(TestContext.Current.CancellationToken);
        Assert.Contains(deeds, e => e.Action == "asked for");
        Assert.Contains(deeds, e => e.Action == "promoted");
    }

    [Fact]
    public async Task Page_OfAReviewer_IsNotThere()
    {
        var page = await chromium.NewPageAsync(clinic.Site.Address);
        await SeededClinic.SignInAsync(page, "rita", "/");
        await page.GotoAsync(Paths.NewLanguage);
        Assert.Equal(0, await page.Locator("form.language").CountAsync());
        Assert.Equal(403, await page.EvaluateAsync<int>("fetch('/api/language/runs', { method: 'POST', body: new FormData() }).then(r => r.status)"));
    }
}
