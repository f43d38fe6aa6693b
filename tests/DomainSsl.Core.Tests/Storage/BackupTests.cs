using DomainSsl.Core.Audit;
using DomainSsl.Core.Database;
using DomainSsl.Core.Storage;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;

namespace DomainSsl.Core.Tests.Storage;

public sealed class BackupTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Backup_TakenWhileAnImportRuns_RestoresAConsistentLibrary()
    {
        await using var library = await TestLibrary.MakeAsync();
        for (int i = 1; i <= 150; i++) library.Put($"{i:000}.dcm", TestScans.Scan(i));
        await library.ImportAsync(library.At("in", "001.dcm"));
        File.WriteAllText(Path.Combine(Directory.CreateDirectory(Path.Combine(library.Data, "models", "m-1")).FullName, "weights.safetensors"), "weights");
        File.WriteAllText(Path.Combine(Directory.CreateDirectory(Path.Combine(library.Data, "recipes")).FullName, "ours.json"), "{}");
        var importing = Task.Run(() => library.ImportAsync(library.In), Cancel);
        var file = library.At("backup.zip");
        var made = await Backup.WriteAsync(library.Get<DataFolder>(), library.Get<AuditLog>(), file, "t", cancel: Cancel);
        await importing;

        var target = library.At("restored");
        var restored = await Backup.RestoreAsync(file, target, "t", Cancel);

        Assert.Equal((made.Files, made.Bytes), (restored.Files, restored.Bytes));
        Assert.False(Directory.Exists(Path.Combine(target, ".restoring")));
        Assert.Empty(Directory.GetFiles(library.At(), "*.part"));
        var folder = new DataFolder(target);
        var store = new FileBlobStore(folder);
        await using var db = new DomainSslContext(new DbContextOptionsBuilder<DomainSslContext>().UseSqlite($"Data Source={folder.Database};Pooling=False").Options);
        var named = await db.Instances.Select(i => i.BlobHash).ToListAsync(Cancel);
        Assert.NotEmpty(named);
        Assert.All(named, hash => Assert.True(store.IsWhole(hash)));
        Assert.Equal(library.Get<Secrets>().PseudonymKey, new Secrets(folder).PseudonymKey);
        Assert.Equal("weights", File.ReadAllText(Path.Combine(folder.Model("m-1"), "weights.safetensors")));
        Assert.Equal("{}", File.ReadAllText(Path.Combine(target, "recipes", "ours.json")));
        Assert.Equal("restored", (await db.Audit.OrderByDescending(a => a.Id).FirstAsync(Cancel)).Action);
        if (OperatingSystem.IsWindows()) return;
        const UnixFileMode Owner = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        Assert.Equal(Owner, File.GetUnixFileMode(file));
        Assert.Equal(Owner, File.GetUnixFileMode(folder.Database));
        foreach (var own in (string[])[target, .. Directory.GetDirectories(target)]) Assert.Equal(Owner | UnixFileMode.UserExecute, File.GetUnixFileMode(own));
    }

    [Fact]
    public async Task Restore_IntoAFolderWithSomethingInIt_IsRefused()
    {
        await using var library = await TestLibrary.MakeAsync();
        var file = library.At("b.zip");
        await Backup.WriteAsync(library.Get<DataFolder>(), library.Get<AuditLog>(), file, "t", cancel: Cancel);
        Assert.Equal("not-empty", (await Assert.ThrowsAsync<RefusedException>(() => Backup.RestoreAsync(file, library.Data, "t", Cancel))).Refusal.Code);
        Assert.Equal("exists", (await Assert.ThrowsAsync<RefusedException>(() => Backup.WriteAsync(library.Get<DataFolder>(), library.Get<AuditLog>(), file, "t", cancel: Cancel))).Refusal.Code);
    }

    [Fact]
    public async Task Restore_DamagedCutOrForeignFile_IsRefused_AndLeavesNothing()
    {
        await using var library = await TestLibrary.MakeAsync();
        library.Put("1.dcm", TestScans.Scan(1));
        await library.ImportAsync(library.In);
        var file = library.At("b.zip");
        await Backup.WriteAsync(library.Get<DataFolder>(), library.Get<AuditLog>(), file, "t", cancel: Cancel);
        var whole = File.ReadAllBytes(file);
        // One byte of the stored image, which lies uncompressed in the zip.
        await using var db = library.Open();
        var blob = library.Get<IBlobStore>().Read((await db.Instances.SingleAsync(Cancel)).BlobHash);
        int at = whole.AsSpan().IndexOf(blob);
        Assert.True(at > 0);
        var damaged = (byte[])whole.Clone();
        damaged[at + 1000] ^= 1;
        foreach (var (bytes, code) in new[] { (damaged, "backup-damaged"), (whole[..(whole.Length / 2)], "backup-damaged"), ("no zip"u8.ToArray(), "backup-damaged") })
        {
            File.WriteAllBytes(library.At("bad.zip"), bytes);
            Assert.Equal(code, (await Assert.ThrowsAsync<RefusedException>(() => Backup.RestoreAsync(library.At("bad.zip"), library.At("new"), "t", Cancel))).Refusal.Code);
            Assert.False(Directory.Exists(library.At("new")));
        }
    }

    [Fact]
    public async Task Doctor_FindsAMissingBlobAndATamperedLog()
    {
        await using var library = await TestLibrary.MakeAsync();
        library.Put("1.dcm", TestScans.Scan(1));
        await library.ImportAsync(library.In);
        var doctor = library.Get<Doctor>();
        string[] must = ["folder", "database", "audit", "keys", "blobs", "images"];
        Assert.All((await doctor.CheckAsync(everyBlob: true, Cancel)).Where(c => must.Contains(c.Name)), c => Assert.True(c.Ok, $"{c.Name}: {c.Message}"));

        await using var db = library.Open();
        File.Delete(Directory.GetFiles(library.At("data", "blobs"), (await db.Instances.SingleAsync(Cancel)).BlobHash, SearchOption.AllDirectories)[0]);
        await db.Database.ExecuteSqlRawAsync("""UPDATE "Audit" SET "Who" = 'nobody' WHERE "Id" = 1""", Cancel);
        var after = (await doctor.CheckAsync(cancel: Cancel)).ToDictionary(c => c.Name);
        Assert.False(after["blobs"].Ok);
        Assert.False(after["audit"].Ok);
        Assert.Contains("entry 1", after["audit"].Message, StringComparison.Ordinal);
    }
}
