using System.Buffers.Binary;
using System.Runtime.InteropServices;
using DomainSsl.Dicom;

namespace DomainSsl.Core.Tasks;

/// <summary>
/// A frame as the labelling and review pages take it: grey values deeper than a screen shows, so that the browser can window them, in one plain block. Little endian: magic "DSSP",
/// width, height, flags (1: inverted) as uint32; window centre, window width, pixel aspect (width over height) as float32; 4 bytes unused; then width × height uint16.
/// </summary>
public static class ScreenPixels
{
    /// <summary>Bytes before the values.</summary>
    public const int HeaderBytes = 32;

    private const uint Magic = 0x50535344; // "DSSP"

    /// <summary>Decodes a frame.</summary>
    /// <param name="image">The image.</param>
    /// <param name="frame">From 0.</param>
    /// <param name="largest">The longer side is at most this many pixels.</param>
    /// <returns>The block, or null where the image is in colour and has no single grey to window.</returns>
    /// <exception cref="DicomException">The frame is damaged.</exception>
    public static byte[]? Of(DicomImage image, int frame, int largest)
    {
        if (image.Description.Samples != 1 || image.Description.Photometric == Photometric.Palette) return null;
        var plane = GreyPlane.Of(image, frame);
        var shrink = Math.Max(1, Math.Max(plane.Width, plane.Height) / (double)largest);
        var (width, height) = (Math.Max(1, (int)(plane.Width / shrink)), Math.Max(1, (int)(plane.Height / shrink)));
        var values = PlaneResampler.Resize(plane.Values, plane.Width, plane.Height, width, height);

        // Steps of one modality unit where the range allows it, finer for small ranges (SUV, maps), coarser for large ones: 65,536 steps are more than an eye tells apart.
        var (least, most) = (values.Min(), values.Max());
        var range = Math.Max(most - least, 1e-6f);
        var scale = range is >= 255 and <= 65535 ? 1 : 65535 / range;
        var (low, high) = PlaneResampler.RobustRange(values);
        var window = FrameRenderer.WindowOf(image.DataSet, frame) ?? new Window((low + high) / 2, Math.Max(high - low, 1e-6));

        var block = new byte[HeaderBytes + 2 * values.Length];
        BinaryPrimitives.WriteUInt32LittleEndian(block, Magic);
        BinaryPrimitives.WriteInt32LittleEndian(block.AsSpan(4), width);
        BinaryPrimitives.WriteInt32LittleEndian(block.AsSpan(8), height);
        BinaryPrimitives.WriteUInt32LittleEndian(block.AsSpan(12), plane.IsInverted ? 1u : 0);
        BinaryPrimitives.WriteSingleLittleEndian(block.AsSpan(16), (float)((window.Centre - least) * scale));
        BinaryPrimitives.WriteSingleLittleEndian(block.AsSpan(20), (float)Math.Max(1, window.Width * scale));
        BinaryPrimitives.WriteSingleLittleEndian(block.AsSpan(24), (float)AspectOf(image.DataSet));
        var target = MemoryMarshal.Cast<byte, ushort>(block.AsSpan(HeaderBytes));
        for (var i = 0; i < values.Length; i++) target[i] = (ushort)Math.Clamp((values[i] - least) * scale + 0.5f, 0, 65535);
        return block;
    }

    // Pixel Aspect Ratio is vertical\horizontal (PS3.3 C.7.6.3.1.7), Pixel Spacing row\column distance: both are height before width.
    private static double AspectOf(DicomDataSet data)
    {
        foreach (var tag in (DicomTag[])[DicomTags.PixelAspectRatio, DicomTags.PixelSpacing, DicomTags.ImagerPixelSpacing])
            if (data.GetNumber(tag) is > 0 and var height && data.GetNumber(tag, 1) is > 0 and var width) return Math.Clamp(width / height, 0.1, 10);
        return 1;
    }
}
