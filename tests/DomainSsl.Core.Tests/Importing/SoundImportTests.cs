using System.Diagnostics;
using System.Text;
using System.Text.Json;
using DomainSsl.Audio.Decoding;
using DomainSsl.Audio.Quality;
using DomainSsl.Audio.Spectrograms;
using DomainSsl.Core.Importing;
using DomainSsl.Core.Library;
using DomainSsl.Core.Storage;
using DomainSsl.Testing;
using Microsoft.EntityFrameworkCore;

namespace DomainSsl.Core.Tests.Importing;

public sealed class SoundImportTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(3);
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Import_CallOfTwoSpeakers_StoresBothChannels_SegmentsOutlineAndSpectrogram()
    {
        await using var library = await TestLibrary.MakeAsync();
        var (wav, truth) = TestSpeech.Call(6);
        await library.ImportAsync(library.Put("call.wav", wav));

        await using var db = library.Open();
        var recording = await db.Recordings.Include(r => r.Segments).SingleAsync(Cancel);
        Assert.Equal((2, 2, ChannelUse.Apart, ""), (recording.Channels, recording.StoredChannels, recording.ChannelUse, recording.Quality));
        Assert.InRange(recording.RmsDb!.Value, -40, -10);
        Assert.All(truth, t => Assert.Contains(recording.Segments, s => s.Channel == t.Channel && s.Start < t.End && s.End > t.Start));
        Assert.All(recording.Segments, s => Assert.Contains(truth, t => t.Channel == s.Channel && s.Start < t.End + 0.2 && s.End > t.Start - 0.2));

        var blobs = library.Get<IBlobStore>();
        using (var stored = blobs.Open(recording.BlobHash))
        {
            var sound = SoundFile.Read(stored);
            Assert.Equal((16_000, 2, recording.Bytes), (sound.SampleRate, sound.Channels, stored.Length));
        }
        Assert.Equal((int)Math.Ceiling(recording.Seconds * SpectrogramMeter.ColumnsPerSecond) * SpectrogramMeter.Bands, blobs.Read(recording.SpectrogramBlobHash!).Length);

        var outline = JsonDocument.Parse((await library.Get<ItemImages>().RecordingPeaksAsync(recording.Id, Cancel)).Bytes).RootElement;
        Assert.Equal((Math.Round(recording.Seconds, 5), 2), (Math.Round(outline.GetProperty("seconds").GetDouble(), 5), outline.GetProperty("channels").GetArrayLength()));
        // The first clip is on the left: there the left has an outline and the right is flat.
        int within = (int)((truth[0].Start + truth[0].End) / 2 * outline.GetProperty("perSecond").GetInt32());
        var (left, right) = (outline.GetProperty("channels")[0].GetBytesFromBase64(), outline.GetProperty("channels")[1].GetBytesFromBase64());
        Assert.Contains(Enumerable.Range(2 * within - 40, 80), i => (sbyte)left[i] > 12);
        Assert.All(Enumerable.Range(2 * within - 40, 80), i => Assert.Equal(0, right[i]));
        Assert.InRange(left.Max(b => Math.Abs((int)(sbyte)b)), 100, 127);
    }

    [Fact]
    public async Task Import_BadRecordings_SayWhatIsWrongInPlainWords()
    {
        await using var library = await TestLibrary.MakeAsync();
        var loud = Array.ConvertAll(TestSpeech.Dictation(1), x => Math.Clamp(8 * x, -1f, 1f));
        await library.ImportAsync(library.Put("loud.wav", TestSpeech.Wav(loud, 1)));
        await library.ImportAsync(library.Put("silent.wav", TestSpeech.Wav(new float[32_000], 1)));
        await using var db = library.Open();
        var recordings = await db.Recordings.Include(r => r.Segments).OrderBy(r => r.Id).ToListAsync(Cancel);
        Assert.Contains("overdriven", recordings[0].Quality, StringComparison.Ordinal);
        Assert.True(recordings[0].ClippedShare > 0.001);
        Assert.Equal("The recording is silent; check the microphone.", recordings[1].Quality);
        Assert.Empty(recordings[1].Segments);
    }

    [Fact]
    public async Task Import_RecordingAgain_InAnotherFormatOrTheSame_ChangesNothing()
    {
        await using var library = await TestLibrary.MakeAsync();
        var wav = TestSpeech.Wav(TestSpeech.Dictation(2), 1);
        var path = library.Put("a.wav", wav);
        await library.ImportAsync(path);
        // The same samples with a note in the file: other bytes, same sound.
        var noted = library.Put("b.wav", [.. wav[..36], .. "LIST"u8, 12, 0, 0, 0, .. "INFOIART"u8, .. "Uhlo"u8, .. wav[36..]]);
        var before = await StateAsync(library);
        Assert.Equal(1, (await library.ImportAsync(path)).Duplicates);
        Assert.Equal(before, await StateAsync(library));
        Assert.Equal(1, (await library.ImportAsync(noted)).Duplicates);
        Assert.Equal(before, await StateAsync(library));
        Assert.Equal(1, (await library.ImportAsync(noted)).Duplicates);
        Assert.Equal(before, await StateAsync(library));
    }

    [Fact]
    public async Task Import_FileThatIsStillWritten_IsRefusedAndLeavesNoBlob()
    {
        await using var library = await TestLibrary.MakeAsync(new ImportOptions { Workers = 1 });
        var path = library.Put("growing.wav", TestSpeech.Long(240));
        var import = library.ImportAsync(path);
        // Its blobs are drafts from when it has been hashed on.
        while (!import.IsCompleted && Drafts(library).Length == 0) await Task.Delay(1, Cancel);
        File.SetLastWriteTimeUtc(path, DateTime.UtcNow.AddSeconds(5));
        Assert.Equal("changing", Assert.Single((await import).Refused).Code);
        Assert.Empty(Drafts(library));
        await using var db = library.Open();
        Assert.Equal(0, await db.Recordings.CountAsync(Cancel));
    }

    [Fact]
    public async Task Import_KilledInTheMiddleOfARecording_LeavesNothingHalfDone_AndTheNextBringsIt()
    {
        await using var library = await TestLibrary.MakeAsync();
        library.Put("long.wav", TestSpeech.Long(600));
        using (var process = Product.Start(library.Data, "import", library.In, "--quiet"))
        {
            while (!process.HasExited && Drafts(library).All(f => new FileInfo(f).Length < 1_000_000)) await Task.Delay(10, Cancel);
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync(Cancel);
            Assert.NotEqual(0, process.ExitCode);
        }
        await using (var db = library.Open()) Assert.Equal((0, 0, 0), (await db.Recordings.CountAsync(Cancel), await db.Segments.CountAsync(Cancel), await db.Items.CountAsync(Cancel)));
        Assert.Empty(library.Get<IBlobStore>().All());

        var rest = await Product.JsonAsync(library.Data, Limit, "import", library.In);
        Assert.Equal((1, 0), (rest.GetProperty("imported").GetInt32(), rest.GetProperty("refused").GetArrayLength()));
        await using (var db = library.Open()) Assert.InRange((await db.Recordings.Include(r => r.Segments).SingleAsync(Cancel)).Segments.Count, 40, 600);
        await library.AssertWholeAsync();
    }

    [Fact]
    public async Task Sweep_OldOrphans_TakesNothingThatARecordingNames()
    {
        await using var library = await TestLibrary.MakeAsync();
        await library.ImportAsync(library.Put("a.wav", TestSpeech.Wav(TestSpeech.Dictation(3), 1)));
        var blobs = library.Get<IBlobStore>();
        var orphan = blobs.Put("nobody's"u8);
        foreach (var file in Directory.GetFiles(library.At("data", "blobs"), "*", SearchOption.AllDirectories)) File.SetLastWriteTimeUtc(file, DateTime.UtcNow.AddDays(-2));
        Assert.Equal(1, (await library.Get<OrphanSweep>().SweepAsync(Cancel)).Files);
        Assert.False(blobs.Contains(orphan));
        Assert.Equal(3, blobs.All().Count()); // sound, outline, spectrogram
    }

    [Fact]
    public async Task Import_CompressedFormats_NeedNoMoreThanTheirFile()
    {
        await using var library = await TestLibrary.MakeAsync();
        var compat = SharedData.Path("speech/compat");
        foreach (var name in (string[])["mp3-cbr-44k1-stereo.mp3", "flac-16k.flac", "m4a-aac-44k1.m4a", "ogg-opus-16k.opus", "mp4-video.mp4"]) library.Put(name, await File.ReadAllBytesAsync(Path.Combine(compat, name), Cancel));
        var summary = await library.ImportAsync(library.In);
        Assert.Equal((5, 0), (summary.Imported, summary.Refused.Count));
        await using var db = library.Open();
        Assert.All(await db.Recordings.Include(r => r.Segments).ToListAsync(Cancel), r => Assert.True(r.Seconds > 0.5 && r.SpectrogramBlobHash is not null, r.Codec));
        Assert.Empty(Drafts(library));
    }

    private static string[] Drafts(TestLibrary library) => Directory.Exists(library.At("data", "blobs", "tmp")) ? Directory.GetFiles(library.At("data", "blobs", "tmp")) : [];

    private static async Task<string> StateAsync(TestLibrary library)
    {
        await using var db = library.Open();
        var state = new StringBuilder();
        foreach (var r in await db.Recordings.Include(r => r.Segments).OrderBy(r => r.Id).ToListAsync(Cancel)) state.Append(r.Id).Append(r.BlobHash).AppendJoin(' ', r.Segments.Select(s => $"{s.Id} {s.Start}"));
        return state.Append(await db.Items.CountAsync(Cancel)).AppendJoin(' ', library.Get<IBlobStore>().All().Order()).ToString();
    }
}
