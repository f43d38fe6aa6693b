using DomainSsl.Learning.Data;
using DomainSsl.Testing;

namespace DomainSsl.Learning.Tests.Data;

public sealed class SoundShardTests
{
    [Fact]
    public void Piece_ReadBack_IsWhatWasWritten()
    {
        using var folder = new TemporaryFolder();
        using (var writer = new SoundShardWriter(folder.At("s.shard")))
        {
            writer.Add("aa", [0, 0.5f, -0.5f, 1]);
            writer.Add("bb", [2, -2]);
            writer.Finish();
        }
        using var shard = SoundShard.Open(folder.At("s.shard"));
        Assert.Equal([4, 2], shard.Lengths);
        Assert.Equal(["aa", "bb"], shard.ItemHashes);
        Assert.Equal([0, 16384, -16384, 32767], shard.Piece(0).ToArray());
        Assert.Equal([32767, -32767], shard.Piece(1).ToArray()); // beyond full scale is clipped
        Assert.Equal(6 / 16_000.0, shard.Seconds, 1e-12);
        Assert.Throws<ArgumentOutOfRangeException>(() => shard.Piece(2).Length);
    }

    [Fact]
    public void Writer_NotFinished_LeavesNothing()
    {
        using var folder = new TemporaryFolder();
        using (var writer = new SoundShardWriter(folder.At("s.shard"))) writer.Add("aa", [0.1f]);
        Assert.Empty(Directory.GetFiles(folder.Path));
    }

    [Fact]
    public void Open_CutAnywhereOrOfTheOtherKind_IsDamaged()
    {
        using var folder = new TemporaryFolder();
        using (var writer = new SoundShardWriter(folder.At("s.shard")))
        {
            writer.Add("aa", new float[50]);
            writer.Finish();
        }
        var bytes = File.ReadAllBytes(folder.At("s.shard"));
        for (var length = 0; length < bytes.Length; length += 7)
        {
            File.WriteAllBytes(folder.At("cut"), bytes[..length]);
            Assert.Contains("damaged", Assert.Throws<LearningException>(() => SoundShard.Open(folder.At("cut"))).Message);
        }
        using (var images = ShardWriter.Create(folder.At("images"), 1, 1, 2, 2))
        {
            images.Write(0, [1, 2, 3, 4]);
            images.Finish(["aa"]);
        }
        Assert.Contains("shard of sound", Assert.Throws<LearningException>(() => SoundShard.Open(folder.At("images"))).Message);
    }
}
