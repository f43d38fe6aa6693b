using System.Text;
using DomainSsl.Testing;

namespace DomainSsl.Dicom.Tests.DataSets;

public class DicomFileTests
{
    [Fact]
    public void Read_EmptyFile_IsRefusedAsEmpty()
    {
        var e = Assert.Throws<DicomException>(() => DicomFile.Read(new MemoryStream()));
        Assert.Equal((DicomErrors.Empty, "The file is empty; copy it again from the source."), (e.Code, e.Message));
    }

    [Theory]
    [InlineData("not a scan")]
    [InlineData("x")]
    [InlineData("<!DOCTYPE html><html><head><title>A page that was saved instead of the scan</title></head><body>Sign in to go on.</body></html>")]
    public void Read_SomethingElse_IsRefusedAsNotDicom(string content)
    {
        var e = Assert.Throws<DicomException>(() => DicomFile.Read(Encoding.UTF8.GetBytes(content)));
        Assert.Equal(DicomErrors.NotDicom, e.Code);
        Assert.StartsWith("This is not a DICOM file", e.Message);
        Assert.Equal(DicomErrors.NotDicom, Assert.Throws<DicomException>(() => DicomFile.Inspect(new MemoryStream(Encoding.UTF8.GetBytes(content)))).Code);
    }

    [Fact]
    public void Read_HalfOfAnXray_SaysThatItEndsInItsPixelData()
    {
        var bytes = File.ReadAllBytes(TestFiles.ChestXray);
        var e = Assert.Throws<DicomException>(() => DicomFile.Read(bytes.AsMemory(0, bytes.Length / 2)));
        Assert.Equal((DicomErrors.Truncated, DicomTags.PixelData), (e.Code, e.Tag));
        Assert.Equal("The file ends in the middle of its pixel data; copy it again from the source.", e.Message);
    }

    [Fact]
    public void Read_CutAnywhere_IsRefusedOrLosesOnlyTheEnd()
    {
        var bytes = File.ReadAllBytes(TestFiles.ChestXray);
        for (var length = 1; length < bytes.Length - 8; length += length < 1200 ? 1 : 97)
        {
            try { PixelHash.Compute(DicomImage.Of(DicomFile.Read(bytes.AsMemory(0, length)))); }
            catch (DicomException e) { Assert.EndsWith(".", e.Message); continue; }
            Assert.Fail($"cut to {length} of {bytes.Length} bytes and still read");
        }
    }

    [Fact]
    public void Inspect_ReadsTheHeaderAndLeavesThePixels()
    {
        var file = DicomFile.Inspect(TestFiles.ChestXray);
        Assert.True(file.HasPixels);
        Assert.Null(file.DataSet[DicomTags.PixelData]);
        Assert.Equal((224, "CR", TransferSyntax.JpegBaseline), (file.DataSet.GetInt(DicomTags.Rows), file.DataSet.GetString(DicomTags.Modality), file.Syntax));
    }

    [Fact]
    public void Inspect_HeaderLongerThanTheFirstPiece_ReadsOn()
    {
        var file = Synthetic.Image(16, 16, 16, (x, y) => x + y);
        file.DataSet.Set(new DicomElement(new DicomTag(0x0009, 0x0010), DicomVr.LO, "HOUSE "u8.ToArray()));
        file.DataSet.Set(new DicomElement(new DicomTag(0x0009, 0x1001), DicomVr.OB, new byte[300_000]));
        var header = DicomFile.Inspect(new MemoryStream(file.ToBytes()));
        Assert.Equal((300_000, 16), (header.DataSet[new DicomTag(0x0009, 0x1001)]!.Value.Length, header.DataSet.GetInt(DicomTags.Rows)));
    }

    [Fact]
    public void Write_ThenRead_KeepsEveryElementAndThePixelsByteForByte()
    {
        var original = DicomFile.Read(TestFiles.ChestXray);
        var again = DicomFile.Read(original.ToBytes());
        Assert.Equal(original.DataSet.Select(e => e.ToString()), again.DataSet.Select(e => e.ToString()));
        var (a, b) = (original.DataSet[DicomTags.PixelData]!.Fragments!, again.DataSet[DicomTags.PixelData]!.Fragments!);
        Assert.Equal(a.Parts.Select(p => Convert.ToHexString(p.Span)), b.Parts.Select(p => Convert.ToHexString(p.Span)));
        Assert.Equal(TransferSyntax.JpegBaseline, again.Syntax);
    }

    [Fact]
    public void Write_EveryReadableFileOfTheSet_ReadsBackWithTheSameElements()
    {
        var written = 0;
        foreach (var row in TestFiles.Manifest().Where(r => r.Expect == "parse"))
        {
            var original = DicomFile.Read(row.Path);
            var again = DicomFile.Read(original.ToBytes());
            Assert.Equal(original.DataSet.Select(e => (e.Tag, e.Value.Length + 1 & ~1, e.Items?.Count)), again.DataSet.Select(e => (e.Tag, e.Value.Length, e.Items?.Count)));
            written++;
        }
        Assert.True(written >= 469);
    }

    [Fact]
    public void Write_WhatWeWrote_DcmtkReadsWithoutComplaint()
    {
        using var folder = new TemporaryFolder();
        var sequence = Synthetic.Image(8, 8, 16, (x, y) => x * y);
        var item = new DicomDataSet(sequence.DataSet);
        item.SetString(DicomTags.CodeValue, "T-D3000");
        item.Set(new DicomElement(DicomTags.PurposeOfReferenceCodeSequence, [new DicomDataSet(item)]));
        sequence.DataSet.Set(new DicomElement(DicomTags.AnatomicRegionSequence, [item, new DicomDataSet(sequence.DataSet)]));
        sequence.Write(folder.At("a.dcm"));
        DicomFile.Read(TestFiles.ChestXray).Write(folder.At("b.dcm"));
        foreach (var name in (string[])["a.dcm", "b.dcm"])
        {
            var said = TestFiles.Peer("dcmdump", folder.At(name));
            Assert.DoesNotContain("W:", said);
            Assert.DoesNotContain("E:", said);
            TestFiles.Peer("dcmconv", folder.At(name), folder.At("copy.dcm"));
        }
    }

    [Theory]
    [InlineData("+ti")] // implicit
    [InlineData("+te")] // explicit
    [InlineData("+tb")] // big endian
    [InlineData("+td")] // deflated
    public void Read_WhatDcmtkConverted_HasTheSameElementsAndPixels(string syntax)
    {
        using var folder = new TemporaryFolder();
        var file = Synthetic.Image(17, 11, 16, (x, y) => 1000 * x - y, signed: true);
        file.Write(folder.At("a.dcm"));
        TestFiles.Peer("dcmconv", syntax, folder.At("a.dcm"), folder.At("b.dcm"));
        var other = DicomFile.Read(folder.At("b.dcm"));
        Assert.Equal(file.DataSet.Select(e => e.Tag), other.DataSet.Select(e => e.Tag));
        Assert.Equal(PixelHash.Compute(DicomImage.Of(file)), PixelHash.Compute(DicomImage.Of(other)));
    }

    [Fact]
    public void Read_SequencesNestedBeyondTheLimit_AreRefused()
    {
        var file = Synthetic.Image(2, 2, 8, (_, _) => 0);
        var inner = new DicomDataSet();
        for (var i = 0; i < 40; i++)
        {
            var outer = new DicomDataSet();
            outer.Set(new DicomElement(DicomTags.ContentSequence, [inner]));
            inner = outer;
        }
        file.DataSet.Set(inner[DicomTags.ContentSequence]!);
        Assert.Equal(DicomErrors.TooLarge, Assert.Throws<DicomException>(() => DicomFile.Read(file.ToBytes())).Code);
    }

    [Fact]
    public void Read_ClaimOfFourGigabytes_TakesNoMemoryForIt()
    {
        var bytes = Synthetic.Image(4, 4, 16, (_, _) => 1).ToBytes();
        // The length of the pixel data, the last element: its value is the last 32 bytes.
        bytes.AsSpan(bytes.Length - 36, 4).Fill(0xFE);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Equal(DicomErrors.Truncated, Assert.Throws<DicomException>(() => DicomFile.Read(bytes)).Code);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    [Fact]
    public void Read_FileBeyondTheLimit_IsRefused()
    {
        var limits = new DicomLimits { MaxFileBytes = 1000 };
        Assert.Equal(DicomErrors.TooLarge, Assert.Throws<DicomException>(() => DicomFile.Read(TestFiles.ChestXray, limits)).Code);
    }

    [Fact]
    public void Read_WithoutPreamble_IsReadIfItIsUnmistakable()
    {
        var bytes = Synthetic.Image(4, 4, 16, (_, _) => 1).ToBytes();
        Assert.Equal(4, DicomFile.Read(bytes.AsMemory(132)).DataSet.GetInt(DicomTags.Rows));
    }
}
