using DomainSsl.Testing;
using DomainSsl.Web.Receiving;
using Microsoft.AspNetCore.Builder;
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
