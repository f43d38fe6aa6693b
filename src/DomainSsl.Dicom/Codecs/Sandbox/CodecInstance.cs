using System.Text;
using Wasmtime;

namespace DomainSsl.Dicom.Codecs.Sandbox;

/// <summary>One instance of the decoders with its own memory. Not thread-safe. After a fault it must be disposed, never used again.</summary>
internal sealed class CodecInstance : IDisposable
{
    // The module starts with 256 MB of address space; the largest mammogram needs some 300 MB beside that.
    private const long MaxMemory = 1L << 30;
    // Decoders keep what they freed: an instance that has grown, or served for long, gives its memory back by going.
    private const long SpentMemory = 384L << 20;
    private const int SpentFrames = 5_000;

    private readonly Store _store;
    private readonly Memory _memory;
    private readonly Func<int> _createContext, _createParameters;
    private readonly Action<int> _releaseContext, _releaseParameters;
    private readonly Dictionary<string, Action<int, int>> _set = [];
    private readonly Func<int, int> _encoded, _decoded, _decodedLength;
    private readonly Dictionary<CodestreamKind, Action<int, int>> _decode = [];
    private string? _said;
    private int _frames;

    public CodecInstance(Engine engine, Module module)
    {
        _store = new Store(engine);
        try
        {
            _store.SetLimits(memorySize: MaxMemory, tableElements: 100_000, instances: 1, tables: 1, memories: 1);
            _store.SetEpochDeadline(1_000);
            using var linker = new Linker(engine);
            Answer(linker);
            var instance = linker.Instantiate(_store, module);
            _memory = instance.GetMemory("memory") ?? throw Missing("memory");
            (instance.GetAction("_initialize") ?? throw Missing("_initialize"))();
            _createContext = instance.GetFunction<int>("CreateCodecsContext") ?? throw Missing("CreateCodecsContext");
            _createParameters = instance.GetFunction<int>("CreateDecoderParameters") ?? throw Missing("CreateDecoderParameters");
            _releaseContext = instance.GetAction<int>("ReleaseCodecsContext") ?? throw Missing("ReleaseCodecsContext");
            _releaseParameters = instance.GetAction<int>("ReleaseDecoderParameters") ?? throw Missing("ReleaseDecoderParameters");
            _encoded = instance.GetFunction<int, int>("GetEncodedBuffer") ?? throw Missing("GetEncodedBuffer");
            _decoded = instance.GetFunction<int, int>("GetDecodedBuffer") ?? throw Missing("GetDecodedBuffer");
            _decodedLength = instance.GetFunction<int, int>("GetDecodedBufferSize") ?? throw Missing("GetDecodedBufferSize");
            foreach (var name in (string[])["Columns", "Rows", "BitsAllocated", "BitsStored", "SamplesPerPixel", "PixelRepresentation", "PlanarConfiguration",
                "PhotometricInterpretation", "EncodedBufferSize", "ConvertColorspaceToRgb"])
                _set[name] = instance.GetAction<int, int>("Set" + name) ?? throw Missing("Set" + name);
            foreach (var (kind, name) in (Dictionary<CodestreamKind, string>)new()
            { [CodestreamKind.Jpeg] = "DecodeJpeg", [CodestreamKind.JpegLs] = "DecodeJpegLs", [CodestreamKind.Jpeg2000] = "DecodeJpeg2000" })
                _decode[kind] = instance.GetAction<int, int>(name) ?? throw Missing(name);
        }
        catch
        {
            _store.Dispose();
            throw;
        }
    }

    /// <summary>Better replaced by a fresh one.</summary>
    public bool IsSpent => _frames >= SpentFrames || _memory.GetLength() > SpentMemory;

    public byte[] Decode(CodecFrame frame, ReadOnlySpan<byte> encoded, ulong deadline)
    {
        _said = null;
        _frames++;
        _store.SetEpochDeadline(deadline);
        try
        {
            var (context, parameters, header) = (_createContext(), _createParameters(), frame.Header);
            _set["ConvertColorspaceToRgb"](parameters, 0);
            _set["Columns"](context, header.Columns);
            _set["Rows"](context, header.Rows);
            _set["BitsAllocated"](context, 8 * frame.SampleBytes);
            _set["BitsStored"](context, header.Precision);
            _set["SamplesPerPixel"](context, header.Components);
            _set["PixelRepresentation"](context, frame.IsSigned ? 1 : 0);
            _set["PlanarConfiguration"](context, 0);
            _set["PhotometricInterpretation"](context, frame.Photometric);
            _set["EncodedBufferSize"](context, encoded.Length);
            encoded.CopyTo(_memory.GetSpan(_encoded(context), encoded.Length));
            _decode[header.Kind](context, parameters);
            var length = _decodedLength(context);
            if (length != frame.DecodedLength) throw DicomErrors.Undecodable("the decoder gave another number of pixels than the file announces");
            var pixels = _memory.GetSpan(_decoded(context), length);
            var result = pixels.ToArray();
            // The next frame may be another patient's: nothing of this one stays behind.
            pixels.Clear();
            _memory.GetSpan(_encoded(context), encoded.Length).Clear();
            _releaseParameters(parameters);
            _releaseContext(context);
            return result;
        }
        catch (TrapException e) when (e.Type == TrapCode.Interrupt)
        {
            throw new DicomException(DicomErrors.TooLarge, "Decoding the image took too long and was stopped; ask the administrator to raise the limit if it is a real scan.", DicomTags.PixelData, cause: e);
        }
        catch (Exception e) when (e is WasmtimeException or ArgumentException or IndexOutOfRangeException or OverflowException or InvalidOperationException)
        {
            throw DicomErrors.Undecodable(Readable(_said) ?? "its compressed data cannot be decoded", e);
        }
    }

    public void Dispose() => _store.Dispose();

    // The decoder's own words, which come from hostile data at worst: kept short and plain.
    private static string? Readable(string? said)
    {
        if (said is null) return null;
        var plain = new string([.. said.Where(c => c is >= ' ' and <= '~').Take(120)]).Trim().TrimEnd('.', '!');
        return plain.Length == 0 ? null : $"the decoder says \"{plain}\"";
    }

    private void Answer(Linker linker)
    {
        const int notSupported = 8; // WASI's EBADF
        linker.DefineFunction("env", "onCodecsException", (int p, int n) => { _said = Said(p, n); });
        linker.DefineFunction("env", "onCodecsInfo", (int p, int n) => { });
        linker.DefineFunction("env", "onCodecsTrace", (int p, int n) => { });
        linker.DefineFunction("env", "emscripten_notify_memory_growth", (int index) => { });
        linker.DefineFunction("wasi_snapshot_preview1", "proc_exit", (int code) => throw new InvalidOperationException("The decoder gave up."));
        linker.DefineFunction("wasi_snapshot_preview1", "clock_time_get", (int id, long precision, int p) => 0);
        linker.DefineFunction("wasi_snapshot_preview1", "fd_write", (int fd, int iovs, int count, int p) => notSupported);
        linker.DefineFunction("wasi_snapshot_preview1", "fd_close", (int fd) => notSupported);
        linker.DefineFunction("wasi_snapshot_preview1", "fd_seek", (int fd, long offset, int whence, int p) => notSupported);
        linker.DefineFunction("wasi_snapshot_preview1", "environ_get", (int p, int q) => 0);
        linker.DefineFunction("wasi_snapshot_preview1", "environ_sizes_get", (int p, int q) =>
        {
            _memory.WriteInt32(p, 0);
            _memory.WriteInt32(q, 0);
            return 0;
        });
    }

    private string? Said(int at, int length) =>
        at >= 0 && length is > 0 and < 4096 && at + (long)length <= _memory.GetLength() ? Encoding.UTF8.GetString(_memory.GetSpan(at, length)) : null;

    private static InvalidOperationException Missing(string name) => new($"The image decoders lack '{name}'; the shipped module is not the one that was tested.");
}
