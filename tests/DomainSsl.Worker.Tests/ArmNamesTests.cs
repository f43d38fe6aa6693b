using DomainSsl.Core.Database;
using DomainSsl.Core.Runs;
using DomainSsl.Core.Storage;
using Microsoft.EntityFrameworkCore;

namespace DomainSsl.Worker.Tests;

public sealed class ArmNamesTests
{
    [Fact]
    public void In_IdsThatAreInOtherIds_OrInNames_AreEachReplacedOnce()
    {
        var names = new Dictionary<string, string> { ["public"] = "public", ["public@224"] = "public at 224 pixels", ["m-1"] = "m-12 continued", ["m-12"] = "chest" };
        Assert.Equal("m-12 continued is better than public at 224 pixels, chest no better than public.", ArmNames.In("m-1 is better than public@224, m-12 no better than public.", names));
        Assert.Equal("as it was", ArmNames.In("as it was", new Dictionary<string, string>()));
    }

    /// <summary>What the row of a comparison holds, by which its page is shown.</summary>
    internal static async Task<Worth> WorthOfAsync(string data, string run)
    {
        var options = (DbContextOptions<DomainSslContext>)new DbContextOptionsBuilder<DomainSslContext>().UseDomainSslDatabase(new DataFolder(data).Database).Options;
        await using var db = new DomainSslContext(options);
        return Worth.Of((await db.Runs.AsNoTracking().SingleAsync(r => r.Id == run, TestContext.Current.CancellationToken)).Summary)!;
    }
}
