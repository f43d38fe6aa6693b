using System.Text.Json;
using DomainSsl.Core;
using DomainSsl.Core.Database;
using DomainSsl.Core.Models;
using DomainSsl.Core.Runs;
using DomainSsl.Learning;
using DomainSsl.Learning.Evaluation;
using DomainSsl.Learning.FineTuning;
using Microsoft.EntityFrameworkCore;
using LabelledItem = DomainSsl.Core.Runs.LabelledItem;

namespace DomainSsl.Worker;

/// <summary>A classifier measured on labels of patients or speakers it was not trained on.</summary>
public sealed class EvaluateRun(IDbContextFactory<DomainSslContext> factory, ShardStore shards, ModelFiles files, ModelRegistry registry)
{
    /// <summary>The result as it stands in the row, and as <c>evaluate --json</c> has it.</summary>
    /// <param name="N">Images or recordings measured on.</param>
    /// <param name="Patients">Their patients or speakers.</param>
    /// <param name="LeftOut">Labels left out, because the model was trained on their patients.</param>
    /// <param name="Metrics">Figures with their 95 % intervals.</param>
    /// <param name="Each">Each patient or speaker, where they are so few that an interval over them says little.</param>
    public sealed record Result(int N, int Patients, int LeftOut, IReadOnlyDictionary<string, Interval> Metrics, IReadOnlyList<PatientResult> Each);

    /// <summary>The share of a patient's or speaker's items that is answered right.</summary>
    public sealed record PatientResult(string Patient, int N, double Accuracy);

    /// <summary>Carries it out.</summary>
    public async Task<RunOutcome> CarryOutAsync(EvaluateRequest request, RunContext context)
    {
        var model = await registry.GetAsync(request.ModelId, context.Stop);
        var classifierFolder = files.ClassifierFolder(model);
        var classes = Classifier.ReadDescription(classifierFolder).Classes;
        if (request.Labels.FirstOrDefault(l => !classes.Contains(l.Class)) is { } unknown)
            throw new RefusedException("unknown-class", $"The label '{unknown.Class}' is no answer of {model.Name}, which knows {string.Join(", ", classes)}; mend the table.");
        var labels = await NotTrainedOnAsync(model, request.Labels, context.Stop);
        if (labels.Count == 0)
            throw new RefusedException("trained-on", $"{model.Name} was trained on every patient of these labels, so they say nothing about it; give labels of other patients.");

        var items = await shards.ItemsAsync(null, [.. labels.Select(l => l.ItemId)], files.KindOf(model), context.Stop);
        TorchProcess.Tune();
        using var classifier = Classifier.Load(classifierFolder, Devices.Choose("auto"));
        var prepared = shards.Prepare(items, [classifier.Resolution], context)[classifier.Resolution];
        var leftOut = request.Labels.Count - labels.Count;
        labels = prepared.In(labels, l => l.ItemId);
        using var source = ItemSource.Open(prepared.Path, classifier.About.Encoder);
        var answers = FeatureBatches.Of(classifier, source, [.. labels.Select(l => prepared.Places[l.ItemId])], context, "Measuring on");
        var probabilities = new Probabilities(classes.Count, [.. answers.SelectMany(a => a.Probabilities)]);
        var metrics = ClassificationMetrics.Of(probabilities, [.. labels.Select(l => classes.ToList().IndexOf(l.Class))], [.. labels.Select(l => l.Patient)], classes, seed: 1);
        var each = labels.Zip(answers, (l, a) => (l.Patient, Right: classes[a.Best] == l.Class)).GroupBy(l => l.Patient).OrderBy(g => g.Key, StringComparer.Ordinal)
            .Select(g => new PatientResult(g.Key, g.Count(), Math.Round(g.Count(l => l.Right) / (double)g.Count(), 4))).ToList();
        var result = new Result(labels.Count, each.Count, leftOut, metrics, each.Count > LabelEfficiency.FewPatients ? [] : each);
        return new RunOutcome(JsonSerializer.Serialize(result, RunContext.Json));
    }

    // Neither an item nor a patient or speaker that the model has learnt from, whether told by the table's name for the patient or by the item's own.
    private async Task<IReadOnlyList<LabelledItem>> NotTrainedOnAsync(Model model, IReadOnlyList<LabelledItem> labels, CancellationToken cancel)
    {
        if (model.RunId is null) return labels;
        await using var db = await factory.CreateDbContextAsync(cancel);
        var run = await db.Runs.AsNoTracking().SingleOrDefaultAsync(r => r.Id == model.RunId, cancel);
        if (run?.Kind != RunKind.FineTune || RunRequestJson.Read(run) is not FineTuneRequest request) return labels;
        var trained = request.Labels.Where(l => !request.TestPatients.Contains(l.Patient)).ToList();
        var names = trained.Select(l => l.Patient).ToHashSet(StringComparer.Ordinal);
        var ids = trained.Select(l => l.ItemId).ToHashSet();
        var owners = await OwnersAsync(db, [.. ids, .. labels.Select(l => l.ItemId)], cancel);
        var patients = ids.Select(i => owners.GetValueOrDefault(i)).OfType<long>().ToHashSet();
        return [.. labels.Where(l => !ids.Contains(l.ItemId) && !names.Contains(l.Patient) && !(owners.GetValueOrDefault(l.ItemId) is { } p && patients.Contains(p)))];
    }

    private static async Task<Dictionary<long, long?>> OwnersAsync(DomainSslContext db, IEnumerable<long> items, CancellationToken cancel)
    {
        var owners = new Dictionary<long, long?>();
        foreach (var some in items.Distinct().Chunk(500))
        {
            foreach (var item in await db.Items.Where(i => some.Contains(i.Id)).Select(i => new { i.Id, i.PatientId }).ToListAsync(cancel)) owners[item.Id] = item.PatientId;
        }
        return owners;
    }
}
