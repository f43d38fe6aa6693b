using DomainSsl.Learning.Training;
using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace DomainSsl.Learning.Augmentation;

/// <summary>How far views of an image may differ. A value of 0 (crops: 1) switches a part off.</summary>
public sealed record AugmentationOptions
{
    /// <summary>Smallest share of the area that a crop keeps.</summary>
    public double CropMin { get; init; } = 0.3;

    /// <summary>Largest share of the area that a crop keeps.</summary>
    public double CropMax { get; init; } = 1;

    /// <summary>A crop's sides differ by at most this factor.</summary>
    public double Aspect { get; init; } = 4.0 / 3;

    /// <summary>Probability of a flip from left to right.</summary>
    public double Flip { get; init; } = 0.5;

    /// <summary>Largest rotation either way, degrees.</summary>
    public double Rotation { get; init; } = 10;

    /// <summary>Values are raised to e^±this.</summary>
    public double Gamma { get; init; } = 0.5;

    /// <summary>Distances from the mean are multiplied by 1 ± this.</summary>
    public double Contrast { get; init; } = 0.4;

    /// <summary>Shift either way; the whole range is 1.</summary>
    public double Brightness { get; init; } = 0.2;

    /// <summary>Probability of a Gaussian blur of 0.1 to 1.5 pixels at 64 pixels (in proportion at other sizes).</summary>
    public double Blur { get; init; } = 0.5;

    /// <summary>Largest deviation of added noise; the whole range is 1.</summary>
    public double Noise { get; init; }
}

/// <summary>
/// Random views of images, batched: crop, rotation and flip are one resampling, intensities a few operations over the whole batch. Only the parameters, some numbers an
/// image, are drawn one by one; the same stream gives the same view on any device up to rounding.
/// </summary>
/// <param name="options">How far views may differ.</param>
/// <param name="side">Side of the views, pixels.</param>
public sealed class RandomViews(AugmentationOptions options, int side)
{
    /// <summary>One random view of each image, B×1×H×W to B×1×S×S, both in [0, 1].</summary>
    public Tensor View(Tensor x, RandomStream random)
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        var y = Resample(x, random);
        if (options.Gamma > 0) y = y.clamp_(1e-4, 1).pow_(PerImage(y, random, r => Math.Exp(r.Uniform(-options.Gamma, options.Gamma))));
        if (options.Contrast > 0 || options.Brightness > 0)
        {
            var contrast = PerImage(y, random, r => r.Uniform(1 - options.Contrast, 1 + options.Contrast));
            var brightness = PerImage(y, random, r => r.Uniform(-options.Brightness, options.Brightness));
            var mean = y.mean([2, 3], keepdim: true);
            y = y.sub_(mean).mul_(contrast).add_(mean).add_(brightness);
        }
        if (options.Blur > 0) y = Blurred(y, random);
        if (options.Noise > 0)
        {
            var deviation = PerImage(y, random, r => r.Uniform(0, options.Noise));
            using var generator = random.Generator();
            y = y.add_(empty(y.shape, y.dtype).normal_(0, 1, generator).to(y.device).mul_(deviation));
        }
        return y.clamp_(0, 1).MoveToOuterDisposeScope();
    }

    /// <summary>Random resized crop, rotation and flip as one affine map from places of the view to places of the image, in [−1, 1].</summary>
    private Tensor Resample(Tensor x, RandomStream random)
    {
        var b = (int)x.shape[0];
        var theta = new float[b * 6];
        for (var i = 0; i < b; i++)
        {
            var area = random.Uniform(options.CropMin, options.CropMax);
            var aspect = Math.Exp(random.Uniform(-1, 1) * Math.Log(options.Aspect));
            double w = Math.Min(1, Math.Sqrt(area * aspect)), h = Math.Min(1, Math.Sqrt(area / aspect));
            double dx = random.Uniform(-1, 1) * (1 - w), dy = random.Uniform(-1, 1) * (1 - h);
            var angle = random.Uniform(-1, 1) * options.Rotation * Math.PI / 180;
            var flip = random.Chance(options.Flip) ? -1 : 1;
            var (sin, cos) = Math.SinCos(angle);
            var t = theta.AsSpan(i * 6);
            (t[0], t[1], t[2]) = ((float)(w * cos * flip), (float)(-h * sin), (float)dx);
            (t[3], t[4], t[5]) = ((float)(w * sin * flip), (float)(h * cos), (float)dy);
        }
        var grid = F.affine_grid(tensor(theta, [b, 2, 3]).to(x.device), [b, 1, side, side], align_corners: false);
        return F.grid_sample(x, grid, mode: GridSampleMode.Bilinear, padding_mode: GridSamplePaddingMode.Zeros, align_corners: false);
    }

    /// <summary>Each image with its own separable Gaussian: as many groups as images, so one call a direction.</summary>
    private Tensor Blurred(Tensor x, RandomStream random)
    {
        var b = (int)x.shape[0];
        var scale = side / 64.0;
        var radius = (int)Math.Ceiling(3 * scale);
        var size = 2 * radius + 1;
        var kernels = new float[b * size];
        for (var i = 0; i < b; i++)
        {
            var (blurred, sigma) = (random.Chance(options.Blur), random.Uniform(0.1, 1.5) * scale);
            var kernel = kernels.AsSpan(i * size, size);
            if (!blurred) { kernel[radius] = 1; continue; }
            var sum = 0.0;
            for (var j = 0; j < size; j++) sum += kernel[j] = (float)Math.Exp(-(j - radius) * (j - radius) / (2 * sigma * sigma));
            for (var j = 0; j < size; j++) kernel[j] /= (float)sum;
        }
        var k = tensor(kernels, [b, 1, 1, size]).to(x.device);
        var padded = F.pad(x.view(1, b, side, side), [radius, radius, radius, radius], mode: PaddingModes.Replicate);
        var rows = F.conv2d(padded, k, groups: b);
        return F.conv2d(rows, k.transpose(2, 3).contiguous(), groups: b).view(b, 1, side, side);
    }

    private static Tensor PerImage(Tensor x, RandomStream random, Func<RandomStream, double> draw)
    {
        var values = new float[x.shape[0]];
        for (var i = 0; i < values.Length; i++) values[i] = (float)draw(random);
        return tensor(values, [values.Length, 1, 1, 1]).to(x.device);
    }
}
