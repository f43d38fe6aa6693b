using DomainSsl.Core;
using DomainSsl.Core.Collections;
using DomainSsl.Core.Database;
using DomainSsl.Core.Models;
using DomainSsl.Core.Review;
using DomainSsl.Core.Runs;
using DomainSsl.Core.Storage;
using DomainSsl.Core.Tasks;
using DomainSsl.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace DomainSsl.Worker.Tests;

/// <summary>The whole way of scans that come after a task was made, on small made-up ones.</summary>
public sealed class LaterScansTests
{
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(5);

    [Fact]
    public async Task LaterScans_AreAnsweredFor_CorrectedLearntFrom_AndAnsweredForByTheNextClassifierToo()
    {
        var cancel = TestContext.Current.CancellationToken;
        using var folder = new TemporaryFolder();
        var data = folder.At("data");
        await Product.JsonAsync(data, Long, "import", SmallScans.Write(folder, 40), "--collection", "first");
        await Product.JsonAsync(data, Long, "import", SmallScans.Write(folder, 12, "later", seed: 2), "--collection", "later");
        var encoder = (await Product.JsonAsync(data, Long, ["pretrain", "first", .. KilledWorkerTests.Tiny, "--steps", "5"])).GetProperty("model").GetString()!;
        await using var services = new ServiceCollection().AddLogging().AddDomainSslCore(new DataFolder(data)).BuildServiceProvider();
        var (tasks, reviews, collections) = (services.GetRequiredService<TaskService>(), services.GetRequiredService<ReviewQueue>(), services.GetRequiredService<CollectionService>());
        await using var db = await services.GetRequiredService<IDbContextFactory<DomainSslContext>>().CreateDbContextAsync(cancel);

        var task = await tasks.CreateAsync("spot", "Is there a spot?", ["none", "spot"], (await collections.FindAsync("first", cancel)).Id, "anna", encoder, cancel);
        foreach (var (item, i) in (await tasks.NextItemsAsync(task.Id, "anna", 20, cancel: cancel)).Select((n, i) => (n.ItemId, i)))
            await tasks.AnswerAsync(task.Id, item, LabelAnswer.Class, task.Classes[i % 2].Id, "anna", $"k{i}", cancel);
        // One quick arm: what it finds does not matter here.
        async Task<FineTuneRequest> TrainAsync()
        {
            var request = await tasks.TrainingRequestAsync(task.Id, cancel) with { Compare = false, Mode = "probe" };
            await services.GetRequiredService<IRunQueue>().EnqueueAsync(request, request.ModelName, "anna", task.Id, cancel);
            await Product.JsonAsync(data, Long, "worker", "--once");
            Assert.Equal(RunState.Done, await db.Runs.Where(r => r.TaskId == task.Id).OrderByDescending(r => r.QueuedAt).Select(r => r.State).FirstAsync(cancel));
            return request;
        }
        await TrainAsync();
        var first = await db.Models.AsNoTracking().SingleAsync(m => m.TaskId == task.Id, cancel);
        await services.GetRequiredService<ModelRegistry>().PromoteAsync(first.Id, "anna", cancel);

        var offer = Assert.Single((await tasks.NewCasesAsync(task.Id, cancel)).Offers);
        Assert.Equal(("later", 12, 12), (offer.Name, offer.Cases, offer.New));
        var before = (await reviews.ProgressAsync(task.Id, cancel)).Open;
        await tasks.AnswerForAsync(task.Id, offer.CollectionId, "anna", cancel);
        await Product.JsonAsync(data, Long, "worker", "--once");
        Assert.Equal(before + 12, (await reviews.ProgressAsync(task.Id, cancel)).Open);
        Assert.Empty((await tasks.NewCasesAsync(task.Id, cancel)).Offers);

        var later = await db.CollectionItems.Where(c => c.CollectionId == offer.CollectionId).OrderBy(c => c.ItemId).Select(c => c.ItemId).ToListAsync(cancel);
        var answer = await db.Predictions.AsNoTracking().SingleAsync(p => p.ItemId == later[0], cancel);
        await reviews.DecideAsync(answer.Id, ReviewDecision.Correct, task.Classes[1].Id, "rita", "d", cancel);
        Assert.Contains((await TrainAsync()).Labels, l => l.ItemId == later[0] && l.Class == "spot");
        var answered = await db.Predictions.Where(p => p.TaskId == task.Id && p.ModelId != first.Id).Select(p => p.ItemId).ToListAsync(cancel);
        Assert.Equal(later.Skip(1).Order(), answered.Intersect(later).Order());
    }
}
