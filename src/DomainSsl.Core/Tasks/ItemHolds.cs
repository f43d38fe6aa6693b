namespace DomainSsl.Core.Tasks;

/// <summary>What an item is held for; the latter shows more than the former.</summary>
internal enum HoldPurpose
{
    /// <summary>To be labelled, without a model's answer in sight.</summary>
    Label,
    /// <summary>To be reviewed, with the model's answer beside it.</summary>
    Review,
}

/// <summary>
/// Who has which item before them, so that two people at work on one task are not handed the same one, nor one person the same one to label whose answer they see in
/// review. Kept in memory: if it is lost with its process, the worst is that two people answer for one item, and the later answer supersedes the earlier.
/// </summary>
internal sealed class ItemHolds(TimeProvider time, TimeSpan holdFor)
{
    private readonly Lock gate = new();
    private readonly Dictionary<(string Scope, long Item), (string By, HoldPurpose Purpose, DateTimeOffset Until, long Turn)> holds = [];
    private long turn;

    /// <summary>
    /// Takes an item for a person; false where another has it, or they themselves in review and it is to be labelled: they have seen the answer. The other way round it is theirs to take: who goes from
    /// labelling to review has the next images to label still in hand. Taking again what one has renews it and keeps its turn.
    /// </summary>
    public bool TryHold(string scope, long item, string by, HoldPurpose purpose)
    {
        lock (gate)
        {
            var (now, key) = (time.GetUtcNow(), (scope, item));
            var has = holds.TryGetValue(key, out var hold);
            var own = has && hold.By == by;
            if (has && hold.Until > now && !(own && purpose >= hold.Purpose)) return false;
            holds[key] = (by, purpose, now + holdFor, own && hold.Purpose == purpose ? hold.Turn : ++turn);
            return true;
        }
    }

    /// <summary>What a person holds for a purpose, in the order in which it was handed out.</summary>
    public IReadOnlyList<long> HeldBy(string scope, string by, HoldPurpose purpose)
    {
        lock (gate)
        {
            var now = time.GetUtcNow();
            foreach (var old in holds.Where(h => h.Value.Until <= now).Select(h => h.Key).ToList()) holds.Remove(old);
            return [.. holds.Where(h => h.Key.Scope == scope && h.Value.By == by && h.Value.Purpose == purpose).OrderBy(h => h.Value.Turn).Select(h => h.Key.Item)];
        }
    }

    /// <summary>Lets an item go: it was answered.</summary>
    public void Release(string scope, long item)
    {
        lock (gate) holds.Remove((scope, item));
    }
}
