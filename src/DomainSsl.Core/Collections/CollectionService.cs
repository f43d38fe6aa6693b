using DomainSsl.Core.Audit;
using DomainSsl.Core.Database;
using DomainSsl.Core.Library;
using Microsoft.EntityFrameworkCore;

namespace DomainSsl.Core.Collections;

/// <summary>Named sets of items: made from a filter or a selection, frozen with a hash. Importing into a frozen one is allowed only for what is in it already.</summary>
public sealed class CollectionService(IDbContextFactory<DomainSslContext> factory, AuditLog audit, TimeProvider time)
{
    /// <summary>All collections by name.</summary>
    public async Task<IReadOnlyList<Collection>> ListAsync(CancellationToken cancel = default)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        return await db.Collections.AsNoTracking().OrderBy(c => c.Name).ToListAsync(cancel);
    }

    /// <summary>A collection by name or id.</summary>
    /// <exception cref="RefusedException"><c>no-collection</c>.</exception>
    public async Task<Collection> FindAsync(string nameOrId, CancellationToken cancel = default)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        return await FindAsync(db.Collections.AsNoTracking(), nameOrId, cancel);
    }

    /// <summary>Makes a collection of all items that a filter lets through now.</summary>
    /// <exception cref="RefusedException">The name is taken or cannot be one, or no item fits.</exception>
    public Task<Collection> CreateAsync(string name, LibraryFilter filter, string by, CancellationToken cancel = default) =>
        CreateAsync(name, filter.ToString(), by, async db => await (await LibraryQuery.ItemsAsync(db, filter, cancel)).AsNoTracking().ToListAsync(cancel), cancel);

    /// <summary>Makes a collection of a selection of items.</summary>
    /// <exception cref="RefusedException">The name is taken or cannot be one, or the selection is empty.</exception>
    public Task<Collection> CreateAsync(string name, IReadOnlyCollection<long> itemIds, string by, CancellationToken cancel = default) =>
        CreateAsync(name, null, by, async db =>
        {
            var items = new List<Item>();
            foreach (var some in itemIds.Distinct().Chunk(500)) items.AddRange(await db.Items.AsNoTracking().Where(i => some.Contains(i.Id)).ToListAsync(cancel));
            return items;
        }, cancel);

    /// <summary>The items of studies, for making a collection from ticked rows of the grid.</summary>
    public async Task<IReadOnlyList<long>> ItemsOfStudiesAsync(IReadOnlyCollection<long> studyIds, CancellationToken cancel = default)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        var ids = new List<long>();
        foreach (var some in studyIds.Chunk(500)) ids.AddRange(await db.Items.Where(i => i.StudyId != null && some.Contains(i.StudyId.Value)).Select(i => i.Id).ToListAsync(cancel));
        return ids;
    }

    /// <summary>Freezes a collection: from then on it never changes and has a hash. Freezing a frozen one changes nothing.</summary>
    /// <exception cref="RefusedException"><c>no-collection</c>, or <c>empty-collection</c>.</exception>
    public Task<Collection> FreezeAsync(string nameOrId, string by, CancellationToken cancel = default) => FreezeAsync(db => FindAsync(db.Collections, nameOrId, cancel), by, cancel);

    /// <summary>The collection for a run to learn from: frozen now if it was not.</summary>
    /// <exception cref="RefusedException"><c>no-collection</c>, or <c>empty-collection</c>.</exception>
    public Task<Collection> FrozenForRunAsync(long id, string by, CancellationToken cancel = default) => FreezeAsync(async db =>
        await db.Collections.SingleOrDefaultAsync(c => c.Id == id, cancel) ?? throw new RefusedException("no-collection", "The collection is no longer there; choose another."), by, cancel);

    /// <summary>Takes a collection away; its items stay in the library.</summary>
    /// <exception cref="RefusedException"><c>no-collection</c>, or <c>collection-used</c>: a run, task or model stands on it.</exception>
    public async Task DeleteAsync(string nameOrId, string by, CancellationToken cancel = default)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        var collection = await FindAsync(db.Collections, nameOrId, cancel);
        bool used = await db.Tasks.AnyAsync(t => t.CollectionId == collection.Id, cancel)
            || (collection.Hash is not null && await db.Models.AnyAsync(m => m.DataHash == collection.Hash, cancel))
            || await db.Runs.AnyAsync(r => EF.Functions.Like(r.Request, $"%\"collectionId\":{collection.Id},%") || EF.Functions.Like(r.Request, $"%\"collectionId\":{collection.Id}}}%"), cancel);
        if (used) throw new RefusedException("collection-used", $"The collection '{collection.Name}' is used by a task, run or model and stays, so that they can be traced; make another one instead.");
        await db.ImportBatches.Where(b => b.CollectionId == collection.Id).ExecuteUpdateAsync(b => b.SetProperty(x => x.CollectionId, (long?)null), cancel);
        await db.CollectionItems.Where(c => c.CollectionId == collection.Id).ExecuteDeleteAsync(cancel);
        db.Collections.Remove(collection);
        await audit.AppendAsync(db, by, "deleted", $"collection {collection.Name}", "", cancel);
        await transaction.CommitAsync(cancel);
    }

    private async Task<Collection> CreateAsync(string name, string? filter, string by, Func<DomainSslContext, Task<List<Item>>> choose, CancellationToken cancel)
    {
        name = CollectionNames.Check(name);
        await using var db = await factory.CreateDbContextAsync(cancel);
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        if (await db.Collections.AnyAsync(c => c.Name == name, cancel)) throw new RefusedException("name-taken", $"There is a collection '{name}' already; choose another name.");
        var items = await choose(db);
        if (items.Count == 0) throw new RefusedException("empty-collection", "No item of the library fits, so there is nothing to collect; import scans or recordings first, or widen the filter.");
        var collection = new Collection { Name = name, Filter = filter, By = by, CreatedAt = time.GetUtcNow().UtcDateTime };
        db.Collections.Add(collection);
        await db.SaveChangesAsync(cancel);
        await CollectionMembers.AddAsync(db, collection, items, cancel);
        await audit.AppendAsync(db, by, "created", $"collection {name}", $"{items.Count} items", cancel);
        await transaction.CommitAsync(cancel);
        return collection;
    }

    private async Task<Collection> FreezeAsync(Func<DomainSslContext, Task<Collection>> find, string by, CancellationToken cancel)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        var collection = await find(db);
        if (collection.FrozenAt is not null) return collection;
        if (!await db.CollectionItems.AnyAsync(c => c.CollectionId == collection.Id, cancel))
            throw new RefusedException("empty-collection", $"The collection '{collection.Name}' is empty; import scans or recordings into it first.");
        await CollectionFreeze.FreezeAsync(db, audit, collection, by, time.GetUtcNow().UtcDateTime, cancel);
        await transaction.CommitAsync(cancel);
        return collection;
    }

    private static async Task<Collection> FindAsync(IQueryable<Collection> collections, string nameOrId, CancellationToken cancel)
    {
        var found = await collections.SingleOrDefaultAsync(c => c.Name == nameOrId, cancel);
        if (found is null && long.TryParse(nameOrId, out long id)) found = await collections.SingleOrDefaultAsync(c => c.Id == id, cancel);
        return found ?? throw new RefusedException("no-collection", $"There is no collection '{nameOrId}'; see domainssl collections list.");
    }
}
