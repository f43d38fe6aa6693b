using System.Text;

namespace DomainSsl.Core.Storage;

/// <summary>Writes files that are there whole or not at all: under a temporary name, flushed to the disk, then renamed. Where that fails, what was there stays and nothing is left over.</summary>
public static class WholeFile
{
    /// <summary>Writes a file; one that is there already is replaced.</summary>
    public static void Write(string path, Action<Stream> write)
    {
        var temporary = path + ".new";
        var file = new FileStream(temporary, FileMode.Create, FileAccess.Write, FileShare.None);
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

    /// <summary>The same where what is written comes bit by bit.</summary>
    public static async Task WriteAsync(string path, Func<Stream, Task> write)
    {
        var temporary = path + ".new";
        var file = new FileStream(temporary, FileMode.Create, FileAccess.Write, FileShare.None);
        try
        {
            await using (file)
            {
                await write(file);
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

    /// <summary>Writes a text, UTF-8.</summary>
    public static void WriteText(string path, string text) => Write(path, file => file.Write(Encoding.UTF8.GetBytes(text)));

    /// <summary>Writes a text, UTF-8. On a thread of its own: a flush to the disk cannot be awaited.</summary>
    public static Task WriteTextAsync(string path, string text, CancellationToken cancel = default) => Task.Run(() => WriteText(path, text), cancel);
}
