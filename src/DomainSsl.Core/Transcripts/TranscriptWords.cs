using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace DomainSsl.Core.Transcripts;

/// <summary>Words as they are stored and sent: <c>[["word", start, end, confidence, fit], …]</c>, seconds, confidence and fit to a thousandth, what is not known null and left out at the end.</summary>
public static class TranscriptWords
{
    /// <summary>Longest word, letters.</summary>
    public const int LongestWord = 200;

    /// <summary>Most words of a segment.</summary>
    public const int MostWords = 20_000;

    /// <summary>Words as JSON.</summary>
    public static string Write(IEnumerable<TranscriptWord> words)
    {
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartArray();
            foreach (var word in words)
            {
                json.WriteStartArray();
                json.WriteStringValue(word.Text);
                double?[] numbers = [word.Start, word.End, word.Confidence, word.Fit];
                int count = Array.FindLastIndex(numbers, n => n is not null) + 1;
                foreach (var number in numbers.AsSpan(0, count))
                {
                    if (number is { } n) json.WriteNumberValue(Math.Round(n, 3));
                    else json.WriteNullValue();
                }
                json.WriteEndArray();
            }
            json.WriteEndArray();
        }
        return Encoding.UTF8.GetString(bytes.ToArray());
    }

    /// <summary>How many words there are in what <see cref="Write"/> wrote, and how many of them are to be checked (<see cref="TranscriptWord.Unsure"/>, <see cref="TranscriptWord.Unlikely"/>).</summary>
    internal static (int Words, int Doubtful) Count(string json)
    {
        using var document = JsonDocument.Parse(json);
        return (document.RootElement.GetArrayLength(), document.RootElement.EnumerateArray().Count(w => Number(w, 3) < TranscriptWord.UnsureBelow || Number(w, 4) < TranscriptWord.UnlikelyBelow));
    }

    /// <summary>Reads what <see cref="Write"/> wrote, or a page sent.</summary>
    /// <exception cref="RefusedException"><c>transcript-edit-damaged</c>.</exception>
    public static IReadOnlyList<TranscriptWord> Read(string json)
    {
        try
        {
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 4 });
            return Read(document.RootElement);
        }
        catch (JsonException) { throw Damaged("its words are no list"); }
    }

    /// <inheritdoc cref="Read(string)"/>
    public static IReadOnlyList<TranscriptWord> Read(JsonElement json)
    {
        if (json.ValueKind != JsonValueKind.Array || json.GetArrayLength() > MostWords) throw Damaged("its words are no list, or too many");
        var words = new List<TranscriptWord>(json.GetArrayLength());
        foreach (var word in json.EnumerateArray())
        {
            if (word.ValueKind != JsonValueKind.Array || word.GetArrayLength() is 0 or > 5 || word[0].ValueKind != JsonValueKind.String) throw Damaged("a word is none");
            string text;
            try { text = word[0].GetString()!; }
            catch (InvalidOperationException) { throw Damaged("a word has half a letter"); }
            if (text.Length is 0 or > LongestWord || text.Any(char.IsWhiteSpace)) throw Damaged("a word is empty, has a space in it or is too long");
            var (start, end, confidence, fit) = (Number(word, 1), Number(word, 2), Number(word, 3), Number(word, 4));
            if (start is null != end is null || start < 0 || end < start) throw Damaged("a word ends before it starts");
            if (confidence is < 0 or > 1 || fit is < 0 or > 1) throw Damaged("a confidence is not between 0 and 1");
            words.Add(new TranscriptWord(text, start, end, confidence, fit));
        }
        return words;
    }

    private static double? Number(JsonElement word, int index) => index >= word.GetArrayLength() || word[index].ValueKind == JsonValueKind.Null ? null
        : word[index].ValueKind == JsonValueKind.Number && word[index].TryGetDouble(out var n) && double.IsFinite(n) ? n : throw Damaged("a time is no number");

    internal static RefusedException Damaged(string what) => new("transcript-edit-damaged", $"The change could not be understood ({what}) and was not stored; load the page again.");
}
