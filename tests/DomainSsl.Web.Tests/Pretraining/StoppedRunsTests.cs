using DomainSsl.Core.Database;
using DomainSsl.Core.People;
using DomainSsl.Core.Runs;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace DomainSsl.Web.Tests.Pretraining;

public sealed class StoppedRunsTests(TestSite site) : IClassFixture<TestSite>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Home_RunsOfAnyKindFailed_LeadsToAListThatHasEachWithItsReason()
    {
        await using (var db = await site.App.Services.GetRequiredService<IDbContextFactory<DomainSslContext>>().CreateDbContextAsync(Cancel))
        {
            foreach (var kind in Enum.GetValues<RunKind>()) db.Runs.Add(Ended($"r-failed-{kind}", kind, RunState.Failed, 1, $"{kind} has no memory."));
            db.Runs.Add(Ended("r-cancelled", RunKind.Predict, RunState.Cancelled, 20, null));
            db.Runs.Add(Ended("r-long-ago", RunKind.Predict, RunState.Failed, 40, "Long ago."));
            db.Runs.Add(Ended("r-done", RunKind.Predict, RunState.Done, 1, null));
            await db.SaveChangesAsync(Cancel);
        }
        using var admin = await site.SignInAsync(Roles.Admin);
        Assert.Contains(Paths.StoppedRuns, await admin.Client.GetStringAsync(Paths.Home, Cancel));
        var list = await admin.Client.GetStringAsync(Paths.StoppedRuns, Cancel);
        var stopped = list[list.IndexOf("id=\"stopped\"", StringComparison.Ordinal)..];
        foreach (var kind in Enum.GetValues<RunKind>())
        {
            Assert.Contains(Paths.Run($"r-failed-{kind}"), stopped);
            Assert.Contains($"{kind} has no memory.", stopped);
            Assert.DoesNotContain($">{kind}<", stopped); // in words, not by its name in the program
        }
        Assert.Contains(Paths.Run("r-cancelled"), stopped);
        Assert.DoesNotContain("r-long-ago", stopped);
        Assert.DoesNotContain("r-done", stopped);
    }

    private static Run Ended(string id, RunKind kind, RunState state, int daysAgo, string? error) => new()
    {
        Id = id, Kind = kind, Title = id, Request = "{}", State = state, By = "anna", Error = error,
        QueuedAt = DateTime.UtcNow.AddDays(-daysAgo), EndedAt = DateTime.UtcNow.AddDays(-daysAgo),
    };
}
