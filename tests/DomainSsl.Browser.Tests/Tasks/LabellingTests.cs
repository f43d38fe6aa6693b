using DomainSsl.Core.Tasks;
using Microsoft.EntityFrameworkCore;
using Microsoft.Playwright;

namespace DomainSsl.Browser.Tests.Tasks;

/// <summary>Labelling and review in a real browser against the running site, by keyboard, over a killed server.</summary>
public sealed class LabellingTests(Chromium chromium, SeededClinic clinic) : IClassFixture<Chromium>, IClassFixture<SeededClinic>
{
    [Fact]
    public async Task Label_ByKeyboard_ShowsTheNextImageWithin150MillisecondsAndStoresEveryAnswerOnce()
    {
        var task = await clinic.MakeTaskAsync();
        var page = await chromium.NewPageAsync(clinic.Site.Address);
        await SeededClinic.SignInAsync(page, "anna", $"/tasks/{task.Id}/label");
        await SeededClinic.ShownAsync(page);
        await SeededClinic.FetchedAsync(page, 6); // as a person who looks at the first image: the next ones are fetched meanwhile

        var given = new List<(long Item, string Key)>();
        foreach (var key in (string[])["1", "2", "3", "n", "1", "s", "2", "2", "3", "1", "1", "2"])
        {
            var item = await ItemAsync(page);
            given.Add((item, key));
            await page.Keyboard.PressAsync(key);
            await page.WaitForFunctionAsync("before => document.querySelector('.room').dataset.item !== before", item.ToString());
            await page.WaitForFunctionAsync("answers => performance.getEntriesByName('next-image').length === answers", given.Count);
            await page.WaitForTimeoutAsync(300); // as a person who looks
        }
        await page.WaitForSelectorAsync(".save-state.saved");
        var times = await page.EvaluateAsync<double[]>("performance.getEntriesByName('next-image').map(e => e.duration)");
        TestContext.Current.TestOutputHelper?.WriteLine($"Key to next image, ms: {string.Join(", ", times.Select(t => t.ToString("0")))}");
        Assert.Equal(given.Count, times.Length);
        // The quickest is what the page itself needs; whatever else runs on this machine can only add to it.
        Assert.True(times.Min() < 150, $"From key to image it took at least {times.Min():0} ms: {string.Join(", ", times)}.");

        await using var db = await clinic.Database.CreateDbContextAsync(TestContext.Current.CancellationToken);
        var labels = await db.Labels.Where(l => l.TaskId == task.Id).OrderBy(l => l.Id).ToListAsync(TestContext.Current.CancellationToken);
        Assert.Equal(given.Select(g => g.Item), labels.Select(l => l.ItemId));
        Assert.Equal(given.Select(g => g.Key switch { "n" => LabelAnswer.NotSure, "s" => LabelAnswer.Skipped, _ => LabelAnswer.Class }), labels.Select(l => l.Answer));
        Assert.Equal(task.Classes[1].Id, labels[1].ClassId);

        // Undo: the last answer is taken back and its image is there again.
        await page.Keyboard.PressAsync("u");
        await page.WaitForFunctionAsync("item => document.querySelector('.room').dataset.item === item", given[^1].Item.ToString());
        await page.WaitForSelectorAsync(".save-state.saved");
        Assert.Equal(9, (await clinic.Tasks.ProgressAsync(task.Id, TestContext.Current.CancellationToken)).Labelled);
    }

    [Fact]
    public async Task Answer_ThatWaitsInTheBrowser_IsSpokenOfOnEveryPageOfItsPerson_AndSentByTheLinkThere()
    {
        var task = await clinic.MakeTaskAsync();
        var page = await chromium.NewPageAsync(clinic.Site.Address);
        await SeededClinic.SignInAsync(page, "anna", "/");
        await using var db = await clinic.Database.CreateDbContextAsync(TestContext.Current.CancellationToken);
        var item = await db.Items.MinAsync(i => i.Id, TestContext.Current.CancellationToken);
        // As a window leaves it that was closed while the server was away.
        await page.EvaluateAsync($$"""
            () => localStorage.setItem('domainssl-label/anna/{{task.Id}}/k1', JSON.stringify({
              key: 'k1', at: Date.now() - 60000, url: '/api/tasks/{{task.Id}}/answers', body: { key: 'k1', item: {{item}}, answer: 'class', classId: {{task.Classes[0].Id}} },
            }))
            """);
        await page.GotoAsync("/tasks");
        await page.Locator("#unsent", new() { HasText = "1 answer of yours has not reached the server yet." }).WaitForAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = "Send it now" }).ClickAsync();
        await page.WaitForURLAsync($"**/tasks/{task.Id}/label**");
        await page.WaitForFunctionAsync("() => !Object.keys(localStorage).some(name => name.startsWith('domainssl-label/')) && document.getElementById('unsent').textContent === ''");
        Assert.Equal(1, (await clinic.Tasks.ProgressAsync(task.Id, TestContext.Current.CancellationToken)).Labelled);
    }

    [Fact]
    public async Task Label_WhileTheServerIsKilled_KeepsAnswersAndComesBackToTheSameImage()
    {
        var task = await clinic.MakeTaskAsync();
        var page = await chromium.NewPageAsync(clinic.Site.Address);
        await SeededClinic.SignInAsync(page, "anna", $"/tasks/{task.Id}/label");
        await SeededClinic.ShownAsync(page);
        await SeededClinic.FetchedAsync(page, 6);

        clinic.Site.Kill();
        var given = new List<long>();
        foreach (var key in (string[])["1", "2", "3"])
        {
            given.Add(await ItemAsync(page));
            await page.Keyboard.PressAsync(key);
            await page.WaitForFunctionAsync("before => document.querySelector('.room').dataset.item !== before", given[^1].ToString());
        }
        await page.WaitForSelectorAsync(".save-state.notsaved");
        var before = await ItemAsync(page);
        await clinic.Site.StartAgainAsync();

        await using var db = await clinic.Database.CreateDbContextAsync(TestContext.Current.CancellationToken);
        for (var tries = 0; tries < 200 && await db.Labels.CountAsync(l => l.TaskId == task.Id, TestContext.Current.CancellationToken) < given.Count; tries++) await Task.Delay(200, TestContext.Current.CancellationToken);
        await SeededClinic.ShownAsync(page, before);
        Assert.Equal(given, await db.Labels.Where(l => l.TaskId == task.Id).OrderBy(l => l.Id).Select(l => l.ItemId).ToListAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Review_ByKeyboard_AcceptsCorrectsRefersAndUndoes()
    {
        var task = await clinic.MakeTaskAsync();
        var labelled = (await clinic.Tasks.NextItemsAsync(task.Id, "anna", 6, cancel: TestContext.Current.CancellationToken)).Select(i => i.ItemId).ToList();
        foreach (var item in labelled) await clinic.Tasks.AnswerAsync(task.Id, item, LabelAnswer.Class, task.Classes[0].Id, "anna", $"k{item}", TestContext.Current.CancellationToken);
        await clinic.AddTrainedAsync(task);
        var open = (await clinic.Reviews.ProgressAsync(task.Id, TestContext.Current.CancellationToken)).Open;
        var page = await chromium.NewPageAsync(clinic.Site.Address);
        await SeededClinic.SignInAsync(page, "rita", $"/review/{task.Id}");
        await page.WaitForSelectorAsync(".room[data-cover=none][data-case]");
        await page.WaitForSelectorAsync("dialog.keys[data-ready]", new() { State = WaitForSelectorState.Attached });

        foreach (var key in (string[])["Enter", "a", "2", "r", "1", "u"])
        {
            var at = await page.GetAttributeAsync(".room", "data-case");
            await page.Keyboard.PressAsync(key);
            await page.WaitForFunctionAsync("before => document.querySelector('.room').dataset.case !== before", at);
        }
        await page.WaitForSelectorAsync(".save-state.saved");
        var progress = await clinic.Reviews.ProgressAsync(task.Id, TestContext.Current.CancellationToken);
        Assert.Equal((open - 4, 1, 3), (progress.Open, progress.Referred, progress.Accepted + progress.Corrected));
        Assert.True(progress.Accepted >= 2);
    }

    private static async Task<long> ItemAsync(IPage page) => long.Parse((await page.GetAttributeAsync(".room", "data-item"))!);
}
