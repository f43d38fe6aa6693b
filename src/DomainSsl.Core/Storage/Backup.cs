using System.IO.Compression;
using System.Security.Cryptography;
using System.Text.Json;
using DomainSsl.Core.Audit;
using DomainSsl.Core.Database;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;

namespace DomainSsl.Core.Storage;

/// <summary>What a backup or a restore moved.</summary>
/// <param name="Files">Number of files.</param>
/// <param name="Bytes">Their length together.</param>
public sealed record BackupResult(int Files, long Bytes);

/// <summary>
/// A consistent copy of an installation in one zip, taken while it runs: first the database by SQLite's online backup, then the files. Whatever a row names was stored before
/// the row, so every file that the copied database names is there. Keys are in it (without them the same patient would get another pseudonym), so the file is as secret as the
/// data folder. <c>cache/</c>, <c>shards/</c> and <c>incoming/</c> are left out: they are made again.
/// </summary>
public static class Backup
{
    private const string Manifest = "backup.json";
    private const string DatabaseName = "domainssl.db";
    private static readonly string[] Folders = ["keys", "blobs", "models", "runs", "recipes"];
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    private sealed record Entry(string Name, long Bytes, string Sha256);
    private sealed record Contents(int Version, DateTime At, IReadOnlyList<Entry> Files);

    /// <summary>Writes a backup: under a temporary name until it is whole and on the disk.</summary>
    /// <exception cref="RefusedException"><c>exists</c>: there is such a file.</exception>
    public static async Task<BackupResult> WriteAsync(DataFolder folder, AuditLog audit, string path, string by, IProgress<long>? bytesDone = null, CancellationToken cancel = default)
    {
        path = Path.GetFullPath(path);
        if (File.Exists(path)) throw new RefusedException("exists", $"{path} is there already; name another file, so that no older backup is lost.");
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        await audit.RecordAsync(by, "backed up", "the data folder", cancel: cancel);
        var (part, database) = (path + ".part", Path.Combine(folder.Root, $"backup-{Guid.NewGuid():N}.db"));
        var entries = new List<Entry>();
        try
        {
            CopyDatabase(folder.Database, database);
            var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, Share = FileShare.None };
            if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            await using (var target = new FileStream(part, options))
            {
                await using (var zip = new ZipArchive(target, ZipArchiveMode.Create, leaveOpen: true))
                {
                    Add(zip, DatabaseName, database, CompressionLevel.Fastest);
                    foreach (var top in Folders.Where(f => Directory.Exists(Path.Combine(folder.Root, f))))
                    {
                        foreach (var file in Directory.EnumerateFiles(Path.Combine(folder.Root, top), "*", SearchOption.AllDirectories))
                        {
                            cancel.ThrowIfCancellationRequested();
                            var name = Path.GetRelativePath(folder.Root, file).Replace('\\', '/');
                            if (name.StartsWith("blobs/tmp/", StringComparison.Ordinal)) continue;
                            // Blobs and weights do not shrink; logs do.
                            Add(zip, name, file, top == "runs" && file.EndsWith(".jsonl", StringComparison.Ordinal) ? CompressionLevel.Fastest : CompressionLevel.NoCompression);
                        }
                    }
                    // Last, so that a backup that was cut off is known by its absence.
                    await using var manifest = await zip.CreateEntry(Manifest, CompressionLevel.Fastest).OpenAsync(cancel);
                    await JsonSerializer.SerializeAsync(manifest, new Contents(1, DateTime.UtcNow, entries), Json, cancel);
                }
                target.Flush(flushToDisk: true);
            }
            File.Move(part, path, overwrite: false);
            FileBlobStore.FlushFolder(Path.GetDirectoryName(path)!);
        }
        finally
        {
            File.Delete(database);
            File.Delete(part);
        }
        return new BackupResult(entries.Count, entries.Sum(e => e.Bytes));

        void Add(ZipArchive zip, string name, string file, CompressionLevel level)
        {
            FileStream source;
            try { source = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1); }
            catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException) { return; } // a checkpoint that a newer one has replaced
            using (source)
            using (var target = zip.CreateEntry(name, level).Open())
            using (var sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256))
            {
                var (piece, length) = (new byte[1 << 20], 0L);
                for (int n; (n = source.Read(piece)) > 0; length += n)
                {
                    cancel.ThrowIfCancellationRequested();
                    sha.AppendData(piece, 0, n);
                    target.Write(piece, 0, n);
                }
                entries.Add(new Entry(name, length, Convert.ToHexStringLower(sha.GetHashAndReset())));
                bytesDone?.Report(entries.Sum(e => e.Bytes));
            }
        }
    }

    /// <summary>Puts a backup into an empty folder. Every file is compared with the hash taken when the backup was made before the first of them is in its place.</summary>
    /// <exception cref="RefusedException">The folder is not empty, or the file is no whole backup of this version or an older one.</exception>
    public static async Task<BackupResult> RestoreAsync(string path, string root, string by, CancellationToken cancel = default)
    {
        root = Path.GetFullPath(root);
        if (!File.Exists(path)) throw new RefusedException("not-found", $"There is no file {path}; check the path.");
        if (Directory.Exists(root) && Directory.EnumerateFileSystemEntries(root).Any())
            throw new RefusedException("not-empty", $"The data folder {root} is not empty; a backup is put into an empty one only: name another with --data.");
        bool made = !Directory.Exists(root);
        var staging = Path.Combine(root, ".restoring");
        DataFolder.MakeOwn(root);
        DataFolder.MakeOwn(staging);
        try
        {
            var contents = await UnpackAsync(path, staging, cancel);
            Check(Path.Combine(staging, DatabaseName));
            // The database last: until it is there the folder does not look like an installation.
            foreach (var top in Directory.EnumerateDirectories(staging)) Directory.Move(top, Path.Combine(root, Path.GetFileName(top)));
            File.Move(Path.Combine(staging, DatabaseName), Path.Combine(root, DatabaseName));
            Directory.Delete(staging, recursive: true);
            var folder = new DataFolder(root);
            Protect(folder);
            var factory = new Factory(folder.Database);
            await DatabaseSetup.MigrateAsync(factory, cancel);
            await new AuditLog(factory, TimeProvider.System).RecordAsync(by, "restored", "the data folder", $"backup of {contents.At:yyyy-MM-dd HH:mm} UTC", cancel);
            return new BackupResult(contents.Files.Count, contents.Files.Sum(f => f.Bytes));
        }
        catch
        {
            Directory.Delete(made && !File.Exists(Path.Combine(root, DatabaseName)) ? root : staging, recursive: true);
            throw;
        }
    }

    private static void CopyDatabase(string from, string to)
    {
        using var source = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = from, Mode = SqliteOpenMode.ReadWrite, DefaultTimeout = 60, Pooling = false }.ToString());
        using var target = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = to, Pooling = false }.ToString());
        source.Open();
        target.Open();
        source.BackupDatabase(target);
        // The copy stands alone: nothing of it may lie in a log beside it.
        using var command = target.CreateCommand();
        command.CommandText = "PRAGMA journal_mode=DELETE;";
        command.ExecuteNonQuery();
    }

    private static async Task<Contents> UnpackAsync(string path, string staging, CancellationToken cancel)
    {
        try
        {
            using var zip = await ZipFile.OpenReadAsync(path, cancel);
            var contents = zip.GetEntry(Manifest) is { } manifest && await JsonSerializer.DeserializeAsync<Contents>(await manifest.OpenAsync(cancel), Json, cancel) is { } read ? read
                : throw new RefusedException("not-backup", $"{path} is not a backup made by this program, or was cut off; choose another.");
            if (contents.Version != 1) throw new RefusedException("newer-backup", "The backup was made by a newer version of the program; install that version first.");
            foreach (var file in contents.Files)
            {
                cancel.ThrowIfCancellationRequested();
                var target = Path.GetFullPath(Path.Combine(staging, file.Name));
                if (!target.StartsWith(staging + Path.DirectorySeparatorChar, StringComparison.Ordinal)) throw Damaged(file.Name);
                var entry = zip.GetEntry(file.Name) ?? throw Damaged(file.Name);
                Directory.CreateDirectory(Path.GetDirectoryName(target)!);
                await using var source = await entry.OpenAsync(cancel);
                await using var stream = new FileStream(target, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1);
                using var sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
                var (piece, left) = (new byte[1 << 20], file.Bytes);
                for (int n; (n = await source.ReadAsync(piece, cancel)) > 0;)
                {
                    if ((left -= n) < 0) throw Damaged(file.Name);
                    sha.AppendData(piece, 0, n);
                    await stream.WriteAsync(piece.AsMemory(0, n), cancel);
                }
                if (left != 0 || Convert.ToHexStringLower(sha.GetHashAndReset()) != file.Sha256) throw Damaged(file.Name);
                stream.Flush(flushToDisk: true);
            }
            return contents;
        }
        catch (Exception e) when (e is InvalidDataException or JsonException)
        {
            throw new RefusedException("backup-damaged", $"The backup {path} is damaged or cut off, so nothing was restored; use another copy of it.");
        }

        RefusedException Damaged(string name) => new("backup-damaged", $"The backup is damaged at {name}, so nothing was restored; use another copy of it.");
    }

    private static void Check(string database)
    {
        if (!File.Exists(database)) throw new RefusedException("not-backup", "The backup holds no database; choose another.");
        using var db = new Factory(database, pooling: false).CreateDbContext();
        var newer = db.Database.GetAppliedMigrations().Except(db.Database.GetMigrations()).FirstOrDefault();
        if (newer is not null) throw new RefusedException("newer-backup", "The backup was made by a newer version of the program; install that version first.");
        var sound = db.Database.SqlQueryRaw<string>("PRAGMA integrity_check").AsEnumerable().First();
        if (sound != "ok") throw new RefusedException("backup-damaged", $"The database in the backup is damaged ({sound}), so nothing was restored; use another copy.");
    }

    // As they were where the backup was made: open to the owner alone, also in a folder that others may look into.
    private static void Protect(DataFolder folder)
    {
        if (OperatingSystem.IsWindows()) return;
        const UnixFileMode Owner = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        foreach (var top in Directory.EnumerateDirectories(folder.Root)) File.SetUnixFileMode(top, Owner | UnixFileMode.UserExecute);
        File.SetUnixFileMode(folder.Database, Owner);
        foreach (var key in Directory.EnumerateFiles(folder.Keys, "*", SearchOption.AllDirectories)) File.SetUnixFileMode(key, Owner);
    }

    private sealed class Factory(string path, bool pooling = true) : IDbContextFactory<DomainSslContext>
    {
        public DomainSslContext CreateDbContext()
        {
            var options = new DbContextOptionsBuilder<DomainSslContext>();
            if (pooling) options.UseDomainSslDatabase(path);
            else options.UseSqlite(new SqliteConnectionStringBuilder { DataSource = path, Pooling = false }.ToString());
            return new DomainSslContext(options.Options);
        }
    }
}
