using System.Globalization;
using System.Text.Json;
using DomainSsl.Learning.Objectives;
using DomainSsl.Learning.Weights;
using static TorchSharp.torch;

namespace DomainSsl.Learning.Training;

/// <summary>Everything a run is besides its tensors. Random streams and the place in the data follow from seed and step.</summary>
/// <param name="Step">Steps done.</param>
/// <param name="Seconds">Training time until then.</param>
/// <param name="WaitingSeconds">Of these, waiting for data.</param>
/// <param name="Seed">Seed of every random stream.</param>
/// <param name="Precision">What activations are computed in, as chosen at the start.</param>
/// <param name="LinearAsConvolution">How fully connected layers are computed, as measured at the start.</param>
public sealed record TrainerState(int Step, double Seconds, double WaitingSeconds, long Seed, string Precision, bool LinearAsConvolution);

/// <summary>
/// The whole state of a run as a folder <c>step-00000123</c>: <c>encoder.safetensors</c>, <c>heads.safetensors</c>, <c>optimiser.safetensors</c>, <c>state.json</c>. It is written
/// beside, flushed and renamed; the last two are kept, and a damaged one is passed over.
/// </summary>
public sealed class Checkpoints
{
    private const int Kept = 2;
    private readonly string _folder;

    /// <summary>The checkpoints of a run.</summary>
    public Checkpoints(string runFolder) => _folder = Directory.CreateDirectory(Path.Combine(runFolder, "checkpoints")).FullName;

    /// <summary>Writes the whole state.</summary>
    /// <returns>The folder.</returns>
    public string Write(TrainerState state, IObjective objective, AdamW optimiser)
    {
        var (final, temporary) = (FolderOf(state.Step), Path.Combine(_folder, "unfinished"));
        if (Directory.Exists(temporary)) Directory.Delete(temporary, recursive: true);
        Directory.CreateDirectory(temporary);
        EncoderWeights.Save(objective.Encoder, Path.Combine(temporary, "encoder.safetensors"));
        SafeTensors.Write(Path.Combine(temporary, "heads.safetensors"), objective.Heads.state_dict());
        SafeTensors.Write(Path.Combine(temporary, "optimiser.safetensors"), optimiser.State);
        Durable.WriteText(Path.Combine(temporary, "state.json"), JsonSerializer.Serialize(state, LearningJson.Indented));
        if (Directory.Exists(final)) Directory.Delete(final, recursive: true);
        Durable.RenameFolder(temporary, final);
        foreach (var old in All().Skip(Kept)) Directory.Delete(old, recursive: true);
        return final;
    }

    /// <summary>The state of the newest sound checkpoint, or null. Damaged ones are passed over and removed.</summary>
    public TrainerState? ReadState()
    {
        foreach (var folder in All().ToList())
        {
            try
            {
                var state = JsonSerializer.Deserialize<TrainerState>(File.ReadAllText(Path.Combine(folder, "state.json")), LearningJson.Options);
                foreach (var name in new[] { "encoder", "heads", "optimiser" }) SafeTensors.Read(Path.Combine(folder, name + ".safetensors")).Dispose();
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

    /// <summary>Puts a checkpoint's tensors into a freshly built objective and optimiser.</summary>
    public void Restore(TrainerState state, IObjective objective, AdamW optimiser)
    {
        var folder = FolderOf(state.Step);
        using (var encoder = SafeTensors.Read(Path.Combine(folder, "encoder.safetensors"))) EncoderWeights.Restore(objective.Encoder, encoder.Tensors, folder);
        using (var heads = SafeTensors.Read(Path.Combine(folder, "heads.safetensors"))) EncoderWeights.Restore(objective.Heads, heads.Tensors, folder);
        using var saved = SafeTensors.Read(Path.Combine(folder, "optimiser.safetensors"));
        using var off = no_grad();
        foreach (var (name, tensor) in optimiser.State)
        {
            if (!saved.Tensors.TryGetValue(name, out var source) || !source.shape.SequenceEqual(tensor.shape))
                throw new LearningException($"The checkpoint {folder} belongs to another recipe; begin the run again.");
            tensor.copy_(source);
        }
    }

    private string FolderOf(int step) => Path.Combine(_folder, "step-" + step.ToString("d8", CultureInfo.InvariantCulture));

    private IEnumerable<string> All() => Directory.GetDirectories(_folder, "step-*").OrderDescending(StringComparer.Ordinal);
}
