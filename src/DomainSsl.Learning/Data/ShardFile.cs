using System.Buffers.Binary;
using System.Text.Json;
using Microsoft.Win32.SafeHandles;

namespace DomainSsl.Learning.Data;

/// <summary>How shards of every kind lie on the disk, little-endian: 8 bytes of magic, offset and length of the header (int64 each), zeros up to byte 64, the values, the header as JSON.</summary>
internal static class ShardFile
{
    /// <summary>Where the values begin.</summary>
    public const int FirstValue = 64;

    /// <summary>Begins a file under a temporary name.</summary>
    public static SafeFileHandle Begin(string path, out string temporary)
    {
        temporary = path + "." + Guid.NewGuid().ToString("n")[..8] + ".tmp";
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        return File.OpenHandle(temporary, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None);
    }

    /// <summary>Writes the header at <paramref name="offset"/>, behind the values, flushes to the disk, closes the file and gives it its name.</summary>
    public static void Finish<T>(SafeFileHandle file, string temporary, string path, ReadOnlySpan<byte> magic, long offset, T header)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(header, LearningJson.Options);
        Span<byte> start = stackalloc byte[FirstValue];
        start.Clear();
        magic.CopyTo(start);
        BinaryPrimitives.WriteInt64LittleEndian(start[8..], offset);
        BinaryPrimitives.WriteInt64LittleEndian(start[16..], json.Length);
        RandomAccess.Write(file, start, 0);
        RandomAccess.Write(file, json, offset);
        RandomAccess.FlushToDisk(file);
        file.Dispose();
        File.Move(temporary, path, overwrite: true);
    }

    /// <summary>Reads the header of a shard and believes nothing of it.</summary>
    /// <param name="path">Where it lies.</param>
    /// <param name="magic">How it must begin.</param>
    /// <param name="kind">What it must be, e.g. <c>a shard of sound</c>.</param>
    /// <param name="whole">Whether all is there that the header must have.</param>
    /// <param name="bytes">How many bytes of values the header speaks of.</param>
    /// <exception cref="LearningException">It is absent, cut short, or not of this kind.</exception>
    public static T ReadHeader<T>(string path, ReadOnlySpan<byte> magic, string kind, Func<T, bool> whole, Func<T, Int128> bytes) where T : class
    {
        if (!File.Exists(path)) throw new LearningException($"The shard {path} is not there; prepare the collection again.");
        LearningException Damaged(string how, Exception? inner = null) =>
            new($"The shard {path} is damaged ({how}); delete it and prepare the collection again.", inner ?? new InvalidDataException(how));
        using var file = File.OpenHandle(path);
        var length = RandomAccess.GetLength(file);
        Span<byte> start = stackalloc byte[FirstValue];
        if (length < start.Length || RandomAccess.Read(file, start, 0) < start.Length) throw Damaged("it is too short");
        if (!start[..8].SequenceEqual(magic)) throw Damaged($"it does not begin as {kind} does");
        var (offset, size) = (BinaryPrimitives.ReadInt64LittleEndian(start[8..]), BinaryPrimitives.ReadInt64LittleEndian(start[16..]));
        if (offset < FirstValue || size <= 0 || size > int.MaxValue || offset > length - size) throw Damaged("it is shorter than it says");
        var json = new byte[size];
        if (RandomAccess.Read(file, json, offset) < size) throw Damaged("its header is cut short");
        T? header;
        try { header = JsonSerializer.Deserialize<T>(json, LearningJson.Options); }
        catch (JsonException e) { throw Damaged("its header cannot be read", e); }
        if (header is null || !whole(header)) throw Damaged("its header is not complete");
        if (bytes(header) != offset - FirstValue) throw Damaged("its size is not what its header says");
        return header;
    }
}
