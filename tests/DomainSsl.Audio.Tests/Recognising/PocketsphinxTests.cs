using DomainSsl.Audio.Decoding;
using DomainSsl.Audio.Recognising;
using DomainSsl.Audio.Resampling;
using DomainSsl.Testing;

namespace DomainSsl.Audio.Tests.Recognising;

public sealed class PocketsphinxTests
{
    [Fact]
    public void Write_OfDictations_GivesWordsInTheirOrder_AndLeavesNothingBehind()
    {
        if (!Pocketsphinx.Installed) Assert.Skip("pocketsphinx is not installed; the recipe pseudo-labels is refused without it.");
        using var folder = new TemporaryFolder();
        var rows = File.ReadLines(Path.Combine(SharedData.Project, "sample-data", "transcripts.csv")).Skip(1).Take(4).Select(l => l.Split(',')).ToList();
        var sounds = rows.Select(r =>
        {
            using var file = File.OpenRead(Path.Combine(SharedData.Project, "sample-data", r[0]));
            return (ReadOnlyMemory<short>)Array.ConvertAll(Resampler.To16kMono(SoundFile.Read(file)).Samples, s => (short)(s * 32767));
        }).ToList();
        sounds.Insert(2, new short[16_000]);                                    // nothing is said in silence
        var texts = Pocketsphinx.Write(sounds, folder.At("heard"), TestContext.Current.CancellationToken);
        Assert.Equal(5, texts.Count);
        Assert.All(texts, t => Assert.Matches("^[a-z' .-]*$", t));
        rows.Insert(2, ["", "", ""]);
        // A synthesiser's speech is hard for it, but a text is nearer to its own recording than to others.
        int Shared(int text, int row) => texts[text].Split(' ').Intersect(rows[row][1].ToLowerInvariant().Split(' ')).Count(w => w.Length > 3);
        Assert.True(Enumerable.Range(0, 5).Where(i => i != 2).Sum(i => Shared(i, i)) > Enumerable.Range(0, 5).Where(i => i != 2).Sum(i => Shared(i, i == 4 ? 0 : i == 1 ? 3 : i + 1)), string.Join(" / ", texts));
        Assert.False(Directory.Exists(folder.At("heard")));
    }

    [Fact]
    public void Write_Cancelled_Stops_AndLeavesNothingBehind()
    {
        if (!Pocketsphinx.Installed) Assert.Skip("pocketsphinx is not installed; the recipe pseudo-labels is refused without it.");
        using var folder = new TemporaryFolder();
        var random = new Random(1);
        var noise = Enumerable.Range(0, 60 * 16_000).Select(_ => (short)random.Next(-8000, 8000)).ToArray();
        using var stop = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        Assert.ThrowsAny<OperationCanceledException>(() => Pocketsphinx.Write([.. Enumerable.Repeat((ReadOnlyMemory<short>)noise, 10)], folder.At("heard"), stop.Token));
        Assert.False(Directory.Exists(folder.At("heard")));
    }

    [Theory]
    [InlineData("exit 3", "failed (exit code 3)")]
    [InlineData("exit 0", "left no result")]
    public void Write_WhereTheProgramFails_SaysSo_AndLeavesNothingBehind(string script, string said)
    {
        if (OperatingSystem.IsWindows()) Assert.Skip("The program that fails is a script of the shell.");
        using var folder = new TemporaryFolder();
        using var program = new MadeRecogniser(folder.At("program"), script);
        var failed = Assert.Throws<AudioException>(() => Pocketsphinx.Write([new short[16_000]], folder.At("heard"), TestContext.Current.CancellationToken));
        Assert.Equal(AudioError.Damaged, failed.Code);
        Assert.Contains(said, failed.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(folder.At("heard")));
    }
}
