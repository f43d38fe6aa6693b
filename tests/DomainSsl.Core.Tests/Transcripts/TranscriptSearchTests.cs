using DomainSsl.Core.Transcripts;
using Microsoft.EntityFrameworkCore;

namespace DomainSsl.Core.Tests.Transcripts;

public sealed class TranscriptSearchTests
{
    private static readonly IReadOnlySet<string> All = new HashSet<string>();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Find_OverRecordings_ShowsEachPassageWithItsPlaces()
    {
        await using var clinic = await Recordings.MakeAsync(["the hart is normal", "no Hart, failure"], ["harts and hart failure"], ["nothing here"]);
        var found = await clinic.Search.FindAsync("hart", new FindOptions(), cancel: Cancel);
        Assert.Equal((3, 3, 2), (found.Total, found.Times, found.Recordings));
        Assert.Equal(["the hart is normal", "no Hart, failure", "harts and hart failure"], found.Passages.Select(p => p.Segment.Text));
        Assert.Equal([1, 1, 2], found.Passages.Select(p => Assert.Single(p.Places).Word));
        Assert.Equal((0.6, 2.2), found.Passages[0].Heard);
        Assert.Equal(1, (await clinic.Search.FindAsync("hart  Failure", new FindOptions(), cancel: Cancel)).Total); // over spaces, not over a comma
        Assert.Equal(4, (await clinic.Search.FindAsync("hart", new FindOptions(WholeWords: false), cancel: Cancel)).Times);
        Assert.Equal(2, (await clinic.Search.FindAsync("hart", new FindOptions(MatchCase: true), most: 1, cancel: Cancel)).Total);
        Assert.Equal(0, (await clinic.Search.FindAsync("—", new FindOptions(), cancel: Cancel)).Total);
    }

    [Fact]
    public async Task Replace_OverRecordings_IsAVersionOfEach_KeepsHowFarTheyAre_AndCanBeTakenBack()
    {
        await using var clinic = await Recordings.MakeAsync(["the hart is normal", "hart failure"], ["hart rate"], ["nothing here"]);
        await clinic.Service.AcceptAsync(clinic.Ids[1], 1, "anna", "accept", Cancel);
        var left = (await clinic.Search.FindAsync("hart failure", new FindOptions(), cancel: Cancel)).Passages.Single().Uid;
        var done = await clinic.Search.ReplaceAsync([new("hart", "heart")], new FindOptions(), new HashSet<string> { left }, "rita", Cancel);
        Assert.Equal((2, 2), (done.Recordings, done.Passages));
        Assert.Equal(["the heart is normal\nhart failure", "heart rate", "nothing here"], await clinic.TextsAsync());
        var second = (await clinic.Service.LoadAsync(clinic.Ids[1], cancel: Cancel))!;
        // An accepted one stays so, and is learnt from as it is now; times stay, the model's confidence goes.
        Assert.Equal((TranscriptState.Accepted, "heart rate"), (second.State, Assert.Single(await clinic.Service.TrainingRowsAsync(Cancel)).Text));
        Assert.Equal(new("heart", 0, 0.8), second.Segments[0].Segment.Words[0]);
        Assert.Equal((TranscriptDeed.Replaced, "rita"), ((await clinic.Service.HistoryAsync(clinic.Ids[0], Cancel))[0].Deed, (await clinic.Service.HistoryAsync(clinic.Ids[0], Cancel))[0].By));
        // A model's next draft does not come in the place of what a person has mended.
        Assert.Null(await clinic.Service.StoreTranscribedAsync(clinic.Ids[0], second.Transcript, "Listener", "run:9", Cancel));

        // Somebody works on one of them: only the other is taken back.
        var first = (await clinic.Service.LoadAsync(clinic.Ids[0], cancel: Cancel))!;
        await clinic.Service.EditAsync(clinic.Ids[0], [new([first.Segments[0].Uid], [new NamedSegment("new", first.Segments[0].Segment)])], "ben", "k", Cancel);
        var change = Assert.Single(await clinic.Search.LatelyAsync(Cancel));
        Assert.Equal((done.Key, "rita", 2, 1), (change.Key, change.By, change.Recordings, change.Standing));
        Assert.Equal(("hart", "heart"), (change.Was, change.Became));
        Assert.Equal(1, await clinic.Search.TakeBackAsync(done.Key, "rita", Cancel));
        Assert.Equal(["the heart is normal\nhart failure", "hart rate", "nothing here"], await clinic.TextsAsync());
        Assert.Equal(TranscriptState.Accepted, (await clinic.Service.LoadAsync(clinic.Ids[1], cancel: Cancel))!.State);
        Assert.Equal(0, await clinic.Search.TakeBackAsync(done.Key, "rita", Cancel));
        Assert.Equal("nothing-to-replace", (await Assert.ThrowsAsync<RefusedException>(() => clinic.Search.ReplaceAsync([new(" — ", "x")], new FindOptions(), All, "rita", Cancel))).Refusal.Code);
    }

    [Fact]
    public async Task Doubtful_TheSameWordOverRecordings_IsOne_UntilAPersonSaysThatItIsRight()
    {
        await using var clinic = await Recordings.MakeAsync(["Effusion? is small", "an effusion. now"], ["no effusion seen"], ["the effusion grows"]);
        var doubtful = await clinic.Search.DoubtfulAsync(cancel: Cancel);
        Assert.Equal(["effusion"], doubtful.Select(d => d.Text));
        Assert.Equal((4, 3, 4, 2), (doubtful[0].Times, doubtful[0].Recordings, doubtful[0].Unsure, doubtful[0].Unlikely));
        Assert.Equal(clinic.Ids, doubtful[0].Examples.Select(e => e.RecordingId).Order());
        await clinic.Service.AcceptAsync(clinic.Ids[2], 1, "anna", "accept", Cancel);
        Assert.Equal(3, (await clinic.Search.DoubtfulAsync(cancel: Cancel))[0].Times);

        var done = await clinic.Search.ConfirmAsync("Effusion", "rita", Cancel);
        Assert.Equal((2, 3), (done.Recordings, done.Passages));
        Assert.Empty(await clinic.Search.DoubtfulAsync(cancel: Cancel));
        var first = (await clinic.Service.LoadAsync(clinic.Ids[0], cancel: Cancel))!;
        Assert.Equal((TranscriptState.Draft, "Effusion? is small\nan effusion. now"), (first.State, first.Transcript.Text));
        Assert.Equal(new("Effusion?", 0, 0.8), first.Segments[0].Segment.Words[0]);
        Assert.Equal(0.9, first.Segments[0].Segment.Words[1].Confidence);
        await clinic.Search.TakeBackAsync(done.Key, "rita", Cancel);
        Assert.Equal(3, (await clinic.Search.DoubtfulAsync(cancel: Cancel))[0].Times);
    }

    [Fact]
    public async Task ReplaceDoubtful_ChangesWhatIsCountedAlone_NotWhatIsSureOrAccepted()
    {
        await using var clinic = await Recordings.MakeAsync(["the hart. is", "hart rate"], ["Hart? failure"], ["a hart. sound"]);
        await clinic.Service.AcceptAsync(clinic.Ids[2], 1, "anna", "accept", Cancel);
        var counted = Assert.Single(await clinic.Search.DoubtfulAsync(cancel: Cancel));
        Assert.Equal(("hart", 2), (counted.Text, counted.Times));
        var done = await clinic.Search.ReplaceDoubtfulAsync("hart", " heart ", "rita", Cancel);
        Assert.Equal((2, 2), (done.Recordings, done.Passages));
        Assert.Equal(["the heart. is\nhart rate", "heart? failure", "a hart. sound"], await clinic.TextsAsync());
        Assert.Equal(new("heart.", 1, 1.8), (await clinic.Service.LoadAsync(clinic.Ids[0], cancel: Cancel))!.Segments[0].Segment.Words[1]);
        Assert.Empty(await clinic.Search.DoubtfulAsync(cancel: Cancel));
        Assert.Equal(2, await clinic.Search.TakeBackAsync(done.Key, "rita", Cancel));

        await clinic.Search.ReplaceDoubtfulAsync("hart", "he art", "rita", Cancel);
        Assert.Equal(["the he art. is", "he art? failure"], (await clinic.TextsAsync()).Take(2).Select(t => t.Split('\n')[0]));
        Assert.Equal("nothing-to-replace", (await Assert.ThrowsAsync<RefusedException>(() => clinic.Search.ReplaceDoubtfulAsync("hart", " ", "rita", Cancel))).Refusal.Code);
    }

    [Fact]
    public async Task Glossary_AFormThatDiffersInCapitalsAlone_IsMended_AndWhatIsRightStays()
    {
        await using var clinic = await Recordings.MakeAsync(["give ramipril now", "Ramipril was given"], ["nothing here"]);
        var glossary = clinic.Library.Get<ClinicGlossary>();
        await glossary.AddAsync("Ramipril", ["ramipril", "RAMIPRIL", "rami pril", "Rami pril"], "anna", Cancel);
        Assert.Equal([("ramipril", 1, 1), ("RAMIPRIL", 0, 0), ("rami pril", 0, 0)], Assert.Single(await glossary.LinesAsync(Cancel)).Wrong);
        var done = await glossary.MendAsync(null, "rita", Cancel);
        Assert.Equal((1, 1), (done.Recordings, done.Passages));
        Assert.Equal("give Ramipril now\nRamipril was given", (await clinic.TextsAsync())[0]);
        Assert.Equal("term-wrong", (await Assert.ThrowsAsync<RefusedException>(() => glossary.AddAsync("Ramipril", ["Ramipril"], "anna", Cancel))).Refusal.Code);

        // A draft that comes later has it right.
        await clinic.Service.StoreTranscribedAsync(clinic.Ids[1], new Transcript([new(null, 0, 7, [new("ramipril,", 0, 0.8, 0.3, 0.5), new("again", 1, 1.8, 0.9)])]), "Listener", "run:9", Cancel);
        Assert.Equal(new("Ramipril,", 0, 0.8, 0.3, 0.5), (await clinic.Service.LoadAsync(clinic.Ids[1], cancel: Cancel))!.Segments[0].Segment.Words[0]);
    }

    [Fact]
    public async Task Glossary_WrongFormsOfAllTerms_AreMendedAtOnce_AndWhatLooksLikeATermIsPointedOut()
    {
        await using var clinic = await Recordings.MakeAsync(["new monia left", "plurel line"], ["Plurel, and new monia"], ["plueral or effusion"]);
        var glossary = clinic.Library.Get<ClinicGlossary>();
        await glossary.AddAsync("pneumonia", [" new  monia ", ""], "anna", Cancel);
        await glossary.AddAsync("pleural", [], "anna", Cancel);
        var lines = await glossary.LinesAsync(Cancel);
        Assert.Equal(["pleural", "pneumonia"], lines.Select(l => l.Term.Text));
        Assert.Equal(("new monia", 2, 2), Assert.Single(lines[1].Wrong));
        Assert.Empty(lines[0].Suggested);                          // two letters apart of seven is too far
        await glossary.AddAsync("plural", [], "anna", Cancel);
        Assert.Equal([("plurel", 2), ("plueral", 1)], (await glossary.LinesAsync(Cancel)).Single(l => l.Term.Text == "plural").Suggested);
        await glossary.AddAsync("pleural", ["plurel", "plueral"], "anna", Cancel);
        Assert.Equal(["plurel", "plueral"], (await glossary.LinesAsync(Cancel)).Single(l => l.Term.Text == "pleural").Term.WrongForms);

        var done = await glossary.MendAsync(null, "rita", Cancel);
        Assert.Equal((3, 4), (done.Recordings, done.Passages));
        Assert.Equal(["pneumonia left\npleural line", "pleural, and pneumonia", "pleural or effusion"], await clinic.TextsAsync());
        Assert.All((await glossary.LinesAsync(Cancel)).SelectMany(l => l.Wrong), w => Assert.Equal(0, w.Times));
        Assert.Equal(0, (await glossary.MendAsync(null, "rita", Cancel)).Recordings);
        await clinic.Search.TakeBackAsync(done.Key, "rita", Cancel);
        Assert.Equal("new monia left\nplurel line", (await clinic.TextsAsync())[0]);

        Assert.Equal("term-wrong", (await Assert.ThrowsAsync<RefusedException>(() => glossary.AddAsync("left lung", ["lung"], "anna", Cancel))).Refusal.Code);
        Assert.Equal("term-empty", (await Assert.ThrowsAsync<RefusedException>(() => glossary.AddAsync(" ", ["x"], "anna", Cancel))).Refusal.Code);
        var term = (await glossary.LinesAsync(Cancel))[0].Term;
        await glossary.RemoveAsync(term.Id, "plueral", "anna", Cancel);
        await glossary.RemoveAsync((await glossary.LinesAsync(Cancel)).Single(l => l.Term.Text == "plural").Term.Id, null, "anna", Cancel);
        Assert.Equal(["plurel"], (await glossary.LinesAsync(Cancel))[0].Term.WrongForms);
        Assert.Equal(2, (await glossary.LinesAsync(Cancel)).Count);
        Assert.Null(await clinic.Library.Get<DomainSsl.Core.Audit.AuditLog>().FirstBrokenAsync(Cancel));
    }

    /// <summary>Recordings with a model's drafts, a text a passage: words a second apart; of "effusion" it is not sure, and where it ends a sentence it does not fit.</summary>
    private sealed class Recordings : IAsyncDisposable
    {
        public TestLibrary Library { get; private init; } = null!;
        public List<long> Ids { get; private init; } = null!;
        public TranscriptService Service => Library.Get<TranscriptService>();
        public TranscriptSearch Search => Library.Get<TranscriptSearch>();

        public static async Task<Recordings> MakeAsync(params string[][] texts)
        {
            var library = await TestLibrary.MakeAsync();
            for (var i = 0; i < texts.Length; i++) await library.ImportAsync(library.Put($"{i}.wav", TestSpeech.Wav(new float[16_000 * (20 + i)], 1)));
            await using var db = library.Open();
            var made = new Recordings { Library = library, Ids = await db.Recordings.OrderBy(r => r.Seconds).Select(r => r.Id).ToListAsync(Cancel) };
            for (var i = 0; i < texts.Length; i++)
                await made.Service.StoreTranscribedAsync(made.Ids[i], new Transcript([.. texts[i].Select((t, s) => new TranscriptSegment(null, 8 * s, (8 * s) + 7, [.. t.Split(' ').Select((w, k) => Word(w, (8 * s) + k))]))]), "Listener", $"run:{i}", Cancel);
            return made;
        }

        public async Task<string[]> TextsAsync() => [.. await Task.WhenAll(Ids.Select(async i => (await Service.LoadAsync(i, cancel: Cancel))!.Transcript.Text))];

        public ValueTask DisposeAsync() => Library.DisposeAsync();

        private static TranscriptWord Word(string text, double at) =>
            new(text, at, at + 0.8, text.Contains("ffusion", StringComparison.Ordinal) ? 0.3 : 0.9, text.EndsWith('.') || text.EndsWith('?') ? 0.01 : 0.5);
    }
}
