using DomainSsl.Core.Library;

namespace DomainSsl.Core.Transcripts;

/// <summary>How far a transcript is.</summary>
public enum TranscriptState
{
    /// <summary>Written by a model, or brought in; nobody has looked at it.</summary>
    Draft,
    /// <summary>Somebody corrects it.</summary>
    Reviewing,
    /// <summary>A person stands for it: its segments may be learnt from.</summary>
    Accepted,
}

/// <summary>What made a version.</summary>
public enum TranscriptDeed
{
    /// <summary>A model wrote it.</summary>
    Transcribed,
    /// <summary>It came from a file.</summary>
    BroughtIn,
    /// <summary>A person changed segments.</summary>
    Edited,
    /// <summary>A person replaced or confirmed words in many transcripts at once.</summary>
    Replaced,
    /// <summary>A person went back to an earlier version.</summary>
    Restored,
    /// <summary>A person stands for it.</summary>
    Accepted,
}

/// <summary>
/// The transcript of a recording. It is a list of versions that only grows: each edit writes the segments that it made and closes those that they take the place of, so every version can be read at any
/// time, and going back to one is a new version as well.
/// </summary>
public sealed class RecordingTranscript
{
    /// <summary>Row id.</summary>
    public long Id { get; set; }
    /// <summary>The recording; it has one transcript.</summary>
    public long RecordingId { get; set; }
    /// <inheritdoc cref="RecordingId" />
    public Recording? Recording { get; set; }
    /// <summary>How far the newest version is.</summary>
    public TranscriptState State { get; set; }
    /// <summary>Number of the newest version, from 1.</summary>
    public int Version { get; set; }
    /// <summary>Segments of the newest version.</summary>
    public int Segments { get; set; }
    /// <summary>Words of the newest version.</summary>
    public int Words { get; set; }
    /// <summary>Those of them that are to be checked; none once a person stands for the transcript.</summary>
    public int Doubtful { get; set; }
}

/// <summary>A version of a transcript: who made it, when, how.</summary>
public sealed class TranscriptVersion
{
    /// <summary>Row id.</summary>
    public long Id { get; set; }
    /// <summary>The transcript.</summary>
    public long TranscriptId { get; set; }
    /// <inheritdoc cref="TranscriptId" />
    public RecordingTranscript? Transcript { get; set; }
    /// <summary>From 1, without gaps.</summary>
    public int Number { get; set; }
    /// <summary>What was done.</summary>
    public TranscriptDeed Deed { get; set; }
    /// <summary>The version that was gone back to, where one was.</summary>
    public int? Of { get; set; }
    /// <summary>How far the transcript was after it.</summary>
    public TranscriptState State { get; set; }
    /// <summary>Who.</summary>
    public required string By { get; set; }
    /// <summary>When (UTC).</summary>
    public DateTime At { get; set; }
    /// <summary>Segments that it closed or wrote.</summary>
    public int Changed { get; set; }
    /// <summary>A key made where the edit was: sent twice after a dropped connection, it is stored once. Unique.</summary>
    public required string ClientKey { get; set; }
}

/// <summary>A segment as one version wrote it; never changed but for <see cref="To"/>.</summary>
public sealed class TranscriptRow
{
    /// <summary>Row id.</summary>
    public long Id { get; set; }
    /// <summary>The transcript.</summary>
    public long TranscriptId { get; set; }
    /// <inheritdoc cref="TranscriptId" />
    public RecordingTranscript? Transcript { get; set; }
    /// <summary>Its name, made where it was written, so that a next edit can speak of it before this one is acknowledged; unique in the transcript.</summary>
    public required string Uid { get; set; }
    /// <summary>The version that wrote it.</summary>
    public int From { get; set; }
    /// <summary>The first version that has it no longer; null in the newest.</summary>
    public int? To { get; set; }
    /// <summary>Where it stands; what is put between two stands half way.</summary>
    public double Position { get; set; }
    /// <summary>Who speaks.</summary>
    public string? Speaker { get; set; }
    /// <summary>Seconds, or null where not known.</summary>
    public double? Start { get; set; }
    /// <summary>Seconds, or null where not known.</summary>
    public double? End { get; set; }
    /// <inheritdoc cref="TranscriptSegment.GuessedStart" />
    public bool GuessedStart { get; set; }
    /// <inheritdoc cref="TranscriptSegment.GuessedEnd" />
    public bool GuessedEnd { get; set; }
    /// <summary>The words as JSON, see <see cref="TranscriptWords"/>.</summary>
    public required string Words { get; set; }
}

/// <summary>
/// An edit that came too late: another person had changed the same segments. It changes nothing, but it is kept, so that nothing that was typed is lost; the page shows both and asks.
/// </summary>
public sealed class SetAsideEdit
{
    /// <summary>Row id.</summary>
    public long Id { get; set; }
    /// <summary>The transcript.</summary>
    public long TranscriptId { get; set; }
    /// <inheritdoc cref="TranscriptId" />
    public RecordingTranscript? Transcript { get; set; }
    /// <summary>Who.</summary>
    public required string By { get; set; }
    /// <summary>When (UTC).</summary>
    public DateTime At { get; set; }
    /// <summary>The edit's key; unique.</summary>
    public required string ClientKey { get; set; }
    /// <summary>The edit, as JSON.</summary>
    public required string Edit { get; set; }
}
