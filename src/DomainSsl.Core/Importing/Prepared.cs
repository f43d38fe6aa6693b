using DomainSsl.Core.Library;

namespace DomainSsl.Core.Importing;

/// <summary>A file that the workers are done with: its bytes are stored (not yet named by any row), or it was refused.</summary>
/// <param name="File">The name as given.</param>
/// <param name="Length">Its length in bytes.</param>
internal abstract record Prepared(string File, long Length)
{
    /// <summary>What a table says is spoken in it.</summary>
    public string? Text { get; init; }
}

/// <summary>Refused before any row.</summary>
internal sealed record PreparedRefusal(string File, long Length, Refusal Refusal) : Prepared(File, Length);

/// <summary>The very same bytes were imported before.</summary>
internal sealed record PreparedDuplicate(string File, long Length, string SourceHash, Whose? Whose = null) : Prepared(File, Length);

/// <summary>Whose a file is by the word of a table, where the file itself does not say it.</summary>
/// <param name="Pseudonym">The patient's or speaker's.</param>
/// <param name="StandIn">What stands for the patient of an image as long as nobody says who it is.</param>
internal sealed record Whose(string Pseudonym, string? StandIn = null);

/// <summary>A de-identified image.</summary>
internal sealed record PreparedScan(string File, long Length, string SourceHash, Instance Instance, string Pseudonym, ScanStudy Study, string SeriesUid, int SeriesNumber, Whose? Whose)
    : Prepared(File, Length);

/// <summary>What a scan says of its study, de-identified.</summary>
internal sealed record ScanStudy(string Uid, DateOnly? Date, string Modality, string BodyPart);

/// <summary>A sound at 16 kHz without metadata.</summary>
internal sealed record PreparedSound(string File, long Length, string SourceHash, Recording Recording, Whose? Whose) : Prepared(File, Length);
