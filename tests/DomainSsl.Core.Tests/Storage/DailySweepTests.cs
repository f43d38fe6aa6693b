using System.Collections.Concurrent;
using System.Threading.Channels;
using DomainSsl.Core.Audit;
using DomainSsl.Core.Database;
using DomainSsl.Core.Language;
using DomainSsl.Core.Runs;
using DomainSsl.Core.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace DomainSsl.Core.Tests.Storage;

/// <summary>The sweep that the site does by itself, its days turned by hand.</summary>
public sealed class DailySweepTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Sweep_EveryDay_TakesOldOrphansAndWhatWasLeftHalfWritten_AndNothingThatIsNamedOrBeingWritten()
    {
        await using var library = await TestLibrary.MakeAsync();
        library.Put("1.dcm", TestScans.Scan(1));
        library.Put("2.wav", TestScans.Sound(2));
        await library.ImportAsync(library.In);
        var (blobs, texts) = (library.Get<IBlobStore>(), library.Get<LanguageTexts>());
        var imported = blobs.All().ToList();
        var (waiting, learnt) = (texts.Keep("a report that a run waits to learn from"u8), texts.Keep("a report that one has learnt from"u8));
        foreach (var text in (string[])[waiting, learnt])
        {
            var (request, title) = await texts.PrepareAsync(new LanguageAsk(LanguageKinds.NGram, false, null, [text]), Cancel);
            await library.Get<IRunQueue>().EnqueueAsync(request, title, "admin", cancel: Cancel);
        }
        await using (var db = library.Open()) await db.Runs.Where(r => r.Request.Contains(learnt)).ExecuteUpdateAsync(s => s.SetProperty(r => r.State, RunState.Done), Cancel);
        using var draft = blobs.Begin();
        draft.Stream.Write("half"u8);
        draft.Stream.Flush();
        var (left, fresh) = (library.At("data", "blobs", "tmp", "left"), library.At("data", "blobs", "tmp", "fresh"));
        File.WriteAllText(left, "left by a kill");
        Age(library);
        File.WriteAllText(fresh, "of today");
        var putToday = blobs.Put("its row is on the way"u8);

        var time = new Clock();
        using var sweep = new DailySweep(new OrphanSweep(library.Get<IDbContextFactory<DomainSslContext>>(), blobs, time), blobs, new AuditLog(library.Get<IDbContextFactory<DomainSslContext>>(), time), time, NullLogger<DailySweep>.Instance);
        await sweep.StartAsync(Cancel);
        await time.IsWaitedForAsync();
        time.Advance(DailySweep.First - TimeSpan.FromSeconds(1));
        await Task.Delay(100, Cancel);
        Assert.True(File.Exists(left) && blobs.Contains(learnt)); // what people wait for at a start comes first

        time.Advance(TimeSpan.FromSeconds(1));
        await time.IsWaitedForAsync();
        Assert.False(File.Exists(left) || blobs.Contains(learnt));
        Assert.True(File.Exists(fresh) && blobs.Contains(putToday) && blobs.Contains(waiting));
        Assert.All(imported, hash => Assert.True(blobs.IsWhole(hash)));

        // A day on everything is old: what is named, and what somebody still writes, stays all the same.
        Age(library);
        time.Advance(DailySweep.Every);
        await time.IsWaitedForAsync();
        Assert.False(File.Exists(fresh) || blobs.Contains(putToday));
        Assert.True(blobs.Contains(waiting));
        draft.Stream.Write(" and the rest"u8);
        Assert.Equal("half and the rest"u8, blobs.Read(draft.Keep()));
        await library.AssertWholeAsync();
        await using var audit = library.Open();
        Assert.Equal(["2 stored files that nothing names", "2 stored files that nothing names"], await audit.Audit.Where(e => e.Who == DailySweep.By && e.Action == "removed").OrderBy(e => e.Id).Select(e => e.Subject).ToListAsync(Cancel));
        await sweep.StopAsync(Cancel);
    }

    [Fact]
    public async Task Sweep_ThatFailsToday_IsTriedAgainTomorrow()
    {
        await using var library = await TestLibrary.MakeAsync();
        var blobs = library.Get<IBlobStore>();
        var orphan = blobs.Put("an orphan"u8);
        Age(library);
        // A database that cannot say what is named, for a day.
        await using var db = library.Open();
        await db.Database.ExecuteSqlRawAsync("""ALTER TABLE "Instances" RENAME TO "Away" """, Cancel);
        var time = new Clock();
        var log = new Said();
        using var sweep = new DailySweep(library.Get<OrphanSweep>(), blobs, library.Get<AuditLog>(), time, log);
        await sweep.StartAsync(Cancel);
        await time.IsWaitedForAsync();
        time.Advance(DailySweep.First);
        await time.IsWaitedForAsync();
        Assert.Contains("tomorrow", Assert.Single(log.Sentences));
        Assert.True(blobs.Contains(orphan));
        await db.Database.ExecuteSqlRawAsync("""ALTER TABLE "Away" RENAME TO "Instances" """, Cancel);
        time.Advance(DailySweep.Every);
        await time.IsWaitedForAsync();
        Assert.False(blobs.Contains(orphan));
        await sweep.StopAsync(Cancel);
    }

    private sealed class Said : ILogger<DailySweep>
    {
        public ConcurrentQueue<string> Sentences { get; } = [];

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel level) => level >= LogLevel.Warning;

        public void Log<TState>(LogLevel level, EventId id, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(level)) Sentences.Enqueue(formatter(state, exception));
        }
    }

    // Everything in the folder was last touched days ago.
    private static void Age(TestLibrary library)
    {
        foreach (var file in Directory.GetFiles(library.At("data", "blobs"), "*", SearchOption.AllDirectories)) File.SetLastWriteTimeUtc(file, DateTime.UtcNow.AddDays(-3));
    }

    /// <summary>A clock that is turned by hand, once the sweep waits for it: then the one before is over.</summary>
    private sealed class Clock() : FakeTimeProvider(DateTimeOffset.UtcNow)
    {
        private readonly Channel<bool> _waits = Channel.CreateUnbounded<bool>();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var timer = base.CreateTimer(callback, state, dueTime, period);
            _waits.Writer.TryWrite(true);
            return timer;
        }

        public Task<bool> IsWaitedForAsync() => _waits.Reader.ReadAsync(Cancel).AsTask().WaitAsync(TimeSpan.FromMinutes(1), Cancel);
    }
}
