namespace DomainSsl.Dicom;

/// <summary>A picture for the screen.</summary>
/// <param name="Width">Columns.</param>
/// <param name="Height">Rows.</param>
/// <param name="Channels">1 for grey, 3 for red, green, blue.</param>
/// <param name="Pixels">Width × height × channels, eight bits each, rows from the top.</param>
public sealed record RenderedFrame(int Width, int Height, int Channels, byte[] Pixels);

/// <summary>A VOI window in modality units (PS3.3 §C.11.2.1.2).</summary>
/// <param name="Centre">Window Center.</param>
/// <param name="Width">Window Width.</param>
/// <param name="Function">LINEAR, LINEAR_EXACT or SIGMOID.</param>
public sealed record Window(double Centre, double Width, string Function = "LINEAR");

/// <summary>
/// Frames to eight bits for pages and thumbnails: modality, window of the file (or the one asked for, or the robust range of the values), MONOCHROME1 turned, palettes
/// and YBR to RGB.
/// </summary>
public static class FrameRenderer
{
    /// <summary>Renders a frame so that it fits into <paramref name="maxWidth"/> × <paramref name="maxHeight"/>, its shape kept, never enlarged; 0 for no bound.</summary>
    /// <exception cref="DicomException">The frame cannot be decoded.</exception>
    public static RenderedFrame Render(DicomImage image, int frame = 0, int maxWidth = 0, int maxHeight = 0, Window? window = null)
    {
        var d = image.Description;
        var shrink = Math.Max(1, Math.Max(maxWidth > 0 ? (double)d.Columns / maxWidth : 1, maxHeight > 0 ? (double)d.Rows / maxHeight : 1));
        var (width, height) = (Math.Max(1, (int)Math.Round(d.Columns / shrink)), Math.Max(1, (int)Math.Round(d.Rows / shrink)));
        return d.Samples == 3 || d.Photometric == Photometric.Palette ? Colour(image, frame, width, height) : Grey(image, frame, width, height, window);
    }

    /// <summary>The file's first window for a frame; null where it states none.</summary>
    public static Window? WindowOf(DicomDataSet data, int frame = 0)
    {
        var source = GreyPlane.Groups(data, frame, DicomTags.FrameVOILUTSequence) ?? data;
        return source.GetNumber(DicomTags.WindowCenter) is { } centre && source.GetNumber(DicomTags.WindowWidth) is { } width && width > 0
            ? new Window(centre, width, source.GetString(DicomTags.VOILUTFunction) ?? "LINEAR") : null;
    }

    private static RenderedFrame Grey(DicomImage image, int frame, int width, int height, Window? window)
    {
        var plane = GreyPlane.Of(image, frame);
        var values = PlaneResampler.Resize(plane.Values, plane.Width, plane.Height, width, height);
        var pixels = new byte[values.Length];
        window ??= WindowOf(image.DataSet, frame);
        if (window is null && image.DataSet.GetItems(DicomTags.VOILUTSequence) is [var item, ..] && LookupTable.Of(item, image.Description.IsSigned) is { } table)
        {
            var top = (float)((1 << table.Bits) - 1);
            for (var i = 0; i < pixels.Length; i++) pixels[i] = (byte)Math.Clamp(255 * table[(int)MathF.Round(values[i])] / top + 0.5f, 0, 255);
        }
        else
        {
            var (low, high) = PlaneResampler.RobustRange(values);
            // No window: eight-bit pictures are meant to be seen as they are, the rest by their range.
            window ??= image.Description.BitsStored == 8 && !image.Description.IsSigned ? new Window(127.5, 255, "LINEAR_EXACT")
                : new Window((low + high) / 2, Math.Max(high - low, 1e-6), "LINEAR_EXACT");
            for (var i = 0; i < pixels.Length; i++) pixels[i] = (byte)(255 * Shade(window, values[i]) + 0.5);
        }
        if (plane.IsInverted) for (var i = 0; i < pixels.Length; i++) pixels[i] = (byte)(255 - pixels[i]);
        return new(width, height, 1, pixels);
    }

    // PS3.3 §C.11.2.1.2.1 and §C.11.2.1.3, from 0 to 1.
    private static double Shade(Window w, double x) => w.Function switch
    {
        "SIGMOID" => 1 / (1 + Math.Exp(-4 * (x - w.Centre) / w.Width)),
        "LINEAR_EXACT" => Math.Clamp((x - w.Centre) / w.Width + 0.5, 0, 1),
        _ => w.Width <= 1 ? (x <= w.Centre - 0.5 ? 0 : 1) : Math.Clamp((x - (w.Centre - 0.5)) / (w.Width - 1) + 0.5, 0, 1),
    };

    private static RenderedFrame Colour(DicomImage image, int frame, int width, int height)
    {
        var decoded = image.Decode(frame);
        var rgb = Colours.ToRgb(image, decoded);
        if (width == decoded.Columns && height == decoded.Rows) return new(width, height, 3, rgb);
        var pixels = new byte[width * height * 3];
        var plane = new float[decoded.Columns * decoded.Rows];
        for (var c = 0; c < 3; c++)
        {
            for (var i = 0; i < plane.Length; i++) plane[i] = rgb[3 * i + c];
            var small = PlaneResampler.Resize(plane, decoded.Columns, decoded.Rows, width, height);
            for (var i = 0; i < small.Length; i++) pixels[3 * i + c] = (byte)Math.Clamp(small[i] + 0.5f, 0, 255);
        }
        return new(width, height, 3, pixels);
    }
}
