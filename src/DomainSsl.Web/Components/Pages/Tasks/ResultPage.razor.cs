using DomainSsl.Core;
using DomainSsl.Core.Models;
using DomainSsl.Core.Runs;
using DomainSsl.Core.Tasks;
using DomainSsl.Web.Components.Shared;
using Microsoft.AspNetCore.Components;
using MudBlazor;

namespace DomainSsl.Web.Components.Pages.Tasks;

/// <summary>What training brought: what is right in patients' terms, what pretraining was worth, what to do next.</summary>
public sealed partial class ResultPage
{
    private sealed record Loaded(TaskOverview Task, TaskResult? Result, Model? Model);

    private readonly IReadOnlyList<Shortcut> _keys = [new("l", "Label ten more"), new("v", "Use this classifier, or review")];
    private AsyncView<Loaded?>? _view;
    private IDisposable? _following;
    private string? _followed;
    private Run? _run;
    private string? _problem;
    private bool _busy;

    /// <summary>The task.</summary>
    [Parameter]
    public long Id { get; set; }

    private async Task<Loaded?> LoadAsync(CancellationToken cancel)
    {
        if (await Tasks.FindAsync(Id, cancel) is not { } task) return null;
        var result = await Tasks.NewestResultAsync(Id, cancel);
        var model = result?.ModelId is { } id ? await Models.FindAsync(id, cancel) : null;
        Follow(task.NewestRun);
        return new Loaded(task, result, model);
    }

    private void Follow(string? run)
    {
        if (run is null || run == _followed) return;
        _following?.Dispose();
        _followed = run;
        _following = Feed.Subscribe(run, update => InvokeAsync(async () =>
        {
            var before = _run?.State;
            _run = update.Run;
            StateHasChanged();
            if (before is RunState.Queued or RunState.Running && before != _run.State && _view is not null) await _view.ReloadAsync();
        }));
    }

    private Task ReloadAsync() => _view?.ReloadAsync() ?? Task.CompletedTask;

    private static Variant Weight(ResultWords.Next advice, ResultWords.Next of) => advice == of ? Variant.Filled : Variant.Outlined;

    private async Task UseAsync(string model)
    {
        if (_busy) return;
        (_busy, _problem) = (true, null);
        try
        {
            await Models.PromoteAsync(model, (await SignedIn.GetAuthenticationStateAsync()).User.Identity!.Name!);
            Navigation.NavigateTo(TaskPaths.Review(Id));
        }
        catch (RefusedException refused) { _problem = refused.Refusal.Sentence; }
        finally { _busy = false; }
    }

    /// <inheritdoc />
    public void Dispose() => _following?.Dispose();
}
