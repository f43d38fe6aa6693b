namespace DomainSsl.Dicom;

/// <summary>Samples to red, green and blue of eight bits (PS3.3 §C.7.6.3.1.2).</summary>
internal static class Colours
{
    /// <summary>Rows × columns × 3.</summary>
    public static byte[] ToRgb(DicomImage image, PixelFrame frame)
    {
        if (frame.Photometric == Photometric.Palette) return FromPalette(image, frame);
        var (values, rgb) = (frame.Values, new byte[frame.Values.Length]);
        var down = Math.Max(0, image.Description.BitsStored - 8);
        switch (frame.Photometric)
        {
            case Photometric.YbrFull or Photometric.YbrFull422:
                for (var i = 0; i + 2 < values.Length; i += 3)
                {
                    float y = values[i] >> down, cb = (values[i + 1] >> down) - 128, cr = (values[i + 2] >> down) - 128;
                    Put(rgb, i, y + 1.402f * cr, y - 0.344136f * cb - 0.714136f * cr, y + 1.772f * cb);
                }
                break;
            case Photometric.YbrPartial422 or Photometric.YbrPartial420:
                for (var i = 0; i + 2 < values.Length; i += 3)
                {
                    float y = 1.1644f * ((values[i] >> down) - 16), cb = (values[i + 1] >> down) - 128, cr = (values[i + 2] >> down) - 128;
                    Put(rgb, i, y + 1.5960f * cr, y - 0.3917f * cb - 0.8130f * cr, y + 2.0173f * cb);
                }
                break;
            default:
                for (var i = 0; i < values.Length; i++) rgb[i] = (byte)Math.Clamp(values[i] >> down, 0, 255);
                break;
        }
        return rgb;
    }

    private static byte[] FromPalette(DicomImage image, PixelFrame frame)
    {
        var (data, signed) = (image.DataSet, image.Description.IsSigned);
        var red = LookupTable.Of(data[DicomTags.RedPaletteColorLookupTableDescriptor], data[DicomTags.RedPaletteColorLookupTableData], signed);
        var green = LookupTable.Of(data[DicomTags.GreenPaletteColorLookupTableDescriptor], data[DicomTags.GreenPaletteColorLookupTableData], signed);
        var blue = LookupTable.Of(data[DicomTags.BluePaletteColorLookupTableDescriptor], data[DicomTags.BluePaletteColorLookupTableData], signed);
        if (red is null || green is null || blue is null)
            throw new DicomException(DicomErrors.UnsupportedPixels, "The image's colour table is missing or of a kind that this version does not read.", DicomTags.RedPaletteColorLookupTableData);
        var rgb = new byte[frame.Values.Length * 3];
        for (var i = 0; i < frame.Values.Length; i++)
            (rgb[3 * i], rgb[3 * i + 1], rgb[3 * i + 2]) = (Byte(red, frame.Values[i]), Byte(green, frame.Values[i]), Byte(blue, frame.Values[i]));
        return rgb;

        static byte Byte(LookupTable table, int index) => (byte)Math.Min(255, table.Bits > 8 ? table[index] >> (table.Bits - 8) : table[index]);
    }

    private static void Put(byte[] rgb, int at, float r, float g, float b) => (rgb[at], rgb[at + 1], rgb[at + 2]) = (Byte(r), Byte(g), Byte(b));

    private static byte Byte(float value) => (byte)Math.Clamp(value + 0.5f, 0, 255);
}
