using DomainSsl.Learning.Encoders;
using DomainSsl.Learning.Evaluation;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace DomainSsl.Learning.FineTuning;

/// <summary>An encoder with a linear head: images to K logits.</summary>
internal sealed class ImageClassifierNetwork : IDisposable
{
    private const int PredictBatch = 64;
    private readonly Parameter _weight, _bias;          // K×D, K
    private readonly Tensor? _mean, _scale;             // D, D

    /// <summary>A head beginning as a probe on standardised features, or at zero on the features as they are.</summary>
    public ImageClassifierNetwork(Encoder encoder, int classes, (FeatureStandard Standard, LinearProbe Probe)? head, Device device)
    {
        Encoder = encoder;
        using var scope = NewDisposeScope();
        if (head is not { } h) (_weight, _bias) = (new Parameter(zeros(classes, encoder.Dimensions, device: device)), new Parameter(zeros(classes, device: device)));
        else
        {
            (_weight, _bias) = (new Parameter(tensor(h.Probe.Weights, [classes, encoder.Dimensions]).to(device)), new Parameter(tensor(h.Probe.Intercepts).to(device)));
            (_mean, _scale) = (tensor(h.Standard.Mean.ToArray()).to(device), tensor(h.Standard.Scale.ToArray()).to(device));
        }
        foreach (var t in new[] { _weight, _bias, _mean, _scale }) t?.DetachFromDisposeScope();
    }

    public Encoder Encoder { get; }

    public int Classes => (int)_bias.shape[0];

    public IEnumerable<Parameter> Head => [_weight, _bias];

    /// <summary>B×1×H×W to B×K.</summary>
    public Tensor Logits(Tensor x)
    {
        var features = Encoder.Features(x);                                                     // B×D
        if (_mean is not null) features = FeatureStandard.Apply(features, _mean, _scale!);      // B×D
        return F.linear(features, _weight, _bias);                                              // B×K
    }

    public Probabilities Predict(ImageSource images, int[] items, Device device)
    {
        var values = new double[items.Length * Classes];
        var at = 0;
        foreach (var part in items.Chunk(PredictBatch))
        {
            using var off = inference_mode();
            using var scope = NewDisposeScope();
            foreach (var p in softmax(Logits(images(part, device)), 1).to(Devices.Host).data<float>()) values[at++] = p;
        }
        return new Probabilities(Classes, values);
    }

    /// <summary>Everything that the network is made of, by name; the tensors stay the network's.</summary>
    public Dictionary<string, Tensor> State()
    {
        var state = Encoder.state_dict().ToDictionary(t => "encoder." + t.Key, t => t.Value);
        (state["head.weight"], state["head.bias"]) = (_weight, _bias);
        if (_mean is not null) (state["head.mean"], state["head.scale"]) = (_mean, _scale!);
        return state;
    }

    /// <summary>The network of stored tensors.</summary>
    public static ImageClassifierNetwork From(EncoderSpec spec, IReadOnlyDictionary<string, Tensor> state, string origin, Device device)
    {
        const string prefix = "encoder.";
        var encoder = EncoderFactory.Create(spec, 0);
        Weights.EncoderWeights.Restore(encoder, state.Where(t => t.Key.StartsWith(prefix, StringComparison.Ordinal)).ToDictionary(t => t.Key[prefix.Length..], t => t.Value), origin);
        encoder.to(device);
        encoder.eval();
        if (!state.TryGetValue("head.weight", out var weight) || !state.TryGetValue("head.bias", out var bias) || weight.shape is not [var k, var d] || d != encoder.Dimensions || bias.shape is not [var kb] || kb != k)
            throw new LearningException($"The classifier's weights in {origin} have no head that fits; train the task again.");
        float[] Values(string name) => state[name].data<float>().ToArray();
        var probe = new LinearProbe(Values("head.weight"), Values("head.bias"));
        if (state.ContainsKey("head.mean")) return new ImageClassifierNetwork(encoder, (int)k, (new FeatureStandard(Values("head.mean"), Values("head.scale")), probe), device);
        var network = new ImageClassifierNetwork(encoder, (int)k, null, device);
        using var off = no_grad();
        network._weight.copy_(weight);
        network._bias.copy_(bias);
        return network;
    }

    public void Dispose()
    {
        Encoder.Dispose();
        foreach (var t in new[] { _weight, _bias, _mean, _scale }) t?.Dispose();
    }
}
