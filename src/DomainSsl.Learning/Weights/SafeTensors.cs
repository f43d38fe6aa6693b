using System.Buffers.Binary;
using System.Text.Json;
using DomainSsl.Learning.Training;
using static TorchSharp.torch;

namespace DomainSsl.Learning.Weights;

/// <summary>
/// Reads and writes safetensors: 8 bytes of header length (little-endian), a JSON header with type, shape and place of each tensor, then the values. Nothing in such a
/// file is ever run. The reader believes nothing: places must lie in the file, follow each other without gap or overlap, and fit shape and type.
/// </summary>
public static class SafeTensors
{
    private const int LongestHeader = 16 << 20;

    /// <summary>Tensors by name, on the host, and the file's own notes.</summary>
    /// <param name="Tensors">The tensors; the caller disposes of them.</param>
    /// <param name="Metadata">What stands under <c>__metadata__</c>.</param>
    public sealed record Content(IReadOnlyDictionary<string, Tensor> Tensors, IReadOnlyDictionary<string, string> Metadata) : IDisposable
    {
        /// <summary>Disposes of all tensors.</summary>
        public void Dispose()
        {
            foreach (var tensor in Tensors.Values) tensor.Dispose();
        }
    }

    /// <summary>Writes tensors (any device, any stride) in the order of their names, under a temporary name, flushed, then renamed.</summary>
    public static void Write(string path, IReadOnlyDictionary<string, Tensor> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        var ordered = tensors.OrderBy(t => t.Key, StringComparer.Ordinal).ToList();
        using var json = new MemoryStream();
        using (var writer = new Utf8JsonWriter(json))
        {
            writer.WriteStartObject();
            if (metadata is { Count: > 0 })
            {
                writer.WriteStartObject("__metadata__");
                foreach (var (key, value) in metadata.OrderBy(m => m.Key, StringComparer.Ordinal)) writer.WriteString(key, value);
                writer.WriteEndObject();
            }
            long at = 0;
            foreach (var (name, tensor) in ordered)
            {
                writer.WriteStartObject(name);
                writer.WriteString("dtype", Name(tensor.dtype, name));
                writer.WriteStartArray("shape");
                foreach (var n in tensor.shape) writer.WriteNumberValue(n);
                writer.WriteEndArray();
                writer.WriteStartArray("data_offsets");
                writer.WriteNumberValue(at);
                writer.WriteNumberValue(at += tensor.numel() * tensor.element_size());
                writer.WriteEndArray();
                writer.WriteEndObject();
            }
            writer.WriteEndObject();
        }
        while (json.Length % 8 != 0) json.WriteByte((byte)' '); // so that the values are aligned

        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        Durable.Write(path, file =>
        {
            Span<byte> length = stackalloc byte[8];
            BinaryPrimitives.WriteInt64LittleEndian(length, json.Length);
            file.Write(length);
            json.WriteTo(file);
            foreach (var (_, tensor) in ordered)
            {
                using var scope = NewDisposeScope();
                var host = tensor.detach().to(Devices.Host).contiguous();
                if (host.numel() > 0) file.Write(host.bytes);
            }
        });
    }

    /// <summary>Reads a whole file.</summary>
    /// <exception cref="LearningException">It is absent, damaged, or not safetensors.</exception>
    public static Content Read(string path)
    {
        if (!File.Exists(path)) throw new LearningException($"The file of weights {path} is not there.");
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 20);
        var tensors = new Dictionary<string, Tensor>();
        try
        {
            Span<byte> start = stackalloc byte[8];
            if (file.ReadAtLeast(start, 8, throwOnEndOfStream: false) < 8) throw new FormatException("it is too short");
            var length = BinaryPrimitives.ReadInt64LittleEndian(start);
            if (length is < 2 or > LongestHeader || length > file.Length - 8) throw new FormatException("its header is longer than the file or than 16 MB");
            var json = new byte[length];
            file.ReadExactly(json);
            var (entries, metadata) = Parse(json, file.Length - 8 - length);
            foreach (var (name, type, shape, _, size) in entries)
            {
                var tensor = empty(shape, type, Devices.Host);
                tensors.Add(name, tensor);
                if (size > 0) file.ReadExactly(tensor.bytes);
            }
            return new Content(tensors, metadata);
        }
        catch (Exception e) when (e is FormatException or JsonException or EndOfStreamException or InvalidOperationException or OverflowException)
        {
            foreach (var tensor in tensors.Values) tensor.Dispose();
            throw new LearningException($"The file {path} is not a sound safetensors file: {(e is FormatException ? e.Message : "its header cannot be read")}. Get it again.", e);
        }
    }

    private static (List<(string Name, ScalarType Type, long[] Shape, long Start, long Size)> Entries, Dictionary<string, string> Metadata) Parse(byte[] json, long room)
    {
        using var header = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 8 });
        if (header.RootElement.ValueKind != JsonValueKind.Object) throw new FormatException("its header is not an object");
        var entries = new List<(string Name, ScalarType Type, long[] Shape, long Start, long Size)>();
        var metadata = new Dictionary<string, string>();
        var names = new HashSet<string>();
        foreach (var property in header.RootElement.EnumerateObject())
        {
            if (!names.Add(property.Name)) throw new FormatException($"the name '{property.Name}' stands twice");
            if (property.Name == "__metadata__")
            {
                foreach (var note in property.Value.EnumerateObject()) metadata[note.Name] = note.Value.GetString() ?? throw new FormatException("a note is not text");
                continue;
            }
            string? typeName = null;
            long[]? shape = null, offsets = null;
            foreach (var part in property.Value.EnumerateObject())
            {
                if (part.Name == "dtype") typeName = part.Value.GetString();
                else if (part.Name == "shape") shape = [.. part.Value.EnumerateArray().Select(n => n.GetInt64())];
                else if (part.Name == "data_offsets") offsets = [.. part.Value.EnumerateArray().Select(n => n.GetInt64())];
                else throw new FormatException($"'{property.Name}' has an unknown part '{part.Name}'");
            }
            if (typeName is null || shape is null || offsets is not { Length: 2 }) throw new FormatException($"'{property.Name}' lacks type, shape or place");
            if (shape.Length > 16 || shape.Any(n => n < 0)) throw new FormatException($"'{property.Name}' has an impossible shape");
            var (type, bytes) = Type(typeName, property.Name);
            var size = shape.Aggregate((long)bytes, (product, n) => checked(product * n));
            if (offsets[0] < 0 || offsets[1] < offsets[0] || offsets[1] > room) throw new FormatException($"'{property.Name}' lies outside the file");
            if (offsets[1] - offsets[0] != size) throw new FormatException($"'{property.Name}' has another size than its shape");
            entries.Add((property.Name, type, shape, offsets[0], size));
        }
        entries.Sort((a, b) => a.Start != b.Start ? a.Start.CompareTo(b.Start) : a.Size.CompareTo(b.Size));
        long at = 0;
        foreach (var (name, _, _, start, size) in entries)
        {
            if (start != at) throw new FormatException($"'{name}' overlaps with another or leaves a gap");
            at += size;
        }
        if (at != room) throw new FormatException("it has bytes that belong to nothing");
        return (entries, metadata);
    }

    private static string Name(ScalarType type, string tensor) => type switch
    {
        ScalarType.Float32 => "F32",
        ScalarType.Float64 => "F64",
        ScalarType.Float16 => "F16",
        ScalarType.BFloat16 => "BF16",
        ScalarType.Int64 => "I64",
        ScalarType.Int32 => "I32",
        ScalarType.Byte => "U8",
        ScalarType.Bool => "BOOL",
        _ => throw new LearningException($"Tensor '{tensor}' is of type {type}, which is not written."),
    };

    private static (ScalarType, int) Type(string name, string tensor) => name switch
    {
        "F32" => (ScalarType.Float32, 4),
        "F64" => (ScalarType.Float64, 8),
        "F16" => (ScalarType.Float16, 2),
        "BF16" => (ScalarType.BFloat16, 2),
        "I64" => (ScalarType.Int64, 8),
        "I32" => (ScalarType.Int32, 4),
        "U8" => (ScalarType.Byte, 1),
        "BOOL" => (ScalarType.Bool, 1),
        _ => throw new FormatException($"'{tensor}' has the unknown type '{name}'"),
    };
}
