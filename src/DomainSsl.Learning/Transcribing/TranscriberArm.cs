using DomainSsl.Learning.Decoding;
using DomainSsl.Learning.Encoders;
using DomainSsl.Learning.FineTuning;
using DomainSsl.Learning.Training;
using DomainSsl.Learning.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace DomainSsl.Learning.Transcribing;

/// <summary>What a transcriber starts from.</summary>
/// <param name="Name">The arm's name in results; <see cref="Arm.Scratch"/> for the one without pretraining.</param>
/// <param name="Spec">The encoder.</param>
/// <param name="Weights">Its pretrained weights (safetensors of <see cref="EncoderWeights"/>), or null to start from chance.</param>
public sealed record TranscriberArm(string Name, EncoderSpec Spec, string? Weights)
{
    /// <summary>The arm without pretraining: the network of the recipe that recordings are pretrained with unless another is named, so that a comparison with that is one of weights alone.</summary>
    public static TranscriberArm FromScratch { get; } = new(Arm.Scratch, Arm.FromScratchOnSound.Spec, null);

    /// <summary>Whether it has learnt anything before.</summary>
    public bool Pretrained => Weights is not null;

    /// <summary>A fresh copy of the start: the encoder less the blocks that are dropped, those that are to begin afresh from chance.</summary>
    internal SoundEncoder Start(TranscriberSettings settings, long seed, Device device)
    {
        if (Spec.Architecture != "sound") throw new LearningException($"A transcriber needs an encoder of sound; {Spec} is none.");
        var depth = Spec.Depth!.Value - settings.DroppedBlocks;
        if (depth < 1) throw new LearningException($"The encoder has {Spec.Depth} blocks and {settings.DroppedBlocks} were to be left out; leave at least one.");
        var encoder = (SoundEncoder)EncoderFactory.Create(Spec with { Depth = depth }, seed);
        if (Weights is not null)
        {
            using var content = SafeTensors.Read(Weights);
            using var off = no_grad();
            // The last normalisation belongs to what the last block gave.
            var kept = Math.Min(depth, Spec.Depth.Value - settings.FreshBlocks);
            foreach (var (name, target) in encoder.state_dict())
            {
                if (name.StartsWith("norm.", StringComparison.Ordinal) && kept < Spec.Depth) continue;
                if (name.StartsWith("blocks.", StringComparison.Ordinal) && int.Parse(name.Split('.')[1], System.Globalization.CultureInfo.InvariantCulture) >= kept) continue;
                if (!content.Tensors.TryGetValue(name, out var source) || !source.shape.SequenceEqual(target.shape))
                    throw new LearningException($"The weights in {Weights} are of another network: '{name}' is missing or of another shape.");
                target.copy_(source);
            }
        }
        encoder.to(device);
        return encoder;
    }

    /// <summary>Gives a network the head that came with the encoder, if one did, for the same letters and the same last block.</summary>
    /// <returns>Whether it has it: such a network reads from its first step, and need not learn its head before the encoder moves.</returns>
    internal bool GiveHead(TranscriberNetwork network, Alphabet alphabet, TranscriberSettings settings)
    {
        if (Weights is null || !settings.TakeHead || settings.DroppedBlocks + settings.FreshBlocks > 0 || network.Layers != TranscriberNetwork.Last) return false;
        using var content = SafeTensors.Read(Weights);
        if (content.Metadata.GetValueOrDefault(EncoderWeights.LettersNote) != alphabet.Letters) return false;
        EncoderWeights.Restore(network.Head, EncoderWeights.Head(content), Weights);
        return true;
    }
}
