using DomainSsl.Learning.Augmentation;
using DomainSsl.Learning.Training;
using static TorchSharp.torch;

namespace DomainSsl.Learning.Tests.Augmentation;

public sealed class RandomViewsTests
{
    private static readonly AugmentationOptions Nothing = new() { CropMin = 1, Aspect = 1, Flip = 0, Rotation = 0, Gamma = 0, Contrast = 0, Brightness = 0, Blur = 0 };

    [Fact]
    public void View_WithEverythingOff_IsTheImage()
    {
        using var scope = NewDisposeScope();
        var x = rand(3, 1, 32, 32);
        Assert.True(new RandomViews(Nothing, 32).View(x, new RandomStream(1)).allclose(x, 1e-4, 1e-5));
    }

    [Fact]
    public void View_AlwaysFlipped_IsTheMirrorImage()
    {
        using var scope = NewDisposeScope();
        var x = rand(3, 1, 32, 32);
        Assert.True(new RandomViews(Nothing with { Flip = 1 }, 32).View(x, new RandomStream(1)).allclose(x.flip(3), 1e-4, 1e-5));
    }

    [Fact]
    public void View_SameStream_SameView_OtherStream_Another()
    {
        using var scope = NewDisposeScope();
        var (x, views) = (rand(4, 1, 40, 40), new RandomViews(new AugmentationOptions { Noise = 0.05 }, 32));
        var a = views.View(x, new RandomStream(1));
        Assert.Equal([4, 1, 32, 32], a.shape);
        Assert.InRange(a.min().item<float>(), 0, 1);
        Assert.InRange(a.max().item<float>(), 0, 1);
        Assert.True(a.eq(views.View(x, new RandomStream(1))).all().item<bool>());
        Assert.False(a.eq(views.View(x, new RandomStream(2))).all().item<bool>());
    }

    [Fact]
    public void View_OfEachImage_DiffersWithinTheBatch()
    {
        using var scope = NewDisposeScope();
        var x = rand(1, 1, 32, 32).expand(4, 1, 32, 32).contiguous();
        var y = new RandomViews(new AugmentationOptions(), 32).View(x, new RandomStream(1));
        for (var i = 1; i < 4; i++) Assert.True((y[0] - y[i]).abs().max().item<float>() > 0.01);
    }

    [Fact]
    public void View_Blurred_KeepsTheMeanAndLosesDetail()
    {
        using var scope = NewDisposeScope();
        var x = rand(8, 1, 64, 64);
        var y = new RandomViews(Nothing with { Blur = 1 }, 64).View(x, new RandomStream(1));
        Assert.True((y.mean([2, 3]) - x.mean([2, 3])).abs().max().item<float>() < 0.02);
        Assert.True(y.std().item<float>() < 0.8 * x.std().item<float>());
    }

    [Fact]
    public void View_Crops_KeepTheirShareOfTheArea()
    {
        // A ramp's range in a crop of half the side is half as wide.
        using var scope = NewDisposeScope();
        var x = (arange(64, ScalarType.Float32) / 63).expand(16, 1, 64, 64).contiguous();
        var y = new RandomViews(Nothing with { CropMin = 0.25, CropMax = 0.25 }, 64).View(x, new RandomStream(1));
        var range = y.amax([2, 3]) - y.amin([2, 3]);
        Assert.InRange(range.min().item<float>(), 0.48, 0.52);
        Assert.InRange(range.max().item<float>(), 0.48, 0.52);
        Assert.True(y.mean([1, 2, 3]).std().item<float>() > 0.05); // and they lie in different places
    }
}
