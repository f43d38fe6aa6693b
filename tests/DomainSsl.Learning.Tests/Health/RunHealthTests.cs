using DomainSsl.Learning.Health;
using DomainSsl.Learning.Objectives;
using DomainSsl.Learning.Training;

namespace DomainSsl.Learning.Tests.Health;

public sealed class RunHealthTests
{
    private static readonly MetricInfo[] Metrics = [new("spread", "", 0)];

    [Fact]
    public void Judge_LossFalls_IsGood() => Assert.Equal(("good", 0), Short(Judge(i => 5 - 0.1 * i)));

    [Fact]
    public void Judge_FeaturesAllAlike_IsCollapse() => Assert.Contains("Collapse", Bad(Judge(i => 5 - 0.05 * i, spread: i => i < 10 ? 0.5 : 0.004)));

    [Fact]
    public void Judge_LossRises_IsDivergence() => Assert.Contains("Divergence", Bad(Judge(i => i < 10 ? 5 - 0.3 * i : 2 + 0.3 * (i - 10))));

    [Fact]
    public void Judge_LossStays_IsNoProgress()
    {
        var health = Judge(i => 4.8 + 0.01 * (i % 2));
        Assert.Equal("watch", health.State);
        Assert.Contains("No progress", Assert.Single(health.Findings));
    }

    [Fact]
    public void Judge_WaitingForData_IsStarving()
    {
        var health = Judge(i => 5 - 0.1 * i, waiting: 0.4);
        Assert.Equal("watch", health.State);
        Assert.Contains("40", Assert.Single(health.Findings, f => f.Contains("Starving")));
    }

    [Fact]
    public void Judge_TheFirstSteps_GetTheBenefitOfTheDoubt() => Assert.Equal("good", Judge(i => 5 + i, spread: _ => 0, count: 4).State);

    [Fact]
    public void Judge_ANewRoundBegins_LossesBeforeItDoNotCount()
    {
        MetricInfo[] metrics = [new("round", "", Stage: true)];
        MetricsLine Line(int i, double loss, double round) => new(i, i, i / 20.0, loss, 1e-3, 100, 0, new Dictionary<string, double> { ["round"] = round });
        List<MetricsLine> lines = [.. Enumerable.Range(0, 12).Select(i => Line(i, 4 - 0.3 * i, 1)), .. Enumerable.Range(12, 8).Select(i => Line(i, 5.2 - 0.05 * i, 2))];
        Assert.Equal("good", RunHealth.Judge(lines, metrics, 4.8).State);
        Assert.Equal("bad", RunHealth.Judge(lines, [], 4.8).State); // as one task it would be a divergence
    }

    [Fact]
    public void Judge_ANewRoundBegins_ItsFirstLinesGetTheBenefitOfTheDoubt_ButACollapseBeforeItIsNotForgotten()
    {
        MetricInfo[] metrics = [new("round", "", Stage: true), new("blank", "", 1)];
        RunHealth Of(double blank, int second) => RunHealth.Judge([.. Enumerable.Range(0, 50 + second).Select(i =>
            new MetricsLine(i, i, i / 100.0, i < 50 ? 4 - 0.05 * i : 1.5 + 0.01 * (i % 2), 1e-3, 100, 0, new Dictionary<string, double> { ["round"] = i < 50 ? 1 : 2, ["blank"] = blank }))], metrics, 4.8);
        Assert.Equal("good", Of(0.6, 11).State);
        Assert.Contains("No progress", Assert.Single(Of(0.6, 30).Findings));
        Assert.Contains("Collapse", Bad(Of(1, 0)));
        Assert.Contains("Collapse", Bad(Of(1, 2)));
        Assert.Contains("Collapse", Bad(Of(1, 30)));
    }

    private static (string, int) Short(RunHealth health) => (health.State, health.Findings.Count);

    private static string Bad(RunHealth health)
    {
        Assert.Equal("bad", health.State);
        return Assert.Single(health.Findings);
    }

    private static RunHealth Judge(Func<int, double> loss, Func<int, double>? spread = null, double waiting = 0, int count = 20) => RunHealth.Judge(
        [.. Enumerable.Range(0, count).Select(i => new MetricsLine(i, i, i / 20.0, loss(i), 1e-3, 100, waiting, new Dictionary<string, double> { ["spread"] = (spread ?? (_ => 0.8))(i) }))],
        Metrics, trivialLoss: 4.8);
}
