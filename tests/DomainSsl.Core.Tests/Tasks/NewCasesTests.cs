using DomainSsl.Core.Library;
using DomainSsl.Core.Models;
using DomainSsl.Core.Review;
using DomainSsl.Core.Runs;
using DomainSsl.Core.Tasks;
using Microsoft.EntityFrameworkCore;

namespace DomainSsl.Core.Tests.Tasks;

/// <summary>What is imported after a task was made: answered for by its classifier, corrected in review, learnt from in the next round, asked for where there is too little.</summary>
public sealed class NewCasesTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task TrainingRequest_LearnsFromCorrectionsOfLaterImages_ButOfNoneOfALockedPatient()
    {
        await using var clinic = await LabellingClinic.MakeAsync(patients: 20, imagesEach: 1);
        var task = await clinic.MakeTaskAsync();
        await LabelAllAsync(clinic, task);
        var model = await clinic.AddClassifierAsync(task, ModelState.InUse);
        var before = await clinic.Tasks.TrainingRequestAsync(task.Id, Cancel);
        var (locked, known) = (before.TestPatients[0], before.Labels.First(l => !before.TestPatients.Contains(l.Patient)).Patient);
        var (_, later) = await clinic.ImportLaterAsync("later", [locked, known, "P-new"]);
        foreach (var answer in await clinic.AddAnswersAsync(task, model, later))
            await clinic.Reviews.DecideAsync(answer, ReviewDecision.Correct, task.Classes[1].Id, "rita", $"d{answer}", Cancel);

        var request = await clinic.Tasks.TrainingRequestAsync(task.Id, Cancel);
        Assert.Equal([(later[1], known), (later[2], "P-new")], request.Labels.Skip(before.Labels.Count).Select(l => (l.ItemId, l.Patient)));
        Assert.Equal(before.TestPatients, request.TestPatients);
        Assert.Single(await clinic.LabelsAsync(later[0])); // what the reviewer said is kept all the same
    }

    [Fact]
    public async Task TrainingRequest_LabelsOfLaterImagesOfALockedPatient_DoNotCountAsThoseThatTrainingNeeds()
    {
        await using var clinic = await LabellingClinic.MakeAsync(patients: 20, imagesEach: 1);
        var task = await clinic.MakeTaskAsync();
        var model = await clinic.AddClassifierAsync(task, ModelState.InUse);
        var (patients, test) = (await clinic.PatientsAsync(), await clinic.TestPatientsAsync(task.Id));
        // 'effusion' has labels of locked patients alone.
        foreach (var (item, patient) in patients)
            await clinic.Tasks.AnswerAsync(task.Id, item, LabelAnswer.Class, task.Classes[test.Contains(patient) ? 1 : 0].Id, "anna", $"k{item}", Cancel);
        await using var db = await clinic.Database.CreateDbContextAsync(Cancel);
        var locked = await db.Patients.Where(p => test.Contains(p.Id)).Select(p => p.Pseudonym).ToListAsync(Cancel);
        var (_, later) = await clinic.ImportLaterAsync("later", locked);
        foreach (var answer in await clinic.AddAnswersAsync(task, model, later))
            await clinic.Reviews.DecideAsync(answer, ReviewDecision.Correct, task.Classes[1].Id, "rita", $"d{answer}", Cancel);

        Assert.Equal("too-few-training-labels", (await Assert.ThrowsAsync<RefusedException>(() => clinic.Tasks.TrainingRequestAsync(task.Id, Cancel))).Refusal.Code);
    }

    [Fact]
    public async Task LaterImages_ComeUpInReview_NotInLabelling_AndCountAsLabelsWithoutUpsettingWhatIsLeft()
    {
        await using var clinic = await LabellingClinic.MakeAsync(patients: 20, imagesEach: 1);
        var task = await clinic.MakeTaskAsync();
        var model = await clinic.AddClassifierAsync(task, ModelState.InUse);
        var (_, later) = await clinic.ImportLaterAsync("later", ["P-a", "P-b"]);
        await clinic.AddAnswersAsync(task, model, later);

        Assert.DoesNotContain(await clinic.Tasks.NextItemsAsync(task.Id, "anna", 20, cancel: Cancel), n => later.Contains(n.ItemId));
        var next = await clinic.Reviews.NextAsync(task.Id, "rita", 2, cancel: Cancel);
        Assert.Equal(later.OrderDescending(), next.Select(n => n.ItemId));
        await clinic.Reviews.DecideAsync(next[0].PredictionId, ReviewDecision.Accept, null, "rita", "d", Cancel);

        var progress = await clinic.Tasks.ProgressAsync(task.Id, Cancel);
        Assert.Equal((20, 1, 1, 20), (progress.Items, progress.Labelled, progress.Elsewhere, progress.Left));
        await LabelAllAsync(clinic, task);
        progress = await clinic.Tasks.ProgressAsync(task.Id, Cancel);
        Assert.Equal((21, 0, 21), (progress.Labelled, progress.Left, progress.NextUseful));
    }

    [Fact]
    public async Task NewCases_OffersOtherCollectionsOfTheTasksKind_WithWhatHasNoAnswerYet()
    {
        await using var clinic = await LabellingClinic.MakeAsync(patients: 20, imagesEach: 1);
        var task = await clinic.MakeTaskAsync();
        var model = await clinic.AddClassifierAsync(task);
        var (older, items) = await clinic.ImportLaterAsync("older", ["P-a", "P-b", "P-c"]);
        var (newer, _) = await clinic.ImportLaterAsync("newer", ["P-d"]);
        await clinic.ImportLaterAsync("voices", ["P-e"], ItemKind.Sound);
        Assert.Empty((await clinic.Tasks.NewCasesAsync(task.Id, Cancel)).Offers); // none is in use

        await UseAsync(clinic, model);
        await clinic.AddAnswersAsync(task, model, [items[0]]);
        Assert.Equal([new NewCasesOffer(newer, "newer", 1, 1), new NewCasesOffer(older, "older", 3, 2)], (await clinic.Tasks.NewCasesAsync(task.Id, Cancel)).Offers);
        await clinic.AddAnswersAsync(task, model, [items[1], items[2]]);
        Assert.Equal(newer, Assert.Single((await clinic.Tasks.NewCasesAsync(task.Id, Cancel)).Offers).CollectionId);
    }

    [Fact]
    public async Task NewCases_ImagesOfLockedPatients_AreNotAmongThoseForReview()
    {
        await using var clinic = await LabellingClinic.MakeAsync(patients: 20, imagesEach: 1);
        var task = await clinic.MakeTaskAsync();
        await clinic.AddClassifierAsync(task, ModelState.InUse);
        await using var db = await clinic.Database.CreateDbContextAsync(Cancel);
        var locked = await db.TaskTestPatients.Where(t => t.TaskId == task.Id).Join(db.Patients, t => t.PatientId, p => p.Id, (_, p) => p.Pseudonym).FirstAsync(Cancel);
        var (both, _) = await clinic.ImportLaterAsync("both", [locked, "P-new"]);
        await clinic.ImportLaterAsync("locked alone", [locked]);

        Assert.Equal([new NewCasesOffer(both, "both", 2, 1)], (await clinic.Tasks.NewCasesAsync(task.Id, Cancel)).Offers);
    }

    [Fact]
    public async Task AnswerFor_AsksTheClassifierInUse_ForReview_AndOnlyOnceAtATime()
    {
        await using var clinic = await LabellingClinic.MakeAsync(patients: 20, imagesEach: 1);
        var task = await clinic.MakeTaskAsync();
        var model = await clinic.AddClassifierAsync(task);
        await clinic.AddClassifierAsync(task, id: "m-2");
        var (later, _) = await clinic.ImportLaterAsync("later", ["P-a"]);
        var (voices, _) = await clinic.ImportLaterAsync("voices", ["P-b"], ItemKind.Sound);
        var (empty, _) = await clinic.ImportLaterAsync("empty", []);
        async Task<string> Refused(long collection) => (await Assert.ThrowsAsync<RefusedException>(() => clinic.Tasks.AnswerForAsync(task.Id, collection, "anna", Cancel))).Refusal.Code;

        Assert.Equal("no-classifier-in-use", await Refused(later));
        await UseAsync(clinic, model);
        Assert.Equal("collection-other-kind", await Refused(voices));
        Assert.Equal("collection-empty", await Refused(empty));
        Assert.Equal("collection-missing", await Refused(999));
        var id = await clinic.Tasks.AnswerForAsync(task.Id, later, "anna", Cancel);

        Assert.Equal(id, (await clinic.Tasks.NewCasesAsync(task.Id, Cancel)).Run);
        Assert.Equal("already-answering", await Refused(later));
        await using var db = await clinic.Database.CreateDbContextAsync(Cancel);
        var run = await db.Runs.SingleAsync(Cancel);
        Assert.Equal(new PredictRequest(model, later, null, ForReview: true), RunRequestJson.Read(run));
        Assert.Equal((id, RunKind.Predict, task.Id, "anna"), (run.Id, run.Kind, run.TaskId, run.By));
    }

    [Fact]
    public async Task AskForMore_StandsUntilItIsSettled_AndIsInTheAuditLog()
    {
        await using var clinic = await LabellingClinic.MakeAsync(patients: 6, imagesEach: 1);
        var task = await clinic.MakeTaskAsync();
        await Assert.ThrowsAsync<RefusedException>(() => clinic.Tasks.AskForMoreAsync(task.Id, " ", "anna", Cancel));
        await clinic.Tasks.AskForMoreAsync(task.Id, " 50 more, with effusion ", "anna", Cancel);
        await clinic.RestartAsync();

        var wanted = (await clinic.Tasks.FindAsync(task.Id, Cancel))!.Wanted!;
        Assert.Equal(("50 more, with effusion", "anna"), (wanted.What, wanted.By));
        await clinic.Tasks.SettleWantedAsync(task.Id, "admin", Cancel);
        await clinic.Tasks.SettleWantedAsync(task.Id, "admin", Cancel);
        Assert.Null((await clinic.Tasks.FindAsync(task.Id, Cancel))!.Wanted);
        await using var db = await clinic.Database.CreateDbContextAsync(Cancel);
        Assert.Equal([("anna", "asked for more", "50 more, with effusion"), ("admin", "settled what was asked for", "50 more, with effusion")],
            (await db.Audit.Where(a => a.Subject == "task effusion" && a.Action != "made").OrderBy(a => a.Id).ToListAsync(Cancel)).Select(a => (a.Who, a.Action, a.Details)));
    }

    private static async Task LabelAllAsync(LabellingClinic clinic, LabelTask task)
    {
        var items = await clinic.Tasks.NextItemsAsync(task.Id, "anna", 20, cancel: Cancel);
        foreach (var (item, i) in items.Select((item, i) => (item.ItemId, i)))
            await clinic.Tasks.AnswerAsync(task.Id, item, LabelAnswer.Class, task.Classes[i % 2].Id, "anna", $"k{item}", Cancel);
    }

    private static async Task UseAsync(LabellingClinic clinic, string model)
    {
        await using var db = await clinic.Database.CreateDbContextAsync(Cancel);
        await db.Models.Where(m => m.Id == model).ExecuteUpdateAsync(set => set.SetProperty(m => m.State, ModelState.InUse), Cancel);
    }
}
