using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using DomainSsl.Core.Database;
using Microsoft.EntityFrameworkCore;

namespace DomainSsl.Core.Audit;

/// <summary>What is to be written into the audit log.</summary>
/// <param name="At">When it was done (UTC).</param>
/// <param name="Who">By whom.</param>
/// <param name="Action">Verb in the past.</param>
/// <param name="Subject">To what.</param>
public sealed record AuditDeed(DateTime At, string Who, string Action, string Subject);

/// <summary>The audit log: a hash chain of who saw, changed, trained, promoted, exported what, when.</summary>
public sealed class AuditLog(IDbContextFactory<DomainSslContext> factory, TimeProvider time)
{
    /// <summary>
    /// Adds an entry to a context whose caller holds a write transaction (<c>BeginTransactionAsync</c> on SQLite takes the write lock at once), so that entry and deed
    /// are committed together and no two writers extend the chain from the same link.
    /// </summary>
    public async Task AppendAsync(DomainSslContext db, string who, string action, string subject, string details = "", CancellationToken cancel = default)
    {
        if (db.Database.CurrentTransaction is null) throw new InvalidOperationException("An audit entry needs its caller's transaction.");
        await db.SaveChangesAsync(cancel); // so that entries added before in this transaction are seen below
        db.Audit.Add(Next(await LastAsync(db, cancel), time.GetUtcNow().UtcDateTime, who, action, subject, details));
        await db.SaveChangesAsync(cancel);
    }

    /// <summary>Records a deed that has no transaction of its own, e.g. that somebody looked at a study.</summary>
    public async Task RecordAsync(string who, string action, string subject, string details = "", CancellationToken cancel = default)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        await AppendAsync(db, who, action, subject, details, cancel);
        await transaction.CommitAsync(cancel);
    }

    /// <summary>Records many deeds at once, in this order; each keeps the time at which it was done.</summary>
    public async Task RecordAsync(IReadOnlyList<AuditDeed> deeds, CancellationToken cancel = default)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        var last = await LastAsync(db, cancel);
        foreach (var deed in deeds) db.Audit.Add(last = Next(last, deed.At, deed.Who, deed.Action, deed.Subject, ""));
        await db.SaveChangesAsync(cancel);
        await transaction.CommitAsync(cancel);
    }

    /// <summary>Walks the chain; the id of the first entry that does not fit, or null where all do.</summary>
    public async Task<long?> FirstBrokenAsync(CancellationToken cancel = default)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        var (previous, expected) = ("", 1L);
        await foreach (var entry in db.Audit.AsNoTracking().OrderBy(a => a.Id).AsAsyncEnumerable().WithCancellation(cancel))
        {
            if (entry.Id != expected || entry.PreviousHash != previous || entry.Hash != HashOf(entry)) return entry.Id;
            (previous, expected) = (entry.Hash, expected + 1);
        }
        return null;
    }

    private static Task<AuditEntry?> LastAsync(DomainSslContext db, CancellationToken cancel) => db.Audit.AsNoTracking().OrderByDescending(a => a.Id).FirstOrDefaultAsync(cancel);

    private static AuditEntry Next(AuditEntry? last, DateTime at, string who, string action, string subject, string details)
    {
        var entry = new AuditEntry { Id = (last?.Id ?? 0) + 1, At = at, Who = who, Action = action, Subject = subject, Details = details, PreviousHash = last?.Hash ?? "", Hash = "" };
        entry.Hash = HashOf(entry);
        return entry;
    }

    private static string HashOf(AuditEntry e) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(
        JsonSerializer.Serialize(new object[] { e.Id, e.At.Ticks, e.Who, e.Action, e.Subject, e.Details, e.PreviousHash }))));
}
