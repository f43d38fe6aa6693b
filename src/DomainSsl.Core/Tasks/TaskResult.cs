using System.Text.Json;
using DomainSsl.Core.Storage;

namespace DomainSsl.Core.Tasks;

/// <summary>A figure with its 95 % interval; <see cref="Low"/> and <see cref="High"/> are null where there is too little to say how sure it is.</summary>
/// <param name="Value">The figure.</param>
/// <param name="Low">Lower end.</param>
/// <param name="High">Upper end.</param>
public sealed record Measured(double Value, double? Low, double? High);

/// <summary>One way of training that was compared.</summary>
/// <param name="Arm"><c>ours</c> (an encoder that the clinic pretrained or imported), <c>public</c> or <c>scratch</c>.</param>
/// <param name="Encoder">The encoder's id; null from scratch.</param>
/// <param name="Name">The encoder's name for people.</param>
/// <param name="Mode"><c>probe</c>, <c>full</c>, <c>mean</c> (both together); from scratch <c>short</c> or <c>long</c>.</param>
/// <param name="Chosen">It became the classifier.</param>
/// <param name="Best">It is its arm's answer: both modes together, unless one alone was asked for; the picture shows these.</param>
/// <param name="Auroc">Area under the ROC curve on the test items (several classes: the mean of one against the rest).</param>
/// <param name="BalancedAccuracy">Mean over the classes of the share found.</param>
/// <param name="Began">Of <c>ours</c>, what its weights began from, which says whom a gain is owed to: <see cref="TaskResult.BeganHere"/>, <see cref="TaskResult.BeganPublic"/>, <see cref="TaskResult.BeganImported"/>, <see cref="TaskResult.Imported"/>; null where that is not known.</param>
public sealed record ArmResult(string Arm, string? Encoder, string Name, string Mode, bool Chosen, bool Best, Measured Auroc, Measured? BalancedAccuracy, string? Began = null);

/// <summary>What the first arm was worth: it less another arm, paired on the same test items.</summary>
/// <param name="Against"><c>public</c> or <c>scratch</c>.</param>
/// <param name="Auroc">Difference of AUROC.</param>
public sealed record ArmDifference(string Against, Measured Auroc);

/// <summary>What the classifier does with one class.</summary>
/// <param name="Name">The class.</param>
/// <param name="Items">Test items of it.</param>
/// <param name="Patients">Test patients with it.</param>
/// <param name="Found">Share of its items that are found (sensitivity).</param>
/// <param name="FalseAlarms">Share of the other items that are called it (1 − specificity).</param>
public sealed record ClassResult(string Name, int Items, int Patients, Measured? Found, Measured? FalseAlarms);

/// <summary>
/// The result of a training run, as the worker writes it to <c>runs/ID/result.json</c> and as the result page reads it. All arms had the same labels, the same search and the same
/// test items; intervals resample patients.
/// </summary>
/// <param name="TaskId">The task.</param>
/// <param name="ModelId">The classifier that was made.</param>
/// <param name="TrainingLabels">Labels trained on.</param>
/// <param name="TestLabels">Labels measured on.</param>
/// <param name="TestPatients">Their patients.</param>
/// <param name="CrossValidated">There were too few locked test patients' labels: measured by cross-validation over training patients instead.</param>
/// <param name="Arms">All arms and modes.</param>
/// <param name="Differences">The first arm, ours or where there is none the public one, less the others.</param>
/// <param name="Classes">By class, in their order.</param>
/// <param name="Predicted">Items that were predicted afterwards, waiting for review.</param>
/// <param name="Unnamed">Of some labelled items nobody said whose they are: these stand each for themselves (<see cref="Runs.StandIn"/>), so the figures say nothing of new people.</param>
public sealed record TaskResult(long TaskId, string? ModelId, int TrainingLabels, int TestLabels, int TestPatients, bool CrossValidated, IReadOnlyList<ArmResult> Arms,
    IReadOnlyList<ArmDifference> Differences, IReadOnlyList<ClassResult> Classes, int Predicted, bool Unnamed = false)
{
    /// <summary>The name of the file in the run's folder.</summary>
    public const string FileName = "result.json";

    /// <summary>Names of the arms.</summary>
    public const string Ours = "ours", Public = "public", Scratch = "scratch";

    /// <summary>What an encoder's weights began from: chance, so that all it knows is from here; the public network; weights that were imported; or it is such an import as it came.</summary>
    public const string BeganHere = "here", BeganPublic = "public", BeganImported = "imported-start", Imported = "imported";

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    /// <summary>Writes the file, whole or not at all.</summary>
    public Task WriteAsync(string runFolder, CancellationToken cancel = default) => WholeFile.WriteTextAsync(Path.Combine(runFolder, FileName), JsonSerializer.Serialize(this, Json), cancel);

    /// <summary>Reads the file; null where there is none, or one that is not of this kind.</summary>
    public static async Task<TaskResult?> ReadAsync(string runFolder, CancellationToken cancel = default)
    {
        try
        {
            await using var stream = File.OpenRead(Path.Combine(runFolder, FileName));
            return await JsonSerializer.DeserializeAsync<TaskResult>(stream, Json, cancel) is { Arms: not null, Differences: not null, Classes: not null } result ? result : null;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException or JsonException) { return null; }
    }
}
