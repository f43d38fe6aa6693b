using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace DomainSsl.Core.Transcripts;

/// <summary>
/// SubRip subtitles: numbered blocks of a line with start and end (to a thousandth of a second) and one of text, the speaker in square brackets. It has no word times.
/// </summary>
public static partial class SrtTranscript
{
    /// <summary>The file's text. Segments without words are left out.</summary>
    /// <exception cref="RefusedException"><c>transcript-untimed</c>.</exception>
    public static string Write(Transcript transcript)
    {
        var (text, number) = (new StringBuilder(), 0);
        for (var i = 0; i < transcript.Segments.Count; i++)
        {
            var segment = transcript.Segments[i];
            if (segment.Words.Count == 0) continue;
            if (!segment.Timed) throw TranscriptFormats.Untimed("SRT", i);
            var line = TranscriptFormats.Spoken(segment);
            if (TranscriptFormats.Span(line) is not null) line = "[] " + line; // words that look like a line of times
            text.Append(CultureInfo.InvariantCulture, $"{++number}\n{Clock(segment.Start!.Value)} --> {Clock(segment.End!.Value)}\n{line}\n\n");
        }
        return text.ToString();

        static string Clock(double seconds) => TranscriptFormats.Clock(TranscriptFormats.Milliseconds(seconds), ',');
    }

    /// <summary>Whether a text begins as subtitles do.</summary>
    internal static bool LooksLike(string text) => text.Split('\n', 12).Where(l => l.Length > 0).Take(2).Any(l => TranscriptFormats.Span(l) is not null);

    /// <summary>Reads it. Numbers may be missing, a text may have several lines and empty ones among them; marks of italic, bold, underline and colour are dropped.</summary>
    /// <exception cref="RefusedException"><c>transcript-damaged</c>, with the line.</exception>
    public static Transcript Read(string text)
    {
        var lines = text.Split('\n');
        var segments = new List<TranscriptSegment>();
        (double Start, double End)? span = null;
        var spoken = new List<string>();
        for (var i = 0; i < lines.Length; i++)
        {
            if (TranscriptFormats.Span(lines[i]) is { } next)
            {
                if (next.End < next.Start) throw TranscriptFormats.Damaged("SRT", i + 1, "ends before it starts");
                if (Numbered(i)) spoken.RemoveAt(spoken.Count - 1);
                End(i);
                span = next;
            }
            else if (Numbered(i) && lines[i].Contains("-->", StringComparison.Ordinal))
            {
                throw TranscriptFormats.Damaged("SRT", i + 1, "has no times of the form 00:00:01,000 --> 00:00:02,500");
            }
            else spoken.Add(lines[i]);
        }
        End(lines.Length);
        return new Transcript(segments);

        // Whether the line before is a block's number, and not the last word of a text.
        bool Numbered(int i) => i > 0 && int.TryParse(lines[i - 1], NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out _)
            && (i == 1 || string.IsNullOrWhiteSpace(lines[i - 2]));

        void End(int line)
        {
            var (speaker, words) = TranscriptFormats.Speaking(string.Join(' ', spoken.Select(l => Marks().Replace(l, ""))));
            spoken.Clear();
            if (span is null && (words.Length > 0 || speaker is not null)) throw TranscriptFormats.Damaged("SRT", line, "comes after text that has no times");
            if (span is { } s && words.Length > 0) segments.Add(new TranscriptSegment(speaker, s.Start, s.End, [.. words.Select(w => new TranscriptWord(w))]));
        }
    }

    [GeneratedRegex(@"</?[biu]>|</?font(\s[^<>]*)?>|\{\\an?\d\}", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Marks();
}
