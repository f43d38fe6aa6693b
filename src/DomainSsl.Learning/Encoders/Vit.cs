using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace DomainSsl.Learning.Encoders;

/// <summary>Attention and a two-layer network, each after a normalisation and with a way round it (Dosovitskiy et al. 2021, equations 2 and 3).</summary>
public sealed class TransformerBlock : nn.Module<Tensor, Tensor>
{
    private readonly LayerNorm _norm1, _norm2;
    private readonly Linear _qkv, _proj, _fc1, _fc2;
    private readonly int _heads;
    private readonly bool _causal;

    /// <summary>Tokens of <paramref name="width"/> values, <paramref name="heads"/> heads, a hidden layer of four times the width; <paramref name="causal"/>: a token sees none behind it.</summary>
    public TransformerBlock(int width, int heads, Generator generator, bool causal = false) : base(nameof(TransformerBlock))
    {
        (_heads, _causal) = (heads, causal);
        register_module("norm1", _norm1 = nn.LayerNorm(width));
        register_module("qkv", _qkv = new Linear(width, 3 * width, generator));
        register_module("proj", _proj = new Linear(width, width, generator));
        register_module("norm2", _norm2 = nn.LayerNorm(width));
        register_module("fc1", _fc1 = new Linear(width, 4 * width, generator));
        register_module("fc2", _fc2 = new Linear(4 * width, width, generator));
    }

    /// <summary>B×N×D to B×N×D.</summary>
    public override Tensor forward(Tensor input) => Attend(input, null);

    /// <summary>B×N×D to B×N×D; no token sees those where <paramref name="seen"/> (bool, B×1×1×N; null: all) is false.</summary>
    public Tensor Attend(Tensor input, Tensor? seen)
    {
        long b = input.shape[0], n = input.shape[1], d = input.shape[2];
        var qkv = _qkv.forward(Normalised(_norm1, input)).view(b, n, 3, _heads, d / _heads).permute(2, 0, 3, 1, 4);  // 3×B×h×N×d
        var attended = F.scaled_dot_product_attention(qkv[0], qkv[1], qkv[2], attn_mask: seen, is_casual: _causal);             // B×h×N×d
        var x = input + _proj.forward(attended.transpose(1, 2).reshape(b, n, d));
        return x + _fc2.forward(F.gelu(_fc1.forward(Normalised(_norm2, x))));
    }

    // Statistics of a token are taken in float32, whatever the precision around.
    internal static Tensor Normalised(LayerNorm norm, Tensor x) =>
        x.dtype == ScalarType.Float32 ? norm.forward(x) : norm.forward(x.to_type(ScalarType.Float32)).to_type(x.dtype);
}

/// <summary>
/// A vision transformer (Dosovitskiy et al. 2021) with fixed sine positions and without a class token: features are the mean of the tokens (He et al. 2022, appendix).
/// Parameters are named as is customary for ViTs.
/// </summary>
public sealed class Vit : Encoder
{
    private readonly Linear _embed;
    private readonly nn.Module<Tensor, Tensor> _blocks;
    private readonly LayerNorm _norm;

    /// <summary>With weights drawn from <paramref name="generator"/>.</summary>
    public Vit(EncoderSpec spec, Generator generator) : base(spec, spec.Width)
    {
        if (spec is not { Patch: > 0, Depth: > 0 and <= 64, Heads: > 0 }) throw new LearningException("A vit needs 'patch', 'depth' and 'heads'.");
        if (spec.Resolution % spec.Patch != 0) throw new LearningException($"A vit's resolution must be a multiple of its patch: {spec.Resolution} is none of {spec.Patch}.");
        if (spec.Width % spec.Heads != 0 || spec.Width % 4 != 0)
            throw new LearningException($"A vit's width must be a multiple of 4 and of its heads: {spec.Width} is not, with {spec.Heads} heads.");
        if (spec.Blocks is not null || spec.Stem is not null || spec.Input is not null)
            throw new LearningException("A vit has no blocks, stem or input; those belong to a resnet.");
        SoundEncoder.RefuseItsOwn(spec);

        Patch = spec.Patch.Value;
        register_module("patch_embed", _embed = new Linear(Patch * Patch, spec.Width, generator));
        register_module("blocks", _blocks = nn.Sequential([.. Enumerable.Range(0, spec.Depth.Value)
            .Select(i => ($"{i}", (nn.Module<Tensor, Tensor>)new TransformerBlock(spec.Width, spec.Heads.Value, generator)))]));
        register_module("norm", _norm = nn.LayerNorm(spec.Width));
        register_buffer("positions", SinePositions(spec.Resolution / Patch, spec.Width).DetachFromDisposeScope(), persistent: false);
    }

    /// <summary>Side of a patch, pixels.</summary>
    public int Patch { get; }

    /// <summary>N, the patches of an image.</summary>
    public int Patches => Spec.Resolution / Patch * (Spec.Resolution / Patch);

    /// <inheritdoc />
    public override Tensor Tokens(Tensor x) => Tokens(x, null);

    /// <summary>Tokens of the kept patches only; the others are dropped before the first block and cost nothing.</summary>
    /// <param name="x">B×1×H×W in [0, 1].</param>
    /// <param name="kept">B×K, int64: which patches, or null for all.</param>
    /// <returns>B×K×D.</returns>
    public Tensor Tokens(Tensor x, Tensor? kept)
    {
        if (x.shape[2] != Spec.Resolution || x.shape[3] != Spec.Resolution)
            throw new LearningException($"This vit takes images of {Spec.Resolution}×{Spec.Resolution}, not {x.shape[2]}×{x.shape[3]}.");
        var patches = Patchify((x - 0.5) / 0.25, Patch);                                                            // B×N×P²
        var positions = get_buffer("positions")!;                                                                  // 1×N×D
        if (kept is not null)
        {
            patches = patches.gather(1, kept.unsqueeze(2).expand(-1, -1, patches.shape[2]));                        // B×K×P²
            positions = positions.expand(x.shape[0], -1, -1).gather(1, kept.unsqueeze(2).expand(-1, -1, Spec.Width)); // B×K×D
        }
        var tokens = _blocks.forward((_embed.forward(patches) + positions).to_type(Precision));
        return _norm.forward(tokens.to_type(ScalarType.Float32));
    }

    /// <summary>Cuts images into square patches, rows from the top: B×1×H×W to B×N×P².</summary>
    public static Tensor Patchify(Tensor x, int patch)
    {
        long b = x.shape[0], h = x.shape[2] / patch, w = x.shape[3] / patch;
        return x.reshape(b, h, patch, w, patch).permute(0, 1, 3, 2, 4).reshape(b, h * w, patch * patch);
    }

    /// <summary>Positions of a square grid: half the values for the row, half for the column, sines and cosines of wavelengths from 2π to 10,000·2π. 1×N×D.</summary>
    internal static Tensor SinePositions(int side, int width)
    {
        using var scope = NewDisposeScope();
        var quarter = width / 4;
        var omega = pow(10000.0, arange(quarter, ScalarType.Float64) / -quarter);                                   // D/4
        var angles = outer(arange(side, ScalarType.Float64), omega);                                               // S×D/4
        var line = cat([angles.sin(), angles.cos()], 1);                                                           // S×D/2
        var rows = line.unsqueeze(1).expand(side, side, width / 2);
        var columns = line.unsqueeze(0).expand(side, side, width / 2);
        return cat([rows, columns], 2).view(1, side * side, width).to_type(ScalarType.Float32).MoveToOuterDisposeScope();
    }
}
