using System.Runtime.InteropServices;

namespace DomainSsl.Learning;

/// <summary>Settings of the process that libtorch reads once: its allocator and its threads.</summary>
public static partial class TorchProcess
{
    private const int TrimThreshold = -1, TopPad = -2, MmapMax = -4, ArenaMax = -8;
    private static readonly Lock Gate = new();
    private static bool _tuned;

    /// <summary>
    /// Makes threads sleep soon at barriers and memory stay with the process. Call it before the first torch call of a process; calling it again does nothing.
    /// Worth ×1.2 to ×1.5 alone and several times that where other work shares the cores. Outside Linux with glibc it does nothing.
    /// </summary>
    public static void Tune()
    {
        lock (Gate)
        {
            if (_tuned) return;
            _tuned = true;
            if (!OperatingSystem.IsLinux()) return;
            try
            {
                // libgomp reads the C environment, which Environment.SetEnvironmentVariable does not reach. What the user has set stands.
                SetEnvironment("GOMP_SPINCOUNT", "1000", 0);
                SetEnvironment("OMP_NUM_THREADS", Cores().ToString(), 0);
                // glibc returns every large block to the kernel and faults it in again at the next step; keep what was freed, in one arena.
                _ = MallocOption(MmapMax, 0);
                _ = MallocOption(TrimThreshold, int.MaxValue);
                _ = MallocOption(TopPad, 64 << 20);
                _ = MallocOption(ArenaMax, 1);
            }
            catch (Exception e) when (e is EntryPointNotFoundException or DllNotFoundException)
            {
                // another C library (musl): its own settings are good enough
            }
        }
    }

    /// <summary>The cores that this process may use, hyper-threads not counted.</summary>
    public static int Cores()
    {
        var allowed = Environment.ProcessorCount; // respects affinity and a container's quota
        try
        {
            var cores = new HashSet<(string, string)>();
            var socket = "";
            foreach (var line in File.ReadLines("/proc/cpuinfo"))
            {
                if (line.StartsWith("physical id", StringComparison.Ordinal)) socket = line;
                else if (line.StartsWith("core id", StringComparison.Ordinal)) cores.Add((socket, line));
            }
            return cores.Count == 0 ? allowed : Math.Min(allowed, cores.Count);
        }
        catch (IOException)
        {
            return allowed;
        }
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnvironment(string name, string value, int overwrite);

    [LibraryImport("libc", EntryPoint = "mallopt")]
    private static partial int MallocOption(int parameter, int value);
}
