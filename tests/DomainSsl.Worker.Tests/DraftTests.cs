using DomainSsl.Audio.Decoding;
using DomainSsl.Audio.Recognising;
using DomainSsl.Audio.Resampling;
using DomainSsl.Core;
using DomainSsl.Core.Database;
using DomainSsl.Core.Runs;
using DomainSsl.Core.Storage;
using DomainSsl.Learning.Data;
using DomainSsl.Learning.Decoding;
using DomainSsl.Learning.Weights;
using DomainSsl.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace DomainSsl.Worker.Tests;

/// <summary>Drafts by another recogniser, and pretraining on them.</summary>
public sealed class DraftTests
{
    private const string Without = "pocketsphinx is not installed; the recipe pseudo-labels is refused without it.";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public void Drafts_AreKeptAsTheyCome_AndARunThatWasKilledGoesOnAfterThem()
    {
        if (!Pocketsphinx.Installed) Assert.Skip(Without);
        using var folder = new TemporaryFolder();
        using (var writer = new SoundShardWriter(folder.At("some.shard")))
        {
            for (var i = 1; i <= 7; i += 3)
            {
                using var file = File.OpenRead(Path.Combine(SharedData.Project, "sample-data", "recordings", $"dictation-{i:000}.wav"));
                writer.Add($"{i:x64}", Resampler.To16kMono(SoundFile.Read(file)).Samples);
            }
            writer.Finish();
        }
        var context = Context(folder);
        var path = folder.At(DraftWriter.DraftsFile);
        // A piece that was heard before the kill, and the beginning of a line that was being written.
        File.WriteAllText(path, """{"drafts":{"1":"heard before"},"seconds":40}""" + "\n" + """{"drafts":{"0":"cut o""");
        Directory.CreateDirectory(folder.At("heard-9"));                           // and what it was listening to
        using var shard = SoundShard.Open(folder.At("some.shard"));
        var (drafts, seconds) = DraftWriter.Write(shard, null, context, seed: 1);
        Assert.Equal("heard before", drafts[1]);
        Assert.All((int[])[0, 2], i => Assert.DoesNotContain("cut o", drafts[i]!, StringComparison.Ordinal));
        Assert.All((int[])[0, 2], i => Assert.NotEqual("", drafts[i]));
        Assert.True(seconds > 40);

        // Now all of them are there, and nobody listens again.
        var before = File.ReadAllBytes(path);
        Assert.Equal(drafts, DraftWriter.Write(shard, null, context, seed: 1).Drafts);
        Assert.Equal(before, File.ReadAllBytes(path));
        // Where the time is over, what is there must do.
        File.WriteAllText(path, """{"drafts":{"1":"heard before"},"seconds":40}""" + "\n");
        Assert.Equal([null, "heard before", null], DraftWriter.Write(shard, 40, context, seed: 1).Drafts);
        // And once something has been learnt from them, they stay what they are.
        Assert.Equal([null, "heard before", null], DraftWriter.Write(shard, null, context, seed: 1).Drafts);
        Assert.Empty(Directory.GetDirectories(folder.Path, "heard-*"));
    }

    [Fact]
    public void APieceAtWhichTheRecogniserFails_IsLeftOut_AndThoseBesideItAreHeard()
    {
        if (!Pocketsphinx.Installed) Assert.Skip(Without);
        using var folder = new TemporaryFolder();
        using var recogniser = MadeRecogniser.FailingAt(folder.At("program"), samples: 5000);
        using var shard = OfLengths(folder, 4000, 5000, 6000);
        Assert.Equal(["heard", "", "heard"], DraftWriter.Write(shard, null, Context(folder), seed: 1).Drafts);
        Assert.Contains("pocketsphinx failed at 1 of 3 pieces of sound; they are left out.", File.ReadAllText(folder.At("data", "runs", "r-1", "log.txt")), StringComparison.Ordinal);
        Assert.Empty(Directory.GetDirectories(folder.Path, "heard-*"));
    }

    [Fact]
    public void WhereTheRecogniserFailsAtEveryPiece_TheRunIsRefused_AndAResumedOneListensAgain()
    {
        if (!Pocketsphinx.Installed) Assert.Skip(Without);
        using var folder = new TemporaryFolder();
        using var shard = OfLengths(folder, 5000, 5000, 5000);
        var path = folder.At(DraftWriter.DraftsFile);
        using (MadeRecogniser.FailingAt(folder.At("failing"), samples: 5000))
        {
            var refused = Assert.Throws<RefusedException>(() => DraftWriter.Write(shard, null, Context(folder), seed: 1)).Refusal;
            Assert.Equal("recogniser-failed", refused.Code);
            Assert.Contains("exit code 3", refused.Sentence, StringComparison.Ordinal);
            // What was tried before a kill counts: where all of that failed too, the fault is the recogniser's; where something was heard, the pieces'.
            File.WriteAllText(path, """{"drafts":{"0":""},"seconds":1,"failed":1}""" + "\n");
            Assert.Throws<RefusedException>(() => DraftWriter.Write(shard, null, Context(folder), seed: 1));
            File.WriteAllText(path, """{"drafts":{"0":"heard before"},"seconds":1}""" + "\n");
            Assert.Equal(["heard before", "", ""], DraftWriter.Write(shard, null, Context(folder), seed: 1).Drafts);
            File.Delete(path);
            Assert.Throws<RefusedException>(() => DraftWriter.Write(shard, null, Context(folder), seed: 1));
        }
        using var mended = MadeRecogniser.FailingAt(folder.At("mended"), samples: 0);
        Assert.Equal(["heard", "heard", "heard"], DraftWriter.Write(shard, null, Context(folder), seed: 1).Drafts);
    }

    [Fact]
    public async Task SoundLeftByAKill_GoesHoweverTheRunEnds_AndDraftsOnceItCannotBeResumed()
    {
        using var folder = new TemporaryFolder();
        var data = new DataFolder(folder.At("data"));
        await using var services = new ServiceCollection().AddLogging().AddDomainSslCore(data).AddDomainSslWorker().BuildServiceProvider();
        var (factory, queue, loop) = (services.GetRequiredService<IDbContextFactory<DomainSslContext>>(), services.GetRequiredService<IRunQueue>(), services.GetRequiredService<RunLoop>());
        await DatabaseSetup.MigrateAsync(factory, Cancel);
        var request = new PretrainRequest(1, "pseudo-labels", "none", 1, null, 1, null);
        void Leave(string run)
        {
            Directory.CreateDirectory(Path.Combine(data.Run(run), "heard-3"));
            File.WriteAllText(Path.Combine(data.Run(run), "heard-3", "0.raw"), "speech");
            File.WriteAllText(Path.Combine(data.Run(run), DraftWriter.DraftsFile), "");
        }
        (bool Heard, bool Drafts) Left(string run) => (Directory.Exists(Path.Combine(data.Run(run), "heard-3")), File.Exists(Path.Combine(data.Run(run), DraftWriter.DraftsFile)));
        async Task<RunLease> HeldAsync()
        {
            var lease = await queue.EnqueueHeldAsync(request, "drafts", "anna", cancel: Cancel);
            Leave(lease.RunId);
            return lease;
        }

        // There is no such collection: the run ends before it would listen again.
        var failing = await HeldAsync();
        Assert.Equal(RunState.Failed, (await loop.ExecuteAsync(failing, WhenStopped.Cancel, Cancel)).State);
        Assert.Equal((false, true), Left(failing.RunId));

        var (done, cancelled, killed, listening) = (await HeldAsync(), await queue.EnqueueAsync(request, "drafts", "anna", cancel: Cancel), await HeldAsync(), await HeldAsync());
        await queue.FinishAsync(done, "{}", cancel: Cancel);
        Leave(cancelled);
        await queue.RequestCancelAsync(cancelled, "anna", Cancel);
        await using (var db = await factory.CreateDbContextAsync(Cancel))
            await db.Runs.Where(r => r.Id == killed.RunId).ExecuteUpdateAsync(s => s.SetProperty(r => r.Holder, ProcessIdentity.Current + "0"), Cancel);
        await loop.RunAsync(once: true, () => false, Cancel);                      // a worker that starts and takes no run
        Assert.Equal([(false, false), (false, true), (false, true), (true, true)], ((string[])[done.RunId, cancelled, killed.RunId, listening.RunId]).Select(Left));
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
    }

    [Theory]
    [InlineData(0, "0:00:00")]
    [InlineData(3725.4, "1:02:05")]
    [InlineData(31 * 3600 + 5 * 60 + 10, "31:05:10")]
    public void LongSound_IsSaidInHours_BeyondADayToo(double seconds, string said) => Assert.Equal(said, DraftWriter.Long(seconds));

    [Fact]
    public async Task WithoutTheRecogniser_TheRecipeIsRefusedBeforeThereIsARun()
    {
        using var folder = new TemporaryFolder();
        var (data, most) = (folder.At("data"), TimeSpan.FromMinutes(5));
        await Product.JsonAsync(data, most, "import", Path.Combine(SharedData.Project, "sample-data", "recordings", "dictation-001.wav"), "--collection", "one");
        var refused = await Product.RunAsync(data, most, [("PATH", folder.Path)], "pretrain", "one", "--recipe", "pseudo-labels", "--steps", "1", "--here", "--json");
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains("\"no-recogniser\"", refused.Output, StringComparison.Ordinal);
        Assert.Contains("apt install pocketsphinx", refused.Output, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(data, "runs")) && Directory.GetDirectories(Path.Combine(data, "runs")).Length > 0);
    }

    [Fact]
    public async Task Pretraining_OnDraftsOfRecordings_GivesAnEncoderThatReads_AndLeavesNoneOfTheDrafts()
    {
        if (!Pocketsphinx.Installed) Assert.Skip(Without);
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder.At("in"));
        for (var i = 1; i <= 6; i++) File.Copy(Path.Combine(SharedData.Project, "sample-data", "recordings", $"dictation-{i:000}.wav"), folder.At("in", $"{i}.wav"));
        var (data, most) = (folder.At("data"), TimeSpan.FromMinutes(5));
        await Product.JsonAsync(data, most, "import", folder.At("in"), "--collection", "dictations");
        var made = await Product.JsonAsync(data, most, "pretrain", "dictations", "--recipe", "pseudo-labels", "--set", "log.steps=1", "--steps", "2", "--name", "Taught", "--here");
        Assert.True(made.GetProperty("metrics").TryGetProperty("otherThanDraft", out _), made.ToString());
        var run = Path.Combine(data, "runs", made.GetProperty("run").GetString()!);
        Assert.Contains("pocketsphinx wrote", await File.ReadAllTextAsync(Path.Combine(run, "log.txt"), Cancel), StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(run, DraftWriter.DraftsFile)));
        using var weights = SafeTensors.Read(Directory.GetFiles(Path.Combine(data, "models", made.GetProperty("model").GetString()!), "*.safetensors").Single());
        Assert.Equal(Alphabet.English.Letters, weights.Metadata[EncoderWeights.LettersNote]);
        Assert.NotEmpty(EncoderWeights.Head(weights));
    }

    private static RunContext Context(TemporaryFolder folder) =>
        new(new Run { Id = "r-1", Title = "drafts", Request = "", By = "anna" }, folder.Path, new RunLog(new DataFolder(folder.At("data")), TimeProvider.System), Cancel);

    private static SoundShard OfLengths(TemporaryFolder folder, params int[] samples)
    {
        using (var writer = new SoundShardWriter(folder.At("some.shard")))
        {
            for (var i = 0; i < samples.Length; i++) writer.Add($"{i:x64}", new float[samples[i]]);
            writer.Finish();
        }
        return SoundShard.Open(folder.At("some.shard"));
    }
}
