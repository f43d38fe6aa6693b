using DomainSsl.Learning.Encoders;
using DomainSsl.Learning.Weights;
using DomainSsl.Testing;
using static TorchSharp.torch;

namespace DomainSsl.Learning.Tests.Encoders;

public sealed class EncoderTests
{
    public static readonly EncoderSpec SmallResNet = new() { Architecture = "resnet", Resolution = 64, Width = 32, Blocks = [1, 1, 1, 1], Stem = "stride4", Input = "grey" };
    public static readonly EncoderSpec SmallVit = new() { Architecture = "vit", Resolution = 64, Width = 192, Patch = 8, Depth = 6, Heads = 3 };

    [Fact]
    public void SmallResNet_ShapesAndParameters_AreThoseOfTheText()
    {
        using var scope = NewDisposeScope();
        using var encoder = EncoderFactory.Create(SmallResNet, 1);
        var x = rand(2, 1, 64, 64);
        Assert.Equal([2, 256], encoder.Features(x).shape);
        Assert.Equal([2, 4, 256], encoder.Tokens(x).shape);
        Assert.Equal(256, encoder.Dimensions);
        Assert.Equal("ResNet-10 ×32", encoder.Spec.ToString());
        // stem 7·7·32; block k: 9·in·out + 9·out² (+ in·out), and 2 values a channel for each normalisation
        long expected = 49 * 32 + 64;
        for (int k = 0, inputs = 32; k < 4; k++)
        {
            var outputs = 32 << k;
            expected += 9 * inputs * outputs + 9 * outputs * outputs + 4 * outputs + (k > 0 ? inputs * outputs + 2 * outputs : 0);
            inputs = outputs;
        }
        Assert.Equal(expected, encoder.ParameterCount);
    }

    [Fact]
    public void PublicResNet_Parameters_AreAsPublished()
    {
        using var scope = NewDisposeScope();
        using var encoder = EncoderFactory.Create(PublicEncoder.Spec, 1);
        Assert.Equal(22, encoder.state_dict().Count(p => p.Value.dim() == 4));
        Assert.Equal(15.9, encoder.state_dict().Where(p => p.Value.dim() == 4).Sum(p => p.Value.numel()) / 1e6, 0.05);
        Assert.Equal([1, 512], encoder.Features(rand(1, 1, 64, 64)).shape);
    }

    [Fact]
    public void Vit_WithKeptTokens_SeesOnlyThose()
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        using var encoder = (Vit)EncoderFactory.Create(SmallVit, 1);
        var x = rand(2, 1, 64, 64);
        Assert.Equal([2, 64, 192], encoder.Tokens(x).shape);
        Assert.Equal([2, 192], encoder.Features(x).shape);
        var kept = tensor(new long[] { 5, 9, 63, 0, 1, 2 }, 2, 3);
        var tokens = encoder.Tokens(x, kept);
        Assert.Equal([2, 3, 192], tokens.shape);
        var other = x.clone();
        other[0, 0, 0, 8] = 9; // patch 1 of the first image, which is not kept there
        Assert.True(encoder.Tokens(other, kept)[0].eq(tokens[0]).all().item<bool>());
        // all patches kept, in another order: the same tokens in that order
        var order = arange(63, -1, -1, ScalarType.Int64).unsqueeze(0).expand(2, -1);
        Assert.True(encoder.Tokens(x, order).flip(1).allclose(encoder.Tokens(x), 1e-4, 1e-5));
    }

    [Fact]
    public void Linear_ChoosesItsWay_AlsoWhereItIsFirstAskedForWhilePredicting()
    {
        using var off = inference_mode();
        Linear.Measure(); // it needs gradients, which are switched off here
        Assert.False(zeros(1).requires_grad || is_grad_enabled());
    }

    [Fact]
    public void Linear_ThroughAConvolution_EqualsTheMatrixProduct()
    {
        using var scope = NewDisposeScope();
        var before = Linear.AsConvolution;
        try
        {
            using var encoder = EncoderFactory.Create(SmallVit, 1);
            var x = rand(2, 1, 64, 64);
            Linear.AsConvolution = true;
            var convolution = Gradient(encoder, x);
            Linear.AsConvolution = false;
            var plain = Gradient(encoder, x);
            Assert.True((convolution - plain).abs().max().item<float>() < 1e-4 * plain.abs().max().item<float>());
        }
        finally { Linear.AsConvolution = before; }

        static Tensor Gradient(Encoder encoder, Tensor x)
        {
            encoder.zero_grad();
            encoder.Features(x).pow(2).sum().backward();
            return encoder.parameters().First().grad!.clone();
        }
    }

    [Theory]
    [InlineData("resnet")]
    [InlineData("vit")]
    public void Encoder_InHalfPrecision_IsCloseAndLearns(string architecture)
    {
        using var scope = NewDisposeScope();
        using var encoder = EncoderFactory.Create(architecture == "vit" ? SmallVit : SmallResNet, 1);
        var x = rand(4, 1, 64, 64);
        var exact = encoder.Features(x);
        encoder.Precision = ScalarType.BFloat16;
        var half = encoder.Features(x);
        Assert.Equal(ScalarType.Float32, half.dtype);
        Assert.InRange(((half - exact).norm() / exact.norm()).item<float>(), 1e-7, 0.05);
        half.sum().backward();
        Assert.All(encoder.parameters(), p => Assert.Equal(ScalarType.Float32, p.grad!.dtype));
    }

    [Fact]
    public void Create_SameSeed_SameWeights_OtherSeed_Others()
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        foreach (var spec in new[] { SmallResNet, SmallVit })
        {
            var x = rand(2, 1, 64, 64);
            using var a = EncoderFactory.Create(spec, 5);
            using var b = EncoderFactory.Create(spec, 5);
            using var c = EncoderFactory.Create(spec, 6);
            Assert.True(a.Features(x).eq(b.Features(x)).all().item<bool>());
            Assert.False(a.Features(x).eq(c.Features(x)).all().item<bool>());
        }
    }

    [Fact]
    public void Save_Load_KeepsSpecificationAndOutput()
    {
        using var folder = new TemporaryFolder();
        using var scope = NewDisposeScope();
        using var off = no_grad();
        foreach (var spec in new[] { SmallResNet, SmallVit })
        {
            using var encoder = EncoderFactory.Create(spec, 5);
            encoder.eval();
            EncoderWeights.Save(encoder, folder.At("e"));
            using var back = EncoderWeights.Load(folder.At("e"), CPU);
            var x = rand(2, 1, 64, 64);
            Assert.True(spec.SameNetwork(back.Spec));
            Assert.True(encoder.Features(x).eq(back.Features(x)).all().item<bool>());
        }
    }

    [Fact]
    public void Create_ImpossibleSizes_SaysWhy()
    {
        Assert.Contains("multiple of its patch", Assert.Throws<LearningException>(() => EncoderFactory.Create(SmallVit with { Patch = 7 }, 0)).Message);
        Assert.Contains("multiple of 4 and of its heads", Assert.Throws<LearningException>(() => EncoderFactory.Create(SmallVit with { Heads = 5 }, 0)).Message);
        Assert.Contains("needs 'blocks'", Assert.Throws<LearningException>(() => EncoderFactory.Create(SmallResNet with { Blocks = [] }, 0)).Message);
        Assert.Contains("stride4 or pooled", Assert.Throws<LearningException>(() => EncoderFactory.Create(SmallResNet with { Stem = "x" }, 0)).Message);
        Assert.Contains("unknown", Assert.Throws<LearningException>(() => EncoderFactory.Create(SmallResNet with { Architecture = "mlp" }, 0)).Message);
    }
}
