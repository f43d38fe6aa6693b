using System.Security.Cryptography;
using DomainSsl.Core;
using DomainSsl.Core.Database;
using DomainSsl.Core.Library;
using DomainSsl.Core.Runs;
using DomainSsl.Core.Storage;
using DomainSsl.Learning.Data;
using DomainSsl.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace DomainSsl.Worker.Tests;

/// <summary>Stored images that can no longer be read, because a disk has damaged them, say: the others are worked with meanwhile.</summary>
public sealed class ShardStoreTests
{
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(5);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Prepare_AnImageThatCannotBeRead_IsLeftOutAtEveryResolution_AndTakenBackOnceItCan()
    {
        using var folder = new TemporaryFolder();
        var data = folder.At("data");
        await Product.JsonAsync(data, Long, "import", SmallScans.Write(folder, 6), "--collection", "all");
        await using var services = new ServiceCollection().AddLogging().AddDomainSslCore(new DataFolder(data)).AddDomainSslWorker().BuildServiceProvider();
        var (shards, log) = (services.GetRequiredService<ShardStore>(), services.GetRequiredService<RunLog>());
        var items = await shards.ItemsAsync(null, null, ItemKind.Image, Cancel);
        IReadOnlyDictionary<int, PreparedShard> Prepare(string run, params int[] resolutions) => shards.Prepare(items, resolutions, new RunContext(new Run { Id = run, Title = run, Request = "", By = "anna" }, folder.Path, log, Cancel));
        void Holds(IReadOnlyDictionary<int, PreparedShard> prepared, IReadOnlyList<ShardItem> these)
        {
            foreach (var (resolution, (path, places)) in prepared)
            {
                using var shard = Shard.Open(path);
                Assert.Equal(resolution, shard.Width);
                Assert.Equal(these.Select(i => i.Hash), shard.ItemHashes);
                Assert.Equal(these.Select((i, place) => (i.Id, place)), places.Select(p => (p.Key, p.Value)).OrderBy(p => p.Value));
            }
        }
        Holds(Prepare("r-1", 32), items);

        var (bad, others) = (items[2], items.Where((_, i) => i != 2).ToList());
        var whole = Damage(data, bad.BlobHash);
        // The shard of 32 pixels has it still, that of 48 cannot; a place must be the same item's in both.
        Holds(Prepare("r-2", 32, 48), others);
        Assert.Single(await log.ReadAsync("r-2", cancel: Cancel), l => l.Contains($"Left out: the stored image {bad.BlobHash[..12]} can no longer be read.", StringComparison.Ordinal));
        Holds(Prepare("r-3", 48, 32), others);
        var said = await log.ReadAsync("r-3", cancel: Cancel);
        Assert.Single(said, l => l.Contains("Left out", StringComparison.Ordinal));
        Assert.DoesNotContain(said, l => l.Contains("Decoding", StringComparison.Ordinal)); // the shards are there

        await File.WriteAllBytesAsync(PathOf(data, bad.BlobHash), whole, Cancel);
        Holds(Prepare("r-4", 32, 48), items);

        foreach (var item in items) Damage(data, item.BlobHash);
        var refused = Assert.Throws<RefusedException>(() => Prepare("r-5", 24)).Refusal;
        Assert.Equal("item-unreadable", refused.Code);
        Assert.StartsWith("None of the 6 images can be read: ", refused.Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Runs_OverAnImageThatCannotBeRead_WorkWithTheOthers()
    {
        using var folder = new TemporaryFolder();
        var data = folder.At("data");
        var table = SmallScans.Write(folder, 64);
        await Product.JsonAsync(data, Long, "import", table, "--collection", "all");
        await using var services = new ServiceCollection().AddLogging().AddDomainSslCore(new DataFolder(data)).BuildServiceProvider();
        await using var db = await services.GetRequiredService<IDbContextFactory<DomainSslContext>>().CreateDbContextAsync(Cancel);
        async Task DamageAsync(params string[] file)
        {
            var source = Convert.ToHexStringLower(SHA256.HashData(await File.ReadAllBytesAsync(folder.At(file), Cancel)));
            Damage(data, await db.Instances.Where(i => i.SourceHash == source).Select(i => i.BlobHash).SingleAsync(Cancel));
        }
        await DamageAsync("scans", "005.dcm");

        var encoder = (await Product.JsonAsync(data, Long, ["pretrain", "all", .. KilledWorkerTests.Tiny, "--steps", "2"])).GetProperty("model").GetString()!;
        Assert.Equal(63, (await Product.JsonAsync(data, Long, "embed", encoder, "--collection", "all", "--out", folder.At("f.npy"))).GetProperty("items").GetInt32());
        Assert.Equal(64, (await File.ReadAllLinesAsync(folder.At("f.csv"), Cancel)).Length); // a row each, under their names
        var classifier = (await Product.JsonAsync(data, Long, "finetune", "--labels", table, "--encoder", encoder, "--mode", "probe", "--task", "Spot?")).GetProperty("model").GetString()!;
        var predicted = await Product.JsonAsync(data, Long, "predict", classifier, folder.At("scans"));
        Assert.Equal(63, predicted.GetProperty("predictions").GetArrayLength());
        Assert.Equal(folder.At("scans", "005.dcm"), Assert.Single(predicted.GetProperty("refused").EnumerateArray()).GetProperty("file").GetString());
        var others = SmallScans.Write(folder, 16, "others", seed: 2);
        await Product.JsonAsync(data, Long, "import", others);
        await DamageAsync("others", "003.dcm");
        await Product.JsonAsync(data, Long, "label-efficiency", "--train", table, "--test", others, "--encoder", encoder, "--budgets", "8", "--repeats", "1", "--modes", "probe");
        var measured = await Product.JsonAsync(data, Long, "evaluate", classifier, "--labels", others);
        Assert.Equal((15, 0), (measured.GetProperty("n").GetInt32(), measured.GetProperty("leftOut").GetInt32()));

        var runs = Directory.GetDirectories(Path.Combine(data, "runs"));
        Assert.Equal(6, runs.Length);
        foreach (var run in runs) Assert.Contains("Left out: the stored image", await File.ReadAllTextAsync(Path.Combine(run, "log.txt"), Cancel));
    }

    private static string PathOf(string data, string blob) => Assert.Single(Directory.GetFiles(Path.Combine(data, "blobs"), blob, SearchOption.AllDirectories));

    /// <summary>Cuts a stored file in the middle, and gives back what it was.</summary>
    private static byte[] Damage(string data, string blob)
    {
        var path = PathOf(data, blob);
        var whole = File.ReadAllBytes(path);
        File.SetAttributes(path, FileAttributes.Normal);
        File.WriteAllBytes(path, whole[..(whole.Length / 2)]);
        return whole;
    }
}
