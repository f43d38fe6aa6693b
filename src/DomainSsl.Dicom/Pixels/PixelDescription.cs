namespace DomainSsl.Dicom;

/// <summary>How samples become colours (PS3.3 §C.7.6.3.1.2).</summary>
public enum Photometric
{
#pragma warning disable CS1591 // As in the standard. The numbers are the decoders'.
    Monochrome1 = 0, Monochrome2 = 1, Palette = 2, Rgb = 3, YbrFull = 4, YbrFull422 = 5, YbrPartial422 = 6, YbrPartial420 = 7, YbrIct = 8, YbrRct = 9,
#pragma warning restore CS1591
}

/// <summary>The Image Pixel module (PS3.3 §C.7.6.3), checked.</summary>
/// <param name="Rows">Height of a frame.</param>
/// <param name="Columns">Width of a frame.</param>
/// <param name="Samples">1 for grey and palette, 3 for colour.</param>
/// <param name="BitsAllocated">1, 8, 16 or 32.</param>
/// <param name="BitsStored">Bits of a value.</param>
/// <param name="HighBit">Where its most significant bit lies.</param>
/// <param name="IsSigned">Two's complement.</param>
/// <param name="IsPlanar">All of one sample, then all of the next (uncompressed colour only).</param>
/// <param name="Photometric">What the samples mean.</param>
/// <param name="Frames">Number of frames, at least one.</param>
public sealed record PixelDescription(int Rows, int Columns, int Samples, int BitsAllocated, int BitsStored, int HighBit, bool IsSigned, bool IsPlanar, Photometric Photometric, int Frames)
{
    /// <summary>Reads and checks the module.</summary>
    /// <exception cref="DicomException">It is incomplete, contradicts itself or is beyond the limits.</exception>
    public static PixelDescription Of(DicomDataSet data, DicomLimits limits)
    {
        var (rows, columns) = (data.RequireInt(DicomTags.Rows), data.RequireInt(DicomTags.Columns));
        var allocated = data.RequireInt(DicomTags.BitsAllocated);
        var samples = data.GetInt(DicomTags.SamplesPerPixel) ?? 1;
        if (rows < 1 || columns < 1) throw DicomErrors.Undecodable($"its size is {columns} × {rows}");
        if ((long)rows * columns > limits.MaxFramePixels) throw DicomErrors.Exceeds($"an image of {columns:N0} × {rows:N0} pixels", DicomTags.Rows);
        if (allocated is not (1 or 8 or 16 or 32)) throw Unsupported($"{allocated} bits a value");
        if (samples is not (1 or 3)) throw Unsupported($"{samples} samples a pixel");
        var stored = data.GetInt(DicomTags.BitsStored) ?? allocated;
        if (stored < 1 || stored > allocated) stored = allocated;
        var high = data.GetInt(DicomTags.HighBit) ?? stored - 1;
        if (high < stored - 1 || high >= allocated) high = stored - 1;
        return new(rows, columns, samples, allocated, stored, high, data.GetInt(DicomTags.PixelRepresentation) == 1,
            samples > 1 && data.GetInt(DicomTags.PlanarConfiguration) == 1, PhotometricOf(data, samples), Math.Max(1, data.GetInt(DicomTags.NumberOfFrames) ?? 1));
    }

    private static Photometric PhotometricOf(DicomDataSet data, int samples) => data.GetString(DicomTags.PhotometricInterpretation) switch
    {
        "MONOCHROME1" => Photometric.Monochrome1,
        "PALETTE COLOR" => Photometric.Palette,
        "RGB" when samples == 3 => Photometric.Rgb,
        "YBR_FULL" when samples == 3 => Photometric.YbrFull,
        "YBR_FULL_422" when samples == 3 => Photometric.YbrFull422,
        "YBR_PARTIAL_422" when samples == 3 => Photometric.YbrPartial422,
        "YBR_PARTIAL_420" when samples == 3 => Photometric.YbrPartial420,
        "YBR_ICT" when samples == 3 => Photometric.YbrIct,
        "YBR_RCT" when samples == 3 => Photometric.YbrRct,
        _ => samples == 3 ? Photometric.Rgb : Photometric.Monochrome2,
    };

    private static DicomException Unsupported(string what) =>
        new(DicomErrors.UnsupportedPixels, $"The image has {what}, which this version does not read.", DicomTags.BitsAllocated);
}
