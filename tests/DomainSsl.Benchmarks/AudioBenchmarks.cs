using System.Diagnostics;
using System.Globalization;
using DomainSsl.Audio;
using DomainSsl.Audio.Decoding;
using DomainSsl.Audio.Peaks;
using DomainSsl.Audio.Quality;
using DomainSsl.Audio.Resampling;
using DomainSsl.Audio.Spectrograms;
using DomainSsl.Audio.VoiceActivity;
using DomainSsl.Testing;

namespace DomainSsl.Benchmarks;

/// <summary>
/// Figures of the recordings' way in, as console programs:
/// <code>
/// dotnet run -c Release --project tests/DomainSsl.Benchmarks -- audio-import [MINUTES] [wav|mp3|m4a|flac|opus] [mono|stereo]   decode, resample, outline, spectrogram and speech of real speech made that long; default 60 wav mono
/// dotnet run -c Release --project tests/DomainSsl.Benchmarks -- audio-parts                                                    processor time of each part alone, for an hour of 48 kHz mono
/// dotnet run -c Release --project tests/DomainSsl.Benchmarks -- audio-mutate [COUNT] [SEED]                                    damaged sound files through our own readers; default 100,000
/// </code>
/// </summary>
internal static class AudioBenchmarks
{
    /// <summary>Runs what the first word asks for; null when it is none of these.</summary>
    public static int? Run(string[] args) => args switch
    {
        ["audio-import", .. var rest] => Import(rest.Length > 0 ? Number(rest[0]) : 60, rest.Length > 1 ? rest[1] : "wav", rest.Contains("stereo")),
        ["audio-parts"] => Parts(),
        ["audio-mutate", .. var rest] => Mutate(rest.Length > 0 ? Number(rest[0]) : 100_000, rest.Length > 1 ? Number(rest[1]) : 1),
        _ => null,
    };

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);

    private static int Import(int minutes, string format, bool stereo)
    {
        using var folder = new TemporaryFolder();
        string path = Make(folder, minutes, format, stereo);
        using var network = new SileroVad();
        using var source = File.OpenRead(path);
        using FileStream wav = new(folder.At("kept.wav"), FileMode.Create, FileAccess.ReadWrite), spectrogram = new(folder.At("spectrogram.bin"), FileMode.Create);
        using var process = Process.GetCurrentProcess();
        // What it takes with the programs' own parts loaded, so that growth is the sound's.
        using (var warm = new MemoryStream()) RecordingIntake.Take(Second(), warm, null, network);
        GC.Collect();
        double length = minutes * 60.0, next = 0;
        var memory = new List<string>();
        var watch = Stopwatch.StartNew();
        var cpu = process.TotalProcessorTime;
        var intake = RecordingIntake.Take(source, wav, spectrogram, network, progress: new Inline(seconds =>
        {
            if (seconds < next * length) return;
            process.Refresh();
            memory.Add($"{100 * next:0} %: {process.WorkingSet64 >> 20} MB");
            next += 0.2;
        }));
        watch.Stop();
        process.Refresh();
        Say($"{minutes} minutes of {format} ({intake.Format.Codec}, {intake.Format.SampleRate} Hz, {intake.Format.Channels} channel(s), {source.Length >> 20} MB): {watch.Elapsed.TotalSeconds:0.0} s, {intake.Seconds / watch.Elapsed.TotalSeconds:0} times real time");
        Say($"processor time without the decoder's: {(process.TotalProcessorTime - cpu).TotalSeconds:0.0} s; resident {string.Join(", ", memory)}; at most {process.PeakWorkingSet64 >> 20} MB");
        Say($"{intake.Segments.Count} segments, {intake.Segments.Sum(s => s.End - s.Start) / intake.Seconds:0%} speech, channels {intake.Channels}, {intake.Peaks[0].Max.Length} stretches of outline at {intake.Peaks[0].PerSecond}/s, " +
            $"spectrogram {spectrogram.Length >> 20} MB and {intake.Spectrogram.Levels.Length >> 10} KB, signal to noise {intake.Quality.SnrDb:0} dB");
        return 0;
    }

    private static int Parts()
    {
        const int Seconds = 120, Rate = 48_000;
        using var folder = new TemporaryFolder();
        string path = Make(folder, Seconds / 60, "wav", stereo: false);
        using var network = new SileroVad();
        using var file = File.OpenRead(path);
        var sound = SoundFile.Read(file).Samples;
        var small = new Resampler(Rate, 16_000).Resample(sound);
        var block = new float[1 << 15];
        Time("reading", () => { using var reader = SoundReader.Open(file); while (reader.Read(block) > 0) { } });
        Time("quality", () => { var meter = new QualityMeter(Rate, 1); Each(sound, x => meter.Add(x)); meter.Finish(); });
        Time("resampling", () => { var stream = new StreamResampler(Rate, 16_000); Each(sound, x => stream.Add(x)); });
        Time("outline", () => { var meter = new PeakMeter(16_000, 1); Each(small, x => meter.Add(x)); });
        Time("spectrogram", () => { var meter = new SpectrogramMeter(); Each(small, x => meter.Add(x)); meter.Finish(); });
        foreach (int lanes in (int[])[1, 2, 4, 8, 16])
            Time($"network, {lanes} side by side", () =>
            {
                using var voices = network.Listen(lanes);
                for (int at = 0; at + lanes * 512 <= small.Length; at += lanes * 512) voices.Next(small.AsSpan(at, lanes * 512));
            });
        Time("speech", () => SpeechFinder.Find(network, small));
        Time("writing", () => { var writer = new WavWriter(new MemoryStream(), 16_000, 1); Each(small, x => writer.Add(x)); writer.Finish(); });
        return 0;

        static void Each(float[] x, Action<ReadOnlySpan<float>> add)
        {
            for (int at = 0; at < x.Length; at += 1 << 14) add(x.AsSpan(at, Math.Min(1 << 14, x.Length - at)));
        }

        static void Time(string part, Action work)
        {
            work();
            using var process = Process.GetCurrentProcess();
            var before = process.TotalProcessorTime;
            work();
            process.Refresh();
            Say($"{part}: {(process.TotalProcessorTime - before).TotalSeconds * 3600 / Seconds:0.0} s an hour");
        }
    }

    private static MemoryStream Second()
    {
        var stream = new MemoryStream();
        SoundFile.WriteWav(stream, new Sound(new float[48_000], 48_000, 1));
        return stream;
    }

    /// <summary>Shared speech one after the other until it is long enough; at 48 kHz, so that there is something to resample. In stereo each clip goes to the other channel.</summary>
    private static string Make(TemporaryFolder folder, int minutes, string format, bool stereo)
    {
        var clips = Directory.GetFiles(SharedData.Path("speech/speechocean/audio"), "*.flac", SearchOption.AllDirectories).Order(StringComparer.Ordinal).Take(60).Select(file =>
        {
            using var stream = File.OpenRead(file);
            return new Resampler(16_000, 48_000).Resample(SoundFile.Read(stream).Samples);
        }).ToList();
        string path = folder.At("long.wav");
        using (var file = File.Create(path))
        {
            long frames = minutes * 60L * 48_000, done = 0;
            var writer = new WavWriter(file, 48_000, stereo ? 2 : 1, frames: frames);
            for (int c = 0; done < frames; c++)
            {
                var clip = clips[c % clips.Count].AsSpan();
                clip = clip[..(int)Math.Min(clip.Length, frames - done)];
                if (!stereo) writer.Add(clip);
                else
                {
                    var both = new float[2 * clip.Length];
                    for (int i = 0; i < clip.Length; i++) both[2 * i + c % 2] = clip[i];
                    writer.Add(both);
                }
                done += clip.Length;
            }
            writer.Finish();
        }
        if (format == "wav") return path;
        string made = folder.At("long." + format);
        var start = new ProcessStartInfo("ffmpeg");
        foreach (string a in (string[])["-nostdin", "-v", "error", "-i", path, made]) start.ArgumentList.Add(a);
        using var process = Process.Start(start)!;
        process.WaitForExit();
        if (process.ExitCode != 0) throw new InvalidOperationException($"ffmpeg could not make {format}.");
        File.Delete(path);
        return made;
    }

    private static int Mutate(int count, int seed)
    {
        var files = Directory.GetFiles(SharedData.Path("speech/compat")).Where(f => !f.EndsWith(".py", StringComparison.Ordinal) && !f.EndsWith(".csv", StringComparison.Ordinal) && !f.EndsWith(".md", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal).Select(File.ReadAllBytes).Where(b => b.Length > 0).ToList();
        // What would go to ffmpeg is refused before a process is started: this is about our own readers.
        var limits = new SoundLimits { Ffmpeg = "" };
        var codes = new SortedDictionary<string, int>(StringComparer.Ordinal);
        var (slowest, largest) = (TimeSpan.Zero, 0L);
        int faults = 0;
        var random = new Random(seed);
        var watch = Stopwatch.StartNew();
        for (int i = 0; i < count; i++)
        {
            var bytes = Mutation.Of(files[i % files.Count], random);
            long begun = Stopwatch.GetTimestamp(), before = GC.GetAllocatedBytesForCurrentThread();
            string code = "sound";
            try { SoundFile.Inspect(new MemoryStream(bytes), limits); }
            catch (AudioException e) { code = e.Code; }
            catch (Exception e)
            {
                code = "FAULT " + e.GetType().Name;
                if (faults++ < 5) Console.Error.WriteLine($"file {i}: {e}");
            }
            codes[code] = codes.GetValueOrDefault(code) + 1;
            var took = Stopwatch.GetElapsedTime(begun);
            if (took > slowest) slowest = took;
            largest = Math.Max(largest, GC.GetAllocatedBytesForCurrentThread() - before);
        }
        Say($"{count:#,0} damaged copies of {files.Count} files in {watch.Elapsed.TotalSeconds:0} s: {faults} faults; slowest {slowest.TotalMilliseconds:0} ms, most memory {largest / 1048576.0:0.0} MB");
        Say(string.Join(", ", codes.Select(c => $"{c.Key} {c.Value:#,0}")));
        return faults == 0 ? 0 : 1;
    }

    private static void Say(FormattableString text) => Console.WriteLine(FormattableString.Invariant(text));
    private static void Say(string text) => Console.WriteLine(text);

    private sealed class Inline(Action<double> report) : IProgress<double>
    {
        public void Report(double value) => report(value);
    }
}
