using System.Collections;
using System.Collections.Concurrent;

namespace DomainSsl.Core.Library;

/// <summary>
/// Pages of a long table without walking it in the database for each: the ids of all rows in every order asked for, and which of them each filter lets through, kept for as long as
/// the library stays as it is. A page then is a walk over bits: at 100,000 rows below a millisecond, wherever it lies. An order costs eight bytes a row, a filter a bit.
/// </summary>
/// <typeparam name="TSort">What can be sorted by.</typeparam>
internal sealed class Listing<TSort> where TSort : struct, Enum
{
    private const int MostFilters = 100;
    private volatile Known _known = new("");

    /// <summary>The ids on a page and the number of rows on all pages.</summary>
    /// <param name="state">What the library is like; with another one nothing kept is used.</param>
    /// <param name="sort">The order.</param>
    /// <param name="descending">Backwards.</param>
    /// <param name="filter">Names what is let through; null for all.</param>
    /// <param name="skip">Rows before the page.</param>
    /// <param name="take">Rows on it, at most.</param>
    /// <param name="order">Reads the ids of all rows in ascending order.</param>
    /// <param name="through">Reads the ids that the filter lets through, in any order.</param>
    public async Task<(IReadOnlyList<long> Ids, int Total)> PageAsync(
        string state, TSort sort, bool descending, string? filter, int skip, int take, Func<Task<List<long>>> order, Func<Task<List<long>>> through)
    {
        var known = _known;
        if (known.State != state) _known = known = new Known(state);
        if (!known.Orders.TryGetValue(sort, out var all)) known.Orders[sort] = all = [.. await order()];
        Passed? passed = null;
        if (filter is not null && !known.Filters.TryGetValue(filter, out passed))
        {
            if (known.Filters.Count >= MostFilters) known.Filters.Clear();
            known.Filters[filter] = passed = new Passed(await through());
        }
        var ids = new List<long>(take);
        for (var i = 0; i < all.Length && ids.Count < take; i++)
        {
            var id = all[descending ? all.Length - 1 - i : i];
            if ((passed is null || passed.Has(id)) && skip-- <= 0) ids.Add(id);
        }
        return (ids, passed?.Count ?? all.Length);
    }

    private sealed class Known(string state)
    {
        public string State => state;
        public ConcurrentDictionary<TSort, long[]> Orders { get; } = new();
        public ConcurrentDictionary<string, Passed> Filters { get; } = new();
    }

    private sealed class Passed(List<long> ids)
    {
        private readonly BitArray _bits = Bits(ids);

        public int Count => ids.Count;

        public bool Has(long id) => id < _bits.Length && _bits[(int)id];

        private static BitArray Bits(List<long> ids)
        {
            var bits = new BitArray(ids.Count == 0 ? 0 : checked((int)ids.Max() + 1));
            foreach (var id in ids) bits[(int)id] = true;
            return bits;
        }
    }
}
