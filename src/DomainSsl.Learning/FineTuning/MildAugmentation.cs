using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace DomainSsl.Learning.FineTuning;

/// <summary>How far training images are varied while a classifier is fitted: less than in pretraining, so that the finding stays visible.</summary>
public sealed record MildAugmentation
{
    /// <summary>The least share of the area that a crop keeps.</summary>
    public double LeastArea { get; init; } = 0.7;

    /// <summary>Turned by at most so many degrees either way.</summary>
    public double Degrees { get; init; } = 7;

    /// <summary>Whether left and right may be exchanged; not where the side is the finding.</summary>
    public bool Flip { get; init; } = true;

    /// <summary>Grey values to the power of e^±this.</summary>
    public double Gamma { get; init; } = 0.25;

    /// <summary>One random variant of every image of a batch, B×1×H×W in [0, 1]: crop, turn and flip in one resampling, then gamma.</summary>
    internal Tensor Apply(Tensor images, Random random)
    {
        using var scope = NewDisposeScope();
        var b = (int)images.shape[0];
        var (theta, gamma) = (new float[b * 6], new float[b]);
        for (var i = 0; i < b; i++)
        {
            double Within(double most) => (2 * random.NextDouble() - 1) * most;
            var side = Math.Sqrt(LeastArea + (1 - LeastArea) * random.NextDouble());
            var aspect = Math.Exp(Within(0.1));
            double width = Math.Min(1, side * aspect), height = Math.Min(1, side / aspect);
            var (x, y) = (Within(1 - width), Within(1 - height));
            var angle = Within(Degrees) * Math.PI / 180;
            var mirror = Flip && random.Next(2) == 1 ? -1 : 1;
            var (sin, cos) = (Math.Sin(angle), Math.Cos(angle));
            float[] rows = [(float)(width * cos * mirror), (float)(-width * sin), (float)x, (float)(height * sin * mirror), (float)(height * cos), (float)y];
            rows.CopyTo(theta, i * 6);
            gamma[i] = (float)Math.Exp(Within(Gamma));
        }
        var grid = F.affine_grid(tensor(theta, [b, 2, 3]).to(images.device), images.shape, false);
        var moved = F.grid_sample(images, grid, GridSampleMode.Bilinear, GridSamplePaddingMode.Border, false);
        return moved.clamp(1e-4, 1).pow(tensor(gamma, [b, 1, 1, 1]).to(images.device)).MoveToOuterDisposeScope();
    }
}
