using System.Globalization;
using DomainSsl.Audio;
using DomainSsl.Audio.Decoding;
using DomainSsl.Dicom;

namespace DomainSsl.Core.Tests;

/// <summary>Small made-up scans and sounds with telling names in them.</summary>
internal static class TestScans
{
    public const string CrStorage = "1.2.840.10008.5.1.4.1.1.1";

    /// <summary>A CR image of 32 × 32, uncompressed; the same number gives the same bytes.</summary>
    public static byte[] Scan(int number, string patient = "HOSP-4711", string name = "Wunderlich^Theodora", int frames = 1, int study = 1, Action<DicomDataSet>? change = null)
    {
        var data = new DicomDataSet();
        void Text(DicomTag tag, string value) => data.SetString(tag, value);
        Text(DicomTags.SOPClassUID, CrStorage);
        Text(DicomTags.SOPInstanceUID, $"1.2.826.0.1.3680043.10.1400.1.{number}");
        Text(DicomTags.StudyInstanceUID, $"1.2.826.0.1.3680043.10.1400.2.{study}");
        Text(DicomTags.SeriesInstanceUID, $"1.2.826.0.1.3680043.10.1400.3.{study}");
        Text(DicomTags.PatientID, patient);
        Text(DicomTags.PatientName, name);
        Text(DicomTags.PatientBirthDate, "19510417");
        Text(DicomTags.StudyDate, "20210305");
        Text(DicomTags.Modality, "CR");
        Text(DicomTags.BodyPartExamined, "CHEST");
        Text(DicomTags.InstanceNumber, number.ToString(CultureInfo.InvariantCulture));
        Text(DicomTags.SeriesNumber, "1");
        Text(DicomTags.PhotometricInterpretation, "MONOCHROME2");
        Text(DicomTags.NumberOfFrames, frames.ToString(CultureInfo.InvariantCulture));
        data.SetUInt16(DicomTags.SamplesPerPixel, 1);
        data.SetUInt16(DicomTags.Rows, 32);
        data.SetUInt16(DicomTags.Columns, 32);
        data.SetUInt16(DicomTags.BitsAllocated, 16);
        data.SetUInt16(DicomTags.BitsStored, 12);
        data.SetUInt16(DicomTags.HighBit, 11);
        data.SetUInt16(DicomTags.PixelRepresentation, 0);
        var pixels = new byte[2 * 32 * 32 * frames];
        new Random(number).NextBytes(pixels);
        for (int i = 1; i < pixels.Length; i += 2) pixels[i] &= 0x0F;
        data.Set(new DicomElement(DicomTags.PixelData, DicomVr.OW, pixels));
        change?.Invoke(data);
        return new DicomFile(data, TransferSyntax.ExplicitLittle).ToBytes();
    }

    /// <summary>Two tones of half a second, 44.1 kHz, stereo.</summary>
    public static byte[] Sound(int number)
    {
        var samples = new float[44_100];
        for (int i = 0; i < samples.Length; i++) samples[i] = 0.3f * MathF.Sin(i / 2 * (300 + 10 * number) * 2 * MathF.PI / 44_100);
        var stream = new MemoryStream();
        SoundFile.WriteWav(stream, new Sound(samples, 44_100, 2));
        return stream.ToArray();
    }
}
