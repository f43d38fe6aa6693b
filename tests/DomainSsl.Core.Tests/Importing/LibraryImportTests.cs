using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using DomainSsl.Core.Collections;
using DomainSsl.Core.Importing;
using DomainSsl.Core.Library;
using DomainSsl.Dicom;
using Microsoft.EntityFrameworkCore;

namespace DomainSsl.Core.Tests.Importing;

public sealed class LibraryImportTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Import_Folder_BringsScansAndSounds_WithStudyPatientAndItems()
    {
        await using var library = await TestLibrary.MakeAsync();
        for (int i = 1; i <= 3; i++) library.Put($"a/{i}.dcm", TestScans.Scan(i));
        library.Put("a/b/4", TestScans.Scan(4, "HOSP-0815", study: 2, frames: 3));
        library.Put("a/talk.wav", TestScans.Sound(1));

        var summary = await library.ImportAsync(library.In, "all");

        Assert.Equal((5, 0, 0), (summary.Imported, summary.Duplicates, summary.Refused.Count));
        await using var db = library.Open();
        Assert.Equal(2, await db.Studies.CountAsync(Cancel));
        Assert.Equal([3, 1], await db.Studies.OrderByDescending(s => s.Images).Select(s => s.Images).ToListAsync(Cancel));
        Assert.Equal(7, await db.Items.CountAsync(Cancel)); // 3 images, 3 frames, 1 sound
        Assert.Equal(2, await db.Patients.CountAsync(Cancel));
        var recording = await db.Recordings.SingleAsync(Cancel);
        Assert.Equal(("wav/pcm_s16le", 44_100, 2, 0.5), (recording.Codec, recording.SampleRate, recording.Channels, recording.Seconds));
        var collection = await db.Collections.SingleAsync(Cancel);
        Assert.Equal((7, 2), (collection.Items, collection.Patients));
        var batch = await db.ImportBatches.SingleAsync(Cancel);
        Assert.NotNull(batch.EndedAt);
        Assert.Equal((5, 5), (batch.Files, batch.Imported));
        Assert.Contains(await db.Audit.ToListAsync(Cancel), a => a.Action == "imported" && a.Who == "cli:test");
        await library.AssertWholeAsync();
    }

    [Fact]
    public async Task Import_SameFilesAgain_ChangesNothing()
    {
        await using var library = await TestLibrary.MakeAsync();
        for (int i = 1; i <= 5; i++) library.Put($"{i}.dcm", TestScans.Scan(i));
        library.Put("6.wav", TestScans.Sound(6));
        library.Put("same-as-1.dcm", TestScans.Scan(1));
        var first = await library.ImportAsync(library.In);
        Assert.Equal((6, 1), (first.Imported, first.Duplicates));
        var before = Counts(library);

        var again = await library.ImportAsync(library.In);

        Assert.Equal((0, 7, 0), (again.Imported, again.Duplicates, again.Refused.Count));
        Assert.Equal(before, Counts(library));
    }

    [Fact]
    public async Task Import_LeavesNoNameIdOrBirthDateAnywhereInTheDataFolder()
    {
        await using var library = await TestLibrary.MakeAsync();
        library.Put("scans/1.dcm", TestScans.Scan(1));
        library.Put("scans/2.dcm", TestScans.Scan(2));
        var table = library.Put("speech/list.csv", "file,speaker\ntalk.wav,Zacharias Uhlenhorst\n"u8.ToArray());
        library.Put("speech/talk.wav", TestScans.Sound(1));
        await library.ImportAsync(library.At("in", "scans"), "all");
        await library.ImportAsync(table);
        await library.Get<ItemImages>().RenderAsync(1, 160, Cancel);
        await using (var db = library.Open()) await db.Database.ExecuteSqlRawAsync("PRAGMA wal_checkpoint", Cancel);

        // Both as bytes of Latin letters and as UTF-16.
        var telling = new[] { "Wunderlich", "Theodora", "HOSP-4711", "19510417", "1.2.826.0.1.3680043.10.1400", "Zacharias", "Uhlenhorst" }
            .SelectMany(s => new[] { Encoding.UTF8.GetBytes(s), Encoding.Unicode.GetBytes(s) }).ToList();
        var files = Directory.GetFiles(library.Data, "*", SearchOption.AllDirectories);
        Assert.Contains(files, f => f.EndsWith("domainssl.db", StringComparison.Ordinal));
        foreach (var file in files)
        {
            using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            var bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            Assert.All(telling, s => Assert.True(bytes.AsSpan().IndexOf(s) < 0, $"{Path.GetFileName(file)} holds {Encoding.UTF8.GetString(s)}"));
        }
    }

    [Fact]
    public async Task Import_StoredFile_IsDicomWithTheSamePixels()
    {
        await using var library = await TestLibrary.MakeAsync();
        var original = TestScans.Scan(7, frames: 2);
        library.Put("7.dcm", original);
        await library.ImportAsync(library.In);
        await using var db = library.Open();
        var instance = await db.Instances.SingleAsync(Cancel);
        var stored = DicomFile.Read(library.Get<DomainSsl.Core.Storage.IBlobStore>().Read(instance.BlobHash));
        Assert.Equal(PixelHash.Compute(DicomImage.Of(DicomFile.Read(original))), PixelHash.Compute(DicomImage.Of(stored)));
        Assert.Equal(instance.Uid, stored.DataSet.GetString(DicomTags.SOPInstanceUID));
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(original)), instance.SourceHash);
        Assert.Equal((32, 32, 2), (instance.Rows, instance.Columns, instance.Frames));
    }

    [Fact]
    public async Task Import_BadFiles_AreRefusedOneByOne_AndTheGoodOneIsImported()
    {
        await using var library = await TestLibrary.MakeAsync();
        var good = TestScans.Scan(1);
        library.Put("good.dcm", good);
        library.Put("text.dcm", "not a scan"u8.ToArray());
        library.Put("short.dcm", good[..(good.Length / 2)]);
        library.Put("empty.dcm", []);
        library.Put("text.wav", "not a sound"u8.ToArray());
        library.Put("cut.wav", TestScans.Sound(1)[..1000]);
        library.Put("no-image.dcm", TestScans.Scan(2, change: d => d.Remove(DicomTags.PixelData)));
        library.Put("few-pixels.dcm", TestScans.Scan(3, change: d => d.SetUInt16(DicomTags.Rows, 4000)));
        library.Put("no-colours.dcm", TestScans.Scan(4, change: d => d.SetString(DicomTags.PhotometricInterpretation, "PALETTE COLOR")));
        library.Put("list.csv", "file\nx.dcm\n"u8.ToArray());
        library.Put("song.mp3", [.. "ID3"u8, .. new byte[200]]);

        var summary = await library.ImportAsync(library.In);

        Assert.Equal(1, summary.Imported);
        var codes = summary.Refused.ToDictionary(r => Path.GetFileName(r.File), r => r.Code);
        Assert.Equal(new Dictionary<string, string>
        {
            ["text.dcm"] = "unknown-kind", ["short.dcm"] = "truncated", ["empty.dcm"] = "empty", ["text.wav"] = "unknown-kind", ["cut.wav"] = "audio-truncated", ["no-image.dcm"] = "no-pixels",
            ["few-pixels.dcm"] = "truncated", ["no-colours.dcm"] = "unsupported-pixels", ["list.csv"] = "table", ["song.mp3"] = "audio-not-sound",
        }, codes);
        Assert.All(summary.Refused, r => Assert.Matches(@"^[A-Z0-9].{14,}\.$", r.Reason));
        var quarantine = await library.Get<Quarantine>().PageAsync(summary.BatchId, cancel: Cancel);
        Assert.Equal(summary.Refused.Select(r => r.File).Order(), quarantine.Rows.Select(q => q.File).Order());
        await library.AssertWholeAsync();
    }

    [Fact]
    public async Task Import_Zip_BringsItsEntries_AndRefusesOnesThatLeadOutOrExplode()
    {
        await using var library = await TestLibrary.MakeAsync();
        var zip = library.Put("scans.zip", Zip(
            ("deep/1.dcm", TestScans.Scan(1)), ("../../escaped.dcm", TestScans.Scan(2)), ("/rooted.dcm", TestScans.Scan(3)), (@"..\windows.dcm", TestScans.Scan(4)),
            ("bomb.dcm", new byte[200_000_000]), ("inner.zip", Zip(("5.dcm", TestScans.Scan(5)))), ("talk.wav", TestScans.Sound(1)), ("nothing.dcm", []), (".DS_Store", [1])));

        var summary = await library.ImportAsync(zip);

        Assert.Equal(2, summary.Imported);
        // Several are looked into at once, and listed as they are done.
        Assert.Equal(["empty", "zip-bomb", "zip-nested", "zip-outside", "zip-outside", "zip-outside"], summary.Refused.Select(r => r.Code).Order(StringComparer.Ordinal));
        Assert.Contains(summary.Refused, r => r.File == zip + "!../../escaped.dcm");
        Assert.Empty(Directory.GetFiles(library.At(), "*escaped*", SearchOption.AllDirectories));
        Assert.Empty(Directory.GetFiles(library.At("data", "incoming")));
    }

    [Fact]
    public async Task Import_ZipWhoseEntriesUnpackToMoreThanTheySay_StopsUnpacking()
    {
        await using var library = await TestLibrary.MakeAsync();
        var honest = Zip(("big.dcm", new byte[50_000]));
        // The claimed length (22 bytes into the local header, 24 into the central one) is made smaller than what comes out.
        Patch(honest, "PK\x03\x04"u8, 22);
        Patch(honest, "PK\x01\x02"u8, 24);
        var summary = await library.ImportAsync(library.Put("liar.zip", honest));
        Assert.Equal(0, summary.Imported);
        Assert.Contains(Assert.Single(summary.Refused).Code, (string[])["zip-bomb", "zip-damaged"]);

        var broken = Zip(("1.dcm", TestScans.Scan(1)));
        Assert.Equal("zip-damaged", Assert.Single((await library.ImportAsync(library.Put("cut.zip", broken[..(broken.Length / 2)]))).Refused).Code);

        static void Patch(byte[] zip, ReadOnlySpan<byte> mark, int offset) => BitConverter.TryWriteBytes(zip.AsSpan(zip.AsSpan().IndexOf(mark) + offset), 1000);
    }

    [Fact]
    public async Task Import_TooManyEntries_RefusesTheZip()
    {
        await using var library = await TestLibrary.MakeAsync(new ImportOptions { MaxZipEntries = 2 });
        var zip = library.Put("a.zip", Zip(("1", TestScans.Scan(1)), ("2", TestScans.Scan(2)), ("3", TestScans.Scan(3))));
        Assert.Equal("zip-too-large", Assert.Single((await library.ImportAsync(zip)).Refused).Code);
    }

    [Fact]
    public async Task Import_TableFromTheBrowser_ReachesNoFileOutsideItsOwnFolder_ThatOfTheCommandLineDoes()
    {
        await using var library = await TestLibrary.MakeAsync();
        var elsewhere = library.Put("server/private.wav", TestScans.Sound(2));
        var own = library.Put("upload/0.part", TestScans.Sound(1));
        var beside = library.Put("upload/2.part", TestScans.Sound(3)); // of an upload that nobody ended, say
        var table = library.Put("upload/table.csv", Encoding.UTF8.GetBytes($"file,speaker\nown.wav,a\n../server/private.wav,b\n{elsewhere},c\n2.part,d\n"));
        Task<ImportSummary> Import(IReadOnlyDictionary<string, string>? names) => library.Get<LibraryImport>().ImportAsync(names is null ? [table] : [table, own], new ImportRequest("web:anna", Names: names), cancel: Cancel);

        var dropped = await Import(new Dictionary<string, string> { [table] = "table.csv", [own] = "own.wav" });
        Assert.Equal(1, dropped.Imported);
        Assert.Equal(["not-dropped", "outside-folder", "outside-folder"], dropped.Refused.Select(r => r.Code).Order());
        Assert.DoesNotContain(dropped.Refused, r => r.File.Contains(Path.GetDirectoryName(beside)!, StringComparison.Ordinal));
        await using (var db = library.Open()) Assert.Equal(1, await db.Recordings.CountAsync(Cancel));

        // Who may start the program may read what it reads.
        Assert.Equal(2, (await Import(null)).Imported);
    }

    [Fact]
    public async Task Import_Table_TakesFilesRelativeToIt_AndSpeakersAsPseudonyms()
    {
        await using var library = await TestLibrary.MakeAsync();
        for (int i = 1; i <= 3; i++) library.Put($"t/sounds/{i}.wav", TestScans.Sound(i));
        library.Put("t/unlisted.dcm", TestScans.Scan(9));
        var table = library.Put("t/list.csv", "\uFEFFfile;speaker;text\r\nsounds/1.wav;anna;\"one; two\"\r\nsounds/2.wav;anna;x\r\nsounds/3.wav;ben;y\r\nsounds/4.wav;ben;z\r\n"u8.ToArray());

        var summary = await library.ImportAsync(table);

        Assert.Equal((3, "not-found"), (summary.Imported, Assert.Single(summary.Refused).Code));
        await using var db = library.Open();
        var speakers = await db.Recordings.OrderBy(r => r.Id).Select(r => r.Speaker!.Pseudonym).ToListAsync(Cancel);
        Assert.Equal(2, speakers.Distinct().Count());
        Assert.All(speakers, s => Assert.Matches("^S-[0-9A-Z]{10}$", s));
    }

    [Fact]
    public async Task Import_DicomDir_TakesWhatItLists_AndNothingOutsideItsFolder()
    {
        await using var library = await TestLibrary.MakeAsync();
        library.Put("cd/IMAGES/A1", TestScans.Scan(1));
        library.Put("outside", TestScans.Scan(2));
        library.Put("cd/IMAGES/UNLISTED", TestScans.Scan(3));
        var directory = new DicomDataSet();
        directory.Set(new DicomElement(DicomTags.DirectoryRecordSequence, [.. new[] { @"IMAGES\A1", @"IMAGES\MISSING", @"..\outside" }.Select(name =>
        {
            var record = new DicomDataSet(directory);
            record.SetString(DicomTags.ReferencedFileID, name);
            return record;
        })]));
        directory.SetString(DicomTags.SOPClassUID, "1.2.840.10008.1.3.10");
        directory.SetString(DicomTags.SOPInstanceUID, "1.2.826.0.1.3680043.10.1400.9.1");
        var path = library.Put("cd/DICOMDIR", new DicomFile(directory, TransferSyntax.ExplicitLittle).ToBytes());

        var summary = await library.ImportAsync(path);
        Assert.Equal(1, summary.Imported);
        Assert.Equal(["not-found", "outside-folder"], summary.Refused.Select(r => r.Code));

        // In a folder it is no scan and no fault: its files are met anyway.
        var whole = await library.ImportAsync(library.At("in", "cd"));
        Assert.Equal((1, 1, 0), (whole.Imported, whole.Duplicates, whole.Refused.Count));
    }

    [Fact]
    public async Task Import_SameImageUnderAnotherName_IsADuplicate_FoundByBothHashes()
    {
        await using var library = await TestLibrary.MakeAsync();
        var (a, b) = (TestScans.Scan(1, name: "Wunderlich^Theodora"), TestScans.Scan(1, name: "Wunderlich-Meier^Theodora"));
        Assert.Equal(1, (await library.ImportAsync(library.Put("a.dcm", a))).Imported);
        Assert.Equal(1, (await library.ImportAsync(library.Put("b.dcm", b))).Duplicates);
        Assert.Equal(1, (await library.ImportAsync(library.At("in", "b.dcm"))).Duplicates);
        string[] hashes = [.. new[] { a, b }.Select(x => Convert.ToHexStringLower(SHA256.HashData(x)))];
        var found = await library.Get<LibraryQuery>().ItemsBySourceAsync(hashes, Cancel);
        Assert.Equal(2, found.Count);
        Assert.Equal(found[hashes[0]][0].Id, Assert.Single(found[hashes[1]]).Id);
    }

    [Fact]
    public async Task Import_SameUidWithOtherPixels_IsRefused()
    {
        await using var library = await TestLibrary.MakeAsync();
        await library.ImportAsync(library.Put("a.dcm", TestScans.Scan(1)));
        var other = library.Put("b.dcm", TestScans.Scan(2, change: d => d.SetString(DicomTags.SOPInstanceUID, "1.2.826.0.1.3680043.10.1400.1.1")));
        Assert.Equal("conflicting-instance", Assert.Single((await library.ImportAsync(other)).Refused).Code);
    }

    [Fact]
    public async Task Import_ThreeAtOnceOfTheSameFolder_BringEachFileOnce()
    {
        await using var library = await TestLibrary.MakeAsync();
        for (int i = 1; i <= 60; i++) library.Put($"{i:000}.dcm", TestScans.Scan(i, $"P{i % 7}", study: i % 7));
        var all = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => Task.Run(() => library.ImportAsync(library.In, "all"))));
        Assert.Equal(60, all.Sum(s => s.Imported));
        Assert.Equal(120, all.Sum(s => s.Duplicates));
        await using var db = library.Open();
        Assert.Equal((60, 60, 60, 7), (await db.Instances.CountAsync(Cancel), await db.Items.CountAsync(Cancel), await db.CollectionItems.CountAsync(Cancel), await db.Patients.CountAsync(Cancel)));
        Assert.Equal((60, 7), ((await db.Collections.SingleAsync(Cancel)).Items, (await db.Collections.SingleAsync(Cancel)).Patients));
        Assert.Null(await library.Get<DomainSsl.Core.Audit.AuditLog>().FirstBrokenAsync(Cancel));
    }

    [Fact]
    public async Task Import_IntoFrozenCollection_TakesWhatIsInIt_AndRefusesTheNew()
    {
        await using var library = await TestLibrary.MakeAsync();
        library.Put("a/1.dcm", TestScans.Scan(1));
        library.Put("a/2.dcm", TestScans.Scan(2));
        await library.ImportAsync(library.In, "all");
        var frozen = await library.Get<CollectionService>().FreezeAsync("all", "cli:test", Cancel);

        var again = await library.ImportAsync(library.In, "all");
        Assert.Equal((0, 2, 0), (again.Imported, again.Duplicates, again.Refused.Count));

        await library.ImportAsync(library.Put("b/3.dcm", TestScans.Scan(3)));
        library.Put("b/4.dcm", TestScans.Scan(4));
        var more = await library.ImportAsync(library.At("in", "b"), "all");
        Assert.Equal(["collection-frozen", "collection-frozen"], more.Refused.Select(r => r.Code));
        await using var db = library.Open();
        Assert.Equal(3, await db.Instances.CountAsync(Cancel));
        Assert.Equal(frozen.Hash, (await library.Get<CollectionService>().FindAsync("all", Cancel)).Hash);
        Assert.Equal(2, await db.CollectionItems.CountAsync(Cancel));
    }

    [Fact]
    public async Task Import_Cancelled_KeepsWhatWasToldAndCanBeRunAgain()
    {
        await using var library = await TestLibrary.MakeAsync(new ImportOptions { Workers = 1 });
        for (int i = 1; i <= 400; i++) library.Put($"{i:000}.dcm", TestScans.Scan(i));
        using var cancel = new CancellationTokenSource();
        int told = 0;
        var progress = new Told(p =>
        {
            told = p.Imported;
            cancel.Cancel();
        });
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            library.Get<LibraryImport>().ImportAsync([library.In], new ImportRequest("cli:test", "all"), progress, cancel.Token));
        await using var db = library.Open();
        int kept = await db.Instances.CountAsync(Cancel);
        Assert.InRange(told, 1, 399);
        Assert.Equal(told, kept);
        Assert.NotNull((await db.ImportBatches.SingleAsync(Cancel)).EndedAt);
        var rest = await library.ImportAsync(library.In, "all");
        Assert.Equal((400 - kept, kept), (rest.Imported, rest.Duplicates));
    }

    [Fact]
    public async Task Import_KeepingOriginals_StoresThemUntouched_AndOnlyThen()
    {
        await using var library = await TestLibrary.MakeAsync();
        var original = TestScans.Scan(1);
        await library.Get<LibraryImport>().ImportAsync([library.Put("1.dcm", original)], new ImportRequest("cli:test", KeepOriginals: true), cancel: Cancel);
        await library.ImportAsync(library.Put("2.dcm", TestScans.Scan(2)));
        await using var db = library.Open();
        var kept = await db.Instances.OrderBy(i => i.Id).Select(i => i.OriginalBlobHash).ToListAsync(Cancel);
        Assert.Equal(original, library.Get<DomainSsl.Core.Storage.IBlobStore>().Read(kept[0]!));
        Assert.Null(kept[1]);
    }

    private static (int, int, int, int, int, int) Counts(TestLibrary library)
    {
        using var db = library.Open();
        return (db.Instances.Count(), db.Recordings.Count(), db.Items.Count(), db.Studies.Count(), db.Patients.Count(), library.Get<DomainSsl.Core.Storage.IBlobStore>().All().Count());
    }

    private static byte[] Zip(params (string Name, byte[] Bytes)[] entries)
    {
        var stream = new MemoryStream();
        using (var zip = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (var (name, bytes) in entries)
            {
                using var entry = zip.CreateEntry(name).Open();
                entry.Write(bytes);
            }
        }
        return stream.ToArray();
    }

    private sealed class Told(Action<ImportProgress> tell) : IProgress<ImportProgress>
    {
        public void Report(ImportProgress value) => tell(value);
    }
}
