using System.Text;
using DomainSsl.Core.Audit;
using DomainSsl.Core.Collections;
using DomainSsl.Core.Importing;
using DomainSsl.Core.Storage;
using DomainSsl.Core.Tasks;
using Microsoft.EntityFrameworkCore;

namespace DomainSsl.Core.Tests.Importing;

/// <summary>A table that says whose files are which were imported before it.</summary>
public sealed class NamedLaterTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Import_TableAfterItsRecordings_FillsInWhoSpeaks_AlsoInAFrozenCollectionsCount()
    {
        await using var library = await TestLibrary.MakeAsync();
        for (int i = 1; i <= 3; i++) library.Put($"t/{i}.wav", TestScans.Sound(i));
        await library.ImportAsync(library.At("in", "t"), "talks");
        var frozen = await library.Get<CollectionService>().FreezeAsync("talks", "cli:test", Cancel);
        var table = library.Put("t/list.csv", "file,speaker\n1.wav,anna\n2.wav,anna\n3.wav,ben\n"u8.ToArray());

        var summary = await library.ImportAsync(table);

        Assert.Equal((0, 3, 0, 3), (summary.Imported, summary.Duplicates, summary.Refused.Count, summary.Named));
        var secrets = library.Get<Secrets>();
        await using (var db = library.Open())
        {
            var found = await db.Items.OrderBy(i => i.RecordingId).Select(i => new { Item = i.Patient!.Pseudonym, Recording = i.Recording!.Speaker!.Pseudonym }).ToListAsync(Cancel);
            Assert.All(found, f => Assert.Equal(f.Item, f.Recording));
            Assert.Equal(new[] { "anna", "anna", "ben" }.Select(secrets.SpeakerPseudonym).Order(StringComparer.Ordinal), found.Select(f => f.Item).Order(StringComparer.Ordinal));
            var collection = await db.Collections.SingleAsync(Cancel);
            Assert.Equal((3, 2, frozen.Hash), (collection.Items, collection.Patients, collection.Hash));
        }
        var again = await library.ImportAsync(table, "more");
        Assert.Equal((3, 0, 0), (again.Duplicates, again.Refused.Count, again.Named));
        await using (var db = library.Open()) Assert.Equal(2, (await db.Collections.SingleAsync(c => c.Name == "more", Cancel)).Patients);
        Assert.Null(await library.Get<AuditLog>().FirstBrokenAsync(Cancel));
    }

    [Fact]
    public async Task Import_TableThatNamesAnotherSpeaker_IsRefusedForThatRow_AndChangesNothing()
    {
        await using var library = await TestLibrary.MakeAsync();
        for (int i = 1; i <= 2; i++) library.Put($"t/{i}.wav", TestScans.Sound(i));
        await library.ImportAsync(library.Put("t/list.csv", "file,speaker\n1.wav,anna\n2.wav,ben\n"u8.ToArray()));

        var summary = await library.ImportAsync(library.Put("t/list.csv", "file,speaker,text\n1.wav,ben,heart\n2.wav,ben,\n"u8.ToArray()), "talks");

        Assert.Equal((1, "speaker-differs", 0), (summary.Duplicates, Assert.Single(summary.Refused).Code, summary.Named));
        await using var db = library.Open();
        Assert.Equal(2, await db.Recordings.Select(r => r.SpeakerId).Distinct().CountAsync(Cancel));
        Assert.Equal((1, 2), (await db.CollectionItems.CountAsync(Cancel), await db.Patients.CountAsync(Cancel)));
        Assert.False(await db.Transcripts.AnyAsync(Cancel));
    }

    [Fact]
    public async Task Import_TableAfterScansOfNobody_NamesTheirPatient_AndTheTestLockFollows()
    {
        await using var library = await TestLibrary.MakeAsync();
        for (int i = 1; i <= 8; i++) library.Put($"s/{i}.dcm", TestScans.Scan(i, patient: "", study: i));
        library.Put("s/9.dcm", TestScans.Scan(9, "HOSP-9", study: 9));
        await library.ImportAsync(library.In, "chest");
        long collection;
        await using (var db = library.Open()) collection = (await db.Collections.SingleAsync(Cancel)).Id;
        var task = await library.Get<TaskService>().CreateAsync("effusion", "?", ["no", "yes"], collection, "anna", cancel: Cancel);
        var locked = await TestItemsAsync(library, task.Id);
        Assert.InRange(locked.Count, 2, 7); // of the nine, so that some are locked and some are not

        // Nine rows: the ninth's file says itself whose it is, and knows better.
        var table = library.Put("s/list.csv", Encoding.UTF8.GetBytes("file,patient\n" + string.Concat(Enumerable.Range(1, 9).Select(i => $"{i}.dcm,P{i}\n"))));
        var summary = await library.ImportAsync(table);

        Assert.Equal((9, 0, 8), (summary.Duplicates, summary.Refused.Count, summary.Named));
        Assert.Equal(locked, await TestItemsAsync(library, task.Id));
        var secrets = library.Get<Secrets>();
        await using (var db = library.Open())
        {
            var patients = await db.Items.OrderBy(i => i.Id).Select(i => new { Item = i.Patient!.Pseudonym, Study = i.Study!.Patient!.Pseudonym }).ToListAsync(Cancel);
            Assert.All(patients, p => Assert.Equal(p.Item, p.Study));
            Assert.Equal(Enumerable.Range(1, 8).Select(i => $"P{i}").Append("HOSP-9").Select(secrets.Deidentifier.Pseudonym).Order(StringComparer.Ordinal), patients.Select(p => p.Item).Order(StringComparer.Ordinal));
        }
        Assert.Equal((9, 0), ((await library.ImportAsync(table)).Duplicates, (await library.ImportAsync(table)).Named));

        var other = await library.ImportAsync(library.Put("s/list.csv", "file,patient\n1.dcm,P2\n"u8.ToArray()));
        Assert.Equal("patient-differs", Assert.Single(other.Refused).Code);
    }

    private static async Task<IReadOnlyList<long>> TestItemsAsync(TestLibrary library, long task)
    {
        await using var db = library.Open();
        return await db.Items.Where(i => db.TaskTestPatients.Any(t => t.TaskId == task && t.PatientId == i.PatientId)).Select(i => i.Id).Order().ToListAsync(Cancel);
    }
}
