using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace DomainSsl.Core.Transcripts;

/// <summary>
/// All that a transcript holds, as JSON: <c>{"text", "segments": [{"speaker", "start", "end", "text", "words": [{"word", "start", "end", "confidence", "fit"}]}]}</c>, seconds as numbers. Read too: what <c>transcribe
/// --json</c> writes (a flat list <c>words</c>), and the names of other recognisers (<c>text</c> for a word, <c>probability</c> for its confidence). Other keys are passed over.
/// </summary>
public static class JsonTranscript
{
    /// <summary>The file's text, indented.</summary>
    public static string Write(Transcript transcript)
    {
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes, new JsonWriterOptions { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteString("text", transcript.Text);
            json.WriteStartArray("segments");
            foreach (var segment in transcript.Segments)
            {
                json.WriteStartObject();
                if (segment.Speaker is not null) json.WriteString("speaker", segment.Speaker);
                Number("start", segment.Start);
                Number("end", segment.End);
                json.WriteString("text", segment.Text);
                json.WriteStartArray("words");
                foreach (var word in segment.Words)
                {
                    json.WriteStartObject();
                    json.WriteString("word", word.Text);
                    Number("start", word.Start);
                    Number("end", word.End);
                    Number("confidence", word.Confidence);
                    Number("fit", word.Fit);
                    json.WriteEndObject();
                }
                json.WriteEndArray();
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteEndObject();

            void Number(string name, double? value)
            {
                if (value is { } v) json.WriteNumber(name, v);
            }
        }
        return Encoding.UTF8.GetString(bytes.ToArray()) + "\n";
    }

    /// <summary>Reads it. Words that overlap the one before, as some recognisers write them, begin where that ends.</summary>
    /// <exception cref="RefusedException"><c>transcript-damaged</c>, with the place.</exception>
    public static Transcript Read(string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text, new JsonDocumentOptions { MaxDepth = 16, AllowTrailingCommas = true, CommentHandling = JsonCommentHandling.Skip });
            var root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object) throw Wrong("it is no object in braces");
            if (root.TryGetProperty("segments", out var segments))
            {
                if (segments.ValueKind != JsonValueKind.Array) throw Wrong("'segments' is no list");
                return new Transcript([.. segments.EnumerateArray().Select((s, i) => Segment(s, $"segments[{i}]"))]);
            }
            if (!root.TryGetProperty("words", out _) && !root.TryGetProperty("text", out _)) throw Wrong("it has neither 'segments' nor 'words' nor 'text'");
            return new Transcript([Segment(root, "the transcript")]);
        }
        catch (JsonException e)
        {
            throw TranscriptFormats.Damaged("JSON", (int)(e.LineNumber ?? 0) + 1, "is not JSON");
        }
    }

    private static TranscriptSegment Segment(JsonElement json, string place)
    {
        if (json.ValueKind != JsonValueKind.Object) throw Wrong($"{place} is no object in braces");
        var speaker = json.TryGetProperty("speaker", out var s) && s.ValueKind != JsonValueKind.Null ? String(s, $"{place}.speaker") : null;
        var (start, end) = Times(json, place);
        var words = new List<TranscriptWord>();
        if (json.TryGetProperty("words", out var list) && list.ValueKind != JsonValueKind.Null)
        {
            if (list.ValueKind != JsonValueKind.Array) throw Wrong($"{place}.words is no list");
            var before = 0.0;
            foreach (var (word, i) in list.EnumerateArray().Select((w, i) => (w, i)))
            {
                foreach (var w in Words(word, $"{place}.words[{i}]", before)) words.Add(w);
                if (words.Count > 0 && words[^1].End is { } last) before = last;
            }
        }
        else if (json.TryGetProperty("text", out var text)) words.AddRange(Transcript.Split(String(text, $"{place}.text")).Select(w => new TranscriptWord(w)));
        // A segment reaches at least as far as its words.
        var (first, final) = (words.FirstOrDefault(w => w.Timed)?.Start, words.LastOrDefault(w => w.Timed)?.End);
        if (start > first || start is null) start = first ?? start;
        if (end < final || end is null) end = final ?? end;
        return new TranscriptSegment(speaker, start, end, words);
    }

    private static IEnumerable<TranscriptWord> Words(JsonElement json, string place, double before)
    {
        if (json.ValueKind != JsonValueKind.Object) throw Wrong($"{place} is no object in braces");
        if (!json.TryGetProperty("word", out var text) && !json.TryGetProperty("text", out text)) throw Wrong($"{place} has no 'word'");
        var (start, end) = Times(json, place);
        if (start is { } from && end is { } to) (start, end) = (Math.Max(from, before), Math.Max(to, Math.Max(from, before)));
        double? confidence = null, fit = null;
        if (json.TryGetProperty("confidence", out var c) || json.TryGetProperty("probability", out c)) confidence = Number(c, place + ".confidence");
        if (confidence is < 0 or > 1) throw Wrong($"{place}.confidence is not between 0 and 1");
        if (json.TryGetProperty("fit", out var f)) fit = Number(f, place + ".fit");
        if (fit is < 0 or > 1) throw Wrong($"{place}.fit is not between 0 and 1");
        var words = Transcript.Split(String(text, place + ".word"));
        if (words.Length == 1 || start is null || end is null) return words.Select(w => new TranscriptWord(w, start, end, confidence, fit));
        return words.Zip(TranscriptSegment.Spread(words, start.Value, end.Value), (w, t) => new TranscriptWord(w, t.Start, t.End, confidence, fit));
    }

    private static (double? Start, double? End) Times(JsonElement json, string place)
    {
        var start = json.TryGetProperty("start", out var s) ? Number(s, place + ".start") : null;
        var end = json.TryGetProperty("end", out var e) ? Number(e, place + ".end") : null;
        if (start is null != end is null) throw Wrong($"{place} has only one of 'start' and 'end'");
        if (start < 0 || end < start) throw Wrong($"{place} ends before it starts, or starts before the recording");
        return (start, end);
    }

    private static double? Number(JsonElement json, string place) => json.ValueKind == JsonValueKind.Null ? null
        : json.ValueKind == JsonValueKind.Number && json.TryGetDouble(out var n) && double.IsFinite(n) ? n : throw Wrong($"{place} is no number");

    private static string String(JsonElement json, string place)
    {
        try { return json.ValueKind == JsonValueKind.String ? json.GetString()! : throw Wrong($"{place} is no text"); }
        catch (InvalidOperationException) { throw Wrong($"{place} has half a letter (an unpaired surrogate)"); }
    }

    private static RefusedException Wrong(string what) => new("transcript-damaged", $"The JSON transcript cannot be read: {what}; mend it there.");
}
