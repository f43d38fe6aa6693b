using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using DomainSsl.Core;
using DomainSsl.Core.Importing;
using DomainSsl.Core.Storage;

namespace DomainSsl.Web.Receiving;

/// <summary>Where an upload stands.</summary>
public enum UploadState
{
    /// <summary>Files are coming in.</summary>
    Receiving,
    /// <summary>All is here and is being imported.</summary>
    Importing,
    /// <summary>Imported; what was refused lies in quarantine.</summary>
    Done,
    /// <summary>The import itself failed, e.g. on a full disk.</summary>
    Failed,
}

/// <summary>An upload as its page sees it.</summary>
/// <param name="Id">Names its folder and its page.</param>
/// <param name="By">Who uploads.</param>
/// <param name="State">Where it stands.</param>
/// <param name="Received">Files that have arrived.</param>
/// <param name="Progress">How far the import is; null before it began.</param>
/// <param name="Latest">The files that ended last, newest first, at most <see cref="Uploads.Remembered"/>.</param>
/// <param name="BatchId">The import's row, once it began.</param>
/// <param name="CollectionId">The collection it went into.</param>
/// <param name="Problem">What went wrong, as a sentence.</param>
public sealed record UploadStatus(string Id, string By, UploadState State, int Received, ImportProgress? Progress, IReadOnlyList<ImportedFile> Latest, long? BatchId, long? CollectionId, string? Problem);

/// <summary>
/// Files on their way from a browser into the library. Pieces are appended to <c>incoming/ID/</c>; when all are there, the folder is imported in the background. What an upload is and how far it got is
/// written beside its files, so a reloaded page finds it again, and a site that was killed takes an import up where it was: importing twice changes nothing, and it stays one import.
/// </summary>
public sealed class Uploads(DataFolder folder, LibraryImport import, ILogger<Uploads> log) : BackgroundService
{
    /// <summary>Files whose end is shown.</summary>
    public const int Remembered = 200;

    /// <summary>Most files of one upload.</summary>
    public const int MostFiles = 200_000;

    // An upload may wait over a weekend for its page to come back; what it was is known for a week.
    private static readonly TimeSpan UnfinishedFor = TimeSpan.FromDays(3), KnownFor = TimeSpan.FromDays(7), SweepEvery = TimeSpan.FromHours(1);
    private readonly ConcurrentDictionary<string, Upload> _uploads = new();
    private readonly CancellationTokenSource _stopping = new();
    private Upload[] _interrupted = [];

    /// <summary>Opens an upload.</summary>
    public string Begin(string by)
    {
        var id = RandomNumberGenerator.GetString("abcdefghjkmnpqrstuvwxyz23456789", 16);
        var upload = new Upload(Path.Combine(folder.Incoming, id), new Manifest(id, by, UploadState.Receiving, DateTime.UtcNow));
        Directory.CreateDirectory(upload.Folder);
        upload.Write();
        _uploads[id] = upload;
        return id;
    }

    /// <summary>Takes a piece of a file. The same piece sent twice is stored once.</summary>
    /// <returns>How many bytes of the file are here now.</returns>
    /// <exception cref="RefusedException">There is no such upload, it is closed, or a piece before this one is missing.</exception>
    public async Task<long> ReceiveAsync(string id, string by, int number, string name, long from, Stream body, CancellationToken cancel)
    {
        var upload = Find(id, by);
        if (upload.Manifest.State != UploadState.Receiving) throw new RefusedException("upload-closed", "This upload is complete already. Drop further files as a new one.");
        if (number is < 0 or >= MostFiles) throw new RefusedException("upload-too-many", $"At most {MostFiles:#,0} files go into one upload. Drop them in parts, or use domainssl import.");
        // The name is only ever shown; the file lies under its number, and its name beside it: a site killed now must still know of it when the rest has come.
        var path = Path.Combine(upload.Folder, number.ToString(CultureInfo.InvariantCulture) + ".part");
        if (!upload.Names.ContainsKey(number)) await File.WriteAllTextAsync(Path.ChangeExtension(path, ".name"), name, cancel);
        await using var file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.Write, FileShare.None);
        if (from > file.Length) throw new RefusedException("upload-gap", "A piece of this file is missing. Drop it again.");
        file.Position = from;
        await body.CopyToAsync(file, cancel);
        if (file.Position < file.Length) file.SetLength(file.Position);
        upload.Names[number] = name;
        return file.Length;
    }

    /// <summary>Closes an upload and imports it in the background. Asked for twice, it is done once.</summary>
    /// <exception cref="RefusedException">There is no such upload.</exception>
    public void Start(string id, string by, string? collection)
    {
        var upload = Find(id, by);
        lock (upload)
        {
            if (upload.Manifest.State != UploadState.Receiving) return;
            upload.Manifest = upload.Manifest with { State = UploadState.Importing, Collection = string.IsNullOrWhiteSpace(collection) ? null : collection.Trim(), Names = upload.Names.ToDictionary() };
            upload.Write();
        }
        upload.Changed();
        _ = Task.Run(() => ImportAsync(upload), CancellationToken.None);
    }

    /// <summary>How an upload stands; null where it is not known (any more).</summary>
    public UploadStatus? Status(string id) => _uploads.TryGetValue(id, out var upload) ? upload.Status() : null;

    /// <summary>Calls back whenever an upload moved on, from any thread, until what this returns is disposed.</summary>
    public IDisposable Subscribe(string id, Action changed) => _uploads.TryGetValue(id, out var upload) ? upload.Subscribe(changed) : new Nothing();

    /// <summary>Finds what a killed site left behind, and clears what is old: before the site answers, since a page that comes back asks for its upload at once.</summary>
    public override Task StartAsync(CancellationToken cancellationToken)
    {
        foreach (var path in Directory.GetDirectories(folder.Incoming))
        {
            if (Upload.Read(path) is { } upload) _uploads.TryAdd(upload.Manifest.Id, upload);
            else if (Directory.GetLastWriteTimeUtc(path) < DateTime.UtcNow - UnfinishedFor) Directory.Delete(path, recursive: true);
        }
        Sweep();
        _interrupted = [.. _uploads.Values.Where(u => u.Manifest.State == UploadState.Importing)];
        return base.StartAsync(cancellationToken);
    }

    /// <summary>Takes up the imports that were under way, then sees to it that what was dropped does not lie about: the files are not yet de-identified.</summary>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var _ = stoppingToken.Register(_stopping.Cancel);
        foreach (var upload in _interrupted) await ImportAsync(upload);
        using var timer = new PeriodicTimer(SweepEvery);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken)) Sweep();
        }
        catch (OperationCanceledException) { /* the site is being stopped */ }
    }

    private void Sweep()
    {
        foreach (var upload in _uploads.Values)
        {
            try
            {
                var old = DateTime.UtcNow - upload.LastWrite;
                if (upload.Manifest.State is UploadState.Done or UploadState.Failed) upload.DeleteFiles();
                if (upload.Manifest.State == UploadState.Importing || old < (upload.Manifest.State == UploadState.Receiving ? UnfinishedFor : KnownFor)) continue;
                _uploads.TryRemove(upload.Manifest.Id, out Upload? _);
                Directory.Delete(upload.Folder, recursive: true);
            }
            catch (IOException e) { log.LogWarning(e, "What upload {Id} left could not be deleted; it is tried again in an hour.", upload.Manifest.Id); }
        }
    }

    private async Task ImportAsync(Upload upload)
    {
        try
        {
            var names = upload.Manifest.Names.ToDictionary(n => Path.Combine(upload.Folder, $"{n.Key}.part"), n => n.Value);
            var paths = upload.Manifest.Names.Keys.Order().Select(n => Path.Combine(upload.Folder, $"{n}.part")).ToArray();
            var request = new ImportRequest(upload.Manifest.By, upload.Manifest.Collection, Names: names, Continues: upload.Manifest.BatchId, Begun: batch =>
            {
                upload.Manifest = upload.Manifest with { BatchId = batch };
                upload.Write();
            });
            var summary = await import.ImportAsync(paths, request, new Report(upload.Report), _stopping.Token);
            upload.Manifest = upload.Manifest with
            {
                State = UploadState.Done,
                BatchId = summary.BatchId,
                CollectionId = summary.CollectionId,
                Imported = summary.Imported,
                Duplicates = summary.Duplicates,
                Refused = summary.Refused.Count,
                Names = [],
            };
            upload.Write();
            upload.DeleteFiles();
        }
        catch (OperationCanceledException) { return; } // the site is being stopped; the next one goes on
        catch (Exception e)
        {
            if (e is not RefusedException) log.LogError(e, "Import of upload {Id} failed.", upload.Manifest.Id);
            upload.Manifest = upload.Manifest with
            {
                State = UploadState.Failed,
                Problem = e is RefusedException refused ? refused.Refusal.Sentence : "The import stopped because of a fault; what was imported before is safe. Look at System, then drop the files again.",
                Names = [],
            };
            upload.Write();
            upload.DeleteFiles();
        }
        upload.Changed();
    }

    private Upload Find(string id, string by) => _uploads.TryGetValue(id, out var upload) && upload.Manifest.By == by
        ? upload : throw new RefusedException("upload-unknown", "This upload is not known any more. Drop the files again; what came before is not imported twice.");

    /// <inheritdoc />
    public override void Dispose()
    {
        _stopping.Dispose();
        base.Dispose();
    }

    private sealed record Manifest(string Id, string By, UploadState State, DateTime At)
    {
        public string? Collection { get; init; }
        public Dictionary<int, string> Names { get; init; } = [];
        public long? BatchId { get; init; }
        public long? CollectionId { get; init; }
        public int Imported { get; init; }
        public int Duplicates { get; init; }
        public int Refused { get; init; }
        public string? Problem { get; init; }
    }

    private sealed class Upload(string path, Manifest manifest)
    {
        private readonly List<Action> _listeners = [];
        private readonly LinkedList<ImportedFile> _latest = new();
        private ImportProgress? _progress;

        public string Folder { get; } = path;
        public Manifest Manifest { get; set; } = manifest;
        public ConcurrentDictionary<int, string> Names { get; } = new();

        public static Upload? Read(string path)
        {
            try
            {
                if (JsonSerializer.Deserialize<Manifest>(File.ReadAllBytes(Path.Combine(path, "upload.json"))) is not { } manifest) return null;
                var upload = new Upload(path, manifest);
                foreach (var file in Directory.EnumerateFiles(path, "*.name"))
                    if (int.TryParse(Path.GetFileNameWithoutExtension(file), CultureInfo.InvariantCulture, out var number)) upload.Names[number] = File.ReadAllText(file);
                return upload;
            }
            catch (Exception e) when (e is IOException or JsonException) { return null; }
        }

        public void Write()
        {
            var temporary = Path.Combine(Folder, "upload.json.new");
            File.WriteAllBytes(temporary, JsonSerializer.SerializeToUtf8Bytes(Manifest));
            File.Move(temporary, Path.Combine(Folder, "upload.json"), overwrite: true);
        }

        /// <summary>When anything of it was last written.</summary>
        public DateTime LastWrite => new DirectoryInfo(Folder).EnumerateFiles().Select(f => f.LastWriteTimeUtc).DefaultIfEmpty(Manifest.At).Max();

        /// <summary>Deletes what was dropped, and its names.</summary>
        public void DeleteFiles()
        {
            foreach (var pattern in (string[])["*.part", "*.name"])
                foreach (var path in Directory.GetFiles(Folder, pattern)) File.Delete(path);
        }

        public void Report(ImportProgress progress)
        {
            lock (_latest)
            {
                _progress = progress;
                foreach (var file in progress.Latest) _latest.AddFirst(file);
                while (_latest.Count > Remembered) _latest.RemoveLast();
            }
            Changed();
        }

        public UploadStatus Status()
        {
            lock (_latest)
            {
                var m = Manifest;
                // After a restart the counts of the manifest stand for the progress that nobody remembers.
                var progress = _progress ?? (m.State == UploadState.Done ? new ImportProgress(m.Imported + m.Duplicates + m.Refused, m.Imported + m.Duplicates + m.Refused, m.Imported, m.Duplicates, m.Refused, []) : null);
                return new UploadStatus(m.Id, m.By, m.State, Math.Max(Names.Count, m.Names.Count), progress, [.. _latest], m.BatchId, m.CollectionId, m.Problem);
            }
        }

        public Subscription Subscribe(Action changed)
        {
            lock (_listeners) _listeners.Add(changed);
            return new Subscription(() => { lock (_listeners) _listeners.Remove(changed); });
        }

        public void Changed()
        {
            Action[] now;
            lock (_listeners) now = [.. _listeners];
            foreach (var listener in now) listener();
        }
    }

    private sealed class Report(Action<ImportProgress> report) : IProgress<ImportProgress>
    {
        void IProgress<ImportProgress>.Report(ImportProgress value) => report(value);
    }

    private sealed class Subscription(Action end) : IDisposable
    {
        public void Dispose() => end();
    }

    private sealed class Nothing : IDisposable
    {
        public void Dispose() { }
    }
}
