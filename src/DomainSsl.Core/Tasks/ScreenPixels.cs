using System.Buffers.Binary;
using System.Runtime.InteropServices;
using DomainSsl.Dicom;

namespace DomainSsl.Core.Tasks;

/// <summary>
/// A frame as the labelling and review pages take it: grey values at full depth, so that the browser can window them, in one plain block. Little endian: magic "DSSP", width, height,
/// flags (1 signed, 2 inverted) as uint32; window centre, window width, pixel aspect (width over height) as float32; 4 bytes unused; then width × height 16-bit values.
/// </summary>
public static class ScreenPixels
{
    /// <summary>Bytes before the values.</summary>
    public const int HeaderBytes = 32;

    private const uint Magic = 0x50535344; // "DSSP"

    /// <summary>Decodes a frame of a stored file.</summary>
    /// <param name="file">The DICOM file.</param>
    /// <param name="frame">From 0.</param>
    /// <param name="largest">The longer side is at most this many pixels; larger images are averaged down by a whole number.</param>
    /// <returns>The block, or null where the image is in colour and has no single grey to window.</returns>
    /// <exception cref="DicomException">The file or the frame is damaged.</exception>
    public static byte[]? Of(Stream file, int frame, int largest)
    {
        var image = DicomImage.Of(DicomReader.Default.Read(file, DicomLimits.Default));
        if (image.Description.Samples != 1 || image.Description.Photometric == Photometric.Palette) return null;
        var pixels = image.Decode(frame);
        var by = Math.Max(1, (int)Math.Ceiling(Math.Max(pixels.Rows, pixels.Columns) / (double)largest));
        var (width, height) = (pixels.Columns / by, pixels.Rows / by);
        var values = by == 1 ? pixels.Values : Average(pixels, by, width, height);

        // Values beyond 16 bits are rare (32-bit dose, parametric maps): they are brought into range, and the window with them.
        var (least, most) = (values.Min(), values.Max());
        var signed = least < 0;
        var shift = 0;
        while (signed ? least >> shift < short.MinValue || most >> shift > short.MaxValue : most >> shift > ushort.MaxValue) shift++;
        var window = WindowOf(image.DataSet, values) is var (centre, breadth) ? (Centre: centre / (1 << shift), Width: Math.Max(1, breadth / (1 << shift))) : default;

        var block = new byte[HeaderBytes + 2 * values.Length];
        BinaryPrimitives.WriteUInt32LittleEndian(block, Magic);
        BinaryPrimitives.WriteInt32LittleEndian(block.AsSpan(4), width);
        BinaryPrimitives.WriteInt32LittleEndian(block.AsSpan(8), height);
        var negative = (image.DataSet.GetNumber(DicomTags.RescaleSlope) ?? 1) < 0;
        var inverted = image.Description.Photometric == Photometric.Monochrome1 != negative;
        BinaryPrimitives.WriteUInt32LittleEndian(block.AsSpan(12), (signed ? 1u : 0) | (inverted ? 2u : 0));
        BinaryPrimitives.WriteSingleLittleEndian(block.AsSpan(16), (float)window.Centre);
        BinaryPrimitives.WriteSingleLittleEndian(block.AsSpan(20), (float)window.Width);
        BinaryPrimitives.WriteSingleLittleEndian(block.AsSpan(24), (float)AspectOf(image.DataSet));
        var target = MemoryMarshal.Cast<byte, ushort>(block.AsSpan(HeaderBytes));
        for (var i = 0; i < values.Length; i++) target[i] = (ushort)(values[i] >> shift);
        return block;
    }

    private static int[] Average(PixelFrame pixels, int by, int width, int height)
    {
        var values = new int[width * height];
        for (var y = 0; y < height; y++)
            for (var x = 0; x < width; x++)
            {
                long sum = 0;
                for (var dy = 0; dy < by; dy++)
                    for (var dx = 0; dx < by; dx++) sum += pixels.Values[(y * by + dy) * pixels.Columns + x * by + dx];
                values[y * width + x] = (int)(sum / (by * by));
            }
        return values;
    }

    // The file's own window (PS3.3 C.11.2.1.2), in stored values; without one, what holds all but half a percent of the pixels at either end.
    private static (double Centre, double Width) WindowOf(DicomDataSet data, int[] values)
    {
        var (slope, intercept) = (data.GetNumber(DicomTags.RescaleSlope) ?? 1, data.GetNumber(DicomTags.RescaleIntercept) ?? 0);
        if (data.GetNumber(DicomTags.WindowCenter) is { } centre && data.GetNumber(DicomTags.WindowWidth) is { } width and >= 1 && slope != 0)
            return ((centre - intercept) / slope, width / Math.Abs(slope));
        var sample = new int[Math.Min(values.Length, 20_000)];
        for (var i = 0; i < sample.Length; i++) sample[i] = values[(long)i * values.Length / sample.Length];
        Array.Sort(sample);
        double low = sample[sample.Length / 200], high = sample[^(1 + sample.Length / 200)];
        return ((low + high) / 2 + 0.5, Math.Max(1, high - low) + 1);
    }

    // Pixel Aspect Ratio is vertical\horizontal (PS3.3 C.7.6.3.1.7), Pixel Spacing row\column distance: both are height before width.
    private static double AspectOf(DicomDataSet data)
    {
        foreach (var tag in (DicomTag[])[DicomTags.PixelAspectRatio, DicomTags.PixelSpacing, DicomTags.ImagerPixelSpacing])
            if (data.GetNumber(tag) is > 0 and var height && data.GetNumber(tag, 1) is > 0 and var width) return Math.Clamp(width / height, 0.1, 10);
        return 1;
    }
}
