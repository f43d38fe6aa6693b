using Microsoft.AspNetCore.Components;
using Microsoft.JSInterop;

namespace DomainSsl.Web.Components.Shared;

/// <summary>
/// A component with a module of <c>Client/</c> behind it. The module exports <c>mount(element, options, dotnet)</c> and gives back <c>{ update, dispose, … }</c>; this imports it once
/// the element is there, calls it, and disposes it even when the circuit is gone. Bulk (pixels, peaks, points of a long curve) goes over HTTP, never through here.
/// </summary>
public abstract class BrowserModule : ComponentBase, IAsyncDisposable
{
    private IJSObjectReference? _module, _widget;
    private DotNetObjectReference<BrowserModule>? _self;
    private bool _gone, _stale;

    /// <summary>The browser.</summary>
    [Inject]
    protected IJSRuntime Browser { get; set; } = null!;

    /// <summary>The element that the module works on: put <c>@ref="Element"</c> on it.</summary>
    protected ElementReference Element { get; set; }

    /// <summary>The module's name, e.g. <c>chart</c> for <c>client/chart.js</c>.</summary>
    protected abstract string Module { get; }

    /// <summary>What <c>mount</c> gets; called when the element is first there, and by <see cref="UpdateAsync"/>.</summary>
    protected abstract object Options { get; }

    /// <summary>Whether the module is at work.</summary>
    protected bool Mounted => _widget is not null;

    /// <inheritdoc />
    protected override async Task OnAfterRenderAsync(bool firstRender)
    {
        if (!firstRender) return;
        try
        {
            _module = await Browser.InvokeAsync<IJSObjectReference>("import", $"./client/{Module}.js");
            if (_gone)
            {
                await DropAsync();
                return;
            }
            _self = DotNetObjectReference.Create(this);
            _widget = await _module.InvokeAsync<IJSObjectReference>("mount", Element, Options, _self);
            if (_gone) await DropAsync();
            else
            {
                if (_stale) await UpdateAsync();
                await OnMountedAsync();
            }
        }
        catch (JSDisconnectedException) { /* the page was left while it loaded */ }
        // The same: its element went with it. Thrown, it would stand as a fault on the page that came after.
        catch (Exception) when (_gone) { await DropAsync(); }
    }

    /// <summary>Called once the module is at work, e.g. to hand it its first data.</summary>
    protected virtual Task OnMountedAsync() => Task.CompletedTask;

    /// <summary>Hands the module its options anew; one that is still being loaded gets them once it is there.</summary>
    protected Task UpdateAsync()
    {
        _stale = _widget is null;
        return CallAsync("update", Options);
    }

    /// <summary>Calls a function of the widget; does nothing where it is not there yet or no longer.</summary>
    protected async Task CallAsync(string function, params object?[] arguments)
    {
        if (_widget is null || _gone) return;
        try { await _widget.InvokeVoidAsync(function, arguments); }
        catch (JSDisconnectedException) { /* nobody looks any more */ }
        catch (Exception) when (_gone) { /* the same, in the middle of it */ }
    }

    /// <summary>Asks the widget for something; the default where it is not there.</summary>
    protected async Task<T?> AskAsync<T>(string function, params object?[] arguments)
    {
        if (_widget is null || _gone) return default;
        try { return await _widget.InvokeAsync<T>(function, arguments); }
        catch (JSDisconnectedException) { return default; }
        catch (Exception) when (_gone) { return default; }
    }

    /// <inheritdoc />
    public virtual async ValueTask DisposeAsync()
    {
        _gone = true;
        await DropAsync();
        _self?.Dispose();
        GC.SuppressFinalize(this);
    }

    private async Task DropAsync()
    {
        try
        {
            if (_widget is not null)
            {
                await _widget.InvokeVoidAsync("dispose");
                await _widget.DisposeAsync();
            }
            if (_module is not null) await _module.DisposeAsync();
        }
        catch (JSDisconnectedException) { /* went with the page */ }
        catch (OperationCanceledException) { /* the same, in the middle of it */ }
        catch (JSException) when (_gone) { /* what it had was gone already */ }
        (_widget, _module) = (null, null);
    }
}
