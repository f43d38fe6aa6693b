namespace DomainSsl.Learning.Encoders;

/// <summary>What an encoder is made like; stored as JSON with every model, so that its weights can be read without the recipe that made them.</summary>
public sealed record EncoderSpec
{
    /// <summary><c>resnet</c> or <c>vit</c>.</summary>
    public required string Architecture { get; init; }

    /// <summary>Side of the square images that it is made for, pixels. A ResNet takes others too.</summary>
    public required int Resolution { get; init; }

    /// <summary>Channels of a ResNet's first stage (doubled at each further one), or of a ViT's tokens.</summary>
    public required int Width { get; init; }

    /// <summary>ResNet: basic blocks in each stage.</summary>
    public IReadOnlyList<int>? Blocks { get; init; }

    /// <summary>ResNet: <c>stride4</c> (one 7×7 convolution of stride 4) or <c>pooled</c> (7×7 of stride 2, then a maximum over 3×3 of stride 2).</summary>
    public string? Stem { get; init; }

    /// <summary>ResNet: how grey values in [0, 1] reach the first convolution: <c>grey</c> (less 0.5, by 0.25) or <c>imagenet</c> (the same plane as blue, green and red, times 255, less ImageNet's means).</summary>
    public string? Input { get; init; }

    /// <summary>ViT: side of a patch, pixels.</summary>
    public int? Patch { get; init; }

    /// <summary>ViT: blocks.</summary>
    public int? Depth { get; init; }

    /// <summary>ViT: attention heads.</summary>
    public int? Heads { get; init; }

    /// <summary>Whether weights of the one fit into the other: all but the resolution is the same.</summary>
    public bool SameNetwork(EncoderSpec other) => this with { Resolution = 0, Blocks = null } == other with { Resolution = 0, Blocks = null }
        && (Blocks ?? []).SequenceEqual(other.Blocks ?? []);

    /// <summary>In a few words, for people: <c>ResNet-10 ×32</c>, <c>ViT 6×192</c>.</summary>
    public override string ToString() => Architecture == "vit" ? $"ViT {Depth}×{Width}" : $"ResNet-{2 + 2 * (Blocks ?? []).Sum()} ×{Width}";
}
