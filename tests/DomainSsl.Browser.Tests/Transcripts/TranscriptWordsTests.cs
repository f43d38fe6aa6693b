using DomainSsl.Audio;
using DomainSsl.Audio.Decoding;
using DomainSsl.Browser.Tests.Tasks;
using DomainSsl.Core.Importing;
using DomainSsl.Core.Transcripts;
using DomainSsl.Web;
using Microsoft.EntityFrameworkCore;
using Microsoft.Playwright;

namespace DomainSsl.Browser.Tests.Transcripts;

/// <summary>Words over all transcripts in a real browser: those to be checked, find and replace, the glossary.</summary>
public sealed class TranscriptWordsTests(Chromium chromium) : IClassFixture<Chromium>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Words_WrongInManyRecordings_AreHeardReplacedAndTakenBack()
    {
        await using var clinic = await SeededClinic.StartAsync(1);
        var page = await chromium.NewPageAsync(clinic.Site.Address);
        await SeededClinic.SignInAsync(page, "rita", Paths.TranscriptWords);
        await page.WaitForSelectorAsync(".empty");
        await Looks.AtBothWidthsAsync(page, "words-none");
        foreach (var view in (string[])["find", "glossary"])
        {
            await page.GotoAsync($"{Paths.TranscriptWords}?view={view}");
            await page.WaitForSelectorAsync(".empty");
        }
        await WriteAsync(clinic, 3);

        // The same doubtful word of three recordings is one, and is heard.
        await page.GotoAsync(Paths.Transcripts);
        await page.GetByRole(AriaRole.Link, new() { Name = "Words in all of them" }).ClickAsync();
        var hart = page.Locator("[data-word='hart']");
        await hart.WaitForAsync();
        Assert.Contains("3 times in 3 recordings", await hart.InnerTextAsync());
        await page.WaitForSelectorAsync("body[data-ready]");
        await Looks.AtBothWidthsAsync(page, "words");
        await page.WaitForSelectorAsync("dialog.keys[data-ready]", new() { State = WaitForSelectorState.Attached });
        await page.Keyboard.PressAsync("n");
        await page.WaitForSelectorAsync("[data-hear][aria-pressed=true]");
        await page.Locator("[data-word='effusion']").GetByRole(AriaRole.Button, new() { Name = "Is right everywhere" }).ClickAsync();
        await page.WaitForSelectorAsync(".note.good");
        await page.WaitForFunctionAsync("() => !document.querySelector(\"[data-word='effusion']\")");
        await hart.GetByRole(AriaRole.Textbox).FillAsync("heart");
        await hart.GetByRole(AriaRole.Button, new() { Name = "Replace these 3" }).ClickAsync();
        await page.WaitForFunctionAsync("() => document.querySelector('.note.good')?.innerText.includes('heart')");
        Assert.Equal(3, (await clinic.Get<TranscriptSearch>().FindAsync("heart", new FindOptions(), cancel: Cancel)).Recordings);
        await page.WaitForFunctionAsync("() => document.querySelectorAll('#lately').length === 1 && document.querySelectorAll('section tbody tr').length === 2");
        Assert.Equal(["“hart” → “heart”", "“effusion” is right"], await page.Locator("section tbody td[data-label=What]").AllInnerTextsAsync());
        await Looks.AtBothWidthsAsync(page, "words-lately");
        await page.Locator("section tbody tr").First.GetByRole(AriaRole.Button).ClickAsync();
        await page.WaitForFunctionAsync("() => document.querySelector('.note.good')?.innerText.startsWith('Taken back in 3')");
        Assert.Equal(0, (await clinic.Get<TranscriptSearch>().FindAsync("heart", new FindOptions(), cancel: Cancel)).Total);

        // Found, one left out, the others replaced.
        await page.GotoAsync($"{Paths.TranscriptWords}?view=find&what=hart");
        await page.WaitForSelectorAsync(".places li");
        Assert.Equal(3, await page.Locator(".places li mark").CountAsync());
        await page.GetByLabel("Replace by").FillAsync("heart");
        await page.Locator(".places li").First.Locator("input").UncheckAsync();
        await Looks.AtBothWidthsAsync(page, "words-find");
        await page.GetByRole(AriaRole.Button, new() { Name = "Replace in 2 passages" }).ClickAsync();
        await page.WaitForSelectorAsync(".note.good");
        Assert.Equal(2, (await clinic.Get<TranscriptSearch>().FindAsync("heart", new FindOptions(), cancel: Cancel)).Recordings);
        await page.WaitForFunctionAsync("() => document.querySelectorAll('.places li').length === 1");

        // A term whose wrong forms are mended at once; what looks like it is pointed out.
        await page.GotoAsync($"{Paths.TranscriptWords}?view=glossary");
        await page.WaitForSelectorAsync(".empty");
        await page.GetByLabel("Term, as it is to be written").FillAsync("pneumonia");
        await page.GetByLabel("Wrong forms, with commas between").FillAsync("new monia");
        await page.GetByRole(AriaRole.Button, new() { Name = "Add" }).ClickAsync();
        await page.WaitForSelectorAsync("[data-term='pneumonia']");
        await page.GetByRole(AriaRole.Button, new() { Name = "pneumonja (3) is wrong: a form of pneumonia" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Correct all 6 places" }).WaitForAsync();
        await page.GetByLabel("How hard to listen for pneumonia").SelectOptionAsync("listened for hard");
        await page.WaitForFunctionAsync("() => document.querySelector('.note.good')?.innerText.includes('listened for harder')");
        Assert.Equal(2, Assert.Single((await clinic.Get<ClinicGlossary>().HeardAsync(null, null, Cancel))!.Boosts!).Value);
        await Looks.AtBothWidthsAsync(page, "words-glossary");
        await page.GetByRole(AriaRole.Button, new() { Name = "Correct all 6 places" }).ClickAsync();
        await page.WaitForFunctionAsync("() => document.querySelector('.note.good')?.innerText.includes('3 recordings corrected')");
        Assert.Equal(6, (await clinic.Get<TranscriptSearch>().FindAsync("pneumonia", new FindOptions(), cancel: Cancel)).Times);
    }

    // So many recordings with drafts in which the same words are doubtful.
    private static async Task WriteAsync(SeededClinic clinic, int recordings)
    {
        for (var i = 0; i < recordings; i++)
        {
            var path = Path.Combine(clinic.Data.Root, "..", $"{i}.wav");
            using (var file = File.Create(path)) SoundFile.WriteWav(file, new Sound(new float[16_000 * (20 + i)], 16_000, 1));
            await clinic.Get<LibraryImport>().ImportAsync([path], new ImportRequest("admin"), cancel: Cancel);
        }
        await using var db = await clinic.Database.CreateDbContextAsync(Cancel);
        foreach (var id in await db.Recordings.Select(r => r.Id).ToListAsync(Cancel))
            await clinic.Get<TranscriptService>().StoreTranscribedAsync(id, new Transcript([Passage(0, "the hart is normal in size"), Passage(7, "there is no effusion but new monia on the left side"), Passage(14, "an old pneumonja")]), "Listener", $"run:{id}", Cancel);

        static TranscriptSegment Passage(double start, string text) => new("Speaker 1", start, start + 6, [.. text.Split(' ').Select((w, k) =>
            new TranscriptWord(w, start + 0.5 * k, start + 0.5 * k + 0.4, w is "hart" or "effusion" ? 0.3 : 0.9, w is "monia" ? 0.01 : 0.5))]);
    }
}
