using System.Collections.Concurrent;
using System.Security.Cryptography;
using Wasmtime;

namespace DomainSsl.Dicom.Codecs.Sandbox;

/// <summary>
/// Runs the compressed-image decoders (npm's dcmjs-codecs: IJG, CharLS, OpenJPEG as WebAssembly) where hostile bytes can do no harm: no file, clock or network, memory
/// and time limited, an instance thrown away after any fault. One instance a core is kept. Thread-safe.
/// </summary>
public static class CodecSandbox
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(50);
    private static readonly ConcurrentBag<CodecInstance> Idle = [];
    private static readonly SemaphoreSlim Cores = new(Environment.ProcessorCount);
    private static readonly Lazy<Compiled> Shared = new(Compile);

    /// <summary>
    /// Where the compiled decoders are kept, so that only the very first start pays for compiling them (two seconds). It is native code: the folder must belong to this
    /// user alone. Null keeps nothing. Set it before the first image is decoded.
    /// </summary>
    public static string? CacheFolder { get; set; } =
        Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify) is { Length: > 0 } home
            ? Path.Combine(home, "domainssl", "codecs") : null;

    /// <summary>The WebAssembly module that is shipped.</summary>
    internal static byte[] ModuleBytes()
    {
        using var stream = typeof(CodecSandbox).Assembly.GetManifestResourceStream("dcmjs-native-codecs.wasm")
            ?? throw new InvalidOperationException("The image decoders are missing from the assembly.");
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }

    /// <summary>Decodes a frame whose header was checked against <paramref name="frame"/>. Samples come side by side, little endian, without colour transform.</summary>
    internal static byte[] Decode(CodecFrame frame, ReadOnlySpan<byte> encoded, TimeSpan limit)
    {
        var compiled = Shared.Value;
        Cores.Wait();
        CodecInstance? instance = null;
        try
        {
            if (!Idle.TryTake(out instance)) instance = new CodecInstance(compiled.Engine, compiled.Module);
            // One tick more than asked, as the current one has begun already.
            var decoded = instance.Decode(frame, encoded, (ulong)Math.Ceiling(limit / Tick) + 1);
            if (!instance.IsSpent)
            {
                Idle.Add(instance);
                instance = null;
            }
            return decoded;
        }
        finally
        {
            instance?.Dispose();
            Cores.Release();
        }
    }

    private static Compiled Compile()
    {
        var wasm = ModuleBytes();
        var engine = new Engine(new Config().WithEpochInterruption(true).WithOptimizationLevel(OptimizationLevel.Speed));
        var module = Load(engine, wasm);
        // The clock by which decoding is cut short; it lives as long as the process.
        var clock = new Timer(_ => engine.IncrementEpoch(), null, Tick, Tick);
        return new Compiled(engine, module, clock);
    }

    private static Module Load(Engine engine, byte[] wasm)
    {
        if (CacheFolder is not { } folder) return Module.FromBytes(engine, "codecs", wasm);
        var version = typeof(Engine).Assembly.GetName().Version;
        var path = Path.Combine(folder, $"codecs-{version}-{Convert.ToHexStringLower(SHA256.HashData(wasm))[..16]}.bin");
        try
        {
            // Only a file that nobody else could have written is run.
            if (File.Exists(path) && (OperatingSystem.IsWindows() || File.GetUnixFileMode(path) == (UnixFileMode.UserRead | UnixFileMode.UserWrite)))
                return Module.DeserializeFile(engine, "codecs", path);
        }
        catch (Exception e) when (e is WasmtimeException or IOException or UnauthorizedAccessException) { /* another processor or a cut file: compile again */ }
        var module = Module.FromBytes(engine, "codecs", wasm);
        try
        {
            Keep(folder, path, module.Serialize());
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException) { /* a read-only home costs two seconds a start, no more */ }
        return module;
    }

    private static void Keep(string folder, string path, byte[] code)
    {
        const UnixFileMode own = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        if (OperatingSystem.IsWindows()) Directory.CreateDirectory(folder);
        else Directory.CreateDirectory(folder, own | UnixFileMode.UserExecute);
        var part = $"{path}.{Environment.ProcessId}.part";
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, Share = FileShare.None };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = own;
        using (var file = new FileStream(part, options)) file.Write(code);
        File.Move(part, path, overwrite: true);
    }

    private sealed record Compiled(Engine Engine, Module Module, Timer Clock);
}
