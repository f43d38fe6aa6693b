using DomainSsl.Core.Database;
using DomainSsl.Core.Library;
using Microsoft.EntityFrameworkCore;

namespace DomainSsl.Core.Importing;

/// <summary>Imports and what they refused. Names of files may hold names of patients: for administrators alone.</summary>
public sealed class Quarantine(IDbContextFactory<DomainSslContext> factory)
{
    /// <summary>A page of refused files, newest first; of one import, or of all.</summary>
    public async Task<Page<QuarantinedFile>> PageAsync(long? batchId = null, int skip = 0, int take = 50, CancellationToken cancel = default)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        var files = db.Quarantine.AsNoTracking();
        if (batchId is { } id) files = files.Where(q => q.BatchId == id);
        return new Page<QuarantinedFile>(await files.OrderByDescending(q => q.At).ThenByDescending(q => q.Id).Skip(skip).Take(take).ToListAsync(cancel), await files.CountAsync(cancel));
    }

    /// <summary>A page of imports, newest first.</summary>
    public async Task<Page<ImportBatch>> ImportsAsync(int skip = 0, int take = 20, CancellationToken cancel = default)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        return new Page<ImportBatch>(await db.ImportBatches.AsNoTracking().OrderByDescending(b => b.Id).Skip(skip).Take(take).ToListAsync(cancel), await db.ImportBatches.CountAsync(cancel));
    }
}
