using DomainSsl.Core;
using DomainSsl.Core.Runs;
using DomainSsl.Core.Tasks;
using DomainSsl.Web.Components.Shared;
using Microsoft.AspNetCore.Components;

namespace DomainSsl.Web.Components.Pages.Tasks;

/// <summary>A task's own page: labels, training, result, review, in the order in which they are done.</summary>
public sealed partial class TaskPage
{
    private enum Step { Label, Train, Review }

    private AsyncView<TaskOverview?>? _view;
    private IReadOnlyList<Shortcut> _keys = [];
    private IDisposable? _following;
    private string? _followed;
    private Run? _run;
    private string? _problem;
    private bool _busy;

    /// <summary>The task.</summary>
    [Parameter]
    public long Id { get; set; }

    private bool Training => _run is { State: RunState.Queued or RunState.Running };

    /// <inheritdoc />
    protected override void OnInitialized() => _keys =
    [
        new("l", "Label", () => GoAsync(TaskPaths.Label(Id))), new("t", "Train", TrainAsync), new("e", "See the result", () => GoAsync(TaskPaths.Result(Id))),
        new("r", "Review", () => GoAsync(TaskPaths.Review(Id))),
    ];

    private Task GoAsync(string path)
    {
        Navigation.NavigateTo(path);
        return Task.CompletedTask;
    }

    private async Task<TaskOverview?> LoadAsync(CancellationToken cancel)
    {
        var task = await Tasks.FindAsync(Id, cancel);
        Follow(task?.NewestRun);
        return task;
    }

    private Task ReloadAsync() => _view?.ReloadAsync() ?? Task.CompletedTask;

    private void Follow(string? run)
    {
        if (run is null || run == _followed) return;
        _following?.Dispose();
        _followed = run;
        _following = Feed.Subscribe(run, update => InvokeAsync(async () =>
        {
            var was = Training;
            _run = update.Run;
            StateHasChanged();
            if (was && !Training && _view is not null) await _view.ReloadAsync();
        }));
    }

    // Train where the labels have grown by enough to matter, review where a classifier waits for judgement, else label.
    private static Step NextStep(TaskOverview task)
    {
        var enough = task.Progress.Labelled >= 20 && task.Progress.Classes.All(c => c.Labels >= 5);
        if (enough && (task.NewestModel is null || task.LabelsSinceRun >= Math.Max(10, task.Progress.Labelled / 4))) return Step.Train;
        return task.NewestModel is not null && task.WaitingForReview > 0 ? Step.Review : Step.Label;
    }

    private static CaseWords Words(TaskOverview task) => CaseWords.Of(task.Kind);

    private static string LabelWords(TaskOverview task)
    {
        var p = task.Progress;
        if (p.Labelled == 0) return $"No labels yet. {p.NextUseful} are enough for a first try.";
        var patients = $"{Say.Count(p.Labelled, "label")} {(task.Kind == Core.Library.ItemKind.Sound ? "of" : "on")} {Say.Count(p.LabelledPatients, Words(task).Person)}";
        return p.Labelled >= p.All ? $"{patients}: every {Words(task).One} is labelled." : $"{patients}. The next number worth training at is {Say.Number(p.NextUseful)}.";
    }

    private static string TrainingWords(TaskOverview task) => task switch
    {
        { NewestModel: null, Progress.Labelled: < 20 } => "Worth trying from about 20 labels on.",
        { NewestModel: null } => "Nothing trained yet.",
        { LabelsSinceRun: 0 } => "The newest classifier knows all your labels.",
        _ => $"{Say.Count(task.LabelsSinceRun, "new label")} since the last training.",
    };

    private async Task TrainAsync()
    {
        if (_busy || Training) return;
        (_busy, _problem) = (true, null);
        try
        {
            var by = (await SignedIn.GetAuthenticationStateAsync()).User.Identity!.Name!;
            Follow(await Tasks.TrainAsync(Id, by));
            if (_view is not null) await _view.ReloadAsync();
        }
        catch (RefusedException refused) { _problem = refused.Refusal.Sentence; }
        finally
        {
            _busy = false;
            StateHasChanged();
        }
    }

    private async Task StopAsync()
    {
        try { await Queue.RequestCancelAsync(_run!.Id, (await SignedIn.GetAuthenticationStateAsync()).User.Identity!.Name!); }
        catch (RefusedException refused) { _problem = refused.Refusal.Sentence; }
    }

    /// <inheritdoc />
    public void Dispose() => _following?.Dispose();
}
