using DomainSsl.Core.Audit;
using DomainSsl.Core.Database;
using DomainSsl.Core.Language;
using DomainSsl.Core.Library;
using DomainSsl.Core.Runs;
using DomainSsl.Core.Storage;
using Microsoft.EntityFrameworkCore;

namespace DomainSsl.Core.Models;

/// <summary>A model with what it came from and what came of it.</summary>
/// <param name="Model">The model.</param>
/// <param name="Ancestors">What it began from, nearest first.</param>
/// <param name="Children">What began from it.</param>
/// <param name="Run">The run that made it.</param>
/// <param name="TaskName">The task it answers.</param>
/// <param name="Changes">Its promotions, retirements and roll-backs, newest first.</param>
public sealed record ModelDetails(Model Model, IReadOnlyList<Model> Ancestors, IReadOnlyList<Model> Children, Run? Run, string? TaskName, IReadOnlyList<ModelStateChange> Changes);

/// <summary>
/// Every model with its lineage and state. One model a task is in use, one encoder of images and one of sound, one transcriber, and one language model of each kind. A classifier that is replaced is retired; an encoder goes back to the candidates, since
/// other tasks may well go on from it. Every change is a row and an audit entry, and rolling back reads those rows.
/// </summary>
public sealed class ModelRegistry(IDbContextFactory<DomainSslContext> factory, AuditLog audit, TimeProvider time, DataFolder folder)
{
    /// <summary>What <see cref="RollbackAsync"/> takes for the encoders of images, which belong to no task.</summary>
    public const string Encoders = "encoders";

    /// <summary>What <see cref="RollbackAsync"/> takes for the encoders of sound.</summary>
    public const string SoundEncoders = "sound-encoders";

    private const string CameWithTheProduct = "came with the product";

    /// <summary>What <see cref="RollbackAsync"/> takes for transcribers, of which one is in use.</summary>
    public const string Transcribers = "transcribers";

    /// <summary>What <see cref="RollbackAsync"/> takes to go back from a model that answers no task.</summary>
    public static string PlaceOf(Model model) => model.Kind switch
    {
        ModelKind.Transcriber => Transcribers,
        ModelKind.Language => LanguageOf(model.Recipe),
        _ => model.OfSound ? SoundEncoders : Encoders,
    };

    /// <summary>All that <see cref="RollbackAsync"/> takes besides tasks.</summary>
    public static IReadOnlyList<string> Places { get; } = [Encoders, SoundEncoders, Transcribers, .. LanguageKinds.All.Select(LanguageOf)];

    /// <summary>What <see cref="RollbackAsync"/> takes for language models of a kind: each kind has one in use.</summary>
    public static string LanguageOf(string kind) => $"language-{kind}";

    /// <summary>All models, those in use first, then the newest.</summary>
    public async Task<IReadOnlyList<Model>> ListAsync(ModelKind? kind = null, long? taskId = null, CancellationToken cancel = default)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        return await db.Models.AsNoTracking().Where(m => (kind == null || m.Kind == kind) && (taskId == null || m.TaskId == taskId))
            .OrderByDescending(m => m.State == ModelState.InUse).ThenByDescending(m => m.CreatedAt).ThenBy(m => m.Id).ToListAsync(cancel);
    }

    /// <summary>A model by id or name; null where there is none.</summary>
    public async Task<Model?> FindAsync(string idOrName, CancellationToken cancel = default)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        return await FindAsync(db.Models.AsNoTracking(), idOrName, cancel);
    }

    /// <summary>A model by id or name.</summary>
    /// <exception cref="RefusedException">There is none.</exception>
    public async Task<Model> GetAsync(string idOrName, CancellationToken cancel = default) => await FindAsync(idOrName, cancel) ?? throw NoModel(idOrName);

    /// <summary>A model with its lineage.</summary>
    /// <exception cref="RefusedException">There is none.</exception>
    public async Task<ModelDetails> ShowAsync(string idOrName, CancellationToken cancel = default)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        var model = await FindAsync(db.Models.AsNoTracking(), idOrName, cancel) ?? throw NoModel(idOrName);
        var ancestors = new List<Model>();
        for (var at = model; at.ParentId is { } parent && ancestors.All(a => a.Id != parent);)
        {
            var found = await db.Models.AsNoTracking().SingleOrDefaultAsync(m => m.Id == parent, cancel);
            if (found is null) break;
            ancestors.Add(at = found);
        }
        var children = await db.Models.AsNoTracking().Where(m => m.ParentId == model.Id).OrderByDescending(m => m.CreatedAt).ToListAsync(cancel);
        var run = model.RunId is null ? null : await db.Runs.AsNoTracking().SingleOrDefaultAsync(r => r.Id == model.RunId, cancel);
        var task = model.TaskId is null ? null : await db.Tasks.Where(t => t.Id == model.TaskId).Select(t => t.Name).SingleOrDefaultAsync(cancel);
        var changes = await db.ModelStateChanges.AsNoTracking().Where(c => c.ModelId == model.Id).OrderByDescending(c => c.Id).ToListAsync(cancel);
        return new ModelDetails(model, ancestors, children, run, task, changes);
    }

    /// <summary>The language model of a kind that is in use; null where none was promoted.</summary>
    public async Task<Model?> LanguageInUseAsync(string kind, CancellationToken cancel = default)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        return await db.Models.AsNoTracking().SingleOrDefaultAsync(m => m.Kind == ModelKind.Language && m.Recipe == kind && m.State == ModelState.InUse, cancel);
    }

    /// <summary>Puts a model in use, in the place of the one that was.</summary>
    /// <exception cref="RefusedException">There is no such model.</exception>
    public async Task PromoteAsync(string idOrName, string by, CancellationToken cancel = default)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        var model = await FindAsync(db.Models, idOrName, cancel) ?? throw NoModel(idOrName);
        // A public encoder is in use from the first start; that a person wants it is to be kept all the same.
        if (model.State == ModelState.InUse && (!PublicModel.Is(model.Id) || await IsChosenAsync(db, model.Id, cancel))) return;
        foreach (var other in await InUseAsync(db, model.TaskId, PlaceOf(model), cancel))
            if (other.Id != model.Id) Change(db, other, Replaced(other), by, $"replaced by {model.Id}");
        Change(db, model, ModelState.InUse, by, "promoted");
        await audit.AppendAsync(db, by, "promoted", $"model {model.Id}", model.Name, cancel);
        await transaction.CommitAsync(cancel);
    }

    /// <summary>Takes a model out of use; it is kept, and may be promoted again.</summary>
    /// <exception cref="RefusedException">There is no such model, or it is a public encoder, which every comparison needs.</exception>
    public async Task RetireAsync(string idOrName, string by, CancellationToken cancel = default)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        var model = await FindAsync(db.Models, idOrName, cancel) ?? throw NoModel(idOrName);
        if (PublicModel.Is(model.Id)) throw new RefusedException("public-model", "An encoder that came with the product cannot be retired, since results are compared with it; promote another encoder instead.");
        if (model.State == ModelState.Retired) return;
        Change(db, model, ModelState.Retired, by, "retired");
        await audit.AppendAsync(db, by, "retired", $"model {model.Id}", model.Name, cancel);
        await transaction.CommitAsync(cancel);
    }

    /// <summary>Puts back in use what the model in use had replaced.</summary>
    /// <param name="task">A task's name or id, or one of <see cref="Places"/>.</param>
    /// <param name="by">Who.</param>
    /// <param name="cancel">Gives up before the commit.</param>
    /// <returns>The model that is in use from now on.</returns>
    /// <exception cref="RefusedException">There is no such task, no model in use, or it replaced none.</exception>
    public async Task<Model> RollbackAsync(string task, string by, CancellationToken cancel = default)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        long? taskId = null;
        if (!Places.Contains(task))
        {
            bool numbered = long.TryParse(task, out var number);
            taskId = await db.Tasks.Where(t => t.Name == task || (numbered && t.Id == number)).OrderByDescending(t => t.Name == task).Select(t => (long?)t.Id).FirstOrDefaultAsync(cancel)
                ?? throw new RefusedException("no-task", $"There is no task '{task}'; name one that the Tasks page shows, or one of {string.Join(", ", Places.Select(p => $"'{p}'"))}.");
        }
        var current = (await InUseAsync(db, taskId, task, cancel)).SingleOrDefault()
            ?? throw new RefusedException("none-in-use", $"No model of '{task}' is in use, so there is nothing to roll back; promote one instead.");
        var reason = $"replaced by {current.Id}";
        var before = await db.ModelStateChanges.Where(c => c.Reason == reason).OrderByDescending(c => c.Id).Select(c => c.ModelId).FirstOrDefaultAsync(cancel)
            ?? throw new RefusedException("none-before", $"{current.Name} is the first model of '{task}' that was put in use, so there is none to go back to; promote another instead.");
        var previous = await db.Models.SingleAsync(m => m.Id == before, cancel);
        Change(db, current, Replaced(current), by, $"rolled back to {previous.Id}");
        Change(db, previous, ModelState.InUse, by, "rolled back");
        await audit.AppendAsync(db, by, "rolled back", $"model {previous.Id}", $"{previous.Name} in the place of {current.Name}", cancel);
        await transaction.CommitAsync(cancel);
        return previous;
    }

    /// <summary>Whether it was a person who put a public encoder in use, the last time that it was.</summary>
    internal static async Task<bool> IsChosenAsync(DomainSslContext db, string publicId, CancellationToken cancel) =>
        await db.ModelStateChanges.Where(c => c.ModelId == publicId && c.State == ModelState.InUse).OrderByDescending(c => c.Id).Select(c => c.Reason).FirstOrDefaultAsync(cancel) is not (null or CameWithTheProduct);

    /// <summary>Registers the public encoders, in use until another is promoted; again and again changes nothing.</summary>
    public async Task EnsurePublicAsync(CancellationToken cancel = default)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        async Task<IReadOnlyList<PublicModel>> Missing()
        {
            var ids = PublicModel.All.Select(p => p.Id).ToArray();
            var there = await db.Models.Where(m => ids.Contains(m.Id)).Select(m => m.Id).ToListAsync(cancel);
            return [.. PublicModel.All.Where(p => !there.Contains(p.Id))];
        }

        if (await Missing() is []) return;
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        // Looked at again: another process may have been quicker.
        foreach (var missing in await Missing())
        {
            var model = new Model
            {
                Id = missing.Id, Name = missing.Id, Kind = ModelKind.Encoder, By = "system", Recipe = missing.LearntFrom, Architecture = missing.Architecture, CodeVersion = CodeVersion.Current, CreatedAt = time.GetUtcNow().UtcDateTime,
            };
            // One that comes with a later version leaves alone what a clinic has put in use before.
            var state = (await InUseAsync(db, null, PlaceOf(model), cancel)).Count == 0 ? ModelState.InUse : ModelState.Candidate;
            db.Models.Add(model);
            Change(db, model, state, "system", CameWithTheProduct);
            await audit.AppendAsync(db, "system", "registered", $"model {model.Id}", $"the public encoder of {(missing.Kind == ItemKind.Sound ? "sound" : "images")}", cancel);
        }
        await transaction.CommitAsync(cancel);
    }

    /// <summary>
    /// Adds a model within its caller's write transaction, under a name that is free: the wished one, or with the next free number behind it. A run's model is added once, however
    /// often the run was taken up.
    /// </summary>
    public async Task AddAsync(DomainSslContext db, Model model, CancellationToken cancel = default)
    {
        var taken = await db.Models.Where(m => m.Name == model.Name || m.Name.StartsWith(model.Name + " ")).Select(m => m.Name).ToListAsync(cancel);
        if (taken.Contains(model.Name)) model.Name = Enumerable.Range(2, taken.Count + 1).Select(n => $"{model.Name} {n}").First(n => !taken.Contains(n));
        model.CreatedAt = time.GetUtcNow().UtcDateTime;
        if (model.CodeVersion.Length == 0) model.CodeVersion = CodeVersion.Current;
        db.Models.Add(model);
        await audit.AppendAsync(db, model.By, "made", $"model {model.Id}", model.Name, cancel);
    }

    /// <summary>The file of a model's weights.</summary>
    public string WeightsPath(string modelId) => Path.Combine(folder.Model(modelId), "weights.safetensors");

    private void Change(DomainSslContext db, Model model, ModelState state, string by, string reason)
    {
        model.State = state;
        db.ModelStateChanges.Add(new ModelStateChange { ModelId = model.Id, State = state, At = time.GetUtcNow().UtcDateTime, By = by, Reason = reason });
    }

    private static ModelState Replaced(Model model) => model.Kind == ModelKind.Encoder ? ModelState.Candidate : ModelState.Retired;

    private static async Task<List<Model>> InUseAsync(DomainSslContext db, long? taskId, string place, CancellationToken cancel) =>
        [.. (await db.Models.Where(m => m.State == ModelState.InUse && m.TaskId == taskId).ToListAsync(cancel)).Where(m => taskId is not null || PlaceOf(m) == place)];

    private static Task<Model?> FindAsync(IQueryable<Model> models, string idOrName, CancellationToken cancel) =>
        models.Where(m => m.Id == idOrName || m.Name == idOrName).OrderByDescending(m => m.Id == idOrName).FirstOrDefaultAsync(cancel);

    private static RefusedException NoModel(string idOrName) => new("no-model", $"There is no model '{idOrName}'; domainssl models list shows those there are.");
}
