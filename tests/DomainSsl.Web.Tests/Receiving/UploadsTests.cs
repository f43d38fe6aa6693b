using DomainSsl.Core.Database;
using DomainSsl.Testing;
using DomainSsl.Web.Receiving;
using Microsoft.AspNetCore.Builder;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace DomainSsl.Web.Tests.Receiving;

public sealed class UploadsTests
{
    [Fact]
    public async Task Upload_OverARestartOfTheSite_ImportsWhatCameBeforeItToo()
    {
        using var folder = new TemporaryFolder();
        var scans = Directory.EnumerateFiles(Path.Combine(SharedData.Project, "sample-data", "images"), "*.dcm").Order(StringComparer.Ordinal).Take(2).ToArray();
        var id = "";
        await using (var site = await StartAsync(folder))
        {
            var uploads = site.Services.GetRequiredService<Uploads>();
            id = uploads.Begin("admin");
            await SendAsync(uploads, id, 0, scans[0]);
        }
        await using (var site = await StartAsync(folder))
        {
            var uploads = site.Services.GetRequiredService<Uploads>();
            await UntilAsync(() => uploads.Status(id) is not null);
            Assert.Equal((UploadState.Receiving, 1), (uploads.Status(id)!.State, uploads.Status(id)!.Received));
            await SendAsync(uploads, id, 1, scans[1]);
            uploads.Start(id, "admin", "ours");
            uploads.Start(id, "admin", "ours"); // a page that heard no answer asks again
            await UntilAsync(() => uploads.Status(id)!.State is UploadState.Done or UploadState.Failed);
            var status = uploads.Status(id)!;
            Assert.Equal((UploadState.Done, 2, 0), (status.State, status.Progress!.Imported, status.Progress.Refused));
            Assert.Equal(scans.Select(Path.GetFileName), status.Latest.Select(f => f.File).Order(StringComparer.Ordinal));
            await UntilAsync(() => Directory.GetFiles(folder.At("incoming", id)).Select(Path.GetFileName).SequenceEqual(["upload.json"])); // what was dropped goes once it says that it is done
        }
    }

    [Fact]
    public async Task Upload_WhoseImportWasCutOff_GoesOnAsTheSameImport_AndAllOfItIsNew()
    {
        using var folder = new TemporaryFolder();
        var scans = Directory.EnumerateFiles(Path.Combine(SharedData.Project, "sample-data", "images"), "*.dcm").Order(StringComparer.Ordinal).Take(3).ToArray();
        string id = "", kept = "";
        await using (var site = await StartAsync(folder))
        {
            var uploads = site.Services.GetRequiredService<Uploads>();
            id = uploads.Begin("admin");
            for (var i = 0; i < scans.Length; i++) await SendAsync(uploads, id, i, scans[i]);
            // What a site that is killed after the first commit leaves of it on the disk.
            using var watching = uploads.Subscribe(id, () =>
            {
                if (uploads.Status(id)!.Progress is { Done: > 0 } && kept.Length == 0) kept = File.ReadAllText(folder.At("incoming", id, "upload.json"));
            });
            uploads.Start(id, "admin", null);
            await UntilAsync(() => uploads.Status(id)!.State is UploadState.Done or UploadState.Failed);
            await using var db = await Database(site).CreateDbContextAsync(TestContext.Current.CancellationToken);
            await db.ImportBatches.ExecuteUpdateAsync(b => b.SetProperty(x => x.EndedAt, (DateTime?)null), TestContext.Current.CancellationToken);
        }
        await File.WriteAllTextAsync(folder.At("incoming", id, "upload.json"), kept, TestContext.Current.CancellationToken);
        for (var i = 0; i < scans.Length; i++) File.Copy(scans[i], folder.At("incoming", id, $"{i}.part"));
        await using (var site = await StartAsync(folder))
        {
            var uploads = site.Services.GetRequiredService<Uploads>();
            await UntilAsync(() => uploads.Status(id)!.State is UploadState.Done or UploadState.Failed);
            var status = uploads.Status(id)!;
            Assert.Equal((UploadState.Done, 3, 0, 0), (status.State, status.Progress!.Imported, status.Progress.Duplicates, status.Progress.Refused));
            await using var db = await Database(site).CreateDbContextAsync(TestContext.Current.CancellationToken);
            var batch = await db.ImportBatches.SingleAsync(TestContext.Current.CancellationToken);
            Assert.Equal((status.BatchId!.Value, 3, 0), (batch.Id, batch.Imported, batch.Duplicates));
            Assert.NotNull(batch.EndedAt);
        }

        static IDbContextFactory<DomainSslContext> Database(WebApplication site) => site.Services.GetRequiredService<IDbContextFactory<DomainSslContext>>();
    }

    [Fact]
    public async Task Upload_ThatNobodyEnded_IsDeletedAfterDays_AndNothingOfAFailedOneStays()
    {
        using var folder = new TemporaryFolder();
        var scan = Directory.EnumerateFiles(Path.Combine(SharedData.Project, "sample-data", "images"), "*.dcm").Order(StringComparer.Ordinal).First();
        var (left, young) = ("", "");
        await using (var site = await StartAsync(folder))
        {
            var uploads = site.Services.GetRequiredService<Uploads>();
            (left, young) = (uploads.Begin("admin"), uploads.Begin("admin"));
            await SendAsync(uploads, left, 0, scan);
            await SendAsync(uploads, young, 0, scan);
            var failing = uploads.Begin("admin");
            await SendAsync(uploads, failing, 0, scan);
            uploads.Start(failing, "admin", new string('x', 5000)); // no collection can have such a name
            await UntilAsync(() => uploads.Status(failing)!.State is UploadState.Done or UploadState.Failed);
            Assert.Equal(UploadState.Failed, uploads.Status(failing)!.State);
            await UntilAsync(() => Directory.GetFiles(folder.At("incoming", failing)).Select(Path.GetFileName).SequenceEqual(["upload.json"]));
        }
        foreach (var file in Directory.GetFiles(folder.At("incoming", left))) File.SetLastWriteTimeUtc(file, DateTime.UtcNow.AddDays(-4));
        await using (var site = await StartAsync(folder))
        {
            var uploads = site.Services.GetRequiredService<Uploads>();
            Assert.Null(uploads.Status(left));
            Assert.False(Directory.Exists(folder.At("incoming", left)));
            Assert.Equal(1, uploads.Status(young)!.Received);
        }
    }

    private static async Task<WebApplication> StartAsync(TemporaryFolder folder)
    {
        var site = await SiteHost.BuildAsync(new SiteRequest(folder.Path, "http://127.0.0.1:0"), cancel: TestContext.Current.CancellationToken);
        await site.StartAsync(TestContext.Current.CancellationToken);
        return site;
    }

    private static async Task SendAsync(Uploads uploads, string id, int number, string path)
    {
        await using var body = File.OpenRead(path);
        Assert.Equal(body.Length, await uploads.ReceiveAsync(id, "admin", number, Path.GetFileName(path), 0, body, TestContext.Current.CancellationToken));
    }

    private static async Task UntilAsync(Func<bool> done)
    {
        for (var tries = 0; !done(); tries++)
        {
            Assert.True(tries < 300, "It did not come to be within 30 s.");
            await Task.Delay(100, TestContext.Current.CancellationToken);
        }
    }
}
