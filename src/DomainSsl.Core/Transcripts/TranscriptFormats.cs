using System.Globalization;
using System.Text;

namespace DomainSsl.Core.Transcripts;

/// <summary>How a transcript is written to a file.</summary>
public enum TranscriptFormat
{
    /// <summary>Plain text, a line a segment: <see cref="TextTranscript"/>.</summary>
    Txt,

    /// <summary>SubRip subtitles: <see cref="SrtTranscript"/>.</summary>
    Srt,

    /// <summary>WebVTT subtitles with word times: <see cref="WebVttTranscript"/>.</summary>
    Vtt,

    /// <summary>Everything: <see cref="JsonTranscript"/>.</summary>
    Json,

    /// <summary>Praat's tiers: <see cref="TextGridTranscript"/>.</summary>
    TextGrid,
}

/// <summary>Transcripts as files. Every way in is hardened: what cannot be read is refused with a sentence, and nothing is followed or run.</summary>
public static class TranscriptFormats
{
    /// <summary>The largest file that is read: some forty hours of speech in the wordiest format.</summary>
    public const int MaxBytes = 64 << 20;

    /// <summary>The format of a name as commands and file names have it: txt, srt, vtt, json, textgrid; null for another.</summary>
    public static TranscriptFormat? Named(string name) =>
        Enum.GetValues<TranscriptFormat>().Where(f => Extension(f).AsSpan(1).Equals(name.AsSpan().TrimStart('.'), StringComparison.OrdinalIgnoreCase)).Select(f => (TranscriptFormat?)f).FirstOrDefault();

    /// <summary>The ending of a file's name, with its dot.</summary>
    public static string Extension(TranscriptFormat format) => format == TranscriptFormat.TextGrid ? ".TextGrid" : "." + format.ToString().ToLowerInvariant();

    /// <summary>A transcript as a file, UTF-8 without a mark.</summary>
    /// <exception cref="RefusedException"><c>transcript-untimed</c>: the format needs times which the transcript has not.</exception>
    public static byte[] Write(Transcript transcript, TranscriptFormat format) => Encoding.UTF8.GetBytes(format switch
    {
        TranscriptFormat.Txt => TextTranscript.Write(transcript),
        TranscriptFormat.Srt => SrtTranscript.Write(transcript),
        TranscriptFormat.Vtt => WebVttTranscript.Write(transcript),
        TranscriptFormat.Json => JsonTranscript.Write(transcript),
        _ => TextGridTranscript.Write(transcript),
    });

    /// <summary>Reads a file: UTF-8, or UTF-16 with its mark. The format is told by the content, not by the name.</summary>
    /// <exception cref="RefusedException"><c>transcript-damaged</c>, <c>transcript-encoding</c>, <c>transcript-too-large</c>, <c>transcript-empty</c>.</exception>
    public static Transcript Read(ReadOnlySpan<byte> file) => Read(file, out _);

    /// <summary>Reads a file and says which format it was.</summary>
    public static Transcript Read(ReadOnlySpan<byte> file, out TranscriptFormat format)
    {
        if (file.Length > MaxBytes) throw new RefusedException("transcript-too-large", $"The transcript has {file.Length / 1e6:0} MB, more than the {MaxBytes >> 20} MB that are taken; split it.");
        var text = Decode(file).Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n');
        if (string.IsNullOrWhiteSpace(text)) throw new RefusedException("transcript-empty", "The transcript is empty; choose the file with the text in it.");
        format = Recognise(text);
        return format switch
        {
            TranscriptFormat.Txt => TextTranscript.Read(text),
            TranscriptFormat.Srt => SrtTranscript.Read(text),
            TranscriptFormat.Vtt => WebVttTranscript.Read(text),
            TranscriptFormat.Json => JsonTranscript.Read(text),
            _ => TextGridTranscript.Read(text),
        };
    }

    private static TranscriptFormat Recognise(string text)
    {
        if (text.StartsWith("WEBVTT", StringComparison.Ordinal)) return TranscriptFormat.Vtt;
        if (TextGridTranscript.LooksLike(text)) return TranscriptFormat.TextGrid;
        var first = text.AsSpan().TrimStart();
        if (first[0] == '{') return TranscriptFormat.Json;
        return SrtTranscript.LooksLike(text) ? TranscriptFormat.Srt : TranscriptFormat.Txt;
    }

    private static string Decode(ReadOnlySpan<byte> file)
    {
        try
        {
            if (file.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xFE])) return new UnicodeEncoding(bigEndian: false, byteOrderMark: true, throwOnInvalidBytes: true).GetString(file[2..]);
            if (file.StartsWith((ReadOnlySpan<byte>)[0xFE, 0xFF])) return new UnicodeEncoding(bigEndian: true, byteOrderMark: true, throwOnInvalidBytes: true).GetString(file[2..]);
            var text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(file.StartsWith("\uFEFF"u8) ? file[3..] : file);
            return text.Contains('\0', StringComparison.Ordinal) ? throw new RefusedException("transcript-damaged", "This is not a text file but something else; choose the transcript.") : text;
        }
        catch (ArgumentException)
        {
            throw new RefusedException("transcript-encoding", "The transcript's letters are neither UTF-8 nor UTF-16; save it as UTF-8 and try again.");
        }
    }

    internal static RefusedException Damaged(string format, int line, string what) => new("transcript-damaged", $"The {format} transcript cannot be read: line {line} {what}; mend it there.");

    internal static RefusedException Untimed(string format, int segment) =>
        new("transcript-untimed", $"Segment {segment + 1} has no times, which {format} needs; align the transcript with its recording first, or write it as TXT or JSON.");

    /// <summary>The words of a line that may begin with its speaker in square brackets: how plain text and SubRip, which have no place for one, tell who speaks.</summary>
    internal static (string? Speaker, string[] Words) Speaking(string line)
    {
        line = line.Trim();
        if (line.StartsWith('[') && line.IndexOf(']', StringComparison.Ordinal) is > 0 and var end && (end + 1 == line.Length || char.IsWhiteSpace(line[end + 1])))
            return (SpeakerName(line[1..end]), Transcript.Split(line[(end + 1)..]));
        return (null, Transcript.Split(line));
    }

    /// <summary>The line that <see cref="Speaking"/> reads. Where there is no speaker and the text itself begins with a bracket, an empty pair stands before it.</summary>
    internal static string Spoken(TranscriptSegment segment) =>
        SpeakerName(segment.Speaker) is { } speaker ? $"[{speaker.Replace(']', ')')}] {segment.Text}" : segment.Text.StartsWith('[') ? $"[] {segment.Text}" : segment.Text;

    /// <summary>A speaker's name on one line, single spaces; null where nothing is left.</summary>
    internal static string? SpeakerName(string? name) => name is null || string.Join(' ', Transcript.Split(name)) is not { Length: > 0 } tidy ? null : tidy;

    /// <summary>Hours, minutes, seconds and thousandths as subtitles have them.</summary>
    internal static string Clock(long ms, char point) =>
        string.Create(CultureInfo.InvariantCulture, $"{ms / 3_600_000:00}:{ms / 60_000 % 60:00}:{ms / 1000 % 60:00}{point}{ms % 1000:000}");

    internal static long Milliseconds(double seconds) => (long)Math.Round(seconds * 1000, MidpointRounding.AwayFromZero);

    /// <summary>Reads <c>HH:MM:SS.mmm</c> or <c>MM:SS.mmm</c>, comma or point.</summary>
    internal static double? Clock(ReadOnlySpan<char> text)
    {
        text = text.Trim();
        var point = text.LastIndexOfAny('.', ',');
        var whole = point < 0 ? text : text[..point];
        var fraction = point < 0 ? [] : text[(point + 1)..];
        if (fraction.Length > 3 || point >= 0 && fraction.IsEmpty) return null;
        long seconds = 0;
        var parts = 0;
        foreach (var range in whole.Split(':'))
        {
            if (!int.TryParse(whole[range], NumberStyles.None, CultureInfo.InvariantCulture, out var n) || parts > 0 && n > 59 || n > 99_999 || ++parts > 3) return null;
            seconds = seconds * 60 + n;
        }
        if (parts < 2) return null;
        var thousandths = 0;
        if (fraction.Length > 0 && !int.TryParse(fraction, NumberStyles.None, CultureInfo.InvariantCulture, out thousandths)) return null;
        for (var i = fraction.Length; i is > 0 and < 3; i++) thousandths *= 10;
        return (seconds * 1000 + thousandths) / 1000.0;
    }

    /// <summary>Reads <c>START --&gt; END</c>, with whatever settings behind it; null where the line is none.</summary>
    internal static (double Start, double End)? Span(string line)
    {
        var arrow = line.IndexOf("-->", StringComparison.Ordinal);
        if (arrow < 0) return null;
        var rest = line.AsSpan(arrow + 3).TrimStart();
        var space = rest.IndexOfAny(' ', '\t');
        return Clock(line.AsSpan(0, arrow)) is { } start && Clock(space < 0 ? rest : rest[..space]) is { } end ? (start, end) : null;
    }
}
