using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace DomainSsl.Core.Audit;

/// <summary>
/// Who saw which image and heard which recording, for the audit log: once a person, thing and hour. An answer does not wait for it: what was seen is gathered in memory and written every few
/// seconds in one transaction, and when the site stops. A site that is killed loses these few seconds; after a restart the same may be written once more within the hour.
/// </summary>
public sealed partial class SeenLog(AuditLog audit, TimeProvider time, ILogger<SeenLog> log) : BackgroundService
{
    /// <summary>How long the same person seeing the same thing is no new entry.</summary>
    public static readonly TimeSpan Again = TimeSpan.FromHours(1);

    /// <summary>How often it is written.</summary>
    public static readonly TimeSpan Every = TimeSpan.FromSeconds(3);

    // What is remembered, and what waits while the database cannot be written: some 10 MB each. More than a clinic looks at in an hour.
    private const int Most = 50_000;

    // Of one transaction: others wait for the write lock meanwhile.
    private const int AtOnce = 1000;

    private readonly Lock _lock = new();
    private readonly SemaphoreSlim _writing = new(1);
    private readonly Dictionary<(string Who, string What), DateTimeOffset> _seen = [];
    private readonly List<AuditDeed> _waiting = [];

    /// <summary>Somebody was sent a whole image, a sound or a file.</summary>
    /// <param name="who">The person's name.</param>
    /// <param name="what">What it was: <c>item 12</c>, <c>recording 3</c>, <c>instance 7</c>.</param>
    public void Saw(string who, string what)
    {
        var now = time.GetUtcNow();
        lock (_lock)
        {
            if (_seen.TryGetValue((who, what), out var before) && now - before < Again) return;
            if (_waiting.Count >= Most) return; // not remembered either, so that it is written when seen again after the database can be
            if (_seen.Count >= Most)
            {
                foreach (var (key, at) in _seen) if (now - at >= Again) _seen.Remove(key);
                // All within the hour: rather an entry too many than one too few.
                if (_seen.Count >= Most) _seen.Clear();
            }
            _seen[(who, what)] = now;
            _waiting.Add(new AuditDeed(now.UtcDateTime, who, "saw", what));
        }
    }

    /// <summary>Writes what waits.</summary>
    public async Task FlushAsync()
    {
        await _writing.WaitAsync();
        try
        {
            while (true)
            {
                List<AuditDeed> some;
                lock (_lock) some = _waiting[..Math.Min(AtOnce, _waiting.Count)];
                if (some.Count == 0) return;
                await audit.RecordAsync(some, CancellationToken.None);
                lock (_lock) _waiting.RemoveRange(0, some.Count);
            }
        }
        finally { _writing.Release(); }
    }

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (true)
            {
                await Task.Delay(Every, time, stoppingToken);
                // A full disk or a locked database now is no reason to lose it: it waits for the next time.
                try { await FlushAsync(); }
                catch (Exception e) { Failed(e, Waiting()); }
            }
        }
        catch (OperationCanceledException) { /* the site is being stopped */ }
    }

    /// <inheritdoc />
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        // The web server has stopped before: nothing is added any more.
        await base.StopAsync(cancellationToken);
        try { await FlushAsync(); }
        catch (Exception e) { Failed(e, Waiting()); }
    }

    /// <inheritdoc />
    public override void Dispose()
    {
        base.Dispose();
        _writing.Dispose();
    }

    private int Waiting() { lock (_lock) return _waiting.Count; }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Who saw what could not be written into the audit log; {Count} entries wait.")]
    private partial void Failed(Exception e, int count);
}
