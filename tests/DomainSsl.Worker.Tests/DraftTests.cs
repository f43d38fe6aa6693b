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
        var context = new RunContext(new Run { Id = "r-1", Title = "drafts", Request = "", By = "anna" }, folder.Path, new RunLog(new DataFolder(folder.At("data")), TimeProvider.System), Cancel);
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
}
