using System.Diagnostics;

namespace DomainSsl.Dicom.Tests.Codecs;

/// <summary>Damaged compressed frames of every supported kind: a picture or a refusal, in time, and the next image is right.</summary>
public class CodestreamMutationTests
{
    [Fact]
    public void Decode_HundredsOfDamagedFrames_OnlyEverRefuses()
    {
        var random = new Random(20260202);
        var limits = new DicomLimits { MaxDecodeTime = TimeSpan.FromSeconds(1), MaxFramePixels = 1 << 21 };
        var originals = TestFiles.Manifest()
            .Where(r => r.Expect == "parse" && new FileInfo(r.Path).Length < 400_000 && TransferSyntax.Of(r.Syntax) is { IsEncapsulated: true } s && DicomImage.Supports(s))
            .Select(r => DicomFile.Read(r.Path)).Where(f => f.DataSet[DicomTags.PixelData]?.Fragments?.Parts.Count > 0).ToArray();
        Assert.True(originals.Length > 50, $"only {originals.Length} files were found");
        var xray = TestFiles.ChestXray;
        var good = PixelHash.Compute(DicomImage.Of(DicomFile.Read(xray)));
        var (refused, decoded) = (0, 0);
        for (var i = 0; i < 400; i++)
        {
            var file = DicomFile.Read(originals[i % originals.Length].ToBytes());
            var fragments = file.DataSet[DicomTags.PixelData]!.Fragments!;
            var parts = fragments.Parts.ToArray();
            var bytes = parts[0].ToArray();
            for (var k = random.Next(1, 20); k > 0; k--)
            {
                var at = random.Next(2) == 0 ? random.Next(bytes.Length) : random.Next(Math.Min(bytes.Length, 400));
                bytes[at] = (byte)random.Next(256);
            }
            parts[0] = bytes;
            file.DataSet.Set(new DicomElement(DicomTags.PixelData, DicomVr.OB, new DicomFragments(fragments.Offsets, parts)));
            var watch = Stopwatch.StartNew();
            try
            {
                DicomImage.Of(file, limits).Decode();
                decoded++;
            }
            catch (DicomException e) { Assert.EndsWith(".", e.Message); refused++; }
            Assert.True(watch.Elapsed < TimeSpan.FromSeconds(15), $"frame {i} took {watch.Elapsed.TotalSeconds:0} s");
            if (i % 20 == 0) Assert.Equal(good, PixelHash.Compute(DicomImage.Of(DicomFile.Read(xray))));
        }
        Assert.True(refused > 50 && decoded > 20, $"{refused} refused, {decoded} decoded");
    }
}
