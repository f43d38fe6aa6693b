using System.Globalization;
using System.Text;
using System.Text.Json;
using DomainSsl.Core.Database;
using DomainSsl.Core.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;

namespace DomainSsl.Core.Runs;

/// <summary>What a subscriber of a run learns: the row as it stands, and how long the file of metrics is.</summary>
/// <param name="Run">The row.</param>
/// <param name="MetricsBytes">Length of <c>metrics.jsonl</c>: where it changed, <see cref="RunFeed.MetricsAsync"/> has new points.</param>
public sealed record RunUpdate(Run Run, long MetricsBytes);

/// <summary>One log step: its step and its figures by name.</summary>
/// <param name="Step">The training step.</param>
/// <param name="Values">Figures by name, as the run wrote them.</param>
public sealed record MetricPoint(int Step, IReadOnlyDictionary<string, double> Values);

/// <summary>Points of a run's curves from one line of the file on.</summary>
/// <param name="FromLine">The line of the first point. 0 although a later one was asked for: the run went back to a checkpoint; draw anew.</param>
/// <param name="NextLine">What to ask for next.</param>
/// <param name="Points">The points.</param>
public sealed record MetricPage(int FromLine, int NextLine, IReadOnlyList<MetricPoint> Points);

/// <summary>
/// Lets pages and terminals follow a run that another process carries out. The row and the file are looked at twice a second, only while somebody has subscribed, once for all
/// who follow the same run; callbacks come only when something has changed, one at a time.
/// </summary>
public sealed class RunFeed(IDbContextFactory<DomainSslContext> factory, DataFolder folder, ILogger<RunFeed> log) : IDisposable
{
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(500);
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Follower> _followers = [];

    /// <summary>Calls back at once with the run as it stands, and then whenever it has changed, until the subscription is disposed of or the feed ends.</summary>
    /// <param name="runId">The run.</param>
    /// <param name="callback">Called from a background thread; what it throws is logged and otherwise ignored.</param>
    public IDisposable Subscribe(string runId, Func<RunUpdate, Task> callback)
    {
        var subscription = new Subscription(this, runId, callback);
        lock (_gate)
        {
            if (!_followers.TryGetValue(runId, out var follower)) _followers[runId] = follower = new Follower(new CancellationTokenSource(), []);
            follower.Subscriptions.Add(subscription);
            if (follower.Subscriptions.Count == 1) _ = FollowAsync(runId, follower);
        }
        return subscription;
    }

    /// <inheritdoc cref="Subscribe(string, Func{RunUpdate, Task})" />
    public IDisposable Subscribe(string runId, Action<RunUpdate> callback) => Subscribe(runId, update => { callback(update); return Task.CompletedTask; });

    private async Task FollowAsync(string runId, Follower follower)
    {
        var cancel = follower.Stop.Token;
        try
        {
            using var timer = new PeriodicTimer(Pace);
            do
            {
                RunUpdate? update = null;
                try { update = await LookAsync(runId, cancel); }
                catch (Exception e) when (e is not OperationCanceledException) { log.LogWarning(e, "The run {Run} could not be looked at; it is tried again.", runId); }
                if (update is null) continue;
                Subscription[] all;
                lock (_gate) all = [.. follower.Subscriptions];
                var state = Fingerprint(update);
                foreach (var subscription in all)
                {
                    if (subscription.Seen == state) continue;
                    subscription.Seen = state;
                    try { await subscription.Callback(update); }
                    catch (Exception e) { log.LogDebug(e, "A follower of run {Run} failed.", runId); }
                }
            }
            while (await timer.WaitForNextTickAsync(cancel));
        }
        catch (OperationCanceledException) { /* the last subscriber has gone */ }
    }

    private async Task<RunUpdate?> LookAsync(string runId, CancellationToken cancel)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        var run = await db.Runs.AsNoTracking().SingleOrDefaultAsync(r => r.Id == runId, cancel);
        if (run is null) return null;
        var file = new FileInfo(MetricsPath(runId));
        return new RunUpdate(run, file.Exists ? file.Length : 0);
    }

    private static string Fingerprint(RunUpdate u) => string.Create(CultureInfo.InvariantCulture,
        $"{u.Run.State}|{u.Run.Progress}|{u.Run.Stage}|{u.Run.SecondsLeft}|{u.Run.Device}|{u.Run.CancelRequested}|{u.Run.Error}|{u.Run.Summary?.GetHashCode(StringComparison.Ordinal)}|{u.MetricsBytes}");

    /// <summary>The points of a run's curves from a line on; whole lines only, so a line that is just being written comes the next time.</summary>
    /// <param name="runId">The run.</param>
    /// <param name="fromLine">0, or <see cref="MetricPage.NextLine"/> of the page before.</param>
    /// <param name="cancel">Gives up.</param>
    public async Task<MetricPage> MetricsAsync(string runId, int fromLine = 0, CancellationToken cancel = default)
    {
        var path = MetricsPath(runId);
        if (!File.Exists(path)) return new MetricPage(0, 0, []);
        string text;
        // The worker appends meanwhile, and may rename a shortened file over it when it goes back to a checkpoint.
        await using (var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete))
        using (var reader = new StreamReader(file, Encoding.UTF8)) text = await reader.ReadToEndAsync(cancel);
        var lines = text.Split('\n')[..^1];
        int first = fromLine > lines.Length ? 0 : Math.Max(0, fromLine);
        return new MetricPage(first, lines.Length, [.. lines.Skip(first).Select(Parse).OfType<MetricPoint>()]);
    }

    private static MetricPoint? Parse(string line)
    {
        try
        {
            using var document = JsonDocument.Parse(line);
            if (document.RootElement.ValueKind != JsonValueKind.Object) return null;
            var values = new Dictionary<string, double>(StringComparer.Ordinal);
            Collect(document.RootElement, values);
            return new MetricPoint(values.Remove("step", out var step) ? (int)step : 0, values);
        }
        catch (JsonException) { return null; }

        static void Collect(JsonElement element, Dictionary<string, double> values)
        {
            foreach (var member in element.EnumerateObject())
            {
                if (member.Value.ValueKind == JsonValueKind.Number) values[member.Name] = member.Value.GetDouble();
                else if (member.Value.ValueKind == JsonValueKind.Object) Collect(member.Value, values);
            }
        }
    }

    private string MetricsPath(string runId) => Path.Combine(folder.Run(runId), "metrics.jsonl");

    private void Remove(Subscription subscription)
    {
        lock (_gate)
        {
            if (!_followers.TryGetValue(subscription.RunId, out var follower) || !follower.Subscriptions.Remove(subscription) || follower.Subscriptions.Count > 0) return;
            _followers.Remove(subscription.RunId);
            follower.Stop.Cancel();
        }
    }

    /// <inheritdoc />
    public void Dispose()
    {
        lock (_gate)
        {
            foreach (var follower in _followers.Values) follower.Stop.Cancel();
            _followers.Clear();
        }
    }

    private sealed record Follower(CancellationTokenSource Stop, List<Subscription> Subscriptions);

    private sealed class Subscription(RunFeed feed, string runId, Func<RunUpdate, Task> callback) : IDisposable
    {
        public string RunId => runId;
        public Func<RunUpdate, Task> Callback => callback;
        public string? Seen { get; set; }
        public void Dispose() => feed.Remove(this);
    }
}
