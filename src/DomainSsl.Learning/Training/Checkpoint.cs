using DomainSsl.Learning.Objectives;
using DomainSsl.Learning.Weights;

namespace DomainSsl.Learning.Training;

/// <summary>Everything a run is besides its tensors. Random streams and the place in the data follow from seed and step.</summary>
/// <param name="Step">Steps done.</param>
/// <param name="Items">Images or pieces of sound that they had, each as often as it came.</param>
/// <param name="Seconds">Training time until then.</param>
/// <param name="WaitingSeconds">Of these, waiting for data.</param>
/// <param name="Seed">Seed of every random stream.</param>
/// <param name="Precision">What activations are computed in, as chosen at the start.</param>
/// <param name="LinearAsConvolution">How fully connected layers are computed, as measured at the start.</param>
public sealed record TrainerState(int Step, long Items, double Seconds, double WaitingSeconds, long Seed, string Precision, bool LinearAsConvolution);

/// <summary>The whole state of a run in folders <c>step-00000123</c>: <c>encoder.safetensors</c>, <c>heads.safetensors</c>, <c>optimiser.safetensors</c>, <c>state.json</c>; see <see cref="CheckpointFolders{TState}"/>.</summary>
public sealed class Checkpoints
{
    private readonly CheckpointFolders<TrainerState> _folders;

    /// <summary>The checkpoints of a run.</summary>
    public Checkpoints(string runFolder) => _folders = new CheckpointFolders<TrainerState>(runFolder, ["encoder", "heads", "optimiser"]);

    /// <summary>Writes the whole state.</summary>
    /// <returns>The folder.</returns>
    public string Write(TrainerState state, IObjective objective, AdamW optimiser) => _folders.Write(state.Step, state, (part, path) =>
    {
        if (part == "encoder") EncoderWeights.Save(objective.Encoder, path);
        else SafeTensors.Write(path, part == "heads" ? objective.Heads.state_dict() : optimiser.State);
    });

    /// <summary>The state of the newest sound checkpoint, or null. Damaged ones are passed over and removed.</summary>
    public TrainerState? ReadState() => _folders.ReadState();

    /// <summary>Puts a checkpoint's tensors into a freshly built objective and optimiser.</summary>
    public void Restore(TrainerState state, IObjective objective, AdamW optimiser)
    {
        var folder = _folders.FolderOf(state.Step);
        using (var encoder = SafeTensors.Read(_folders.FileOf(state.Step, "encoder"))) EncoderWeights.Restore(objective.Encoder, encoder.Tensors, folder);
        using (var heads = SafeTensors.Read(_folders.FileOf(state.Step, "heads"))) EncoderWeights.Restore(objective.Heads, heads.Tensors, folder);
        _folders.Restore(state.Step, "optimiser", optimiser);
    }
}
