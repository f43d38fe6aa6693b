using System.Collections.Concurrent;

namespace DomainSsl.Core.Transcripts;

/// <summary>
/// Who has which transcript open, so that two people are not sent to the same one, and those who meet in one know it. It is kept in memory alone: an open page says every few seconds that it is there
/// (<c>transcript.ts</c>), and what was not said for a while is over. Nothing is locked by it; edits of two people are told apart when they are stored.
/// </summary>
public sealed class TranscriptReaders(TimeProvider time)
{
    /// <summary>How long a page counts as open after it was last heard of: four of its calls.</summary>
    public static readonly TimeSpan Lasts = TimeSpan.FromSeconds(40);

    private readonly ConcurrentDictionary<(long Recording, string Person), DateTimeOffset> _heard = new();

    /// <summary>A person has the transcript of a recording open.</summary>
    public void Here(long recording, string person)
    {
        _heard[(recording, person)] = time.GetUtcNow();
        foreach (var (key, at) in _heard) if (time.GetUtcNow() - at > Lasts) _heard.TryRemove(KeyValuePair.Create(key, at));
    }

    /// <summary>Who else has it open.</summary>
    public IReadOnlyList<string> Others(long recording, string person) => [.. Now().Where(r => r.Recording == recording && r.Person != person).Select(r => r.Person).Order(StringComparer.Ordinal)];

    /// <summary>The recordings whose transcripts others have open.</summary>
    public IReadOnlyList<long> TakenFor(string person) => [.. Now().Where(r => r.Person != person).Select(r => r.Recording).Distinct()];

    private IEnumerable<(long Recording, string Person)> Now()
    {
        var now = time.GetUtcNow();
        return _heard.Where(h => now - h.Value <= Lasts).Select(h => h.Key);
    }
}
