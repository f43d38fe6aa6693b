using DomainSsl.Learning.Data;
using DomainSsl.Testing;
using static TorchSharp.torch;

namespace DomainSsl.Learning.Tests.Data;

public sealed class ShardTests
{
    [Fact]
    public void Batch_OfWrittenPlanes_HasTheirValuesInOrder()
    {
        using var folder = new TemporaryFolder();
        using (var writer = ShardWriter.Create(folder.At("s.shard"), 3, 1, 2, 4))
        {
            for (var i = 2; i >= 0; i--) writer.Write(i, Plane(i));
            Assert.False(File.Exists(folder.At("s.shard")));
            writer.Finish(["a", "b", "c"]);
        }
        using var shard = Shard.Open(folder.At("s.shard"));
        using var scope = NewDisposeScope();
        var batch = shard.Batch([2, 0, 2], CPU);
        Assert.Equal([3, 1, 2, 4], batch.shape);
        Assert.Equal([(3, 1, 2, 4)], new[] { (shard.Count, shard.Channels, shard.Height, shard.Width) });
        Assert.Equal(["a", "b", "c"], shard.ItemHashes);
        var values = batch.data<float>().ToArray();
        for (var i = 0; i < 24; i++) Assert.Equal(Plane(new[] { 2, 0, 2 }[i / 8])[i % 8] / 65535f, values[i], 1e-7f);
        Assert.Equal(1f, values.Max());
        Assert.Throws<ArgumentOutOfRangeException>(() => shard.Batch([3], CPU));
    }

    [Fact]
    public void Finish_WithItemsLeftOut_HasTheOthersInOrder()
    {
        using var folder = new TemporaryFolder();
        using (var writer = ShardWriter.Create(folder.At("s.shard"), 5, 1, 2, 4))
        {
            foreach (var i in (int[])[0, 2, 3]) writer.Write(i, Plane(i));
            Assert.Throws<InvalidOperationException>(() => writer.Finish(["a", "b", "c", "d", "e"], new HashSet<int> { 1 }));
            writer.Finish(["a", "b", "c", "d", "e"], new HashSet<int> { 1, 4 });
        }
        using var shard = Shard.Open(folder.At("s.shard"));
        Assert.Equal(["a", "c", "d"], shard.ItemHashes);
        foreach (var (i, place) in ((int[])[0, 2, 3]).Select((i, place) => (i, place))) Assert.Equal(Plane(i), shard.Item(place).ToArray());
    }

    [Fact]
    public void Writer_LeftBeforeItsEnd_LeavesNothing()
    {
        using var folder = new TemporaryFolder();
        using (var writer = ShardWriter.Create(folder.At("s.shard"), 2, 1, 2, 4))
        {
            writer.Write(0, Plane(0));
            Assert.Throws<InvalidOperationException>(() => writer.Finish(["a", "b"]));
        }
        Assert.Empty(Directory.GetFiles(folder.Path));
    }

    [Fact]
    public void Open_CutShortAnywhere_IsRefusedWithASentence()
    {
        using var folder = new TemporaryFolder();
        using (var writer = ShardWriter.Create(folder.At("s.shard"), 1, 1, 2, 4))
        {
            writer.Write(0, Plane(1));
            writer.Finish(["a"]);
        }
        var whole = File.ReadAllBytes(folder.At("s.shard"));
        for (var n = 0; n < whole.Length; n++)
        {
            File.WriteAllBytes(folder.At("cut"), whole[..n]);
            Assert.Contains("damaged", Assert.Throws<LearningException>(() => Shard.Open(folder.At("cut"))).Message);
        }
        Assert.Contains("not there", Assert.Throws<LearningException>(() => Shard.Open(folder.At("none"))).Message);
    }

    private static ushort[] Plane(int seed) => [.. Enumerable.Range(0, 8).Select(i => (ushort)(i == 7 ? 65535 : seed * 1000 + i * 77))];
}
