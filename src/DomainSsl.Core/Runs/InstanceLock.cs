using System.Diagnostics;
using System.Globalization;
using System.Text;
using DomainSsl.Core.Storage;

namespace DomainSsl.Core.Runs;

/// <summary>
/// A lock on a data folder that one process at a time holds: <c>serve.lock</c> by the site, <c>worker.lock</c> by the worker. It is an advisory file lock, which the system
/// takes back whenever its holder ends, however it ends; the file itself stays.
/// </summary>
public sealed class InstanceLock : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);
    private readonly FileStream _file;

    private InstanceLock(FileStream file) => _file = file;

    /// <summary>The site's lock file of a data folder.</summary>
    public static string Serve(DataFolder folder) => Path.Combine(folder.Root, "serve.lock");

    /// <summary>The worker's lock file of a data folder.</summary>
    public static string Worker(DataFolder folder) => Path.Combine(folder.Root, "worker.lock");

    /// <summary>Takes the lock, or gives back null where another process holds it and goes on holding it for <paramref name="patience"/> (a second unless told otherwise).</summary>
    public static InstanceLock? TryTake(string path, TimeSpan? patience = null)
    {
        // A look by IsHeld lasts some microseconds and must not be taken for a holder: hence the patience.
        for (var begun = Stopwatch.StartNew(); ; Thread.Sleep(20))
        {
            try
            {
                // FileShare.None is flock(LOCK_EX) on Unix, and the descriptor is closed in child processes.
                var file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
                file.SetLength(0);
                file.Write(Encoding.ASCII.GetBytes(Environment.ProcessId.ToString(CultureInfo.InvariantCulture)));
                file.Flush();
                return new InstanceLock(file);
            }
            catch (IOException) when (begun.Elapsed < (patience ?? Patience)) { /* try again */ }
            catch (IOException) { return null; }
        }
    }

    /// <summary>Whether a living process holds the lock.</summary>
    public static bool IsHeld(string path)
    {
        if (!File.Exists(path)) return false;
        try
        {
            using var look = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
            return false;
        }
        catch (FileNotFoundException) { return false; }
        catch (IOException) { return true; }
    }

    /// <inheritdoc />
    public void Dispose() => _file.Dispose();
}
