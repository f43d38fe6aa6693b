using System.Diagnostics;
using System.Text;
using DomainSsl.Audio.Decoding;
using DomainSsl.Testing;

namespace DomainSsl.Audio.Tests.Decoding;

public class SoundReaderTests
{
    [Fact]
    public void Read_AnHourOfWav_TakesNoMoreMemoryThanASecond()
    {
        using var hour = new EndlessWav(3600);
        using var reader = SoundReader.Open(hour);
        var block = new float[16_384];
        long before = GC.GetAllocatedBytesForCurrentThread();
        while (reader.Read(block) > 0) { }
        Assert.Equal(3600L * 44_100, reader.FramesRead);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    [Fact]
    public void Read_InBlocksOfAnySize_GivesTheWholesSamples()
    {
        var bytes = TestSounds.Wav(channels: 2, align: 4, dataBytes: 4000);
        var whole = SoundFile.Read(new MemoryStream(bytes)).Samples;
        foreach (int size in (int[])[2, 3, 7, 100, 5000])
        {
            using var reader = SoundReader.Open(new MemoryStream(bytes));
            var (all, block) = (new List<float>(), new float[size]);
            for (int read; (read = reader.Read(block)) > 0;)
            {
                Assert.Equal(0, read % 2);
                all.AddRange(block[..read]);
            }
            Assert.Equal(whole, all);
            Assert.Equal(0, reader.Read(block));
        }
    }

    [Fact]
    public void Read_Au_GivesItsSamples()
    {
        var sound = SoundFile.Read(new MemoryStream(TestSounds.Au()));
        Assert.Equal((16_000, 1, 300), (sound.SampleRate, sound.Channels, sound.Frames));
        Assert.Equal((short)(0 << 8 | 37) / 32768f, sound.Samples[0]);
        Assert.Equal(300, SoundFile.Read(new MemoryStream(TestSounds.Au(bytes: uint.MaxValue))).Frames);
    }

    [Theory]
    [InlineData(3, 0, 16_000, 600, AudioError.Header)]
    [InlineData(3, uint.MaxValue, 16_000, 600, AudioError.Limit)]
    [InlineData(3, 1, 1, 600, AudioError.Limit)]
    [InlineData(23, 1, 16_000, 600, AudioError.Codec)]
    [InlineData(3, 1, 16_000, 602, AudioError.Truncated)]
    public void Read_AuWithAFault_NamesIt(uint code, uint channels, uint rate, uint bytes, string error) =>
        Assert.Equal(error, Assert.Throws<AudioException>(() => SoundFile.Read(new MemoryStream(TestSounds.Au(code, channels, rate, bytes)))).Code);

    [Fact]
    public void Open_CompressedWithoutFfmpeg_SaysWhatToInstall()
    {
        byte[] frame = [0xFF, 0xF3, 0x48, 0xC4, .. new byte[140]];
        var e = Assert.Throws<AudioException>(() => SoundReader.Open(new MemoryStream([.. frame, .. frame, .. frame]), new SoundLimits { Ffmpeg = "no-such-program" }));
        Assert.Equal(AudioError.NoDecoder, e.Code);
        Assert.Contains("apt install ffmpeg", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_Cancelled_EndsTheDecoderAtOnce()
    {
        using var folder = new TemporaryFolder();
        using var cancel = new CancellationTokenSource(300);
        using var file = Flac();
        var watch = Stopwatch.StartNew();
        Assert.ThrowsAny<OperationCanceledException>(() => SoundFile.Inspect(file, new SoundLimits { Ffmpeg = Program(folder, "exec sleep 77") }, cancel.Token));
        Assert.InRange(watch.Elapsed.TotalSeconds, 0, 5);
        Assert.DoesNotContain(Process.GetProcessesByName("sleep"), p => CommandLine(p).Contains("77", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("exec sleep 60")]                                       // silent for ever
    [InlineData("kill -XCPU $$")]                                       // ended by a limit of the system
    public void Open_DecoderBeyondItsLimits_IsRefused(string script)
    {
        using var folder = new TemporaryFolder();
        using var file = Flac();
        var limits = new SoundLimits { Ffmpeg = Program(folder, script), MaxSilentSeconds = 0.5 };
        Assert.Equal(AudioError.Limit, Assert.Throws<AudioException>(() => SoundFile.Inspect(file, limits)).Code);
    }

    [Theory]
    [InlineData("exec yes", AudioError.Damaged)]                             // floods us with nonsense
    [InlineData("exec yes >&2", AudioError.Limit)]                           // complains without end
    [InlineData("exit 1", AudioError.Damaged)]
    public void Open_DecoderGoneMad_IsRefusedInLittleMemory(string script, string code)
    {
        using var folder = new TemporaryFolder();
        using var file = Flac();
        long before = GC.GetTotalAllocatedBytes();
        Assert.Equal(code, Assert.Throws<AudioException>(() => SoundFile.Inspect(file, new SoundLimits { Ffmpeg = Program(folder, script), MaxSilentSeconds = 0.5 })).Code);
        Assert.InRange(GC.GetTotalAllocatedBytes() - before, 0, 256 << 20);
    }

    [Fact]
    public void Decoder_GetsNothingOfOurEnvironmentAndCannotWriteFiles()
    {
        NeedFfmpeg();
        using var folder = new TemporaryFolder();
        Environment.SetEnvironmentVariable("FFREPORT", "file=" + folder.At("report.log"));
        try
        {
            using var file = Flac();
            Assert.Equal(1.0, SoundFile.Inspect(file).Seconds, 2);
            Assert.False(File.Exists(folder.At("report.log")));
        }
        finally { Environment.SetEnvironmentVariable("FFREPORT", null); }
    }

    [Theory]
    [InlineData("hls", "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n#EXTINF:1,\n{0}\n#EXT-X-ENDLIST\n")]
    [InlineData("concat", "ffconcat version 1.0\nfile '{0}'\n")]
    [InlineData("sdp", "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 5004 RTP/AVP 0\n")]
    public void Decoder_EvenToldThatAFileIsAPlaylist_OpensNothingItNames(string demuxer, string list)
    {
        NeedFfmpeg();
        list = list.Replace("{0}", SharedData.Path("speech/compat/mp3-cbr-16k.mp3"), StringComparison.Ordinal);
        using var ffmpeg = new FfmpegProcess(new MemoryStream(Encoding.ASCII.GetBytes(list)), 0, demuxer, seeking: false, SoundLimits.Default, TestContext.Current.CancellationToken);
        Assert.Equal(0, ffmpeg.Read(new byte[100]));
        Assert.NotEmpty(ffmpeg.Complaints());
    }

    [Fact]
    public void Read_FilmWithItsIndexLast_IsWholeAndLeavesNothingBehind()
    {
        NeedFfmpeg();
        using TemporaryFolder folder = new(), temporary = new();
        Make(folder.At("long.m4a"), "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=44100:duration=90", "-c:a", "aac", "-b:a", "160k");
        using var file = File.OpenRead(folder.At("long.m4a"));
        Assert.True(MovIndex.Find(file, file.Length).IsLast);
        using (var reader = SoundReader.Open(file, new SoundLimits { TemporaryFolder = temporary.Path }))
        {
            Assert.Single(Directory.GetFiles(temporary.Path));
            var block = new float[8192];
            while (reader.Read(block) > 0) { }
            Assert.InRange((double)reader.FramesRead / reader.Format.SampleRate, 89.9, 90.2);
            Assert.Empty(reader.Findings);
        }
        Assert.Empty(Directory.GetFiles(temporary.Path));
    }

    [Theory]
    [InlineData("bad-truncated.flac", "cut-off")]
    [InlineData("bad-damaged.flac", "damaged")]
    public void Findings_OfAFileCutOffOrDamaged_SaySo(string name, string code)
    {
        NeedFfmpeg();
        using var file = File.OpenRead(SharedData.Path("speech/compat/" + name));
        using var reader = SoundReader.Open(file);
        var block = new float[4096];
        while (reader.Read(block) > 0) { }
        Assert.Equal(code, Assert.Single(reader.Findings).Code);
    }

    [Fact]
    public void Open_LongerThanTheLimitAsTheFileSays_IsRefusedBeforeItIsDecoded()
    {
        NeedFfmpeg();
        using var file = File.OpenRead(SharedData.Path("speech/compat/bad-ten-hours.flac"));
        Assert.Equal(AudioError.Limit, Assert.Throws<AudioException>(() => SoundReader.Open(file)).Code);
    }

    [Fact]
    public void Read_DecoderWithTooLittleMemory_IsRefusedInsteadOfTakingMore()
    {
        NeedFfmpeg();
        if (!OperatingSystem.IsLinux()) Assert.Skip("The kernel bounds the decoder's memory on Linux only.");
        using var file = Flac();
        var e = Assert.Throws<AudioException>(() => SoundFile.Inspect(file, new SoundLimits { MaxDecoderBytes = 1 << 20 }));
        Assert.Contains(e.Code, (string[])[AudioError.Limit, AudioError.Damaged]);
    }

    private static FileStream Flac() => File.OpenRead(SharedData.Path("speech/compat/flac-16k.flac"));

    private static void NeedFfmpeg()
    {
        if (FfmpegProcess.Find("ffmpeg") is null) Assert.Skip("ffmpeg is not installed; compressed sound is refused without it.");
    }

    private static string Program(TemporaryFolder folder, string script)
    {
        if (OperatingSystem.IsWindows()) Assert.Skip("The stand-in for ffmpeg is a shell script.");
        string path = folder.At("ffmpeg");
        File.WriteAllText(path, "#!/bin/sh\nPATH=/usr/bin:/bin\n" + script + "\n");
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return path;
    }

    private static string CommandLine(Process process)
    {
        try { return File.ReadAllText($"/proc/{process.Id}/cmdline"); }
        catch (IOException) { return ""; }
    }

    private static void Make(string path, params string[] arguments)
    {
        var start = new ProcessStartInfo("ffmpeg") { RedirectStandardError = true };
        foreach (string a in (string[])["-nostdin", "-v", "error", .. arguments, path]) start.ArgumentList.Add(a);
        using var process = Process.Start(start)!;
        Assert.Equal("", process.StandardError.ReadToEnd());
        process.WaitForExit();
    }

    /// <summary>A WAV of so many seconds, 16 bits, mono, 44.1 kHz, that is nowhere in memory.</summary>
    private sealed class EndlessWav : Stream
    {
        private readonly byte[] header;

        public EndlessWav(int seconds)
        {
            Length = 44 + 2L * 44_100 * seconds;
            header = TestSounds.Wav(rate: 44_100, dataBytes: 0, announced: Length - 44);
        }

        public override bool CanRead => true;
        public override bool CanSeek => true;
        public override bool CanWrite => false;
        public override long Length { get; }
        public override long Position { get; set; }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override int Read(Span<byte> buffer)
        {
            int count = (int)Math.Min(buffer.Length, Length - Position);
            for (int i = 0; i < count; i++) buffer[i] = Position + i < 44 ? header[Position + i] : (byte)(i * 37);
            Position += count;
            return count;
        }

        public override void Flush() { }
        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();
        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
