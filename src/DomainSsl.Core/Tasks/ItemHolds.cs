namespace DomainSsl.Core.Tasks;

/// <summary>
/// Who has which item before them, so that two people at work on one task are not handed the same one. Kept in memory: if it is lost with its process, the worst is that two
/// people answer for one item, and the later answer supersedes the earlier.
/// </summary>
internal sealed class ItemHolds(TimeProvider time, TimeSpan holdFor)
{
    private readonly Lock gate = new();
    private readonly Dictionary<(string Scope, long Item), (string By, DateTimeOffset Until, long Turn)> holds = [];
    private long turn;

    /// <summary>Takes an item for a person; false where another has it. Taking again what one has renews it and keeps its turn.</summary>
    public bool TryHold(string scope, long item, string by)
    {
        lock (gate)
        {
            var (now, key) = (time.GetUtcNow(), (scope, item));
            var has = holds.TryGetValue(key, out var hold);
            if (has && hold.By != by && hold.Until > now) return false;
            holds[key] = (by, now + holdFor, has && hold.By == by ? hold.Turn : ++turn);
            return true;
        }
    }

    /// <summary>What a person holds, in the order in which it was handed out.</summary>
    public IReadOnlyList<long> HeldBy(string scope, string by)
    {
        lock (gate)
        {
            var now = time.GetUtcNow();
            foreach (var old in holds.Where(h => h.Value.Until <= now).Select(h => h.Key).ToList()) holds.Remove(old);
            return [.. holds.Where(h => h.Key.Scope == scope && h.Value.By == by).OrderBy(h => h.Value.Turn).Select(h => h.Key.Item)];
        }
    }

    /// <summary>Lets an item go: it was answered.</summary>
    public void Release(string scope, long item)
    {
        lock (gate) holds.Remove((scope, item));
    }
}
