namespace DomainSsl.Core.Importing;

/// <summary>One import: what was given, how far it is, what came of it.</summary>
public sealed class ImportBatch
{
    /// <summary>Row id.</summary>
    public long Id { get; set; }
    /// <summary>When it began (UTC).</summary>
    public DateTime StartedAt { get; set; }
    /// <summary>When it ended (UTC); null while it goes on, or where it was cut off.</summary>
    public DateTime? EndedAt { get; set; }
    /// <summary>Who imported: a user's name or <c>cli:NAME</c>.</summary>
    public required string By { get; set; }
    /// <summary>Files seen so far.</summary>
    public int Files { get; set; }
    /// <summary>Files newly stored.</summary>
    public int Imported { get; set; }
    /// <summary>Files that were there already.</summary>
    public int Duplicates { get; set; }
    /// <summary>Files refused: each got a row in quarantine.</summary>
    public int Refused { get; set; }
    /// <summary>The collection that the items went into, if any.</summary>
    public long? CollectionId { get; set; }
}

/// <summary>
/// A refused file, until it comes in, is refused again for the same reason, or is taken off the list. It is the same file if it has the same full path; of a name without one, as browsers give it, the length must be
/// the same too, for the disks of two patients have files of one name. The name may hold a patient's: shown to administrators alone.
/// </summary>
public sealed class QuarantinedFile
{
    /// <summary>Row id.</summary>
    public long Id { get; set; }
    /// <summary>The import that met it.</summary>
    public long BatchId { get; set; }
    /// <inheritdoc cref="BatchId" />
    public ImportBatch? Batch { get; set; }
    /// <summary>When (UTC).</summary>
    public DateTime At { get; set; }
    /// <summary>Its name as given; inside a zip <c>archive.zip!inner/name</c>.</summary>
    public required string File { get; set; }
    /// <summary>The refusal's code.</summary>
    public required string Code { get; set; }
    /// <summary>The refusal's sentence.</summary>
    public required string Reason { get; set; }
    /// <summary>Length in bytes as far as it was read.</summary>
    public long Bytes { get; set; }
}

/// <summary>
/// Another file that came to the same stored content, e.g. one that differed only in the patient's name. Kept so that a table of labels, which finds items by the hash of the
/// file as imported, finds them by this file too.
/// </summary>
public sealed class SourceAlias
{
    /// <summary>SHA-256 (hex) of the bytes as imported; the key.</summary>
    public required string SourceHash { get; set; }
    /// <summary>The image it came to.</summary>
    public long? InstanceId { get; set; }
    /// <inheritdoc cref="InstanceId" />
    public Library.Instance? Instance { get; set; }
    /// <summary>The sound it came to.</summary>
    public long? RecordingId { get; set; }
    /// <inheritdoc cref="RecordingId" />
    public Library.Recording? Recording { get; set; }
}
