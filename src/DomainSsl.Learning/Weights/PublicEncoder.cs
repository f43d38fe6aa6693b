using DomainSsl.Learning.Encoders;
using static TorchSharp.torch;

namespace DomainSsl.Learning.Weights;

/// <summary>
/// The public image encoder that comes with the product: a ResNet trained on ImageNet, taken from the NuGet package Microsoft.ML.DnnImageFeaturizer.ResNet18 (MIT licence;
/// see README.md in this folder). Batch normalisation stays what it is, with its statistics, so that training can go on from it.
/// </summary>
public static class PublicEncoder
{
    /// <summary>The name under which it is known in commands, recipes and the registry.</summary>
    public const string Name = "public";

    /// <summary>
    /// What it is made like: basic blocks 2, 2, 2, 3, features of 512 values. It was trained at 224×224; it is used at 112×112, as the recipe <c>simclr</c> is, at a quarter
    /// of the cost: two CPU cores fine-tune it within a coffee. <c>label-efficiency --encoder public@224</c> measures it at its own size.
    /// </summary>
    public static EncoderSpec Spec { get; } = new() { Architecture = "resnet", Resolution = 112, Width = 64, Blocks = [2, 2, 2, 3], Stem = "pooled", Input = "imagenet" };

    /// <summary>Where the build puts the package's file.</summary>
    public static string OnnxPath => Path.Combine(AppContext.BaseDirectory, "weights", "ResNet18.onnx");

    /// <summary>Writes it as an encoder file (<see cref="EncoderWeights"/>).</summary>
    /// <exception cref="LearningException">The package's file is absent or is another network.</exception>
    public static void WriteSafeTensors(string path)
    {
        using var encoder = Read();
        EncoderWeights.Save(encoder, path);
    }

    /// <summary>Reads it from the package's file, in evaluation mode.</summary>
    /// <exception cref="LearningException">The package's file is absent or is another network.</exception>
    public static Encoder Read()
    {
        if (!File.Exists(OnnxPath)) throw new LearningException($"The public encoder's file {OnnxPath} is not there; build the program again with its packages restored.");
        var onnx = OnnxInitializers.Read(OnnxPath);
        using var scope = NewDisposeScope();
        var tensors = new Dictionary<string, Tensor>();
        Tensor Weight(OnnxNode node, int input)
        {
            var initializer = onnx.Initializers[node.Inputs[input]];
            return tensor(initializer.Values, initializer.Shape);
        }

        // The graph lists each convolution directly before its normalisation; in a block with a projection, the projection comes first.
        var convolutions = onnx.Nodes.Where(n => n.Operator == "Conv").ToList();
        var normalisations = onnx.Nodes.Where(n => n.Operator == "BatchNormalization").ToList();
        var names = Names().ToList();
        if (convolutions.Count != names.Count || normalisations.Count != names.Count) throw new LearningException($"The file {OnnxPath} is another network than the public encoder.");
        for (var i = 0; i < names.Count; i++)
        {
            var (convolution, normalisation) = names[i];
            tensors[$"{convolution}.weight"] = Weight(convolutions[i], 1);
            tensors[$"{normalisation}.weight"] = Weight(normalisations[i], 1);
            tensors[$"{normalisation}.bias"] = Weight(normalisations[i], 2);
            tensors[$"{normalisation}.running_mean"] = Weight(normalisations[i], 3);
            tensors[$"{normalisation}.running_var"] = Weight(normalisations[i], 4);
            tensors[$"{normalisation}.num_batches_tracked"] = tensor(0L);
        }
        var encoder = EncoderFactory.Create(Spec, 0);
        EncoderWeights.Restore(encoder, tensors, OnnxPath);
        encoder.eval();
        return encoder;
    }

    private static IEnumerable<(string Convolution, string Normalisation)> Names()
    {
        yield return ("conv1", "bn1");
        for (var stage = 1; stage <= Spec.Blocks!.Count; stage++)
        {
            for (var block = 0; block < Spec.Blocks[stage - 1]; block++)
            {
                var name = $"layer{stage}.{block}";
                if (block == 0 && stage > 1) yield return ($"{name}.downsample.0", $"{name}.downsample.1");
                yield return ($"{name}.conv1", $"{name}.bn1");
                yield return ($"{name}.conv2", $"{name}.bn2");
            }
        }
    }
}
