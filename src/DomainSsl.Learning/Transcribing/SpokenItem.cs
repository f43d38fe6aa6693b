using DomainSsl.Learning.Augmentation;
using DomainSsl.Learning.Data;
using DomainSsl.Learning.Decoding;
using DomainSsl.Learning.Encoders;
using DomainSsl.Learning.Training;
using static TorchSharp.torch;

namespace DomainSsl.Learning.Transcribing;

/// <summary>A piece of sound with what is said in it.</summary>
/// <param name="Index">Its place in the shard.</param>
/// <param name="Text">In the letters of the alphabet (<see cref="Alphabet.Normalise"/>).</param>
/// <param name="Speaker">Who says it; splits and intervals go by it.</param>
public sealed record SpokenItem(int Index, string Text, string Speaker);

/// <summary>A step's sound and what is said in it, on the device.</summary>
/// <param name="Samples">B×T, full scale ±1, silence behind the shorter items.</param>
/// <param name="Lengths">Samples of each item.</param>
/// <param name="Letters">Numbers of the letters, B×S, padded with blanks.</param>
/// <param name="Counts">Letters of each item.</param>
internal sealed record SpokenBatch(Tensor Samples, long[] Lengths, Tensor Letters, long[] Counts);

/// <summary>
/// Batches of pieces of about the same length, so that little is padding: the pieces of an epoch in random order are sorted by their length with some chance in it, cut where a batch has its seconds, and the batches
/// taken in random order. Everything is a function of the streams, the epoch and the step.
/// </summary>
internal sealed class SpokenBatches(SoundShard shard, IReadOnlyList<SpokenItem> items, Alphabet alphabet, DistortionOptions distortion, double batchSeconds, RandomStreams random, Device device)
{
    private const double LeastSeconds = 0.2;

    private readonly RandomCrops _crops = new(distortion, (int)(items.Max(i => shard.Lengths[i.Index]) / (1 - distortion.Speed)) + 2);
    private readonly Queue<SpokenItem[]> _ahead = [];
    private long _epoch;

    /// <summary>Those that can be learnt from, in the order of the shard: their text fits into their sound, played so much faster, too.</summary>
    /// <param name="items">Some.</param>
    /// <param name="shard">Where they are.</param>
    /// <param name="encoder">Whose frames the letters must fit into.</param>
    /// <param name="speed">How much faster, as a share.</param>
    public static List<SpokenItem> Usable(IReadOnlyList<SpokenItem> items, SoundShard shard, EncoderSpec encoder, double speed)
    {
        var framesPerSample = encoder.Rate!.Value / (double)SoundShard.SampleRate;
        return [.. items.Where(i => i.Text.Length > 0 && shard.Lengths[i.Index] >= LeastSeconds * SoundShard.SampleRate
            && ForcedAlignment.FramesNeeded(i.Text) <= (int)(shard.Lengths[i.Index] / (1 + speed) * framesPerSample)).OrderBy(i => i.Index)];
    }

    /// <summary>The batches of an epoch.</summary>
    public IReadOnlyList<SpokenItem[]> Epoch(long epoch)
    {
        var order = random.Order(epoch);
        var sorted = order.Permutation(items.Count).Select(i => items[i]).OrderBy(i => shard.Lengths[i.Index] * order.Uniform(0.85, 1.15)).ToList();
        var batches = SoundBatches.Of(sorted, i => shard.Lengths[i.Index], batchSeconds);
        return [.. order.Permutation(batches.Count).Select(i => batches[i])];
    }

    /// <summary>Leaves out so many batches, where a fit goes on that has had them.</summary>
    public void Skip(int steps)
    {
        for (; steps > 0; steps--) Next();
    }

    /// <summary>The batch of a step, distorted; steps must be asked for in order, from 0.</summary>
    public SpokenBatch Take(int step)
    {
        var chosen = Next();
        var (chance, heard) = (random.Augmentation(step, 0), new float[_crops.Samples]);
        return Of(chosen, item =>
        {
            var length = _crops.Crop(shard.Piece(item.Index), heard, chance);
            return heard[..length];
        });
    }

    private SpokenItem[] Next()
    {
        if (_ahead.Count == 0) foreach (var batch in Epoch(_epoch++)) _ahead.Enqueue(batch);
        return _ahead.Dequeue();
    }

    private SpokenBatch Of(SpokenItem[] chosen, Func<SpokenItem, float[]> read)
    {
        var sounds = Array.ConvertAll(chosen, i => read(i));
        var texts = Array.ConvertAll(chosen, i => alphabet.Encode(i.Text));
        var longest = texts.Max(t => t.Length);
        var letters = new long[chosen.Length * longest];
        for (var b = 0; b < texts.Length; b++)
            for (var s = 0; s < texts[b].Length; s++) letters[b * longest + s] = texts[b][s];
        return new SpokenBatch(SoundBatches.Padded(sounds).to(device), Array.ConvertAll(sounds, s => (long)s.Length), tensor(letters, [chosen.Length, longest]).to(device), Array.ConvertAll(texts, t => (long)t.Length));
    }
}
