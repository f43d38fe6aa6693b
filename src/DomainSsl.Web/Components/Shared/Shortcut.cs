namespace DomainSsl.Web.Components.Shared;

/// <summary>One line of a page's table of shortcuts.</summary>
/// <param name="Key">As the browser names it (KeyboardEvent.key): <c>1</c>, <c>u</c>, <c>ArrowRight</c>, <c>Enter</c>, <c>" "</c>.</param>
/// <param name="Words">What it does, for the list.</param>
/// <param name="Action">What to do where no button has <c>data-key</c> of this key.</param>
/// <param name="Ctrl">With the control key.</param>
public sealed record Shortcut(string Key, string Words, Func<Task>? Action = null, bool Ctrl = false)
{
    /// <summary>As it stands on a keyboard.</summary>
    public string Shown => (Ctrl ? "Ctrl + " : "") + Key switch
    {
        "ArrowRight" => "→",
        "ArrowLeft" => "←",
        "ArrowUp" => "↑",
        "ArrowDown" => "↓",
        " " => "Space",
        "Escape" => "Esc",
        "Backspace" => "⌫",
        { Length: 1 } letter => letter.ToUpperInvariant(),
        _ => Key,
    };
}
