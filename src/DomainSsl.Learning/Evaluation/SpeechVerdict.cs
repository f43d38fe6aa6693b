namespace DomainSsl.Learning.Evaluation;

/// <summary>Plain sentences on error rates of speech, where lower is better, derived from intervals alone as those of <see cref="Verdict"/> are.</summary>
public static class SpeechVerdict
{
    /// <summary>What the interval of a difference of two error rates says: a gain is one that lies below zero.</summary>
    public static Finding Of(Interval difference) => Verdict.Of(new Interval(-difference.Value, -difference.High, -difference.Low));

    /// <summary>One sentence for each number of minutes, fewest first.</summary>
    /// <param name="differences">Error rate of the one arm less that of the other; <see cref="Compared.Labels"/> are minutes of transcribed speech.</param>
    /// <param name="metric">The figure's name as shown.</param>
    /// <param name="who">Whom it was tested on.</param>
    public static string Summary(IEnumerable<Compared> differences, string metric = "CER", string who = "speakers") => string.Join(' ', differences.OrderBy(d => d.Labels).Select(d => Sentence(d, metric, who)));

    private static string Sentence(Compared c, string metric, string who)
    {
        var (with, d) = ($"With {c.Labels} {(c.Labels == 1 ? "minute" : "minutes")} of transcribed speech", c.Difference);
        string Amount(double value) => Math.Abs(value).ToString("F" + d.Digits, System.Globalization.CultureInfo.InvariantCulture);
        string Signed(double value) => Math.Round(value, d.Digits) == 0 ? "0" : (value < 0 ? "−" : "+") + Amount(value);
        return Of(d) switch
        {
            Finding.Gain => $"{with} {c.Arm} is better than {c.Against}: {metric} is lower by {Amount(d.Value)} (95 % interval {Amount(d.High)} to {Amount(d.Low)}).",
            Finding.Worse => $"{with} {c.Arm} is worse than {c.Against}: {metric} is higher by {Amount(d.Value)} (95 % interval {Amount(d.Low)} to {Amount(d.High)}).",
            Finding.NoGain => $"{with} there is no gain over {c.Against}: the difference in {metric} is {Signed(d.Value)} (95 % interval {Signed(d.Low)} to {Signed(d.High)}).",
            _ => $"{with} no gain of {c.Arm} over {c.Against} is shown, and the test {who} or draws are too few to rule one out: the difference in {metric} is {Signed(d.Value)} (95 % interval {Signed(d.Low)} to {Signed(d.High)}).",
        };
    }
}
