using System.Globalization;
using System.Text.Json;
using DomainSsl.Learning.Weights;

namespace DomainSsl.Learning.Training;

/// <summary>
/// Checkpoints as folders <c>step-00000123</c>: a safetensors file for each named part, and <c>state.json</c>. Each is written beside, flushed and renamed; the last two are kept, and a damaged one is
/// passed over.
/// </summary>
/// <param name="runFolder">The run's folder; they lie in its <c>checkpoints</c>.</param>
/// <param name="parts">Names of the files of tensors.</param>
internal sealed class CheckpointFolders<TState>(string runFolder, IReadOnlyList<string> parts) where TState : class
{
    private const int Kept = 2;
    private readonly string _folder = Directory.CreateDirectory(Path.Combine(runFolder, "checkpoints")).FullName;

    /// <summary>Writes the whole state.</summary>
    /// <param name="step">Steps done.</param>
    /// <param name="state">What is not a tensor.</param>
    /// <param name="write">Writes the part of a name to a path.</param>
    /// <returns>The folder.</returns>
    public string Write(int step, TState state, Action<string, string> write)
    {
        var (final, temporary) = (FolderOf(step), Path.Combine(_folder, "unfinished"));
        if (Directory.Exists(temporary)) Directory.Delete(temporary, recursive: true);
        Directory.CreateDirectory(temporary);
        foreach (var part in parts) write(part, FileIn(temporary, part));
        Durable.WriteText(Path.Combine(temporary, "state.json"), JsonSerializer.Serialize(state, LearningJson.Indented));
        if (Directory.Exists(final)) Directory.Delete(final, recursive: true);
        Durable.RenameFolder(temporary, final);
        foreach (var old in All().Skip(Kept)) Directory.Delete(old, recursive: true);
        return final;
    }

    /// <summary>The state of the newest sound checkpoint, or null. Damaged ones are passed over and removed.</summary>
    public TState? ReadState()
    {
        foreach (var folder in All().ToList())
        {
            try
            {
                var state = JsonSerializer.Deserialize<TState>(File.ReadAllText(Path.Combine(folder, "state.json")), LearningJson.Options);
                foreach (var part in parts) SafeTensors.Read(FileIn(folder, part)).Dispose();
                if (state is not null) return state;
            }
            catch (Exception e) when (e is LearningException or JsonException or IOException)
            {
                // an older one is as good as new: the run only repeats some steps
            }
            Directory.Delete(folder, recursive: true);
        }
        return null;
    }

    /// <summary>The file of a part at a step.</summary>
    public string FileOf(int step, string part) => FileIn(FolderOf(step), part);

    /// <summary>Puts an optimiser's tensors back.</summary>
    public void Restore(int step, string part, AdamW optimiser)
    {
        using var saved = SafeTensors.Read(FileOf(step, part));
        using var off = TorchSharp.torch.no_grad();
        foreach (var (name, tensor) in optimiser.State)
        {
            if (!saved.Tensors.TryGetValue(name, out var source) || !source.shape.SequenceEqual(tensor.shape))
                throw new LearningException($"The checkpoint {FolderOf(step)} belongs to another recipe; begin the run again.");
            tensor.copy_(source);
        }
    }

    /// <summary>The folder of a step.</summary>
    public string FolderOf(int step) => Path.Combine(_folder, "step-" + step.ToString("d8", CultureInfo.InvariantCulture));

    private static string FileIn(string folder, string part) => Path.Combine(folder, part + ".safetensors");

    private IEnumerable<string> All() => Directory.GetDirectories(_folder, "step-*").OrderDescending(StringComparer.Ordinal);
}
