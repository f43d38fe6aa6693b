using System.Text.Json;
using DomainSsl.Learning.Training;

namespace DomainSsl.Learning.FineTuning;

/// <summary>Finished fits on disk, a line of JSON each, so that what is killed goes on after the last of them.</summary>
/// <typeparam name="T">A finished fit.</typeparam>
internal sealed class FinishedFits<T> where T : class
{
    private readonly string _path;
    private readonly Func<T, (int Budget, int Draw)> _name;
    private readonly Dictionary<(int, int), T> _fits = [];

    /// <summary>Those that are in a file, which is made with the first.</summary>
    public FinishedFits(string path, Func<T, (int Budget, int Draw)> name)
    {
        (_path, _name) = (path, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        if (!File.Exists(path)) return;
        var whole = new List<string>();
        foreach (var line in File.ReadLines(path))
        {
            // A process killed in mid-line leaves part of one; that fit is done again.
            T? fit;
            try { fit = JsonSerializer.Deserialize<T>(line, LearningJson.Options); }
            catch (JsonException) { continue; }
            if (fit is null) continue;
            _fits[name(fit)] = fit;
            whole.Add(line);
        }
        Durable.WriteText(path, string.Concat(whole.Select(l => l + "\n")));
    }

    /// <summary>A folder for fits on their way.</summary>
    public string Unfinished => Path.ChangeExtension(_path, null);

    public T? Get(int budget, int draw) => _fits.GetValueOrDefault((budget, draw));

    /// <summary>Keeps a fit; it is on disk when this is back.</summary>
    public void Add(T fit)
    {
        var line = JsonSerializer.SerializeToUtf8Bytes(fit, LearningJson.Options);
        using (var file = new FileStream(_path, FileMode.Append, FileAccess.Write, FileShare.Read))
        {
            file.Write([.. line, (byte)'\n']);
            file.Flush(flushToDisk: true);
        }
        _fits[_name(fit)] = fit;
    }
}
