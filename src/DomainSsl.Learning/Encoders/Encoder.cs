using static TorchSharp.torch;

namespace DomainSsl.Learning.Encoders;

/// <summary>
/// A network that turns images or sounds into features (one vector) and tokens (a grid or sequence of vectors). Images are grey, B×1×H×W in [0, 1]; sounds are samples at 16 kHz, B×T, full scale ±1.
/// Each encoder normalises by itself.
/// </summary>
/// <param name="spec">What it is made like.</param>
/// <param name="dimensions">D, the length of a feature vector.</param>
public abstract class Encoder(EncoderSpec spec, int dimensions) : nn.Module<Tensor, Tensor>(spec.Architecture)
{
    /// <summary>What it is made like.</summary>
    public EncoderSpec Spec { get; } = spec;

    /// <summary>D, the length of a feature vector.</summary>
    public int Dimensions { get; } = dimensions;

    /// <summary>What activations are computed in, float32 or bfloat16; weights stay float32, and so do results.</summary>
    public ScalarType Precision { get; set; } = ScalarType.Float32;

    /// <summary>One vector an item, B×D: the mean of its tokens.</summary>
    public virtual Tensor Features(Tensor x) => Tokens(x).mean([1]);

    /// <summary>A vector for each place, rows from the top or frames from the start, B×N×D.</summary>
    public abstract Tensor Tokens(Tensor x);

    /// <summary>The features, B×D.</summary>
    public override Tensor forward(Tensor input) => Features(input);

    /// <summary>Number of trainable values.</summary>
    public long ParameterCount => parameters().Sum(p => p.numel());
}

/// <summary>Makes encoders from what is written about them.</summary>
public static class EncoderFactory
{
    /// <summary>An encoder with weights drawn from <paramref name="seed"/>.</summary>
    /// <exception cref="LearningException">The specification cannot be built; the sentence says why.</exception>
    public static Encoder Create(EncoderSpec spec, long seed)
    {
        using var generator = new Generator((ulong)seed, Devices.Host);
        return spec.Architecture switch
        {
            "resnet" => new ResNet(spec, generator),
            "vit" => new Vit(spec, generator),
            "sound" => new SoundEncoder(spec, generator),
            _ => throw new LearningException($"The architecture '{spec.Architecture}' is unknown; there are resnet, vit and sound."),
        };
    }
}
