using System.Globalization;
using System.Text;

namespace DomainSsl.Learning.Decoding;

/// <summary>Writes a text out as it is spoken; the rules stand at <see cref="Alphabet.Normalise"/>.</summary>
internal static class SpokenText
{
    private static readonly string[] Units =
    [
        "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen",
        "eighteen", "nineteen",
    ];

    private static readonly string[] Tens = ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
    private static readonly (long Value, string Name)[] Scales = [(1_000_000_000_000, "trillion"), (1_000_000_000, "billion"), (1_000_000, "million"), (1000, "thousand")];

    private static readonly Dictionary<string, string> IrregularOrdinals = new()
    {
        ["one"] = "first",
        ["two"] = "second",
        ["three"] = "third",
        ["five"] = "fifth",
        ["eight"] = "eighth",
        ["nine"] = "ninth",
        ["twelve"] = "twelfth",
    };

    // The runtime's own decomposition is switched off with its culture data, so the Latin letters that names and borrowed words have are listed.
    private static readonly Dictionary<char, string> Plain = Fold(
        ("a", "àáâãäåāăąǎ"), ("c", "çćĉċč"), ("d", "ďđð"), ("e", "èéêëēĕėęě"), ("g", "ĝğġģ"), ("h", "ĥħ"), ("i", "ìíîïĩīĭįı"), ("j", "ĵ"), ("k", "ķĸ"), ("l", "ĺļľŀł"),
        ("n", "ñńņňŉŋ"), ("o", "òóôõöøōŏőǒ"), ("r", "ŕŗř"), ("s", "śŝşšșſ"), ("t", "ţťŧț"), ("u", "ùúûüũūŭůűųǔ"), ("w", "ŵ"), ("y", "ýÿŷ"), ("z", "źżž"),
        ("ae", "æ"), ("oe", "œ"), ("ss", "ß"), ("th", "þ"), ("fi", "ﬁ"), ("fl", "ﬂ"), ("ff", "ﬀ"), ("mu", "µμ"));

    public static string Of(string text, Alphabet alphabet)
    {
        var lower = text.ToLowerInvariant();
        var spoken = new StringBuilder(lower.Length + 16);
        for (var i = 0; i < lower.Length; i++)
        {
            var c = lower[i];
            if (char.IsAsciiDigit(c)) i = Number(lower, i, spoken) - 1;
            else if (alphabet.Number(c) > 0 && c is not ('\'' or ' ')) spoken.Append(c);
            else if (IsApostrophe(c)) { if (BetweenLetters(lower, i) && alphabet.Number('\'') > 0) spoken.Append('\''); else if (!BetweenLetters(lower, i)) spoken.Append(' '); }
            else if (Plain.TryGetValue(c, out var plain)) spoken.Append(plain);
            else if (char.GetUnicodeCategory(c) != UnicodeCategory.NonSpacingMark) spoken.Append(' ').Append(Symbol(lower, i)).Append(' ');
        }

        // What the words above brought in may itself lack from another language's alphabet, so the last word is its own.
        var result = new StringBuilder(spoken.Length);
        for (var i = 0; i < spoken.Length; i++)
        {
            var c = spoken[i];
            if (c == ' ') { if (result.Length > 0 && result[^1] != ' ') result.Append(' '); }
            else if (alphabet.Number(c) > 0) result.Append(c);
        }
        if (result.Length > 0 && result[^1] == ' ') result.Length--;
        return result.ToString();
    }

    /// <summary>Writes the number that begins at <paramref name="at"/> and gives back the place after it.</summary>
    private static int Number(string text, int at, StringBuilder spoken)
    {
        var digits = new StringBuilder();
        var i = at;
        while (i < text.Length)
        {
            if (char.IsAsciiDigit(text[i])) digits.Append(text[i++]);
            // a comma parts thousands only where three figures follow, and no more
            else if (text[i] == ',' && digits.Length is > 0 && DigitsAt(text, i + 1) == 3 && (digits.Length <= 3 || text[i - 4] == ',')) i++;
            else break;
        }
        spoken.Append(' ');
        var whole = digits.ToString();
        var ordinal = i + 2 <= text.Length && text.AsSpan(i, 2) is "st" or "nd" or "rd" or "th" && (i + 2 == text.Length || !char.IsLetterOrDigit(text[i + 2]));
        if (whole.Length > 15 || whole.Length > 1 && whole[0] == '0') spoken.AppendJoin(' ', whole.Select(d => Units[d - '0']));
        else if (ordinal) { AppendOrdinal(long.Parse(whole, CultureInfo.InvariantCulture), spoken); i += 2; }
        else AppendCardinal(long.Parse(whole, CultureInfo.InvariantCulture), spoken);

        if (i + 1 < text.Length && text[i] == '.' && char.IsAsciiDigit(text[i + 1]))
        {
            spoken.Append(" point");
            for (i++; i < text.Length && char.IsAsciiDigit(text[i]); i++) spoken.Append(' ').Append(Units[text[i] - '0']);
        }
        spoken.Append(' ');
        return i;
    }

    private static void AppendCardinal(long n, StringBuilder spoken)
    {
        foreach (var (value, name) in Scales)
        {
            if (n < value) continue;
            AppendCardinal(n / value, spoken);
            spoken.Append(' ').Append(name);
            n %= value;
            if (n == 0) return;
            spoken.Append(' ');
        }
        if (n >= 100)
        {
            spoken.Append(Units[n / 100]).Append(" hundred");
            n %= 100;
            if (n == 0) return;
            spoken.Append(' ');
        }
        if (n < 20) spoken.Append(Units[n]);
        else
        {
            spoken.Append(Tens[n / 10]);
            if (n % 10 > 0) spoken.Append(' ').Append(Units[n % 10]);
        }
    }

    private static void AppendOrdinal(long n, StringBuilder spoken)
    {
        var start = spoken.Length;
        AppendCardinal(n, spoken);
        var words = spoken.ToString(start, spoken.Length - start);
        var last = words[(words.LastIndexOf(' ') + 1)..];
        var ordinal = IrregularOrdinals.GetValueOrDefault(last) ?? (last[^1] == 'y' ? last[..^1] + "ieth" : last + "th");
        spoken.Length -= last.Length;
        spoken.Append(ordinal);
    }

    private static string Symbol(string text, int at)
    {
        var (before, after) = (at > 0 && char.IsAsciiDigit(text[at - 1]), at + 1 < text.Length && char.IsAsciiDigit(text[at + 1]));
        return text[at] switch
        {
            '-' or '–' when before && after => "to",
            '-' or '−' when after && (at == 0 || char.IsWhiteSpace(text[at - 1])) => "minus",
            '/' when before && after => "over",
            '%' => "percent",
            '&' => "and",
            '+' => "plus",
            '=' => "equals",
            '@' => "at",
            '°' => "degrees",
            _ => "",
        };
    }

    private static bool IsApostrophe(char c) => c is '\'' or '’' or '‘' or 'ʼ' or '´' or '`';

    private static bool BetweenLetters(string text, int at) => at > 0 && at + 1 < text.Length && char.IsLetter(text[at - 1]) && char.IsLetter(text[at + 1]);

    private static int DigitsAt(string text, int at)
    {
        var n = 0;
        while (at + n < text.Length && char.IsAsciiDigit(text[at + n])) n++;
        return n;
    }

    private static Dictionary<char, string> Fold(params (string Plain, string Marked)[] letters) =>
        letters.SelectMany(l => l.Marked.Select(m => (m, l.Plain))).ToDictionary(p => p.m, p => p.Plain);
}
