using System.Collections.Concurrent;
using DomainSsl.Core.Runs;

namespace DomainSsl.Core.Tests.Runs;

public sealed class RunFeedTests
{
    [Fact]
    public async Task Subscribe_TellsTheStateAtOnce_ThenEachChange_AndNothingAfterDispose()
    {
        await using var f = await QueueFixture.CreateAsync();
        var id = await f.EnqueueAsync();
        var seen = new ConcurrentQueue<RunUpdate>();
        var subscription = f.Service<RunFeed>().Subscribe(id, seen.Enqueue);
        await UntilAsync(() => seen.Count == 1);
        Assert.Equal(RunState.Queued, seen.Last().Run.State);
        var lease = (await f.Queue.ClaimAsync())!;
        await f.Queue.ReportAsync(lease, new RunReport(0.25, "step 1 of 4"));
        await UntilAsync(() => seen.Last().Run.Stage == "step 1 of 4");
        Directory.CreateDirectory(f.Folder.Run(id));
        await File.WriteAllTextAsync(Path.Combine(f.Folder.Run(id), "metrics.jsonl"), "{\"step\":1,\"loss\":2.5}\n", TestContext.Current.CancellationToken);
        await UntilAsync(() => seen.Last().MetricsBytes > 0);
        int before = seen.Count;
        await Task.Delay(1200, TestContext.Current.CancellationToken);
        Assert.Equal(before, seen.Count); // nothing changed, nobody was woken
        subscription.Dispose();
        await f.Queue.ReportAsync(lease, new RunReport(0.5, "step 2 of 4"));
        await Task.Delay(1200, TestContext.Current.CancellationToken);
        Assert.Equal(before, seen.Count);
    }

    [Fact]
    public async Task Metrics_GivesWholeLinesFromWhereOneLeftOff_AndAnewWhenTheFileWasShortened()
    {
        await using var f = await QueueFixture.CreateAsync();
        var feed = f.Service<RunFeed>();
        Assert.Empty((await feed.MetricsAsync("r-1", 0, TestContext.Current.CancellationToken)).Points);
        Directory.CreateDirectory(f.Folder.Run("r-1"));
        var path = Path.Combine(f.Folder.Run("r-1"), "metrics.jsonl");
        await File.WriteAllTextAsync(path, "{\"step\":10,\"loss\":3.5}\n{\"step\":20,\"loss\":3.0,\"rate\":0.1}\n{\"step\":30,\"lo", TestContext.Current.CancellationToken);
        var page = await feed.MetricsAsync("r-1", 0, TestContext.Current.CancellationToken);
        Assert.Equal([10, 20], page.Points.Select(p => p.Step));
        Assert.Equal(0.1, page.Points[1].Values["rate"]);
        await File.AppendAllTextAsync(path, "ss\":2.5}\n", TestContext.Current.CancellationToken);
        var next = await feed.MetricsAsync("r-1", page.NextLine, TestContext.Current.CancellationToken);
        Assert.Equal((2, 3, 30), (next.FromLine, next.NextLine, Assert.Single(next.Points).Step));
        await File.WriteAllTextAsync(path, "{\"step\":10,\"loss\":3.5}\n", TestContext.Current.CancellationToken);
        var anew = await feed.MetricsAsync("r-1", next.NextLine, TestContext.Current.CancellationToken);
        Assert.Equal((0, 1), (anew.FromLine, anew.NextLine));
        Assert.Single(anew.Points);
    }

    [Fact]
    public async Task Log_ReadsBackTheLastLines()
    {
        await using var f = await QueueFixture.CreateAsync();
        var log = f.Service<RunLog>();
        for (var i = 0; i < 5; i++) log.Write("r-1", $"line {i}");
        var lines = await log.ReadAsync("r-1", 2, TestContext.Current.CancellationToken);
        Assert.Equal(["2026-03-01 08:00:00  line 3", "2026-03-01 08:00:00  line 4"], lines);
    }

    [Fact]
    public void InstanceLock_IsHeldByOneAtATime_AndFreeAfterwards()
    {
        using var folder = new DomainSsl.Testing.TemporaryFolder();
        var path = folder.At("worker.lock");
        Assert.False(InstanceLock.IsHeld(path));
        using (var mine = InstanceLock.TryTake(path))
        {
            Assert.NotNull(mine);
            Assert.True(InstanceLock.IsHeld(path));
            Assert.Null(InstanceLock.TryTake(path, TimeSpan.FromMilliseconds(50)));
        }
        Assert.False(InstanceLock.IsHeld(path));
        using var again = InstanceLock.TryTake(path);
        Assert.NotNull(again);
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        for (var i = 0; i < 200 && !condition(); i++) await Task.Delay(50, TestContext.Current.CancellationToken);
        Assert.True(condition());
    }
}
