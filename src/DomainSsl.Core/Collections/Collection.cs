using DomainSsl.Core.Library;

namespace DomainSsl.Core.Collections;

/// <summary>A named set of items. A frozen one never changes and has a hash; runs learn from frozen ones only (a run freezes a copy-free snapshot first).</summary>
public sealed class Collection
{
    /// <summary>Row id.</summary>
    public long Id { get; set; }
    /// <summary>Its name; unique.</summary>
    public required string Name { get; set; }
    /// <summary>The filter it was made from, as the library's address has it; null for a selection or an import.</summary>
    public string? Filter { get; set; }
    /// <summary>When it was made (UTC).</summary>
    public DateTime CreatedAt { get; set; }
    /// <summary>By whom.</summary>
    public required string By { get; set; }
    /// <summary>When it was frozen (UTC); null while it may still change.</summary>
    public DateTime? FrozenAt { get; set; }
    /// <summary>SHA-256 over its items' sorted hashes, once frozen.</summary>
    public string? Hash { get; set; }
    /// <summary>The number of its items.</summary>
    public int Items { get; set; }
    /// <summary>The number of its patients.</summary>
    public int Patients { get; set; }
}

/// <summary>An item's place in a collection.</summary>
public sealed class CollectionItem
{
    /// <summary>The collection.</summary>
    public long CollectionId { get; set; }
    /// <inheritdoc cref="CollectionId" />
    public Collection? Collection { get; set; }
    /// <summary>The item.</summary>
    public long ItemId { get; set; }
    /// <inheritdoc cref="ItemId" />
    public Item? Item { get; set; }
}
