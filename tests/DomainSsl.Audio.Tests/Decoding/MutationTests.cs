using System.Diagnostics;
using System.Text;
using DomainSsl.Audio.Decoding;
using DomainSsl.Testing;

namespace DomainSsl.Audio.Tests.Decoding;

/// <summary>Damaged files give a sound or a refusal, at once and in little memory. 100,000 of them: <c>audio-mutate</c> of the benchmarks.</summary>
public class MutationTests
{
    // Our readers and sniffers alone: what would go to ffmpeg is refused before a process is started.
    private static readonly SoundLimits WithoutFfmpeg = new() { Ffmpeg = "" };

    [Fact]
    public void Inspect_ThousandsOfDamagedFiles_NeverCrashesHangsOrGrows()
    {
        var random = new Random(20_261_125);
        var seeds = Seeds();
        var codes = new Dictionary<string, int>();
        double slowest = 0;
        long largest = 0;
        for (int i = 0; i < 6_000; i++)
        {
            var bytes = Mutation.Of(seeds[i % seeds.Count], random);
            var watch = Stopwatch.StartNew();
            long before = GC.GetAllocatedBytesForCurrentThread();
            string code = "sound";
            try
            {
                var found = SoundFile.Inspect(new MemoryStream(bytes), WithoutFfmpeg);
                Assert.True(double.IsFinite(found.Rms) && double.IsFinite(found.Peak) && found.Seconds > 0);
            }
            catch (AudioException e)
            {
                code = e.Code;
                Assert.Matches(@"^[A-Z0-9].{14,}\.$", e.Message);
            }
            codes[code] = codes.GetValueOrDefault(code) + 1;
            slowest = Math.Max(slowest, watch.Elapsed.TotalSeconds);
            largest = Math.Max(largest, GC.GetAllocatedBytesForCurrentThread() - before);
        }
        Assert.True(slowest < 2, $"one took {slowest:0.0} s");
        Assert.True(largest < 64 << 20, $"one took {largest >> 20} MiB");
        Assert.All((string[])["sound", AudioError.NotSound, AudioError.Truncated, AudioError.Header, AudioError.Limit, AudioError.NoDecoder], c => Assert.True(codes.GetValueOrDefault(c) > 20, $"{c}: {codes.GetValueOrDefault(c)}"));
    }

    [Fact]
    public void Inspect_DamagedCompressedFiles_NeverCrashesHangsOrGrows()
    {
        string folder = SharedData.Path("speech/compat");
        if (FfmpegProcess.Find("ffmpeg") is null) Assert.Skip("ffmpeg is not installed; compressed sound is refused without it.");
        var random = new Random(7);
        string[] files = ["mp3-cbr-16k.mp3", "m4a-aac-44k1.m4a", "flac-16k.flac", "webm-opus.webm", "ogg-vorbis-44k1.ogg", "mp4-fragmented.mp4"];
        for (int i = 0; i < 5 * files.Length; i++)
        {
            var bytes = Mutation.Of(File.ReadAllBytes(Path.Combine(folder, files[i % files.Length])), random);
            var watch = Stopwatch.StartNew();
            try { SoundFile.Inspect(new MemoryStream(bytes)); }
            catch (AudioException e) { Assert.Contains(e.Code, AudioError.All); }
            Assert.InRange(watch.Elapsed.TotalSeconds, 0, 5);
        }
    }

    /// <summary>A file of each kind that we look into ourselves.</summary>
    private static List<byte[]> Seeds()
    {
        var seeds = new List<byte[]>
        {
            TestSounds.Wav(dataBytes: 600), TestSounds.Wav(channels: 2, align: 4, dataBytes: 600, extraChunk: TestSounds.Chunk("LIST", "INFOIART")), TestSounds.Wav(code: 3, align: 4, bits: 32, dataBytes: 600),
            TestSounds.Wav(code: 7, align: 1, bits: 8, dataBytes: 600), TestSounds.Wav(code: 0x11, dataBytes: 600), TestSounds.Aiff(), TestSounds.Aiff("sowt"), TestSounds.Au(),
        };
        byte[] frame = [0xFF, 0xF3, 0x48, 0xC4, .. new byte[140]];        // MPEG-2 layer III, 32 kbit/s, 16 kHz: 144 bytes
        seeds.Add([.. frame, .. frame, .. frame, .. frame]);
        seeds.Add([.. "ID3\u0004\0\0\0\0\0\u0010"u8, .. new byte[16], .. frame, .. frame, .. frame]);
        byte[] Box(string type, int size) => [.. BitConverter.GetBytes(size).Reverse(), .. Encoding.ASCII.GetBytes(type), .. new byte[size - 8]];
        seeds.Add([.. Box("ftyp", 24), .. Box("mdat", 300), .. Box("moov", 100)]);
        seeds.Add([.. Box("ftyp", 24), .. Box("moov", 100), .. Box("moof", 40), .. Box("mdat", 300)]);
        return seeds;
    }
}
