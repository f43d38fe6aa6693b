using System.Text.Json;
using System.Text.RegularExpressions;
using DomainSsl.Core;
using DomainSsl.Core.Library;
using DomainSsl.Core.Models;
using DomainSsl.Core.Runs;
using DomainSsl.Core.Storage;
using DomainSsl.Learning;
using DomainSsl.Learning.FineTuning;
using Asked = DomainSsl.Core.Runs.LabelEfficiencyRequest;
using Labelled = DomainSsl.Learning.FineTuning.LabelledItem;
using LabelledItem = DomainSsl.Core.Runs.LabelledItem;

namespace DomainSsl.Worker;

/// <summary>
/// What pretraining is worth: every encoder and from scratch on the same draws of labels. Each finished fit is kept in <c>fits/</c> of the data folder under a name made of all
/// it depends on, so a run that is killed, or asked for again with more repeats, goes on from what is there.
/// </summary>
public sealed class LabelEfficiencyRun(ShardStore shards, ModelFiles files, ModelRegistry registry, DataFolder folder)
{
    /// <summary>The name of the result in the run's folder; figure and table lie beside it.</summary>
    public const string FileName = Worth.FileName;

    /// <summary>Carries it out.</summary>
    public async Task<RunOutcome> CarryOutAsync(Asked request, RunContext context)
    {
        var (train, test) = (await shards.ItemsAsync(null, [.. request.Train.Select(l => l.ItemId)], null, context.Stop), await shards.ItemsAsync(null, [.. request.Test.Select(l => l.ItemId)], null, context.Stop));
        var kind = train[0].Kind;
        if (test[0].Kind != kind) throw new RefusedException("other-kind", "One of the tables is of images and the other of recordings; give two of one kind.");
        var arms = new List<Arm>();
        var names = new Dictionary<string, string>();
        foreach (var id in request.EncoderIds.Where(e => e != Arm.Scratch).Distinct())
        {
            var parts = id.Split('@', 2);
            var model = await registry.GetAsync(parts[0], context.Stop);
            var arm = files.ArmOf(model, id, kind);
            if (parts.Length > 1 && kind == ItemKind.Sound) throw new RefusedException("no-size", $"{id}: sounds have no size; name {model.Name} without it.");
            arms.Add(parts.Length == 1 ? arm : arm with { Spec = arm.Spec with { Resolution = int.Parse(parts[1], System.Globalization.CultureInfo.InvariantCulture) } });
            names[id] = parts.Length == 1 ? model.Name : $"{model.Name} at {parts[1]} pixels";
        }
        arms.Add(Arm.FromScratchOn(ModelFiles.ModalityOf(kind)));
        var resolutions = arms.Select(a => a.Spec.Resolution).Distinct().ToList();
        var (trainShards, testShards) = (shards.Prepare(train, resolutions, context), shards.Prepare(test, resolutions, context));

        var classes = request.Classes.ToList();
        IReadOnlyList<Labelled> Places(IReadOnlyList<LabelledItem> labels, PreparedShard shard) => [.. shard.In(labels, l => l.ItemId).Select(l => new Labelled(shard.Places[l.ItemId], classes.IndexOf(l.Class), l.Patient))];
        TorchProcess.Tune();
        var device = Devices.Choose("auto");
        context.Report(new RunReport(Device: device.ToString(), Stage: "Starting"));
        using var mine = await FitLocks.TakeAsync(folder, arms.Select(a => JsonSerializer.Serialize(new { a.Name, request.Train, request.Test, request.Seed, request.Settings, request.Modes, request.Balanced })), context);
        var result = LabelEfficiency.Run(new Learning.FineTuning.LabelEfficiencyRequest
        {
            Arms = [.. arms.Select(a => new LabelEfficiencyArm(a, trainShards[a.Spec.Resolution].Path, testShards[a.Spec.Resolution].Path))],
            Train = Places(request.Train, trainShards[resolutions[0]]), Test = Places(request.Test, testShards[resolutions[0]]), Classes = request.Classes, Budgets = request.Budgets,
            Repeats = request.Repeats, Balanced = request.Balanced, Seed = (int)request.Seed, Folder = Path.Combine(folder.Root, "fits"), Settings = Reporting.Settings(request.Settings) with { Mode = ModeOf(request.Modes) },
            Who = Reporting.Who(kind, request.Train.Concat(request.Test)), Preparation = ShardStore.WayOf(kind),
        }, new Reporting(context, names: names), context.Stop);

        result = result with { Verdict = ArmNames.In(result.Verdict, names) };
        result.Write(context.Folder, names);
        await WholeFile.WriteTextAsync(Path.Combine(context.Folder, FileName), JsonSerializer.Serialize(result, RunContext.Json), context.Stop);
        // What the run's page shows; each member and each choice stay in the file.
        var summary = new
        {
            result.Metric, result.Arms, result.Differences, result.Comparisons, result.BalancedAccuracy, result.BalancedAccuracyDifferences, result.Patients, result.TestItems, result.TestPatients, result.Who, result.Verdict,
        };
        return new RunOutcome(JsonSerializer.Serialize(summary, RunContext.Json));
    }

    /// <summary>The result of a run.</summary>
    public static async Task<LabelEfficiencyResult> ReadAsync(string runFolder, CancellationToken cancel = default)
    {
        await using var stream = File.OpenRead(Path.Combine(runFolder, FileName));
        return await JsonSerializer.DeserializeAsync<LabelEfficiencyResult>(stream, RunContext.Json, cancel) ?? throw new InvalidDataException("The run has no result.");
    }

    private static FitMode ModeOf(IReadOnlyList<string> modes)
    {
        if (modes.FirstOrDefault(m => m is not ("probe" or "full")) is { } unknown) throw new RefusedException("unknown-mode", $"There is no mode '{unknown}'; there are probe and full.");
        return (modes.Contains("probe"), modes.Contains("full")) switch { (true, false) => FitMode.Probe, (false, true) => FitMode.Full, _ => FitMode.Best };
    }
}

/// <summary>People know models by name; the ids stay where programs read.</summary>
internal static class ArmNames
{
    /// <summary>A text with the names of models in the place of their ids. An id may be part of another, and a name may hold one: each place is looked at once, for the longest.</summary>
    public static string In(string text, IReadOnlyDictionary<string, string> names) => names.Count == 0 ? text
        : Regex.Replace(text, string.Join('|', names.Keys.OrderByDescending(id => id.Length).Select(Regex.Escape)), found => names[found.Value], RegexOptions.CultureInvariant);
}

/// <summary>Tells a run how far its fits are.</summary>
internal sealed class Reporting(RunContext context, double share = 1, IReadOnlyDictionary<string, string>? names = null) : IProgress<FitProgress>
{
    public void Report(FitProgress p)
    {
        var what = names is null ? p.What : ArmNames.In(p.What, names);
        context.Report(new RunReport(share * p.Done / p.Total, $"{p.Done:#,0} of {p.Total:#,0} fits done{(p.SecondsPerFit is null ? ":" : "; the last:")} {what}", p.SecondsPerFit * (p.Total - p.Done)));
        context.Log($"{p.Done} of {p.Total}: {what}.");
    }

    /// <summary>Whom labels are of, in the plural; the items themselves where nobody said so of all: then nothing is to be said of people.</summary>
    public static string Who(ItemKind kind, IEnumerable<LabelledItem> labels) => (labels.Any(l => StandIn.Is(l.Patient)), kind) switch
    {
        (true, ItemKind.Sound) => "recordings",
        (true, _) => "images",
        (_, ItemKind.Sound) => "speakers",
        _ => "patients",
    };

    /// <summary>The settings of a request.</summary>
    public static FitSettings Settings(string? json) => json is null ? new FitSettings()
        : JsonSerializer.Deserialize<FitSettings>(json, LearningJson.Options) ?? throw new RefusedException("settings", "The settings of the classifier are empty; leave them out for the defaults.");
}
