using DomainSsl.Core.Database;
using DomainSsl.Core.Library;
using Microsoft.EntityFrameworkCore;

namespace DomainSsl.Core.Audit;

/// <summary>What to show of the audit log.</summary>
/// <param name="Who">Only this person's deeds.</param>
/// <param name="Action">Only this verb.</param>
/// <param name="Text">Found in subject or details.</param>
public sealed record AuditFilter(string? Who = null, string? Action = null, string? Text = null);

/// <summary>Pages of the audit log, newest first.</summary>
public sealed class AuditQuery(IDbContextFactory<DomainSslContext> factory)
{
    /// <summary>A page of entries.</summary>
    public async Task<Page<AuditEntry>> PageAsync(AuditFilter filter, int skip = 0, int take = 50, CancellationToken cancel = default)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        var entries = db.Audit.AsNoTracking();
        if (!string.IsNullOrEmpty(filter.Who)) entries = entries.Where(a => a.Who == filter.Who);
        if (!string.IsNullOrEmpty(filter.Action)) entries = entries.Where(a => a.Action == filter.Action);
        if (!string.IsNullOrEmpty(filter.Text)) entries = entries.Where(a => a.Subject.Contains(filter.Text) || a.Details.Contains(filter.Text));
        return new Page<AuditEntry>(await entries.OrderByDescending(a => a.Id).Skip(skip).Take(take).ToListAsync(cancel), await entries.CountAsync(cancel));
    }

    /// <summary>Everybody who is in the log, for a filter's list.</summary>
    public async Task<IReadOnlyList<string>> PeopleAsync(CancellationToken cancel = default)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        return await db.Audit.Select(a => a.Who).Distinct().OrderBy(w => w).ToListAsync(cancel);
    }

    /// <summary>All verbs in the log, for a filter's list.</summary>
    public async Task<IReadOnlyList<string>> ActionsAsync(CancellationToken cancel = default)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        return await db.Audit.Select(a => a.Action).Distinct().OrderBy(a => a).ToListAsync(cancel);
    }
}
