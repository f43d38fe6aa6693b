using DomainSsl.Learning.Augmentation;
using DomainSsl.Learning.Data;
using DomainSsl.Learning.Encoders;
using DomainSsl.Learning.Training;
using static TorchSharp.torch;

namespace DomainSsl.Learning.FineTuning;

/// <summary>Images or sounds as an encoder takes them.</summary>
/// <param name="Values">Images, B×1×H×W in [0, 1], or samples at 16 kHz, B×T, full scale ±1, with silence behind the shorter sounds.</param>
/// <param name="Lengths">Samples of each sound; null of images.</param>
/// <param name="Hide">Hides stretches of what a sound encoder's first convolution sees, B×F×M; null: nothing is hidden.</param>
public sealed record ItemBatch(Tensor Values, long[]? Lengths = null, Func<Tensor, Tensor>? Hide = null)
{
    /// <summary>What an encoder makes of them, B×D.</summary>
    public Tensor Features(Encoder encoder) => encoder is SoundEncoder sound ? sound.Features(Values, Lengths, Hide) : encoder.Features(Values);
}

/// <summary>
/// The images or sounds of a shard, by their places, as classifiers take them. What differs between the two (how they are read, varied and put into batches) is here; everything else serves both.
/// Reading is safe from several threads.
/// </summary>
public abstract class ItemSource : IDisposable
{
    /// <summary>Opens the shard of what an encoder takes.</summary>
    /// <exception cref="LearningException">It is absent, damaged, or of the other kind.</exception>
    public static ItemSource Open(string path, EncoderSpec spec) => spec.Modality == Modalities.Sound ? new SoundSource(path) : new ImageSource(path);

    /// <summary>What they are, for people: images or recordings.</summary>
    public abstract string Words { get; }

    /// <summary>The items' hashes, in the order of their places.</summary>
    public abstract IReadOnlyList<string> ItemHashes { get; }

    /// <summary>How they were prepared, for names of what depends on it.</summary>
    internal abstract string Preparation { get; }

    /// <summary>Items as they are.</summary>
    public abstract ItemBatch Batch(ReadOnlySpan<int> items, Device device);

    /// <summary>Items varied by chance, for training.</summary>
    public abstract ItemBatch Varied(ReadOnlySpan<int> items, FitSettings settings, Random random, Device device);

    /// <summary>A row of values for each item, in their order; computed in batches, with no gradient.</summary>
    /// <param name="items">Which.</param>
    /// <param name="columns">Values a row.</param>
    /// <param name="device">Where.</param>
    /// <param name="compute">A batch to B×columns.</param>
    public float[] Rows(int[] items, int columns, Device device, Func<ItemBatch, Tensor> compute)
    {
        var rows = new float[items.Length * columns];
        foreach (var part in Batches(items))
        {
            using var held = Finalizers.Held();
            using var off = inference_mode();
            using var scope = NewDisposeScope();
            var values = compute(Batch(Array.ConvertAll(part, i => items[i]), device)).to(Devices.Host).contiguous().data<float>().ToArray();
            for (var b = 0; b < part.Length; b++) Array.Copy(values, b * columns, rows, part[b] * columns, columns);
        }
        return rows;
    }

    /// <summary>Parts <paramref name="items"/> into batches, by their number in it.</summary>
    protected abstract IEnumerable<int[]> Batches(int[] items);

    /// <inheritdoc />
    public abstract void Dispose();
}

/// <summary>Images of a shard.</summary>
public sealed class ImageSource(string path) : ItemSource
{
    private const int BatchSize = 64;
    private readonly Shard _shard = Shard.Open(path);

    /// <inheritdoc />
    public override string Words => "images";

    /// <inheritdoc />
    public override IReadOnlyList<string> ItemHashes => _shard.ItemHashes;

    internal override string Preparation => $"{_shard.Height}×{_shard.Width}";

    /// <inheritdoc />
    public override ItemBatch Batch(ReadOnlySpan<int> items, Device device) => new(_shard.Batch(items, device));

    /// <inheritdoc />
    public override ItemBatch Varied(ReadOnlySpan<int> items, FitSettings settings, Random random, Device device) => new(settings.Augmentation.Apply(_shard.Batch(items, device), random));

    /// <inheritdoc />
    protected override IEnumerable<int[]> Batches(int[] items) => Enumerable.Range(0, items.Length).Chunk(BatchSize);

    /// <inheritdoc />
    public override void Dispose() => _shard.Dispose();
}

/// <summary>Sounds of a shard: played a little faster or slower, with noise, and with hidden stretches of time and bands (SpecAugment, Park et al. 2019) in training.</summary>
public sealed class SoundSource(string path) : ItemSource
{
    private const double BatchSeconds = 60;
    private readonly SoundShard _shard = SoundShard.Open(path);

    /// <inheritdoc />
    public override string Words => "recordings";

    /// <inheritdoc />
    public override IReadOnlyList<string> ItemHashes => _shard.ItemHashes;

    internal override string Preparation => "sound";

    /// <inheritdoc />
    public override ItemBatch Batch(ReadOnlySpan<int> items, Device device)
    {
        var sounds = new float[items.Length][];
        for (var i = 0; i < sounds.Length; i++) sounds[i] = _shard.Samples(items[i]);
        return new ItemBatch(SoundBatches.Padded(sounds).to(device), Array.ConvertAll(sounds, s => (long)s.Length));
    }

    /// <inheritdoc />
    public override ItemBatch Varied(ReadOnlySpan<int> items, FitSettings settings, Random random, Device device)
    {
        var chance = new RandomStream((ulong)random.NextInt64());
        var crops = new RandomCrops(settings.Distortion, (int)(settings.StepSeconds * SoundShard.SampleRate));
        var (sounds, heard) = (new float[items.Length][], new float[crops.Samples]);
        for (var i = 0; i < sounds.Length; i++) sounds[i] = heard[..crops.Crop(_shard.Piece(items[i]), heard, chance)];
        var (lengths, longest) = (Array.ConvertAll(sounds, s => (long)s.Length), sounds.Max(s => s.Length));
        return new ItemBatch(SoundBatches.Padded(sounds).to(device), lengths, front => SpecAugment.Hide(front, lengths, longest, settings.Masks, chance));
    }

    /// <inheritdoc />
    protected override IEnumerable<int[]> Batches(int[] items) =>
        // Of about one length together, so that little is padding.
        SoundBatches.Of(Enumerable.Range(0, items.Length).OrderBy(i => _shard.Lengths[items[i]]), i => _shard.Lengths[items[i]], BatchSeconds);

    /// <inheritdoc />
    public override void Dispose() => _shard.Dispose();
}
