using System.Globalization;

namespace DomainSsl.Core.Runs;

/// <summary>
/// A process, told from every other one that ever has its number: <c>boot.namespace/pid/start</c>, where boot is the kernel's boot id, namespace that of the process ids
/// (a container has its own) and start the process's start in clock ticks after boot (proc(5), field 22 of <c>/proc/PID/stat</c>).
/// </summary>
public static class ProcessIdentity
{
    private static readonly string Place = $"{Read("/proc/sys/kernel/random/boot_id") ?? Environment.MachineName}.{Namespace()}";

    /// <summary>This process.</summary>
    public static string Current { get; } = $"{Place}/{Environment.ProcessId}/{StartOf(Environment.ProcessId)}";

    /// <summary>
    /// Whether a process is known to be gone: it was on this machine and is there no more, or only as a corpse that its parent has not buried. False where that cannot be
    /// seen from here (another machine or container): then the lease alone decides.
    /// </summary>
    public static bool IsGone(string? identity)
    {
        var parts = identity?.Split('/');
        if (parts is not { Length: 3 } || !int.TryParse(parts[1], CultureInfo.InvariantCulture, out var pid)) return false;
        // A machine that was started anew has lost all its processes, but another machine's boot id looks the same as an old one of ours: leave that to the lease.
        if (parts[0] != Place || !Directory.Exists("/proc/self")) return false;
        return StartOf(pid) != parts[2];
    }

    // Empty where there is no such process or it is dead already.
    private static string StartOf(int pid)
    {
        var stat = Read($"/proc/{pid}/stat");
        if (stat is null) return "";
        // The name in brackets may hold spaces and brackets itself; the fields after its last bracket are plain. State is field 3, start field 22.
        var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return fields[0] is "Z" or "X" ? "" : fields[19];
    }

    private static string Namespace()
    {
        try { return Path.GetFileName(new FileInfo("/proc/self/ns/pid").LinkTarget ?? "").Replace("pid:[", "", StringComparison.Ordinal).TrimEnd(']'); }
        catch (IOException) { return ""; }
        catch (UnauthorizedAccessException) { return ""; }
    }

    private static string? Read(string path)
    {
        try { return File.ReadAllText(path).Trim(); }
        catch (IOException) { return null; }
        catch (UnauthorizedAccessException) { return null; }
    }
}
