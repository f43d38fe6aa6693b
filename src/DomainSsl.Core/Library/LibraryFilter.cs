using System.Globalization;
using System.Text;

namespace DomainSsl.Core.Library;

/// <summary>
/// What to show of the library. Its one written form stands in addresses, in <see cref="Collections.Collection.Filter"/> and in <c>collections create --where</c>: words to search
/// for and <c>key:value</c>, parted by blanks, values with blanks in quotation marks.
/// <code>chest modality:CR from:2020-01-01 to:2020-12-31 in:"chest all" kind:image</code>
/// </summary>
public sealed record LibraryFilter
{
    /// <summary>Everything.</summary>
    public static LibraryFilter All { get; } = new();

    /// <summary>Found in pseudonym, modality or body part; upper and lower case are the same.</summary>
    public string Text { get; init; } = "";
    /// <summary>Exactly this modality, e.g. CR.</summary>
    public string? Modality { get; init; }
    /// <summary>Studies of this (shifted) day or later; recordings imported on it or later.</summary>
    public DateOnly? From { get; init; }
    /// <summary>Up to and with this day.</summary>
    public DateOnly? To { get; init; }
    /// <summary>Only what is in the collection of this name.</summary>
    public string? Collection { get; init; }
    /// <summary>Images alone or sounds alone.</summary>
    public ItemKind? Kind { get; init; }

    /// <summary>Reads the written form.</summary>
    /// <exception cref="RefusedException"><c>bad-filter</c>.</exception>
    public static LibraryFilter Parse(string? text)
    {
        var (filter, words) = (new LibraryFilter(), new List<string>());
        foreach (var (key, value) in Terms(text ?? ""))
        {
            filter = key switch
            {
                null => With(filter, () => words.Add(value)),
                "modality" => filter with { Modality = value.ToUpperInvariant() },
                "from" => filter with { From = Day(key, value) },
                "to" => filter with { To = Day(key, value) },
                "in" => filter with { Collection = value },
                "kind" => filter with
                {
                    Kind = value switch
                    {
                        "image" => ItemKind.Image,
                        "sound" => ItemKind.Sound,
                        _ => throw Bad($"kind:{value} is not known; write kind:image or kind:sound."),
                    },
                },
                _ => throw Bad($"'{key}:' is not known; write modality:, from:, to:, in: or kind:, and plain words to search for."),
            };
        }
        return filter with { Text = string.Join(' ', words) };

        static LibraryFilter With(LibraryFilter same, Action deed)
        {
            deed();
            return same;
        }
    }

    /// <summary>The written form; empty for everything.</summary>
    public override string ToString()
    {
        var said = new List<string>();
        foreach (var word in Text.Split(' ', StringSplitOptions.RemoveEmptyEntries)) said.Add(word.Contains(':', StringComparison.Ordinal) ? $"\"{word}\"" : word);
        Add("modality", Modality);
        Add("from", From?.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture));
        Add("to", To?.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture));
        Add("in", Collection);
        Add("kind", Kind switch { ItemKind.Image => "image", ItemKind.Sound => "sound", _ => null });
        return string.Join(' ', said);

        void Add(string key, string? value)
        {
            if (!string.IsNullOrEmpty(value)) said.Add(value.Contains(' ', StringComparison.Ordinal) ? $"{key}:\"{value}\"" : $"{key}:{value}");
        }
    }

    private static IEnumerable<(string? Key, string Value)> Terms(string text)
    {
        string? key = null;
        var (word, quoted, any) = (new StringBuilder(), false, false);
        foreach (char c in text)
        {
            if (c == '"') (quoted, any) = (!quoted, true);
            else if (!quoted && char.IsWhiteSpace(c))
            {
                if (word.Length > 0 || key is not null) yield return (key, word.ToString());
                (key, any) = (null, false);
                word.Clear();
            }
            else if (!quoted && c == ':' && key is null && !any && word.Length > 0)
            {
                key = word.ToString().ToLowerInvariant();
                word.Clear();
            }
            else word.Append(c);
        }
        if (quoted) throw Bad("A quotation mark is never closed.");
        if (word.Length > 0 || key is not null) yield return (key, word.ToString());
    }

    private static DateOnly Day(string key, string value) => DateOnly.TryParseExact(value, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day)
        ? day : throw Bad($"{key}:{value} is not a day; write it as {key}:2020-12-31.");

    private static RefusedException Bad(string why) => new("bad-filter", $"The filter cannot be read: {why}");
}
