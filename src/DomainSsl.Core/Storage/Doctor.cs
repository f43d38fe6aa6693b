using System.Diagnostics;
using DomainSsl.Core.Audit;
using DomainSsl.Core.Database;
using DomainSsl.Core.Runs;
using Microsoft.EntityFrameworkCore;
using SkiaSharp;

namespace DomainSsl.Core.Storage;

/// <summary>One thing looked at.</summary>
/// <param name="Name">What.</param>
/// <param name="Ok">It is as it should be.</param>
/// <param name="Message">What was found, and, where it is not well, how to mend it.</param>
public sealed record DoctorCheck(string Name, bool Ok, string Message);

/// <summary>Looks whether machine and data folder are fit: for <c>doctor</c> and the System page. Loads no libtorch; the command does that in a process of its own.</summary>
public sealed class Doctor(DataFolder folder, IDbContextFactory<DomainSslContext> factory, AuditLog audit, IBlobStore blobs, TimeProvider time)
{
    private const long LittleRoom = 2L << 30;
    private static readonly string[] LibTorchNames = ["libtorch_cpu.so", "libtorch_cpu.dylib", "torch_cpu.dll"];

    /// <summary>All checks.</summary>
    /// <param name="everyBlob">Compare every stored file with its hash; without it only that the files named last are there.</param>
    /// <param name="cancel">Stops it.</param>
    public async Task<IReadOnlyList<DoctorCheck>> CheckAsync(bool everyBlob = false, CancellationToken cancel = default) =>
    [
        Try("folder", Folder), Try("disk", Disk), await TryAsync("database", () => DatabaseAsync(cancel)), await TryAsync("audit", () => AuditAsync(cancel)), Try("keys", Keys),
        await TryAsync("blobs", () => BlobsAsync(everyBlob, cancel)), await TryAsync("worker", () => WorkerAsync(cancel)), Try("images", Images), Try("libtorch", LibTorchFiles),
        await TryAsync("ffmpeg", () => FfmpegAsync(cancel)), Try("device", Device),
    ];

    private DoctorCheck Folder()
    {
        var probe = Path.Combine(folder.Root, $"probe-{Guid.NewGuid():N}");
        using (var stream = new FileStream(probe, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose))
        {
            stream.Write("probe"u8);
            stream.Flush(flushToDisk: true);
        }
        return new("folder", true, $"{folder.Root} can be written.");
    }

    private DoctorCheck Disk()
    {
        long free = new DriveInfo(folder.Root).AvailableFreeSpace;
        return new("disk", free > LittleRoom, $"{free / 1e9:0.0} GB are free{(free > LittleRoom ? "." : "; make room, or move the data folder to a larger disk.")}");
    }

    private async Task<DoctorCheck> DatabaseAsync(CancellationToken cancel)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        var pending = await db.Database.GetPendingMigrationsAsync(cancel);
        if (pending.Any()) return new("database", false, "The database is of an older version; start the site or any command once to bring it up to date.");
        var sound = (await db.Database.SqlQueryRaw<string>("PRAGMA quick_check").ToListAsync(cancel))[0];
        var mode = (await db.Database.SqlQueryRaw<string>("PRAGMA journal_mode").ToListAsync(cancel))[0];
        if (sound != "ok") return new("database", false, $"The database is damaged ({sound}); stop the site and restore the last backup.");
        if (mode != "wal") return new("database", false, $"The database is in mode {mode} instead of wal; put the data folder on a local disk.");
        return new("database", true, $"Sound; {await db.Items.CountAsync(cancel):#,0} items, {new FileInfo(folder.Database).Length / 1e6:0.0} MB.");
    }

    private async Task<DoctorCheck> AuditAsync(CancellationToken cancel) => await audit.FirstBrokenAsync(cancel) is { } broken
        ? new("audit", false, $"The audit log was changed at entry {broken}; keep the data folder as it is and ask who had access to the database.")
        : new("audit", true, "The audit log's chain is whole.");

    private DoctorCheck Keys()
    {
        var files = Directory.GetFiles(folder.Keys, "*.key");
        var damaged = files.FirstOrDefault(f => new FileInfo(f).Length != 32);
        if (damaged is not null) return new("keys", false, $"{Path.GetFileName(damaged)} has not 32 bytes; restore data/keys from a backup.");
        if (!OperatingSystem.IsWindows())
        {
            const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;
            foreach (var open in files)
                if ((File.GetUnixFileMode(open) & Others) != 0) return new("keys", false, $"{Path.GetFileName(open)} can be read by others; run chmod 600 {open}");
        }
        return new("keys", true, files.Length == 0 ? "No keys yet; they are made at the first import." : $"{files.Length} keys, readable by their owner alone.");
    }

    private async Task<DoctorCheck> BlobsAsync(bool every, CancellationToken cancel)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        var images = db.Instances.OrderByDescending(i => i.Id).Select(i => i.BlobHash);
        var sounds = db.Recordings.OrderByDescending(r => r.Id).Select(r => r.BlobHash);
        var named = await (every ? images : images.Take(1000)).ToListAsync(cancel);
        named.AddRange(await (every ? sounds : sounds.Take(1000)).ToListAsync(cancel));
        int bad = 0;
        string first = "";
        foreach (var hash in named)
        {
            cancel.ThrowIfCancellationRequested();
            if (every ? blobs.IsWhole(hash) : blobs.Contains(hash)) continue;
            if (bad++ == 0) first = hash;
        }
        return bad == 0 ? new("blobs", true, $"{named.Count:#,0} stored files {(every ? "match their hashes" : "are there (doctor --blobs compares all with their hashes)")}.")
            : new("blobs", false, $"{bad:#,0} of {named.Count:#,0} stored files are missing or damaged, the first {first}; restore them from a backup.");
    }

    private async Task<DoctorCheck> WorkerAsync(CancellationToken cancel)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        var now = time.GetUtcNow().UtcDateTime;
        var held = await db.Runs.CountAsync(r => r.State == RunState.Running && r.LeaseUntil > now, cancel);
        var waitingSince = now - TimeSpan.FromMinutes(2);
        var waiting = await db.Runs.CountAsync(r => r.State == RunState.Queued && r.QueuedAt < waitingSince, cancel);
        if (held > 0) return new("worker", true, "A worker is at work.");
        return waiting > 0 ? new("worker", false, $"{waiting} runs wait and no worker takes them; start one: domainssl worker (the site starts its own).") : new("worker", true, "Nothing waits for a worker.");
    }

    private static DoctorCheck Images()
    {
        using var bitmap = new SKBitmap(8, 8);
        using var encoded = bitmap.Encode(SKEncodedImageFormat.Webp, 80);
        return encoded is { Size: > 0 } ? new("images", true, "Pictures can be drawn.") : new("images", false, "Pictures cannot be encoded; build the program again for this machine.");
    }

    // By the files alone: the site runs this too, and must never load libtorch.
    private static DoctorCheck LibTorchFiles()
    {
        return LibTorchNames.Any(IsBeside) ? new("libtorch", true, "libtorch's files are there.") : new("libtorch", false, "libtorch's files are missing beside the program; build it again with dotnet build -c Release.");
    }

    private static async Task<DoctorCheck> FfmpegAsync(CancellationToken cancel)
    {
        const string Missing = "ffmpeg was not found: WAV and AIFF are read without it, compressed recordings not; install it (Debian: apt install ffmpeg).";
        try
        {
            var start = new ProcessStartInfo("ffmpeg") { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
            start.ArgumentList.Add("-version");
            using var process = Process.Start(start);
            if (process is null) return new("ffmpeg", false, Missing);
            var line = await process.StandardOutput.ReadLineAsync(cancel);
            process.Kill();
            return new("ffmpeg", true, string.Join(' ', (line ?? "").Split(' ').Take(3)) + ".");
        }
        catch (System.ComponentModel.Win32Exception) { return new("ffmpeg", false, Missing); }
    }

    private static DoctorCheck Device() => new("device", true, !File.Exists("/dev/nvidiactl") ? $"{Environment.ProcessorCount} processors, no GPU."
        : IsBeside("libtorch_cuda.so") ? "An NVIDIA GPU is there, and this build uses it." : "An NVIDIA GPU is there; build with -p:TorchBackend=cuda-12.8-linux-x64 to use it.");

    private static bool IsBeside(string file) => Directory.EnumerateFiles(AppContext.BaseDirectory, file, new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 4 }).Any();

    private static DoctorCheck Try(string name, Func<DoctorCheck> check)
    {
        try { return check(); }
        catch (Exception e) when (e is not OperationCanceledException) { return Failed(name, e); }
    }

    private static async Task<DoctorCheck> TryAsync(string name, Func<Task<DoctorCheck>> check)
    {
        try { return await check(); }
        catch (Exception e) when (e is not OperationCanceledException) { return Failed(name, e); }
    }

    private static DoctorCheck Failed(string name, Exception e) => new(name, false, $"The check itself failed: {(e.InnerException ?? e).Message}");
}
