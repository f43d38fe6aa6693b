using System.Diagnostics;

namespace DomainSsl.Dicom.Tests.DataSets;

/// <summary>Damaged files in thousands: whatever is wrong, the answer is a refusal, in time.</summary>
public class MutationTests
{
    [Fact]
    public void Read_ThousandsOfDamagedFiles_OnlyEverRefuses()
    {
        var random = new Random(20260101);
        var originals = TestFiles.Manifest().Where(r => new FileInfo(r.Path).Length is > 200 and < 60_000).Select(r => File.ReadAllBytes(r.Path)).ToArray();
        Assert.True(originals.Length > 100, $"only {originals.Length} small files were found");
        var limits = new DicomLimits { MaxDecodeTime = TimeSpan.FromSeconds(2), MaxFramePixels = 1 << 22 };
        var deidentifier = new Deidentifier(new byte[32]);
        var (refused, read, total) = (0, 0, Stopwatch.StartNew());
        for (var i = 0; i < 4_000; i++)
        {
            var bytes = Mutate(originals[random.Next(originals.Length)], random);
            var watch = Stopwatch.StartNew();
            try
            {
                var file = DicomFile.Read(bytes, limits);
                // Codecs get every fourth file; they have a test of their own.
                if (i % 4 == 0) deidentifier.Deidentify(file).File.ToBytes();
                if (i % 4 == 1) FrameRenderer.Render(DicomImage.Of(file, limits), 0, 64, 64);
                DicomFile.Inspect(new MemoryStream(bytes), limits);
                read++;
            }
            catch (DicomException) { refused++; }
            catch (Exception e) { Assert.Fail($"file {i}: {e}"); }
            Assert.True(watch.Elapsed < TimeSpan.FromSeconds(20), $"file {i} took {watch.Elapsed.TotalSeconds:0} s");
        }
        Assert.True(refused > 200 && read > 200, $"{refused} refused, {read} read in {total.Elapsed}");
    }

    private static byte[] Mutate(byte[] original, Random random)
    {
        var bytes = (byte[])original.Clone();
        for (var k = random.Next(1, 12); k > 0; k--)
        {
            // Most of what can go wrong lies in the header.
            var at = random.Next(2) == 0 ? random.Next(bytes.Length) : random.Next(Math.Min(bytes.Length, 2500));
            switch (random.Next(5))
            {
                case 0: bytes[at] = (byte)random.Next(256); break;
                case 1: bytes[at] ^= (byte)(1 << random.Next(8)); break;
                case 2: bytes.AsSpan(at, Math.Min(4, bytes.Length - at)).Fill(0xFF); break;
                case 3: bytes = [.. bytes[..at], .. bytes[Math.Min(bytes.Length, at + random.Next(1, 20))..]]; break;
                default: bytes = bytes[..Math.Max(1, random.Next(bytes.Length))]; break;
            }
            if (bytes.Length < 2) break;
        }
        return bytes;
    }
}
