using DomainSsl.Core.Audit;
using DomainSsl.Core.Collections;
using DomainSsl.Core.Models;
using DomainSsl.Core.Tasks;
using DomainSsl.Core.Tests.Runs;
using Microsoft.EntityFrameworkCore;

namespace DomainSsl.Core.Tests.Models;

public sealed class ModelRegistryTests
{
    [Fact]
    public async Task EnsurePublic_AgainAndAgain_RegistersOneEncoderOfImagesAndOneOfSound_BothInUse()
    {
        await using var f = await QueueFixture.CreateAsync();
        var registry = f.Service<ModelRegistry>();
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => registry.EnsurePublicAsync())));
        await registry.EnsurePublicAsync(TestContext.Current.CancellationToken);
        var models = await registry.ListAsync(cancel: TestContext.Current.CancellationToken);
        Assert.Equal([("public", "public", false), ("spoken", "spoken", true)], models.Select(m => (m.Id, m.Name, m.OfSound)).Order());
        Assert.All(models, m => Assert.Equal((ModelKind.Encoder, ModelState.InUse, null), (m.Kind, m.State, m.RunId)));
        foreach (var id in (string[])["public", "spoken"]) Assert.Equal("public-model", (await Assert.ThrowsAsync<RefusedException>(() => registry.RetireAsync(id, "cli:test"))).Refusal.Code);
    }

    [Fact]
    public async Task EnsurePublic_WhereAnEncoderOfSoundIsInUseAlready_AddsTheSpokenOneAsACandidate()
    {
        await using var f = await QueueFixture.CreateAsync();
        var registry = f.Service<ModelRegistry>();
        await AddAsync(f, "m-1", ModelKind.Encoder, null, architecture: """{"architecture":"sound"}""");
        await registry.PromoteAsync("m-1", "cli:test", TestContext.Current.CancellationToken);
        await registry.EnsurePublicAsync(TestContext.Current.CancellationToken);
        Assert.Equal((ModelState.InUse, ModelState.Candidate), ((await registry.GetAsync("m-1", TestContext.Current.CancellationToken)).State, (await registry.GetAsync("spoken", TestContext.Current.CancellationToken)).State));
    }

    [Fact]
    public async Task Promote_ReplacesTheOneInUse_AndRollbackGoesBackStepByStep()
    {
        await using var f = await QueueFixture.CreateAsync();
        var registry = f.Service<ModelRegistry>();
        var task = await TaskAsync(f);
        foreach (var id in (string[])["m-1", "m-2", "m-3"]) await AddAsync(f, id, ModelKind.Classifier, task);
        foreach (var id in (string[])["m-1", "m-2", "m-3"]) await registry.PromoteAsync(id, "cli:test", TestContext.Current.CancellationToken);
        Assert.Equal(["m-3"], await InUseAsync(f));
        Assert.Equal(ModelState.Retired, (await registry.GetAsync("m-2", TestContext.Current.CancellationToken)).State);

        Assert.Equal("m-2", (await registry.RollbackAsync("Effusion?", "cli:test", TestContext.Current.CancellationToken)).Id);
        Assert.Equal("m-1", (await registry.RollbackAsync("Effusion?", "cli:test", TestContext.Current.CancellationToken)).Id);
        Assert.Equal(["m-1"], await InUseAsync(f));
        Assert.Equal("none-before", (await Assert.ThrowsAsync<RefusedException>(() => registry.RollbackAsync("Effusion?", "cli:test"))).Refusal.Code);

        var details = await registry.ShowAsync("m-2", TestContext.Current.CancellationToken);
        Assert.Equal(["rolled back to m-1", "rolled back", "replaced by m-3", "promoted"], details.Changes.Select(c => c.Reason));
        Assert.Equal("Effusion?", details.TaskName);
        Assert.Null(await f.Service<AuditLog>().FirstBrokenAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Promote_Encoder_LeavesThePublicOneACandidate_AndTasksAlone()
    {
        await using var f = await QueueFixture.CreateAsync();
        var registry = f.Service<ModelRegistry>();
        await registry.EnsurePublicAsync(TestContext.Current.CancellationToken);
        var task = await TaskAsync(f);
        await AddAsync(f, "m-1", ModelKind.Classifier, task);
        await AddAsync(f, "m-2", ModelKind.Encoder, null, "public");
        await registry.PromoteAsync("m-1", "cli:test", TestContext.Current.CancellationToken);
        await registry.PromoteAsync("m-2", "cli:test", TestContext.Current.CancellationToken);
        Assert.Equal(ModelState.Candidate, (await registry.GetAsync("public", TestContext.Current.CancellationToken)).State);
        Assert.Equal(ModelState.InUse, (await registry.GetAsync("m-1", TestContext.Current.CancellationToken)).State);
        Assert.Equal(["public"], (await registry.ShowAsync("m-2", TestContext.Current.CancellationToken)).Ancestors.Select(a => a.Id));
        Assert.Equal("public", (await registry.RollbackAsync(ModelRegistry.Encoders, "cli:test", TestContext.Current.CancellationToken)).Id);
    }

    [Fact]
    public async Task Promote_EncoderOfSound_LeavesThatOfImagesInUse_AndEachIsRolledBackAlone()
    {
        await using var f = await QueueFixture.CreateAsync();
        var registry = f.Service<ModelRegistry>();
        await registry.EnsurePublicAsync(TestContext.Current.CancellationToken);
        await AddAsync(f, "m-1", ModelKind.Encoder, null, architecture: """{"architecture":"sound"}""");
        await AddAsync(f, "m-2", ModelKind.Encoder, null, architecture: """{"architecture":"sound"}""");
        await registry.PromoteAsync("m-1", "cli:test", TestContext.Current.CancellationToken);
        await registry.PromoteAsync("m-2", "cli:test", TestContext.Current.CancellationToken);
        Assert.Equal(ModelState.InUse, (await registry.GetAsync("public", TestContext.Current.CancellationToken)).State);
        Assert.Equal(ModelState.Candidate, (await registry.GetAsync("m-1", TestContext.Current.CancellationToken)).State);
        Assert.Equal("m-1", (await registry.RollbackAsync(ModelRegistry.SoundEncoders, "cli:test", TestContext.Current.CancellationToken)).Id);
        Assert.Equal(ModelState.InUse, (await registry.GetAsync("public", TestContext.Current.CancellationToken)).State);
        Assert.Equal("none-before", (await Assert.ThrowsAsync<RefusedException>(() => registry.RollbackAsync(ModelRegistry.Encoders, "cli:test", TestContext.Current.CancellationToken))).Refusal.Code);
    }

    [Fact]
    public async Task Add_NameTaken_TakesTheNextFreeOne()
    {
        await using var f = await QueueFixture.CreateAsync();
        for (var i = 1; i <= 3; i++) await AddAsync(f, $"m-{i}", ModelKind.Encoder, null, name: "simclr on chest");
        var names = (await f.Service<ModelRegistry>().ListAsync(cancel: TestContext.Current.CancellationToken)).Select(m => m.Name).Order();
        Assert.Equal(["simclr on chest", "simclr on chest 2", "simclr on chest 3"], names);
    }

    private static async Task<List<string>> InUseAsync(QueueFixture f)
    {
        await using var db = f.Open();
        return await db.Models.Where(m => m.State == ModelState.InUse).Select(m => m.Id).ToListAsync();
    }

    private static async Task<long> TaskAsync(QueueFixture f)
    {
        await using var db = f.Open();
        var task = new LabelTask { Name = "Effusion?", By = "cli:test", Collection = new Collection { Name = "all", By = "cli:test" } };
        db.Tasks.Add(task);
        await db.SaveChangesAsync();
        return task.Id;
    }

    private static async Task AddAsync(QueueFixture f, string id, ModelKind kind, long? task, string? parent = null, string? name = null, string architecture = "{}")
    {
        await using var db = f.Open();
        await using var transaction = await db.Database.BeginTransactionAsync();
        await f.Service<ModelRegistry>().AddAsync(db, new Model { Id = id, Name = name ?? $"model {id}", Kind = kind, TaskId = task, ParentId = parent, Architecture = architecture, By = "cli:test" });
        await db.SaveChangesAsync();
        await transaction.CommitAsync();
    }
}
