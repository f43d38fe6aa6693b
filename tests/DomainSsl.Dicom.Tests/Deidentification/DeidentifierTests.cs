using System.Text;
using System.Text.RegularExpressions;
using DomainSsl.Testing;

namespace DomainSsl.Dicom.Tests.Deidentification;

public class DeidentifierTests
{
    private static readonly byte[] Key = [.. Enumerable.Range(1, 32).Select(i => (byte)i)];
    private readonly Deidentifier _deidentifier = new(Key);

    [Fact]
    public void Deidentify_FileFullOfTheirPerson_LeavesNothingOfThem()
    {
        var file = Telling();
        var text = Encoding.Latin1.GetString(_deidentifier.Deidentify(file).File.ToBytes());
        foreach (var secret in (string[])["Grimm", "Wilhelmina", "KH-4711", "4711", "20210314", "19500229", "Charité", "Charit", "Virchow", "030-1234", "ACC-99", "SN-553", Synthetic.Uid,
            "Nachbar", "MRN", "secret-private", "2021-03-14", "RIS-7"])
            Assert.DoesNotContain(secret, text, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void Deidentify_WhatTheModelNeeds_Stays()
    {
        var clean = _deidentifier.Deidentify(Telling()).File.DataSet;
        Assert.Equal(("CT", "F", "CHEST", "B30f", "ACME", "065Y"), (clean.GetString(DicomTags.Modality), clean.GetString(DicomTags.PatientSex), clean.GetString(DicomTags.BodyPartExamined),
            clean.GetString(DicomTags.ConvolutionKernel), clean.GetString(DicomTags.Manufacturer), clean.GetString(DicomTags.PatientAge)));
        Assert.Equal("T-28000", clean.GetItems(DicomTags.AnatomicRegionSequence)[0].GetString(DicomTags.CodeValue));
        Assert.Equal("YES", clean.GetString(DicomTags.PatientIdentityRemoved));
        Assert.NotNull(clean.GetString(DicomTags.DeidentificationMethod));
        Assert.Equal(3, clean.GetItems(DicomTags.DeidentificationMethodCodeSequence).Count);
    }

    [Fact]
    public void Deidentify_SamePatientInTwoFiles_KeepsPseudonymReferencesAndIntervals()
    {
        var (first, second) = (Telling(), Telling());
        second.DataSet.SetString(DicomTags.SOPInstanceUID, "1.2.826.0.1.3680043.10.1400.99.77");
        second.DataSet.SetString(DicomTags.StudyDate, "20210401");
        var (a, b) = (_deidentifier.Deidentify(first), _deidentifier.Deidentify(second));
        Assert.Equal(a.Patient, b.Patient);
        Assert.Equal(a.File.DataSet.GetString(DicomTags.StudyInstanceUID), b.File.DataSet.GetString(DicomTags.StudyInstanceUID));
        Assert.NotEqual(a.File.DataSet.GetString(DicomTags.SOPInstanceUID), b.File.DataSet.GetString(DicomTags.SOPInstanceUID));
        // The first refers to itself; the reference still meets.
        Assert.Equal(a.File.DataSet.GetString(DicomTags.SOPInstanceUID), a.File.DataSet.GetItems(DicomTags.SourceImageSequence)[0].GetString(DicomTags.ReferencedSOPInstanceUID));
        Assert.Equal(18, b.File.DataSet.GetDate(DicomTags.StudyDate)!.Value.DayNumber - a.File.DataSet.GetDate(DicomTags.StudyDate)!.Value.DayNumber);
        Assert.NotEqual("20210314", a.File.DataSet.GetString(DicomTags.StudyDate));
    }

    [Fact]
    public void Deidentify_Twice_GivesTheSameBytes() =>
        Assert.Equal(_deidentifier.Deidentify(Telling()).File.ToBytes(), new Deidentifier(Key).Deidentify(Telling()).File.ToBytes());

    [Fact]
    public void Deidentify_OtherKey_GivesOtherPseudonyms()
    {
        var (a, b) = (_deidentifier.Deidentify(Telling()), new Deidentifier(new byte[32]).Deidentify(Telling()));
        Assert.NotEqual(a.Patient, b.Patient);
        Assert.NotEqual(a.File.DataSet.GetString(DicomTags.SOPInstanceUID), b.File.DataSet.GetString(DicomTags.SOPInstanceUID));
    }

    [Fact]
    public void Pseudonym_ManyPatients_AreDistinctAndReadable()
    {
        var all = Enumerable.Range(0, 50_000).Select(i => _deidentifier.Pseudonym($"PAT{i}")).ToHashSet();
        Assert.Equal(50_000, all.Count);
        Assert.All(all, p => Assert.Matches("^P-[0-9A-HJKMNP-TV-Z]{10}$", p));
    }

    [Fact]
    public void ShiftDays_ManyPatients_StayWithinAYearAndNeverZero()
    {
        var days = Enumerable.Range(0, 20_000).Select(i => _deidentifier.ShiftDays($"PAT{i}")).ToArray();
        Assert.Equal((-365, 365), (days.Min(), days.Max()));
        Assert.DoesNotContain(0, days);
        Assert.InRange(days.Average(), -6, 6);
    }

    [Fact]
    public void Uid_Replacement_IsValid()
    {
        for (var i = 0; i < 1000; i++)
        {
            var uid = _deidentifier.ReplaceUid($"1.2.3.{i}");
            Assert.Matches(@"^2\.25\.[1-9][0-9]{1,38}$", uid);
            Assert.True(uid.Length <= 64);
        }
    }

    [Fact]
    public void Deidentify_Pixels_AreCarriedThroughByteForByte()
    {
        var file = DicomFile.Read(TestFiles.ChestXray);
        var again = DicomFile.Read(_deidentifier.Deidentify(file).File.ToBytes());
        Assert.Equal(PixelHash.Compute(DicomImage.Of(file)), PixelHash.Compute(DicomImage.Of(again)));
        Assert.Equal(file.DataSet[DicomTags.PixelData]!.Fragments!.Parts[0].ToArray(), again.DataSet[DicomTags.PixelData]!.Fragments!.Parts[0].ToArray());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(11)] // the header goes on in the next fragment, in mid-comment
    public void Deidentify_TextWithinACompressedPicture_IsBlankedAndEverythingElseStays(int cutAt)
    {
        var file = DicomFile.Read(TestFiles.ChestXray);
        var plain = file.DataSet[DicomTags.PixelData]!.Fragments!.Parts[0].ToArray();
        static byte[] Segment(byte marker, string text) => [0xFF, marker, 0, (byte)(text.Length + 2), .. System.Text.Encoding.ASCII.GetBytes(text)];
        byte[] telling = [0xFF, 0xD8, .. Segment(0xFE, "Smith^John"), .. Segment(0xE1, "Exif Smith John"), .. plain.AsSpan(2)];
        var hash = PixelHash.Compute(DicomImage.Of(file));
        file.DataSet.Set(new DicomElement(DicomTags.PixelData, DicomVr.OB, new DicomFragments([], cutAt == 0 ? [telling] : [telling.AsMemory(0, cutAt), telling.AsMemory(cutAt)])));
        var clean = _deidentifier.Deidentify(file).File;
        var bytes = clean.DataSet[DicomTags.PixelData]!.Fragments!.Parts.SelectMany(p => p.ToArray()).ToArray();
        Assert.Equal(telling.Length, bytes.Length);
        Assert.DoesNotContain("Smith", System.Text.Encoding.Latin1.GetString(bytes), StringComparison.Ordinal);
        Assert.Equal(hash, PixelHash.Compute(DicomImage.Of(clean)));
        Assert.Contains("Smith", System.Text.Encoding.Latin1.GetString(telling), StringComparison.Ordinal);
    }

    [Fact]
    public void Deidentify_WrittenFile_DcmtkReadsWithoutComplaint()
    {
        using var folder = new TemporaryFolder();
        _deidentifier.Deidentify(Telling()).File.Write(folder.At("a.dcm"));
        var said = TestFiles.Peer("dcmdump", folder.At("a.dcm"));
        Assert.DoesNotContain("W:", said);
        Assert.DoesNotContain("E:", said);
    }

    [Fact]
    public void Deidentify_EveryReadableFileOfTheSet_LeavesNoNameIdDateOrUid()
    {
        var (files, values, leaks) = (0, 0, new List<string>());
        foreach (var row in TestFiles.Manifest().Where(r => r.Expect == "parse"))
        {
            var file = DicomFile.Read(row.Path);
            byte[] bytes;
            try
            {
                var clean = _deidentifier.Deidentify(file).File;
                clean.DataSet.Remove(DicomTags.PixelData);
                bytes = clean.ToBytes();
            }
            catch (DicomException e) when (e.Code == DicomErrors.MissingElement) { continue; }
            files++;
            var text = Encoding.Latin1.GetString(bytes);
            var secrets = new HashSet<string>();
            Collect(file.DataSet, secrets);
            Collect(file.Meta, secrets);
            foreach (var secret in secrets)
            {
                values++;
                if (Regex.IsMatch(text, $"(?<![0-9A-Za-z.]){Regex.Escape(secret)}(?![0-9A-Za-z])")) leaks.Add($"{row.File}: {secret}");
            }
        }
        Assert.True(leaks.Count == 0, $"{files} files, {values} values, {leaks.Count} left:\n{string.Join('\n', leaks.Take(40))}");
        Assert.True(files > 400 && values > 4_000, $"only {files} files and {values} values were looked at");
    }

    // What the standard calls a person's: every name, date and UID but those of classes, and the usual identifiers.
    private static void Collect(DicomDataSet data, HashSet<string> secrets)
    {
        string[] named = ["PatientID", "OtherPatientIDs", "AccessionNumber", "PatientAddress", "PatientTelephoneNumbers", "InstitutionName", "InstitutionAddress", "StationName", "DeviceSerialNumber"];
        foreach (var element in data)
        {
            foreach (var item in element.Items ?? []) Collect(item, secrets);
            var name = DicomDictionary.Name(element.Tag) ?? "";
            var kept = Regex.IsMatch(name, "(Class|Syntax|CodingScheme|Context|MappingResource)UID$");
            if (!(element.Vr is DicomVr.PN or DicomVr.DA or DicomVr.DT or DicomVr.UI || named.Contains(name))) continue;
            foreach (var value in data.GetStrings(element.Tag).Select(v => v.Trim().Trim('^')))
            {
                var least = element.Vr is DicomVr.DA or DicomVr.DT or DicomVr.UI ? 6 : 4;
                if (value.Length >= least && !(element.Vr == DicomVr.UI && (kept || value.StartsWith("1.2.840.10008.", StringComparison.Ordinal)))) secrets.Add(value);
            }
        }
    }

    private static DicomFile Telling()
    {
        var file = Synthetic.Image(8, 8, 12, (x, y) => x + y);
        var data = file.DataSet;
        data.SetString(DicomTags.SpecificCharacterSet, "ISO_IR 192");
        data.SetString(DicomTags.PatientBirthDate, "19500229");
        data.SetString(DicomTags.PatientSex, "F");
        data.SetString(DicomTags.PatientAge, "065Y");
        data.SetString(DicomTags.BodyPartExamined, "CHEST");
        data.SetString(DicomTags.InstitutionName, "Charité Berlin");
        data.SetString(DicomTags.ReferringPhysicianName, "Virchow^Rudolf");
        data.SetString(DicomTags.PatientTelephoneNumbers, "030-1234");
        data.SetString(DicomTags.AccessionNumber, "ACC-99");
        data.SetString(DicomTags.DeviceSerialNumber, "SN-553");
        data.SetString(DicomTags.Manufacturer, "ACME");
        data.SetString(DicomTags.ManufacturerModelName, "Scanner of Virchow");
        data.SetString(DicomTags.ConvolutionKernel, "B30f");
        data.SetString(DicomTags.ImageComments, "Frau Nachbar fragt nach Grimm, MRN 4711, 2021-03-14");
        data.SetString(DicomTags.StudyDescription, "Thorax Grimm");
        data.SetString(DicomTags.AcquisitionDateTime, "20210314120000.000+0100");
        data.Set(new DicomElement(new DicomTag(0x0011, 0x0010), DicomVr.LO, "HOUSE "u8.ToArray()));
        data.Set(new DicomElement(new DicomTag(0x0011, 0x1001), DicomVr.LO, "secret-private"u8.ToArray()));
        var request = new DicomDataSet(data);
        request.SetString(DicomTags.RequestedProcedureID, "RIS-7");
        request.SetString(DicomTags.RequestedProcedureDescription, "for Grimm");
        data.Set(new DicomElement(DicomTags.RequestAttributesSequence, [request]));
        var region = new DicomDataSet(data);
        region.SetString(DicomTags.CodeValue, "T-28000");
        region.SetString(DicomTags.CodingSchemeDesignator, "SRT");
        data.Set(new DicomElement(DicomTags.AnatomicRegionSequence, [region]));
        var source = new DicomDataSet(data);
        source.SetString(DicomTags.ReferencedSOPClassUID, "1.2.840.10008.5.1.4.1.1.2");
        source.SetString(DicomTags.ReferencedSOPInstanceUID, Synthetic.Uid);
        data.Set(new DicomElement(DicomTags.SourceImageSequence, [source]));
        return file;
    }
}
