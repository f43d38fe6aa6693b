using System.Text.Json.Serialization;

namespace DomainSsl.Learning.Encoders;

/// <summary>What an encoder is made like; stored as JSON with every model, so that its weights can be read without the recipe that made them.</summary>
public sealed record EncoderSpec
{
    /// <summary><c>resnet</c> or <c>vit</c> for images, <c>sound</c> for sound.</summary>
    public required string Architecture { get; init; }

    /// <summary>Images: side of the squares that it is made for, pixels (a ResNet takes others too). Sound: samples a second, 16,000.</summary>
    public required int Resolution { get; init; }

    /// <summary>Channels of a ResNet's first stage (doubled at each further one), of a ViT's tokens, or of a sound encoder's frames.</summary>
    public required int Width { get; init; }

    /// <summary>ResNet: basic blocks in each stage.</summary>
    public IReadOnlyList<int>? Blocks { get; init; }

    /// <summary>ResNet: <c>stride4</c> (one 7×7 convolution of stride 4) or <c>pooled</c> (7×7 of stride 2, then a maximum over 3×3 of stride 2).</summary>
    public string? Stem { get; init; }

    /// <summary>ResNet: how grey values in [0, 1] reach the first convolution: <c>grey</c> (less 0.5, by 0.25) or <c>imagenet</c> (the same plane as blue, green and red, times 255, less ImageNet's means).</summary>
    public string? Input { get; init; }

    /// <summary>ViT: side of a patch, pixels.</summary>
    public int? Patch { get; init; }

    /// <summary>ViT and sound: blocks.</summary>
    public int? Depth { get; init; }

    /// <summary>ViT: attention heads. Sound: attention heads of Transformer blocks; without, the blocks are residual convolutions.</summary>
    public int? Heads { get; init; }

    /// <summary>Sound: what the first convolutions see, <c>mel</c> (logarithms of the power in mel bands) or <c>wave</c> (the samples, seven convolutions of wav2vec 2.0).</summary>
    public string? Front { get; init; }

    /// <summary>Sound, front mel: bands.</summary>
    public int? Bands { get; init; }

    /// <summary>Sound: channels of the first convolutions where they differ from the width.</summary>
    public int? FrontWidth { get; init; }

    /// <summary>Sound: frames a second that come out, 25 or 50 (front wave: 50).</summary>
    public int? Rate { get; init; }

    /// <summary>Sound, residual convolutions: frames that one looks at, odd.</summary>
    public int? Kernel { get; init; }

    /// <summary>What it learns from: <c>image</c> or <c>sound</c>.</summary>
    [JsonIgnore]
    public string Modality => Architecture == "sound" ? Modalities.Sound : Modalities.Image;

    /// <summary>Whether weights of the one fit into the other: all but the resolution is the same.</summary>
    public bool SameNetwork(EncoderSpec other) => this with { Resolution = 0, Blocks = null } == other with { Resolution = 0, Blocks = null }
        && (Blocks ?? []).SequenceEqual(other.Blocks ?? []);

    /// <summary>In a few words, for people: <c>ResNet-10 ×32</c>, <c>ViT 6×192</c>, <c>log-mel, 8×192 convolutions</c>.</summary>
    public override string ToString() => Architecture switch
    {
        "vit" => $"ViT {Depth}×{Width}",
        "sound" => $"{(Front == "mel" ? "log-mel" : "waveform")}, {Depth}×{Width} {(Heads is null ? "convolutions" : "Transformer")}",
        _ => $"ResNet-{2 + 2 * (Blocks ?? []).Sum()} ×{Width}",
    };
}

/// <summary>What encoders learn from, as it stands in recipes.</summary>
public static class Modalities
{
    /// <summary>Images.</summary>
    public const string Image = "image";

    /// <summary>Sound.</summary>
    public const string Sound = "sound";
}
