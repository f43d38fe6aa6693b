using DomainSsl.Core.Collections;
using DomainSsl.Core.Library;
using Microsoft.EntityFrameworkCore;

namespace DomainSsl.Core.Tests.Collections;

public sealed class CollectionServiceTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Freeze_SameItemsInOtherOrderAndInstallation_GiveTheSameHashPerKey()
    {
        await using var library = await TestLibrary.MakeAsync();
        for (int i = 1; i <= 6; i++) library.Put($"{i}.dcm", TestScans.Scan(i, $"P{i}"));
        await library.ImportAsync(library.In, "imported");
        var service = library.Get<CollectionService>();
        await using var db = library.Open();
        var ids = await db.Items.Select(i => i.Id).ToListAsync(Cancel);
        await service.CreateAsync("selected", [.. ids.AsEnumerable().Reverse(), ids[0]], "t", Cancel);
        await service.CreateAsync("fewer", ids[1..], "t", Cancel);

        var (a, b, c) = (await service.FreezeAsync("imported", "t", Cancel), await service.FreezeAsync("selected", "t", Cancel), await service.FreezeAsync("fewer", "t", Cancel));
        Assert.Matches("^[0-9a-f]{64}$", a.Hash);
        Assert.Equal(a.Hash, b.Hash);
        Assert.NotEqual(a.Hash, c.Hash);
        Assert.Equal((6, 6, 5), (b.Items, b.Patients, c.Items));
        Assert.Equal(a.FrozenAt, (await service.FreezeAsync("imported", "t", Cancel)).FrozenAt);
    }

    [Fact]
    public async Task Create_FromFilter_TakesWhatFits()
    {
        await using var library = await TestLibrary.MakeAsync();
        library.Put("1.dcm", TestScans.Scan(1));
        library.Put("2.dcm", TestScans.Scan(2, study: 2, change: d => d.SetString(DomainSsl.Dicom.DicomTags.Modality, "DX")));
        library.Put("3.wav", TestScans.Sound(3));
        await library.ImportAsync(library.In, "first");
        var service = library.Get<CollectionService>();
        Assert.Equal(1, (await service.CreateAsync("dx", LibraryFilter.Parse("modality:dx"), "t", Cancel)).Items);
        Assert.Equal(2, (await service.CreateAsync("images", LibraryFilter.Parse("kind:image"), "t", Cancel)).Items);
        Assert.Equal(1, (await service.CreateAsync("sounds", LibraryFilter.Parse("kind:sound in:first"), "t", Cancel)).Items);
        Assert.Equal(2, (await service.CreateAsync("chests", LibraryFilter.Parse("chest"), "t", Cancel)).Items);
        Assert.Equal("name-taken", (await Assert.ThrowsAsync<RefusedException>(() => service.CreateAsync("dx", LibraryFilter.All, "t", Cancel))).Refusal.Code);
        Assert.Equal("empty-collection", (await Assert.ThrowsAsync<RefusedException>(() => service.CreateAsync("mr", LibraryFilter.Parse("modality:MR"), "t", Cancel))).Refusal.Code);
        Assert.Equal("no-collection", (await Assert.ThrowsAsync<RefusedException>(() => service.CreateAsync("x", LibraryFilter.Parse("in:nowhere"), "t", Cancel))).Refusal.Code);
    }

    [Fact]
    public async Task Delete_UsedByATask_IsRefused_UnusedGoes_ItemsStay()
    {
        await using var library = await TestLibrary.MakeAsync();
        library.Put("1.dcm", TestScans.Scan(1));
        await library.ImportAsync(library.In, "used");
        await library.ImportAsync(library.In, "unused");
        var service = library.Get<CollectionService>();
        await using var db = library.Open();
        db.Tasks.Add(new DomainSsl.Core.Tasks.LabelTask { Name = "t", Question = "q", CollectionId = (await service.FindAsync("used", Cancel)).Id, By = "t" });
        await db.SaveChangesAsync(Cancel);
        Assert.Equal("collection-used", (await Assert.ThrowsAsync<RefusedException>(() => service.DeleteAsync("used", "t", Cancel))).Refusal.Code);
        await service.DeleteAsync("unused", "t", Cancel);
        Assert.Equal(["used"], (await service.ListAsync(Cancel)).Select(c => c.Name));
        Assert.Equal(1, await db.Items.CountAsync(Cancel));
    }

    [Fact]
    public async Task FrozenForRun_FreezesOnce_AndRefusesAnEmptyOne()
    {
        await using var library = await TestLibrary.MakeAsync();
        library.Put("1.dcm", TestScans.Scan(1));
        await library.ImportAsync(library.In, "7"); // a name that is a number must not be taken for an id
        var service = library.Get<CollectionService>();
        var collection = await service.FindAsync("7", Cancel);
        var frozen = await service.FrozenForRunAsync(collection.Id, "t", Cancel);
        Assert.NotNull(frozen.Hash);
        Assert.Equal(frozen.FrozenAt, (await service.FrozenForRunAsync(collection.Id, "t", Cancel)).FrozenAt);
        await library.ImportAsync(library.Put("bad.dcm", [1]), "empty");
        var empty = await service.FindAsync("empty", Cancel);
        Assert.Equal("empty-collection", (await Assert.ThrowsAsync<RefusedException>(() => service.FrozenForRunAsync(empty.Id, "t", Cancel))).Refusal.Code);
    }
}
