using static TorchSharp.torch;

namespace DomainSsl.Learning.Data;

/// <summary>Sounds of different lengths side by side.</summary>
public static class SoundBatches
{
    /// <summary>Sounds as rows, B×T, with silence behind the shorter ones.</summary>
    public static Tensor Padded(IReadOnlyList<float[]> sounds)
    {
        var longest = sounds.Max(s => s.Length);
        var samples = new float[sounds.Count * longest];
        for (var b = 0; b < sounds.Count; b++) sounds[b].CopyTo(samples, b * longest);
        return tensor(samples, [sounds.Count, longest]);
    }

    /// <summary>Neighbours together until they have so many seconds, padding counted; at least one.</summary>
    public static List<T[]> Of<T>(IEnumerable<T> sorted, Func<T, long> samples, double seconds)
    {
        var (batches, open, longest) = (new List<T[]>(), new List<T>(), 0L);
        foreach (var item in sorted)
        {
            var length = samples(item);
            if (open.Count > 0 && Math.Max(longest, length) * (open.Count + 1) > seconds * SoundShard.SampleRate)
            {
                batches.Add([.. open]);
                open.Clear();
                longest = 0;
            }
            open.Add(item);
            longest = Math.Max(longest, length);
        }
        if (open.Count > 0) batches.Add([.. open]);
        return batches;
    }
}
