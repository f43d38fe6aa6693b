using System.Security.Cryptography;
using System.Text;
using DomainSsl.Core.Audit;
using DomainSsl.Core.Database;
using Microsoft.EntityFrameworkCore;

namespace DomainSsl.Core.Collections;

/// <summary>Freezing: from then on a collection never changes, and its hash says what is in it.</summary>
public static class CollectionFreeze
{
    /// <summary>Freezes a collection within its caller's write transaction; one that is frozen already stays as it is. Its hash is the SHA-256 (hex) of its items' hashes,
    /// sorted by their bytes, each followed by a line feed: the same items have the same hash in whatever order and on whatever machine they were imported.</summary>
    public static async Task FreezeAsync(DomainSslContext db, AuditLog audit, Collection collection, string by, DateTime now, CancellationToken cancel = default)
    {
        if (collection.FrozenAt is not null) return;
        using var sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var (items, patients) = (0, new HashSet<long>());
        var members = db.CollectionItems.AsNoTracking().Where(c => c.CollectionId == collection.Id).OrderBy(c => c.Item!.Hash)
            .Select(c => new { c.Item!.Hash, c.Item.PatientId });
        await foreach (var member in members.AsAsyncEnumerable().WithCancellation(cancel))
        {
            sha.AppendData(Encoding.ASCII.GetBytes(member.Hash + "\n"));
            items++;
            if (member.PatientId is { } patient) patients.Add(patient);
        }
        (collection.Items, collection.Patients, collection.FrozenAt) = (items, patients.Count, now);
        collection.Hash = Convert.ToHexStringLower(sha.GetHashAndReset());
        await audit.AppendAsync(db, by, "froze", $"collection {collection.Name}", $"{items} items, {collection.Hash}", cancel);
    }
}
