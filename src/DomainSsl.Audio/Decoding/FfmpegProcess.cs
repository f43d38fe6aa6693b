using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.RegularExpressions;

namespace DomainSsl.Audio.Decoding;

/// <summary>
/// ffmpeg as a child that can do one thing: turn the bytes on its standard input, taken for one named format, into samples on its standard output. No network, no playlist,
/// no other file, no decoder but those of sound, no names kept; bounded memory and time; gone when we are.
/// </summary>
internal sealed partial class FfmpegProcess : IDisposable
{
    /// <summary>
    /// Decoders that may run. Those of pictures and films, where most of ffmpeg's faults have been, are not among them: not even to look at a cover or at a film's size.
    /// </summary>
    private const string Decoders =
        "mp3,mp3float,mp2,mp2float,aac,aac_latm,flac,alac,opus,libopus,vorbis,libvorbis,speex,libspeex,amrnb,amrwb,libopencore_amrnb,libopencore_amrwb,ac3,eac3,wmav1,wmav2,wmapro,wmavoice," +
        "adpcm_ms,adpcm_ima_wav,adpcm_ima_qt,gsm,gsm_ms,pcm_alaw,pcm_mulaw,pcm_u8,pcm_s8,pcm_s16le,pcm_s16be,pcm_s24le,pcm_s24be,pcm_s32le,pcm_s32be,pcm_f32le,pcm_f32be,pcm_f64le,pcm_f64be";

    private const int KeptLog = 64 << 10, Block = 64 << 10;

    private readonly Process process;
    private readonly SoundLimits limits;
    private readonly CancellationToken cancellation;
    private readonly CancellationTokenRegistration onCancel;
    private readonly Timer watch;
    private readonly Thread? feeder;
    private readonly Thread listener;
    private readonly StringBuilder log = new();
    private readonly ManualResetEventSlim mapped = new();
    private readonly string? temporary;
    private Exception? sourceFault;
    private volatile AudioException? stoppedFor;
    private long waitingSince, waited;
    private bool disposed;

    /// <summary>Starts it.</summary>
    /// <param name="source">Read from <paramref name="start"/> to its end by a thread of ours, until <see cref="Dispose"/>.</param>
    /// <param name="start">Where the sound begins.</param>
    /// <param name="demuxer">The format, forced.</param>
    /// <param name="seeking">ffmpeg must be able to go back: it gets a file of our own instead of a pipe.</param>
    /// <param name="limits">Memory and time.</param>
    /// <param name="cancellation">Kills it.</param>
    /// <exception cref="AudioException">ffmpeg is not installed.</exception>
    public FfmpegProcess(Stream source, long start, string demuxer, bool seeking, SoundLimits limits, CancellationToken cancellation)
    {
        (this.limits, this.cancellation) = (limits, cancellation);
        string program = Find(limits.Ffmpeg) ?? throw Missing();
        if (seeking) temporary = Copy(source, start, limits.TemporaryFolder, cancellation);
        try
        {
            process = Start(program, temporary is null ? "pipe:0" : "file:" + temporary, temporary is null ? "pipe" : "file", demuxer);
        }
        catch (Exception e) when (e is System.ComponentModel.Win32Exception or InvalidOperationException)
        {
            Remove(temporary);
            throw Missing(e);
        }
        Confine(process, limits);
        listener = new Thread(Listen) { IsBackground = true, Name = "ffmpeg's log" };
        listener.Start();
        if (temporary is null)
        {
            feeder = new Thread(() => Feed(source, start)) { IsBackground = true, Name = "ffmpeg's input" };
            feeder.Start();
        }
        else process.StandardInput.Close();
        watch = new Timer(_ => Watch(), null, 250, 250);
        onCancel = cancellation.Register(Kill);
    }

    /// <summary>The program's full path, or null where it is not installed.</summary>
    public static string? Find(string program)
    {
        if (program.Length == 0) return null;
        if (program.Contains(Path.DirectorySeparatorChar, StringComparison.Ordinal)) return File.Exists(program) ? Path.GetFullPath(program) : null;
        string name = OperatingSystem.IsWindows() ? program + ".exe" : program;
        return (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Where(Path.IsPathRooted).Select(folder => Path.Combine(folder, name)).FirstOrDefault(File.Exists);
    }

    /// <summary>Bytes of its output; 0 at the end. Waits, within the limits.</summary>
    public int Read(Span<byte> buffer)
    {
        cancellation.ThrowIfCancellationRequested();
        long now = Stopwatch.GetTimestamp();
        Volatile.Write(ref waitingSince, now);
        int read = 0;
        try { read = process.StandardOutput.BaseStream.Read(buffer); }
        catch (IOException) { /* killed while we waited */ }
        finally
        {
            Volatile.Write(ref waitingSince, 0);
            waited += Stopwatch.GetTimestamp() - now;
        }
        cancellation.ThrowIfCancellationRequested();
        if (stoppedFor is { } reason) throw reason;
        return read;
    }

    /// <summary>The codec of the sound in ffmpeg's words, once it has begun to give out samples; null where it does not say.</summary>
    public string? Codec()
    {
        mapped.Wait(TimeSpan.FromSeconds(2), cancellation);
        lock (log) return Mapping().Match(log.ToString()) is { Success: true } found ? found.Groups[1].Value : null;
    }

    /// <summary>The length that the file claims, seconds.</summary>
    public double? Announced()
    {
        lock (log)
        {
            var found = Duration().Match(log.ToString());
            return found.Success ? 3600 * Number(1) + 60 * Number(2) + Number(3) : null;
            double Number(int group) => double.Parse(found.Groups[group].Value, CultureInfo.InvariantCulture);
        }
    }

    /// <summary>Waits for its end after the last output and says what it complained of, a line each, itself unfit for people: it may hold what the file says.</summary>
    public IReadOnlyList<string> Complaints()
    {
        if (!process.WaitForExit(TimeSpan.FromSeconds(limits.MaxSilentSeconds))) Kill();
        process.WaitForExit();
        listener.Join();
        cancellation.ThrowIfCancellationRequested();
        if (stoppedFor is { } reason) throw reason;
        if (sourceFault is { } fault) throw new IOException("The sound could not be read to its end.", fault);
        if (OperatingSystem.IsLinux() && process.ExitCode > 128) throw Exceeded();       // its limits ended it, or a fault of its own
        lock (log)
            return [.. log.ToString().Split('\n').Where(l => (l.Contains("[error]", StringComparison.Ordinal) || l.Contains("[fatal]", StringComparison.Ordinal))
                && !l.Contains("not on whitelist", StringComparison.Ordinal) && !l.StartsWith("[wav @", StringComparison.Ordinal))];
    }

    public void Dispose()
    {
        if (disposed) return;
        disposed = true;
        onCancel.Dispose();
        watch.Dispose();
        Kill();
        process.WaitForExit();
        feeder?.Join();
        listener.Join();
        process.Dispose();
        mapped.Dispose();
        Remove(temporary);
    }

    private static Process Start(string program, string input, string protocol, string demuxer)
    {
        var start = new ProcessStartInfo(program)
        {
            UseShellExecute = false,
            CreateNoWindow = true,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Path.GetTempPath(),
        };
        // Nothing of ours is passed on: FFREPORT alone would make it write a file.
        string? libraries = Environment.GetEnvironmentVariable("LD_LIBRARY_PATH"), system = Environment.GetEnvironmentVariable("SystemRoot");
        start.Environment.Clear();
        start.Environment["LC_ALL"] = "C";
        if (libraries is not null) start.Environment["LD_LIBRARY_PATH"] = libraries;
        if (system is not null) start.Environment["SystemRoot"] = system;
        string[] arguments =
        [
            "-nostdin", "-hide_banner", "-nostats", "-v", "level+info",
            "-protocol_whitelist", protocol, "-codec_whitelist", Decoders, "-threads", "1", .. demuxer == "mov" ? (string[])["-enable_drefs", "0", "-use_absolute_path", "0"] : [],
            "-f", demuxer, "-i", input,
            "-map", "0:a:0", "-vn", "-sn", "-dn", "-map_metadata", "-1", "-map_chapters", "-1", "-fflags", "+bitexact", "-c:a", "pcm_f32le", "-f", "wav", "pipe:1",
        ];
        foreach (string argument in arguments) start.ArgumentList.Add(argument);
        return Process.Start(start)!;
    }

    /// <summary>Bounds by the kernel, before it has seen a byte: memory, processor time, no file written, no core left behind. Elsewhere than on Linux only the clock bounds it.</summary>
    private static void Confine(Process process, SoundLimits limits)
    {
        if (!OperatingSystem.IsLinux()) return;
        const int Cpu = 0, FileSize = 1, Data = 2, Core = 4;
        foreach (var (resource, most) in ((int, long)[])[(Cpu, (long)Math.Ceiling(limits.MaxDecoderSeconds)), (FileSize, 0), (Data, limits.MaxDecoderBytes), (Core, 0)])
        {
            var bound = new ResourceLimit((ulong)most, (ulong)most);
            _ = prlimit(process.Id, resource, in bound, 0);      // fails only where it has ended already
        }
    }

    private void Feed(Stream source, long start)
    {
        var input = process.StandardInput.BaseStream;
        try
        {
            var block = new byte[Block];
            source.Position = start;
            while (true)
            {
                int read;
                try { read = source.Read(block); }
                catch (Exception e) { sourceFault = e; Kill(); return; }
                if (read == 0) return;
                input.Write(block, 0, read);
            }
        }
        catch (IOException) { /* it has seen enough, or is gone */ }
        finally
        {
            try { input.Dispose(); }
            catch (IOException) { /* the same, met on flushing */ }
        }
    }

    private void Listen()
    {
        var block = new byte[4096];
        try
        {
            for (int read; (read = process.StandardError.BaseStream.Read(block)) > 0;)
                lock (log)
                {
                    if (log.Length >= KeptLog) continue;        // read on, so that it never waits for us, but keep no more
                    log.Append(Encoding.Latin1.GetString(block, 0, read));
                    if (!mapped.IsSet && Mapping().IsMatch(log.ToString())) mapped.Set();
                }
        }
        catch (IOException) { /* killed */ }
        mapped.Set();
    }

    private void Watch()
    {
        long since = Volatile.Read(ref waitingSince);
        if (since == 0) return;
        var silent = Stopwatch.GetElapsedTime(since);
        if (silent.TotalSeconds < limits.MaxSilentSeconds && (silent + Stopwatch.GetElapsedTime(0, waited)).TotalSeconds < limits.MaxDecoderSeconds) return;
        stoppedFor ??= Exceeded();
        Kill();
    }

    private void Kill()
    {
        try { process.Kill(); }
        catch (InvalidOperationException) { /* it has ended by itself */ }
    }

    private static string Copy(Stream source, long start, string folder, CancellationToken cancellation)
    {
        string path = Path.Combine(folder, $"domainssl-{Guid.NewGuid():N}.tmp");
        try
        {
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            using var copy = new FileStream(path, options);
            source.Position = start;
            var block = new byte[1 << 20];
            for (int read; (read = source.Read(block)) > 0;)
            {
                cancellation.ThrowIfCancellationRequested();
                copy.Write(block, 0, read);
            }
            return path;
        }
        catch
        {
            Remove(path);
            throw;
        }
    }

    private static void Remove(string? path)
    {
        try { if (path is not null) File.Delete(path); }
        catch (IOException) { /* an open handle elsewhere; the system clears its folder itself */ }
    }

    private static AudioException Exceeded() => new(AudioError.Limit, "Decoding the file took more time or memory than a recording needs; it may be damaged. Export it again as WAV.");

    private static AudioException Missing(Exception? inner = null) => new(AudioError.NoDecoder,
        "This kind of recording is decoded by ffmpeg, which is not installed here; install it (Debian: apt install ffmpeg) or export the recording as WAV.", inner);

    [GeneratedRegex(@"^\[info\] Stream mapping:\n\[info\]   Stream #0:\d+ -> #0:0 \((\w{1,24}) \(", RegexOptions.Multiline)]
    private static partial Regex Mapping();

    [GeneratedRegex(@"^\[info\]   Duration: (\d+):(\d\d):(\d\d(?:\.\d+)?)", RegexOptions.Multiline)]
    private static partial Regex Duration();

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct ResourceLimit(ulong Soft, ulong Hard);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int prlimit(int pid, int resource, in ResourceLimit bound, nint old);
}
