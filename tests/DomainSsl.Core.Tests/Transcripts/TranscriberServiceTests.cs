using DomainSsl.Core.Models;
using DomainSsl.Core.People;
using DomainSsl.Core.Runs;
using DomainSsl.Core.Transcripts;
using DomainSsl.Testing;
using Microsoft.EntityFrameworkCore;

namespace DomainSsl.Core.Tests.Transcripts;

/// <summary>On the sample data's dictations: 60, of which 24 come with their text.</summary>
public sealed class TranscriberServiceTests
{
    private static readonly string Samples = Path.Combine(SharedData.Project, "sample-data");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Overview_CountsWhatMayBeLearntFrom_AndWhatNobodyHasWorkedOn()
    {
        await using var library = await WithTranscriptsAsync();
        var material = (await library.Get<TranscriberService>().OverviewAsync(Cancel)).Material;
        Assert.Equal((24, 36), (material.Recordings, material.Waiting));
        var all = await AllAsync(library);
        Assert.Equal(all.Select(l => l.Speaker).Distinct().Count(), material.Speakers + material.TestSpeakers);
        Assert.Equal((0, 0), (material.Unnamed, material.TestUnnamed));
        Assert.Equal(all.Sum(l => l.End!.Value - l.Start!.Value) / 60, material.Minutes + material.TestMinutes, 1e-6);
        Assert.True(material.Minutes > 0.3, $"{material.Minutes}");
    }

    [Fact]
    public async Task Overview_CountsWhatWillBeLearnt_AndSaysWhatIsLeftOutAndWhy()
    {
        await using var library = await TestLibrary.MakeAsync();
        foreach (var seconds in (int[])[100, 40, 20, 10]) library.Put($"t/{seconds}.wav", TestSpeech.Wav(new float[16_000 * seconds], 1));
        var lengthy = string.Join(' ', Enumerable.Repeat("heart", 200));
        await library.ImportAsync(library.Put("t/list.csv", System.Text.Encoding.UTF8.GetBytes($"file,text\n100.wav,{lengthy}\n40.wav,no effusion\n20.wav,the heart is normal\n10.wav,сердце\n")));
        var service = library.Get<TranscriberService>();
        var material = (await service.OverviewAsync(Cancel)).Material;
        Assert.Equal((4, 1), (material.Recordings, material.Unnamed + material.Speakers));
        Assert.Equal(20 / 60.0, material.Minutes, 1e-3);
        Assert.Equal([(LeftOutFor.GuessedTimes, 100), (LeftOutFor.Length, 40), (LeftOutFor.NoLetters, 10)], material.LeftOut.OrderBy(l => l.Key).Select(l => (l.Key, (int)Math.Round(l.Value * 60))));
        Assert.Equal("too-little-speech", (await Assert.ThrowsAsync<RefusedException>(() => service.TrainAsync("scratch", "anna", cancel: Cancel))).Refusal.Code);
    }

    [Fact]
    public async Task Overview_ARecordingOfNobodySaid_IsNoSpeaker()
    {
        await using var library = await WithTranscriptsAsync();
        var before = (await library.Get<TranscriberService>().OverviewAsync(Cancel)).Material;
        int unnamed;
        await using (var db = library.Open())
        {
            // Of the recordings of three speakers nobody says any more who they are.
            var owners = await db.Transcripts.Where(t => t.Recording!.SpeakerId != null).Select(t => t.Recording!.SpeakerId!.Value).Distinct().OrderBy(id => id).Take(3).ToListAsync(Cancel);
            unnamed = await db.Transcripts.CountAsync(t => owners.Contains(t.Recording!.SpeakerId!.Value), Cancel);
            await db.Recordings.Where(r => r.SpeakerId != null && owners.Contains(r.SpeakerId.Value)).ExecuteUpdateAsync(s => s.SetProperty(r => r.SpeakerId, (long?)null), Cancel);
        }
        var now = (await library.Get<TranscriberService>().OverviewAsync(Cancel)).Material;
        Assert.Equal((before.Speakers + before.TestSpeakers - 3, unnamed), (now.Speakers + now.TestSpeakers, now.Unnamed + now.TestUnnamed));
        Assert.Equal(before.Minutes + before.TestMinutes, now.Minutes + now.TestMinutes, 1e-6);
    }

    [Fact]
    public async Task Encoders_WhatAPersonChoseComesFirst_ThenWhatLearntToReadTheClinicsVoices_ThenWhatCameWithTheProduct()
    {
        await using var library = await TestLibrary.MakeAsync();
        await library.Get<ModelRegistry>().EnsurePublicAsync(Cancel);
        async Task<IEnumerable<string>> OrderAsync() => (await library.Get<TranscriberService>().OverviewAsync(Cancel)).Encoders.Select(m => m.Id);
        await using var db = library.Open();
        void Add(string id, string recipe, int day) => db.Models.Add(new Model { Id = id, Name = id, Kind = ModelKind.Encoder, By = "admin", Recipe = recipe, Architecture = """{"architecture":"sound"}""", CreatedAt = DateTime.UtcNow.AddDays(day) });
        Add("m-masked", "hubert", 3);
        Add("m-read", RecipeCatalog.PseudoLabels, 1);
        Add("m-readLater", RecipeCatalog.PseudoLabels, 2);
        await db.SaveChangesAsync(Cancel);
        Assert.Equal(["m-readLater", "m-read", "spoken", "m-masked"], await OrderAsync());
        await db.Models.Where(m => m.Id == "m-masked").ExecuteUpdateAsync(s => s.SetProperty(m => m.State, ModelState.InUse), Cancel);
        Assert.Equal(["m-masked", "m-readLater", "m-read", "spoken"], await OrderAsync());
    }

    [Theory]
    [InlineData(Roles.Reviewer, false)]
    [InlineData(Roles.Clinician, true)]
    [InlineData(Roles.Admin, true)]
    public async Task AReviewer_NeitherTrainsNorTranscribesNorPutsInUse(string role, bool may)
    {
        await using var library = await WithTranscriptsAsync();
        await AddTranscriberAsync(library, "m-1");
        await library.Get<Accounts>().AddAsync("Rita", "a long enough password", role, "test", Cancel);
        var service = library.Get<TranscriberService>();
        foreach (var deed in (Func<Task>[])[() => service.TrainAsync("scratch", "rita", cancel: Cancel), () => service.TranscribeAsync("m-1", "rita", Cancel), () => service.UseAsync("m-1", "rita", Cancel)])
        {
            if (may) await deed();
            else Assert.Equal("not-allowed", (await Assert.ThrowsAsync<RefusedException>(deed)).Refusal.Code);
        }
        await using var db = library.Open();
        Assert.Equal(may ? 2 : 0, await db.Runs.CountAsync(Cancel));
        Assert.Equal(may ? ModelState.InUse : ModelState.Candidate, (await library.Get<ModelRegistry>().GetAsync("m-1", Cancel)).State);
    }

    [Fact]
    public async Task Train_NeverLearnsFromATestSpeaker_AndMeasuresOnAllOfThem()
    {
        await using var library = await WithTranscriptsAsync();
        var service = library.Get<TranscriberService>();
        await AddTranscriberAsync(library, "m-before");
        await library.Get<ClinicGlossary>().AddAsync("pneumothorax", [], "anna", Cancel);
        var request = await RequestAsync(library, await service.TrainAsync("scratch", "anna", cancel: Cancel));
        Assert.Empty(request.Labels.Select(l => l.Speaker).Intersect(request.Test!.Select(l => l.Speaker)));
        Assert.All(request.Test!, l => Assert.True(TranscriberService.IsTest(l.Speaker)));
        Assert.Equal((await AllAsync(library)).Count, request.Labels.Count + request.Test!.Count);
        Assert.Equal("m-before", request.BeforeId);
        Assert.Equal(["pneumothorax"], request.Language!.Terms!); // measured as the page transcribes
        Assert.Equal("already-training", (await Assert.ThrowsAsync<RefusedException>(() => service.TrainAsync("scratch", "anna", cancel: Cancel))).Refusal.Code);
    }

    [Fact]
    public async Task Train_WithNothingAccepted_IsRefusedWithASentence()
    {
        await using var library = await TestLibrary.MakeAsync();
        await library.ImportAsync(Path.Combine(Samples, "recordings.csv"));
        var refused = await Assert.ThrowsAsync<RefusedException>(() => library.Get<TranscriberService>().TrainAsync("scratch", "anna", cancel: Cancel));
        Assert.Equal("too-little-speech", refused.Refusal.Code);
    }

    [Fact]
    public async Task Transcribe_TakesWhatNobodyHasWorkedOn_EachOnce()
    {
        await using var library = await WithTranscriptsAsync();
        await AddTranscriberAsync(library, "m-new");
        var service = library.Get<TranscriberService>();
        var glossary = library.Get<ClinicGlossary>();
        foreach (var term in (string[])["pneumothorax", "effusion", "heart"]) await glossary.AddAsync(term, [], "anna", Cancel);
        var terms = (await glossary.LinesAsync(Cancel)).ToDictionary(l => l.Term.Text, l => l.Term.Id);
        await glossary.BoostAsync(terms["effusion"], TermBoost.Strong, "anna", Cancel);
        await glossary.BoostAsync(terms["heart"], TermBoost.Spelling, "anna", Cancel);
        await glossary.AddAsync("effusion", ["e fusion"], "rita", Cancel); // keeps how hard it is listened for
        var request = (TranscribeRequest)RunRequestJson.Read(await RunAsync(library, await service.TranscribeAsync("m-new", "anna", Cancel)));
        Assert.Equal(["effusion", "heart", "pneumothorax"], request.Language!.Terms!);
        Assert.Equal([("effusion", 2), ("heart", 0)], request.Language.Boosts!.OrderBy(b => b.Key, StringComparer.Ordinal).Select(b => (b.Key, b.Value)));
        Assert.Equal(("m-new", 36, 36), (request.ModelId, request.ItemIds.Count, request.ItemIds.Distinct().Count()));
        Assert.Equal("no-transcriber", (await Assert.ThrowsAsync<RefusedException>(() => service.TranscribeAsync("m-none", "anna", Cancel))).Refusal.Code);
    }

    [Fact]
    public async Task Transcribe_AskedAgain_TakesWhatThisTranscriberHasNotWrittenYet_AndAllAnewWhereItHasWrittenAll()
    {
        await using var library = await WithTranscriptsAsync();
        await AddTranscriberAsync(library, "m-1");
        var (service, transcripts) = (library.Get<TranscriberService>(), library.Get<TranscriptService>());
        var items = await AskAsync();
        await using (var db = library.Open())
        {
            foreach (var item in items.Skip(1))
                await transcripts.StoreTranscribedAsync((await db.Items.SingleAsync(i => i.Id == item, Cancel)).RecordingId!.Value, new Transcript([new(null, 0, 0.5, [new("heard", 0, 0.5, 0.9)])]), "m-1", $"run:1:{item}", Cancel);
        }
        Assert.Equal([items[0]], await AskAsync());
        await using (var db = library.Open())
            await transcripts.StoreTranscribedAsync((await db.Items.SingleAsync(i => i.Id == items[0], Cancel)).RecordingId!.Value, new Transcript([new(null, 0, 0.5, [new("heard", 0, 0.5, 0.9)])]), "m-1", "run:2", Cancel);
        Assert.Equal(items, await AskAsync());

        async Task<IReadOnlyList<long>> AskAsync()
        {
            var run = await service.TranscribeAsync("m-1", "anna", Cancel);
            var asked = ((TranscribeRequest)RunRequestJson.Read(await RunAsync(library, run))).ItemIds;
            await using var db = library.Open();
            await db.Runs.Where(r => r.Id == run).ExecuteUpdateAsync(r => r.SetProperty(x => x.State, RunState.Done), Cancel);
            return asked;
        }
    }

    [Fact]
    public async Task Promote_AndRollback_OfTranscribers_LeaveTheEncoderInUseAlone_AndAllRoundsInSight()
    {
        await using var library = await TestLibrary.MakeAsync();
        var registry = library.Get<ModelRegistry>();
        await registry.EnsurePublicAsync(Cancel);
        foreach (var id in (string[])["m-1", "m-2"])
        {
            await AddTranscriberAsync(library, id);
            await registry.PromoteAsync(id, "anna", Cancel);
        }
        var overview = await library.Get<TranscriberService>().OverviewAsync(Cancel);
        Assert.Equal(("m-2", 2), (overview.Current?.Id, overview.Rounds.Count));
        Assert.Equal("m-1", (await registry.RollbackAsync(ModelRegistry.PlaceOf(overview.Current!), "anna", Cancel)).Id);
        Assert.Equal(ModelState.InUse, (await registry.GetAsync("public", Cancel)).State);
    }

    [Theory]
    [InlineData("{}", "m-2")]
    [InlineData("""{"cerChange":{"value":0.1,"low":0.02,"high":0.2}}""", "m-1")]
    [InlineData("""{"cerChange":{"value":0.1,"low":-0.01,"high":0.2}}""", "m-2")]
    [InlineData("""{"cerChange":{"value":0.1,"low":-1,"high":1}}""", "m-2")]
    [InlineData("""{"cerChange":{"value":-0.1,"low":-0.2,"high":-0.05},"cerWithLanguageChange":{"value":0.1,"low":0.02,"high":0.2}}""", "m-1")]
    [InlineData("""{"cerChange":{"value":0.1,"low":0.02,"high":0.2},"cerWithLanguageChange":{"value":0.1,"low":-0.02,"high":0.2}}""", "m-2")]
    public async Task Current_WhereNoneIsInUse_IsTheNewestThatWasNotMeasuredAsWorse_AsTranscriptsAreWritten(string metrics, string current)
    {
        await using var library = await TestLibrary.MakeAsync();
        await AddTranscriberAsync(library, "m-1");
        await AddTranscriberAsync(library, "m-2", metrics);
        var service = library.Get<TranscriberService>();
        Assert.Equal(current, (await service.OverviewAsync(Cancel)).Current?.Id);

        // A person's choice counts, and a better one that was retired is not written with again.
        await library.Get<ModelRegistry>().RetireAsync("m-1", "anna", Cancel);
        Assert.Equal("m-2", (await service.OverviewAsync(Cancel)).Current?.Id);
        await service.UseAsync("m-1", "anna", Cancel);
        Assert.Equal("m-1", (await service.OverviewAsync(Cancel)).Current?.Id);
        await service.UseAsync("m-2", "anna", Cancel);
        Assert.Equal("m-2", (await service.OverviewAsync(Cancel)).Current?.Id);
    }

    [Fact]
    public async Task Use_IsAudited_AndTakesTranscribersAlone()
    {
        await using var library = await TestLibrary.MakeAsync();
        await library.Get<ModelRegistry>().EnsurePublicAsync(Cancel);
        await AddTranscriberAsync(library, "m-1");
        await library.Get<TranscriberService>().UseAsync("m-1", "anna", Cancel);
        await using var db = library.Open();
        Assert.Equal(1, await db.Audit.CountAsync(e => e.Who == "anna" && e.Action == "promoted" && e.Subject == "model m-1", Cancel));
        Assert.Equal("no-transcriber", (await Assert.ThrowsAsync<RefusedException>(() => library.Get<TranscriberService>().UseAsync("public", "anna", Cancel))).Refusal.Code);
    }

    [Fact]
    public async Task Overview_ARoundHasItsFiguresAndEachTestSpeaker()
    {
        await using var library = await TestLibrary.MakeAsync();
        await AddTranscriberAsync(library, "m-1", """{"cer":{"value":0.2,"low":0.1,"high":0.3},"cerWithLanguage":{"value":0.15,"low":0.1,"high":0.2},"wer":{"value":0.4,"low":0.3,"high":0.5}}""", """{"speakers":[{"speaker":"S-1","n":3,"cer":0.2,"wer":0.5}]}""");
        var round = Assert.Single((await library.Get<TranscriberService>().OverviewAsync(Cancel)).Rounds);
        Assert.Equal((0.15, 0.2), (round.AsWritten("cer")!.Value, round.BySound("cer")!.Value));
        Assert.Null(round.AsWritten("wer")); // what was not measured so is not taken from the other
        Assert.Equal(new SpeakerErrorRates("S-1", 3, 0.2, 0.5), Assert.Single(round.Speakers));
    }

    [Fact]
    public void IsTest_IsAboutAFifthOfSpeakers_AndTheSameEachTime()
    {
        var names = Enumerable.Range(0, 2000).Select(i => $"S-{i:x8}").ToList();
        Assert.InRange(names.Count(TranscriberService.IsTest), 320, 480);
        Assert.Equal(names.Select(TranscriberService.IsTest), names.Select(TranscriberService.IsTest));
    }

    private static async Task<TestLibrary> WithTranscriptsAsync()
    {
        var library = await TestLibrary.MakeAsync();
        await library.ImportAsync(Path.Combine(Samples, "recordings.csv"));
        await library.ImportAsync(Path.Combine(Samples, "transcripts.csv"));
        var transcripts = library.Get<TranscriptService>();
        foreach (var line in (await transcripts.PageAsync(take: 100, cancel: Cancel)).Rows.Where(l => l.State != TranscriptState.Accepted))
            await transcripts.AcceptAsync(line.RecordingId, line.Version, "rita", $"accept {line.RecordingId}", Cancel);
        return library;
    }

    private static async Task AddTranscriberAsync(TestLibrary library, string id, string metrics = "{}", string? summary = null)
    {
        await using var db = library.Open();
        await using var transaction = await db.Database.BeginTransactionAsync(Cancel);
        if (summary is not null) db.Runs.Add(new Run { Id = $"r-{id}", Kind = RunKind.FineTuneSpeech, Title = "Training", Request = "{}", State = RunState.Done, By = "test", QueuedAt = DateTime.UtcNow, Summary = summary });
        await library.Get<ModelRegistry>().AddAsync(db, new Model { Id = id, Name = id, Kind = ModelKind.Transcriber, By = "test", Metrics = metrics, RunId = summary is null ? null : $"r-{id}" }, Cancel);
        await db.SaveChangesAsync(Cancel);
        await transaction.CommitAsync(Cancel);
    }

    private static async Task<IReadOnlyList<TranscriptTrainingRow>> RowsAsync(TestLibrary library) => await library.Get<TranscriptService>().TrainingRowsAsync(Cancel);

    private static async Task<IReadOnlyList<SpokenLabel>> AllAsync(TestLibrary library) => [.. (await RowsAsync(library)).Select(r => new SpokenLabel(0, r.Text, r.Speaker!, r.Start, r.End))];

    private static async Task<Run> RunAsync(TestLibrary library, string id)
    {
        await using var db = library.Open();
        return await db.Runs.SingleAsync(r => r.Id == id, Cancel);
    }

    private static async Task<FineTuneSpeechRequest> RequestAsync(TestLibrary library, string id) => (FineTuneSpeechRequest)RunRequestJson.Read(await RunAsync(library, id));
}
