using DomainSsl.Learning.Training;
using static TorchSharp.torch;

namespace DomainSsl.Learning.Objectives;

/// <summary>
/// Which frames of a batch are hidden: a proportion of all frames is drawn without replacement as starts, and from each on so many frames are masked; spans may overlap (Baevski et al. 2020, section 3.1). Drawn on the host,
/// an item at a time, so that nothing has to be read back from a device.
/// </summary>
public sealed class SpanMask
{
    private SpanMask(bool[] masked, long[] frames, int width, List<int>[] ofItem) => (Masked, Frames, Width, OfItem) = (masked, frames, width, ofItem);

    /// <summary>B·T' values, item after item: whether a frame is masked. Frames behind an item's end never are.</summary>
    public bool[] Masked { get; }

    /// <summary>Frames of each item.</summary>
    public long[] Frames { get; }

    /// <summary>T', the frames of the longest item.</summary>
    public int Width { get; }

    /// <summary>Of each item its masked frames, as places among all B·T'.</summary>
    public IReadOnlyList<IReadOnlyList<int>> OfItem { get; }

    /// <summary>Draws.</summary>
    /// <param name="frames">Frames of each item.</param>
    /// <param name="start">p, the share of an item's frames that begin a span.</param>
    /// <param name="length">M, the frames of a span.</param>
    /// <param name="random">Where chance comes from.</param>
    public static SpanMask Draw(long[] frames, double start, int length, RandomStream random)
    {
        var width = (int)frames.Max();
        var masked = new bool[frames.Length * width];
        var ofItem = new List<int>[frames.Length];
        for (var b = 0; b < frames.Length; b++)
        {
            var n = (int)frames[b];
            var own = masked.AsSpan(b * width, n);
            // A share of few frames is rarely a whole number: chance rounds it. Every item gets a span, and an item that is hardly longer than one keeps half of itself to guess from.
            var starts = Math.Max(1, (int)(start * n + random.Uniform()));
            foreach (var at in random.Permutation(n).AsSpan(0, Math.Min(n, starts))) own.Slice(at, Math.Min(Math.Min(length, (n + 1) / 2), n - at)).Fill(true);
            ofItem[b] = [.. Enumerable.Range(b * width, n).Where(i => masked[i])];
        }
        return new SpanMask(masked, frames, width, ofItem);
    }

    /// <summary>B×T'×1, bool: the masked frames.</summary>
    public Tensor Of(Device device) => tensor(Masked, [Frames.Length, Width, 1]).to(device);

    /// <summary>The masked frames, as places among all B·T', int64.</summary>
    public Tensor Places(Device device) => tensor([.. OfItem.SelectMany(o => o).Select(i => (long)i)]).to(device);

    /// <summary>The frames that are there and not masked, as places among all B·T', int64.</summary>
    public Tensor Others(Device device) =>
        tensor([.. Enumerable.Range(0, Masked.Length).Where(i => !Masked[i] && i % Width < Frames[i / Width]).Select(i => (long)i)]).to(device);
}
