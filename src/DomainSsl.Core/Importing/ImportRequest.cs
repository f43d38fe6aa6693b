namespace DomainSsl.Core.Importing;

/// <summary>Who imports, and what is wanted beside the import itself.</summary>
/// <param name="By">A user's name or <c>cli:NAME</c>.</param>
/// <param name="CollectionName">Put every item into this collection, made if it is not there.</param>
/// <param name="KeepOriginals">Keep the untouched originals; null: as the configuration says.</param>
/// <param name="Names">For what was dropped in a browser and lies under other names in <c>incoming/</c>: the name of each path as dropped, with its folders. It stands in messages, and what a list names is looked for among these names alone.</param>
/// <param name="Texts">Whether what a table says is spoken becomes accepted transcripts, from which the next transcriber learns. Not where the table is there to test one.</param>
/// <param name="Continues">The row of an import of the same files that was cut off: this one goes on with it, and what it had brought in counts as new. One that is not there, or somebody else's, is passed over.</param>
/// <param name="Begun">Told the import's row before the first file is committed: whoever keeps it can have the import gone on with.</param>
public sealed record ImportRequest(string By, string? CollectionName = null, bool? KeepOriginals = null, IReadOnlyDictionary<string, string>? Names = null, bool Texts = true,
    long? Continues = null, Action<long>? Begun = null);

/// <summary>What became of a file.</summary>
public enum ImportOutcome
{
    /// <summary>Stored; it is new.</summary>
    Imported,
    /// <summary>It was there already.</summary>
    Duplicate,
    /// <summary>Refused, and listed in quarantine.</summary>
    Refused,
}

/// <summary>One file's end. Told to whoever imports, and but for refused files stored nowhere.</summary>
/// <param name="File">Its name as given; inside a zip <c>archive.zip!inner/name</c>.</param>
/// <param name="Outcome">What became of it.</param>
/// <param name="Code">The refusal's code.</param>
/// <param name="Reason">The refusal's sentence.</param>
public sealed record ImportedFile(string File, ImportOutcome Outcome, string? Code = null, string? Reason = null);

/// <summary>How far an import is. Everything counted here is committed: a kill or a power cut takes none of it back.</summary>
/// <param name="Done">Files that have ended.</param>
/// <param name="Total">Files found so far; zips add to it when they are opened.</param>
/// <param name="Imported">Newly stored.</param>
/// <param name="Duplicates">There already.</param>
/// <param name="Refused">Refused.</param>
/// <param name="Latest">The files that ended since the last report.</param>
public sealed record ImportProgress(int Done, int Total, int Imported, int Duplicates, int Refused, IReadOnlyList<ImportedFile> Latest);

/// <summary>A refused file: its name, a stable code, one sentence that says what is wrong and what to do.</summary>
public sealed record RefusedFile(string File, string Code, string Reason);

/// <summary>What came of an import.</summary>
/// <param name="BatchId">Its row.</param>
/// <param name="Imported">Files newly stored.</param>
/// <param name="Duplicates">Files that were there already.</param>
/// <param name="Refused">Files refused; each has a row in quarantine.</param>
/// <param name="CollectionId">The collection the items went into.</param>
/// <param name="Named">Of the files that were there already those of which a table said for the first time whose they are.</param>
public sealed record ImportSummary(long BatchId, int Imported, int Duplicates, IReadOnlyList<RefusedFile> Refused, long? CollectionId, int Named = 0);
