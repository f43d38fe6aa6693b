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
internal sealed record PreparedDuplicate(string File, long Length, string SourceHash) : Prepared(File, Length);

/// <summary>A de-identified image.</summary>
internal sealed record PreparedScan(string File, long Length, string SourceHash, Instance Instance, string Pseudonym, ScanStudy Study, string SeriesUid, int SeriesNumber)
    : Prepared(File, Length);

/// <summary>What a scan says of its study, de-identified.</summary>
internal sealed record ScanStudy(string Uid, DateOnly? Date, string Modality, string BodyPart);

/// <summary>A sound at 16 kHz without metadata.</summary>
internal sealed record PreparedSound(string File, long Length, string SourceHash, Recording Recording, string? Pseudonym) : Prepared(File, Length);
