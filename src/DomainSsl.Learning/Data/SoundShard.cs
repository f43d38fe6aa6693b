using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace DomainSsl.Learning.Data;

/// <summary>What stands at the end of a shard of sound, as JSON.</summary>
/// <param name="Lengths">Samples of each piece.</param>
/// <param name="ItemHashes">The item that each piece is of, in the order of the pieces.</param>
public sealed record SoundShardHeader(IReadOnlyList<int> Lengths, IReadOnlyList<string> ItemHashes);

/// <summary>
/// Writes a shard of sound: every piece of a collection once as 16-bit samples at 16 kHz, mono, so that training touches no sound file. The file grows under a temporary name and takes its own when it is whole; a writer that is
/// disposed before <see cref="Finish"/> leaves nothing.
/// </summary>
public sealed class SoundShardWriter : IDisposable
{
    internal static ReadOnlySpan<byte> Magic => "DSSLSND1"u8;

    private readonly string _path, _temporary;
    private readonly SafeFileHandle _file;
    private readonly List<int> _lengths = [];
    private readonly List<string> _hashes = [];
    private long _at = ShardFile.FirstValue;
    private bool _finished;

    /// <summary>Begins a shard.</summary>
    public SoundShardWriter(string path)
    {
        _path = path;
        _file = ShardFile.Begin(path, out _temporary);
    }

    /// <summary>Pieces so far.</summary>
    public int Count => _lengths.Count;

    /// <summary>Appends a piece.</summary>
    /// <param name="itemHash">The item that it is of.</param>
    /// <param name="samples">At 16 kHz, full scale ±1; what is beyond is clipped. At least one.</param>
    public void Add(string itemHash, ReadOnlySpan<float> samples)
    {
        if (samples.IsEmpty) throw new ArgumentException("A piece of sound has at least one sample.", nameof(samples));
        var values = new short[samples.Length];
        for (var i = 0; i < values.Length; i++) values[i] = (short)Math.Clamp(MathF.Round(samples[i] * 32767), -32767, 32767);
        RandomAccess.Write(_file, MemoryMarshal.AsBytes<short>(values), _at);
        _at += sizeof(short) * (long)values.Length;
        _lengths.Add(values.Length);
        _hashes.Add(itemHash);
    }

    /// <summary>Writes the header, flushes to the disk and gives the file its name.</summary>
    public void Finish()
    {
        if (Count == 0) throw new InvalidOperationException("The shard has no pieces.");
        ShardFile.Finish(_file, _temporary, _path, Magic, _at, new SoundShardHeader(_lengths, _hashes));
        _finished = true;
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _file.Dispose();
        if (!_finished) File.Delete(_temporary);
    }
}

/// <summary>A shard of sound, mapped into memory. Reading is safe from several threads.</summary>
public sealed unsafe class SoundShard : IDisposable
{
    /// <summary>Samples a second, Hz.</summary>
    public const int SampleRate = 16_000;

    private readonly MemoryMappedFile _map;
    private readonly MemoryMappedViewAccessor _view;
    private readonly short* _samples;
    private readonly long[] _starts;
    private readonly SoundShardHeader _header;

    private SoundShard(MemoryMappedFile map, MemoryMappedViewAccessor view, SoundShardHeader header)
    {
        (_map, _view, _header) = (map, view, header);
        _starts = new long[header.Lengths.Count];
        for (var i = 1; i < _starts.Length; i++) _starts[i] = _starts[i - 1] + header.Lengths[i - 1];
        byte* start = null;
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
        _samples = (short*)(start + view.PointerOffset + ShardFile.FirstValue);
    }

    /// <summary>Pieces.</summary>
    public int Count => _starts.Length;

    /// <summary>Samples of each piece.</summary>
    public IReadOnlyList<int> Lengths => _header.Lengths;

    /// <summary>The item that each piece is of.</summary>
    public IReadOnlyList<string> ItemHashes => _header.ItemHashes;

    /// <summary>All pieces together, seconds.</summary>
    public double Seconds => Lengths.Sum(n => (long)n) / (double)SampleRate;

    /// <summary>Maps a shard.</summary>
    /// <exception cref="LearningException">It is absent, cut short, or not a shard of sound.</exception>
    public static SoundShard Open(string path)
    {
        var header = ShardFile.ReadHeader<SoundShardHeader>(path, SoundShardWriter.Magic, "a shard of sound", h => h is { Lengths.Count: > 0, ItemHashes: not null } && h.ItemHashes.Count == h.Lengths.Count && h.Lengths.All(n => n > 0),
            h => h.Lengths.Sum(n => (long)n) * sizeof(short));
        var map = MemoryMappedFile.CreateFromFile(path, FileMode.Open, null, 0, MemoryMappedFileAccess.Read);
        return new SoundShard(map, map.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read), header);
    }

    /// <summary>The samples of one piece, full scale ±32767, valid until the shard is disposed.</summary>
    public ReadOnlySpan<short> Piece(int index)
    {
        if ((uint)index >= (uint)Count) throw new ArgumentOutOfRangeException(nameof(index), index, $"The shard has {Count} pieces.");
        ObjectDisposedException.ThrowIf(_view.SafeMemoryMappedViewHandle.IsClosed, this);
        return new ReadOnlySpan<short>(_samples + _starts[index], Lengths[index]);
    }

    /// <summary>The samples of one piece, full scale ±1.</summary>
    public float[] Samples(int index)
    {
        var piece = Piece(index);
        var samples = new float[piece.Length];
        for (var i = 0; i < samples.Length; i++) samples[i] = piece[i] * (1f / 32767);
        return samples;
    }

    /// <inheritdoc />
    public void Dispose()
    {
        if (!_view.SafeMemoryMappedViewHandle.IsClosed) _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _map.Dispose();
    }
}
