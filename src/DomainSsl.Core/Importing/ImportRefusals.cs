namespace DomainSsl.Core.Importing;

/// <summary>Why import itself refuses a file; what the DICOM and sound libraries refuse keeps their code and sentence.</summary>
public static class ImportRefusals
{
    /// <summary>Zero bytes.</summary>
    public static Refusal Empty { get; } = new("empty", "The file is empty (0 bytes); copy it again from the source.");

    /// <summary>Neither scan nor sound.</summary>
    public static Refusal UnknownKind { get; } =
        new("unknown-kind", "The content is neither a DICOM image nor a sound recording, whatever its name says; choose the original file.");

    /// <summary>A table met in a folder.</summary>
    public static Refusal TableInFolder { get; } = new("table", "This is a table, not a scan or recording; to import the files that it names, import the table itself.");

    /// <summary>Not there.</summary>
    public static Refusal NotFound { get; } = new("not-found", "There is no such file or folder; check the path.");

    /// <summary>A table or DICOMDIR names a file that is not there.</summary>
    public static Refusal NamedNotFound { get; } = new("not-found", "It is named in the list but is not there; copy the missing file beside the list, or take its line out.");

    /// <summary>A table or DICOMDIR that was dropped in the browser names a file that was not.</summary>
    public static Refusal NamedNotDropped { get; } = new("not-dropped", "It is named in the list but was not dropped with it; drop the list again together with its files, in their folders, or take its line out.");

    /// <summary>A table or DICOMDIR names a file outside its folder.</summary>
    public static Refusal NamedOutside { get; } = new("outside-folder", "The list names a file outside its own folder, which is not followed; import that file by itself.");

    /// <summary>The system would not give it.</summary>
    public static Refusal Unreadable(string why) => new("unreadable", $"The file could not be read ({why.TrimEnd('.')}); check its rights and the medium it lies on.");

    /// <summary>The system would not list it.</summary>
    public static Refusal FolderUnreadable { get; } = new("unreadable", "The folder could not be read, so what lies in it is left out; check its rights and the medium it lies on.");

    /// <summary>It was written to while it was read.</summary>
    public static Refusal Changing { get; } = new("changing", "The file changed while it was read; wait until it is copied or recorded to its end, and import it again.");

    /// <summary>Too large.</summary>
    public static Refusal TooLarge(long bytes, long most) =>
        new("too-large", $"The file has {bytes / 1e6:#,0} MB, more than the {most / 1e6:#,0} MB that are taken; ask the administrator to raise Import:MaxFileBytes if it is a real recording or scan.");

    /// <summary>A zip entry that names a place outside.</summary>
    public static Refusal ZipSlip { get; } =
        new("zip-outside", "The name of this entry leads out of the zip's own folder, as in an attack; it was not unpacked. Make the zip again from a plain folder.");

    /// <summary>A zip entry that would unpack to far more than its size.</summary>
    public static Refusal ZipBomb(long unpacked, long packed) => new("zip-bomb",
        $"This entry would unpack to {unpacked / 1e6:#,0} MB from {packed / 1e6:0.0} MB, far more than scans or recordings do; it was not unpacked. Import the files without zipping them.");

    /// <summary>More came out than was announced.</summary>
    public static Refusal ZipLies { get; } = new("zip-bomb", "This entry unpacks to more than the zip announces, as in an attack; unpacking was stopped. Make the zip again.");

    /// <summary>A zip within a zip.</summary>
    public static Refusal NestedZip { get; } = new("zip-nested", "A zip inside a zip is not opened; unpack the outer one first and import its folder.");

    /// <summary>Encrypted, damaged, or by an unknown method.</summary>
    public static Refusal ZipDamaged { get; } = new("zip-damaged", "The zip is damaged, encrypted or packed by a method that is not read here; unpack it yourself and import the folder.");

    /// <summary>Too many entries, or too much in all.</summary>
    public static Refusal ZipTooMuch { get; } = new("zip-too-large", "The zip holds more than is taken at once; unpack it and import the folder.");

    /// <summary>The collection is frozen.</summary>
    public static Refusal Frozen(string collection) =>
        new("collection-frozen", $"The collection '{collection}' is frozen and takes nothing new; import this file into another collection.");

    /// <summary>Same UID, other content.</summary>
    public static Refusal Conflict { get; } = new("conflicting-instance",
        "Another image with the same SOP Instance UID but other content is in the library already; ask the sender to give this one a UID of its own.");

    /// <summary>A table has other words than those that a person has corrected here.</summary>
    public static Refusal TranscriptCorrected { get; } = new("transcript-corrected",
        "The transcript of this recording has been corrected here, so the table's text did not take its place; if it is to, bring it in on the recording's page.");

    /// <summary>A table names another speaker than the library knows.</summary>
    public static Refusal SpeakerDiffers { get; } = new("speaker-differs",
        "This recording is another speaker's in the library than in the table, so nothing of it was changed; mend the speaker in the table's line, or take the line out.");

    /// <summary>A table names another patient than the library knows.</summary>
    public static Refusal PatientDiffers { get; } = new("patient-differs",
        "This image is another patient's in the library than in the table, so nothing of it was changed; mend the patient in the table's line, or take the line out.");

    /// <summary>A fault of ours.</summary>
    public static Refusal Unexpected(string type) =>
        new("unexpected", $"Reading this file met a fault in the program ({type}); the file was left out. Please report it with the file's kind.");

    internal static RefusedException Throw(Refusal refusal) => new(refusal);
}
