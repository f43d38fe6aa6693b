using System.Buffers.Binary;

namespace DomainSsl.Dicom.Tests;

/// <summary>Small images made here, for what no real file shows.</summary>
internal static class Synthetic
{
    public const string Uid = "1.2.826.0.1.3680043.10.1400.99.1";

    /// <summary>A grey CT image; <paramref name="value"/> takes column and row.</summary>
    public static DicomFile Image(int columns, int rows, int bits, Func<int, int, int> value, bool signed = false)
    {
        var data = new DicomDataSet();
        data.SetString(DicomTags.SOPClassUID, "1.2.840.10008.5.1.4.1.1.2");
        data.SetString(DicomTags.SOPInstanceUID, Uid);
        data.SetString(DicomTags.StudyInstanceUID, Uid + ".2");
        data.SetString(DicomTags.SeriesInstanceUID, Uid + ".3");
        data.SetString(DicomTags.Modality, "CT");
        data.SetString(DicomTags.PatientName, "Grimm^Wilhelmina");
        data.SetString(DicomTags.PatientID, "KH-4711-x");
        data.SetString(DicomTags.StudyDate, "20210314");
        data.SetUInt16(DicomTags.SamplesPerPixel, 1);
        data.SetString(DicomTags.PhotometricInterpretation, "MONOCHROME2");
        data.SetUInt16(DicomTags.Rows, (ushort)rows);
        data.SetUInt16(DicomTags.Columns, (ushort)columns);
        data.SetUInt16(DicomTags.BitsAllocated, (ushort)(bits <= 8 ? 8 : 16));
        data.SetUInt16(DicomTags.BitsStored, (ushort)bits);
        data.SetUInt16(DicomTags.HighBit, (ushort)(bits - 1));
        data.SetUInt16(DicomTags.PixelRepresentation, (ushort)(signed ? 1 : 0));
        var size = bits <= 8 ? 1 : 2;
        var pixels = new byte[columns * rows * size + (columns * rows * size & 1)];
        for (var y = 0; y < rows; y++)
            for (var x = 0; x < columns; x++)
            {
                var v = value(x, y);
                if (size == 1) pixels[y * columns + x] = (byte)v;
                else BinaryPrimitives.WriteInt16LittleEndian(pixels.AsSpan(2 * (y * columns + x)), (short)v);
            }
        data.Set(new DicomElement(DicomTags.PixelData, DicomVr.OW, pixels));
        return new DicomFile(data, TransferSyntax.ExplicitLittle);
    }
}
