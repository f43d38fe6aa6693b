using DomainSsl.Core.Storage;
using DomainSsl.Testing;

namespace DomainSsl.Core.Tests.Storage;

public sealed class WholeFileTests
{
    [Fact]
    public async Task WriteText_WhereAFileIs_ReplacesIt()
    {
        using var folder = new TemporaryFolder();
        WholeFile.WriteText(folder.At("result.json"), "a longer old text");
        await WholeFile.WriteTextAsync(folder.At("result.json"), "größer", TestContext.Current.CancellationToken);
        Assert.Equal("größer"u8.ToArray(), File.ReadAllBytes(folder.At("result.json")));
        Assert.Single(Directory.GetFiles(folder.Path));
    }

    [Fact]
    public void Write_FailsHalfway_LeavesTheOldFileAndNothingElse()
    {
        using var folder = new TemporaryFolder();
        WholeFile.WriteText(folder.At("result.json"), "old");
        Assert.Throws<InvalidDataException>(() => WholeFile.Write(folder.At("result.json"), file =>
        {
            file.Write("half of the n"u8);
            throw new InvalidDataException();
        }));
        Assert.Equal("old", File.ReadAllText(folder.At("result.json")));
        Assert.Single(Directory.GetFiles(folder.Path));
    }

    [Fact]
    public async Task WriteText_Cancelled_ChangesNothing()
    {
        using var folder = new TemporaryFolder();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => WholeFile.WriteTextAsync(folder.At("result.json"), "new", new CancellationToken(canceled: true)));
        Assert.Empty(Directory.GetFiles(folder.Path));
    }
}
