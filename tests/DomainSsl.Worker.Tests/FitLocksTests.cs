using DomainSsl.Core.Runs;
using DomainSsl.Core.Storage;
using DomainSsl.Testing;

namespace DomainSsl.Worker.Tests;

public sealed class FitLocksTests
{
    [Fact]
    public async Task TakeAsync_FitsThatAnotherHas_WaitsUntilTheyAreFree_AndSaysSo()
    {
        using var folder = new TemporaryFolder();
        var data = new DataFolder(folder.At("data"));
        var log = new RunLog(data, TimeProvider.System);
        RunContext Context(CancellationToken stop) => new(new Run { Id = "r-1", Title = "a run", By = "test", Request = "{}" }, data.Run("r-1"), log, stop);
        var first = await FitLocks.TakeAsync(data, ["ours", "scratch"], Context(TestContext.Current.CancellationToken));
        using (await FitLocks.TakeAsync(data, ["another"], Context(TestContext.Current.CancellationToken))) { } // nothing in common: no waiting
        Assert.Empty(await log.ReadAsync("r-1", cancel: TestContext.Current.CancellationToken));

        using var stop = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => FitLocks.TakeAsync(data, ["scratch", "other"], Context(stop.Token)));
        Assert.Contains("Another process is at the same fits", Assert.Single(await log.ReadAsync("r-1", cancel: TestContext.Current.CancellationToken)));

        var second = FitLocks.TakeAsync(data, ["scratch", "other"], Context(TestContext.Current.CancellationToken));
        first.Dispose();
        (await second).Dispose();
    }
}
