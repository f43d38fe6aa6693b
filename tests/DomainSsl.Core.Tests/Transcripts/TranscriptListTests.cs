using System.IO.Compression;
using System.Text;
using DomainSsl.Core.Database;
using DomainSsl.Core.Library;
using DomainSsl.Core.Storage;
using DomainSsl.Core.Transcripts;
using DomainSsl.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.Extensions.DependencyInjection;

namespace DomainSsl.Core.Tests.Transcripts;

/// <summary>The list of transcripts: what stands first in it, what it is narrowed to, and which comes next.</summary>
public sealed class TranscriptListTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Page_TheMostDoubtfulFirst_AcceptedLast_WhicheverWay()
    {
        await using var clinic = await ClinicAsync();
        var (service, ids) = (clinic.Service, clinic.Ids);
        await service.AcceptAsync(ids[3], 1, "rita", "a", Cancel);
        var page = await service.PageAsync(cancel: Cancel);
        Assert.Equal([ids[1], ids[2], ids[0], ids[3]], page.Rows.Select(r => r.RecordingId));
        Assert.Equal([3, 2, 0, 0], page.Rows.Select(r => r.Doubtful));
        Assert.Equal([ids[0], ids[2], ids[1], ids[3]], (await service.PageAsync(descending: false, cancel: Cancel)).Rows.Select(r => r.RecordingId));
        Assert.Equal([ids[3], ids[2], ids[1], ids[0]], (await service.PageAsync(sort: TranscriptSort.Seconds, cancel: Cancel)).Rows.Select(r => r.RecordingId));
        Assert.Equal(ids[3], (await service.PageAsync(sort: TranscriptSort.Changed, cancel: Cancel)).Rows[0].RecordingId);
        Assert.Equal(ids[3], (await service.PageAsync(sort: TranscriptSort.State, cancel: Cancel)).Rows[^1].RecordingId);
        var second = await service.PageAsync(skip: 1, take: 2, cancel: Cancel);
        Assert.Equal([ids[2], ids[0]], second.Rows.Select(r => r.RecordingId));
        Assert.Equal(4, second.Total);
    }

    [Fact]
    public async Task Page_NarrowedToAState_SaysHowManyThereAreOfEach()
    {
        await using var clinic = await ClinicAsync();
        var (service, ids) = (clinic.Service, clinic.Ids);
        await service.AcceptAsync(ids[3], 1, "rita", "a", Cancel);
        await EditAsync(service, ids[0], "all new");
        var page = await service.PageAsync(new TranscriptFilter(TranscriptState.Draft), cancel: Cancel);
        Assert.Equal([ids[1], ids[2]], page.Rows.Select(r => r.RecordingId));
        Assert.Equal((2, 2, 1, 1), (page.Total, page.States[TranscriptState.Draft], page.States[TranscriptState.Reviewing], page.States[TranscriptState.Accepted]));
    }

    [Fact]
    public async Task Page_NarrowedToASpeaker_OrTheNumberOfARecording()
    {
        await using var clinic = await ClinicAsync();
        var (service, ids) = (clinic.Service, clinic.Ids);
        async Task<IEnumerable<long>> OfAsync(string speaker) => (await service.PageAsync(new TranscriptFilter(Speaker: speaker), cancel: Cancel)).Rows.Select(r => r.RecordingId).Order();
        Assert.Equal([ids[0], ids[1]], await OfAsync(" s-000ab "));
        Assert.Equal([ids[2]], await OfAsync($"{ids[2]}"));
        Assert.Empty(await OfAsync("S_000AB")); // no sign stands for any letter
        Assert.Empty(await OfAsync("%"));
    }

    [Fact]
    public async Task Page_NarrowedToWords_FindsThemInOnePassageOfTheNewestVersion_AndHowTheyBegin()
    {
        await using var clinic = await ClinicAsync();
        var (service, ids) = (clinic.Service, clinic.Ids);
        async Task<IEnumerable<long>> OfAsync(string text) => (await service.PageAsync(new TranscriptFilter(Text: text), cancel: Cancel)).Rows.Select(r => r.RecordingId).Order();
        Assert.Equal([ids[0], ids[3]], await OfAsync("EFFUS"));
        Assert.Equal([ids[0]], await OfAsync("small effusion")); // in recording 3 they stand in two passages
        Assert.Equal([ids[3]], await OfAsync("x-ray"));
        Assert.Empty(await OfAsync("fusion"));
        Assert.Empty(await OfAsync("0.3"));                      // a confidence is no word
        Assert.Equal(4, (await OfAsync("\"*( ?")).Count());        // signs alone narrow nothing
        Assert.Empty(await OfAsync("effusion\" OR \"two"));       // and what is asked is no language: "or" is a word

        // Each comes with a passage that has them, and which words of it they are.
        var hits = (await service.PageAsync(new TranscriptFilter(Text: "EFFUS"), cancel: Cancel)).Rows.ToDictionary(r => r.RecordingId, r => r.Hit!);
        Assert.Equal(("a small effusion", 2), (hits[ids[0]].Segment.Text, Assert.Single(hits[ids[0]].Places).Word));
        Assert.Equal(("an effusion,", 1), (hits[ids[3]].Segment.Text, Assert.Single(hits[ids[3]].Places).Word));
        Assert.All((await service.PageAsync(cancel: Cancel)).Rows, r => Assert.Null(r.Hit));

        await EditAsync(service, ids[0], "no fluid");
        Assert.Equal([ids[3]], await OfAsync("effusion"));
        Assert.Equal("no fluid", (await service.PageAsync(new TranscriptFilter(Text: "fluid"), cancel: Cancel)).Rows.Single().Hit!.Segment.Text);
        Assert.Equal([ids[0]], await OfAsync("fluid"));
        await service.RestoreAsync(ids[0], 1, 2, "rita", "back", Cancel);
        Assert.Equal([ids[0], ids[3]], await OfAsync("effusion"));
        await using (var db = clinic.Library.Open()) await db.Transcripts.Where(t => t.RecordingId == ids[3]).ExecuteDeleteAsync(Cancel);
        Assert.Equal([ids[0]], await OfAsync("effusion"));
    }

    [Fact]
    public async Task Doubtful_FollowsEachVersion_AndIsNoneOnceAccepted()
    {
        await using var clinic = await ClinicAsync();
        var (service, id) = (clinic.Service, clinic.Ids[1]);
        async Task<int> NowAsync() => (await service.PageAsync(new TranscriptFilter(Speaker: $"{id}"), cancel: Cancel)).Rows.Single().Doubtful;
        Assert.Equal(3, await NowAsync());
        await clinic.Library.Get<TranscriptSearch>().ConfirmAsync("hart", "rita", Cancel);
        Assert.Equal(1, await NowAsync());
        await service.AcceptAsync(id, 2, "rita", "a", Cancel);
        Assert.Equal(0, await NowAsync());
        await service.RestoreAsync(id, 1, 3, "rita", "b", Cancel);
        Assert.Equal(3, await NowAsync());
    }

    [Fact]
    public async Task Next_GoesThroughDraftsFromTheMostDoubtful_AndToTheFirstAfterOneThatWasWorkedOn()
    {
        await using var clinic = await ClinicAsync(); // doubtful words: none, 3, 2, 1
        var (service, ids) = (clinic.Service, clinic.Ids);
        Assert.Equal(ids[2], await service.NextAsync(ids[1], cancel: Cancel));
        Assert.Equal(ids[3], await service.NextAsync(ids[2], cancel: Cancel));
        Assert.Equal(ids[0], await service.NextAsync(ids[3], cancel: Cancel));
        Assert.Equal(ids[1], await service.NextAsync(ids[3], [ids[0]], Cancel)); // somebody else is at the first
        Assert.Equal(ids[1], await service.NextAsync(ids[0], cancel: Cancel)); // round to the first
        await service.AcceptAsync(ids[3], 1, "rita", "a", Cancel);
        Assert.Equal(ids[1], await service.NextAsync(ids[3], cancel: Cancel));
        await EditAsync(service, ids[1], "all new");
        Assert.Equal(ids[2], await service.NextAsync(ids[1], cancel: Cancel));
        foreach (var id in (long[])[ids[0], ids[2]]) await service.AcceptAsync(id, 1, "rita", $"a {id}", Cancel);
        Assert.Equal(ids[1], await service.NextAsync(ids[0], cancel: Cancel)); // no draft is left
        Assert.Null(await service.NextAsync(ids[1], cancel: Cancel));
    }

    [Fact]
    public async Task Migrate_TranscriptsOfBefore_AreCountedAndFound()
    {
        using var folder = new TemporaryFolder();
        await using var services = new ServiceCollection().AddLogging().AddDomainSslCore(new DataFolder(folder.Path)).BuildServiceProvider();
        var factory = services.GetRequiredService<IDbContextFactory<DomainSslContext>>();
        await using (var db = await factory.CreateDbContextAsync(Cancel))
        {
            await db.GetService<IMigrator>().MigrateAsync("20261126144500_WantedCases", Cancel);
            for (var i = 1; i <= 2; i++)
            {
                db.Recordings.Add(new Recording { SourceHash = $"source {i}", BlobHash = $"blob {i}", Seconds = 10 });
                await db.SaveChangesAsync(Cancel);
            }
            await db.Database.ExecuteSqlRawAsync("""
                INSERT INTO "Transcripts" ("RecordingId", "State", "Version", "Segments", "Words") SELECT "Id", CASE WHEN "SourceHash" = 'source 1' THEN 'Draft' ELSE 'Accepted' END, 2, 1, 3 FROM "Recordings";
                INSERT INTO "TranscriptVersions" ("TranscriptId", "Number", "Deed", "State", "By", "At", "Changed", "ClientKey") SELECT "Id", 2, 'Edited', "State", 'anna', '2026-01-01 00:00:00', 1, 'key ' || "Id" FROM "Transcripts";
                INSERT INTO "TranscriptRows" ("TranscriptId", "Uid", "From", "To", "Position", "Words") SELECT "Id", 'old', 1, 2, 1, '[["gone",0,1,0.1]]' FROM "Transcripts";
                INSERT INTO "TranscriptRows" ("TranscriptId", "Uid", "From", "Position", "Words") SELECT "Id", 'new', 2, 1, '[["Hart,",0,1,0.3,0.5],["is",1,2,0.9,0.01],["large",2,3,0.9,0.5]]' FROM "Transcripts";
                """, Cancel);
        }
        await DatabaseSetup.MigrateAsync(factory, Cancel);
        var service = services.GetRequiredService<TranscriptService>();
        Assert.Equal([2, 0], (await service.PageAsync(cancel: Cancel)).Rows.Select(r => r.Doubtful));
        Assert.Equal((2, 0), ((await service.PageAsync(new TranscriptFilter(Text: "hart is"), cancel: Cancel)).Total, (await service.PageAsync(new TranscriptFilter(Text: "gone"), cancel: Cancel)).Total));
    }

    [Fact]
    public async Task Migrate_TextsOfTablesThatWereCut_AreMarkedAsGuessed()
    {
        using var folder = new TemporaryFolder();
        await using var services = new ServiceCollection().AddLogging().AddDomainSslCore(new DataFolder(folder.Path)).BuildServiceProvider();
        var factory = services.GetRequiredService<IDbContextFactory<DomainSslContext>>();
        await using (var db = await factory.CreateDbContextAsync(Cancel))
        {
            await db.GetService<IMigrator>().MigrateAsync("20261126181500_TranscriptList", Cancel);
            db.Recordings.Add(new Recording { SourceHash = "source", BlobHash = "blob", Seconds = 60 });
            await db.SaveChangesAsync(Cancel);
            await db.Database.ExecuteSqlRawAsync("""
                INSERT INTO "Transcripts" ("RecordingId", "State", "Version", "Segments", "Words", "Doubtful") SELECT "Id", 'Accepted', 1, 3, 3, 0 FROM "Recordings";
                INSERT INTO "TranscriptVersions" ("TranscriptId", "Number", "Deed", "State", "By", "At", "Changed", "ClientKey") SELECT "Id", 1, 'BroughtIn', 'Accepted', 'anna', '2026-01-01 00:00:00', 1, 'key' FROM "Transcripts";
                INSERT INTO "TranscriptRows" ("TranscriptId", "Uid", "From", "Position", "Start", "End", "Words") SELECT "Id", 'a', 1, 1, 0, 20, '[["one"]]' FROM "Transcripts";
                INSERT INTO "TranscriptRows" ("TranscriptId", "Uid", "From", "Position", "Start", "End", "Words") SELECT "Id", 'b', 1, 2, 20, 40, '[["two"]]' FROM "Transcripts";
                INSERT INTO "TranscriptRows" ("TranscriptId", "Uid", "From", "Position", "Start", "End", "Words") SELECT "Id", 'c', 1, 3, 40, 60, '[["three",41,42]]' FROM "Transcripts";
                """, Cancel);
        }
        await DatabaseSetup.MigrateAsync(factory, Cancel);
        Assert.Equal("three", Assert.Single(await services.GetRequiredService<TranscriptService>().TrainingRowsAsync(Cancel)).Text);
        await using var now = await factory.CreateDbContextAsync(Cancel);
        Assert.Equal([(false, true), (true, true), (false, false)], (await now.TranscriptRows.OrderBy(r => r.Position).ToListAsync(Cancel)).Select(r => (r.GuessedStart, r.GuessedEnd)));
        Assert.False(now.Database.HasPendingModelChanges());
    }

    private static async Task EditAsync(TranscriptService service, long id, string text)
    {
        var now = (await service.LoadAsync(id, cancel: Cancel))!;
        await service.EditAsync(id, [new([.. now.Segments.Select(s => s.Uid)], [new NamedSegment($"u{now.Version}", new TranscriptSegment(null, 0, 1, [.. text.Split(' ').Select(w => new TranscriptWord(w))]))])], "anna", $"edit {id} {now.Version}", Cancel);
    }

    // Four drafts, each of a longer recording; the first two of one speaker. A word behind ? was heard badly, one behind ! does not fit.
    [Fact]
    public async Task Bundle_OfWhatFits_HasAFileOfEachThatReadsBack_AndATable_AndIsInTheAudit()
    {
        await using var clinic = await ClinicAsync();
        var (bundle, ids) = (clinic.Library.Get<TranscriptBundle>(), clinic.Ids);
        await clinic.Service.AcceptAsync(ids[3], 1, "rita", "a", Cancel);
        foreach (var format in Enum.GetValues<TranscriptFormat>())
        {
            using var bytes = new MemoryStream();
            Assert.Equal(4, await bundle.WriteAsync(new Forward(bytes), TranscriptFilter.All, format, "rita", Cancel));
            using var zip = new ZipArchive(new MemoryStream(bytes.ToArray()), ZipArchiveMode.Read);
            Assert.Equal([.. ids.Select(id => TranscriptBundle.FileName(id, format)), TranscriptBundle.Table], zip.Entries.Select(e => e.FullName));
            foreach (var id in ids) Assert.Equal((await clinic.Service.LoadAsync(id, cancel: Cancel))!.Transcript.Text, TranscriptFormats.Read(Bytes(zip, TranscriptBundle.FileName(id, format))).Text);
            Assert.Equal(
                [
                    "file,recording,speaker,seconds,state,version,words",
                    $"{TranscriptBundle.FileName(ids[0], format)},{ids[0]},S-000AB12CDE,20,draft,1,3",
                    $"{TranscriptBundle.FileName(ids[1], format)},{ids[1]},S-000AB12CDE,21,draft,1,4",
                    $"{TranscriptBundle.FileName(ids[2], format)},{ids[2]},,22,draft,1,3",
                    $"{TranscriptBundle.FileName(ids[3], format)},{ids[3]},,23,accepted,2,5",
                ], Encoding.UTF8.GetString(Bytes(zip, TranscriptBundle.Table)).TrimEnd('\n').Split('\n'));
        }
        using (var some = new MemoryStream())
        {
            Assert.Equal(1, await bundle.WriteAsync(some, new TranscriptFilter(TranscriptState.Draft, Text: "effus"), TranscriptFormat.Txt, "rita", Cancel));
            using var zip = new ZipArchive(some, ZipArchiveMode.Read);
            Assert.Equal(TranscriptBundle.FileName(ids[0], TranscriptFormat.Txt), zip.Entries[0].FullName);
        }
        // One without times is no subtitles, and holds nothing up.
        var now = (await clinic.Service.LoadAsync(ids[1], cancel: Cancel))!;
        await clinic.Service.EditAsync(ids[1], [new([now.Segments[0].Uid], [new("untimed", new TranscriptSegment(null, null, null, [new("untimed")]))])], "rita", "untimed", Cancel);
        using (var subtitles = new MemoryStream())
        {
            Assert.Equal(4, await bundle.WriteAsync(subtitles, TranscriptFilter.All, TranscriptFormat.Srt, "rita", Cancel));
            using var zip = new ZipArchive(subtitles, ZipArchiveMode.Read);
            Assert.Equal(3, zip.Entries.Count(e => e.FullName.EndsWith(".srt", StringComparison.Ordinal)));
            Assert.Contains($"\n,{ids[1]},", Encoding.UTF8.GetString(Bytes(zip, TranscriptBundle.Table)), StringComparison.Ordinal);
        }
        using var none = new MemoryStream();
        Assert.Equal("no-transcripts", (await Assert.ThrowsAsync<RefusedException>(() => bundle.WriteAsync(none, new TranscriptFilter(Text: "nothing"), TranscriptFormat.Txt, "rita", Cancel))).Refusal.Code);
        Assert.Equal(0, none.Length);
        await using var db = clinic.Library.Open();
        Assert.Equal(Enum.GetValues<TranscriptFormat>().Length + 2, await db.Audit.CountAsync(a => a.Action == "exported" && a.Who == "rita", Cancel));
        Assert.True(await db.Audit.AnyAsync(a => a.Details == $"4 as Srt, of recordings {ids[0]}–{ids[3]}", Cancel));

        static byte[] Bytes(ZipArchive zip, string name)
        {
            using var from = zip.GetEntry(name)!.Open();
            using var to = new MemoryStream();
            from.CopyTo(to);
            return to.ToArray();
        }
    }

    /// <summary>What a browser's connection is: it takes bytes in order, and only without being waited for.</summary>
    private sealed class Forward(Stream to) : Stream
    {
        public override bool CanRead => false;
        public override bool CanSeek => false;
        public override bool CanWrite => true;
        public override long Length => throw new NotSupportedException();
        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }
        public override void Flush() => throw new InvalidOperationException("Synchronous operations are disallowed.");
        public override Task FlushAsync(CancellationToken cancellationToken) => to.FlushAsync(cancellationToken);
        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();
        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();
        public override void Write(byte[] buffer, int offset, int count) => throw new InvalidOperationException("Synchronous operations are disallowed.");
        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => to.WriteAsync(buffer, cancellationToken);
        public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => to.WriteAsync(buffer, offset, count, cancellationToken);
    }

    private static async Task<Made> ClinicAsync()
    {
        var library = await TestLibrary.MakeAsync();
        var ids = new List<long>();
        await using (var db = library.Open())
        {
            var speaker = new Patient { Pseudonym = "S-000AB12CDE" };
            for (var i = 0; i < 4; i++)
            {
                var recording = new Recording { SourceHash = $"source {i}", BlobHash = $"blob {i}", Seconds = 20 + i, Speaker = i < 2 ? speaker : null };
                db.Recordings.Add(recording);
                await db.SaveChangesAsync(Cancel);
                ids.Add(recording.Id);
            }
        }
        string[][] texts = [["a small effusion"], ["?hart and ?Hart", "!monia"], ["?two", "and ?two"], ["a small X-ray", "an ?effusion,"]];
        var service = library.Get<TranscriptService>();
        for (var i = 0; i < 4; i++)
        {
            var transcript = new Transcript([.. texts[i].Select((t, s) => new TranscriptSegment(null, 5 * s, 5 * s + 4, [.. t.Split(' ').Select((w, k) => new TranscriptWord(w.TrimStart('?', '!'), 5 * s + k, 5 * s + k + 0.9, w[0] == '?' ? 0.3 : 0.9, w[0] == '!' ? 0.01 : 0.5))]))]);
            await service.StoreTranscribedAsync(ids[i], transcript, "Listener", $"run:{i}", Cancel);
        }
        return new Made(library, ids);
    }

    private sealed record Made(TestLibrary Library, IReadOnlyList<long> Ids) : IAsyncDisposable
    {
        public TranscriptService Service => Library.Get<TranscriptService>();

        public ValueTask DisposeAsync() => Library.DisposeAsync();
    }
}
