using System.Text.Json;
using DomainSsl.Learning.Decoding;
using DomainSsl.Learning.Encoders;
using DomainSsl.Learning.Weights;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace DomainSsl.Learning.Language;

/// <summary>What a Transformer over letters is made like; stored as JSON with its weights.</summary>
public sealed record LanguageSpec
{
    /// <summary><c>causal</c> (a letter is foretold from those before it) or <c>masked</c> (from those on both sides).</summary>
    public required string Kind { get; init; }

    /// <summary>The alphabet's letters, as the decoder has them, so that both speak of the same texts.</summary>
    public string Letters { get; init; } = Alphabet.English.Letters;

    /// <summary>Values of a token.</summary>
    public int Width { get; init; } = 128;

    /// <summary>Blocks.</summary>
    public int Depth { get; init; } = 4;

    /// <summary>Attention heads.</summary>
    public int Heads { get; init; } = 4;

    /// <summary>Letters that are seen at once. Longer texts are scored in windows.</summary>
    public int Context { get; init; } = 128;
}

/// <summary>
/// A Transformer over letters (Vaswani et al. 2017; blocks with the normalisation first as in GPT-2, Radford et al. 2019), with learnt positions. Tokens are the alphabet's numbers; 0, which no
/// text has, is what stands before and behind one. The letters' vectors serve at both ends, as GPT's and BERT's do. Departure: before the first block a depthwise convolution mixes each letter with its
/// neighbours (those before it only, in a causal network), since one letter says little, and a small text is soon at its end while attention still learns to look next door.
/// </summary>
public sealed class LanguageNetwork : nn.Module<Tensor, Tensor>
{
    /// <summary>The token before and behind a text.</summary>
    public const int Boundary = Decoding.Alphabet.Blank;

    private const int Near = 7;     // letters that are mixed before the first block
    private readonly nn.Module<Tensor, Tensor> _blocks;
    private readonly LayerNorm _norm;

    /// <summary>With weights drawn from <paramref name="seed"/>.</summary>
    /// <exception cref="LearningException">The specification cannot be built.</exception>
    public LanguageNetwork(LanguageSpec spec, long seed) : base(nameof(LanguageNetwork))
    {
        if (spec.Kind is not ("causal" or "masked")) throw new LearningException($"A language model's kind is causal or masked, not '{spec.Kind}'.");
        if (spec is not { Width: > 0 and <= 4096, Depth: > 0 and <= 64, Heads: > 0, Context: >= 8 and <= 8192 }) throw new LearningException("A language model's width, depth, heads or context cannot be that.");
        if (spec.Width % spec.Heads != 0) throw new LearningException($"A language model's width must be a multiple of its heads: {spec.Width} is none of {spec.Heads}.");
        (Spec, Alphabet) = (spec, new Alphabet(spec.Letters));
        using var generator = new Generator((ulong)seed, Devices.Host);
        // Both papers take 0.02 at widths of 768; narrow networks trained for minutes need it wider, or their scores stay flat for hundreds of steps.
        var deviation = 0.5 / Math.Sqrt(spec.Width);
        register_parameter("tokens", Encoders.Convolution.Kept(empty(Alphabet.Size + 1, spec.Width).normal_(0, deviation, generator)));
        register_parameter("positions", Encoders.Convolution.Kept(empty(spec.Context, spec.Width).normal_(0, deviation, generator)));
        register_parameter("near", Encoders.Convolution.Kept(empty(spec.Width, 1, 1, Near).normal_(0, 1 / Math.Sqrt(Near), generator)));
        register_module("blocks", _blocks = nn.Sequential([.. Enumerable.Range(0, spec.Depth)
            .Select(i => ($"{i}", (nn.Module<Tensor, Tensor>)new TransformerBlock(spec.Width, spec.Heads, generator, causal: spec.Kind == "causal")))]));
        register_module("norm", _norm = nn.LayerNorm(spec.Width));
        register_parameter("bias", Encoders.Convolution.Kept(zeros(Alphabet.Size)));
    }

    /// <summary>What it is made like.</summary>
    public LanguageSpec Spec { get; }

    /// <summary>Its letters.</summary>
    public Alphabet Alphabet { get; }

    /// <summary>The token in place of a hidden letter.</summary>
    public int Mask => Alphabet.Size;

    /// <summary>The device of its weights.</summary>
    public Device Device => Of("tokens").device;

    /// <summary>Scores of every letter at every place.</summary>
    /// <param name="input">B×N, int64, N at most the context.</param>
    /// <returns>B×N×V, before the softmax; V counts the boundary.</returns>
    public override Tensor forward(Tensor input)
    {
        long b = input.shape[0], n = input.shape[1];
        if (n > Spec.Context) throw new LearningException($"This language model sees {Spec.Context} letters at once, not {n}.");
        var tokens = Of("tokens");
        var x = tokens.index_select(0, input.reshape(-1)).view(b, n, Spec.Width) + Of("positions").narrow(0, 0, n);     // B×N×D
        var before = Spec.Kind == "causal" ? Near - 1 : Near / 2;                                                  // a causal one looks back only
        var padded = F.pad(x.transpose(1, 2).unsqueeze(2), [before, Near - 1 - before]);                           // B×D×1×(N + 6)
        x = x + F.conv2d(padded, Of("near"), null, groups: Spec.Width).squeeze(2).transpose(1, 2);
        return _norm.forward(_blocks.forward(x)).matmul(tokens.narrow(0, 0, Alphabet.Size).t()) + Of("bias");          // B×N×V
    }

    private Parameter Of(string name) => get_parameter(name)!;

    /// <summary>Writes weights and specification into one safetensors file.</summary>
    public void Save(string path) => SafeTensors.Write(path, state_dict(), new Dictionary<string, string> { ["language"] = JsonSerializer.Serialize(Spec, LearningJson.Options) });

    /// <summary>Reads a network.</summary>
    /// <exception cref="LearningException">The file is damaged, or is no language model.</exception>
    public static LanguageNetwork Load(string path, Device device)
    {
        using var content = SafeTensors.Read(path);
        if (!content.Metadata.TryGetValue("language", out var json)) throw new LearningException($"The file {path} is no language model; choose one that was trained here.");
        LanguageSpec spec;
        try { spec = JsonSerializer.Deserialize<LanguageSpec>(json, LearningJson.Options) ?? throw new JsonException("nothing"); }
        catch (JsonException e) { throw new LearningException($"The file {path} says wrongly which language model it is for.", e); }
        var network = new LanguageNetwork(spec, 0);
        EncoderWeights.Restore(network, content.Tensors, path);
        network.to(device);
        network.eval();
        return network;
    }
}
