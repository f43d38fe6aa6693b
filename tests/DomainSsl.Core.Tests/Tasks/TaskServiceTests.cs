using DomainSsl.Core.Audit;
using DomainSsl.Core.Importing;
using DomainSsl.Core.Library;
using DomainSsl.Core.Models;
using DomainSsl.Core.Tasks;
using Microsoft.EntityFrameworkCore;

namespace DomainSsl.Core.Tests.Tasks;

public sealed class TaskServiceTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;
    private static string Key() => Guid.NewGuid().ToString("N");

    [Fact]
    public async Task Create_FreezesTheCollectionAndLocksAShareOfPatients()
    {
        await using var clinic = await LabellingClinic.MakeAsync(patients: 40, imagesEach: 3);
        var task = await clinic.MakeTaskAsync();

        Assert.Equal(12, (await clinic.TestPatientsAsync(task.Id)).Count);
        await using var db = await clinic.Database.CreateDbContextAsync(Cancel);
        var collection = await db.Collections.SingleAsync(Cancel);
        Assert.NotNull(collection.FrozenAt);
        Assert.Matches("^[0-9a-f]{64}$", collection.Hash);
        Assert.Equal((120, 40), (collection.Items, collection.Patients));
    }

    [Theory]
    [InlineData(5, 0)]
    [InlineData(8, 4)]
    [InlineData(24, 10)]
    [InlineData(200, 60)]
    public async Task Create_LocksAtLeastTenPatientsButNeverMoreThanHalf(int patients, int locked)
    {
        await using var clinic = await LabellingClinic.MakeAsync(patients, 1);
        var task = await clinic.MakeTaskAsync();
        Assert.Equal(locked, (await clinic.TestPatientsAsync(task.Id)).Count);
    }

    [Fact]
    public async Task Create_BadInput_IsRefusedAndStoresNothing()
    {
        await using var clinic = await LabellingClinic.MakeAsync(4, 1);
        async Task<string> Code(string name, string[] classes, long collection) =>
            (await Assert.ThrowsAsync<RefusedException>(() => clinic.Tasks.CreateAsync(name, "?", classes, collection, "anna", cancel: Cancel))).Refusal.Code;

        Assert.Equal("task-name-missing", await Code(" ", ["a", "b"], clinic.CollectionId));
        Assert.Equal("task-classes-count", await Code("t", ["a", " "], clinic.CollectionId));
        Assert.Equal("task-classes-count", await Code("t", [.. "abcdefghij".Select(c => c.ToString())], clinic.CollectionId));
        Assert.Equal("task-class-twice", await Code("t", ["a", "A"], clinic.CollectionId));
        Assert.Equal("collection-missing", await Code("t", ["a", "b"], 99));
        Assert.Equal("task-text-too-long", await Code(new string('x', 81), ["a", "b"], clinic.CollectionId));
        Assert.Empty(await clinic.Tasks.ListAsync(Cancel));
        await clinic.MakeTaskAsync();
        Assert.Equal("task-name-taken", await Code("effusion", ["a", "b"], clinic.CollectionId));
    }

    [Fact]
    public async Task Answer_SentTwiceWithOneKey_IsStoredOnce()
    {
        await using var clinic = await LabellingClinic.MakeAsync(10, 1);
        var task = await clinic.MakeTaskAsync();
        var item = (await clinic.Tasks.NextItemsAsync(task.Id, "anna", 1, cancel: Cancel))[0].ItemId;

        var first = await clinic.Tasks.AnswerAsync(task.Id, item, LabelAnswer.Class, task.Classes[1].Id, "anna", "key-1", Cancel);
        await clinic.RestartAsync();
        var second = await clinic.Tasks.AnswerAsync(task.Id, item, LabelAnswer.Class, task.Classes[1].Id, "anna", "key-1", Cancel);

        Assert.Equal((first.LabelId, false, true), (second.LabelId, first.Again, second.Again));
        Assert.Single(await clinic.LabelsAsync(item));
    }

    [Fact]
    public async Task Answer_Again_SupersedesTheEarlierAndKeepsIt()
    {
        await using var clinic = await LabellingClinic.MakeAsync(10, 1);
        var task = await clinic.MakeTaskAsync();
        var item = (await clinic.Tasks.NextItemsAsync(task.Id, "anna", 1, cancel: Cancel))[0].ItemId;
        await clinic.Tasks.AnswerAsync(task.Id, item, LabelAnswer.Class, task.Classes[0].Id, "anna", Key(), Cancel);
        await clinic.Tasks.AnswerAsync(task.Id, item, LabelAnswer.Class, task.Classes[1].Id, "ben", Key(), Cancel);

        var labels = await clinic.LabelsAsync(item);
        Assert.Equal(2, labels.Count);
        Assert.NotNull(labels[0].SupersededAt);
        Assert.Null(labels[1].SupersededAt);
        var progress = await clinic.Tasks.ProgressAsync(task.Id, Cancel);
        Assert.Equal([0, 1], progress.Classes.Select(c => c.Labels));
        Assert.Equal([("anna", task.Classes[0].Id), ("ben", task.Classes[1].Id)], labels.Select(l => (l.By, l.ClassId!.Value)));
    }

    [Fact]
    public async Task Answer_TwoPeopleAtOnceOnOneItem_LeavesOneCurrentLabelAndAWholeAuditChain()
    {
        await using var clinic = await LabellingClinic.MakeAsync(10, 1);
        var task = await clinic.MakeTaskAsync();
        var item = (await clinic.Tasks.NextItemsAsync(task.Id, "anna", 1, cancel: Cancel))[0].ItemId;

        await Parallel.ForEachAsync(Enumerable.Range(0, 24), Cancel, async (i, cancel) =>
            await clinic.Tasks.AnswerAsync(task.Id, item, LabelAnswer.Class, task.Classes[i % 2].Id, $"person {i}", Key(), cancel));

        var labels = await clinic.LabelsAsync(item);
        Assert.Equal(24, labels.Count);
        Assert.Single(labels, l => l.SupersededAt is null);
        Assert.Null(await new AuditLog(clinic.Database, TimeProvider.System).FirstBrokenAsync(Cancel));
    }

    [Fact]
    public async Task Answer_ForAnotherTasksItemOrClass_IsRefused()
    {
        await using var clinic = await LabellingClinic.MakeAsync(10, 1);
        var task = await clinic.MakeTaskAsync();
        var other = await clinic.Tasks.CreateAsync("other", "?", ["a", "b"], clinic.CollectionId, "anna", cancel: Cancel);
        var item = (await clinic.Tasks.NextItemsAsync(task.Id, "anna", 1, cancel: Cancel))[0].ItemId;

        Task<LabelReceipt> Answer(long id, long? classId, string key) => clinic.Tasks.AnswerAsync(task.Id, id, LabelAnswer.Class, classId, "anna", key, Cancel);
        Assert.Equal("item-not-in-task", (await Assert.ThrowsAsync<RefusedException>(() => Answer(999, task.Classes[0].Id, Key()))).Refusal.Code);
        Assert.Equal("class-not-in-task", (await Assert.ThrowsAsync<RefusedException>(() => Answer(item, other.Classes[0].Id, Key()))).Refusal.Code);
        Assert.Equal("class-not-in-task", (await Assert.ThrowsAsync<RefusedException>(() => Answer(item, null, Key()))).Refusal.Code);
        Assert.Equal("client-key-missing", (await Assert.ThrowsAsync<RefusedException>(() => Answer(item, task.Classes[0].Id, " "))).Refusal.Code);
        Assert.Empty(await clinic.LabelsAsync(item));
    }

    [Fact]
    public async Task Undo_TakesBackTheLastAnswerAndBringsItsImageBack()
    {
        await using var clinic = await LabellingClinic.MakeAsync(10, 2);
        var task = await clinic.MakeTaskAsync();
        var items = await clinic.Tasks.NextItemsAsync(task.Id, "anna", 3, cancel: Cancel);
        foreach (var item in items) await clinic.Tasks.AnswerAsync(task.Id, item.ItemId, LabelAnswer.Class, task.Classes[0].Id, "anna", Key(), Cancel);
        Assert.DoesNotContain((await clinic.Tasks.NextItemsAsync(task.Id, "anna", 1, cancel: Cancel))[0].ItemId, items.Select(i => i.ItemId));

        var undone = await clinic.Tasks.UndoAsync(task.Id, "anna", "undo-1", Cancel);
        Assert.Equal(items[2].ItemId, undone.ItemId);
        Assert.True((await clinic.Tasks.UndoAsync(task.Id, "anna", "undo-1", Cancel)).Again);
        Assert.Equal(items[1].ItemId, (await clinic.Tasks.UndoAsync(task.Id, "anna", "undo-2", Cancel)).ItemId);

        await clinic.RestartAsync();
        Assert.Equal([items[1].ItemId, items[2].ItemId], (await clinic.Tasks.NextItemsAsync(task.Id, "anna", 2, cancel: Cancel)).Select(i => i.ItemId));
        Assert.Equal(1, (await clinic.Tasks.ProgressAsync(task.Id, Cancel)).Labelled);
    }

    [Fact]
    public async Task Undo_OfAnotherPersonsAnswer_IsRefused()
    {
        await using var clinic = await LabellingClinic.MakeAsync(10, 1);
        var task = await clinic.MakeTaskAsync();
        var item = (await clinic.Tasks.NextItemsAsync(task.Id, "anna", 1, cancel: Cancel))[0].ItemId;
        await clinic.Tasks.AnswerAsync(task.Id, item, LabelAnswer.NotSure, null, "anna", Key(), Cancel);
        var refused = await Assert.ThrowsAsync<RefusedException>(() => clinic.Tasks.UndoAsync(task.Id, "ben", Key(), Cancel));
        Assert.Equal("nothing-to-undo", refused.Refusal.Code);
    }

    [Fact]
    public async Task Next_BeforeAModel_SeesEveryPatientOnceBeforeAnyTwice()
    {
        await using var clinic = await LabellingClinic.MakeAsync(patients: 12, imagesEach: 3);
        var task = await clinic.MakeTaskAsync();
        var patients = await clinic.PatientsAsync();
        var seen = await WalkAsync(clinic, task, 36);

        Assert.Equal(36, seen.Distinct().Count());
        Assert.Equal(12, seen.Take(12).Select(i => patients[i]).Distinct().Count());
        Assert.Equal(12, seen.Skip(12).Take(12).Select(i => patients[i]).Distinct().Count());
        Assert.NotEqual(seen.Order(), seen);
        var test = await clinic.TestPatientsAsync(task.Id);
        Assert.InRange(seen.Take(12).Count(i => test.Contains(patients[i])), 1, 11);
        Assert.Empty(await clinic.Tasks.NextItemsAsync(task.Id, "anna", 5, cancel: Cancel));
    }

    [Fact]
    public async Task Next_AfterARestart_GoesOnInTheSameOrder()
    {
        await using var clinic = await LabellingClinic.MakeAsync(12, 2);
        var task = await clinic.MakeTaskAsync();
        var before = await clinic.Tasks.NextItemsAsync(task.Id, "anna", 6, cancel: Cancel);
        await clinic.RestartAsync();
        Assert.Equal(before, await clinic.Tasks.NextItemsAsync(task.Id, "anna", 6, cancel: Cancel));
    }

    [Fact]
    public async Task Next_ForTwoPeopleAtOnce_NeverHandsOutTheSameImage()
    {
        await using var clinic = await LabellingClinic.MakeAsync(40, 1);
        var task = await clinic.MakeTaskAsync();
        var handed = await Task.WhenAll(Enumerable.Range(0, 4).Select(p => Task.Run(() => clinic.Tasks.NextItemsAsync(task.Id, $"person {p}", 8, cancel: Cancel), Cancel)));
        var items = handed.SelectMany(h => h).Select(i => i.ItemId).ToList();
        Assert.Equal(32, items.Count);
        Assert.Equal(32, items.Distinct().Count());
        // and to the same person, who loads the page again, the same ones
        Assert.Equal(handed[2], await clinic.Tasks.NextItemsAsync(task.Id, "person 2", 8, cancel: Cancel));
        Assert.DoesNotContain((await clinic.Tasks.NextItemsAsync(task.Id, "person 2", 8, [.. handed[2].Select(i => i.ItemId)], cancel: Cancel))[0], handed[2]);
    }

    [Fact]
    public async Task Next_SkippedImages_ComeAgainAtTheEnd_NotSureOnesDoNot()
    {
        await using var clinic = await LabellingClinic.MakeAsync(8, 1);
        var task = await clinic.MakeTaskAsync();
        var items = (await clinic.Tasks.NextItemsAsync(task.Id, "anna", 8, cancel: Cancel)).Select(i => i.ItemId).ToList();
        await clinic.Tasks.AnswerAsync(task.Id, items[0], LabelAnswer.Skipped, null, "anna", Key(), Cancel);
        await clinic.Tasks.AnswerAsync(task.Id, items[1], LabelAnswer.NotSure, null, "anna", Key(), Cancel);
        await clinic.RestartAsync();
        var seen = await WalkAsync(clinic, task, 6);
        Assert.Equal(items[2..], seen);
        Assert.Equal([new NextItem(items[0], true)], await clinic.Tasks.NextItemsAsync(task.Id, "anna", 5, cancel: Cancel));
        var progress = await clinic.Tasks.ProgressAsync(task.Id, Cancel);
        Assert.Equal((6, 1, 1, 0), (progress.Labelled, progress.NotSure, progress.Skipped, progress.Left));
    }

    [Fact]
    public async Task Next_OnceThereIsAModel_BringsTheLeastCertainTrainingPatientsAndSomeTestPatients()
    {
        await using var clinic = await LabellingClinic.MakeAsync(60, 2);
        var task = await clinic.MakeTaskAsync();
        await clinic.AddClassifierAsync(task);
        var (patients, test) = (await clinic.PatientsAsync(), await clinic.TestPatientsAsync(task.Id));
        var seen = new List<long>();
        for (var i = 0; i < 6; i++) seen.AddRange((await clinic.Tasks.NextItemsAsync(task.Id, "anna", 5, seen, cancel: Cancel)).Select(n => n.ItemId));

        var training = seen.Where(i => !test.Contains(patients[i])).ToList();
        Assert.InRange(training.Count, 10, 29);
        // The clinic's model is less sure the higher the id: what came must come from that end, without a test patient's.
        var highest = patients.Keys.Where(i => !test.Contains(patients[i])).OrderDescending().Take(training.Count + 10).ToHashSet();
        Assert.All(training, i => Assert.Contains(i, highest));
    }

    [Fact]
    public async Task TrainingRequest_TooFewLabels_IsRefusedWithWhatIsMissing()
    {
        await using var clinic = await LabellingClinic.MakeAsync(40, 1);
        var task = await clinic.MakeTaskAsync();
        foreach (var item in await clinic.Tasks.NextItemsAsync(task.Id, "anna", 12, cancel: Cancel))
            await clinic.Tasks.AnswerAsync(task.Id, item.ItemId, LabelAnswer.Class, task.Classes[0].Id, "anna", Key(), Cancel);
        var refused = await Assert.ThrowsAsync<RefusedException>(() => clinic.Tasks.TrainingRequestAsync(task.Id, Cancel));
        Assert.Equal("too-few-labels", refused.Refusal.Code);
        Assert.Contains("'effusion' has 0 of the 5", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TrainingRequest_HasTheLabelsAsTheyStandAndTheLockedPatients()
    {
        await using var clinic = await LabellingClinic.MakeAsync(60, 1);
        var task = await clinic.MakeTaskAsync();
        var seen = await WalkAsync(clinic, task, 50);
        var request = await clinic.Tasks.TrainingRequestAsync(task.Id, Cancel);

        Assert.Equal(50, request.Labels.Count);
        Assert.Equal(seen.Order(), request.Labels.Select(l => l.ItemId));
        Assert.Equal(["none", "effusion"], request.Classes);
        Assert.Equal(18, request.TestPatients.Count);
        Assert.Equal(("public", "best", true, true), (request.EncoderId, request.Mode, request.Compare, request.PredictRest));
        Assert.All(request.TestPatients, p => Assert.StartsWith("P-", p, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Task_OnRecordings_IsLabelledAndTrainedLikeOneOnImages_FromAnEncoderOfSound()
    {
        await using var clinic = await LabellingClinic.MakeAsync(patients: 8, imagesEach: 3, ItemKind.Sound);
        var task = await clinic.MakeTaskAsync();
        var overview = (await clinic.Tasks.FindAsync(task.Id, Cancel))!;
        Assert.Equal((ItemKind.Sound, 24, 4), (overview.Kind, overview.Progress.Items, overview.TestPatients));
        var speakers = await clinic.PatientsAsync();
        var test = await clinic.TestPatientsAsync(task.Id);
        var items = (await clinic.Tasks.NextItemsAsync(task.Id, "anna", 20, cancel: Cancel)).Select(i => i.ItemId).ToList();
        Assert.Equal(8, items.Take(8).Select(i => speakers[i]).Distinct().Count());
        Task Answer(long item, int c) => clinic.Tasks.AnswerAsync(task.Id, item, LabelAnswer.Class, task.Classes[c].Id, "anna", Key(), Cancel);

        // One class from a single speaker outside the locked ones would be learnt as that speaker.
        var other = items.First(i => !test.Contains(speakers[i]));
        foreach (var item in items) await Answer(item, test.Contains(speakers[item]) || speakers[item] == speakers[other] ? 1 : 0);
        var refused = await Assert.ThrowsAsync<RefusedException>(() => clinic.Tasks.TrainingRequestAsync(task.Id, Cancel));
        Assert.Contains("speakers", refused.Refusal.Sentence, StringComparison.Ordinal);
        Assert.DoesNotContain("image", refused.Refusal.Sentence, StringComparison.Ordinal);

        foreach (var (item, i) in items.Select((item, i) => (item, i))) await Answer(item, (i + i / 8) % 2);
        Assert.Equal("spoken", (await clinic.Tasks.TrainingRequestAsync(task.Id, Cancel)).EncoderId);
        await using var db = await clinic.Database.CreateDbContextAsync(Cancel);
        db.Models.Add(new Model { Id = "m-ear", Name = "ear", Kind = ModelKind.Encoder, By = "anna", Architecture = """{"architecture":"sound"}""", CreatedAt = DateTime.UtcNow.AddDays(-1) });
        db.Models.Add(new Model { Id = "m-eye", Name = "eye", Kind = ModelKind.Encoder, By = "anna", Architecture = """{"architecture":"resnet"}""", CreatedAt = DateTime.UtcNow });
        await db.SaveChangesAsync(Cancel);
        Assert.Equal("m-ear", (await clinic.Tasks.TrainingRequestAsync(task.Id, Cancel)).EncoderId);
    }

    [Fact]
    public async Task Training_TakesTheNewestEncoderOfOnesOwn_UntilAPersonPutsOneInUse_BeItThePublicOne()
    {
        await using var clinic = await LabellingClinic.MakeAsync(24, 1);
        var task = await LabelledAsync(clinic);
        async Task<string> Taken() => (await clinic.Tasks.TrainingRequestAsync(task.Id, Cancel)).EncoderId;
        Assert.Equal("public", await Taken());
        await using (var db = await clinic.Database.CreateDbContextAsync(Cancel))
        {
            db.Models.Add(Encoder("m-old", DateTime.UtcNow.AddDays(-1)));
            db.Models.Add(Encoder("m-new", DateTime.UtcNow));
            await db.SaveChangesAsync(Cancel);
        }
        Assert.Equal("m-new", await Taken());
        await clinic.Models.PromoteAsync("m-old", "chief", Cancel);
        Assert.Equal("m-old", await Taken());
        await clinic.Models.RollbackAsync(ModelRegistry.Encoders, "chief", Cancel);
        Assert.Equal("public", await Taken());
    }

    [Fact]
    public async Task Training_WithThePublicEncoderPutInUseByAPerson_TakesItThoughItWasInUseFromTheFirstStart()
    {
        await using var clinic = await LabellingClinic.MakeAsync(24, 1);
        var task = await LabelledAsync(clinic);
        await using (var db = await clinic.Database.CreateDbContextAsync(Cancel))
        {
            db.Models.Add(Encoder("m-new", DateTime.UtcNow));
            await db.SaveChangesAsync(Cancel);
        }
        await clinic.Models.PromoteAsync("public", "chief", Cancel);
        Assert.Equal("public", (await clinic.Tasks.TrainingRequestAsync(task.Id, Cancel)).EncoderId);
    }

    private static Model Encoder(string id, DateTime made) => new() { Id = id, Name = id, Kind = ModelKind.Encoder, By = "anna", Architecture = """{"architecture":"resnet"}""", CreatedAt = made };

    // A task that may be trained, where the public encoder is as it came.
    private static async Task<LabelTask> LabelledAsync(LabellingClinic clinic)
    {
        var task = await clinic.MakeTaskAsync();
        foreach (var (item, i) in (await clinic.Tasks.NextItemsAsync(task.Id, "anna", 24, cancel: Cancel)).Select((item, i) => (item.ItemId, i)))
            await clinic.Tasks.AnswerAsync(task.Id, item, LabelAnswer.Class, task.Classes[i % 2].Id, "anna", Key(), Cancel);
        await clinic.Models.EnsurePublicAsync(Cancel);
        return task;
    }

    [Fact]
    public async Task ImportLabels_FromACsv_FindsImagesByTheirBytesAndChangesNothingTheSecondTime()
    {
        await using var clinic = await LabellingClinic.MakeAsync(10, 1);
        var task = await clinic.MakeTaskAsync();
        var image = Path.Combine(clinic.Folder, "renamed.dcm");
        await File.WriteAllTextAsync(image, "these bytes", Cancel);
        await using (var db = await clinic.Database.CreateDbContextAsync(Cancel))
            await db.Instances.Where(i => i.SourceHash == "source-3-0").ExecuteUpdateAsync(s => s.SetProperty(i => i.SourceHash,
                Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData("these bytes"u8))), Cancel);
        var csv = Path.Combine(clinic.Folder, "labels.csv");
        await File.WriteAllTextAsync(csv, "file,label,patient\nrenamed.dcm,Effusion,\"a, b\"\nnowhere.dcm,none,c\n", Cancel);

        var first = await clinic.Tasks.ImportLabelsAsync(task.Id, csv, "anna", Cancel);
        var second = await clinic.Tasks.ImportLabelsAsync(task.Id, csv, "anna", Cancel);

        Assert.Equal((1, 0, "nowhere.dcm"), (first.Stored, first.Unchanged, Assert.Single(first.Unknown)));
        Assert.Equal((0, 1), (second.Stored, second.Unchanged));
        Assert.Equal(1, (await clinic.Tasks.ProgressAsync(task.Id, Cancel)).Labelled);
        // The same image as another file that came to it, e.g. under the patient's former name.
        await File.WriteAllTextAsync(Path.Combine(clinic.Folder, "another.dcm"), "other bytes", Cancel);
        var these = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData("these bytes"u8));
        await using (var db = await clinic.Database.CreateDbContextAsync(Cancel))
        {
            db.SourceAliases.Add(new SourceAlias
            {
                SourceHash = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData("other bytes"u8)),
                InstanceId = await db.Instances.Where(i => i.SourceHash == these).Select(i => i.Id).SingleAsync(Cancel),
            });
            await db.SaveChangesAsync(Cancel);
        }
        await File.WriteAllTextAsync(csv, "file,label\nanother.dcm,Effusion\n", Cancel);
        Assert.Equal(1, (await clinic.Tasks.ImportLabelsAsync(task.Id, csv, "anna", Cancel)).Unchanged);
        await File.WriteAllTextAsync(csv, "file,label\nrenamed.dcm,none\nanother.dcm,Effusion\n", Cancel);
        Assert.Equal("two-labels", (await Assert.ThrowsAsync<RefusedException>(() => clinic.Tasks.ImportLabelsAsync(task.Id, csv, "anna", Cancel))).Refusal.Code);
        await File.WriteAllTextAsync(csv, "file,label\nrenamed.dcm,fracture\n", Cancel);
        Assert.Equal("class-unknown", (await Assert.ThrowsAsync<RefusedException>(() => clinic.Tasks.ImportLabelsAsync(task.Id, csv, "anna", Cancel))).Refusal.Code);
        await File.WriteAllTextAsync(csv, "File;Label\nrenamed.dcm;Effusion\n", Cancel);
        Assert.Equal(1, (await clinic.Tasks.ImportLabelsAsync(task.Id, csv, "anna", Cancel)).Unchanged);
        await File.WriteAllTextAsync(csv, "name\nx\n", Cancel);
        Assert.Equal("label-file-bad", (await Assert.ThrowsAsync<RefusedException>(() => clinic.Tasks.ImportLabelsAsync(task.Id, csv, "anna", Cancel))).Refusal.Code);
    }

    [Theory]
    [InlineData(0, 20)]
    [InlineData(19, 20)]
    [InlineData(20, 50)]
    [InlineData(130, 200)]
    [InlineData(499, 500)]
    [InlineData(740, 750)]
    public void NextUseful_IsTheNextStepOrAllImages(int labelled, int next) =>
        Assert.Equal(next, new TaskProgress(750, labelled, 0, 0, 0, []).NextUseful);

    private static async Task<List<long>> WalkAsync(LabellingClinic clinic, LabelTask task, int count)
    {
        var seen = new List<long>();
        while (seen.Count < count)
        {
            var item = (await clinic.Tasks.NextItemsAsync(task.Id, "anna", 1, cancel: Cancel))[0].ItemId;
            await clinic.Tasks.AnswerAsync(task.Id, item, LabelAnswer.Class, task.Classes[seen.Count % task.Classes.Count].Id, "anna", Key(), Cancel);
            seen.Add(item);
        }
        return seen;
    }
}
