using System.Diagnostics;
using DomainSsl.Core.Audit;
using DomainSsl.Core.Runs;
using Microsoft.EntityFrameworkCore;

namespace DomainSsl.Core.Tests.Runs;

public sealed class RunQueueTests
{
    [Fact]
    public async Task Enqueue_Request_ComesBackAsItWas_AndIsInTheAuditLog()
    {
        await using var f = await QueueFixture.CreateAsync();
        var request = new FineTuneRequest(3, [new(1, "ill", "P-1"), new(2, "well", "P-2")], ["well", "ill"], "public", "best", true, ["P-2"], "My model", 7, false);
        var id = await f.Queue.EnqueueAsync(request, "A classifier", "cli:test", 3);
        var run = await f.RunAsync(id);
        Assert.Equal((RunKind.FineTune, RunState.Queued, "cli:test", 3), (run.Kind, run.State, run.By, run.TaskId));
        var back = Assert.IsType<FineTuneRequest>(RunRequestJson.Read(run));
        Assert.Equivalent(request, back, strict: true);
        await using var db = f.Open();
        Assert.Equal($"run {id}", (await db.Audit.SingleAsync(a => a.Action == "asked for")).Subject);
        Assert.Null(await f.Service<AuditLog>().FirstBrokenAsync());
    }

    [Fact]
    public async Task Claim_ByManyAtOnce_IsWonByOne()
    {
        await using var f = await QueueFixture.CreateAsync();
        for (var round = 0; round < 5; round++)
        {
            await f.EnqueueAsync();
            var leases = await Task.WhenAll(Enumerable.Range(0, 12).Select(n => Task.Run(() => f.QueueOf($"elsewhere.1/{n}/1").ClaimAsync())));
            Assert.Single(leases, l => l is not null);
        }
    }

    [Fact]
    public async Task Claim_SeveralWaiting_TakesThemInTheOrderTheyWereAskedFor()
    {
        await using var f = await QueueFixture.CreateAsync();
        var asked = new List<string>();
        for (var i = 0; i < 3; i++)
        {
            asked.Add(await f.EnqueueAsync());
            f.Clock.Turn(TimeSpan.FromSeconds(1));
        }
        var claimed = new List<string>();
        for (var i = 0; i < 3; i++) claimed.Add((await f.Queue.ClaimAsync())!.RunId);
        Assert.Equal(asked, claimed);
        Assert.Null(await f.Queue.ClaimAsync());
    }

    [Fact]
    public async Task Lease_Renewed_IsNotTakenByAnother()
    {
        await using var f = await QueueFixture.CreateAsync();
        await f.EnqueueAsync();
        var other = f.QueueOf("elsewhere.1/1/1");
        var lease = (await f.Queue.ClaimAsync())!;
        for (var i = 0; i < 10; i++)
        {
            f.Clock.Turn(TimeSpan.FromSeconds(6));
            Assert.Equal(LeaseState.Held, await f.Queue.RenewAsync(lease));
            Assert.Null(await other.ClaimAsync());
        }
    }

    [Fact]
    public async Task Lease_RunOut_IsTakenByAnother_AndTheSleeperCanWriteNothingMore()
    {
        await using var f = await QueueFixture.CreateAsync();
        var id = await f.EnqueueAsync();
        var sleeper = f.QueueOf("elsewhere.1/1/1");
        var old = (await sleeper.ClaimAsync())!;
        await sleeper.ReportAsync(old, new RunReport(0.5, "half way"));
        Assert.Null(await f.Queue.ClaimAsync());
        f.Clock.Turn(RunQueue.LeaseTime + TimeSpan.FromSeconds(1));
        var successor = (await f.Queue.ClaimAsync())!;

        Assert.Equal(LeaseState.Lost, await sleeper.RenewAsync(old));
        await Assert.ThrowsAsync<LeaseLostException>(() => sleeper.ReportAsync(old, new RunReport(0.9, "still there")));
        var wrote = false;
        await Assert.ThrowsAsync<LeaseLostException>(() => sleeper.FinishAsync(old, "{}", (_, _) => { wrote = true; return Task.CompletedTask; }));
        await Assert.ThrowsAsync<LeaseLostException>(() => sleeper.FailAsync(old, "no"));
        await Assert.ThrowsAsync<LeaseLostException>(() => sleeper.CancelledAsync(old));
        await Assert.ThrowsAsync<LeaseLostException>(() => sleeper.ReleaseAsync(old));
        Assert.False(wrote);
        var run = await f.RunAsync(id);
        Assert.Equal((RunState.Running, "half way", successor.Token), (run.State, run.Stage, run.Lease));

        await f.Queue.FinishAsync(successor, """{"model":"m-1"}""");
        Assert.Equal(RunState.Done, (await f.RunAsync(id)).State);
    }

    [Fact]
    public async Task Holder_KilledOnThisMachine_RunIsTakenUpAtOnce()
    {
        await using var f = await QueueFixture.CreateAsync();
        await f.EnqueueAsync();
        using var process = Process.Start(new ProcessStartInfo("sleep", "60"))!;
        var stat = await File.ReadAllTextAsync($"/proc/{process.Id}/stat", TestContext.Current.CancellationToken);
        var holder = $"{ProcessIdentity.Current.Split('/')[0]}/{process.Id}/{stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[19]}";
        var doomed = (await f.QueueOf(holder).ClaimAsync())!;
        Assert.False(ProcessIdentity.IsGone(holder));
        Assert.Null(await f.Queue.ClaimAsync());
        process.Kill();
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(ProcessIdentity.IsGone(holder));
        Assert.Equal(doomed.RunId, (await f.Queue.ClaimAsync())?.RunId); // the clock has not moved: the lease still held
    }

    [Fact]
    public void Holder_OnAnotherMachine_IsNotTakenForDead()
    {
        Assert.False(ProcessIdentity.IsGone(ProcessIdentity.Current));
        Assert.False(ProcessIdentity.IsGone("another-boot.4026531836/999999/1"));
        Assert.False(ProcessIdentity.IsGone(null));
        Assert.True(ProcessIdentity.IsGone($"{ProcessIdentity.Current.Split('/')[0]}/{Environment.ProcessId}/1")); // our number, another process's start
    }

    [Fact]
    public async Task Run_ThatEndsItsWorkerAgainAndAgain_FailsInTheEnd_ButNotWhileItGetsFurther()
    {
        await using var f = await QueueFixture.CreateAsync();
        var id = await f.EnqueueAsync();
        for (var i = 1; i <= RunQueue.MostAttempts + 5; i++)
        {
            var lease = await f.Queue.ClaimAsync();
            Assert.NotNull(lease);
            await f.Queue.ReportAsync(lease, new RunReport(i * 0.01));
            f.Clock.Turn(TimeSpan.FromMinutes(1));
        }
        for (var i = 1; i < RunQueue.MostAttempts; i++)
        {
            Assert.NotNull(await f.Queue.ClaimAsync());
            f.Clock.Turn(TimeSpan.FromMinutes(1));
        }
        Assert.Null(await f.Queue.ClaimAsync());
        var run = await f.RunAsync(id);
        Assert.Equal(RunState.Failed, run.State);
        Assert.Contains("without getting any further", run.Error);
    }

    [Fact]
    public async Task Cancel_Waiting_IsCancelledAtOnce_AndResumeQueuesItAgain()
    {
        await using var f = await QueueFixture.CreateAsync();
        var id = await f.EnqueueAsync();
        await f.Queue.RequestCancelAsync(id, "cli:test");
        Assert.Equal(RunState.Cancelled, (await f.RunAsync(id)).State);
        Assert.Null(await f.Queue.ClaimAsync());
        await f.Queue.ResumeAsync(id, "cli:test");
        Assert.Equal(id, (await f.Queue.ClaimAsync())?.RunId);
    }

    [Fact]
    public async Task Cancel_Running_IsSeenAtTheNextRenewal()
    {
        await using var f = await QueueFixture.CreateAsync();
        var id = await f.EnqueueAsync();
        var lease = (await f.Queue.ClaimAsync())!;
        await f.Queue.RequestCancelAsync(id, "cli:test");
        Assert.Equal(RunState.Running, (await f.RunAsync(id)).State);
        Assert.Equal(LeaseState.CancelRequested, await f.Queue.RenewAsync(lease));
        await f.Queue.CancelledAsync(lease);
        Assert.Equal(RunState.Cancelled, (await f.RunAsync(id)).State);
        await Assert.ThrowsAsync<RefusedException>(() => f.Queue.RequestCancelAsync(id, "cli:test"));
    }

    [Fact]
    public async Task Cancel_WorkerDiedBeforeItSaw_IsCancelledByTheNextClaim()
    {
        await using var f = await QueueFixture.CreateAsync();
        var id = await f.EnqueueAsync();
        await f.QueueOf("elsewhere.1/1/1").ClaimAsync();
        await f.Queue.RequestCancelAsync(id, "cli:test");
        f.Clock.Turn(TimeSpan.FromMinutes(1));
        Assert.Null(await f.Queue.ClaimAsync());
        Assert.Equal(RunState.Cancelled, (await f.RunAsync(id)).State);
    }

    [Fact]
    public async Task Release_ByAWorkerThatStops_QueuesTheRunAgain()
    {
        await using var f = await QueueFixture.CreateAsync();
        var id = await f.EnqueueAsync();
        var lease = (await f.Queue.ClaimAsync())!;
        await f.Queue.ReportAsync(lease, new RunReport(0.4));
        await f.Queue.ReleaseAsync(lease);
        var run = await f.RunAsync(id);
        Assert.Equal((RunState.Queued, 0.4), (run.State, run.Progress));
        Assert.NotNull(await f.QueueOf("elsewhere.1/1/1").ClaimAsync());
    }

    [Fact]
    public async Task Resume_OfARunThatIsDone_IsRefused()
    {
        await using var f = await QueueFixture.CreateAsync();
        var id = await f.EnqueueAsync();
        await f.Queue.FinishAsync((await f.Queue.ClaimAsync())!, "{}");
        var refused = await Assert.ThrowsAsync<RefusedException>(() => f.Queue.ResumeAsync(id, "cli:test"));
        Assert.Equal("run-not-stopped", refused.Refusal.Code);
    }

    [Fact]
    public async Task Finish_ResultsThatThrow_LeaveTheRunAsItWas()
    {
        await using var f = await QueueFixture.CreateAsync();
        var id = await f.EnqueueAsync();
        var lease = (await f.Queue.ClaimAsync())!;
        await Assert.ThrowsAsync<InvalidOperationException>(() => f.Queue.FinishAsync(lease, "{}", (_, _) => throw new InvalidOperationException("the disk is full")));
        Assert.Equal(RunState.Running, (await f.RunAsync(id)).State);
        Assert.Equal(LeaseState.Held, await f.Queue.RenewAsync(lease));
    }

    [Fact]
    public async Task EnqueueHeld_IsNobodyElsesToTake()
    {
        await using var f = await QueueFixture.CreateAsync();
        var lease = await f.Queue.EnqueueHeldAsync(new EmbedRequest("public", 1, null), "here", "cli:test");
        Assert.Null(await f.QueueOf("elsewhere.1/1/1").ClaimAsync());
        Assert.Equal(LeaseState.Held, await f.Queue.RenewAsync(lease));
    }
}
