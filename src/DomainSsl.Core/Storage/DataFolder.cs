namespace DomainSsl.Core.Storage;

/// <summary>
/// Where everything of one installation lies: <c>domainssl.db</c>, <c>blobs/</c> (content-addressed files), <c>shards/</c> (decoded pixels for training),
/// <c>models/ID/</c>, <c>runs/ID/</c>, <c>keys/</c> (secrets), <c>incoming/</c> (uploads not yet imported) and <c>cache/</c> (pictures, may be deleted at any time).
/// What is made here is open to its owner alone (mode 0700).
/// </summary>
public sealed class DataFolder
{
    /// <summary>Opens the folder, making what is missing of it.</summary>
    /// <param name="root">The folder; relative paths count from the current folder.</param>
    public DataFolder(string root)
    {
        Root = Path.GetFullPath(root);
        foreach (var folder in (string[])[Root, Blobs, Shards, Models, Runs, Incoming, Cache, Keys]) MakeOwn(folder);
    }

    /// <summary>Makes a folder that is open to its owner alone; one that is there already stays as it is.</summary>
    internal static void MakeOwn(string folder)
    {
        if (OperatingSystem.IsWindows()) Directory.CreateDirectory(folder);
        else Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    /// <summary>The folder itself, as a full path.</summary>
    public string Root { get; }

    /// <summary>The SQLite database.</summary>
    public string Database => Path.Combine(Root, "domainssl.db");

    /// <summary>Stored files, named by the SHA-256 of their bytes.</summary>
    public string Blobs => Path.Combine(Root, "blobs");

    /// <summary>Decoded pixels of frozen collections, memory-mapped by training.</summary>
    public string Shards => Path.Combine(Root, "shards");

    /// <summary>What is being written or unpacked; what a killed process left there goes after some hours.</summary>
    public string Temporary => Path.Combine(Blobs, "tmp");

    /// <summary>Weights, one folder a model.</summary>
    public string Models => Path.Combine(Root, "models");

    /// <summary>Metrics, log and checkpoints, one folder a run.</summary>
    public string Runs => Path.Combine(Root, "runs");

    /// <summary>Secrets; readable by their owner alone.</summary>
    public string Keys => Path.Combine(Root, "keys");

    /// <summary>Uploaded bytes on their way into the library.</summary>
    public string Incoming => Path.Combine(Root, "incoming");

    /// <summary>Pictures made from blobs; may be deleted at any time.</summary>
    public string Cache => Path.Combine(Root, "cache");

    /// <summary>The folder of one run: <c>metrics.jsonl</c>, <c>log.txt</c>, <c>checkpoints/</c>, <c>result.json</c>.</summary>
    public string Run(string id) => Path.Combine(Runs, id);

    /// <summary>The folder of one model: <c>weights.safetensors</c> and <c>model.json</c>.</summary>
    public string Model(string id) => Path.Combine(Models, id);
}
