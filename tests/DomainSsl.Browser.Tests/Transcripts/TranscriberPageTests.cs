using DomainSsl.Browser.Tests.Tasks;
using DomainSsl.Core.Models;
using DomainSsl.Core.Runs;
using DomainSsl.Web;
using Microsoft.EntityFrameworkCore;
using Microsoft.Playwright;

namespace DomainSsl.Browser.Tests.Transcripts;

/// <summary>The transcriber's page in a real browser: what was measured of each round, in words, and which one writes.</summary>
public sealed class TranscriberPageTests(Chromium chromium) : IClassFixture<Chromium>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Rounds_SayWhatTheirDoubtsAreWorthAndWhomTheyUnderstand_AndAClinicianPutsOneInUse()
    {
        await using var clinic = await SeededClinic.StartAsync(1);
        await AddAsync(clinic, "m-1", """{"cer":{"value":0.21,"low":0.15,"high":0.27},"wer":{"value":0.48,"low":0.4,"high":0.57},"wrongWordsInLeastSure":{"value":0.62,"low":0.48,"high":0.71}}""", "{}");
        await AddAsync(clinic, "m-2", """
            {"cer":{"value":0.24,"low":0.18,"high":0.3},"wer":{"value":0.52,"low":0.44,"high":0.6},"termErrorRate":{"value":0.5,"low":0.3,"high":0.7},
             "cerWithLanguage":{"value":0.19,"low":0.13,"high":0.25},"werWithLanguage":{"value":0.39,"low":0.3,"high":0.47},"termErrorRateWithLanguage":{"value":0.22,"low":0.1,"high":0.4},
             "wrongWordsInLeastSureWithLanguage":{"value":0.66,"low":0.55,"high":0.74},"cerChange":{"value":0.03,"low":-0.01,"high":0.07},"werChange":{"value":0.04,"low":-0.02,"high":0.1},
             "cerWithLanguageChange":{"value":0.04,"low":0.01,"high":0.08},"werWithLanguageChange":{"value":0.05,"low":0.01,"high":0.09}}
            """, """{"speakers":[{"speaker":"S-0c1d","n":4,"cer":0.31,"wer":0.6},{"speaker":"S-9a3f","n":7,"cer":0.08,"wer":0.22}]}""");
        var page = await chromium.NewPageAsync(clinic.Site.Address);
        await SeededClinic.SignInAsync(page, "anna", Paths.Transcriber);
        await page.GetByText("The least sure fifth of the words holds 62 % of the wrong ones (48 to 71 %); its marks do not reliably find half of the errors: read everything.").WaitForAsync();
        await page.GetByText("holds 66 % of the wrong ones (55 to 74 %): read these first.").WaitForAsync();

        // The newest was measured as worse as it would write here, so the one before it writes until a person decides.
        var (worse, before) = (page.GetByRole(AriaRole.Row).Filter(new() { HasText = "Round m-2" }).First, page.GetByRole(AriaRole.Row).Filter(new() { HasText = "Round m-1" }).First);
        Assert.Contains("letters worse", await worse.InnerTextAsync(), StringComparison.Ordinal);
        Assert.Contains("writes now", await before.InnerTextAsync(), StringComparison.Ordinal);
        await page.GetByText("Each test speaker of Round m-2").ClickAsync();
        await page.GetByText("60 % of the words wrong, 31 % of the letters, in 4 passages").WaitForAsync();
        await Looks.AtBothWidthsAsync(page, "transcriber-rounds");

        await page.WaitForFunctionAsync("() => document.body?.dataset.ready");
        await page.GetByRole(AriaRole.Button, new() { Name = "Use this one: Round m-2" }).ClickAsync();
        await page.GetByText("Round m-2 writes from now on.").WaitForAsync();
        await page.WaitForFunctionAsync("() => [...document.querySelectorAll('tr')].some(r => r.innerText.includes('Round m-2') && r.innerText.includes('in use'))");
        await using (var db = await clinic.Database.CreateDbContextAsync(Cancel))
            Assert.Equal(1, await db.Audit.CountAsync(e => e.Who == "anna" && e.Action == "promoted" && e.Subject == "model m-2", Cancel));

        // The model's own page calls its figures by names for people; the run's page says where to go on.
        await page.GotoAsync(Paths.Model("m-2"));
        await page.GetByText("Words wrong (WER), with language models and glossary, what changed from the one before").WaitForAsync();
        await page.GotoAsync(Paths.Run("r-m-2"));
        await page.Locator(".note.good").GetByRole(AriaRole.Link, new() { Name = "Transcriber" }).WaitForAsync();
    }

    [Fact]
    public async Task AReviewer_ReadsWhatItIsWorth_WithoutTheButtonsThatChangeIt()
    {
        await using var clinic = await SeededClinic.StartAsync(1);
        await AddAsync(clinic, "m-1", """{"cer":{"value":0.21,"low":0.15,"high":0.27},"wer":{"value":0.48,"low":0.4,"high":0.57},"wrongWordsInLeastSure":{"value":0.66,"low":0.55,"high":0.74}}""",
            """{"speakers":[{"speaker":"S-0c1d","n":4,"cer":0.31,"wer":0.6}]}""");
        await using (var db = await clinic.Database.CreateDbContextAsync(Cancel))
        {
            db.Recordings.Add(new DomainSsl.Core.Library.Recording { SourceHash = "s", BlobHash = "b", Seconds = 90 });
            db.Runs.Add(new Run { Id = "r-busy", Kind = RunKind.FineTuneSpeech, Title = "Training transcriber 2", Request = "{}", State = RunState.Running, By = "anna", QueuedAt = DateTime.UtcNow, Lease = "l", LeaseUntil = DateTime.UtcNow.AddHours(1) });
            await db.SaveChangesAsync(Cancel);
        }
        var page = await chromium.NewPageAsync(clinic.Site.Address);
        await SeededClinic.SignInAsync(page, "rita", Paths.Transcripts);
        await page.GetByRole(AriaRole.Link, new() { Name = "Transcriber" }).ClickAsync();
        await page.GetByText("holds 66 % of the wrong ones (55 to 74 %): read these first.").WaitForAsync();
        await page.GetByText("A clinician or an administrator lets Round m-1 write them down.").WaitForAsync();
        Assert.Equal(0, await page.Locator("main").GetByRole(AriaRole.Button).Filter(new() { HasText = "Train" }).Or(page.GetByRole(AriaRole.Button).Filter(new() { HasText = "Transcribe" })).Or(page.GetByText("Use this one")).CountAsync());
        // Nothing leads to where reviewers may not go.
        foreach (var link in await page.Locator("main a").EvaluateAllAsync<string[]>("links => links.map(l => l.getAttribute('href'))"))
        {
            var answer = await page.APIRequest.GetAsync(link, new() { MaxRedirects = 0 });
            Assert.True(answer.Status == 200, $"{link} answers {answer.Status}");
        }
        await Looks.AtBothWidthsAsync(page, "transcriber-reviewer");
    }

    private static async Task AddAsync(SeededClinic clinic, string id, string metrics, string summary)
    {
        await using var db = await clinic.Database.CreateDbContextAsync(Cancel);
        await using var transaction = await db.Database.BeginTransactionAsync(Cancel);
        var at = DateTime.UtcNow;
        db.Runs.Add(new Run { Id = $"r-{id}", Kind = RunKind.FineTuneSpeech, Title = "Training", Request = "{}", State = RunState.Done, By = "anna", QueuedAt = at, EndedAt = at, Progress = 1, Summary = summary });
        await clinic.Get<ModelRegistry>().AddAsync(db, new Model { Id = id, Name = $"Round {id}", Kind = ModelKind.Transcriber, By = "anna", Metrics = metrics, RunId = $"r-{id}" }, Cancel);
        await db.SaveChangesAsync(Cancel);
        await transaction.CommitAsync(Cancel);
    }
}
