using DomainSsl.Learning.Encoders;
using DomainSsl.Learning.Training;
using DomainSsl.Learning.Weights;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;
using Linear = DomainSsl.Learning.Encoders.Linear;

namespace DomainSsl.Learning.Transcribing;

/// <summary>An encoder of sound with a linear head that gives each frame's letters: samples to log-probabilities B×T'×V, for CTC (Graves et al. 2006).</summary>
internal sealed class TranscriberNetwork : IDisposable
{
    /// <summary>The head sees the encoder's result.</summary>
    public const string Last = "last";

    /// <summary>The head sees a learnt mean of what all blocks give, each normalised (after SUPERB, Yang et al. 2021, section 3.1).</summary>
    public const string Mix = "mix";

    private const string EncoderPrefix = "encoder.", HeadPrefix = "head.";
    private readonly LetterHead _head;

    /// <summary>With a head drawn from <paramref name="generator"/>.</summary>
    public TranscriberNetwork(SoundEncoder encoder, int letters, string layers, Generator generator)
    {
        (Encoder, Letters, Layers) = (encoder, letters, layers);
        _head = new LetterHead(encoder.Dimensions, letters, layers == Mix ? encoder.Depth : 0, generator);
    }

    public SoundEncoder Encoder { get; }

    /// <summary>V, the blank counted.</summary>
    public int Letters { get; }

    public string Layers { get; }

    public nn.Module Head => _head;

    /// <summary>From <see cref="SoundEncoder.Front"/> to log-probabilities, B×T'×V, float32.</summary>
    /// <param name="front">B×F×M, as it is or with stretches hidden.</param>
    /// <param name="lengths">Samples of each item; null: all of equal length.</param>
    /// <param name="still">Whether the encoder stands still: no gradient goes into it.</param>
    /// <param name="dropout">Share of the values before the head that are left out.</param>
    /// <param name="random">Which.</param>
    public Tensor LogProbabilities(Tensor front, long[]? lengths, bool still = false, double dropout = 0, RandomStream? random = null)
    {
        Tensor c;
        using (still ? no_grad() : null)
        {
            var z = Encoder.Latents(front, lengths);
            c = Layers == Mix ? stack(Encoder.Layers(z, lengths), 0) : Encoder.Context(z, lengths);        // L×B×T'×D or B×T'×D
        }
        c = _head.Mixed(c);
        if (dropout > 0 && random is not null)
        {
            using var generator = random.Generator();
            c = c * empty(c.shape, c.dtype).bernoulli_(1 - dropout, generator).to(c.device) / (1 - dropout);
        }
        return F.log_softmax(_head.forward(c), 2);
    }

    /// <summary>Everything that the network is made of, by name; the tensors stay the network's.</summary>
    public Dictionary<string, Tensor> State()
    {
        var state = Encoder.state_dict().ToDictionary(t => EncoderPrefix + t.Key, t => t.Value);
        foreach (var (name, tensor) in _head.state_dict()) state[HeadPrefix + name] = tensor;
        return state;
    }

    /// <summary>Takes over stored tensors.</summary>
    /// <exception cref="LearningException">They are of another network.</exception>
    public void Restore(IReadOnlyDictionary<string, Tensor> state, string origin)
    {
        Dictionary<string, Tensor> Of(string prefix) => state.Where(t => t.Key.StartsWith(prefix, StringComparison.Ordinal)).ToDictionary(t => t.Key[prefix.Length..], t => t.Value);
        EncoderWeights.Restore(Encoder, Of(EncoderPrefix), origin);
        EncoderWeights.Restore(_head, Of(HeadPrefix), origin);
    }

    public void To(Device device)
    {
        Encoder.to(device);
        _head.to(device);
    }

    public void Dispose()
    {
        Encoder.Dispose();
        _head.Dispose();
    }

    private sealed class LetterHead : nn.Module<Tensor, Tensor>
    {
        private readonly Linear _letters;
        private readonly bool _mixes;

        public LetterHead(int dimensions, int letters, int layers, Generator generator) : base(nameof(LetterHead))
        {
            register_module("letters", _letters = new Linear(dimensions, letters, generator));
            if (_mixes = layers > 0) register_parameter("mix", Encoders.Convolution.Kept(zeros(layers)));          // L
        }

        protected override void RegisterComponents()
        {
        }

        public Tensor Mixed(Tensor c) => !_mixes ? c : (F.layer_norm(c, [c.shape[3]]) * F.softmax(get_parameter("mix")!, 0).view(-1, 1, 1, 1)).sum([0]);

        public override Tensor forward(Tensor input) => _letters.forward(input);
    }
}
