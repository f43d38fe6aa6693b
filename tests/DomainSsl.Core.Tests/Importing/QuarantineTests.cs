using DomainSsl.Core.Importing;
using Microsoft.EntityFrameworkCore;

namespace DomainSsl.Core.Tests.Importing;

public sealed class QuarantineTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Import_SameFileRefusedAgain_HasOneRow_OfTheLatestImport()
    {
        await using var library = await TestLibrary.MakeAsync();
        library.Put("text.dcm", "no scan"u8.ToArray());
        library.Put("empty.dcm", []);
        var first = await library.ImportAsync(library.In);
        var second = await library.ImportAsync(library.In);

        Assert.Equal((2, 2), (first.Refused.Count, second.Refused.Count));
        var rows = (await library.Get<Quarantine>().PageAsync(cancel: Cancel)).Rows;
        Assert.Equal(["empty.dcm", "text.dcm"], rows.Select(r => Path.GetFileName(r.File)).Order(StringComparer.Ordinal));
        Assert.All(rows, r => Assert.Equal(second.BatchId, r.BatchId));
    }

    [Fact]
    public async Task Import_FileRefusedForAnotherReason_KeepsTheFirstToo()
    {
        await using var library = await TestLibrary.MakeAsync();
        library.Put("1.dcm", []);
        await library.ImportAsync(library.In);
        library.Put("1.dcm", "no scan"u8.ToArray());
        await library.ImportAsync(library.In);
        Assert.Equal(["empty", "unknown-kind"], await CodesAsync(library));
    }

    [Fact]
    public async Task Import_FileThatWasMended_LeavesTheList_AlsoWhereItHadSeveralRows()
    {
        await using var library = await TestLibrary.MakeAsync();
        library.Put("1.dcm", []);
        library.Put("2.dcm", []);
        await library.ImportAsync(library.In);
        library.Put("1.dcm", TestScans.Scan(1)[..^100]);
        await library.ImportAsync(library.In);
        library.Put("1.dcm", TestScans.Scan(1));
        Assert.Equal(1, (await library.ImportAsync(library.In)).Imported);
        await using var db = library.Open();
        Assert.Equal("2.dcm", Path.GetFileName((await db.Quarantine.SingleAsync(Cancel)).File));
    }

    [Fact]
    public async Task Import_DroppedFileOfTheSameNameAndAnotherLength_IsAnotherFile()
    {
        await using var library = await TestLibrary.MakeAsync();
        var scan = TestScans.Scan(1);
        await DropAsync(library, "DICOM/IM1", scan[..^100]);
        await DropAsync(library, "DICOM/IM1", scan[..^50]);
        Assert.Equal(2, (await CodesAsync(library)).Count);
        await DropAsync(library, "DICOM/IM1", TestScans.Scan(2)); // the disk of somebody else
        Assert.Equal(2, (await CodesAsync(library)).Count);
        await DropAsync(library, "DICOM/IM1", scan[..^100]);
        Assert.Equal(2, (await CodesAsync(library)).Count);
    }

    [Fact]
    public async Task Import_DroppedFileThatCameInAfterAll_LeavesTheList()
    {
        await using var library = await TestLibrary.MakeAsync();
        await library.ImportAsync(library.Put("1.dcm", TestScans.Scan(1)), "all");
        await library.Get<DomainSsl.Core.Collections.CollectionService>().FreezeAsync("all", "test", Cancel);
        await DropAsync(library, "2.dcm", TestScans.Scan(2), "all");
        Assert.Equal(["collection-frozen"], await CodesAsync(library));
        await DropAsync(library, "2.dcm", TestScans.Scan(2), "others");
        Assert.Empty(await CodesAsync(library));
    }

    [Fact]
    public async Task Dismiss_TakesRowsOff_AndTheAuditLogHasIt_WithoutNames()
    {
        await using var library = await TestLibrary.MakeAsync();
        library.Put("Theodora.dcm", []);
        library.Put("text.dcm", "no scan"u8.ToArray());
        library.Put("text2.dcm", "no scan"u8.ToArray());
        var batch = (await library.ImportAsync(library.In)).BatchId;
        var quarantine = library.Get<Quarantine>();
        var rows = (await quarantine.PageAsync(cancel: Cancel)).Rows;

        Assert.Equal(1, await quarantine.DismissAsync([rows.Single(r => r.Code == "empty").Id], "admin", Cancel));
        Assert.Equal(2, await quarantine.DismissAsync([.. rows.Select(r => r.Id)], "admin", Cancel));
        Assert.Equal(0, await quarantine.DismissAsync([.. rows.Select(r => r.Id)], "admin", Cancel));

        Assert.Equal(0, (await quarantine.PageAsync(cancel: Cancel)).Total);
        await using var db = library.Open();
        var deeds = await db.Audit.Where(a => a.Action == "dismissed").OrderBy(a => a.Id).ToListAsync(Cancel);
        Assert.Equal([("admin", "1 refused file", $$"""{"codes":{"empty":1},"imports":[{{batch}}]}"""), ("admin", "2 refused files", $$"""{"codes":{"unknown-kind":2},"imports":[{{batch}}]}""")],
            deeds.Select(d => (d.Who, d.Subject, d.Details)));
        Assert.Null(await library.Get<DomainSsl.Core.Audit.AuditLog>().FirstBrokenAsync(Cancel));
    }

    private static async Task<List<string>> CodesAsync(TestLibrary library)
    {
        await using var db = library.Open();
        return await db.Quarantine.Select(q => q.Code).OrderBy(c => c).ToListAsync(Cancel);
    }

    private static Task<ImportSummary> DropAsync(TestLibrary library, string name, byte[] bytes, string? collection = null)
    {
        var path = library.Put("incoming/0.part", bytes);
        return library.Get<LibraryImport>().ImportAsync([path], new ImportRequest("anna", collection, Names: new Dictionary<string, string> { [path] = name }), cancel: Cancel);
    }
}
