using DomainSsl.Core.Audit;
using DomainSsl.Core.Database;
using DomainSsl.Core.Importing;
using DomainSsl.Core.People;
using DomainSsl.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace DomainSsl.Web.Tests;

/// <summary>Who saw an image, heard a sound or took a file stands in the audit log.</summary>
public sealed class SeenTests(TestSite site) : IClassFixture<TestSite>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Media_FetchedByTwoPeople_IsOneEntryAPersonAndThing_AndNoneAgainWithinTheHour()
    {
        var sample = Path.Combine(SharedData.Project, "sample-data");
        string[] files = [FirstOf(Path.Combine(sample, "images"), "*.dcm"), FirstOf(Path.Combine(sample, "recordings"), "*.wav")];
        await Get<LibraryImport>().ImportAsync(files, new ImportRequest("cli:test", null), cancel: Cancel);
        await using var db = await Get<IDbContextFactory<DomainSslContext>>().CreateDbContextAsync(Cancel);
        var image = await db.Items.Where(i => i.InstanceId != null).FirstAsync(Cancel);
        var sound = await db.Items.Where(i => i.RecordingId != null).FirstAsync(Cancel);
        string[] things = [$"instance {image.InstanceId}", $"item {image.Id}", $"recording {sound.RecordingId}"];

        for (int again = 0; again < 2; again++)
        {
            foreach (var role in (string[])[Roles.Admin, Roles.Clinician])
            {
                using var visitor = await site.SignInAsync(role);
                foreach (var path in (string[])[$"/api/items/{image.Id}/pixels", Paths.ItemImage(image.Id, 1024), $"/api/instances/{image.InstanceId}/file", $"/api/recordings/{sound.RecordingId}/audio", $"/api/items/{sound.Id}/audio"])
                    (await visitor.GetAsync(path)).EnsureSuccessStatusCode();
            }
            await Get<SeenLog>().FlushAsync();
            Assert.Equal(things, (await SeenByAsync("admin")).Order(StringComparer.Ordinal));
            Assert.Equal(things, (await SeenByAsync("clinician")).Order(StringComparer.Ordinal));
        }

        // What a list shows, and what is not there, nobody has seen.
        using (var reviewer = await site.SignInAsync(Roles.Reviewer))
        {
            (await reviewer.GetAsync(Paths.ItemImage(image.Id, 160))).EnsureSuccessStatusCode();
            await reviewer.GetAsync("/api/items/999999/pixels");
            await reviewer.GetAsync($"/api/instances/{image.InstanceId}/file"); // not a reviewer's
        }
        await Get<SeenLog>().FlushAsync();
        Assert.Empty(await SeenByAsync("reviewer"));
        Assert.Null(await Get<AuditLog>().FirstBrokenAsync(Cancel));
    }

    [Fact]
    public async Task Saw_AfterAnHour_IsAnEntryAgain_WithTheTimeAtWhichItWasSeen()
    {
        var clock = new FakeTimeProvider(new DateTimeOffset(2026, 1, 2, 3, 0, 0, TimeSpan.Zero));
        using var seen = new SeenLog(Get<AuditLog>(), clock, NullLogger<SeenLog>.Instance);
        seen.Saw("anna", "item 1");
        clock.Advance(TimeSpan.FromMinutes(59));
        seen.Saw("anna", "item 1");
        seen.Saw("anna", "item 2");
        clock.Advance(TimeSpan.FromMinutes(2));
        seen.Saw("anna", "item 1");
        await Task.WhenAll(seen.FlushAsync(), seen.FlushAsync());
        var page = await Get<AuditQuery>().PageAsync(new AuditFilter("anna", "saw"), cancel: Cancel);
        Assert.Equal([("item 1", 61), ("item 2", 59), ("item 1", 0)], page.Rows.Select(e => (e.Subject, (int)(e.At - new DateTime(2026, 1, 2, 3, 0, 0)).TotalMinutes)));
        Assert.Null(await Get<AuditLog>().FirstBrokenAsync(Cancel));
    }

    [Fact]
    public async Task Stop_WithEntriesThatWait_WritesThem()
    {
        var clock = new FakeTimeProvider();
        using var seen = new SeenLog(Get<AuditLog>(), clock, NullLogger<SeenLog>.Instance);
        await seen.StartAsync(Cancel);
        seen.Saw("berta", "item 1");
        await seen.StopAsync(Cancel);
        Assert.Equal(["item 1"], await SeenByAsync("berta"));
    }

    private T Get<T>() where T : notnull => site.App.Services.GetRequiredService<T>();

    private async Task<string[]> SeenByAsync(string who) => [.. (await Get<AuditQuery>().PageAsync(new AuditFilter(who, "saw"), cancel: Cancel)).Rows.Select(e => e.Subject)];

    private static string FirstOf(string folder, string pattern) => Directory.EnumerateFiles(folder, pattern).Order(StringComparer.Ordinal).First();
}
