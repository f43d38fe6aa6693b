namespace DomainSsl.Core.Storage;

/// <summary>Files that never change, named by the SHA-256 (lower-case hex) of their bytes. Equal bytes are stored once.</summary>
public interface IBlobStore
{
    /// <summary>Stores bytes unless they are there already; whole or not at all, also when the process or the machine dies. The name is sure to survive a power cut after <see cref="Flush"/>.</summary>
    /// <returns>The hash.</returns>
    string Put(ReadOnlySpan<byte> bytes);

    /// <summary>Begins a blob that is written piece by piece, for what is too long to be held in memory; see <see cref="BlobDraft"/>.</summary>
    BlobDraft Begin();

    /// <summary>Makes all that was put before survive a power cut, its names included. Call it before a row that names a blob is committed.</summary>
    void Flush();

    /// <summary>Whether a blob is there.</summary>
    bool Contains(string hash);

    /// <summary>Opens a blob for reading.</summary>
    /// <exception cref="RefusedException"><c>blob-missing</c>: it is not there.</exception>
    Stream Open(string hash);

    /// <summary>All of a blob's bytes.</summary>
    /// <exception cref="RefusedException"><c>blob-missing</c>: it is not there.</exception>
    byte[] Read(string hash);

    /// <summary>The hashes of all blobs, in no particular order.</summary>
    IEnumerable<string> All();

    /// <summary>Reads a blob whole and compares it with its name.</summary>
    bool IsWhole(string hash);

    /// <summary>Removes a blob if it was last put before <paramref name="before"/>. For blobs that no row names: an import was killed between storing and committing.</summary>
    /// <returns>The bytes freed; 0 where it stays.</returns>
    long RemoveIfOlder(string hash, DateTime before);

    /// <summary>Removes what was being written and was left, by a process that was killed: what nobody has touched since <paramref name="before"/> and nobody has open.</summary>
    /// <returns>How many files, and the bytes freed.</returns>
    (int Files, long Bytes) RemoveLeft(DateTime before);
}

/// <summary>A blob while it is written. It is one only after <see cref="Keep"/>; disposed without it, or left by a killed process, nothing of it stays.</summary>
public abstract class BlobDraft : IDisposable
{
    /// <summary>What is written; may be sought in.</summary>
    public abstract Stream Stream { get; }

    /// <summary>Makes it a blob, as <see cref="IBlobStore.Put"/> does. Nothing can be written after.</summary>
    /// <returns>The hash.</returns>
    public abstract string Keep();

    /// <inheritdoc />
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Throws away what was not kept.</summary>
    protected abstract void Dispose(bool disposing);
}
