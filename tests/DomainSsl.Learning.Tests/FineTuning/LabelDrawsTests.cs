using DomainSsl.Learning.FineTuning;

namespace DomainSsl.Learning.Tests.FineTuning;

public class LabelDrawsTests
{
    // One class in twenty is rare; patients have two images each.
    private static readonly int[] Labels = [.. Enumerable.Range(0, 400).Select(i => i % 20 == 0 ? 2 : i % 2)];
    private static readonly string[] Patients = [.. Enumerable.Range(0, 400).Select(i => $"P{i / 2}")];

    [Fact]
    public void Draws_EveryBudget_HoldsTwoPatientsOfEachClass()
    {
        var draws = LabelDraws.Of(Labels, Patients, 3, [10, 20, 50], 50, seed: 1);
        Assert.Equal(50, draws.Length);
        foreach (var draw in draws)
        {
            Assert.Equal(Enumerable.Range(0, 400), draw.Order());
            for (var k = 0; k < 3; k++) Assert.True(draw.Take(10).Where(i => Labels[i] == k).Select(i => Patients[i]).Distinct().Count() >= 2);
        }
    }

    [Fact]
    public void Draws_MoreRepeats_LeaveTheFirstOnesAsTheyWere() =>
        Assert.Equal(LabelDraws.Of(Labels, Patients, 3, [10], 3, 1), LabelDraws.Of(Labels, Patients, 3, [10], 9, 1)[..3]);

    [Fact]
    public void Draws_OtherSeedOrRepeat_IsAnotherOrder()
    {
        var draws = LabelDraws.Of(Labels, Patients, 3, [10], 2, 1);
        Assert.NotEqual(draws[0], draws[1]);
        Assert.NotEqual(draws[0], LabelDraws.Of(Labels, Patients, 3, [10], 1, 2)[0]);
    }

    [Fact]
    public void Draws_Balanced_HoldEveryClassAsOften()
    {
        foreach (var draw in LabelDraws.Of(Labels, Patients, 3, [9, 20], 10, seed: 1, balanced: true))
        {
            Assert.Equal(Enumerable.Range(0, 400), draw.Order());
            Assert.All(Enumerable.Range(0, 3), k => Assert.Equal(3, draw.Take(9).Count(i => Labels[i] == k)));
            Assert.All(Enumerable.Range(0, 3), k => Assert.InRange(draw.Take(20).Count(i => Labels[i] == k), 6, 7));
        }
    }

    [Theory]
    [InlineData(5, "too few for 3 classes")]
    [InlineData(401, "only 400 training items")]
    public void Draws_ImpossibleBudget_IsRefusedWithASentence(int budget, string expected) =>
        Assert.Contains(expected, Assert.Throws<LearningException>(() => LabelDraws.Of(Labels, Patients, 3, [budget], 1, 1)).Message);

    [Fact]
    public void Folds_NeverShareAPatient_AndHoldEachItemOutOnce()
    {
        int[] labels = [.. Labels.Take(60)];
        var folds = PatientFolds.Of(labels, Patients[..60], 5, new Random(3));
        Assert.InRange(folds.Count, 2, 5);
        Assert.Equal(Enumerable.Range(0, 60), folds.SelectMany(f => f.HeldOut).Order());
        foreach (var (fit, held) in folds)
        {
            Assert.Empty(fit.Select(i => Patients[i]).Intersect(held.Select(i => Patients[i])));
            Assert.Equal(3, fit.Select(i => labels[i]).Distinct().Count());
        }
    }

    [Fact]
    public void Folds_AClassOfOnePatient_AreNone() => Assert.Empty(PatientFolds.Of([0, 0, 1, 1], ["a", "b", "c", "c"], 5, new Random(1)));

    [Fact]
    public void Folds_OfAFewPatientsWhoHaveEveryClass_HoldPatientsOut()
    {
        // Three speakers, each with each of four words twice.
        int[] labels = [.. Enumerable.Range(0, 24).Select(i => i % 4)];
        string[] speakers = [.. Enumerable.Range(0, 24).Select(i => $"S{i / 8}")];
        var folds = PatientFolds.Of(labels, speakers, 5, new Random(1));
        Assert.Equal(3, folds.Count);
        Assert.All(folds, f => Assert.Single(f.HeldOut.Select(i => speakers[i]).Distinct()));
        Assert.Equal(Enumerable.Range(0, 24), folds.SelectMany(f => f.HeldOut).Order());
    }
}
