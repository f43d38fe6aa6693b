using DomainSsl.Learning.Encoders;
using DomainSsl.Learning.Weights;
using DomainSsl.Testing;
using Microsoft.ML.OnnxRuntime;
using static TorchSharp.torch;

namespace DomainSsl.Learning.Tests.Weights;

public sealed class PublicEncoderTests
{
    [Fact]
    public void Features_OfThePublicEncoder_EqualOnnxRuntimes()
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        manual_seed(3);
        var image = rand(2, 1, 224, 224);
        using var encoder = PublicEncoder.Read();
        var ours = encoder.Features(image).data<float>().ToArray();

        using var session = new InferenceSession(PublicEncoder.OnnxPath);
        for (var i = 0; i < 2; i++)
        {
            var planes = cat([image[i] * 255 - 103.06, image[i] * 255 - 115.90, image[i] * 255 - 123.15], 0).contiguous().data<float>().ToArray();
            using var results = session.Run([NamedOnnxValue.CreateFromTensor(session.InputMetadata.Keys.First(), new Microsoft.ML.OnnxRuntime.Tensors.DenseTensor<float>(planes, [1, 3, 224, 224]))]);
            var theirs = results[0].AsEnumerable<float>().ToArray();
            Assert.Equal(512, theirs.Length);
            Assert.True(theirs.Max() > 0.5);
            for (var j = 0; j < 512; j++) Assert.Equal(theirs[j], ours[i * 512 + j], 1e-3);
        }
    }

    [Fact]
    public void WriteSafeTensors_ReadBack_GivesTheSameFeatures()
    {
        using var folder = new TemporaryFolder();
        using var scope = NewDisposeScope();
        using var off = no_grad();
        PublicEncoder.WriteSafeTensors(folder.At("public.safetensors"));
        using var encoder = EncoderWeights.Load(folder.At("public.safetensors"), CPU);
        using var original = PublicEncoder.Read();
        var image = rand(1, 1, 112, 112);
        Assert.True(encoder.Features(image).eq(original.Features(image)).all().item<bool>());
        Assert.True(PublicEncoder.Spec.SameNetwork(encoder.Spec));
        Assert.Equal(encoder.Spec.ToString(), EncoderWeights.ReadSpec(folder.At("public.safetensors")).ToString());
    }

    [Fact]
    public void Load_FileWithoutSpecification_SaysSo()
    {
        using var folder = new TemporaryFolder();
        using var t = zeros(3);
        SafeTensors.Write(folder.At("x.safetensors"), new Dictionary<string, Tensor> { ["a"] = t });
        Assert.Contains("does not say which encoder", Assert.Throws<LearningException>(() => EncoderWeights.Load(folder.At("x.safetensors"), CPU)).Message);
    }
}
