using DomainSsl.Core.Collections;
using DomainSsl.Core.Models;
using DomainSsl.Core.Runs;
using DomainSsl.Core.Tasks;
using Microsoft.EntityFrameworkCore;
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

    [Fact]
    public async Task WhatCameLater_IsAnsweredForFromTheTaskPage_AndMoreIsAskedOfTheAdministrator()
    {
        var cancel = TestContext.Current.CancellationToken;
        await using var clinic = await SeededClinic.StartAsync(30);
        var task = await clinic.MakeTaskAsync();
        await clinic.AddTrainedAsync(task);
        await using var db = await clinic.Database.CreateDbContextAsync(cancel);
        await db.Models.ExecuteUpdateAsync(set => set.SetProperty(m => m.State, ModelState.InUse), cancel);
        // People kept for testing are never reviewed; who they are changes from clinic to clinic.
        var unanswered = await db.Predictions.Where(p => !db.TaskTestPatients.Any(t => t.TaskId == task.Id && db.Items.Any(i => i.Id == p.ItemId && i.PatientId == t.PatientId)))
            .OrderBy(p => p.ItemId).Take(4).Select(p => p.ItemId).ToListAsync(cancel);
        await db.Predictions.Where(p => unanswered.Contains(p.ItemId)).ExecuteDeleteAsync(cancel);
        var later = await clinic.Get<CollectionService>().CreateAsync("Later", unanswered, "admin", cancel);

        var page = await chromium.NewPageAsync(clinic.Site.Address);
        await SeededClinic.SignInAsync(page, "anna", "/tasks");
        await LookAsync(page, $"/tasks/{task.Id}/result", "result-new", "text=Ask the administrator");
        await page.ClickAsync("text=Ask the administrator");
        await CheckAsync(page, "result-asked", "text=No longer needed");
        await LookAsync(page, $"/tasks/{task.Id}", "task-new-cases", "text=Let it answer");
        Assert.Equal("Later – 4 images, all for review", await page.TextContentAsync("section[aria-labelledby=new] option"));
        await page.ClickAsync("text=Let it answer");
        // The classifier of this test has no weights, so its run is soon over; that it was asked for is what counts here.
        await page.WaitForSelectorAsync("section[aria-labelledby=new] :is(.run-progress, .note.failed)");
        var run = await db.Runs.SingleAsync(r => r.Kind == RunKind.Predict, cancel);
        Assert.Equal(new PredictRequest("m-1", later.Id, null, ForReview: true), RunRequestJson.Read(run));

        var admin = await chromium.NewPageAsync(clinic.Site.Address);
        await SeededClinic.SignInAsync(admin, "admin", "/");
        await LookAsync(admin, "/", "home-asked", "text=Asked of you");
        await admin.ClickAsync("button[aria-label='Done: Opacity']");
        await admin.WaitForSelectorAsync("text=Asked of you", new() { State = WaitForSelectorState.Detached });
        Assert.Null((await clinic.Tasks.FindAsync(task.Id, cancel))!.Wanted);
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
        await Looks.AtBothWidthsAsync(page, name);
    }
}
