using System.Text.Json;
using DomainSsl.Core;
using DomainSsl.Core.Database;
using DomainSsl.Core.Language;
using DomainSsl.Core.Models;
using DomainSsl.Core.Runs;
using DomainSsl.Web.Components.Shared;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.EntityFrameworkCore;

namespace DomainSsl.Web.Components.Pages.Pretraining;

/// <summary>One run, live: state, progress, curves, log. Opened at any time it draws from disk first and then from the feed.</summary>
public sealed partial class RunPage
{
    // Bookkeeping of the trainer: in the file, not worth a curve.
    private static readonly HashSet<string> NoCurve = ["step", "seconds", "progress", "lr", "waitingForData", Baseline];

    // Drawn into the curve of what it is the baseline of.
    private const string Baseline = "baselineBitsPerLetter";

    private readonly Dictionary<string, Chart> Into = [];
    private readonly List<string> _lines = [];
    private readonly List<MetricPoint> _points = [];
    private readonly Dictionary<string, double> _latest = [];
    private readonly SemaphoreSlim _one = new(1);
    private readonly IReadOnlyList<Shortcut> _keys = [new("c", "Stop the run; what it has learnt stays"), new("r", "Go on where it stopped")];
    private IReadOnlyList<Model> _models = [];
    private IReadOnlyList<string> _log = [];
    private IDisposable? _subscription;
    private Run? _run;
    private int _nextLine;
    private bool _missing;
    private string? _problem;

    /// <summary>The run.</summary>
    [Parameter]
    public required string Id { get; set; }

    [Inject] private RunFeed Feed { get; set; } = null!;
    [Inject] private RunLog Log { get; set; } = null!;
    [Inject] private IRunQueue Queue { get; set; } = null!;
    [Inject] private IDbContextFactory<DomainSslContext> Database { get; set; } = null!;
    [CascadingParameter] private Task<AuthenticationState> Person { get; set; } = null!;

    private string Answer => _run!.State switch
    {
        RunState.Queued => "It waits until the worker is free.",
        RunState.Running => "How far is it, and is it learning?",
        RunState.Done => "It has ended well.",
        RunState.Failed => "It failed; what it had learnt until its last checkpoint is kept.",
        _ => "It was stopped; what it had learnt until its last checkpoint is kept.",
    };

    // It compares starts and makes no model: each finished fit is kept.
    private bool Compares => Worth.IsMeasuredBy(_run!.Kind);

    // An n-gram model is counted, not trained: its curve is over lengths, and there is no rate.
    private bool Counts => _run is { Kind: RunKind.Language } && RunRequestJson.Read(_run) is LanguageRequest { Kind: LanguageKinds.NGram };

    private string Verdict
    {
        get
        {
            using var summary = JsonDocument.Parse(_run?.Summary ?? "{}");
            return summary.RootElement.TryGetProperty("verdict", out var verdict) ? verdict.GetString() ?? "" : "";
        }
    }

    private bool HasCurve(string name) => !NoCurve.Contains(name) && !(_run!.Kind == RunKind.Language && (name == "samplesPerSecond" || (name == "loss" && Counts)));

    private static string[] LinesOf(string name) => name == "bitsPerLetter" ? ["This model", "Letters' frequencies alone"] : [Words(name).Title];

    private static IReadOnlyList<IReadOnlyList<double?>> Columns(IReadOnlyList<MetricPoint> points, string name) =>
        [.. (name == "bitsPerLetter" ? (string[])[name, Baseline] : [name]).Select(n => (IReadOnlyList<double?>)[.. Drawn(points, name).Select(p => Value(p, n))])];

    // Held-out text is looked at now and then only.
    private static IEnumerable<MetricPoint> Drawn(IEnumerable<MetricPoint> points, string name) => name == "bitsPerLetter" ? points.Where(p => p.Values.ContainsKey(name)) : points;

    private string? Rate => _run!.Kind == RunKind.Language ? null : _latest.TryGetValue("samplesPerSecond", out var rate) && rate > 0 ? $"{rate:0} {(_latest.ContainsKey("maskedAccuracy") || _latest.ContainsKey("otherThanDraft") ? "stretches of sound" : "images")} a second" : null;

    /// <inheritdoc />
    protected override async Task OnInitializedAsync()
    {
        await using (var db = await Database.CreateDbContextAsync())
        {
            _run = await db.Runs.AsNoTracking().SingleOrDefaultAsync(r => r.Id == Id);
            _missing = _run is null;
        }
        if (_run is not null) await ReadAsync();
    }

    /// <inheritdoc />
    protected override void OnAfterRender(bool firstRender)
    {
        // Only a page that somebody has before him follows the run; the prerendered one does not.
        if (firstRender && !_missing) _subscription = Feed.Subscribe(Id, update => InvokeAsync(() => FollowAsync(update)));
    }

    private async Task FollowAsync(RunUpdate update)
    {
        _run = update.Run;
        await ReadAsync();
        StateHasChanged();
    }

    private async Task ReadAsync()
    {
        await _one.WaitAsync();
        try
        {
            _log = await Log.ReadAsync(Id);
            var page = await Feed.MetricsAsync(Id, _nextLine);
            bool anew = page.FromLine == 0 && _points.Count > 0; // the run went back to a checkpoint
            if (anew) _points.Clear();
            _nextLine = page.NextLine;
            _points.AddRange(page.Points);
            foreach (var point in page.Points)
            {
                foreach (var (name, value) in point.Values)
                {
                    _latest[name] = value;
                    if (HasCurve(name) && !_lines.Contains(name)) _lines.Add(name);
                }
            }
            _lines.Sort((a, b) => Order(a) != Order(b) ? Order(a).CompareTo(Order(b)) : string.CompareOrdinal(a, b));
            if (page.Points.Count > 0 || anew)
            {
                foreach (var (name, chart) in Into.ToArray())
                {
                    if (anew) await DrawAsync(name);
                    else await chart.AppendAsync([.. Drawn(page.Points, name).Select(p => (double)p.Step)], Columns(page.Points, name));
                }
            }
            if (_run!.State == RunState.Done)
            {
                await using var db = await Database.CreateDbContextAsync();
                _models = await db.Models.AsNoTracking().Where(m => m.RunId == Id).ToListAsync();
            }
        }
        finally { _one.Release(); }
    }

    private async Task DrawAsync(string name)
    {
        if (Into.TryGetValue(name, out var chart))
            await chart.SetAsync([.. Drawn(_points, name).Select(p => (double)p.Step)], Columns(_points, name));
    }

    private static double? Value(MetricPoint point, string name) => point.Values.TryGetValue(name, out var value) ? value : null;

    private static int Order(string name) => name switch { "bitsPerLetter" => -1, "loss" => 0, "samplesPerSecond" => 2, _ => 1 };

    private async Task CancelAsync() => await DoAsync(by => Queue.RequestCancelAsync(Id, by));

    private async Task ResumeAsync() => await DoAsync(by => Queue.ResumeAsync(Id, by));

    private async Task DoAsync(Func<string, Task> deed)
    {
        _problem = null;
        try { await deed((await Person).User.Identity?.Name ?? "unknown"); }
        catch (RefusedException e) { _problem = e.Refusal.Sentence; }
    }

    private static (string Title, string Meaning) Words(string name) => name switch
    {
        "loss" => ("Loss", "What training makes smaller. It should fall quickly at first and then ever more slowly; a flat line from the beginning means that nothing is learnt."),
        "samplesPerSecond" => ("Items a second", "How fast training goes on this machine: images, or stretches of sound."),
        "accuracy" => ("Partner found", "How often, of all images in the batch, the changed copy of an image is recognised as its own. It should rise."),
        "alignment" => ("Alignment", "How far apart the two changed copies of one image lie; small is good."),
        "uniformity" => ("Uniformity", "How evenly images fill the space of features; more negative is more even. At 0 all images look the same to the encoder."),
        "maskedAccuracy" => ("Hidden sound guessed", "How often the kind of a hidden stretch of sound is guessed, or the stretch itself is found among others. It should rise."),
        "codebookPerplexity" => ("Kinds of sound in use", "How many kinds of sound the method tells apart, counted by how often each comes. Near 1 all sounds are one kind, and nothing is learnt."),
        "guessPerplexity" => ("Kinds among the guesses", "How many kinds of sound the encoder guesses. Near 1 it always guesses the same."),
        "round" => ("Round", "Which targets are learnt from: a sorting of sounds, or a text of the recordings. Where new ones begin, made by the encoder itself, loss and guesses cannot be compared with those before."),
        "contrastive" => ("Search", "The part of the loss that says how hard it is to find hidden stretches of sound among others. It should fall."),
        "temperature" => ("Temperature", "How freely kinds of sound are chosen; it falls as training goes on."),
        "otherThanDraft" => ("Other than its text", "How many letters the encoder writes otherwise than the text that it learns from, first another recogniser's drafts, later mostly its own, while parts of the sound are hidden from it. It should fall, but not to nothing: that text is often wrong itself."),
        "blank" => ("Silent frames", "In how much of the sound it writes no letter. At 1 it writes nothing at all."),
        "bitsPerLetter" => ("Bits a letter", "How hard the next letter is to guess, on sentences that the model does not learn from: 1 bit is a choice of two, 2 bits of four. It should fall well below the line of the letters' frequencies alone, which knows nothing but how common each letter is; where it rises again, the text is being learnt by heart, and the best weights before that are kept."),
        "spread" => ("Spread of features", "How far the features of different images or sounds differ. Near 0 the encoder tells nothing apart."),
        _ => (string.Concat(char.ToUpperInvariant(name[0]).ToString(), name.AsSpan(1)), "A figure that this method reports while it learns."),
    };

    /// <inheritdoc />
    public void Dispose()
    {
        _subscription?.Dispose();
        _one.Dispose();
        GC.SuppressFinalize(this);
    }
}
