using DomainSsl.Learning.Health;

namespace DomainSsl.Learning.Training;

/// <summary>Watches a run. Gets copies, never tensors, and cannot touch the training; called on the training's thread, so it should return at once.</summary>
public interface IRunWatcher
{
    /// <summary>The run begins, or goes on.</summary>
    void Started(RunStart start);

    /// <summary>A log step: its line is in <c>metrics.jsonl</c>.</summary>
    void Stepped(MetricsLine line, RunHealth health);

    /// <summary>A checkpoint is written.</summary>
    void Checked(int step, string folder);

    /// <summary>Something other than steps is done for a while: what, and how far it is.</summary>
    void Busy(string stage) { }

    /// <summary>Something that happens once in the middle, as a sentence for the log.</summary>
    void Noted(string sentence) { }

    /// <summary>The run is done.</summary>
    void Ended(TrainResult result);
}

/// <summary>Watches nothing.</summary>
public sealed class NoWatcher : IRunWatcher
{
    /// <inheritdoc />
    public void Started(RunStart start) { }

    /// <inheritdoc />
    public void Stepped(MetricsLine line, RunHealth health) { }

    /// <inheritdoc />
    public void Checked(int step, string folder) { }

    /// <inheritdoc />
    public void Ended(TrainResult result) { }
}

/// <summary>What a run begins with.</summary>
/// <param name="Step">Steps already done; above 0 when it goes on.</param>
/// <param name="Progress">Share of the run that they are, 0–1.</param>
/// <param name="Items">Images, or pieces of sound.</param>
/// <param name="Batch">Of these a step, on average where steps differ.</param>
/// <param name="Encoder">The network, in a few words.</param>
/// <param name="Parameters">Values trained, heads included.</param>
/// <param name="Device">Such as <c>cpu</c>.</param>
/// <param name="Precision">What activations are computed in.</param>
/// <param name="Notes">What was chosen at the start, as sentences for the log.</param>
public sealed record RunStart(int Step, double Progress, int Items, int Batch, string Encoder, long Parameters, string Device, string Precision, IReadOnlyList<string> Notes);

/// <summary>What a run asks for.</summary>
public sealed record TrainRequest
{
    /// <summary>The recipe.</summary>
    public required Recipe Recipe { get; init; }

    /// <summary>The images, prepared at <see cref="Recipe.ShardResolution"/>, or the sounds: a shard of the recipe's modality.</summary>
    public required string ShardPath { get; init; }

    /// <summary>What another recogniser wrote down of each of the shard's pieces, null where it has not heard one; for objectives that learn from it (<see cref="Objectives.ObjectiveOptions.NeedsDrafts"/>).</summary>
    public IReadOnlyList<string?>? Drafts { get; init; }

    /// <summary>Where curve, checkpoints and result go; a run whose checkpoints lie there goes on from the last.</summary>
    public required string RunFolder { get; init; }

    /// <summary>Steps at most. If this or <see cref="MaxSeconds"/> is given, the recipe's own limits do not count.</summary>
    public int? MaxSteps { get; init; }

    /// <summary>Seconds of training at most.</summary>
    public double? MaxSeconds { get; init; }

    /// <summary>Seed of every random stream.</summary>
    public long Seed { get; init; }

    /// <summary>An encoder file to begin from, <c>scratch</c>, or null for what the recipe says.</summary>
    public string? InitWeights { get; init; }

    /// <summary><c>auto</c>, <c>cpu</c> or <c>cuda</c>.</summary>
    public string Device { get; init; } = "auto";
}

/// <summary>What came out of a run.</summary>
/// <param name="Steps">Steps done.</param>
/// <param name="Seconds">Training time, from the first start on.</param>
/// <param name="SamplesPerSecond">Images or stretches of sound a second over the whole run.</param>
/// <param name="WaitingForData">Share of the time spent waiting for data.</param>
/// <param name="PeakMemoryMb">Most memory the process has held, MB.</param>
/// <param name="Health">How it did.</param>
/// <param name="Metrics">Loss and the objective's metrics at the last log step.</param>
/// <param name="EncoderPath">The encoder as safetensors, with its specification.</param>
/// <param name="Device">Where it was trained.</param>
/// <param name="Precision">What activations were computed in.</param>
public sealed record TrainResult(int Steps, double Seconds, double SamplesPerSecond, double WaitingForData, double PeakMemoryMb, RunHealth Health,
    IReadOnlyDictionary<string, double> Metrics, string EncoderPath, string Device, string Precision);
