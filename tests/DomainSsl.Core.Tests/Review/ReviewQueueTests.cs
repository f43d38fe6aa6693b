using DomainSsl.Core.Models;
using DomainSsl.Core.Review;
using DomainSsl.Core.Tasks;
using DomainSsl.Core.Tests.Tasks;
using Microsoft.EntityFrameworkCore;

namespace DomainSsl.Core.Tests.Review;

public sealed class ReviewQueueTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Next_BringsTheLeastCertainFirst_AndNothingDecidedOrLabelled()
    {
        await using var clinic = await LabellingClinic.MakeAsync(20, 1);
        var task = await clinic.MakeTaskAsync();
        await clinic.AddClassifierAsync(task);
        var items = (await clinic.SplitAsync(task.Id)).Others.Reverse().ToList();
        await clinic.Tasks.AnswerAsync(task.Id, items[1], LabelAnswer.Class, task.Classes[0].Id, "anna", "k", Cancel);

        var next = await clinic.Reviews.NextAsync(task.Id, "anna", 3, cancel: Cancel);
        Assert.Equal([items[0], items[2], items[3]], next.Select(n => n.ItemId));
        Assert.True(next[0].Uncertainty > next[1].Uncertainty);
        await clinic.Reviews.DecideAsync(next[0].PredictionId, ReviewDecision.Accept, null, "anna", "d1", Cancel);
        Assert.Equal([items[2], items[3], items[4]], (await clinic.Reviews.NextAsync(task.Id, "anna", 3, cancel: Cancel)).Select(n => n.ItemId));
        Assert.Equal(items.Count - 2, (await clinic.Reviews.ProgressAsync(task.Id, Cancel)).Open);
    }

    [Fact]
    public async Task Next_ShowsTheModelInUse_AndOnlyLabelledSimilarCases()
    {
        await using var clinic = await LabellingClinic.MakeAsync(20, 1);
        var task = await clinic.MakeTaskAsync();
        await clinic.AddClassifierAsync(task, ModelState.InUse, "m-old");
        await clinic.AddClassifierAsync(task, ModelState.Candidate, "m-new");
        var items = (await clinic.PatientsAsync()).Keys.Order().ToList();
        await clinic.Tasks.AnswerAsync(task.Id, items[1], LabelAnswer.Class, task.Classes[1].Id, "anna", "k", Cancel);

        Assert.Equal("m-old", (await clinic.Reviews.ProgressAsync(task.Id, Cancel)).ModelId);
        var next = Assert.Single(await clinic.Reviews.NextAsync(task.Id, "anna", 1, cancel: Cancel));
        Assert.Equal([new SimilarCase(items[1], task.Classes[1].Id, "effusion")], next.Similar);
        Assert.Equal(["none", "effusion"], next.Classes.Select(c => c.Name));
        Assert.Equal(1, next.Classes.Sum(c => c.Probability), 6);
    }

    [Fact]
    public async Task Next_ForTwoReviewers_NeverBringsTheSameCase()
    {
        await using var clinic = await LabellingClinic.MakeAsync(30, 1);
        var task = await clinic.MakeTaskAsync();
        await clinic.AddClassifierAsync(task);
        var both = await Task.WhenAll(clinic.Reviews.NextAsync(task.Id, "anna", 5, cancel: Cancel), clinic.Reviews.NextAsync(task.Id, "ben", 5, cancel: Cancel));
        Assert.Equal(10, both.SelectMany(b => b).Select(c => c.PredictionId).Distinct().Count());
    }

    [Fact]
    public async Task Decide_SentTwice_IsStoredOnce_AndMakesOneLabel()
    {
        await using var clinic = await LabellingClinic.MakeAsync(20, 1);
        var task = await clinic.MakeTaskAsync();
        await clinic.AddClassifierAsync(task);
        var next = (await clinic.Reviews.NextAsync(task.Id, "anna", 1, cancel: Cancel))[0];
        var first = await clinic.Reviews.DecideAsync(next.PredictionId, ReviewDecision.Correct, task.Classes[1].Id, "anna", "d1", Cancel);
        var second = await clinic.Reviews.DecideAsync(next.PredictionId, ReviewDecision.Correct, task.Classes[1].Id, "anna", "d1", Cancel);

        Assert.Equal((first.EntryId, true), (second.EntryId, second.Again));
        var label = Assert.Single(await clinic.LabelsAsync(next.ItemId));
        Assert.Equal((task.Classes[1].Id, LabelSource.Review, "anna"), (label.ClassId, label.Source, label.By));
    }

    [Fact]
    public async Task Decide_CorrectToTheModelsOwnClass_CountsAsAccepted()
    {
        await using var clinic = await LabellingClinic.MakeAsync(20, 1);
        var task = await clinic.MakeTaskAsync();
        await clinic.AddClassifierAsync(task);
        var next = await clinic.Reviews.NextAsync(task.Id, "anna", 3, cancel: Cancel);
        await clinic.Reviews.DecideAsync(next[0].PredictionId, ReviewDecision.Correct, task.Classes[0].Id, "anna", "d1", Cancel);
        await clinic.Reviews.DecideAsync(next[1].PredictionId, ReviewDecision.Correct, task.Classes[1].Id, "anna", "d2", Cancel);
        var progress = await clinic.Reviews.ProgressAsync(task.Id, Cancel);
        Assert.Equal((1, 1), (progress.Accepted, progress.Corrected));
        Assert.Equal([new AgreementBand(0.5, 0.7, 1, 1)], progress.Agreement);
    }

    [Fact]
    public async Task Undo_TakesBackDecisionAndLabel_AndBringsTheCaseBack()
    {
        await using var clinic = await LabellingClinic.MakeAsync(20, 1);
        var task = await clinic.MakeTaskAsync();
        await clinic.AddClassifierAsync(task);
        var next = (await clinic.Reviews.NextAsync(task.Id, "anna", 1, cancel: Cancel))[0];
        await clinic.Reviews.DecideAsync(next.PredictionId, ReviewDecision.Accept, null, "anna", "d1", Cancel);
        Assert.Equal(next.PredictionId, (await clinic.Reviews.UndoAsync(task.Id, "anna", "u1", Cancel)).PredictionId);
        Assert.True((await clinic.Reviews.UndoAsync(task.Id, "anna", "u1", Cancel)).Again);

        Assert.Equal(next.PredictionId, (await clinic.Reviews.NextAsync(task.Id, "anna", 1, cancel: Cancel))[0].PredictionId);
        var labels = await clinic.LabelsAsync(next.ItemId);
        Assert.Equal([LabelAnswer.Class, LabelAnswer.Withdrawn], labels.Select(l => l.Answer));
        Assert.Equal(0, (await clinic.Tasks.ProgressAsync(task.Id, Cancel)).Labelled);
        Assert.Equal("nothing-to-undo", (await Assert.ThrowsAsync<RefusedException>(() => clinic.Reviews.UndoAsync(task.Id, "anna", "u2", Cancel))).Refusal.Code);
    }

    [Fact]
    public async Task Refer_MakesNoLabel_AndPutsTheCaseBeforeAnotherPerson()
    {
        await using var clinic = await LabellingClinic.MakeAsync(20, 1);
        var task = await clinic.MakeTaskAsync();
        await clinic.AddClassifierAsync(task);
        var next = (await clinic.Reviews.NextAsync(task.Id, "anna", 1, cancel: Cancel))[0];
        await clinic.Reviews.DecideAsync(next.PredictionId, ReviewDecision.Refer, null, "anna", "d1", Cancel);

        Assert.Empty(await clinic.LabelsAsync(next.ItemId));
        Assert.DoesNotContain(next.PredictionId, (await clinic.Reviews.NextAsync(task.Id, "ben", 20, cancel: Cancel)).Select(n => n.PredictionId));
        var referred = Assert.Single(await clinic.Reviews.NextAsync(task.Id, "ben", 5, referred: true, cancel: Cancel));
        Assert.Equal((next.PredictionId, "anna"), (referred.PredictionId, referred.ReferredBy));
        await clinic.Reviews.DecideAsync(next.PredictionId, ReviewDecision.Correct, task.Classes[1].Id, "ben", "d2", Cancel);
        Assert.Empty(await clinic.Reviews.NextAsync(task.Id, "ben", 5, referred: true, cancel: Cancel));
        Assert.Single(await clinic.LabelsAsync(next.ItemId));
    }

    [Fact]
    public async Task Undo_OfAReferral_LeavesWhatAnotherAnswered_AndTheAnswerersBringsTheReferralBack()
    {
        await using var clinic = await LabellingClinic.MakeAsync(20, 1);
        var task = await clinic.MakeTaskAsync();
        await clinic.AddClassifierAsync(task);
        var next = (await clinic.Reviews.NextAsync(task.Id, "anna", 1, cancel: Cancel))[0];
        await clinic.Reviews.DecideAsync(next.PredictionId, ReviewDecision.Refer, null, "anna", "d1", Cancel);
        await clinic.Reviews.DecideAsync(next.PredictionId, ReviewDecision.Accept, null, "ben", "d2", Cancel);
        // Anna's page still offers to take her referral back.
        var refused = await Assert.ThrowsAsync<RefusedException>(() => clinic.Reviews.DecideAsync(next.PredictionId, ReviewDecision.Withdrawn, null, "anna", "u1", Cancel));
        Assert.Equal("answered-by-another", refused.Refusal.Code);
        Assert.Null(Assert.Single(await clinic.LabelsAsync(next.ItemId)).SupersededAt);

        await clinic.Reviews.DecideAsync(next.PredictionId, ReviewDecision.Withdrawn, null, "ben", "u2", Cancel);
        Assert.True((await clinic.Reviews.DecideAsync(next.PredictionId, ReviewDecision.Withdrawn, null, "ben", "u2", Cancel)).Again);
        Assert.Equal("anna", Assert.Single(await clinic.Reviews.NextAsync(task.Id, "ben", 5, referred: true, cancel: Cancel)).ReferredBy);
    }

    [Fact]
    public async Task Next_WhileAnotherLabels_BringsNothingThatIsBeforeThem_AndNeverReplacesWhatTheySaid()
    {
        await using var clinic = await LabellingClinic.MakeAsync(30, 1);
        var task = await clinic.MakeTaskAsync();
        await clinic.AddClassifierAsync(task);
        var labelling = (await clinic.Tasks.NextItemsAsync(task.Id, "anna", 6, cancel: Cancel)).Select(n => n.ItemId).ToList();
        var reviewing = await clinic.Reviews.NextAsync(task.Id, "ben", 20, cancel: Cancel);
        Assert.NotEmpty(reviewing);
        Assert.Empty(reviewing.Select(r => r.ItemId).Intersect(labelling));
        // Anna opens an old address: the image is labelled before Ben decides.
        await clinic.Tasks.AnswerAsync(task.Id, reviewing[0].ItemId, LabelAnswer.Class, task.Classes[1].Id, "anna", "k1", Cancel);
        await Assert.ThrowsAsync<RefusedException>(() => clinic.Reviews.DecideAsync(reviewing[0].PredictionId, ReviewDecision.Accept, null, "ben", "d1", Cancel));
        Assert.Equal("anna", Assert.Single(await clinic.LabelsAsync(reviewing[0].ItemId)).By);
        Assert.Equal("answered-by-another", (await Assert.ThrowsAsync<RefusedException>(() => clinic.Tasks.AnswerAsync(task.Id, reviewing[0].ItemId, LabelAnswer.Withdrawn, null, "ben", "k2", Cancel))).Refusal.Code);
    }

    [Fact]
    public async Task Next_NeverBringsPeopleKeptForTesting_WhoAreCountedApart_AndComeUpInLabelling()
    {
        await using var clinic = await LabellingClinic.MakeAsync(30, 2);
        var task = await clinic.MakeTaskAsync();
        var model = await clinic.AddClassifierAsync(task, ModelState.InUse);
        var (test, others) = await clinic.SplitAsync(task.Id);
        await using (var db = await clinic.Database.CreateDbContextAsync(Cancel))
        {
            var locked = await db.Items.Where(i => i.Id == test[0]).Select(i => i.Patient!.Pseudonym).SingleAsync(Cancel);
            var (_, later) = await clinic.ImportLaterAsync("later", [locked, "P-new"]);
            await clinic.AddAnswersAsync(task, model, later);
            // An image that came later is a kept person's too.
            (test, others) = ([.. test, later[0]], [.. others, later[1]]);
        }
        var progress = await clinic.Reviews.ProgressAsync(task.Id, Cancel);
        Assert.Equal((others.Count, test.Count), (progress.Open, progress.KeptForTest));
        Assert.Equal(others.Count, (await clinic.Tasks.FindAsync(task.Id, Cancel))!.WaitingForReview);
        // Nor by an address that names one.
        Assert.DoesNotContain(await clinic.Reviews.NextAsync(task.Id, "rita", 20, first: await clinic.PredictionAsync(test[0]), cancel: Cancel), c => test.Contains(c.ItemId));

        var all = new List<ReviewCase>();
        while (await clinic.Reviews.NextAsync(task.Id, "rita", 20, [.. all.Select(c => c.PredictionId)], cancel: Cancel) is { Count: > 0 } more) all.AddRange(more);
        Assert.Equal(others.Order(), all.Select(c => c.ItemId).Order());
        foreach (var reviewed in all) await clinic.Reviews.DecideAsync(reviewed.PredictionId, ReviewDecision.Accept, null, "rita", $"d{reviewed.PredictionId}", Cancel);
        Assert.Equal(0, (await clinic.Reviews.ProgressAsync(task.Id, Cancel)).Open);

        // Reviewed to its end, the task still grows by what is labelled without seeing the answer.
        var blind = (await clinic.Tasks.NextItemsAsync(task.Id, "rita", 10, cancel: Cancel)).Select(n => n.ItemId).ToList();
        Assert.Equal(10, blind.Count);
        Assert.All(blind, item => Assert.Contains(item, test));
        foreach (var item in blind) await clinic.Tasks.AnswerAsync(task.Id, item, LabelAnswer.Class, task.Classes[0].Id, "rita", $"b{item}", Cancel);
        progress = await clinic.Reviews.ProgressAsync(task.Id, Cancel);
        Assert.Equal((0, test.Count - 10), (progress.Open, progress.KeptForTest));
    }

    [Fact]
    public async Task Referred_LeavesOutPeopleKeptForTesting()
    {
        await using var clinic = await LabellingClinic.MakeAsync(20, 1);
        var task = await clinic.MakeTaskAsync();
        await clinic.AddClassifierAsync(task);
        var (test, others) = await clinic.SplitAsync(task.Id);
        await clinic.Reviews.DecideAsync(await clinic.PredictionAsync(test[0]), ReviewDecision.Refer, null, "anna", "d1", Cancel);
        await clinic.Reviews.DecideAsync(await clinic.PredictionAsync(others[0]), ReviewDecision.Refer, null, "anna", "d2", Cancel);

        Assert.Equal(others[0], Assert.Single(await clinic.Reviews.NextAsync(task.Id, "ben", 5, referred: true, cancel: Cancel)).ItemId);
        var progress = await clinic.Reviews.ProgressAsync(task.Id, Cancel);
        Assert.Equal((others.Count - 1, 1, test.Count), (progress.Open, progress.Referred, progress.KeptForTest));
    }

    [Fact]
    public async Task Decide_OnALockedTestPatient_FromAnOldPage_IsKeptButNeverReachesTraining()
    {
        await using var clinic = await LabellingClinic.MakeAsync(60, 1);
        var task = await clinic.MakeTaskAsync();
        var (test, others) = await clinic.SplitAsync(task.Id);
        foreach (var (item, i) in others.Select((item, i) => (item, i)))
            await clinic.Tasks.AnswerAsync(task.Id, item, LabelAnswer.Class, task.Classes[i % 2].Id, "anna", $"k{i}", Cancel);
        await clinic.AddClassifierAsync(task);
        foreach (var item in test) await clinic.Reviews.DecideAsync(await clinic.PredictionAsync(item), ReviewDecision.Accept, null, "anna", $"d{item}", Cancel);

        Assert.Equal(others, (await clinic.Tasks.TrainingRequestAsync(task.Id, Cancel)).Labels.Select(l => l.ItemId));
        Assert.Equal(LabelSource.Review, Assert.Single(await clinic.LabelsAsync(test[0])).Source);
        var progress = await clinic.Reviews.ProgressAsync(task.Id, Cancel);
        Assert.Equal((0, 0, test.Count), (progress.Open, progress.KeptForTest, progress.Accepted));
    }

    [Fact]
    public async Task Next_OfLabelling_NeverBringsWhatThePersonSeesInReview_WhichTakesOverWhatTheyOnlyHadToLabel()
    {
        await using var clinic = await LabellingClinic.MakeAsync(40, 1);
        var task = await clinic.MakeTaskAsync();
        await clinic.AddClassifierAsync(task);
        var reviewing = await clinic.Reviews.NextAsync(task.Id, "anna", 5, cancel: Cancel);
        // She leaves the review and labels: what she saw there with its answer is not what she is asked without it.
        var labelling = await clinic.Tasks.NextItemsAsync(task.Id, "anna", 10, first: reviewing[0].ItemId, cancel: Cancel);
        Assert.Equal(10, labelling.Count);
        Assert.Empty(labelling.Select(n => n.ItemId).Intersect(reviewing.Select(r => r.ItemId)));

        // Both are there again, and neither is handed to another.
        Assert.Equal(reviewing.Select(r => r.ItemId), (await clinic.Reviews.NextAsync(task.Id, "anna", 5, cancel: Cancel)).Select(r => r.ItemId));
        Assert.Equal(labelling.Select(n => n.ItemId).Order(), (await clinic.Tasks.NextItemsAsync(task.Id, "anna", 10, cancel: Cancel)).Select(n => n.ItemId).Order());
        var hers = labelling.Select(n => n.ItemId).Concat(reviewing.Select(r => r.ItemId)).ToList();
        Assert.DoesNotContain(await clinic.Reviews.NextAsync(task.Id, "ben", 20, cancel: Cancel), r => hers.Contains(r.ItemId));
        Assert.DoesNotContain(await clinic.Tasks.NextItemsAsync(task.Id, "ben", 20, cancel: Cancel), n => hers.Contains(n.ItemId));

        // Going on in review she comes to what she had in hand to label, and from then on does not come to label it.
        var test = (await clinic.TestPatientsAsync(task.Id)).ToHashSet();
        var patients = await clinic.PatientsAsync();
        var both = (await clinic.Reviews.NextAsync(task.Id, "anna", 40, cancel: Cancel)).Select(r => r.ItemId).ToList();
        Assert.Equal(labelling.Select(n => n.ItemId).Where(i => !test.Contains(patients[i])).Order(), both.Intersect(labelling.Select(n => n.ItemId)).Order());
        Assert.DoesNotContain(await clinic.Tasks.NextItemsAsync(task.Id, "anna", 40, cancel: Cancel), n => both.Contains(n.ItemId));
    }

    [Fact]
    public async Task Next_OfLabelling_PassesOverWhatThePersonReferredOrTookBackInReview()
    {
        await using var clinic = await LabellingClinic.MakeAsync(20, 1);
        var task = await clinic.MakeTaskAsync();
        await clinic.AddClassifierAsync(task);
        var reviewing = await clinic.Reviews.NextAsync(task.Id, "anna", 2, cancel: Cancel);
        await clinic.Reviews.DecideAsync(reviewing[0].PredictionId, ReviewDecision.Refer, null, "anna", "d1", Cancel);
        await clinic.Reviews.DecideAsync(reviewing[1].PredictionId, ReviewDecision.Accept, null, "anna", "d2", Cancel);
        await clinic.Reviews.UndoAsync(task.Id, "anna", "u2", Cancel);

        Assert.Equal(18, (await clinic.Tasks.NextItemsAsync(task.Id, "anna", 20, cancel: Cancel)).Select(n => n.ItemId).Except(reviewing.Select(r => r.ItemId)).Count());
        Assert.Equal(18, (await clinic.Tasks.NextItemsAsync(task.Id, "anna", 20, cancel: Cancel)).Count);
        // Another may, who has not seen the answer.
        Assert.Equal(reviewing[0].ItemId, Assert.Single(await clinic.Tasks.NextItemsAsync(task.Id, "ben", 20, cancel: Cancel)).ItemId);
    }
}
