using DomainSsl.Core.Storage;

namespace DomainSsl.Core.Importing;

/// <summary>A file on its way in: on the disk, or unpacked from a zip into memory or, if it is large, into a temporary file.</summary>
internal sealed class ImportSource : IDisposable
{
    private readonly string? _path;
    private readonly byte[]? _bytes;
    private readonly bool _temporary;

    private ImportSource(string name, string? path, byte[]? bytes, bool temporary) => (Name, _path, _bytes, _temporary) = (name, path, bytes, temporary);

    /// <summary>The name as given: for messages and, if refused, for quarantine.</summary>
    public string Name { get; }

    /// <summary>What a table says of the patient, if one named the file.</summary>
    public string? Patient { get; init; }

    /// <summary>What a table says of the speaker, if one named the file.</summary>
    public string? Speaker { get; init; }

    /// <summary>What a table says is spoken in it, if one named the file.</summary>
    public string? Text { get; init; }

    /// <summary>Found to be bad before it was read.</summary>
    public Refusal? Refusal { get; init; }

    /// <summary>Length in bytes as far as known.</summary>
    public long Length { get; init; }

    public static ImportSource OfFile(string name, string path, long length, string? patient = null, string? speaker = null, string? text = null) =>
        new(name, path, null, temporary: false) { Length = length, Patient = patient, Speaker = speaker, Text = text };

    public static ImportSource OfBytes(string name, byte[] bytes) => new(name, null, bytes, temporary: false) { Length = bytes.Length };

    public static ImportSource OfTemporary(string name, string path, long length) => new(name, path, null, temporary: true) { Length = length };

    public static ImportSource Refused(string name, Refusal refusal, long length = 0) => new(name, null, null, temporary: false) { Refusal = refusal, Length = length };

    /// <summary>The file, to be read from its beginning; may be sought in.</summary>
    /// <exception cref="RefusedException">It cannot be opened.</exception>
    public Stream Open() => _bytes is not null ? new MemoryStream(_bytes, writable: false)
        : Reading(() => new FileStream(_path!, FileMode.Open, FileAccess.Read, FileShare.Read, 64 << 10, FileOptions.SequentialScan));

    /// <summary>All bytes of the file.</summary>
    /// <exception cref="RefusedException">It cannot be read.</exception>
    public byte[] Read() => _bytes ?? Reading(() => File.ReadAllBytes(_path!));

    /// <summary>Does something with the file; what goes wrong is the file's fault, not ours.</summary>
    /// <exception cref="RefusedException">It cannot be read.</exception>
    public static T Reading<T>(Func<T> deed)
    {
        try { return deed(); }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException) { throw new RefusedException(ImportRefusals.Unreadable(e.Message)); }
    }

    /// <inheritdoc />
    public void Dispose()
    {
        if (!_temporary) return;
        try { File.Delete(_path!); }
        catch (IOException) { /* swept at the next start */ }
    }
}
