using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using DomainSsl.Audio;
using DomainSsl.Audio.Decoding;
using DomainSsl.Core.Audit;
using DomainSsl.Core.Collections;
using DomainSsl.Core.Database;
using DomainSsl.Core.Library;
using DomainSsl.Core.Storage;
using DomainSsl.Core.Transcripts;
using DomainSsl.Dicom;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;

namespace DomainSsl.Core.Importing;

/// <summary>
/// Brings files into the library. A walk finds them, workers on all cores read, check, de-identify and store each, and one writer commits rows and audit entry for up to a
/// hundred at a time:
/// <code>walk ──(8 sources)──► workers: sniff → hash → known? → parse → decode → de-identify → blob ──(200)──► writer: one transaction a batch → progress</code>
/// A blob is on the disk before the row that names it, and progress is told after the commit: killed at any moment, the library holds whole images only, each once, and the
/// same import run again brings the rest. Several imports may run at once, also from several processes. One that was cut off may be gone on with (<see cref="ImportRequest.Continues"/>): it stays one import.
/// </summary>
public sealed partial class LibraryImport(
    IDbContextFactory<DomainSslContext> factory, IBlobStore blobs, Secrets secrets, AuditLog audit, DataFolder folder, ImportOptions options, SpeechNetwork speech,
    TranscriptService transcripts, TimeProvider time, ILogger<LibraryImport> logger)
{
    private const int BatchSize = 100;
    private static readonly TimeSpan BatchWait = TimeSpan.FromMilliseconds(300);
    private readonly SoundPreparation _sounds = new(blobs, speech, folder, options);

    /// <summary>Imports files, folders, zips, DICOMDIRs and tables (their column <c>file</c>, relative to the table; <c>patient</c> and <c>speaker</c> where given, and <c>text</c>, which becomes the recording's transcript).</summary>
    /// <param name="paths">What to import.</param>
    /// <param name="request">Who imports, and into which collection.</param>
    /// <param name="progress">Told after each commit.</param>
    /// <param name="cancel">Stops between files; what is committed stays.</param>
    /// <exception cref="RefusedException">The collection's name cannot be one.</exception>
    public async Task<ImportSummary> ImportAsync(IReadOnlyList<string> paths, ImportRequest request, IProgress<ImportProgress>? progress = null, CancellationToken cancel = default)
    {
        var name = request.CollectionName is null ? null : CollectionNames.Check(request.CollectionName);
        var (batch, begunAt) = await BeginAsync(request, name, cancel);
        request.Begun?.Invoke(batch.Id);
        var writer = new ImportWriter(factory, audit, transcripts, time, batch.Id, begunAt, batch.CollectionId, request.By);
        var walk = new SourceWalk(options, folder, request.Names);
        int workers = options.Workers > 0 ? options.Workers : Environment.ProcessorCount + 2;
        var sources = Channel.CreateBounded<ImportSource>(8);
        var prepared = Channel.CreateBounded<Prepared>(2 * BatchSize);
        // Stops everybody where one of them fails, e.g. on a full disk.
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        using var memory = new ByteBudget(1L << 30);

        var walking = Guard(async () =>
        {
            try
            {
                foreach (var source in walk.Sources(paths, stop.Token)) await sources.Writer.WriteAsync(source, stop.Token);
            }
            finally { sources.Writer.Complete(); }
        });
        bool keep = request.KeepOriginals ?? options.KeepOriginals;
        var preparing = Task.WhenAll(Enumerable.Range(0, workers).Select(_ => Guard(async () =>
        {
            await foreach (var source in sources.Reader.ReadAllAsync(stop.Token))
            {
                using (source) await prepared.Writer.WriteAsync(await PrepareAsync(source, keep, memory, stop.Token) with { Text = request.Texts ? source.Text : null }, stop.Token);
            }
        })));
        var committing = Guard(async () =>
        {
            var group = new List<Prepared>(BatchSize);
            while (await NextGroupAsync(prepared.Reader, group))
            {
                blobs.Flush();
                // What the workers finished is committed also after a cancel: that is what "done stays done" means.
                var latest = await writer.CommitAsync(group, CancellationToken.None);
                progress?.Report(writer.Progress(walk.Total, latest));
            }
        });

        var reading = Task.WhenAll(walking, preparing);
        await ((Task)reading).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        prepared.Writer.Complete();
        while (sources.Reader.TryRead(out var left)) left.Dispose();
        await committing;
        await writer.EndAsync(CancellationToken.None);
        cancel.ThrowIfCancellationRequested();
        await reading; // a failure of one stage cancels the others; the failure is what is thrown here
        return writer.Summary();

        Task Guard(Func<Task> work) => Task.Run(async () =>
        {
            try { await work(); }
            catch { await stop.CancelAsync(); throw; }
        }, CancellationToken.None);
    }

    private async Task<(ImportBatch Batch, DateTime? BegunAt)> BeginAsync(ImportRequest request, string? collectionName, CancellationToken cancel)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        var now = time.GetUtcNow().UtcDateTime;
        Collection? collection = null;
        if (collectionName is not null)
        {
            collection = await db.Collections.SingleOrDefaultAsync(c => c.Name == collectionName, cancel);
            if (collection is null)
            {
                db.Collections.Add(collection = new Collection { Name = collectionName, By = request.By, CreatedAt = now });
                await audit.AppendAsync(db, request.By, "created", $"collection {collectionName}", "", cancel);
            }
        }
        var cutOff = request.Continues is { } id ? await db.ImportBatches.SingleOrDefaultAsync(b => b.Id == id && b.By == request.By, cancel) : null;
        var batch = cutOff ?? db.ImportBatches.Add(new ImportBatch { By = request.By, StartedAt = now }).Entity;
        if (cutOff is not null)
        {
            // Its files all come by once more, and are counted as they do.
            (cutOff.EndedAt, cutOff.Files, cutOff.Imported, cutOff.Duplicates, cutOff.Refused) = (null, 0, 0, 0, 0);
            await db.Quarantine.Where(q => q.BatchId == cutOff.Id).ExecuteDeleteAsync(cancel);
        }
        await db.SaveChangesAsync(cancel);
        batch.CollectionId = collection?.Id;
        await db.SaveChangesAsync(cancel);
        await transaction.CommitAsync(cancel);
        return (batch, cutOff?.StartedAt);
    }

    private static async Task<bool> NextGroupAsync(ChannelReader<Prepared> reader, List<Prepared> group)
    {
        group.Clear();
        if (!await reader.WaitToReadAsync()) return false;
        using var wait = new CancellationTokenSource(BatchWait);
        while (group.Count < BatchSize)
        {
            if (reader.TryRead(out var one)) { group.Add(one); continue; }
            try { if (!await reader.WaitToReadAsync(wait.Token)) break; }
            catch (OperationCanceledException) { break; }
        }
        return group.Count > 0;
    }

    private async Task<Prepared> PrepareAsync(ImportSource source, bool keepOriginal, ByteBudget memory, CancellationToken cancel)
    {
        if (source.Refusal is not null) return new PreparedRefusal(source.Name, source.Length, source.Refusal);
        long length = source.Length;
        try
        {
            bool isSound = ImportSource.Reading(() => IsSound(source));
            // A scan as read, as written, and a frame decoded; a sound goes by in blocks.
            using var room = await memory.TakeAsync(isSound ? SoundPreparation.Memory : 3 * source.Length, cancel);
            if (isSound) return await PrepareSoundAsync(source, keepOriginal, cancel);
            var bytes = source.Read();
            length = bytes.Length;
            if (bytes.Length == 0) return new PreparedRefusal(source.Name, 0, ImportRefusals.Empty);
            var hash = Convert.ToHexStringLower(SHA256.HashData(bytes));
            if (await IsKnownAsync(hash, cancel)) return new PreparedDuplicate(source.Name, length, hash, source.Patient is null ? null : ScanPreparation.WhoseOf(ScanPreparation.Read(bytes), source.Patient, secrets));
            return ScanPreparation.Prepare(source, bytes, hash, secrets, blobs, keepOriginal);
        }
        catch (DicomException e) when (e.Code == DicomErrors.NotDicom) { return new PreparedRefusal(source.Name, length, ImportRefusals.UnknownKind); }
        catch (DicomException e) { return new PreparedRefusal(source.Name, length, new Refusal(e.Code, e.Message)); }
        catch (AudioException e) { return new PreparedRefusal(source.Name, length, new Refusal(e.Code, e.Message)); }
        catch (RefusedException e) { return new PreparedRefusal(source.Name, length, e.Refusal); }
        catch (Exception e) when (e is not (OperationCanceledException or IOException or UnauthorizedAccessException or Microsoft.Data.Sqlite.SqliteException))
        {
            // A fault of ours on one file must not stop the other thousand; the name stays out of the log.
            UnexpectedFault(logger, e, length);
            return new PreparedRefusal(source.Name, length, ImportRefusals.Unexpected(e.GetType().Name));
        }
    }

    /// <summary>Whether a file is a sound, by its first bytes.</summary>
    internal static bool IsSound(ImportSource source)
    {
        using var stream = source.Open();
        var first = new byte[4096]; // the first frames of MPEG sound; all else tells itself in 12
        return SoundFile.IsSound(first.AsSpan(0, stream.ReadAtLeast(first, first.Length, throwOnEndOfStream: false)));
    }

    private async Task<Prepared> PrepareSoundAsync(ImportSource source, bool keepOriginal, CancellationToken cancel)
    {
        using var stream = source.Open();
        var before = Written();
        var hash = Convert.ToHexStringLower(ImportSource.Reading(() => SHA256.HashData(stream)));
        var whose = (source.Speaker ?? source.Patient) is { } told ? new Whose(secrets.SpeakerPseudonym(told)) : null;
        if (await IsKnownAsync(hash, cancel)) return new PreparedDuplicate(source.Name, source.Length, hash, whose);
        Recording recording;
        try { recording = _sounds.Prepare(stream, hash, keepOriginal, cancel); }
        // A medium that fails is the file's fault and refuses it; a disk of ours that is full ends the import.
        catch (IOException) when (Unreadable(stream) is { } refusal) { return new PreparedRefusal(source.Name, source.Length, refusal); }
        if (Written() != before) return new PreparedRefusal(source.Name, source.Length, ImportRefusals.Changing);
        return new PreparedSound(source.Name, source.Length, hash, recording, whose);

        // It is read twice, hashed and decoded: both must have seen the same.
        (long, DateTime) Written() => stream is FileStream file ? (file.Length, File.GetLastWriteTimeUtc(file.SafeFileHandle)) : default;
    }

    private static Refusal? Unreadable(Stream stream)
    {
        try
        {
            stream.Position = 0;
            stream.CopyTo(Stream.Null);
            return null;
        }
        catch (IOException e) { return ImportRefusals.Unreadable(e.Message); }
    }

    private async Task<bool> IsKnownAsync(string hash, CancellationToken cancel)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        // One question instead of three: it is asked for every file.
        return await db.Database.SqlQuery<int>($"""
            SELECT EXISTS (SELECT 1 FROM "Instances" WHERE "SourceHash" = {hash}) OR EXISTS (SELECT 1 FROM "Recordings" WHERE "SourceHash" = {hash})
                OR EXISTS (SELECT 1 FROM "SourceAliases" WHERE "SourceHash" = {hash}) AS "Value"
            """).SingleAsync(cancel) == 1;
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "An import met a fault in a file of {Length} bytes")]
    private static partial void UnexpectedFault(ILogger logger, Exception e, long length);

    /// <summary>Lets in so many bytes at a time; what is larger than all of it goes alone.</summary>
    private sealed class ByteBudget(long most) : IDisposable
    {
        private const int Unit = 1 << 20;
        private readonly int _units = (int)(most / Unit);
        private readonly SemaphoreSlim _free = new((int)(most / Unit));
        private readonly SemaphoreSlim _turn = new(1);

        public async Task<IDisposable> TakeAsync(long bytes, CancellationToken cancel)
        {
            int units = (int)Math.Clamp(bytes / Unit + 1, 1, _units), taken = 0;
            await _turn.WaitAsync(cancel); // one at a time, so that two large ones cannot each hold half
            try
            {
                for (; taken < units; taken++) await _free.WaitAsync(cancel);
            }
            catch
            {
                if (taken > 0) _free.Release(taken);
                throw;
            }
            finally { _turn.Release(); }
            return new Taken(_free, units);
        }

        public void Dispose()
        {
            _free.Dispose();
            _turn.Dispose();
        }

        private sealed class Taken(SemaphoreSlim free, int units) : IDisposable
        {
            public void Dispose() => free.Release(units);
        }
    }
}
