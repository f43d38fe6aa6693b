using DomainSsl.Learning.Encoders;
using DomainSsl.Learning.Training;
using DomainSsl.Learning.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace DomainSsl.Learning.FineTuning;

/// <summary>What a classifier starts from.</summary>
/// <param name="Name">The arm's name in results; <see cref="Scratch"/> for the one without pretraining.</param>
/// <param name="Spec">The network.</param>
/// <param name="Weights">Its pretrained weights (safetensors of <see cref="EncoderWeights"/>), or null to start from chance.</param>
public sealed record Arm(string Name, EncoderSpec Spec, string? Weights)
{
    /// <summary>The name of the arm that starts from chance.</summary>
    public const string Scratch = "scratch";

    /// <summary>
    /// The arm without pretraining: a small ResNet at 64×64, which on few labels is stronger from scratch than the large public network would be, so that pretraining
    /// is held against the best that can be had without it.
    /// </summary>
    public static Arm FromScratch { get; } =
        new(Scratch, new EncoderSpec { Architecture = "resnet", Resolution = 64, Width = 32, Blocks = [1, 1, 1, 1], Stem = "stride4", Input = "grey" }, null);

    /// <summary>The same for sounds: the network of the recipe that recordings are pretrained with unless another is named, so that a comparison with that is one of weights alone.</summary>
    public static Arm FromScratchOnSound { get; } = new(Scratch, Recipes.Default(Modalities.Sound).Encoder, null);

    /// <summary>The arm without pretraining for images or for sounds (<see cref="Modalities"/>).</summary>
    public static Arm FromScratchOn(string modality) => modality == Modalities.Sound ? FromScratchOnSound : FromScratch;

    /// <summary>A fresh copy of the start; <paramref name="seed"/> matters only from scratch.</summary>
    internal Encoder Start(int seed, Device device)
    {
        if (Weights is not null) return EncoderWeights.Load(Weights, device);
        var encoder = EncoderFactory.Create(Spec, seed);
        encoder.to(device);
        return encoder;
    }
}

/// <summary>
/// An arm at work: its frozen encoder, its training items and their features. Features of a training item are computed once and serve every draw, budget and fold.
/// </summary>
internal sealed class ArmAtWork : IDisposable
{
    private readonly Encoder? _frozen;
    private readonly Dictionary<int, float[]> _features = [];

    public ArmAtWork(Arm arm, ItemSource source, Device device)
    {
        (Arm, Source, Device) = (arm, source, device);
        if (arm.Weights is null) return;
        _frozen = arm.Start(0, device);
        _frozen.eval();
    }

    public Arm Arm { get; }

    public ItemSource Source { get; }

    public Device Device { get; }

    /// <summary>Whether there is anything to probe: a network from scratch has no features worth it.</summary>
    public bool Pretrained => _frozen is not null;

    /// <summary>The frozen features of training items, N×D.</summary>
    public FeatureTable Features(int[] items)
    {
        var missing = items.Distinct().Where(i => !_features.ContainsKey(i)).ToArray();
        var rows = Embed(Source, missing);
        for (var i = 0; i < missing.Length; i++) _features[missing[i]] = rows.Row(i).ToArray();
        var values = new float[items.Length * Frozen.Dimensions];
        for (var i = 0; i < items.Length; i++) _features[items[i]].CopyTo(values, i * Frozen.Dimensions);
        return new FeatureTable(Frozen.Dimensions, values);
    }

    /// <summary>The frozen features of any items, N×D, not kept.</summary>
    public FeatureTable Embed(ItemSource source, int[] items) => Embed(Frozen, source, items, Device);

    internal static FeatureTable Embed(Encoder encoder, ItemSource source, int[] items, Device device) => new(encoder.Dimensions, source.Rows(items, encoder.Dimensions, device, x => x.Features(encoder)));

    private Encoder Frozen => _frozen ?? throw new InvalidOperationException("An arm from scratch has no frozen features.");

    public void Dispose() => _frozen?.Dispose();
}
