using System.Text;

namespace DomainSsl.Core.Transcripts;

/// <summary>
/// Plain text, a line a segment: <c>[Speaker] words</c>, or the words alone. It has no times; <see cref="TranscriptAlignment"/> gives them. A colon is text and no mark of a speaker,
/// since dictated reports are full of them (<c>Impression: normal</c>).
/// </summary>
public static class TextTranscript
{
    /// <summary>The file's text. Segments without words are left out.</summary>
    public static string Write(Transcript transcript)
    {
        var text = new StringBuilder();
        foreach (var segment in transcript.Segments.Where(s => s.Words.Count > 0)) text.Append(TranscriptFormats.Spoken(segment)).Append('\n');
        return text.ToString();
    }

    /// <summary>A text of one recording, as tables have it: one segment, brackets and line ends being text like any other.</summary>
    public static Transcript OfOne(string text) => new([new TranscriptSegment(null, null, null, [.. Transcript.Split(text).Select(w => new TranscriptWord(w))])]);

    /// <summary>Reads it; empty lines part nothing.</summary>
    public static Transcript Read(string text) =>
        new([.. text.Split('\n').Select(TranscriptFormats.Speaking).Where(l => l.Words.Length > 0).Select(l => new TranscriptSegment(l.Speaker, null, null, [.. l.Words.Select(w => new TranscriptWord(w))]))]);
}
