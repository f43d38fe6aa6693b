using DomainSsl.Core.Database;
using DomainSsl.Core.Library;
using Microsoft.EntityFrameworkCore;

namespace DomainSsl.Core.Collections;

/// <summary>Adding items to a collection within the caller's transaction, its counts kept.</summary>
internal static class CollectionMembers
{
    /// <summary>Adds saved items that are not members yet.</summary>
    public static async Task AddAsync(DomainSslContext db, Collection collection, IReadOnlyList<Item> items, CancellationToken cancel)
    {
        if (items.Count == 0) return;
        foreach (var item in items) db.CollectionItems.Add(new CollectionItem { CollectionId = collection.Id, ItemId = item.Id });
        var patients = items.Select(i => i.PatientId).OfType<long>().Distinct().ToList();
        var before = await db.CollectionItems.Where(c => c.CollectionId == collection.Id && patients.Contains(c.Item!.PatientId!.Value)).Select(c => c.Item!.PatientId!.Value).Distinct().CountAsync(cancel);
        collection.Items += items.Count;
        collection.Patients += patients.Count - before;
        await db.SaveChangesAsync(cancel);
    }
}

/// <summary>What a collection may be called.</summary>
internal static class CollectionNames
{
    /// <summary>The name, trimmed.</summary>
    /// <exception cref="RefusedException"><c>bad-name</c>.</exception>
    public static string Check(string name)
    {
        name = name.Trim();
        return name.Length is > 0 and <= 100 && !name.Any(c => char.IsControl(c) || c == '"') ? name
            : throw new RefusedException("bad-name", "A collection's name has 1 to 100 characters and no quotation marks; choose another.");
    }
}
