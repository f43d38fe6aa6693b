using System.Text.Json;
using DomainSsl.Core.Audit;
using DomainSsl.Core.Database;
using DomainSsl.Core.Library;
using Microsoft.EntityFrameworkCore;

namespace DomainSsl.Core.Importing;

/// <summary>Imports and what they refused. Names of files may hold names of patients: for administrators alone.</summary>
public sealed class Quarantine(IDbContextFactory<DomainSslContext> factory, AuditLog audit)
{
    /// <summary>A page of refused files, newest first; of one import, or of all.</summary>
    public async Task<Page<QuarantinedFile>> PageAsync(long? batchId = null, int skip = 0, int take = 50, CancellationToken cancel = default)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        var files = db.Quarantine.AsNoTracking();
        if (batchId is { } id) files = files.Where(q => q.BatchId == id);
        return new Page<QuarantinedFile>(await files.OrderByDescending(q => q.At).ThenByDescending(q => q.Id).Skip(skip).Take(take).ToListAsync(cancel), await files.CountAsync(cancel));
    }

    /// <summary>Takes refused files off the list. The audit log has how many, why they were refused, and of which imports; no names.</summary>
    /// <returns>How many there were; others were gone already.</returns>
    public async Task<int> DismissAsync(IReadOnlyCollection<long> ids, string by, CancellationToken cancel = default)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        var files = await db.Quarantine.Where(q => ids.Contains(q.Id)).ToListAsync(cancel);
        if (files.Count == 0) return 0;
        db.Quarantine.RemoveRange(files);
        var codes = files.CountBy(q => q.Code).OrderBy(c => c.Key, StringComparer.Ordinal).ToDictionary();
        var details = JsonSerializer.Serialize(new { codes, imports = files.Select(q => q.BatchId).Distinct().Order() });
        await audit.AppendAsync(db, by, "dismissed", files.Count == 1 ? "1 refused file" : $"{files.Count} refused files", details, cancel);
        await transaction.CommitAsync(cancel);
        return files.Count;
    }

    /// <summary>A page of imports, newest first.</summary>
    public async Task<Page<ImportBatch>> ImportsAsync(int skip = 0, int take = 20, CancellationToken cancel = default)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        return new Page<ImportBatch>(await db.ImportBatches.AsNoTracking().OrderByDescending(b => b.Id).Skip(skip).Take(take).ToListAsync(cancel), await db.ImportBatches.CountAsync(cancel));
    }
}
