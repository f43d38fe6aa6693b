using Deque.AxeCore.Commons;
using Deque.AxeCore.Playwright;
using DomainSsl.Core.Tasks;
using Microsoft.Playwright;

namespace DomainSsl.Browser.Tests.Tasks;

/// <summary>Every page of tasks and review, at a desk and on a phone: nothing that axe calls serious, nothing wider than the window.</summary>
public sealed class TaskPagesTests(Chromium chromium) : IClassFixture<Chromium>
{
    [Fact]
    public async Task Pages_WithNothingThere_AreAccessibleAndFit()
    {
        await using var clinic = await SeededClinic.StartAsync(6);
        var page = await chromium.NewPageAsync(clinic.Site.Address);
        await SeededClinic.SignInAsync(page, "anna", "/tasks");
        await LookAsync(page, "/tasks", "tasks-empty", ".empty");
        await LookAsync(page, "/review", "review-empty", ".empty");
        await LookAsync(page, "/tasks/new", "task-new", "#name");
        await LookAsync(page, "/tasks/999", "task-missing", ".empty");
        var task = await clinic.MakeTaskAsync();
        await LookAsync(page, $"/tasks/{task.Id}", "task-fresh", ".steps");
        await LookAsync(page, $"/tasks/{task.Id}/result", "result-none", ".empty");
        await LookAsync(page, $"/review/{task.Id}", "review-finished", ".room[data-cover=finished]");
    }

    [Fact]
    public async Task Pages_InTheMiddleOfTheWork_AreAccessibleAndFit()
    {
        await using var clinic = await SeededClinic.StartAsync(60);
        var page = await chromium.NewPageAsync(clinic.Site.Address);
        var task = await clinic.MakeTaskAsync();
        var items = await clinic.Tasks.NextItemsAsync(task.Id, "anna", 20, cancel: TestContext.Current.CancellationToken);
        foreach (var (item, i) in items.Select((item, i) => (item, i)))
            await clinic.Tasks.AnswerAsync(task.Id, item.ItemId, LabelAnswer.Class, task.Classes[i % 3].Id, "anna", $"k{i}", TestContext.Current.CancellationToken);
        await SeededClinic.SignInAsync(page, "anna", "/tasks");
        await LookAsync(page, $"/tasks/{task.Id}/label", "label", ".room[data-cover=none]");
        await page.Keyboard.PressAsync("?");
        await CheckAsync(page, "label-keys", "dialog[open]");
        await clinic.AddTrainedAsync(task);
        await LookAsync(page, $"/tasks/{task.Id}/result", "result", ".arms");
        await LookAsync(page, $"/review/{task.Id}", "review", ".room[data-cover=none]");
        await LookAsync(page, $"/tasks/{task.Id}", "task", ".steps");
        await LookAsync(page, "/tasks", "tasks", "table.cards");
        await LookAsync(page, "/review", "review-list", "table.cards");
    }

    private static async Task LookAsync(IPage page, string path, string name, string waitFor)
    {
        await page.GotoAsync(path);
        await page.WaitForSelectorAsync("body[data-ready]");
        await CheckAsync(page, name, waitFor);
    }

    internal static async Task CheckAsync(IPage page, string name, string waitFor)
    {
        await page.WaitForSelectorAsync(waitFor);
        foreach (var (width, height, scheme) in ((int, int, ColorScheme)[])[(390, 844, ColorScheme.Dark), (1440, 900, ColorScheme.Light)])
        {
            await page.SetViewportSizeAsync(width, height);
            await page.EmulateMediaAsync(new() { ColorScheme = scheme, ReducedMotion = ReducedMotion.Reduce });
            // The page's colours come from the server a moment after the system's change; axe must not look in between.
            await page.WaitForFunctionAsync("""
                dark => { const [r, g, b] = getComputedStyle(document.body).backgroundColor.match(/[\d.]+/g).map(Number); return (r + g + b < 384) === dark && document.documentElement.dataset.scheme === (dark ? 'dark' : 'light'); }
                """, scheme == ColorScheme.Dark);
            await page.WaitForTimeoutAsync(300);
            // Screenshots for whoever wants to look: DOMAINSSL_SCREENSHOTS names a folder.
            if (Environment.GetEnvironmentVariable("DOMAINSSL_SCREENSHOTS") is { Length: > 0 } folder)
                await page.ScreenshotAsync(new() { Path = Path.Combine(folder, $"{name}-{width}.png"), FullPage = true });
            var wide = await page.EvaluateAsync<int>("document.documentElement.scrollWidth - document.documentElement.clientWidth");
            Assert.True(wide <= 0, $"{name} is {wide} pixels wider than the window of {width}.");
            var found = await page.RunAxe(new AxeRunOptions());
            var serious = found.Violations.Where(v => v.Impact is "serious" or "critical").ToList();
            Assert.True(serious.Count == 0, $"{name} at {width}: " + string.Join("; ", serious.Select(v => $"{v.Id}: {v.Help} ({string.Join(" ", v.Nodes.Take(3).Select(n => n.Html))})")));
        }
    }
}
