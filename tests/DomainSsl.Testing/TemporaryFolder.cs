namespace DomainSsl.Testing;

/// <summary>A fresh folder that is removed, with all in it, at the end of the test.</summary>
public sealed class TemporaryFolder : IDisposable
{
    /// <summary>The folder's full path.</summary>
    public string Path { get; } = Directory.CreateTempSubdirectory("domainssl-").FullName;

    /// <summary>A path below the folder.</summary>
    public string At(params string[] parts) => System.IO.Path.Combine([Path, .. parts]);

    /// <inheritdoc />
    public void Dispose()
    {
        try { Directory.Delete(Path, recursive: true); }
        catch (IOException) { /* a killed process may still hold a file for a moment; the system clears its temporary folder itself */ }
    }
}
