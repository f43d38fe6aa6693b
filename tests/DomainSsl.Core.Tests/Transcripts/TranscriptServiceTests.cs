using System.Globalization;
using DomainSsl.Core.Importing;
using DomainSsl.Core.Transcripts;
using Microsoft.EntityFrameworkCore;

namespace DomainSsl.Core.Tests.Transcripts;

public sealed class TranscriptServiceTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Edit_OfTwoPeopleInDifferentSegments_KeepsBoth()
    {
        await using var clinic = await Clinic.MakeAsync("a b", "c d", "e f");
        var before = await clinic.NowAsync();
        Assert.False((await clinic.EditAsync("anna", before.Segments[0], "A b")).Conflict);
        // Ben still looks at the version before, but at another segment.
        Assert.False((await clinic.EditAsync("ben", before.Segments[2], "e F")).Conflict);
        var now = await clinic.NowAsync();
        Assert.Equal(("A b\nc d\ne F", 3, TranscriptState.Reviewing), (now.Transcript.Text, now.Version, now.State));
    }

    [Fact]
    public async Task Edit_OfTwoPeopleInOneSegment_SetsTheLaterAsideAndLosesNothing()
    {
        await using var clinic = await Clinic.MakeAsync("a b", "c d");
        var before = await clinic.NowAsync();
        await clinic.EditAsync("anna", before.Segments[1], "anna's words");
        var late = await clinic.EditAsync("ben", before.Segments[1], "ben's words", key: "ben-1");
        Assert.Equal((true, false, 2), (late.Conflict, late.Again, late.Version));
        Assert.Equal("a b\nanna's words", (await clinic.NowAsync()).Transcript.Text);
        var aside = Assert.Single(await clinic.Service.SetAsideAsync(clinic.Recording, Cancel));
        Assert.Equal("ben", aside.By);
        Assert.Contains("ben's words", aside.Edit.Replace("\\u0027", "'", StringComparison.Ordinal), StringComparison.Ordinal);
        // Sent again after a dropped connection, it is the same one.
        Assert.Equal(late with { Again = true }, await clinic.EditAsync("ben", before.Segments[1], "ben's words", key: "ben-1"));
        Assert.Single(await clinic.Service.SetAsideAsync(clinic.Recording, Cancel));
    }

    [Fact]
    public async Task StoreTranscribed_IsADraftByTheModel_ReplacedByTheNext_AndNeverInThePlaceOfAPersonsWords()
    {
        await using var clinic = await Clinic.MakeAsync("a b");
        static Transcript Heard(string text) => new([new TranscriptSegment(null, 0, 1, [new TranscriptWord(text, 0, 1, 0.5)])]);
        // What was brought in is a person's.
        Assert.Null(await clinic.Service.StoreTranscribedAsync(clinic.Recording, Heard("wrong"), "Listener", "run:1", Cancel));
        Assert.Equal("a b", (await clinic.NowAsync()).Transcript.Text);

        var other = await clinic.AnotherRecordingAsync();
        var first = await clinic.Service.StoreTranscribedAsync(other, Heard("one"), "Listener", "run:1", Cancel);
        Assert.Equal((1, TranscriptState.Draft, false), (first!.Version, first.State, first.Again));
        Assert.True((await clinic.Service.StoreTranscribedAsync(other, Heard("one"), "Listener", "run:1", Cancel))!.Again);
        Assert.Equal(2, (await clinic.Service.StoreTranscribedAsync(other, Heard("two"), "Better", "run:2", Cancel))!.Version);
        var stored = (await clinic.Service.LoadAsync(other, cancel: Cancel))!;
        Assert.Equal(("two", 0.5), (stored.Transcript.Text, stored.Transcript.Words.Single().Confidence));
        Assert.Equal([("Better", TranscriptDeed.Transcribed), ("Listener", TranscriptDeed.Transcribed)], (await clinic.Service.HistoryAsync(other, Cancel)).Select(h => (h.By, h.Deed)));

        await clinic.Service.EditAsync(other, [new([stored.Segments[0].Uid], [Words("u1", "mended")])], "anna", "k1", Cancel);
        Assert.Null(await clinic.Service.StoreTranscribedAsync(other, Heard("three"), "Better", "run:3", Cancel));
        Assert.Equal("mended", (await clinic.Service.LoadAsync(other, cancel: Cancel))!.Transcript.Text);
    }

    [Theory]
    [InlineData("Doctor", true)]
    [InlineData("speaker 2", true)]
    [InlineData("Channel 1", true)]
    [InlineData("Zacharias Uhlenhorst", false)]
    [InlineData("Speaker Kim", false)]
    [InlineData("P-Westermann", false)]
    [InlineData("S-WESTERMANN", false)]
    public async Task Edit_SpeakerWhoIsNamed_IsKeptAsAPseudonymEvenWhereItComesTooLate(string speaker, bool kept)
    {
        await using var clinic = await Clinic.MakeAsync("a b");
        var segment = (await clinic.NowAsync()).Segments[0];
        static NamedSegment By(string uid, string? who) => Words(uid, "a b") is var words ? words with { Segment = words.Segment with { Speaker = who } } : null!;
        await clinic.Service.EditAsync(clinic.Recording, [new([segment.Uid], [By("u1", speaker)])], "anna", "k1", Cancel);
        var now = (await clinic.NowAsync()).Transcript.Segments[0].Speaker!;
        Assert.Equal(kept, now == speaker);
        if (!kept) Assert.Matches("^S-[0-9A-HJKMNP-TV-Z]{10}$", now);
        // What it was given stays as it is, and is the same for the same name.
        await clinic.Service.EditAsync(clinic.Recording, [new(["u1"], [By("u2", now), By("u3", speaker)])], "anna", "k2", Cancel);
        Assert.Equal([now, now], (await clinic.NowAsync()).Transcript.Segments.Select(s => s.Speaker));
        Assert.True((await clinic.Service.EditAsync(clinic.Recording, [new(["u1"], [By("u4", speaker)])], "ben", "k3", Cancel)).Conflict);
        Assert.Equal(kept, (await clinic.Service.SetAsideAsync(clinic.Recording, Cancel)).Single().Edit.Contains(speaker, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Edit_SentAgainWithItsKey_IsStoredOnce()
    {
        await using var clinic = await Clinic.MakeAsync("a b");
        var segment = (await clinic.NowAsync()).Segments[0];
        var first = await clinic.EditAsync("anna", segment, "x", key: "k");
        var again = await clinic.EditAsync("anna", segment, "x", key: "k");
        Assert.Equal((2, false, 2, true), (first.Version, first.Again, again.Version, again.Again));
        Assert.Equal(2, (await clinic.Service.HistoryAsync(clinic.Recording, Cancel)).Count);
    }

    [Fact]
    public async Task Edit_OfAnEditThatIsNotAcknowledgedYet_SpeaksOfItByItsName()
    {
        await using var clinic = await Clinic.MakeAsync("a b");
        var segment = (await clinic.NowAsync()).Segments[0];
        await clinic.Service.EditAsync(clinic.Recording, [new([segment.Uid], [Words("u1", "one")])], "anna", "k1", Cancel);
        await clinic.Service.EditAsync(clinic.Recording, [new(["u1"], [Words("u2", "two")])], "anna", "k2", Cancel);
        Assert.Equal("two", (await clinic.NowAsync()).Transcript.Text);
    }

    [Fact]
    public async Task Edit_SplitMergeInsertAndDelete_KeepTheOrder()
    {
        await using var clinic = await Clinic.MakeAsync("a b", "c d", "e f");
        var (a, c, e) = ((await clinic.NowAsync()).Segments[0].Uid, (await clinic.NowAsync()).Segments[1].Uid, (await clinic.NowAsync()).Segments[2].Uid);
        await clinic.Service.EditAsync(clinic.Recording, [new([c], [Words("c1", "c"), Words("c2", "d")])], "anna", "split", Cancel);
        Assert.Equal("a b\nc\nd\ne f", (await clinic.NowAsync()).Transcript.Text);
        await clinic.Service.EditAsync(clinic.Recording, [new(["c2", e], [Words("m", "d e f")])], "anna", "merge", Cancel);
        Assert.Equal("a b\nc\nd e f", (await clinic.NowAsync()).Transcript.Text);
        await clinic.Service.EditAsync(clinic.Recording, [new([], [Words("n", "new")], After: a), new(["c1"], [])], "anna", "both", Cancel);
        Assert.Equal("a b\nnew\nd e f", (await clinic.NowAsync()).Transcript.Text);
    }

    [Fact]
    public async Task Edit_ThatBeginsToWrite_IsForATranscriptThatHasNothingYet()
    {
        await using var clinic = await Clinic.MakeAsync();
        Assert.False((await clinic.Service.EditAsync(clinic.Recording, [new([], [Words("a", "anna's")], After: "")], "anna", "k1", Cancel)).Conflict);
        Assert.True((await clinic.Service.EditAsync(clinic.Recording, [new([], [Words("b", "ben's")], After: "")], "ben", "k2", Cancel)).Conflict);
        Assert.Equal("anna's", (await clinic.NowAsync()).Transcript.Text);
        Assert.Equal("ben", Assert.Single(await clinic.Service.SetAsideAsync(clinic.Recording, Cancel)).By);
        // One that has nothing any more is begun as well.
        Assert.False((await clinic.Service.EditAsync(clinic.Recording, [new(["a"], []), new([], [Words("c", "anew")], After: "")], "anna", "k3", Cancel)).Conflict);
        Assert.Equal("anew", (await clinic.NowAsync()).Transcript.Text);
    }

    [Fact]
    public async Task Next_IsAnotherDraft_ThenWhatIsBeingReviewed_ThenNone()
    {
        await using var clinic = await Clinic.MakeAsync("a b");
        var other = await clinic.AnotherRecordingAsync();
        Assert.Null(await clinic.Service.NextAsync(clinic.Recording, cancel: Cancel));
        await clinic.Service.EditAsync(other, [new([], [Words("o", "other")])], "anna", "k1", Cancel);
        Assert.Equal((other, clinic.Recording), (await clinic.Service.NextAsync(clinic.Recording, cancel: Cancel), await clinic.Service.NextAsync(other, cancel: Cancel)));
        await clinic.Service.AcceptAsync(other, 1, "anna", "k2", Cancel);
        Assert.Null(await clinic.Service.NextAsync(clinic.Recording, cancel: Cancel));
    }

    [Fact]
    public async Task Restore_WhereSomebodyElseHasChangedTheTranscriptSince_ChangesNothing()
    {
        await using var clinic = await Clinic.MakeAsync("a b", "c d");
        var seen = await clinic.NowAsync();
        await clinic.EditAsync("ben", seen.Segments[0], "ben's words");
        var late = await clinic.Service.RestoreAsync(clinic.Recording, 1, seen.Version, "anna", "back-1", Cancel);
        Assert.Equal((true, 2), (late.Conflict, late.Version));
        Assert.Equal("ben's words\nc d", (await clinic.NowAsync()).Transcript.Text);
        Assert.False((await clinic.Service.RestoreAsync(clinic.Recording, 1, 2, "anna", "back-2", Cancel)).Conflict);
        Assert.Equal("a b\nc d", (await clinic.NowAsync()).Transcript.Text);
    }

    [Fact]
    public async Task Edit_SplitAtOnePlaceHundredsOfTimes_FindsRoom()
    {
        await using var clinic = await Clinic.MakeAsync("start", "end");
        for (int i = 0; i < 150; i++)
        {
            var first = (await clinic.NowAsync()).Segments[0];
            await clinic.Service.EditAsync(clinic.Recording, [new([first.Uid], [first with { Uid = $"s{i}" }, Words($"w{i}", i.ToString(CultureInfo.InvariantCulture))])], "anna", $"k{i}", Cancel);
        }
        var expected = string.Join('\n', (string[])["start", .. Enumerable.Range(0, 150).Reverse().Select(i => i.ToString(CultureInfo.InvariantCulture)), "end"]);
        Assert.Equal(expected, (await clinic.NowAsync()).Transcript.Text);
        Assert.Equal("start\nend", (await clinic.Service.LoadAsync(clinic.Recording, 1, Cancel))!.Transcript.Text);
    }

    [Fact]
    public async Task Restore_AnyEarlierVersion_GivesItsWordsAgain_AndEveryVersionStaysReadable()
    {
        await using var clinic = await Clinic.MakeAsync("0", "x", "y");
        var texts = new List<string> { "0\nx\ny" };
        var random = new Random(7);
        for (int i = 1; i <= 25; i++)
        {
            var now = await clinic.NowAsync();
            if (i % 6 == 0)
            {
                int to = random.Next(1, now.Version);
                await clinic.Service.RestoreAsync(clinic.Recording, to, (await clinic.NowAsync()).Version, "anna", $"r{i}", Cancel);
                texts.Add(texts[to - 1]);
                continue;
            }
            int at = random.Next(now.Segments.Count);
            var with = i % 3 == 0 ? new List<NamedSegment> { Words($"a{i}", $"a{i}"), Words($"b{i}", $"b{i}") } : [Words($"a{i}", $"e{i}")];
            await clinic.Service.EditAsync(clinic.Recording, [new([now.Segments[at].Uid], with)], "anna", $"e{i}", Cancel);
            texts.Add((await clinic.NowAsync()).Transcript.Text);
        }
        for (int v = 1; v <= texts.Count; v++) Assert.Equal(texts[v - 1], (await clinic.Service.LoadAsync(clinic.Recording, v, Cancel))!.Transcript.Text);
        Assert.Equal(26, (await clinic.NowAsync()).Version);
        await using var db = clinic.Library.Open();
        var rows = await db.TranscriptRows.AsNoTracking().ToListAsync(Cancel);
        Assert.Equal(rows.Count, rows.Select(r => r.Uid).Distinct().Count());
        Assert.Null(await clinic.Library.Get<DomainSsl.Core.Audit.AuditLog>().FirstBrokenAsync(Cancel));
    }

    [Fact]
    public async Task Edit_ManyAtOnce_AreAllStored()
    {
        await using var clinic = await Clinic.MakeAsync([.. Enumerable.Range(0, 12).Select(i => $"s{i}")]);
        var before = await clinic.NowAsync();
        var receipts = await Task.WhenAll(before.Segments.Select((s, i) => Task.Run(() => clinic.EditAsync($"p{i}", s, $"t{i}"))));
        Assert.All(receipts, r => Assert.False(r.Conflict));
        Assert.Equal(string.Join('\n', Enumerable.Range(0, 12).Select(i => $"t{i}")), (await clinic.NowAsync()).Transcript.Text);
        Assert.Equal(Enumerable.Range(1, 13), (await clinic.Service.HistoryAsync(clinic.Recording, Cancel)).Select(v => v.Number).Order());
    }

    [Fact]
    public async Task Accept_WhatWasSeen_GivesTrainingRows_AndAnEditTakesThemBack()
    {
        await using var clinic = await Clinic.MakeAsync("a b", "c d");
        Assert.Empty(await clinic.Service.TrainingRowsAsync(Cancel));
        await clinic.EditAsync("anna", (await clinic.NowAsync()).Segments[0], "A b");
        Assert.True((await clinic.Service.AcceptAsync(clinic.Recording, 1, "anna", "old", Cancel)).Conflict);
        Assert.Equal(TranscriptState.Accepted, (await clinic.Service.AcceptAsync(clinic.Recording, 2, "anna", "ok", Cancel)).State);
        var rows = await clinic.Service.TrainingRowsAsync(Cancel);
        Assert.Equal(["A b", "c d"], rows.Select(r => r.Text));
        Assert.All(rows, r => Assert.True(r.End > r.Start));
        await clinic.EditAsync("ben", (await clinic.NowAsync()).Segments[1], "c D");
        Assert.Empty(await clinic.Service.TrainingRowsAsync(Cancel));
    }

    [Theory]
    [InlineData(TranscriptFormat.Txt)]
    [InlineData(TranscriptFormat.Srt)]
    [InlineData(TranscriptFormat.Vtt)]
    [InlineData(TranscriptFormat.Json)]
    [InlineData(TranscriptFormat.TextGrid)]
    public async Task BringIn_EveryFormat_KeepsTheWords_OnceHoweverOften(TranscriptFormat format)
    {
        await using var clinic = await Clinic.MakeAsync();
        var made = new Transcript([new("Speaker 1", 0.5, 1, [new("no", 0.5, 0.7), new("nodule", 0.7, 1)]), new("Speaker 1", 1.2, 1.6, [new("seen.", 1.2, 1.6)])]);
        var read = TranscriptFormats.Read(TranscriptFormats.Write(made, format));
        for (int i = 0; i < 2; i++)
        {
            var receipt = await clinic.Service.BringInAsync(clinic.Recording, read, TranscriptDeed.BroughtIn, TranscriptState.Draft, "anna", TranscriptService.KeyOf(clinic.Recording, read), Cancel);
            Assert.Equal((1, i == 1), (receipt.Version, receipt.Again));
        }
        var now = await clinic.NowAsync();
        Assert.Equal(made.Text, now.Transcript.Text);
        Assert.All(now.Segments, s => Assert.Equal("Speaker 1", s.Segment.Speaker));
        // Also where the format has no times every segment has its place, in order and within the recording.
        Assert.All(now.Segments, s => Assert.True(s.Segment.Timed && s.Segment.End <= now.Seconds));
        Assert.True(now.Segments[0].Segment.End <= now.Segments[1].Segment.Start);
    }

    [Fact]
    public async Task BringIn_SpeakersNames_BecomePseudonyms_AndLabelsStay()
    {
        await using var clinic = await Clinic.MakeAsync();
        var named = new Transcript([new("Zacharias Uhlenhorst", 0, 1, [new("yes")]), new("Patient", 1, 1.5, [new("no")]), new("Zacharias  Uhlenhorst", 1.5, 2, [new("well")])]);
        await clinic.Service.BringInAsync(clinic.Recording, named, TranscriptDeed.BroughtIn, TranscriptState.Draft, "anna", "k", Cancel);
        var speakers = (await clinic.NowAsync()).Segments.Select(s => s.Segment.Speaker).ToList();
        Assert.Matches("^S-[0-9A-Z]{10}$", speakers[0]);
        Assert.Equal((speakers[0], "Patient"), (speakers[2], speakers[1]));
    }

    [Fact]
    public async Task BringIn_AnHourAsOneSegment_IsCutAtPauses()
    {
        await using var clinic = await Clinic.MakeAsync();
        // 400 words in 2 s of recording would not fit: a longer one.
        var path = clinic.Library.Put("long.wav", TestSpeech.Wav(new float[16_000 * 300], 1));
        await clinic.Library.ImportAsync(path);
        await using var db = clinic.Library.Open();
        var id = await db.Recordings.Where(r => r.Seconds > 200).Select(r => r.Id).SingleAsync(Cancel);
        var words = Enumerable.Range(0, 500).Select(i => new TranscriptWord($"w{i}", 0.5 * i + (i / 20), 0.5 * i + (i / 20) + 0.4)).ToList();
        await clinic.Service.BringInAsync(id, new Transcript([new(null, 0, 280, words)]), TranscriptDeed.BroughtIn, TranscriptState.Draft, "anna", "long", Cancel);
        var stored = (await clinic.Service.LoadAsync(id, cancel: Cancel))!;
        Assert.Equal(words.Select(w => w.Text), stored.Transcript.Words.Select(w => w.Text));
        Assert.All(stored.Segments, s => Assert.InRange(s.Segment.End!.Value - s.Segment.Start!.Value, 0.1, 31));
        // At the long pauses only, which come after every twentieth word.
        Assert.All(stored.Segments.Skip(1), s => Assert.Equal(0, int.Parse(s.Segment.Words[0].Text.AsSpan(1), CultureInfo.InvariantCulture) % 20));
    }

    [Fact]
    public async Task BringIn_TranscriptOfALongerRecording_IsRefused()
    {
        await using var clinic = await Clinic.MakeAsync();
        var other = new Transcript([new(null, 0, 99, [new("hello")])]);
        var refused = await Assert.ThrowsAsync<RefusedException>(() => clinic.Service.BringInAsync(clinic.Recording, other, TranscriptDeed.BroughtIn, TranscriptState.Draft, "anna", "k", Cancel));
        Assert.Equal("transcript-too-long", refused.Refusal.Code);
        Assert.Null(await clinic.Service.LoadAsync(clinic.Recording, cancel: Cancel));
    }

    [Fact]
    public async Task Import_TableWithTexts_WritesAcceptedTranscriptsOnce_AndNotOverCorrections()
    {
        await using var library = await TestLibrary.MakeAsync();
        for (int i = 1; i <= 2; i++) library.Put($"t/{i}.wav", TestSpeech.Wav(TestSpeech.Dictation(i), 1));
        var table = library.Put("t/list.csv", "file,text,speaker\n1.wav,the heart is normal,anna\n2.wav,no effusion,ben\n"u8.ToArray());
        await library.ImportAsync(table);
        var again = await library.ImportAsync(table);
        Assert.Equal((2, 0), (again.Duplicates, again.Refused.Count));

        var service = library.Get<TranscriptService>();
        var rows = await service.TrainingRowsAsync(Cancel);
        Assert.Equal(["no effusion", "the heart is normal"], rows.Select(r => r.Text).Order());
        Assert.All(rows, r => Assert.Matches("^S-[0-9A-Z]{10}$", r.Speaker!));
        Assert.Equal(2, rows.Select(r => r.Speaker).Distinct().Count());
        await using (var db = library.Open()) Assert.Equal(2, await db.TranscriptVersions.CountAsync(Cancel));

        var first = (await service.LoadAsync(rows[0].RecordingId, cancel: Cancel))!;
        await service.EditAsync(first.RecordingId, [new([first.Segments[0].Uid], [Words("new", "corrected here")])], "anna", "k", Cancel);
        Assert.Empty((await library.ImportAsync(table)).Refused);       // what it says is known already
        library.Put("t/list.csv", "file,text\n1.wav,other words\n2.wav,other words\n"u8.ToArray());
        Assert.Equal("transcript-corrected", Assert.Single((await library.ImportAsync(table)).Refused).Code);
        Assert.Equal("corrected here", (await service.LoadAsync(first.RecordingId, cancel: Cancel))!.Transcript.Text);
        Assert.Equal("other words", Assert.Single(await service.TrainingRowsAsync(Cancel)).Text);
    }

    [Fact]
    public async Task Import_OfALongTextWithoutTimes_IsNotLearntFromWhereItsTimesAreGuessed()
    {
        await using var library = await TestLibrary.MakeAsync();
        foreach (var seconds in (int[])[100, 20]) library.Put($"t/{seconds}.wav", TestSpeech.Wav(new float[16_000 * seconds], 1));
        static string Of(int words) => string.Join(' ', Enumerable.Range(0, words).Select(i => $"w{i}"));
        await library.ImportAsync(library.Put("t/list.csv", System.Text.Encoding.UTF8.GetBytes($"file,text\n100.wav,{Of(200)}\n20.wav,{Of(100)}\n")));
        var service = library.Get<TranscriptService>();
        // Of a short recording the text stays whole, and nothing of it is guessed.
        var whole = Assert.Single(await service.TrainingRowsAsync(Cancel));
        Assert.Equal((Of(100), 0.0, 20.0), (whole.Text, whole.Start, whole.End));
        var left = (await service.AcceptedRowsAsync(Cancel)).Where(r => r.LeftOut is not null).ToList();
        Assert.True(left.Count > 2);
        Assert.All(left, r => Assert.Equal(LeftOutFor.GuessedTimes, r.LeftOut));

        // Other words leave the times a guess; times that a person gives are none.
        var id = left[0].RecordingId;
        var now = (await service.LoadAsync(id, cancel: Cancel))!;
        var (second, third) = (now.Segments[1], now.Segments[2]);
        await service.EditAsync(id, [new([second.Uid], [Words("b", "said otherwise", second.Segment.Start!.Value, second.Segment.End!.Value)]), new([third.Uid], [Words("c", "heard here", 51, 60)])], "anna", "k", Cancel);
        await service.AcceptAsync(id, 2, "anna", "ok", Cancel);
        Assert.Equal(["heard here"], (await service.TrainingRowsAsync(Cancel)).Where(r => r.RecordingId == id).Select(r => r.Text));

        // Split between words without times it is a guess again; all in one nothing is, but it is too long.
        await service.EditAsync(id, [new(["c"], [Words("d", "heard", 51, 55), Words("e", "here", 55, 60)])], "anna", "s", Cancel);
        await service.AcceptAsync(id, 4, "anna", "ok again", Cancel);
        Assert.All((await service.AcceptedRowsAsync(Cancel)).Where(r => r.RecordingId == id), r => Assert.Equal(LeftOutFor.GuessedTimes, r.LeftOut));
        now = (await service.LoadAsync(id, cancel: Cancel))!;
        await service.EditAsync(id, [new([.. now.Segments.Select(s => s.Uid)], [Words("f", Of(200), 0, 100)])], "anna", "m", Cancel);
        await service.AcceptAsync(id, 6, "anna", "ok at last", Cancel);
        Assert.Equal(LeftOutFor.Length, (await service.AcceptedRowsAsync(Cancel)).Single(r => r.RecordingId == id).LeftOut);
    }

    [Fact]
    public async Task Import_OfATableThatIsThereToTestBy_LeavesNoTextThatCouldBeLearntFrom()
    {
        await using var library = await TestLibrary.MakeAsync();
        library.Put("t/1.wav", TestSpeech.Wav(TestSpeech.Dictation(1), 1));
        var table = library.Put("t/list.csv", "file,text,speaker\n1.wav,the heart is normal,anna\n"u8.ToArray());
        var summary = await library.Get<LibraryImport>().ImportAsync([table], new ImportRequest("cli:test", Texts: false), cancel: Cancel);
        Assert.Equal((1, 0), (summary.Imported, summary.Refused.Count));
        Assert.Empty(await library.Get<TranscriptService>().TrainingRowsAsync(Cancel));
        await using var db = library.Open();
        Assert.False(await db.Transcripts.AnyAsync(Cancel));
        Assert.NotNull((await db.Recordings.Include(r => r.Speaker).SingleAsync(Cancel)).Speaker);  // who speaks is known all the same
        await library.ImportAsync(table);                                                           // asked for outright, they do
        Assert.Equal("the heart is normal", Assert.Single(await library.Get<TranscriptService>().TrainingRowsAsync(Cancel)).Text);
    }

    [Fact]
    public async Task RoundTrip_OfRealTranscriptsThroughTheLibrary_GivesTheSameWordsAndTimesInEveryFormat()
    {
        var spoken = Generated.Spoken("0006");
        await using var clinic = await Clinic.MakeAsync();
        await clinic.Library.ImportAsync(clinic.Library.Put("long.wav", TestSpeech.Wav(new float[16_000 * (int)Math.Ceiling(spoken.Segments[^1].End!.Value)], 1)));
        await using var db = clinic.Library.Open();
        var id = await db.Recordings.Where(r => r.Seconds > 20).Select(r => r.Id).SingleAsync(Cancel);
        await clinic.Service.StoreTranscribedAsync(id, spoken, "Listener", "run:1", Cancel);
        var kept = (await clinic.Service.LoadAsync(id, cancel: Cancel))!.Transcript;
        Generated.AssertSame(spoken, kept, 0, 0, confidences: true);
        foreach (var format in Enum.GetValues<TranscriptFormat>())
        {
            var read = TranscriptFormats.Read(TranscriptFormats.Write(kept, format), out var recognised);
            Assert.Equal(format, recognised);
            await clinic.Service.BringInAsync(id, read, TranscriptDeed.BroughtIn, TranscriptState.Draft, "anna", $"as {format}", Cancel);
            var back = (await clinic.Service.LoadAsync(id, cancel: Cancel))!.Transcript;
            // Speakers of a file from elsewhere become pseudonyms. SubRip has no times of words; plain text has none at all, and is laid along the words that the model heard: here, exactly.
            Generated.AssertSame(spoken, back, format == TranscriptFormat.Txt ? null : 0, format is TranscriptFormat.Txt or TranscriptFormat.Srt ? null : 0, confidences: format == TranscriptFormat.Json, speakers: false,
                untold: format == TranscriptFormat.Txt);
            if (format == TranscriptFormat.Txt) Assert.Equal(spoken.Words.Select(w => (w.Text, w.Start, w.End)), back.Words.Select(w => (w.Text, w.Start, w.End)));
        }
    }

    [Fact]
    public async Task BringIn_WithoutAnyTimes_IsLaidAlongWhatTheModelHeard()
    {
        await using var clinic = await Clinic.MakeAsync();
        await clinic.Service.StoreTranscribedAsync(clinic.Recording, new Transcript([new(null, 0.2, 1.4, [new("the", 0.2, 0.4, 0.9), new("hart", 0.5, 0.8, 0.3), new("is", 1, 1.1, 0.8), new("normal", 1.1, 1.4, 0.9, 0.5)])]), "Listener", "run:1", Cancel);
        await clinic.Service.BringInAsync(clinic.Recording, TranscriptFormats.Read("The heart\nis normal."u8), TranscriptDeed.BroughtIn, TranscriptState.Draft, "anna", "k", Cancel);
        var now = (await clinic.NowAsync()).Transcript;
        Assert.Equal([(0.2, 0.8), (1.0, 1.4)], now.Segments.Select(s => (s.Start!.Value, s.End!.Value)));
        Assert.Equal(new("heart", 0.5, 0.8), now.Segments[0].Words[1]);
        Assert.Equal(new("normal.", 1.1, 1.4, 0.9, 0.5), now.Segments[1].Words[1]);
    }

    [Theory]
    [InlineData("""[["two words"]]""")]
    [InlineData("""[["a",2,1]]""")]
    [InlineData("""[["a",1]]""")]
    [InlineData("""[["a",0,1,7]]""")]
    [InlineData("""[["a",0,1,0.5,-1]]""")]
    [InlineData("""[["a",0,1,0.5,0.5,0.5]]""")]
    [InlineData("""[["a",0,1e999]]""")]
    [InlineData("""[[1]]""")]
    [InlineData("""{"a":1}""")]
    [InlineData("""[["\ud800"]]""")]
    [InlineData("nonsense")]
    public void Words_ThatMakeNoSense_AreRefused(string json) =>
        Assert.Equal("transcript-edit-damaged", Assert.Throws<RefusedException>(() => TranscriptWords.Read(json)).Refusal.Code);

    [Fact]
    public void Words_WrittenAndRead_AreTheSame()
    {
        TranscriptWord[] words = [new("“Ähm,”", 0.25, 1.5, 0.875), new("plain"), new("late", 2, 2.001), new("sure", null, null, 1), new("odd", 3, 4, null, 0.012)];
        Assert.Equal(words, TranscriptWords.Read(TranscriptWords.Write(words)));
        Assert.Equal("""[["“Ähm,”",0.25,1.5,0.875],["plain"],["late",2,2.001],["sure",null,null,1],["odd",3,4,null,0.012]]""", TranscriptWords.Write(words));
    }

    private static NamedSegment Words(string uid, string text, double start = 0.2, double end = 0.4) => new(uid, new TranscriptSegment(null, start, end, [.. text.Split(' ').Select(w => new TranscriptWord(w))]));

    /// <summary>A library with one recording of three seconds, and a transcript of it if texts are given.</summary>
    private sealed class Clinic : IAsyncDisposable
    {
        private int _keys;

        public TestLibrary Library { get; private init; } = null!;
        public TranscriptService Service => Library.Get<TranscriptService>();
        public long Recording { get; private init; }

        public static async Task<Clinic> MakeAsync(params string[] texts)
        {
            var library = await TestLibrary.MakeAsync();
            await library.ImportAsync(library.Put("a.wav", TestSpeech.Wav(TestSpeech.Dictation(11), 1)));
            await using var db = library.Open();
            var clinic = new Clinic { Library = library, Recording = await db.Recordings.Select(r => r.Id).SingleAsync(Cancel) };
            if (texts.Length > 0)
                await clinic.Service.BringInAsync(clinic.Recording, new Transcript([.. texts.Select((t, i) => Words("", t, 0.1 * i, 0.1 * i + 0.1).Segment)]), TranscriptDeed.BroughtIn, TranscriptState.Draft, "cli:test", "draft", Cancel);
            return clinic;
        }

        public async Task<long> AnotherRecordingAsync()
        {
            await Library.ImportAsync(Library.Put("b.wav", TestSpeech.Wav(TestSpeech.Dictation(12), 1)));
            await using var db = Library.Open();
            return await db.Recordings.Select(r => r.Id).SingleAsync(r => r != Recording, Cancel);
        }

        public async Task<StoredTranscript> NowAsync() => (await Service.LoadAsync(Recording, cancel: Cancel))!;

        public Task<TranscriptReceipt> EditAsync(string by, NamedSegment segment, string text, string? key = null)
        {
            int n = Interlocked.Increment(ref _keys);
            return Service.EditAsync(Recording, [new([segment.Uid], [Words($"{by}-{n}", text, segment.Segment.Start!.Value, segment.Segment.End!.Value)])], by, key ?? $"{by}/{n}", Cancel);
        }

        public ValueTask DisposeAsync() => Library.DisposeAsync();
    }
}
