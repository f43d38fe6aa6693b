using System.Security.Cryptography;
using DomainSsl.Dicom.Codecs;
using DomainSsl.Dicom.Codecs.Rle;
using DomainSsl.Dicom.Codecs.Sandbox;
using DomainSsl.Testing;

namespace DomainSsl.Dicom.Tests.Codecs;

public class CodecTests
{
    [Fact]
    public void Module_IsTheOneThatWasTested() => Assert.Equal("dff1bc9b3872588c231ea90894f05e7eacd7f5074b9db964e64e7f3f29821d30",
        Convert.ToHexStringLower(SHA256.HashData(CodecSandbox.ModuleBytes())));

    [Fact]
    public void Module_IsKeptCompiledForThisUserAlone()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("Windows has no such file modes.");
            return;
        }
        Assert.NotNull(CodecSandbox.CacheFolder);
        DicomImage.Of(DicomFile.Read(TestFiles.ChestXray)).Decode();
        var kept = Directory.GetFiles(CodecSandbox.CacheFolder, "codecs-*.bin");
        Assert.NotEmpty(kept);
        foreach (var path in kept) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
    }

    [Theory]
    [InlineData(8)]
    [InlineData(12)]
    [InlineData(16)]
    public void Rle_WhatDcmtkEncoded_IsDecodedExactly(int bits)
    {
        using var folder = new TemporaryFolder();
        var file = Synthetic.Image(61, 43, bits, (x, y) => (x / 7 * 311 + y * (x % 3)) & ((1 << bits) - 1));
        file.Write(folder.At("a.dcm"));
        TestFiles.Peer("dcmcrle", folder.At("a.dcm"), folder.At("b.dcm"));
        var encoded = DicomFile.Read(folder.At("b.dcm"));
        Assert.Equal(TransferSyntax.Rle, encoded.Syntax);
        Assert.Equal(PixelHash.Compute(DicomImage.Of(file)), PixelHash.Compute(DicomImage.Of(encoded)));
    }

    [Fact]
    public void Rle_ClaimBeyondItsBytes_IsRefusedBeforeMemoryIsTaken()
    {
        var encoded = new byte[70];
        encoded[0] = 2;
        encoded[4] = encoded[8] = 64;
        Assert.Equal(DicomErrors.DamagedPixels, Assert.Throws<DicomException>(() => RleDecoder.Decode(encoded, 1 << 28, 1, 2)).Code);
    }

    [Fact]
    public void Rle_SegmentThatEndsEarly_IsRefused()
    {
        byte[] encoded = [1, 0, 0, 0, 64, .. new byte[59], 5, 1, 2];
        Assert.Equal(DicomErrors.DamagedPixels, Assert.Throws<DicomException>(() => RleDecoder.Decode(encoded, 6, 1, 1)).Code);
    }

    [Fact]
    public void JpegBaseline_RealXrays_AreBitForBitWhatDcmtkDecodes()
    {
        using var folder = new TemporaryFolder();
        foreach (var path in TestFiles.ChestXrays(5))
        {
            TestFiles.Peer("dcmdjpeg", path, folder.At("plain.dcm"));
            Assert.Equal(PixelHash.Compute(DicomImage.Of(DicomFile.Read(folder.At("plain.dcm")))), PixelHash.Compute(DicomImage.Of(DicomFile.Read(path))));
        }
    }

    [Theory]
    [InlineData("+el", "1.2.840.10008.1.2.4.57")]
    [InlineData("+e1", "1.2.840.10008.1.2.4.70")]
    public void JpegLossless_WhatDcmtkEncoded_IsDecodedExactly(string process, string syntax)
    {
        using var folder = new TemporaryFolder();
        var file = Synthetic.Image(64, 50, 16, (x, y) => x * 700 ^ y * 31);
        file.Write(folder.At("a.dcm"));
        TestFiles.Peer("dcmcjpeg", process, folder.At("a.dcm"), folder.At("b.dcm"));
        var encoded = DicomFile.Read(folder.At("b.dcm"));
        Assert.Equal(syntax, encoded.Syntax.Uid);
        Assert.Equal(PixelHash.Compute(DicomImage.Of(file)), PixelHash.Compute(DicomImage.Of(encoded)));
    }

    [Fact]
    public void Jpeg_SizeOtherThanTheDataSets_IsRefusedBeforeDecoding()
    {
        var file = DicomFile.Read(TestFiles.ChestXray);
        file.DataSet.SetUInt16(DicomTags.Rows, 4000);
        var e = Assert.Throws<DicomException>(() => DicomImage.Of(file).Decode());
        Assert.Equal(DicomErrors.DamagedPixels, e.Code);
        Assert.Contains("224 × 4000", e.Message);
    }

    [Fact]
    public void Sandbox_AfterAFault_GoesOnWithTheNextImage()
    {
        var path = TestFiles.ChestXray;
        var good = PixelHash.Compute(DicomImage.Of(DicomFile.Read(path)));
        var faults = 0;
        for (var i = 0; i < 8; i++)
        {
            var file = DicomFile.Read(path);
            var bytes = file.DataSet[DicomTags.PixelData]!.Fragments!.Parts[0].ToArray();
            // Nonsense in the Huffman tables: the decoder gives up.
            var table = bytes.AsSpan().IndexOf((ReadOnlySpan<byte>)[0xFF, 0xC4]);
            bytes.AsSpan(table + 5, 16).Fill(0xFF);
            file.DataSet.Set(new DicomElement(DicomTags.PixelData, DicomVr.OB, new DicomFragments([], [bytes])));
            try { DicomImage.Of(file).Decode(); }
            catch (DicomException e) { faults++; Assert.Equal(DicomErrors.DamagedPixels, e.Code); }
            Assert.Equal(good, PixelHash.Compute(DicomImage.Of(DicomFile.Read(path))));
        }
        Assert.Equal(8, faults);
    }

    [Fact]
    public void Sandbox_TimeIsUp_StopsAndSaysSo()
    {
        // Sixteen megapixels of lossless JPEG against no time at all.
        var file = Synthetic.Image(2048, 2048, 16, (x, y) => x * y * 7919);
        using var folder = new TemporaryFolder();
        file.Write(folder.At("a.dcm"));
        TestFiles.Peer("dcmcjpeg", "+e1", folder.At("a.dcm"), folder.At("b.dcm"));
        var encoded = DicomFile.Read(folder.At("b.dcm"));
        var e = Assert.Throws<DicomException>(() => DicomImage.Of(encoded, new DicomLimits { MaxDecodeTime = TimeSpan.Zero }).Decode());
        Assert.Equal(DicomErrors.TooLarge, e.Code);
        Assert.NotNull(DicomImage.Of(encoded).Decode());
    }

    [Fact]
    public void Sandbox_ManyThreads_AllGetTheirOwnPixels()
    {
        var paths = TestFiles.ChestXrays(12).ToArray();
        var expected = paths.ToDictionary(p => p, p => PixelHash.Compute(DicomImage.Of(DicomFile.Read(p))));
        Parallel.For(0, 60, new ParallelOptions { MaxDegreeOfParallelism = 6 }, i =>
        {
            var path = paths[i % paths.Length];
            Assert.Equal(expected[path], PixelHash.Compute(DicomImage.Of(DicomFile.Read(path))));
        });
    }

    [Fact]
    public void CodestreamHeader_RealXray_TellsItsSize()
    {
        var header = CodestreamHeader.Read(DicomFile.Read(TestFiles.ChestXray).DataSet[DicomTags.PixelData]!.Fragments!.Parts[0].Span);
        Assert.Equal((CodestreamKind.Jpeg, 224, 224, 1, 8, true), (header.Kind, header.Rows, header.Columns, header.Components, header.Precision, header.IsComplete));
    }
}
