using System.IO.MemoryMappedFiles;
using Microsoft.Win32.SafeHandles;
using static TorchSharp.torch;

namespace DomainSsl.Learning.Data;

/// <summary>What stands at the end of a shard, as JSON.</summary>
/// <param name="Count">Items.</param>
/// <param name="Channels">Planes an item.</param>
/// <param name="Height">Rows of a plane.</param>
/// <param name="Width">Columns of a plane.</param>
/// <param name="ItemHashes">The items' hashes, in the order of the planes.</param>
public sealed record ShardHeader(int Count, int Channels, int Height, int Width, IReadOnlyList<string> ItemHashes);

/// <summary>
/// Writes a shard: every item of a collection decoded once into 16-bit planes, so that training never touches DICOM. The file grows under a temporary name and
/// takes its own when it is whole; a writer that is disposed before <see cref="Finish"/> leaves nothing. <see cref="Write"/> may be called by several threads.
/// </summary>
public sealed class ShardWriter : IDisposable
{
    internal static ReadOnlySpan<byte> Magic => "DSSLSHD1"u8;

    private readonly string _path, _temporary;
    private readonly int _count, _channels, _height, _width;
    private readonly SafeFileHandle _file;
    private readonly byte[] _written;
    private bool _finished;

    private ShardWriter(string path, int count, int channels, int height, int width)
    {
        (_path, _count, _channels, _height, _width) = (path, count, channels, height, width);
        _written = new byte[count];
        _file = ShardFile.Begin(path, out _temporary);
    }

    private long ItemBytes => (long)_channels * _height * _width * sizeof(ushort);

    /// <summary>Begins a shard of <paramref name="count"/> items of <paramref name="channels"/> planes each, <paramref name="height"/>×<paramref name="width"/> pixels.</summary>
    public static ShardWriter Create(string path, int count, int channels, int height, int width)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(channels);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(height);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        return new ShardWriter(path, count, channels, height, width);
    }

    /// <summary>Writes item <paramref name="index"/>: its planes one after another, rows from the top, 0 black and 65535 white.</summary>
    public void Write(int index, ReadOnlySpan<ushort> plane)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, _count);
        if (plane.Length * (long)sizeof(ushort) != ItemBytes)
            throw new ArgumentException($"An item of this shard has {ItemBytes / 2} pixels, {plane.Length} were given.", nameof(plane));
        RandomAccess.Write(_file, System.Runtime.InteropServices.MemoryMarshal.AsBytes(plane), ShardFile.FirstValue + index * ItemBytes);
        _written[index] = 1;
    }

    /// <summary>Writes the header, flushes to the disk and gives the file its name.</summary>
    /// <param name="itemHashes">The items' hashes, in the order of the planes.</param>
    /// <param name="leftOut">Items that could not be had, by index: those behind them move up.</param>
    public void Finish(IReadOnlyList<string> itemHashes, IReadOnlySet<int>? leftOut = null)
    {
        if (itemHashes.Count != _count) throw new ArgumentException($"{_count} items were announced, {itemHashes.Count} hashes were given.", nameof(itemHashes));
        int[] kept = [.. Enumerable.Range(0, _count).Where(i => leftOut?.Contains(i) != true)];
        if (kept.Length == 0) throw new ArgumentException("All items are left out.", nameof(leftOut));
        var missing = Array.FindIndex(kept, i => _written[i] == 0);
        if (missing >= 0) throw new InvalidOperationException($"Item {kept[missing]} of the shard was not written.");
        CloseGaps(kept);
        var end = ShardFile.FirstValue + kept.Length * ItemBytes;
        RandomAccess.SetLength(_file, end);
        ShardFile.Finish(_file, _temporary, _path, Magic, end, new ShardHeader(kept.Length, _channels, _height, _width, [.. kept.Select(i => itemHashes[i])]));
        _finished = true;
    }

    private void CloseGaps(int[] kept)
    {
        var item = new byte[kept.Length < _count ? ItemBytes : 0];
        for (var to = 0; to < kept.Length; to++)
        {
            if (kept[to] == to) continue;
            for (var read = 0; read < item.Length;)
            {
                var more = RandomAccess.Read(_file, item.AsSpan(read), ShardFile.FirstValue + kept[to] * ItemBytes + read);
                if (more == 0) throw new EndOfStreamException($"The shard {_temporary} has become shorter while it was written.");
                read += more;
            }
            RandomAccess.Write(_file, item, ShardFile.FirstValue + to * ItemBytes);
        }
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _file.Dispose();
        if (!_finished) File.Delete(_temporary);
    }
}

/// <summary>A shard, mapped into memory. Reading is safe from several threads.</summary>
public sealed unsafe class Shard : IDisposable
{
    private readonly MemoryMappedFile _map;
    private readonly MemoryMappedViewAccessor _view;
    private readonly ushort* _planes;
    private readonly ShardHeader _header;

    private Shard(MemoryMappedFile map, MemoryMappedViewAccessor view, ShardHeader header)
    {
        (_map, _view, _header) = (map, view, header);
        byte* start = null;
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
        _planes = (ushort*)(start + view.PointerOffset + ShardFile.FirstValue);
    }

    /// <summary>Items.</summary>
    public int Count => _header.Count;

    /// <summary>Planes an item.</summary>
    public int Channels => _header.Channels;

    /// <summary>Rows of a plane.</summary>
    public int Height => _header.Height;

    /// <summary>Columns of a plane.</summary>
    public int Width => _header.Width;

    /// <summary>The items' hashes, in the order of the planes.</summary>
    public IReadOnlyList<string> ItemHashes => _header.ItemHashes;

    private int ItemPixels => Channels * Height * Width;

    /// <summary>Maps a shard.</summary>
    /// <exception cref="LearningException">It is absent, cut short, or not a shard.</exception>
    public static Shard Open(string path)
    {
        var header = ShardFile.ReadHeader<ShardHeader>(path, ShardWriter.Magic, "a shard", h => h is { Count: > 0, Channels: > 0, Height: > 0, Width: > 0, ItemHashes: not null } && h.ItemHashes.Count == h.Count,
            h => (Int128)h.Count * h.Channels * h.Height * h.Width * sizeof(ushort));
        var map = MemoryMappedFile.CreateFromFile(path, FileMode.Open, null, 0, MemoryMappedFileAccess.Read);
        return new Shard(map, map.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read), header);
    }

    /// <summary>The planes of one item, valid until the shard is disposed.</summary>
    public ReadOnlySpan<ushort> Item(int index)
    {
        if ((uint)index >= (uint)Count) throw new ArgumentOutOfRangeException(nameof(index), index, $"The shard has {Count} items.");
        ObjectDisposedException.ThrowIf(_view.SafeMemoryMappedViewHandle.IsClosed, this);
        return new ReadOnlySpan<ushort>(_planes + (long)index * ItemPixels, ItemPixels);
    }

    /// <summary>Items one after another as float32 in [0, 1], C·H·W values each.</summary>
    public void Read(ReadOnlySpan<int> indices, Span<float> target)
    {
        var at = 0;
        foreach (var index in indices)
        {
            foreach (var value in Item(index)) target[at++] = value * (1f / 65535f);
        }
    }

    /// <summary>Items as one tensor, float32 B×C×H×W in [0, 1] (C is 1 for grey images).</summary>
    public Tensor Batch(ReadOnlySpan<int> indices, Device device)
    {
        var batch = empty([indices.Length, Channels, Height, Width], ScalarType.Float32, Devices.Host);
        Read(indices, System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(batch.bytes));
        if (device.type == batch.device_type) return batch;
        using (batch) return batch.to(device);
    }

    /// <inheritdoc />
    public void Dispose()
    {
        if (!_view.SafeMemoryMappedViewHandle.IsClosed) _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _map.Dispose();
    }
}
