using System.Text.Json;
using DomainSsl.Core.Tasks;

namespace DomainSsl.Core.Runs;

/// <summary>A start at a number of labels, or of minutes of transcribed speech: its mean over draws with its 95 % interval.</summary>
/// <param name="Arm">The encoder's id (<c>ID@SIDE</c> on images of another size), or <c>scratch</c>.</param>
/// <param name="Budget">Labels or minutes.</param>
/// <param name="Mean">Over the draws.</param>
/// <param name="Low">Lower end.</param>
/// <param name="High">Upper end.</param>
/// <param name="Values">Of each draw.</param>
public sealed record WorthFigure(string Arm, int Budget, double Mean, double? Low, double? High, IReadOnlyList<double>? Values = null)
{
    /// <summary>The figure; without an interval where the one that is stored is the whole range, which says that nothing is known.</summary>
    public Measured Figure => Low is { } low && High is { } high && (low > 0 || high < 1) ? new(Mean, low, high) : new(Mean, null, null);
}

/// <summary>A start less another one, paired over the draws and the test patients.</summary>
/// <param name="Arm">The one.</param>
/// <param name="Budget">Labels or minutes.</param>
/// <param name="Mean">Over the draws.</param>
/// <param name="Low">Lower end.</param>
/// <param name="High">Upper end.</param>
/// <param name="Against">The other; from scratch unless told otherwise.</param>
/// <param name="Finding">What a command's words make of it: <c>gain</c>, <c>noGain</c>, <c>worse</c>, <c>tooFew</c>.</param>
public sealed record WorthDifference(string Arm, int Budget, double Mean, double? Low, double? High, string Against = Worth.Scratch, string? Finding = null)
{
    /// <summary>The difference; without an interval where the one that is stored is the whole range.</summary>
    public Measured Figure => Low is { } low && High is { } high && (low > -1 || high < 1) ? new(Mean, low, high) : new(Mean, null, null);
}

/// <summary>A start on one test patient's or speaker's items.</summary>
/// <param name="Arm">The start.</param>
/// <param name="Budget">Labels.</param>
/// <param name="Patient">Whose.</param>
/// <param name="Items">How many.</param>
/// <param name="Accuracy">The share answered right.</param>
public sealed record WorthPatient(string Arm, int Budget, string Patient, int Items, double Accuracy);

/// <summary>
/// What pretraining is worth, as the command <c>label-efficiency</c> measured it and the worker wrote it: the run's row has what its page shows, and <c>result.json</c> in its folder all of it, under the same names. All starts had the
/// same draws of labels, the same search and the same test items.
/// </summary>
public sealed record Worth
{
    /// <summary>The name of the start that is no encoder's.</summary>
    public const string Scratch = "scratch";

    /// <summary>The file in the run's folder.</summary>
    public const string FileName = "result.json";

    /// <summary>Files beside it that people take with them.</summary>
    public static readonly IReadOnlyList<string> Files = ["label-efficiency.svg", "label-efficiency.png", "label-efficiency.csv"];

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    /// <summary>The figure's name: <c>auroc</c>, or <c>cer</c>, of which less is better.</summary>
    public string Metric { get; init; } = "";

    /// <summary>Every start at every number of labels.</summary>
    public IReadOnlyList<WorthFigure> Arms { get; init; } = [];

    /// <summary>Every start less the one from scratch.</summary>
    public IReadOnlyList<WorthDifference> Differences { get; init; } = [];

    /// <summary>The first start less every other, from scratch included.</summary>
    public IReadOnlyList<WorthDifference> Comparisons { get; init; } = [];

    /// <summary>Of classes: the mean over them of the share that is found.</summary>
    public IReadOnlyList<WorthFigure> BalancedAccuracy { get; init; } = [];

    /// <summary>The same, less that from scratch.</summary>
    public IReadOnlyList<WorthDifference> BalancedAccuracyDifferences { get; init; } = [];

    /// <summary>Of speech: the share of words that are wrong, by the sound alone.</summary>
    public IReadOnlyList<WorthFigure> Wer { get; init; } = [];

    /// <summary>The same, less that from scratch.</summary>
    public IReadOnlyList<WorthDifference> WerDifferences { get; init; } = [];

    /// <summary>The share of words that are wrong where a language model weighs in.</summary>
    public IReadOnlyList<WorthFigure> WerWithLanguage { get; init; } = [];

    /// <summary>The same, less that from scratch.</summary>
    public IReadOnlyList<WorthDifference> WerWithLanguageDifferences { get; init; } = [];

    /// <summary>Each test patient or speaker, where they are few.</summary>
    public IReadOnlyList<WorthPatient> Patients { get; init; } = [];

    /// <summary>Test items.</summary>
    public int TestItems { get; init; }

    /// <summary>Of so many patients or speakers.</summary>
    public int TestPatients { get; init; }

    /// <summary>What these are, in the plural: patients, speakers; images or recordings where nobody said whose all of them are.</summary>
    public string? Who { get; init; }

    /// <summary>The command's own words.</summary>
    public string Verdict { get; init; } = "";

    /// <summary>Whether it is of transcribed speech, counted in minutes.</summary>
    public bool OfSpeech => Metric == "cer";

    /// <summary>Draws of labels.</summary>
    public int Draws => Arms.Count == 0 ? 0 : Arms[0].Values?.Count ?? 0;

    /// <summary>The kinds of run that measure it.</summary>
    public static bool IsMeasuredBy(RunKind kind) => kind is RunKind.LabelEfficiency or RunKind.LabelEfficiencySpeech;

    /// <summary>What came of a run; runs of before have little of it in their row and all of it in their folder. Null where there is nothing, or not yet.</summary>
    public static async Task<Worth?> ReadAsync(Run run, string runFolder, CancellationToken cancel = default)
    {
        if (!IsMeasuredBy(run.Kind) || run.State != RunState.Done) return null;
        if (Of(run.Summary) is { Arms.Count: > 0 } whole) return whole;
        try { return Of(await File.ReadAllTextAsync(Path.Combine(runFolder, FileName), cancel)) ?? Of(run.Summary); }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException) { return Of(run.Summary); }
    }

    /// <summary>What a row's summary has of it; null where it is none.</summary>
    public static Worth? Of(string? summary)
    {
        try { return summary is null ? null : JsonSerializer.Deserialize<Worth>(summary, Json); }
        catch (JsonException) { return null; }
    }
}
