namespace DomainSsl.Core.Transcripts;

/// <summary>A segment with its name.</summary>
/// <param name="Uid">Its name, unique in the transcript; a changed segment is a new one with a new name.</param>
/// <param name="Segment">What is said.</param>
public sealed record NamedSegment(string Uid, TranscriptSegment Segment);

/// <summary>Segments that take the place of others: one for one (an edit), two for one (split), one for two (merged), none (taken out), or some for none (put in).</summary>
/// <param name="Replaces">Names of those that go; all must be in the newest version.</param>
/// <param name="With">Those that come, where the first of the others stood.</param>
/// <param name="After">Where nothing goes: the name of the segment behind which they come; null for the beginning, empty for the beginning of a transcript that must have nothing yet.</param>
public sealed record SegmentChange(IReadOnlyList<string> Replaces, IReadOnlyList<NamedSegment> With, string? After = null);

/// <summary>What is stored after something was asked of a transcript.</summary>
/// <param name="Version">Number of the newest version.</param>
/// <param name="State">How far the transcript is.</param>
/// <param name="Again">It had been stored before: the same was sent twice.</param>
/// <param name="Conflict">It came too late: somebody else had changed the same. It changed nothing, and an edit was set aside.</param>
public sealed record TranscriptReceipt(int Version, TranscriptState State, bool Again = false, bool Conflict = false);

/// <summary>A transcript as it was at a version.</summary>
public sealed record StoredTranscript(long RecordingId, double Seconds, int Version, TranscriptState State, IReadOnlyList<NamedSegment> Segments)
{
    /// <summary>Without the names.</summary>
    public Transcript Transcript => new([.. Segments.Select(s => s.Segment)]);
}

/// <summary>A transcript as it was at a version, its words still as JSON: a page takes them as they are stored.</summary>
public sealed record StoredRows(long RecordingId, double Seconds, int Version, TranscriptState State, IReadOnlyList<TranscriptRow> Rows);

/// <summary>One line of a transcript's history.</summary>
public sealed record TranscriptHistory(int Number, DateTime At, string By, TranscriptDeed Deed, int? Of, TranscriptState State, int Changed);

/// <summary>One line of the list of transcripts; where words were looked for, with a passage that has them.</summary>
public sealed record TranscriptLine(long RecordingId, string? Speaker, double Seconds, TranscriptState State, int Version, int Segments, int Words, DateTime At, string By, int Doubtful, FoundPassage? Hit = null);

/// <summary>Which transcripts are listed.</summary>
/// <param name="State">How far they are; null: all.</param>
/// <param name="Speaker">Part of the pseudonym of who speaks, or the recording's number; empty: all.</param>
/// <param name="Text">Words that stand in one passage, or how they begin; empty: all.</param>
public sealed record TranscriptFilter(TranscriptState? State = null, string Speaker = "", string Text = "")
{
    /// <summary>Everything.</summary>
    public static readonly TranscriptFilter All = new();

    /// <summary>From what an address or a command says; a state that is none is everything.</summary>
    public static TranscriptFilter Of(string? state, string? speaker, string? text) =>
        new(state switch { "draft" => TranscriptState.Draft, "reviewing" => TranscriptState.Reviewing, "accepted" => TranscriptState.Accepted, _ => null }, speaker?.Trim() ?? "", text?.Trim() ?? "");
}

/// <summary>What transcripts are listed by.</summary>
public enum TranscriptSort
{
    /// <summary>How many words are to be checked; those that a person stands for last, whichever way.</summary>
    Doubtful,
    /// <summary>When they last changed.</summary>
    Changed,
    /// <summary>How long the recording is.</summary>
    Seconds,
    /// <summary>How far they are: being reviewed, drafts, accepted; of each the newest first.</summary>
    State,
}

/// <summary>A page of the list of transcripts.</summary>
/// <param name="Rows">Its lines.</param>
/// <param name="Total">How many fit the filter.</param>
/// <param name="States">How many would, of each state.</param>
/// <param name="Unwritten">Recordings in which nothing has been written down, whatever the filter.</param>
public sealed record TranscriptListing(IReadOnlyList<TranscriptLine> Rows, int Total, IReadOnlyDictionary<TranscriptState, int> States, int Unwritten);

/// <summary>A recording in which nothing has been written down.</summary>
public sealed record UnwrittenLine(long RecordingId, string? Speaker, double Seconds);

/// <summary>A page of the recordings in which nothing has been written down.</summary>
/// <param name="Rows">Its lines.</param>
/// <param name="Total">How many fit.</param>
public sealed record UnwrittenListing(IReadOnlyList<UnwrittenLine> Rows, int Total);

/// <summary>What a transcriber learns from: a stretch of an accepted transcript.</summary>
/// <param name="RecordingId">The recording.</param>
/// <param name="BlobHash">Its stored sound, 16 kHz.</param>
/// <param name="Start">Seconds.</param>
/// <param name="End">Seconds.</param>
/// <param name="Text">The words with spaces between.</param>
/// <param name="Speaker">By whom splits go: the segment's speaker, else the recording's.</param>
/// <param name="LeftOut">Why nothing is learnt from it; null: it is learnt from.</param>
public sealed record TranscriptTrainingRow(long RecordingId, string BlobHash, double Start, double End, string Text, string? Speaker, LeftOutFor? LeftOut = null);

/// <summary>Why a stretch of an accepted transcript is neither learnt from nor tested with.</summary>
public enum LeftOutFor
{
    /// <summary>Its times are guessed: what is said between them may be other words.</summary>
    GuessedTimes,
    /// <summary>It is longer than <see cref="Runs.SpokenLabel.LongestSeconds"/>.</summary>
    Length,
    /// <summary>It has no letter and no figure that a transcriber writes.</summary>
    NoLetters,
}
