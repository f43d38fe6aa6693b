using DomainSsl.Core.Database;
using DomainSsl.Core.Runs;
using Microsoft.EntityFrameworkCore;

namespace DomainSsl.Core.Storage;

/// <summary>
/// Removes blobs that no row names: a killed import leaves them between storing and committing, and reports that a language model has learnt from are not kept. Only those a day old go, so that an import
/// under way loses nothing: a blob put again counts as new.
/// </summary>
public sealed class OrphanSweep(IDbContextFactory<DomainSslContext> factory, IBlobStore blobs, TimeProvider time)
{
    /// <summary>An orphan younger than this may belong to an import that is about to commit.</summary>
    public static readonly TimeSpan Age = TimeSpan.FromDays(1);

    /// <summary>Removes old orphans.</summary>
    /// <returns>How many, and how many bytes were freed.</returns>
    public async Task<(int Files, long Bytes)> SweepAsync(CancellationToken cancel = default)
    {
        var before = time.GetUtcNow().UtcDateTime - Age;
        var (files, bytes) = (0, 0L);
        foreach (var some in blobs.All().Chunk(1000))
        {
            cancel.ThrowIfCancellationRequested();
            await using var db = await factory.CreateDbContextAsync(cancel);
            // Nearly always all are named: then nobody who writes has to wait for us.
            var seen = await NamedAsync(db, some, cancel);
            string[] orphans = [.. some.Where(h => !seen.Contains(h))];
            if (orphans.Length == 0) continue;
            // The write lock is held while we look again and remove, so no import commits a row in between.
            await using var transaction = await db.Database.BeginTransactionAsync(cancel);
            var named = await NamedAsync(db, orphans, cancel);
            foreach (var hash in orphans.Where(h => !named.Contains(h)))
            {
                long freed = blobs.RemoveIfOlder(hash, before);
                if (freed > 0) (files, bytes) = (files + 1, bytes + freed);
            }
        }
        return (files, bytes);
    }

    private static async Task<HashSet<string>> NamedAsync(DomainSslContext db, string[] hashes, CancellationToken cancel)
    {
        var named = new HashSet<string>(StringComparer.Ordinal);
        named.UnionWith(await db.Instances.Where(i => hashes.Contains(i.BlobHash)).Select(i => i.BlobHash).ToListAsync(cancel));
        named.UnionWith(await db.Instances.Where(i => hashes.Contains(i.OriginalBlobHash)).Select(i => i.OriginalBlobHash!).ToListAsync(cancel));
        named.UnionWith(await db.Recordings.Where(r => hashes.Contains(r.BlobHash)).Select(r => r.BlobHash).ToListAsync(cancel));
        named.UnionWith(await db.Recordings.Where(r => hashes.Contains(r.PeaksBlobHash)).Select(r => r.PeaksBlobHash!).ToListAsync(cancel));
        named.UnionWith(await db.Recordings.Where(r => hashes.Contains(r.SpectrogramBlobHash)).Select(r => r.SpectrogramBlobHash!).ToListAsync(cancel));
        named.UnionWith(await db.Recordings.Where(r => hashes.Contains(r.OriginalBlobHash)).Select(r => r.OriginalBlobHash!).ToListAsync(cancel));
        // Texts of language models are named in the requests of their runs alone, and kept until one has learnt from them: they are reports, with names in them.
        foreach (var request in await db.Runs.Where(r => r.Kind == RunKind.Language && r.State != RunState.Done).Select(r => r.Request).ToListAsync(cancel))
            named.UnionWith(hashes.Where(h => request.Contains(h, StringComparison.Ordinal)));
        return named;
    }
}
