using MudBlazor;

namespace DomainSsl.Web.Components.Shared;

/// <summary>Asking before a deed.</summary>
public static class Confirmation
{
    /// <summary>Shows the question and waits; true where the person chose the deed.</summary>
    /// <param name="dialogs">MudBlazor's dialogs.</param>
    /// <param name="title">The question, short.</param>
    /// <param name="sentence">What will happen.</param>
    /// <param name="verb">The deed, as the button says it.</param>
    /// <param name="dangerous">Whether it takes something away.</param>
    public static async Task<bool> ConfirmAsync(this IDialogService dialogs, string title, string sentence, string verb, bool dangerous = false)
    {
        var parameters = new DialogParameters<ConfirmDialog> { { d => d.Sentence, sentence }, { d => d.Verb, verb }, { d => d.Dangerous, dangerous } };
        var dialog = await dialogs.ShowAsync<ConfirmDialog>(title, parameters);
        return await dialog.Result is { Canceled: false };
    }
}
