using System.Numerics.Tensors;

namespace DomainSsl.Dicom;

/// <summary>How an image that is not square becomes one.</summary>
public enum SquareFit
{
    /// <summary>The whole image, its shape kept, on a ground of the darkest value.</summary>
    Pad,
    /// <summary>The whole image, its shape not kept.</summary>
    Stretch,
}

/// <summary>
/// Makes planes of a size for training and pictures: each output value is the mean of the area it covers (smaller) or lies on the line between its neighbours (larger).
/// </summary>
public static class PlaneResampler
{
    /// <summary>The share of values left out at either end when the range of a plane is set: a metal clip or a black corner must not decide the contrast.</summary>
    public const double RobustShare = 0.005;

    /// <summary>
    /// A square plane of <paramref name="side"/> × <paramref name="side"/> for training: modality values, MONOCHROME1 turned so that high is bright, scaled so that
    /// the 0.5th percentile is 0 and the 99.5th 65535.
    /// </summary>
    /// <exception cref="DicomException">The frame cannot be decoded.</exception>
    public static ushort[] ForTraining(DicomImage image, int side, int frame = 0, SquareFit fit = SquareFit.Pad) => ForTraining(GreyPlane.Of(image, frame), side, fit);

    /// <summary>The same of a frame that is decoded already, for when several sizes of it are wanted.</summary>
    public static ushort[] ForTraining(GreyPlane plane, int side, SquareFit fit = SquareFit.Pad)
    {
        var (width, height) = (side, side);
        if (fit == SquareFit.Pad)
        {
            if (plane.Width > plane.Height) height = Math.Max(1, (int)Math.Round((double)side * plane.Height / plane.Width));
            else width = Math.Max(1, (int)Math.Round((double)side * plane.Width / plane.Height));
        }
        var resized = Resize(plane.Values, plane.Width, plane.Height, width, height);
        var (low, high) = RobustRange(resized);
        var scale = high > low ? 65535f / (high - low) : 0;
        var square = new ushort[side * side];
        var (left, top) = ((side - width) / 2, (side - height) / 2);
        for (var y = 0; y < height; y++)
            for (var x = 0; x < width; x++)
            {
                var value = Math.Clamp((resized[y * width + x] - low) * scale, 0, 65535);
                square[(top + y) * side + left + x] = (ushort)(plane.IsInverted ? 65535 - value + 0.5f : value + 0.5f);
            }
        return square;
    }

    /// <summary>Resizes a plane of <paramref name="width"/> × <paramref name="height"/>, rows from the top.</summary>
    public static float[] Resize(ReadOnlySpan<float> plane, int width, int height, int toWidth, int toHeight)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(plane.Length, width * height);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(toWidth);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(toHeight);
        if (width == toWidth && height == toHeight) return plane.ToArray();
        var (rows, columns) = (Taps.Of(height, toHeight), Taps.Of(width, toWidth));
        var result = new float[toWidth * toHeight];
        var line = new float[width];
        for (var y = 0; y < toHeight; y++)
        {
            Array.Clear(line);
            for (var k = 0; k < rows.Count[y]; k++)
                TensorPrimitives.MultiplyAdd(plane.Slice((rows.First[y] + k) * width, width), rows.Weights[rows.Start[y] + k], line, line);
            for (var x = 0; x < toWidth; x++)
            {
                var (sum, first, start) = (0f, columns.First[x], columns.Start[x]);
                for (var k = 0; k < columns.Count[x]; k++) sum += line[first + k] * columns.Weights[start + k];
                result[y * toWidth + x] = sum;
            }
        }
        return result;
    }

    /// <summary>The 0.5th and 99.5th percentile, by a histogram of 65,536 steps between the extremes; of a plane of one value, that value twice.</summary>
    public static (float Low, float High) RobustRange(ReadOnlySpan<float> plane)
    {
        if (plane.IsEmpty) return (0, 0);
        var (min, max) = (TensorPrimitives.Min(plane), TensorPrimitives.Max(plane));
        if (!(max > min)) return (min, min);
        var (low, high) = Between(plane, min, max);
        // One outlier far away squeezes everything else into a few steps: look again between the bounds just found, each look a thousand times closer.
        for (var (from, to, looks) = (min, max, 0); looks < 4 && high - low < (to - from) / 64; looks++)
        {
            (from, to) = (Math.Max(from, low - (to - from) / 32768), Math.Min(to, high + (to - from) / 32768));
            if (!(to > from)) break;
            (low, high) = Between(plane, from, to);
        }
        return high > low ? (low, high) : (min, max);
    }

    private static (float Low, float High) Between(ReadOnlySpan<float> plane, float min, float max)
    {
        const int steps = 65536;
        var histogram = new int[steps];
        var scale = (steps - 1) / (max - min);
        foreach (var value in plane) histogram[(int)Math.Clamp((value - min) * scale, 0, steps - 1)]++;
        var skip = (int)(plane.Length * RobustShare);
        var (first, last) = (0, steps - 1);
        for (var seen = histogram[0]; seen <= skip && first < steps - 1; seen += histogram[first]) first++;
        for (var seen = histogram[last]; seen <= skip && last > 0; seen += histogram[last]) last--;
        return (min + first / scale, min + last / scale);
    }

    // For each output position which inputs count and how much.
    private sealed record Taps(int[] First, int[] Count, int[] Start, float[] Weights)
    {
        public static Taps Of(int from, int to)
        {
            var (first, count, start, weights) = (new int[to], new int[to], new int[to], new List<float>());
            var step = (double)from / to;
            for (var i = 0; i < to; i++)
            {
                start[i] = weights.Count;
                if (step >= 1)
                {
                    var (begin, end) = (i * step, Math.Min(from, (i + 1) * step));
                    first[i] = (int)begin;
                    for (var k = first[i]; k < from && k < end - 1e-9; k++) weights.Add((float)((Math.Min(end, k + 1) - Math.Max(begin, k)) / step));
                }
                else
                {
                    var centre = Math.Clamp((i + 0.5) * step - 0.5, 0, from - 1);
                    first[i] = (int)centre;
                    weights.Add((float)(1 - (centre - first[i])));
                    if (first[i] + 1 < from) weights.Add((float)(centre - first[i]));
                }
                count[i] = weights.Count - start[i];
            }
            return new(first, count, start, [.. weights]);
        }
    }
}
