using System.Runtime.InteropServices;
using System.Text;

namespace DomainSsl.Learning.Weights;

/// <summary>A node of an ONNX graph, as far as import needs it.</summary>
/// <param name="Operator">Such as <c>Conv</c>.</param>
/// <param name="Inputs">Names of its inputs, weights included.</param>
public sealed record OnnxNode(string Operator, IReadOnlyList<string> Inputs);

/// <summary>A float32 initialiser.</summary>
/// <param name="Shape">Its sizes.</param>
/// <param name="Values">Its values, last dimension fastest.</param>
public sealed record OnnxInitializer(long[] Shape, float[] Values);

/// <summary>
/// Takes the nodes, in their order, and the float32 initialisers out of an ONNX file. Reads just enough of protobuf's wire format (varints, fixed sizes, lengths) and of
/// ONNX's ModelProto (graph = 7; node = 1, initializer = 5; dims = 1, data_type = 2, float_data = 4, name = 8, raw_data = 9).
/// </summary>
public sealed class OnnxInitializers
{
    private const int Float = 1;
    private readonly List<OnnxNode> _nodes = [];
    private readonly Dictionary<string, OnnxInitializer> _initializers = [];

    /// <summary>The graph's nodes, in their order.</summary>
    public IReadOnlyList<OnnxNode> Nodes => _nodes;

    /// <summary>The float32 initialisers by name.</summary>
    public IReadOnlyDictionary<string, OnnxInitializer> Initializers => _initializers;

    /// <summary>Reads a file.</summary>
    /// <exception cref="LearningException">It is not a sound ONNX file.</exception>
    public static OnnxInitializers Read(string path)
    {
        try
        {
            var result = new OnnxInitializers();
            var model = new Wire(File.ReadAllBytes(path));
            while (model.Next())
            {
                if (model.Field == 7) result.ReadGraph(model.Message());
            }
            return result;
        }
        catch (Exception e) when (e is FormatException or ArgumentException or OverflowException)
        {
            throw new LearningException($"The file {path} is not a sound ONNX file; restore the package it came with.", e);
        }
    }

    private void ReadGraph(Wire graph)
    {
        while (graph.Next())
        {
            if (graph.Field == 1) _nodes.Add(ReadNode(graph.Message()));
            else if (graph.Field == 5 && ReadTensor(graph.Message()) is var (name, tensor) && tensor is not null) _initializers.Add(name, tensor);
        }
    }

    private static OnnxNode ReadNode(Wire node)
    {
        var (type, inputs) = ("", new List<string>());
        while (node.Next())
        {
            if (node.Field == 1) inputs.Add(Encoding.UTF8.GetString(node.Bytes));
            else if (node.Field == 4) type = Encoding.UTF8.GetString(node.Bytes);
        }
        return new OnnxNode(type, inputs);
    }

    private static (string Name, OnnxInitializer? Tensor) ReadTensor(Wire tensor)
    {
        var (name, type, shape) = ("", 0L, new List<long>());
        byte[] values = [];
        while (tensor.Next())
        {
            if (tensor is { Field: 1, Kind: 0 }) shape.Add((long)tensor.Number);
            else if (tensor.Field == 1) for (var packed = tensor.Message(); packed.More;) shape.Add((long)packed.Varint());
            else if (tensor.Field == 2) type = (long)tensor.Number;
            else if (tensor.Field == 8) name = Encoding.UTF8.GetString(tensor.Bytes);
            else if (tensor.Field is 4 or 9 && tensor.Kind == 2) values = tensor.Bytes.ToArray();
        }
        if (type != Float) return (name, null);
        var count = shape.Aggregate(1L, (product, n) => checked(product * n));
        if (count * sizeof(float) != values.Length) throw new FormatException($"{name} has {values.Length} bytes for {count} values");
        return (name, new OnnxInitializer([.. shape], MemoryMarshal.Cast<byte, float>(values).ToArray()));
    }

    /// <summary>A walk over one protobuf message.</summary>
    private ref struct Wire(ReadOnlySpan<byte> data)
    {
        private ReadOnlySpan<byte> _rest = data;

        public int Field { get; private set; }
        public int Kind { get; private set; }
        public ulong Number { get; private set; }
        public ReadOnlySpan<byte> Bytes { get; private set; }
        public readonly bool More => _rest.Length > 0;

        public bool Next()
        {
            if (!More) return false;
            var key = Varint();
            (Field, Kind) = ((int)(key >> 3), (int)(key & 7));
            Number = 0;
            Bytes = default;
            switch (Kind)
            {
                case 0: Number = Varint(); break;
                case 1: Bytes = Take(8); break;
                case 2: Bytes = Take(Varint()); break;
                case 5: Bytes = Take(4); break;
                default: throw new FormatException($"wire type {Kind}");
            }
            return true;
        }

        public readonly Wire Message() => new(Bytes);

        public ulong Varint()
        {
            ulong value = 0;
            for (var shift = 0; shift < 64; shift += 7)
            {
                var part = Take(1)[0];
                value |= (ulong)(part & 0x7f) << shift;
                if (part < 0x80) return value;
            }
            throw new FormatException("a number is too long");
        }

        private ReadOnlySpan<byte> Take(ulong count)
        {
            if (count > (ulong)_rest.Length) throw new FormatException("it is cut short");
            var taken = _rest[..(int)count];
            _rest = _rest[(int)count..];
            return taken;
        }
    }
}
