using System.ComponentModel.DataAnnotations;

namespace DomainSsl.Core.Importing;

/// <summary>Section <c>Import</c> of <c>appsettings.json</c>.</summary>
public sealed record ImportOptions
{
    /// <summary>Keep the untouched original of every file beside its de-identified copy. It holds names: off unless an administrator decides otherwise.</summary>
    public bool KeepOriginals { get; init; }

    /// <summary>Largest file taken, bytes; inside a zip, unpacked.</summary>
    [Range(1 << 20, 1L << 40)]
    public long MaxFileBytes { get; init; } = 2L << 30;

    /// <summary>A zip entry over 100 MB may unpack to at most so many times its packed size; scans compress some 2 to 20 times.</summary>
    [Range(10, 100_000)]
    public int MaxZipRatio { get; init; } = 200;

    /// <summary>Most entries of one zip.</summary>
    [Range(1, 100_000_000)]
    public int MaxZipEntries { get; init; } = 500_000;

    /// <summary>Most that one zip may unpack to in all, bytes.</summary>
    [Range(1 << 20, 1L << 50)]
    public long MaxZipBytes { get; init; } = 1L << 40;

    /// <summary>Files worked on at once; 0: one a core and two more that wait for the disk.</summary>
    [Range(0, 256)]
    public int Workers { get; init; }
}
