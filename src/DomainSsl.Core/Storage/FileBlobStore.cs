using System.Buffers;
using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace DomainSsl.Core.Storage;

/// <summary>
/// Blobs as files, <c>blobs/ab/cd/abcd…</c>. Written to <c>blobs/tmp</c>, flushed to the disk and renamed, so a file under its final name is always whole.
/// Thread-safe; several processes may put into one folder.
/// </summary>
public sealed class FileBlobStore : IBlobStore
{
    private static readonly TimeSpan StaleAfter = TimeSpan.FromHours(6);
    private static readonly SearchValues<char> HexDigits = SearchValues.Create("0123456789abcdef");
    private readonly string _root;
    private readonly string _temporary;
    private readonly ConcurrentDictionary<string, byte> _touched = new(StringComparer.Ordinal);
    private readonly Lock _flushing = new();

    /// <summary>Opens the store and removes temporaries that a killed process left.</summary>
    public FileBlobStore(DataFolder folder)
    {
        _root = folder.Blobs;
        _temporary = folder.Temporary;
        Directory.CreateDirectory(_temporary);
        RemoveLeft(DateTime.UtcNow - StaleAfter);
    }

    /// <inheritdoc />
    public string Put(ReadOnlySpan<byte> bytes)
    {
        var hash = Convert.ToHexStringLower(SHA256.HashData(bytes));
        if (IsThere(hash)) return hash;
        var temporary = NewTemporary();
        try
        {
            using (var handle = File.OpenHandle(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, FileOptions.None, bytes.Length))
            {
                RandomAccess.Write(handle, bytes, 0);
                RandomAccess.FlushToDisk(handle);
            }
            Place(temporary, hash);
        }
        catch
        {
            Try(() => File.Delete(temporary));
            throw;
        }
        return hash;
    }

    /// <inheritdoc />
    public BlobDraft Begin() => new Draft(this);

    /// <inheritdoc />
    public void Flush()
    {
        // A rename is in the folder, not in the file (fsync(2)), and a new folder is in its parent. The first of these flushes carries the journal for all, the rest cost little.
        // One at a time, so that nobody returns while a folder of his is still being flushed by another.
        lock (_flushing)
        {
            foreach (var folder in _touched.Keys)
            {
                if (!_touched.TryRemove(folder, out _)) continue;
                try { FlushFolder(folder); }
                catch
                {
                    _touched[folder] = 0;
                    throw;
                }
            }
        }
    }

    /// <inheritdoc />
    public bool Contains(string hash) => File.Exists(PathOf(hash));

    /// <inheritdoc />
    public Stream Open(string hash)
    {
        try { return new FileStream(PathOf(hash), FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, 64 << 10); }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException) { throw Missing(hash); }
    }

    /// <inheritdoc />
    public byte[] Read(string hash)
    {
        try { return File.ReadAllBytes(PathOf(hash)); }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException) { throw Missing(hash); }
    }

    /// <inheritdoc />
    public IEnumerable<string> All()
    {
        foreach (var first in Directory.EnumerateDirectories(_root))
        {
            if (first == _temporary) continue;
            foreach (var file in Directory.EnumerateFiles(first, "*", SearchOption.AllDirectories)) yield return Path.GetFileName(file);
        }
    }

    /// <inheritdoc />
    public bool IsWhole(string hash)
    {
        try
        {
            using var stream = Open(hash);
            return Convert.ToHexStringLower(SHA256.HashData(stream)) == hash;
        }
        catch (RefusedException) { return false; }
        catch (IOException) { return false; }
    }

    /// <inheritdoc />
    public long RemoveIfOlder(string hash, DateTime before)
    {
        var file = new FileInfo(PathOf(hash));
        if (!file.Exists || file.LastWriteTimeUtc >= before) return 0;
        long length = file.Length;
        file.Delete();
        return length;
    }

    /// <inheritdoc />
    public (int Files, long Bytes) RemoveLeft(DateTime before)
    {
        var (files, bytes) = (0, 0L);
        foreach (var left in new DirectoryInfo(_temporary).EnumerateFiles())
        {
            if (left.LastWriteTimeUtc >= before) continue;
            long length = left.Length;
            Try(() =>
            {
                // Another process may be writing beside us, however slowly: whoever writes here has the file for itself, and then it cannot be opened (flock(2)).
                using (new FileStream(left.FullName, FileMode.Open, FileAccess.ReadWrite, FileShare.None)) left.Delete();
                (files, bytes) = (files + 1, bytes + length);
            });
        }
        return (files, bytes);
    }

    /// <summary>Where a blob lies or would lie.</summary>
    internal string PathOf(string hash)
    {
        if (hash.Length != 64 || hash.AsSpan().ContainsAnyExcept(HexDigits)) throw new ArgumentException("A blob's name is 64 hexadecimal digits.", nameof(hash));
        return Path.Combine(_root, hash[..2], hash[2..4], hash);
    }

    private sealed class Draft : BlobDraft
    {
        private readonly FileBlobStore _store;
        private readonly string _temporary;
        private readonly FileStream _stream;

        public Draft(FileBlobStore store)
        {
            (_store, _temporary) = (store, store.NewTemporary());
            _stream = new FileStream(_temporary, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, 64 << 10);
        }

        public override Stream Stream => _stream;

        public override string Keep()
        {
            // Read once more: what is sought back and mended, as a WAV's header is, cannot be hashed while it is written.
            _stream.Position = 0;
            var hash = Convert.ToHexStringLower(SHA256.HashData(_stream));
            if (_store.IsThere(hash)) return hash;
            _stream.Flush(flushToDisk: true);
            _stream.Dispose();
            _store.Place(_temporary, hash);
            return hash;
        }

        protected override void Dispose(bool disposing)
        {
            if (!disposing) return;
            _stream.Dispose();
            Try(() => File.Delete(_temporary));
        }
    }

    private bool IsThere(string hash)
    {
        var path = PathOf(hash);
        if (!File.Exists(path)) return false;
        // Its age counts from now: it may be an orphan that a sweep would otherwise take before our row is committed.
        try { File.SetLastWriteTimeUtc(path, DateTime.UtcNow); }
        catch (FileNotFoundException) { return false; }
        // Whoever put it may not have flushed its name yet.
        _touched[Path.GetDirectoryName(path)!] = 0;
        return true;
    }

    private void Place(string temporary, string hash)
    {
        var path = PathOf(hash);
        var folder = Path.GetDirectoryName(path)!;
        if (!Directory.Exists(folder))
        {
            Directory.CreateDirectory(folder);
            _touched[Path.GetDirectoryName(folder)!] = 0;
            _touched[_root] = 0;
        }
        File.Move(temporary, path, overwrite: true); // equal bytes, if another was quicker
        _touched[folder] = 0;
    }

    private string NewTemporary() => Path.Combine(_temporary, Guid.NewGuid().ToString("N"));

    private static RefusedException Missing(string hash) =>
        new("blob-missing", $"A stored file is missing from the data folder (blobs/{hash[..2]}/{hash[2..4]}/{hash[..12]}…); restore it from a backup.");

    private static void Try(Action deed)
    {
        try { deed(); }
        catch (IOException) { /* somebody else's, or gone already */ }
        catch (UnauthorizedAccessException) { /* likewise */ }
    }

    /// <summary>fsync on a folder: .NET opens no folders, so the system is asked itself. On Windows renames are journalled and there is nothing to do.</summary>
    internal static void FlushFolder(string folder)
    {
        if (OperatingSystem.IsWindows()) return;
        int descriptor = NativeOpen(folder, 0);
        if (descriptor < 0) throw new IOException($"{folder} could not be opened to flush it ({Marshal.GetLastPInvokeErrorMessage()}).");
        using var handle = new SafeFileHandle(descriptor, ownsHandle: true);
        if (NativeFsync(descriptor) != 0) throw new IOException($"{folder} could not be flushed to the disk ({Marshal.GetLastPInvokeErrorMessage()}).");
    }

    /// <summary>
    /// Gives a finished file its name unless another has it already, and takes its temporary name away. .NET's own move looks first and renames then, so of two that look at once the later one replaces what the first was
    /// told is its own; a hard link is refused by the system where the name is taken.
    /// </summary>
    internal static void PlaceFirst(string temporary, string path)
    {
        const int taken = 17; // EEXIST
        if (!OperatingSystem.IsWindows() && (NativeLink(temporary, path) == 0 || Marshal.GetLastPInvokeError() == taken)) File.Delete(temporary);
        else
        {
            // Windows refuses by itself; a disk without hard links has nothing better.
            try { File.Move(temporary, path, overwrite: false); }
            catch (IOException) when (File.Exists(path)) { File.Delete(temporary); }
        }
    }

    [DllImport("libc", EntryPoint = "link", SetLastError = true, CharSet = CharSet.Ansi, BestFitMapping = false, ThrowOnUnmappableChar = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int NativeLink([MarshalAs(UnmanagedType.LPUTF8Str)] string existing, [MarshalAs(UnmanagedType.LPUTF8Str)] string name);

    [DllImport("libc", EntryPoint = "open", SetLastError = true, CharSet = CharSet.Ansi, BestFitMapping = false, ThrowOnUnmappableChar = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int NativeOpen([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags);

    [DllImport("libc", EntryPoint = "fsync", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int NativeFsync(int descriptor);
}
