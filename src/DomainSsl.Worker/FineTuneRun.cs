using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using DomainSsl.Core;
using DomainSsl.Core.Database;
using DomainSsl.Core.Library;
using DomainSsl.Core.Models;
using DomainSsl.Core.Runs;
using DomainSsl.Core.Tasks;
using DomainSsl.Learning;
using DomainSsl.Learning.Evaluation;
using DomainSsl.Learning.FineTuning;
using Microsoft.EntityFrameworkCore;
using Labelled = DomainSsl.Learning.FineTuning.LabelledItem;
using LabelledItem = DomainSsl.Core.Runs.LabelledItem;
using Shown = DomainSsl.Core.Tasks.ArmResult;

namespace DomainSsl.Worker;

/// <summary>Training a task: every arm fitted and measured, the first arm's classifier into the registry, the rest of the collection predicted for review.</summary>
public sealed class FineTuneRun(IDbContextFactory<DomainSslContext> factory, ShardStore shards, ModelFiles files, ModelRegistry registry, PredictRun predict, TaskOptions options)
{
    // A collection up to this size is prepared whole, so that the next training of the task need not decode again; of a larger one, the labelled items and a sample.
    private const int WholeCollection = 3000, Sample = 400;

    /// <summary>The result as it stands in the row, and as <c>finetune --json</c> has it.</summary>
    public sealed record Result(string Model, string Run, IReadOnlyDictionary<string, Interval> Metrics, bool CrossValidated, Chosen Chosen, string Verdict, int Predicted);

    /// <summary>What was chosen.</summary>
    /// <param name="Mode"><c>probe</c>, <c>full</c>, from scratch <c>short</c> or <c>long</c>; <c>mean</c> of both.</param>
    /// <param name="C">The probe's inverse regularisation.</param>
    /// <param name="Schedule">Steps and rates of each network.</param>
    public sealed record Chosen(string Mode, double? C, IReadOnlyList<Schedule> Schedule);

    private sealed record NamedArm(string Role, Arm Arm, Model? Model, string? Began = null);

    /// <summary>Carries it out.</summary>
    public async Task<RunOutcome> CarryOutAsync(FineTuneRequest request, RunContext context)
    {
        var task = await TaskAsync(request.TaskId, context.Stop);
        var all = await shards.ItemsAsync(task.CollectionId, null, null, context.Stop);
        var kind = all[0].Kind;
        var arms = await ArmsAsync(request, kind, context.Stop);
        var labelledIds = request.Labels.Select(l => l.ItemId).ToHashSet();
        // What came later and was answered for by an earlier classifier goes on with the task: else it would leave the review queue with that classifier.
        var missing = labelledIds.Union(request.PredictRest ? await AnsweredAsync(task, context.Stop) : []).Except(all.Select(i => i.Id)).ToList();
        if (missing.Count > 0) all = [.. all, .. await shards.ItemsAsync(null, missing, kind, context.Stop)];
        var rest = all.Where(i => !labelledIds.Contains(i.Id)).ToList();
        var testPatients = await TestPatientsAsync(request, all, context.Stop);
        // By hash the order is as good as random, and the same each time.
        var sample = rest.Where(i => i.PatientId is null || !testPatients.Contains(i.PatientId.Value)).Take(Sample).ToList();
        var whole = all.Count <= WholeCollection;
        var resolutions = arms.Select(a => a.Arm.Spec.Resolution).Distinct().ToList();
        var prepared = shards.Prepare(whole ? all : [.. all.Where(i => labelledIds.Contains(i.Id)), .. sample], resolutions, context, whole ? null : context.Folder);
        var any = prepared[resolutions[0]]; // places are the same at every resolution
        request = request with { Labels = any.In(request.Labels, l => l.ItemId) };

        TorchProcess.Tune();
        var device = Devices.Choose("auto");
        context.Report(new RunReport(Device: device.type == TorchSharp.DeviceType.CPU ? $"cpu ({TorchProcess.Cores()} threads)" : device.ToString(), Stage: "Training"));
        var classes = request.Classes.ToList();
        var (saved, fits) = (Path.Combine(context.Folder, "classifier"), Path.Combine(context.Folder, "fits"));
        var result = TaskTraining.Run(new TaskTrainingRequest
        {
            Arms = [.. arms.Select(a => new TaskArm(a.Arm, prepared[a.Arm.Spec.Resolution].Path))],
            Labelled = [.. request.Labels.Select(l => new Labelled(any.Places[l.ItemId], classes.IndexOf(l.Class), l.Patient))],
            TestPatients = request.TestPatients.ToHashSet(StringComparer.Ordinal), Unlabelled = [.. any.In(sample, i => i.Id).Select(i => any.Places[i.Id])], Classes = classes,
            Settings = (request.Compare ? new FitSettings { StepShare = options.TrainingShare } : Reporting.Settings(request.Settings)) with { Mode = ModeOf(request.Mode) }, Seed = (int)request.Seed, ClassifierFolder = saved,
            FitsFolder = fits, Who = Reporting.Who(kind, request.Labels),
        }, new Reporting(context, request.PredictRest ? 0.9 : 1), context.Stop);

        var id = ShortId.ModelOf(context.Run.Id);
        var own = result.Arms[0];
        var crossValidated = own.CrossValidated is not null && (own.Metrics.Count == 0 || result.Comparisons.Any(c => c.CrossValidated));
        var metrics = crossValidated ? own.CrossValidated! : own.Metrics;
        var architecture = JsonSerializer.Serialize(Classifier.ReadDescription(saved), LearningJson.Options);
        var hash = files.PlaceClassifier(id, saved, architecture);
        var chosen = new Chosen(own.Choice.Answer, own.Choice.C, own.Choice.Schedules);
        var model = new Model
        {
            Id = id, Name = request.ModelName, Kind = ModelKind.Classifier, RunId = context.Run.Id, ParentId = arms[0].Model?.Id, TaskId = request.TaskId, Recipe = own.Choice.Answer,
            RecipeJson = JsonSerializer.Serialize(new { request.Mode, chosen }, RunContext.Json), Architecture = architecture, DataHash = HashOf(request.Labels), Seed = request.Seed,
            Steps = own.Choice.Schedules.Sum(s => s.Steps), WeightsHash = hash, By = context.Run.By, Metrics = JsonSerializer.Serialize(metrics, RunContext.Json),
        };

        var predictions = request.PredictRest && rest.Count > 0 ? await PredictAsync(model, rest, context) : [];
        await ToTaskResult(request, result, arms, id, crossValidated, predictions.Count).WriteAsync(context.Folder, context.Stop);
        var summary = new Result(id, context.Run.Id, metrics, crossValidated, chosen, result.Verdict, predictions.Count);
        return new RunOutcome(JsonSerializer.Serialize(summary, RunContext.Json), async (db, cancel) =>
        {
            await registry.AddAsync(db, model, cancel);
            await PredictRun.StoreAsync(db, predictions, cancel);
        }, () =>
        {
            // The model has its own copy now, and a run that is done is never resumed.
            Directory.Delete(saved, recursive: true);
            Directory.Delete(fits, recursive: true);
            if (!whole) foreach (var shard in prepared.Values) File.Delete(shard.Path);
        });
    }

    // The clinic's encoder first; beside it the public one and from scratch, unless one of them is what was asked for.
    private async Task<IReadOnlyList<NamedArm>> ArmsAsync(FineTuneRequest request, ItemKind kind, CancellationToken cancel)
    {
        var arms = new List<NamedArm>();
        async Task Add(string encoder)
        {
            if (encoder == Arm.Scratch)
            {
                if (arms.All(a => a.Role != TaskResult.Scratch)) arms.Add(new NamedArm(TaskResult.Scratch, Arm.FromScratchOn(ModelFiles.ModalityOf(kind)), null));
                return;
            }
            var model = await registry.GetAsync(encoder, cancel);
            if (arms.Any(a => a.Model?.Id == model.Id)) return;
            var isPublic = PublicModel.Is(model.Id);
            arms.Add(new NamedArm(isPublic ? TaskResult.Public : TaskResult.Ours, files.ArmOf(model, model.Name, kind), model, isPublic ? null : await BeganAsync(model, cancel)));
        }
        await Add(request.EncoderId);
        if (!request.Compare) return arms;
        await Add(PublicModel.Of(kind).Id);
        await Add(Arm.Scratch);
        return arms;
    }

    // Up the line of models that each began from: a gain of weights that began elsewhere is not owed to what was learnt here.
    private async Task<string?> BeganAsync(Model model, CancellationToken cancel)
    {
        if (model.RunId is null) return TaskResult.Imported;
        await using var db = await factory.CreateDbContextAsync(cancel);
        for (var at = model; ;)
        {
            if (PublicModel.Is(at.Id)) return TaskResult.BeganPublic;
            if (at.RunId is null) return TaskResult.BeganImported;
            if (at.ParentId is not { } parent) return TaskResult.BeganHere;
            if (await db.Models.AsNoTracking().SingleOrDefaultAsync(m => m.Id == parent, cancel) is not { } before) return null;
            at = before;
        }
    }

    private async Task<LabelTask> TaskAsync(long taskId, CancellationToken cancel)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        return await db.Tasks.AsNoTracking().SingleOrDefaultAsync(t => t.Id == taskId, cancel) ?? throw new RefusedException("no-task", "The task is no longer there; make it again.");
    }

    private async Task<IReadOnlyList<long>> AnsweredAsync(LabelTask task, CancellationToken cancel)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        return await db.Predictions.Where(p => p.TaskId == task.Id && !db.CollectionItems.Any(i => i.CollectionId == task.CollectionId && i.ItemId == p.ItemId))
            .Select(p => p.ItemId).Distinct().ToListAsync(cancel);
    }

    // The rows' own patients of those that the request keeps for testing, and of every labelled item of theirs.
    private async Task<HashSet<long>> TestPatientsAsync(FineTuneRequest request, IReadOnlyList<ShardItem> items, CancellationToken cancel)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        var names = request.TestPatients.ToHashSet(StringComparer.Ordinal);
        var patients = (await db.TaskTestPatients.Where(t => t.TaskId == request.TaskId).Select(t => t.PatientId).ToListAsync(cancel)).ToHashSet();
        var owners = items.ToDictionary(i => i.Id, i => i.PatientId);
        foreach (var label in request.Labels.Where(l => names.Contains(l.Patient))) if (owners.GetValueOrDefault(label.ItemId) is { } patient) patients.Add(patient);
        return patients;
    }

    private async Task<IReadOnlyList<Core.Review.Prediction>> PredictAsync(Model model, List<ShardItem> rest, RunContext context)
    {
        using var classifier = Classifier.Load(files.ClassifierFolder(model), Devices.Choose("auto"));
        // The whole collection: its shard is the next prediction's too. Where training prepared it, it is there already.
        var prepared = shards.Prepare(await WithLabelledAsync(model.TaskId!.Value, rest, context), [classifier.Resolution], context)[classifier.Resolution];
        rest = [.. prepared.In(rest, i => i.Id)];
        if (rest.Count == 0) return [];
        using var source = ItemSource.Open(prepared.Path, classifier.About.Encoder);
        var answers = FeatureBatches.Of(classifier, source, [.. rest.Select(i => prepared.Places[i.Id])], context, "Predicting");
        return await predict.RowsAsync(model, classifier, context, rest, answers);
    }

    private async Task<IReadOnlyList<ShardItem>> WithLabelledAsync(long taskId, IReadOnlyList<ShardItem> rest, RunContext context)
    {
        var task = await TaskAsync(taskId, context.Stop);
        var all = await shards.ItemsAsync(task.CollectionId, null, null, context.Stop);
        return [.. all, .. rest.ExceptBy(all.Select(i => i.Id), i => i.Id)];
    }

    private static TaskResult ToTaskResult(FineTuneRequest request, TaskTrainingResult result, IReadOnlyList<NamedArm> arms, string modelId, bool crossValidated, int predicted)
    {
        var shown = new List<Shown>();
        for (var a = 0; a < arms.Count; a++)
        {
            var (named, figures) = (arms[a], result.Arms[a]);
            var name = named.Model?.Name ?? "From scratch";
            void Show(string mode, IReadOnlyDictionary<string, Interval> metrics)
            {
                if (!metrics.TryGetValue("auroc", out var auroc)) return;
                var best = mode == figures.Choice.Answer;
                shown.Add(new Shown(named.Role, named.Model?.Id, name, mode, a == 0 && best, best, Of(auroc), metrics.TryGetValue("balancedAccuracy", out var balanced) ? Of(balanced) : null, named.Began));
            }
            if (crossValidated && figures.CrossValidated is not null) Show(figures.Choice.Answer, figures.CrossValidated);
            else foreach (var (mode, metrics) in figures.Members) Show(mode, metrics);
        }
        var test = request.Labels.Where(l => request.TestPatients.Contains(l.Patient)).ToList();
        var measured = crossValidated ? request.Labels.Except(test).ToList() : test;
        var own = crossValidated ? result.Arms[0].CrossValidated! : result.Arms[0].Metrics;
        Measured? Figure(string name) => own.TryGetValue(name, out var f) ? Of(f) : null;
        Measured? Missed(string name) => own.TryGetValue(name, out var f) ? new Measured(1 - f.Value, 1 - f.High, 1 - f.Low) : null;
        var classes = request.Classes.Select((c, k) => new ClassResult(c, measured.Count(l => l.Class == c), measured.Where(l => l.Class == c).Select(l => l.Patient).Distinct().Count(),
            request.Classes.Count != 2 ? Figure($"sensitivity.{c}") : Figure(k == 1 ? "sensitivity" : "specificity"),
            request.Classes.Count != 2 ? null : Missed(k == 1 ? "specificity" : "sensitivity"))).ToList();
        var differences = result.Comparisons.Select(c => new ArmDifference(arms[result.Arms.ToList().FindIndex(a => a.Arm == c.Against)].Role, Of(c.Auroc))).ToList();
        return new TaskResult(request.TaskId, modelId, result.TrainItems, measured.Count, measured.Select(l => l.Patient).Distinct().Count(), crossValidated, shown, differences, classes, predicted, request.Labels.Any(l => StandIn.Is(l.Patient)));
    }

    private static Measured Of(Interval i) => new(i.Value, i.Low, i.High);

    private static FitMode ModeOf(string mode) => mode switch
    {
        "probe" => FitMode.Probe,
        "full" => FitMode.Full,
        "best" => FitMode.Best,
        _ => throw new RefusedException("unknown-mode", $"There is no mode '{mode}'; there are probe, full and best."),
    };

    private static string HashOf(IEnumerable<LabelledItem> labels) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(
        string.Concat(labels.Select(l => $"{l.ItemId}\t{l.Class}\t{l.Patient}\n").Order(StringComparer.Ordinal)))));
}
