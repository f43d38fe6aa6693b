using DomainSsl.Core.Importing;
using DomainSsl.Core.Storage;
using DomainSsl.Core.Transcripts;
using DomainSsl.Dicom;
using Microsoft.EntityFrameworkCore;

namespace DomainSsl.Core.Tests.Importing;

/// <summary>What was dropped in the browser: it lies under numbers, and its lists speak of the names it had.</summary>
public sealed class DroppedFilesTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Import_DroppedPatientCd_BringsEachImageOnce_AndRefusesOnlyWhatIsMissing()
    {
        await using var library = await TestLibrary.MakeAsync();
        var summary = await DropAsync(library, ("CD/DICOMDIR", DicomDir(@"IMAGES\IM1", @"IMAGES\IM2", @"IMAGES\MISSING", @"..\..\outside")), ("CD/images/im1", TestScans.Scan(1)),
            ("CD/IMAGES/IM2", TestScans.Scan(2)), ("CD/IMAGES/UNLISTED", TestScans.Scan(3)), ("CD/README.TXT", "A CD."u8.ToArray()));

        Assert.Equal((3, 0), (summary.Imported, summary.Duplicates));
        Assert.Equal([("../../outside", "outside-folder"), ("CD/IMAGES/MISSING", "not-dropped"), ("CD/README.TXT", "unknown-kind")],
            summary.Refused.Select(r => (r.File, r.Code)).OrderBy(r => r.File, StringComparer.Ordinal));
    }

    [Fact]
    public async Task Import_DroppedTable_GivesItsFilesTheirSpeakerPatientAndText_EachOnce()
    {
        await using var library = await TestLibrary.MakeAsync();
        var wav = TestSpeech.Wav(TestSpeech.Dictation(1), 1);
        var summary = await DropAsync(library, ("talks/sounds/1.wav", wav), ("talks/sounds/2.wav", TestScans.Sound(2)), ("talks/loose.wav", TestScans.Sound(3)), ("scans/4", TestScans.Scan(4, patient: "")),
            ("talks/who.csv", "file,speaker,patient\nsounds/1.wav,anna,\nsounds\\2.wav,ben,\n../scans/4,,HOSP-4711\nsounds/5.wav,ben,\n"u8.ToArray()),
            ("talks/what.csv", "file,text\nsounds/1.wav,the heart is normal\n"u8.ToArray()), ("scans/5", TestScans.Scan(5, patient: "HOSP-4711")));

        Assert.Equal((5, 0), (summary.Imported, summary.Duplicates));
        Assert.Equal(("talks/sounds/5.wav", "not-dropped"), summary.Refused.Select(r => (r.File, r.Code)).Single());
        Assert.Equal("the heart is normal", Assert.Single(await library.Get<TranscriptService>().TrainingRowsAsync(Cancel)).Text);
        var secrets = library.Get<Secrets>();
        await using var db = library.Open();
        var speakers = await db.Recordings.Select(r => r.Speaker == null ? null : r.Speaker.Pseudonym).ToListAsync(Cancel);
        Assert.Equal([null, .. new[] { secrets.SpeakerPseudonym("anna"), secrets.SpeakerPseudonym("ben") }.Order(StringComparer.Ordinal)], speakers.Order(StringComparer.Ordinal));
        Assert.Equal(secrets.Deidentifier.Pseudonym("HOSP-4711"), Assert.Single(await db.Items.Where(i => i.InstanceId != null).Select(i => i.Patient!.Pseudonym).Distinct().ToListAsync(Cancel)));
    }

    [Fact]
    public async Task Import_ClutterOfDesktopsInADroppedFolder_IsPassedOver_AndTheRestIsNot()
    {
        await using var library = await TestLibrary.MakeAsync();
        var summary = await DropAsync(library, ("scans/.DS_Store", [1]), ("scans/Thumbs.db", [1]), ("scans/desktop.ini", [1]), ("__MACOSX/scans/._1.dcm", [1]), ("scans/__MACOSX/x", [1]), ("scans/1.dcm", TestScans.Scan(1)),
            ("scans/2.dcm", "no scan"u8.ToArray()));
        Assert.Equal((1, 0), (summary.Imported, summary.Duplicates));
        Assert.Equal("scans/2.dcm", Assert.Single(summary.Refused).File);
    }

    [Fact]
    public async Task Import_DroppedTableThatIsDamaged_IsRefusedUnderItsName_AndItsFilesComeWithoutIt()
    {
        await using var library = await TestLibrary.MakeAsync();
        var summary = await DropAsync(library, ("t/list.csv", "file,speaker\n1.wav\n"u8.ToArray()), ("t/1.wav", TestScans.Sound(1)));
        Assert.Equal(1, summary.Imported);
        var refused = Assert.Single(summary.Refused);
        Assert.Equal(("t/list.csv", "table-damaged"), (refused.File, refused.Code));
        Assert.StartsWith("The table, line 2:", refused.Reason, StringComparison.Ordinal); // not the number that it lies under here
    }

    private static Task<ImportSummary> DropAsync(TestLibrary library, params (string Name, byte[] Bytes)[] files)
    {
        var names = files.Select((f, i) => (Path: library.Put($"incoming/{i}.part", f.Bytes), f.Name)).ToDictionary(f => f.Path, f => f.Name);
        return library.Get<LibraryImport>().ImportAsync([.. names.Keys], new ImportRequest("web:anna", Names: names), cancel: Cancel);
    }

    private static byte[] DicomDir(params string[] files)
    {
        var directory = new DicomDataSet();
        directory.Set(new DicomElement(DicomTags.DirectoryRecordSequence, [.. files.Select(name =>
        {
            var record = new DicomDataSet(directory);
            record.SetString(DicomTags.ReferencedFileID, name);
            return record;
        })]));
        directory.SetString(DicomTags.SOPClassUID, "1.2.840.10008.1.3.10");
        directory.SetString(DicomTags.SOPInstanceUID, "1.2.826.0.1.3680043.10.1400.9.1");
        return new DicomFile(directory, TransferSyntax.ExplicitLittle).ToBytes();
    }
}
