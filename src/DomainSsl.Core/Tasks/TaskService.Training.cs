using System.Security.Cryptography;
using DomainSsl.Core.Database;
using DomainSsl.Core.Importing;
using DomainSsl.Core.Library;
using DomainSsl.Core.Models;
using DomainSsl.Core.Runs;
using Microsoft.EntityFrameworkCore;

namespace DomainSsl.Core.Tasks;

/// <summary>A label from outside, matched to its item.</summary>
/// <param name="ItemId">The item.</param>
/// <param name="Class">The class's name.</param>
public sealed record GivenLabel(long ItemId, string Class);

/// <summary>What became of labels from a file.</summary>
/// <param name="Stored">Labels stored.</param>
/// <param name="Unchanged">Rows whose item had this label already.</param>
/// <param name="Unknown">Files of the CSV that are not in the task's collection.</param>
public sealed record LabelImport(int Stored, int Unchanged, IReadOnlyList<string> Unknown);

public sealed partial class TaskService
{
    /// <summary>Stores labels from outside, all in one transaction. Given twice, they change nothing the second time.</summary>
    /// <exception cref="RefusedException">An item or class is not the task's; nothing is stored then.</exception>
    public async Task<LabelImport> ImportLabelsAsync(long taskId, IReadOnlyList<GivenLabel> labels, string by, CancellationToken cancel = default)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        var order = await OrderAsync(db, taskId, cancel);
        var classes = await db.TaskClasses.Where(c => c.TaskId == taskId).OrderBy(c => c.Position).ToListAsync(cancel);
        var byName = classes.ToDictionary(c => c.Name, c => c.Id, StringComparer.OrdinalIgnoreCase);
        var (stored, unchanged) = (0, 0);
        foreach (var (item, name) in labels)
        {
            if (!order.Contains(item)) throw TaskRefusals.NoItem();
            if (!byName.TryGetValue(name.Trim(), out var classId)) throw TaskRefusals.UnknownClass(name, classes.Select(c => c.Name));
            if (await db.Labels.AnyAsync(l => l.TaskId == taskId && l.ItemId == item && l.SupersededAt == null && l.ClassId == classId, cancel)) { unchanged++; continue; }
            await StoreAsync(db, taskId, item, LabelAnswer.Class, classId, LabelSource.File, by, $"file:{Guid.NewGuid():N}", cancel);
            db.ChangeTracker.Clear(); // else each save looks through all that were stored before
            stored++;
        }
        await transaction.CommitAsync(cancel);
        return new LabelImport(stored, unchanged, []);
    }

    /// <summary>Reads a CSV with the columns <c>file,label</c> and stores its labels; a row finds its image or recording by the SHA-256 of the file's bytes as imported, never by a name.</summary>
    /// <exception cref="RefusedException">The CSV cannot be read, names a class that the task has not, or gives two classes to one image; nothing is stored then.</exception>
    public async Task<LabelImport> ImportLabelsAsync(long taskId, string csv, string by, CancellationToken cancel = default)
    {
        var rows = ReadLabelFile(csv);
        await using var db = await factory.CreateDbContextAsync(cancel);
        var order = await OrderAsync(db, taskId, cancel);
        var hashes = new List<(string File, string Label, string? Hash)>();
        foreach (var (file, label) in rows)
        {
            var path = Path.GetFullPath(file, Path.GetDirectoryName(Path.GetFullPath(csv))!);
            string? hash = null;
            if (File.Exists(path))
            {
                await using var stream = File.OpenRead(path);
                hash = Convert.ToHexStringLower(await SHA256.HashDataAsync(stream, cancel));
            }
            hashes.Add((file, label, hash));
        }
        var items = await library.ItemsBySourceAsync(hashes.Select(h => h.Hash).OfType<string>(), cancel);
        var (given, unknown, rowOf) = (new List<GivenLabel>(), new List<string>(), new Dictionary<long, (string File, string Label)>());
        foreach (var (file, label, hash) in hashes)
        {
            if (hash is null || !items.TryGetValue(hash, out var found) || !order.Contains(found[0].Id)) { unknown.Add(file); continue; }
            // One image may lie there under two names.
            if (!rowOf.TryAdd(found[0].Id, (file, label.Trim())) && rowOf[found[0].Id] is var before && !before.Label.Equals(label.Trim(), StringComparison.OrdinalIgnoreCase))
                throw TaskRefusals.TwoLabels(before.File, before.Label, file, label.Trim());
            given.Add(new GivenLabel(found[0].Id, label));
        }
        return await ImportLabelsAsync(taskId, given, by, cancel) with { Unknown = unknown };
    }

    private static IEnumerable<(string File, string Label)> ReadLabelFile(string csv)
    {
        CsvTable table;
        try { table = CsvTable.Read(csv); }
        catch (IOException e) { throw TaskRefusals.BadLabelFile(e is FileNotFoundException or DirectoryNotFoundException ? "there is no such file" : "it is in use or damaged"); }
        if (!table.Has("file") || !table.Has("label")) throw TaskRefusals.BadLabelFile("its first line does not name the columns");
        return table.Rows.Select(r => (table.Value(r, "file"), table.Value(r, "label")));
    }

    /// <summary>
    /// What a training run of this task would be asked for now, with what was corrected in review from whichever collection. Labels given in review of locked test patients are left out
    /// altogether, of their later images too: whoever gave them saw the model's answer, and the queue, which no longer brings them, showed the hardest first, so they would measure neither the person nor the model fairly.
    /// </summary>
    /// <exception cref="RefusedException">There are too few labels or patients to learn from, or training runs already.</exception>
    public async Task<FineTuneRequest> TrainingRequestAsync(long taskId, CancellationToken cancel = default)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        var task = await db.Tasks.AsNoTracking().Include(t => t.Classes).SingleOrDefaultAsync(t => t.Id == taskId, cancel) ?? throw TaskRefusals.NoTask();
        if (await db.Runs.AnyAsync(r => r.TaskId == taskId && r.Kind == RunKind.FineTune && (r.State == RunState.Queued || r.State == RunState.Running), cancel))
            throw TaskRefusals.AlreadyTraining();
        var order = await OrderAsync(db, taskId, cancel);
        var kind = await KindAsync(db, task.CollectionId, cancel);
        var labels = (await db.Labels.AsNoTracking().Where(l => l.TaskId == taskId && l.SupersededAt == null && l.Answer == LabelAnswer.Class).OrderBy(l => l.ItemId)
            .Select(l => new { l.ItemId, l.ClassId, l.Source, l.Item!.PatientId, Patient = l.Item!.Patient!.Pseudonym }).ToListAsync(cancel))
            .Where(l => l.Source != LabelSource.Review || !order.IsTest(l.PatientId)).ToList();

        foreach (var c in task.Classes.OrderBy(c => c.Position))
        {
            var of = labels.Where(l => l.ClassId == c.Id).ToList();
            if (of.Count < options.MinLabelsPerClass) throw TaskRefusals.TooFewLabels(c.Name, of.Count, options.MinLabelsPerClass);
            var training = of.Where(l => !order.IsTest(l.PatientId)).ToList();
            if (training.Count < options.MinTrainingLabelsPerClass) throw TaskRefusals.TooFewTrainingLabels(c.Name, training.Count, options.MinTrainingLabelsPerClass, kind);
            var patients = training.DistinctBy(l => l.Patient ?? StandIn.Of(l.ItemId)).Count();
            if (patients < options.MinTrainingPatientsPerClass) throw TaskRefusals.TooFewPatients(c.Name, patients, options.MinTrainingPatientsPerClass, kind);
        }

        var names = task.Classes.ToDictionary(c => c.Id, c => c.Name);
        var test = await db.TaskTestPatients.Where(t => t.TaskId == taskId)
            .Join(db.Patients, t => t.PatientId, p => p.Id, (_, p) => p.Pseudonym).Order().ToListAsync(cancel);
        var rounds = await db.Runs.CountAsync(r => r.TaskId == taskId && r.Kind == RunKind.FineTune, cancel);
        return new FineTuneRequest(taskId, [.. labels.Select(l => new LabelledItem(l.ItemId, names[l.ClassId!.Value], l.Patient ?? StandIn.Of(l.ItemId)))],
            [.. task.Classes.OrderBy(c => c.Position).Select(c => c.Name)], task.EncoderId ?? await EncoderAsync(db, kind, cancel), "best", Compare: true, test,
            $"{task.Name} {rounds + 1}", Seed: taskId, PredictRest: true);
    }

    /// <summary>Asks for a training run with the labels as they stand now.</summary>
    /// <returns>The run's id.</returns>
    /// <exception cref="RefusedException">There are too few labels or patients to learn from, or training runs already.</exception>
    public async Task<string> TrainAsync(long taskId, string by, CancellationToken cancel = default)
    {
        var request = await TrainingRequestAsync(taskId, cancel);
        return await queue.EnqueueAsync(request, $"Train {request.ModelName} on {request.Labels.Count} labels", by, taskId, cancel);
    }

    /// <summary>The result of the newest training run that ended well; null before the first.</summary>
    public async Task<TaskResult?> NewestResultAsync(long taskId, CancellationToken cancel = default)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        var runs = await db.Runs.AsNoTracking().Where(r => r.TaskId == taskId && r.Kind == RunKind.FineTune && r.State == RunState.Done).OrderByDescending(r => r.QueuedAt)
            .Select(r => r.Id).Take(5).ToListAsync(cancel);
        foreach (var run in runs)
            if (await TaskResult.ReadAsync(folder.Run(run), cancel) is { } result) return result;
        return null;
    }

    // Of the kind: the encoder in use; before any was put in use the newest that this clinic pretrained; before that the public one.
    private static async Task<string> EncoderAsync(DomainSslContext db, ItemKind kind, CancellationToken cancel)
    {
        // The public encoder is in use from the first start without anybody having chosen it.
        var open = PublicModel.Of(kind).Id;
        var passedOver = await ModelRegistry.IsChosenAsync(db, open, cancel) ? null : open;
        var ranked = await db.Models.AsNoTracking().Where(m => m.Kind == ModelKind.Encoder && m.State != ModelState.Retired)
            .OrderByDescending(m => m.State == ModelState.InUse && m.Id != passedOver).ThenByDescending(m => m.Id != open).ThenByDescending(m => m.CreatedAt).ToListAsync(cancel);
        return ranked.FirstOrDefault(m => m.OfSound == (kind == ItemKind.Sound))?.Id ?? open;
    }
}
