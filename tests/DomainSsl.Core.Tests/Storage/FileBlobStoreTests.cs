using System.Security.Cryptography;
using System.Text;
using DomainSsl.Core.Storage;
using DomainSsl.Testing;

namespace DomainSsl.Core.Tests.Storage;

public sealed class FileBlobStoreTests
{
    [Fact]
    public void Put_Twice_StoresOnce_UnderTheHash()
    {
        using var folder = new TemporaryFolder();
        var store = new FileBlobStore(new DataFolder(folder.Path));
        var bytes = "a scan"u8.ToArray();
        var hash = store.Put(bytes);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(bytes)), hash);
        Assert.Equal((hash, hash), (store.Put(bytes), Draft(store, bytes)));
        store.Flush();
        Assert.Equal(bytes, store.Read(hash));
        Assert.Equal([hash], store.All());
        Assert.True(File.Exists(folder.At("blobs", hash[..2], hash[2..4], hash)));
        Assert.Empty(Directory.GetFiles(folder.At("blobs", "tmp")));
    }

    [Fact]
    public void Draft_WrittenBackAndForth_IsABlobOnceKept()
    {
        using var folder = new TemporaryFolder();
        var store = new FileBlobStore(new DataFolder(folder.Path));
        var bytes = RandomNumberGenerator.GetBytes(3_000_001);
        using var draft = store.Begin();
        draft.Stream.Write(new byte[100]);
        draft.Stream.Write(bytes.AsSpan(100));
        draft.Stream.Position = 0;
        draft.Stream.Write(bytes.AsSpan(0, 100));
        Assert.Empty(store.All());
        var hash = draft.Keep();
        Assert.Equal(bytes, store.Read(hash));
        Assert.True(store.IsWhole(hash));
    }

    [Fact]
    public void Draft_NotKept_LeavesNothing()
    {
        using var folder = new TemporaryFolder();
        var store = new FileBlobStore(new DataFolder(folder.Path));
        using (var draft = store.Begin()) draft.Stream.Write("half a scan"u8);
        Assert.Empty(store.All());
        Assert.Empty(Directory.GetFiles(folder.At("blobs", "tmp")));
    }

    private static string Draft(FileBlobStore store, byte[] bytes)
    {
        using var draft = store.Begin();
        draft.Stream.Write(bytes);
        return draft.Keep();
    }

    [Fact]
    public void IsWhole_ChangedOrMissing_IsFalse()
    {
        using var folder = new TemporaryFolder();
        var store = new FileBlobStore(new DataFolder(folder.Path));
        var hash = store.Put("a scan"u8);
        Assert.True(store.IsWhole(hash));
        File.AppendAllText(folder.At("blobs", hash[..2], hash[2..4], hash), "!");
        Assert.False(store.IsWhole(hash));
        Assert.False(store.IsWhole(new string('0', 64)));
        Assert.Equal("blob-missing", Assert.Throws<RefusedException>(() => store.Open(new string('0', 64))).Refusal.Code);
        Assert.Throws<ArgumentException>(() => store.Open("../../etc/passwd"));
    }

    [Fact]
    public void Open_RemovesTemporariesThatAKillLeft_ButNotFreshOnes()
    {
        using var folder = new TemporaryFolder();
        var data = new DataFolder(folder.Path);
        _ = new FileBlobStore(data);
        var (old, fresh) = (folder.At("blobs", "tmp", "old"), folder.At("blobs", "tmp", "fresh"));
        File.WriteAllText(old, "x");
        File.WriteAllText(fresh, "x");
        File.SetLastWriteTimeUtc(old, DateTime.UtcNow.AddDays(-1));
        var store = new FileBlobStore(data);
        Assert.False(File.Exists(old));
        Assert.True(File.Exists(fresh));
        Assert.Empty(store.All());
    }

    [Fact]
    public async Task Sweep_RemovesOldOrphansOnly()
    {
        await using var library = await TestLibrary.MakeAsync();
        library.Put("1.dcm", TestScans.Scan(1));
        library.Put("2.wav", TestScans.Sound(2));
        await library.ImportAsync(library.In);
        var blobs = library.Get<IBlobStore>();
        int named = blobs.All().Count();
        var (old, again, fresh) = (blobs.Put("old"u8), blobs.Put("again"u8), blobs.Put("fresh"u8));
        foreach (var file in Directory.GetFiles(library.At("data", "blobs"), "*", SearchOption.AllDirectories))
            if (Path.GetFileName(file) != fresh) File.SetLastWriteTimeUtc(file, DateTime.UtcNow.AddDays(-3));
        blobs.Put("again"u8); // an import met it anew: its row may be on the way

        var (files, bytes) = await library.Get<OrphanSweep>().SweepAsync(TestContext.Current.CancellationToken);

        Assert.Equal((1, Encoding.UTF8.GetByteCount("old")), (files, (int)bytes));
        Assert.False(blobs.Contains(old));
        Assert.True(blobs.Contains(again) && blobs.Contains(fresh));
        Assert.Equal(named + 2, blobs.All().Count());
        await library.AssertWholeAsync();
    }

    [Fact]
    public void Secrets_AreMadeOnce_OwnersAlone_AlsoWhenManyAskAtOnce()
    {
        using var folder = new TemporaryFolder();
        var data = new DataFolder(folder.Path);
        var keys = new byte[8][];
        for (var round = 0; round < 50; round++)
        {
            foreach (var made in Directory.GetFiles(data.Keys)) File.Delete(made);
            using var all = new Barrier(keys.Length);
            var threads = Enumerable.Range(0, keys.Length).Select(i => new Thread(() =>
            {
                all.SignalAndWait();
                keys[i] = new Secrets(data).PseudonymKey;
            })).ToList();
            threads.ForEach(t => t.Start());
            threads.ForEach(t => t.Join());
            Assert.All(keys, k => Assert.Equal(keys[0], k));
        }
        Assert.Equal(32, keys[0].Length);
        var file = Assert.Single(Directory.GetFiles(data.Keys));
        if (!OperatingSystem.IsWindows()) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        File.WriteAllBytes(file, new byte[5]);
        Assert.Equal("key-damaged", Assert.Throws<RefusedException>(() => new Secrets(data).PseudonymKey).Refusal.Code);
    }
}
