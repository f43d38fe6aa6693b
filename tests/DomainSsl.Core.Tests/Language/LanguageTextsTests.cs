using System.Text;
using DomainSsl.Core.Collections;
using DomainSsl.Core.Language;
using DomainSsl.Core.Library;
using DomainSsl.Core.Models;
using DomainSsl.Core.Runs;
using DomainSsl.Core.Storage;
using DomainSsl.Core.Tests.Runs;
using DomainSsl.Core.Transcripts;

namespace DomainSsl.Core.Tests.Language;

public sealed class LanguageTextsTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Gather_TakesAcceptedTranscriptsByTheirSpeakers_AndReportsByBlankLines()
    {
        await using var f = await QueueFixture.CreateAsync();
        var texts = f.Service<LanguageTexts>();
        var (anna, nobody) = (await RecordingAsync(f, "S-anna", accept: true), await RecordingAsync(f, null, accept: true));
        await RecordingAsync(f, "S-ben", accept: false);
        Assert.Equal(new AcceptedText(2, 8), await texts.AcceptedAsync(cancel: Cancel));

        var report = texts.Keep(Encoding.Latin1.GetBytes("Größe normal.\nHerz frei.\n\nKein Erguss."));
        var (request, title) = await texts.PrepareAsync(new LanguageAsk(LanguageKinds.NGram, true, null, [report]), Cancel);
        Assert.Equal(("Language model (n-gram) from accepted transcripts and reports", "n-gram of our accepted transcripts and reports"), (title, request.ModelName));
        var passages = await texts.GatherAsync(request, Cancel);
        Assert.Equal(["the heart", "is large"], passages.Where(p => p.Group == "S-anna").Select(p => p.Text));
        Assert.Equal(2, passages.Count(p => p.Group == $"recording {nobody}"));
        Assert.Equal(["Größe normal.\nHerz frei.", "Kein Erguss."], passages.Where(p => p.Group.StartsWith("report ", StringComparison.Ordinal)).Select(p => p.Text));
        Assert.Equal(6, passages.Count);

        // Of a collection, its recordings alone.
        long collection;
        await using (var db = f.Open())
        {
            var made = new Collection { Name = "dictation", By = "test" };
            db.CollectionItems.Add(new CollectionItem { Collection = made, Item = new Item { Kind = ItemKind.Sound, RecordingId = anna, Hash = "i" } });
            await db.SaveChangesAsync(Cancel);
            collection = made.Id;
        }
        var some = await texts.GatherAsync((await texts.PrepareAsync(new LanguageAsk(LanguageKinds.Masked, true, collection, []), Cancel)).Request, Cancel);
        Assert.All(some, p => Assert.Equal("S-anna", p.Group));
        Assert.Equal(2, some.Count);
    }

    [Fact]
    public async Task Gather_DoesNotReadSpeakersWhoAreKeptForTestingTranscribers()
    {
        await using var f = await QueueFixture.CreateAsync();
        var texts = f.Service<LanguageTexts>();
        var names = Enumerable.Range(0, 10).Select(i => $"S-{i}").ToList();
        foreach (var name in names) await RecordingAsync(f, name, accept: true);
        var learnt = names.Where(n => !TranscriberService.IsTest(n)).ToList();
        Assert.InRange(learnt.Count, 1, 9);
        var accepted = await texts.AcceptedAsync(cancel: Cancel);
        Assert.Equal(new AcceptedText(learnt.Count, 4 * learnt.Count), accepted);
        var passages = await texts.GatherAsync(new LanguageRequest(LanguageKinds.NGram, true, null, [texts.Keep("One.\n\nTwo."u8)], "ours", 1, null, null), Cancel);
        Assert.Equal(learnt, LanguageTexts.Speakers(passages));
        Assert.Equal(2 * learnt.Count + 2, passages.Count);
    }

    [Fact]
    public async Task Prepare_WithNothingToLearnFrom_OrASettingThatCannotBe_SaysWhatToDo()
    {
        await using var f = await QueueFixture.CreateAsync();
        var texts = f.Service<LanguageTexts>();
        var kept = texts.Keep("Mister Smith is well."u8);
        foreach (var (code, ask) in new (string, LanguageAsk)[]
        {
            ("nothing-to-learn", new(LanguageKinds.NGram, false, null, [])), ("no-transcripts", new(LanguageKinds.NGram, true, null, [])), ("unknown-kind", new("gpt", false, null, [kept])),
            ("minutes", new(LanguageKinds.Causal, false, null, [kept], Minutes: double.NaN)), ("steps", new(LanguageKinds.Causal, false, null, [kept], Steps: 0)),
            ("name-too-long", new(LanguageKinds.Causal, false, null, [kept], Name: new string('a', 61))),
        })
        {
            var refused = (await Assert.ThrowsAsync<RefusedException>(() => texts.PrepareAsync(ask, Cancel))).Refusal;
            Assert.Equal(code, refused.Code);
            Assert.DoesNotContain("Smith", refused.Sentence);
        }
        Assert.Equal("no-text", Assert.Throws<RefusedException>(() => texts.Keep("%PDF-1.4\0\u0001"u8)).Refusal.Code);
        Assert.Equal("text-empty", Assert.Throws<RefusedException>(() => texts.Keep(" 1 2 3\n"u8)).Refusal.Code);
    }

    [Fact]
    public async Task KeptText_ThatARunNames_OutlivesTheSweep()
    {
        await using var f = await QueueFixture.CreateAsync();
        var texts = f.Service<LanguageTexts>();
        var (named, orphan) = (texts.Keep("one text"u8), texts.Keep("another text"u8));
        var (request, title) = await texts.PrepareAsync(new LanguageAsk(LanguageKinds.NGram, false, null, [named]), Cancel);
        var run = await f.Queue.EnqueueAsync(request, title, "admin", cancel: Cancel);
        Assert.Equal(RunKind.Language, (await f.RunAsync(run)).Kind);
        Assert.Equal(named, Assert.Single(((LanguageRequest)RunRequestJson.Read(await f.RunAsync(run))).Texts));
        f.Clock.Turn(DateTime.UtcNow - f.Clock.GetUtcNow().UtcDateTime + TimeSpan.FromDays(2));
        Assert.Equal(1, (await f.Service<OrphanSweep>().SweepAsync(Cancel)).Files);
        Assert.Equal((true, false), (f.Service<IBlobStore>().Contains(named), f.Service<IBlobStore>().Contains(orphan)));
    }

    [Fact]
    public async Task Promote_OneOfEachKindIsInUse_AndEachIsRolledBackByItself()
    {
        await using var f = await QueueFixture.CreateAsync();
        var registry = f.Service<ModelRegistry>();
        foreach (var (id, kind) in new[] { ("m-1", LanguageKinds.NGram), ("m-2", LanguageKinds.Masked), ("m-3", LanguageKinds.NGram) })
        {
            await using var db = f.Open();
            await using var transaction = await db.Database.BeginTransactionAsync(Cancel);
            await registry.AddAsync(db, new Model { Id = id, Name = id, Kind = ModelKind.Language, Recipe = kind, By = "admin" }, Cancel);
            await db.SaveChangesAsync(Cancel);
            await transaction.CommitAsync(Cancel);
            await registry.PromoteAsync(id, "admin", Cancel);
        }
        Assert.Equal(("m-3", "m-2", null), ((await registry.LanguageInUseAsync(LanguageKinds.NGram, Cancel))?.Id, (await registry.LanguageInUseAsync(LanguageKinds.Masked, Cancel))?.Id,
            (await registry.LanguageInUseAsync(LanguageKinds.Causal, Cancel))?.Id));
        Assert.Equal("m-1", (await registry.RollbackAsync(ModelRegistry.LanguageOf(LanguageKinds.NGram), "admin", Cancel)).Id);
        Assert.Equal("none-before", (await Assert.ThrowsAsync<RefusedException>(() => registry.RollbackAsync("language-masked", "admin", Cancel))).Refusal.Code);
        Assert.Equal("none-in-use", (await Assert.ThrowsAsync<RefusedException>(() => registry.RollbackAsync("language-causal", "admin", Cancel))).Refusal.Code);
    }

    private static int _recordings;

    private static async Task<long> RecordingAsync(QueueFixture f, string? speaker, bool accept)
    {
        var number = Interlocked.Increment(ref _recordings);
        long id;
        await using (var db = f.Open())
        {
            var recording = new Recording { SourceHash = $"source {number}", BlobHash = $"blob {number}", Seconds = 10, Speaker = speaker is null ? null : new Patient { Pseudonym = speaker } };
            db.Recordings.Add(recording);
            await db.SaveChangesAsync(Cancel);
            id = recording.Id;
        }
        var service = f.Service<TranscriptService>();
        TranscriptSegment Said(double start, string text) => new("Speaker 1", start, start + 2, [.. text.Split(' ').Select(w => new TranscriptWord(w))]);
        var receipt = await service.BringInAsync(id, new Transcript([Said(0, "the heart"), Said(3, "is large")]), TranscriptDeed.BroughtIn, TranscriptState.Draft, "anna", $"k{number}", Cancel);
        if (accept) await service.AcceptAsync(id, receipt.Version, "anna", $"a{number}", Cancel);
        return id;
    }
}
