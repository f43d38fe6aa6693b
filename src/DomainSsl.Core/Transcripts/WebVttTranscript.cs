using System.Globalization;
using System.Net;
using System.Text;

namespace DomainSsl.Core.Transcripts;

/// <summary>
/// WebVTT (W3C): cues with start and end to a thousandth of a second, the speaker as voice (<c>&lt;v Name&gt;</c>), and word times as timestamps within the cue. A timestamp before a word is its
/// start, the one behind it its end; where one word begins as the last ends, one serves both. The class <c>words</c> marks a cue whose words have times, since the first start and the last
/// end are the cue's own and go without saying.
/// </summary>
public static class WebVttTranscript
{
    private const string Timed = "<c.words>";

    /// <summary>The file's text. Segments without words are left out; where some words of a segment have times, the others get theirs from between.</summary>
    /// <exception cref="RefusedException"><c>transcript-untimed</c>.</exception>
    public static string Write(Transcript transcript)
    {
        var text = new StringBuilder("WEBVTT\n\n");
        for (var i = 0; i < transcript.Segments.Count; i++)
        {
            var segment = transcript.Segments[i];
            if (segment.Words.Count == 0) continue;
            if (!segment.Timed) throw TranscriptFormats.Untimed("WebVTT", i);
            var timed = segment.Words.Any(w => w.Timed);
            if (timed) segment = segment.WithAllTimes();
            // A cue reaches at least as far as its words.
            var start = TranscriptFormats.Milliseconds(Math.Min(segment.Start!.Value, segment.Words[0].Start ?? double.MaxValue));
            var end = TranscriptFormats.Milliseconds(Math.Max(segment.End!.Value, segment.Words.Max(w => w.End) ?? 0));
            text.Append(TranscriptFormats.Clock(start, '.')).Append(" --> ").Append(TranscriptFormats.Clock(end, '.')).Append('\n');
            if (TranscriptFormats.SpeakerName(segment.Speaker) is { } speaker) text.Append("<v ").Append(Escape(speaker)).Append('>');
            if (timed) AppendTimed(text, segment.Words, start, end);
            else text.AppendJoin(' ', segment.Words.Select(w => Escape(w.Text)));
            text.Append("\n\n");
        }
        return text.ToString();
    }

    private static void AppendTimed(StringBuilder text, IReadOnlyList<TranscriptWord> words, long start, long end)
    {
        text.Append(Timed);
        var now = start;
        for (var k = 0; k < words.Count; k++)
        {
            if (k > 0) text.Append(' ');
            if (At(words[k].Start!.Value) is var from && from != now) Stamp(from);
            text.Append(Escape(words[k].Text));
            if (At(words[k].End!.Value) is var to && (k < words.Count - 1 || to != end)) Stamp(to);
        }
        text.Append("</c>");

        // Never back: the format's times only grow.
        long At(double seconds) => Math.Clamp(TranscriptFormats.Milliseconds(seconds), now, end);

        void Stamp(long milliseconds) => text.Append('<').Append(TranscriptFormats.Clock(now = milliseconds, '.')).Append('>');
    }

    /// <summary>Reads it. Notes, styles, regions and settings are passed over; a cue with several voices becomes a segment a voice.</summary>
    /// <exception cref="RefusedException"><c>transcript-damaged</c>, with the line.</exception>
    public static Transcript Read(string text)
    {
        var lines = text.Split('\n');
        if (!lines[0].StartsWith("WEBVTT", StringComparison.Ordinal) || lines[0].Length > 6 && lines[0][6] is not (' ' or '\t')) throw TranscriptFormats.Damaged("WebVTT", 1, "is not WEBVTT");
        var segments = new List<TranscriptSegment>();
        var i = 0;
        while (i < lines.Length && lines[i].Length > 0) i++; // what belongs to the head
        while (i < lines.Length)
        {
            if (lines[i].Length == 0) { i++; continue; }
            var first = i;
            while (i < lines.Length && lines[i].Length > 0) i++;
            var block = lines.AsSpan(first, i - first);
            if (block[0].Split(' ', '\t')[0] is "NOTE" or "STYLE" or "REGION" && !block[0].Contains("-->", StringComparison.Ordinal)) continue;
            var times = block[0].Contains("-->", StringComparison.Ordinal) ? 0 : 1;
            if (times >= block.Length || TranscriptFormats.Span(block[times]) is not { } span) throw TranscriptFormats.Damaged("WebVTT", first + Math.Min(times, block.Length - 1) + 1, "has no times of the form 00:01.000 --> 00:02.500");
            if (span.End < span.Start) throw TranscriptFormats.Damaged("WebVTT", first + times + 1, "ends before it starts");
            segments.AddRange(new Cue(span.Start, span.End, first + times + 2).Read(string.Join('\n', block[(times + 1)..].ToArray())));
        }
        return new Transcript(segments);
    }

    /// <summary>Reads the text of one cue, letter by letter.</summary>
    private sealed class Cue
    {
        private sealed record Voice(string? Speaker)
        {
            public List<(string Text, double? Start, double? End)> Words { get; } = [];
        }

        private readonly List<Voice> _voices = [new(null)];
        private readonly StringBuilder _word = new();
        private readonly double _start, _end;
        private readonly int _line;
        private double _now;
        private bool _timed, _fresh = true;     // _fresh: the time was said after the last word

        public Cue(double start, double end, int line) => (_start, _now, _end, _line) = (start, start, end, line);

        public IEnumerable<TranscriptSegment> Read(string text)
        {
            var last = text.LastIndexOf('>');
            for (var i = 0; i < text.Length; i++)
            {
                if (text[i] == '<' && i < last && text.IndexOf('>', i) is > 0 and var close)
                {
                    Tag(text[(i + 1)..close]);
                    i = close;
                }
                else if (char.IsWhiteSpace(text[i])) EndWord();
                else _word.Append(text[i]);
            }
            EndWord();
            foreach (var voice in _voices.Where(v => v.Words.Count > 0)) yield return Segment(voice);
        }

        private void Tag(string tag)
        {
            if (TranscriptFormats.Clock(tag) is { } time)
            {
                if (time < _now || time > _end) throw TranscriptFormats.Damaged("WebVTT", _line, $"has the time <{tag}> out of its order");
                EndWord();
                // It is the end of the words before it that have none yet, and the start of what follows.
                var words = _voices[^1].Words;
                if (words.Count > 0 && words[^1].End is null) words[^1] = words[^1] with { End = time };
                (_now, _fresh, _timed) = (time, true, true);
            }
            else if (tag == "c.words") _timed = true;
            else if (tag == "v" || tag.StartsWith("v ", StringComparison.Ordinal) || tag.StartsWith("v.", StringComparison.Ordinal))
            {
                EndWord();
                var space = tag.IndexOfAny([' ', '\t', '\n']);
                _voices.Add(new Voice(space < 0 ? null : TranscriptFormats.SpeakerName(WebUtility.HtmlDecode(tag[space..]))));
            }
            else if (tag is "br" or "br/") EndWord();
        }

        private void EndWord()
        {
            if (_word.Length == 0) return;
            var text = WebUtility.HtmlDecode(_word.ToString());
            _word.Clear();
            foreach (var word in Transcript.Split(text))
            {
                _voices[^1].Words.Add((word, _fresh ? _now : null, null));
                _fresh = false;
            }
        }

        private TranscriptSegment Segment(Voice voice)
        {
            if (!_timed) return new TranscriptSegment(voice.Speaker, _start, _end, [.. voice.Words.Select(w => new TranscriptWord(w.Text))]);
            // Words between two timestamps share the time between them by their letters.
            var words = new List<TranscriptWord>();
            for (var i = 0; i < voice.Words.Count;)
            {
                var next = i + 1;
                while (next < voice.Words.Count && voice.Words[next].Start is null) next++;
                var from = voice.Words[i].Start ?? (words.Count > 0 ? words[^1].End!.Value : _start);
                var to = voice.Words[next - 1].End ?? (next < voice.Words.Count ? voice.Words[next].Start : null) ?? (voice == _voices[^1] ? _end : from);
                var times = TranscriptSegment.Spread(voice.Words[i..next].Select(w => w.Text), from, Math.Max(from, to));
                for (var k = i; k < next; k++) words.Add(new TranscriptWord(voice.Words[k].Text, times[k - i].Start, times[k - i].End));
                i = next;
            }
            var several = _voices.Count(v => v.Words.Count > 0) > 1;
            return new TranscriptSegment(voice.Speaker, several ? words[0].Start : _start, several ? words[^1].End : _end, words);
        }
    }

    private static string Escape(string text) => text.Replace("&", "&amp;", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal).Replace(">", "&gt;", StringComparison.Ordinal);
}
