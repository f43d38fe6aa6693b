using DomainSsl.Core.Importing;
using Microsoft.EntityFrameworkCore;

namespace DomainSsl.Core.Tests.Importing;

/// <summary>An import whose process died, gone on with by another.</summary>
public sealed class ContinuedImportTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Import_GoneOnWith_StaysOneImport_AndCountsWhatItBroughtInAsNew()
    {
        await using var library = await TestLibrary.MakeAsync();
        var known = library.Put("known.dcm", TestScans.Scan(9));
        await library.ImportAsync(known);
        string[] files =
        [
            known, library.Put("1.dcm", TestScans.Scan(1)), library.Put("2.wav", TestScans.Sound(2)), library.Put("same-as-1.dcm", TestScans.Scan(1)),
            library.Put("text.dcm", "no scan"u8.ToArray()), library.Put("3.dcm", TestScans.Scan(3)), library.Put("same-as-3.dcm", TestScans.Scan(3)), library.Put("4.wav", TestScans.Sound(4)),
        ];

        var batch = await CutOffAsync(library, files[..3], null);
        Assert.Equal(batch, await CutOffAsync(library, files[..6], batch));
        var reports = new List<ImportedFile>();
        var summary = await library.Get<LibraryImport>().ImportAsync(files, new ImportRequest("anna", Continues: batch), new Each(p => reports.AddRange(p.Latest)), Cancel);

        Assert.Equal((batch, 4, 3, 1), (summary.BatchId, summary.Imported, summary.Duplicates, summary.Refused.Count));
        Assert.Equal(["1.dcm", "2.wav", "3.dcm", "4.wav"], Names(reports.Where(r => r.Outcome == ImportOutcome.Imported)));
        await using var db = library.Open();
        var row = await db.ImportBatches.SingleAsync(b => b.By == "anna", Cancel);
        Assert.Equal((8, 4, 3, 1), (row.Files, row.Imported, row.Duplicates, row.Refused));
        Assert.NotNull(row.EndedAt);
        Assert.Equal(batch, (await db.Quarantine.SingleAsync(Cancel)).BatchId);
        await library.AssertWholeAsync();
    }

    [Fact]
    public async Task Import_OtherBytesOfAnImageThatCameBefore_AreKnownAlready_AlsoWhenGoneOnWith()
    {
        await using var library = await TestLibrary.MakeAsync();
        string[] files = [library.Put("1.dcm", TestScans.Scan(1)), library.Put("renamed.dcm", TestScans.Scan(1, name: "Another^Name"))];
        var batch = await CutOffAsync(library, files, null);
        var summary = await library.Get<LibraryImport>().ImportAsync(files, new ImportRequest("anna", Continues: batch), cancel: Cancel);
        Assert.Equal((1, 1), (summary.Imported, summary.Duplicates));
    }

    [Fact]
    public async Task Import_GoingOnWithSomebodyElses_IsANewOne()
    {
        await using var library = await TestLibrary.MakeAsync();
        var file = library.Put("1.dcm", TestScans.Scan(1));
        var theirs = (await library.ImportAsync(file)).BatchId;
        foreach (var id in (long[])[theirs, 4711])
        {
            var summary = await library.Get<LibraryImport>().ImportAsync([file], new ImportRequest("anna", Continues: id), cancel: Cancel);
            Assert.NotEqual(id, summary.BatchId);
            Assert.Equal((0, 1), (summary.Imported, summary.Duplicates));
        }
    }

    /// <summary>Imports and leaves the row as a process that was killed does.</summary>
    private static async Task<long> CutOffAsync(TestLibrary library, string[] files, long? continues)
    {
        long told = 0;
        var summary = await library.Get<LibraryImport>().ImportAsync(files, new ImportRequest("anna", Continues: continues, Begun: id => told = id), cancel: Cancel);
        Assert.Equal(summary.BatchId, told);
        await using var db = library.Open();
        await db.ImportBatches.Where(b => b.Id == told).ExecuteUpdateAsync(b => b.SetProperty(x => x.EndedAt, (DateTime?)null), Cancel);
        return told;
    }

    // Which of two files of the same bytes comes first is chance.
    private static IEnumerable<string> Names(IEnumerable<ImportedFile> files) => files.Select(f => Path.GetFileName(f.File).Replace("same-as-", "", StringComparison.Ordinal)).Order(StringComparer.Ordinal);

    private sealed class Each(Action<ImportProgress> told) : IProgress<ImportProgress>
    {
        public void Report(ImportProgress value) => told(value);
    }
}
