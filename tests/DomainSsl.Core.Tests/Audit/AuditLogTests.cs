using DomainSsl.Core.Audit;
using Microsoft.EntityFrameworkCore;

namespace DomainSsl.Core.Tests.Audit;

public sealed class AuditLogTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("""UPDATE "Audit" SET "Details" = 'other' WHERE "Id" = 3""", 3)]
    [InlineData("""UPDATE "Audit" SET "At" = '2020-01-01 00:00:00' WHERE "Id" = 2""", 2)]
    [InlineData("""DELETE FROM "Audit" WHERE "Id" = 4""", 5)]
    [InlineData("""DELETE FROM "Audit" WHERE "Id" = 1""", 2)]
    public async Task FirstBroken_ChangedOrRemovedEntry_IsFound(string tampering, long broken)
    {
        await using var library = await TestLibrary.MakeAsync();
        var audit = library.Get<AuditLog>();
        for (int i = 1; i <= 6; i++) await audit.RecordAsync("anna", "viewed", $"study {i}", "details", Cancel);
        Assert.Null(await audit.FirstBrokenAsync(Cancel));
        await using var db = library.Open();
        await db.Database.ExecuteSqlRawAsync(tampering, Cancel);
        Assert.Equal(broken, await audit.FirstBrokenAsync(Cancel));
    }

    [Fact]
    public async Task Record_ByManyAtOnce_KeepsOneChain()
    {
        await using var library = await TestLibrary.MakeAsync();
        var audit = library.Get<AuditLog>();
        await Task.WhenAll(Enumerable.Range(0, 40).Select(i => Task.Run(() => audit.RecordAsync($"p{i % 4}", "viewed", $"study {i}", cancel: Cancel))));
        Assert.Null(await audit.FirstBrokenAsync(Cancel));
        var page = await library.Get<AuditQuery>().PageAsync(new AuditFilter(Who: "p1"), take: 5, cancel: Cancel);
        Assert.Equal((10, 5), (page.Total, page.Rows.Count));
        Assert.Equal(["p0", "p1", "p2", "p3"], await library.Get<AuditQuery>().PeopleAsync(Cancel));
    }
}
