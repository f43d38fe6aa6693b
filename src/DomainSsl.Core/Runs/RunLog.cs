using System.Globalization;
using System.Text;
using DomainSsl.Core.Storage;

namespace DomainSsl.Core.Runs;

/// <summary>A run's log for people, <c>runs/ID/log.txt</c>: a line each event, with its time in UTC. Never a patient's name.</summary>
public sealed class RunLog(DataFolder folder, TimeProvider time)
{
    private readonly Lock _gate = new();

    /// <summary>Adds a line.</summary>
    public void Write(string runId, string sentence)
    {
        var line = string.Create(CultureInfo.InvariantCulture, $"{time.GetUtcNow().UtcDateTime:yyyy-MM-dd HH:mm:ss}  {sentence.ReplaceLineEndings(" ")}\n");
        Directory.CreateDirectory(folder.Run(runId));
        lock (_gate) File.AppendAllText(PathOf(runId), line);
    }

    /// <summary>The last lines, oldest first.</summary>
    public async Task<IReadOnlyList<string>> ReadAsync(string runId, int lastLines = 200, CancellationToken cancel = default)
    {
        if (!File.Exists(PathOf(runId))) return [];
        await using var file = new FileStream(PathOf(runId), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        using var reader = new StreamReader(file, Encoding.UTF8);
        var lines = (await reader.ReadToEndAsync(cancel)).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        return lines[Math.Max(0, lines.Length - lastLines)..];
    }

    private string PathOf(string runId) => Path.Combine(folder.Run(runId), "log.txt");
}
