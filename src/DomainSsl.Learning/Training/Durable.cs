using System.Runtime.InteropServices;

namespace DomainSsl.Learning.Training;

/// <summary>Writing so that a power cut leaves the old or the new, never half.</summary>
internal static partial class Durable
{
    /// <summary>Writes a file under a temporary name, flushes, renames. Where that fails, what was there stays and nothing is left over.</summary>
    public static void Write(string path, Action<FileStream> write)
    {
        var temporary = path + ".tmp";
        var file = new FileStream(temporary, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 16);
        try
        {
            using (file)
            {
                write(file);
                file.Flush(flushToDisk: true);
            }
            File.Move(temporary, path, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    /// <summary>Writes a text so.</summary>
    public static void WriteText(string path, string text) => Write(path, file => file.Write(System.Text.Encoding.UTF8.GetBytes(text)));

    /// <summary>Fills a folder under a temporary name and renames it; one that is there already is replaced. Where that fails, nothing is left over.</summary>
    public static void PlaceFolder(string folder, Action<string> fill)
    {
        folder = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        var temporary = $"{folder}.{Guid.NewGuid().ToString("n")[..8]}.tmp";
        Directory.CreateDirectory(temporary);
        try
        {
            fill(temporary);
            if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
            RenameFolder(temporary, folder);
        }
        finally
        {
            if (Directory.Exists(temporary)) Directory.Delete(temporary, recursive: true);
        }
    }

    /// <summary>Renames a folder whose files are flushed, and flushes both folders' entries.</summary>
    public static void RenameFolder(string from, string to)
    {
        FlushFolder(from);
        Directory.Move(from, to);
        FlushFolder(Path.GetDirectoryName(to)!);
    }

    private static void FlushFolder(string path)
    {
        if (!OperatingSystem.IsLinux() && !OperatingSystem.IsMacOS()) return; // elsewhere a rename is in the journal already
        var folder = Open(path, 0);
        if (folder < 0) return;
        _ = Sync(folder);
        _ = Close(folder);
    }

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync")]
    private static partial int Sync(int file);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int file);
}
