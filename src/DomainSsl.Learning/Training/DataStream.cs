using System.Diagnostics;
using DomainSsl.Learning.Data;
using static TorchSharp.torch;

namespace DomainSsl.Learning.Training;

/// <summary>
/// The batches of a run, each put together by another thread while the step before it is computed. Which images a step gets is a pure function of seed and step: every epoch is
/// a fresh permutation, cut into whole batches.
/// </summary>
public sealed class DataStream : IDisposable
{
    private readonly Shard _shard;
    private readonly RandomStreams _random;
    private readonly Device _device;
    // Plain memory and no tensors: what another thread makes, the dispose scopes of this one do not know. One is read while the other is filled.
    private readonly float[][] _buffers;
    private (int Step, Task Filling)? _next;
    private (int Epoch, int[] Order) _epoch = (-1, []);

    /// <summary>Batches of at most <paramref name="batch"/> images.</summary>
    public DataStream(Shard shard, int batch, RandomStreams random, Device device)
    {
        (_shard, _random, _device) = (shard, random, device);
        Batch = Math.Min(batch, shard.Count);
        var size = Batch * shard.Channels * shard.Height * shard.Width;
        _buffers = [new float[size], new float[size]];
    }

    /// <summary>Images a step.</summary>
    public int Batch { get; }

    /// <summary>The images of a step, B×C×H×W in [0, 1] on the device; the next step's are begun.</summary>
    /// <param name="step">Which.</param>
    /// <param name="waited">Seconds that had to be waited for them.</param>
    public Tensor Take(int step, out double waited)
    {
        var clock = Stopwatch.StartNew();
        if (_next is { } begun && begun.Step != step) Drop();
        (_next?.Filling ?? Fill(step)).GetAwaiter().GetResult();
        waited = clock.Elapsed.TotalSeconds;
        _next = (step + 1, Fill(step + 1));
        return tensor(_buffers[step & 1], [Batch, _shard.Channels, _shard.Height, _shard.Width]).to(_device);
    }

    /// <summary>Which images a step gets.</summary>
    public int[] Indices(int step)
    {
        var (perEpoch, epoch) = (_shard.Count / Batch, step / (_shard.Count / Batch));
        if (_epoch.Epoch != epoch) _epoch = (epoch, _random.Order(epoch).Permutation(_shard.Count));
        return _epoch.Order.AsSpan(step % perEpoch * Batch, Batch).ToArray();
    }

    private Task Fill(int step)
    {
        var (indices, buffer) = (Indices(step), _buffers[step & 1]);
        return Task.Run(() => _shard.Read(indices, buffer));
    }

    private void Drop()
    {
        _next?.Filling.GetAwaiter().GetResult();
        _next = null;
    }

    /// <inheritdoc />
    public void Dispose() => Drop();
}
