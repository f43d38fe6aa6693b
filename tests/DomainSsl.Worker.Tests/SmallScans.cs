using System.Globalization;
using System.Runtime.InteropServices;
using DomainSsl.Dicom;
using DomainSsl.Testing;

namespace DomainSsl.Worker.Tests;

/// <summary>Small made-up scans: smooth ground with noise, and a bright spot in every second one. Two images a patient; the table says which has the spot.</summary>
internal static class SmallScans
{
    private const int Side = 48;

    /// <summary>Writes images and a table <c>file,patient,label</c> into a folder, and gives back the table's path.</summary>
    public static string Write(TemporaryFolder folder, int count, string name = "scans", int seed = 1)
    {
        var random = new Random(seed);
        Directory.CreateDirectory(folder.At(name));
        var lines = new List<string> { "file,patient,label" };
        for (var i = 0; i < count; i++)
        {
            var spot = i % 4 < 2;
            var patient = $"{name}-{i / 2}";
            var file = Path.Combine(name, $"{i:000}.dcm");
            Image(random, spot, patient, $"{seed}.{i}").Write(folder.At(file));
            lines.Add($"{file},{patient},{(spot ? "spot" : "none")}");
        }
        var table = folder.At($"{name}.csv");
        File.WriteAllLines(table, lines);
        return table;
    }

    private static DicomFile Image(Random random, bool spot, string patient, string number)
    {
        var pixels = new ushort[Side * Side];
        var (cx, cy) = (random.Next(12, Side - 12), random.Next(12, Side - 12));
        for (var y = 0; y < Side; y++)
            for (var x = 0; x < Side; x++)
            {
                var value = 1000 + 8 * x + random.Next(200);
                if (spot) value += (int)(1500 * Math.Exp(-((x - cx) * (x - cx) + (y - cy) * (y - cy)) / 18.0));
                pixels[y * Side + x] = (ushort)value;
            }
        var uid = string.Create(CultureInfo.InvariantCulture, $"2.25.7.{number}");
        var data = new DicomDataSet();
        data.SetString(DicomTags.SOPClassUID, "1.2.840.10008.5.1.4.1.1.1");
        data.SetString(DicomTags.SOPInstanceUID, uid);
        data.SetString(DicomTags.StudyInstanceUID, uid + ".1");
        data.SetString(DicomTags.SeriesInstanceUID, uid + ".2");
        data.SetString(DicomTags.Modality, "CR");
        data.SetString(DicomTags.PatientID, patient);
        data.SetUInt16(DicomTags.SamplesPerPixel, 1);
        data.SetString(DicomTags.PhotometricInterpretation, "MONOCHROME2");
        data.SetUInt16(DicomTags.Rows, Side);
        data.SetUInt16(DicomTags.Columns, Side);
        data.SetUInt16(DicomTags.BitsAllocated, 16);
        data.SetUInt16(DicomTags.BitsStored, 12);
        data.SetUInt16(DicomTags.HighBit, 11);
        data.SetUInt16(DicomTags.PixelRepresentation, 0);
        data.Set(new DicomElement(DicomTags.PixelData, DicomVr.OW, MemoryMarshal.AsBytes<ushort>(pixels).ToArray()));
        return new DicomFile(data, TransferSyntax.ExplicitLittle);
    }
}
