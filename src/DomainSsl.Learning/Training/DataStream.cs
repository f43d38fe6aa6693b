using System.Diagnostics;

namespace DomainSsl.Learning.Training;

/// <summary>
/// The items of a run's steps, each step's put together by another thread while the step before it is computed. Which items a step gets is a pure function of seed and step: every epoch is
/// a fresh permutation, cut into whole batches.
/// </summary>
/// <typeparam name="T">What a step's items are read into: plain memory and no tensors, for what another thread makes, the dispose scopes of this one do not know.</typeparam>
public sealed class DataStream<T> : IDisposable
{
    private readonly int _count;
    private readonly RandomStreams _random;
    private readonly Action<int, int[], T> _read;
    // One is read while the other is filled.
    private readonly T[] _buffers;
    private (int Step, Task Filling)? _next;
    private (int Epoch, int[] Order) _epoch = (-1, []);

    /// <summary>Batches of at most <paramref name="batch"/> of <paramref name="count"/> items.</summary>
    /// <param name="count">Items there are.</param>
    /// <param name="batch">Items a step at most.</param>
    /// <param name="random">The run's.</param>
    /// <param name="buffer">Makes room for so many items.</param>
    /// <param name="read">Reads the items of a step (step, items, where to); called by another thread.</param>
    public DataStream(int count, int batch, RandomStreams random, Func<int, T> buffer, Action<int, int[], T> read)
    {
        (_count, _random, _read) = (count, random, read);
        Batch = Math.Min(batch, count);
        _buffers = [buffer(Batch), buffer(Batch)];
    }

    /// <summary>Items a step.</summary>
    public int Batch { get; }

    /// <summary>The items of a step; the next step's are begun. They are overwritten when the step after the next is asked for.</summary>
    /// <param name="step">Which.</param>
    /// <param name="waited">Seconds that had to be waited for them.</param>
    public T Take(int step, out double waited)
    {
        var clock = Stopwatch.StartNew();
        if (_next is { } begun && begun.Step != step) Drop();
        (_next?.Filling ?? Fill(step)).GetAwaiter().GetResult();
        waited = clock.Elapsed.TotalSeconds;
        _next = (step + 1, Fill(step + 1));
        return _buffers[step & 1];
    }

    /// <summary>Which items a step gets.</summary>
    public int[] Indices(int step)
    {
        var (perEpoch, epoch) = (_count / Batch, step / (_count / Batch));
        if (_epoch.Epoch != epoch) _epoch = (epoch, _random.Order(epoch).Permutation(_count));
        return _epoch.Order.AsSpan(step % perEpoch * Batch, Batch).ToArray();
    }

    private Task Fill(int step)
    {
        var (indices, buffer) = (Indices(step), _buffers[step & 1]);
        return Task.Run(() => _read(step, indices, buffer));
    }

    private void Drop()
    {
        _next?.Filling.GetAwaiter().GetResult();
        _next = null;
    }

    /// <inheritdoc />
    public void Dispose() => Drop();
}
