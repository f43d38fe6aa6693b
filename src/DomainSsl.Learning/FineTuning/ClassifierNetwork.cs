using DomainSsl.Learning.Encoders;
using DomainSsl.Learning.Evaluation;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace DomainSsl.Learning.FineTuning;

/// <summary>An encoder with a linear head: images or sounds to K logits.</summary>
internal sealed class ClassifierNetwork : IDisposable
{
    private readonly LinearHead _head;

    /// <summary>With a head of zeros.</summary>
    public ClassifierNetwork(Encoder encoder, int classes, Device device)
    {
        Encoder = encoder;
        _head = new LinearHead(encoder.Dimensions, classes, device);
    }

    public Encoder Encoder { get; }

    public int Classes => _head.Classes;

    public nn.Module Head => _head;

    /// <summary>B items to B×K.</summary>
    public Tensor Logits(ItemBatch x) => _head.forward(x.Features(Encoder));

    public Probabilities Predict(ItemSource source, int[] items, Device device) =>
        new(Classes, Array.ConvertAll(source.Rows(items, Classes, device, x => softmax(Logits(x), 1)), p => (double)p));

    /// <summary>Everything that the network is made of, by name; the tensors stay the network's.</summary>
    public Dictionary<string, Tensor> State()
    {
        var state = Encoder.state_dict().ToDictionary(t => "encoder." + t.Key, t => t.Value);
        foreach (var (name, tensor) in _head.state_dict()) state["head." + name] = tensor;
        return state;
    }

    /// <summary>The network of stored tensors.</summary>
    public static ClassifierNetwork From(EncoderSpec spec, IReadOnlyDictionary<string, Tensor> state, string origin, Device device)
    {
        const string prefix = "encoder.";
        var encoder = EncoderFactory.Create(spec, 0);
        Weights.EncoderWeights.Restore(encoder, state.Where(t => t.Key.StartsWith(prefix, StringComparison.Ordinal)).ToDictionary(t => t.Key[prefix.Length..], t => t.Value), origin);
        encoder.to(device);
        encoder.eval();
        if (!state.TryGetValue("head.weight", out var weight) || !state.TryGetValue("head.bias", out var bias) || weight.shape is not [var k, var d] || d != encoder.Dimensions || bias.shape is not [var kb] || kb != k)
            throw new LearningException($"The classifier's weights in {origin} have no head that fits; train the task again.");
        if (state.ContainsKey("head.mean")) throw new LearningException($"The classifier's weights in {origin} are of an earlier version; train the task again.");
        var network = new ClassifierNetwork(encoder, (int)k, device);
        network._head.Take(weight, bias);
        return network;
    }

    public void Dispose()
    {
        Encoder.Dispose();
        _head.Dispose();
    }

    /// <summary>Features times a matrix and plus intercepts.</summary>
    private sealed class LinearHead : nn.Module<Tensor, Tensor>
    {
        public LinearHead(int dimensions, int classes, Device device) : base(nameof(LinearHead))
        {
            register_parameter("weight", Encoders.Convolution.Kept(zeros(classes, dimensions, device: device)));
            register_parameter("bias", Encoders.Convolution.Kept(zeros(classes, device: device)));
        }

        public int Classes => (int)Bias.shape[0];

        private Parameter Weight => get_parameter("weight")!;     // K×D

        private Parameter Bias => get_parameter("bias")!;         // K

        public override Tensor forward(Tensor input) => F.linear(input, Weight, Bias);        // B×D to B×K

        public void Take(Tensor weight, Tensor bias)
        {
            using var off = no_grad();
            using var scope = NewDisposeScope();
            Weight.copy_(weight);
            Bias.copy_(bias);
        }
    }
}
