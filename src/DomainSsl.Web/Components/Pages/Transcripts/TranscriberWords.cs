using DomainSsl.Core.Runs;
using DomainSsl.Core.Tasks;
using DomainSsl.Core.Transcripts;
using DomainSsl.Web.Components.Shared;

namespace DomainSsl.Web.Components.Pages.Transcripts;

/// <summary>What the intervals of a transcriber's figures allow one to say, in plain words.</summary>
public static class TranscriberWords
{
    /// <summary>What its doubts are worth to who reads through.</summary>
    /// <param name="found">The share of the wrong words that stand in the least sure fifth of all words; null where it was not measured.</param>
    public static string Doubts(Measured? found)
    {
        const string all = "read everything.";
        if (found is not { Low: { } low, High: { } high }) return $"Whether its marks find the errors was not measured: {all}";
        if (low <= 0 && high >= 1) return $"Too few speakers to say whether its marks find the errors: {all}";
        // Ends are said outwards, so that rounding cannot make a half of what is less.
        var holds = $"The least sure fifth of the words holds {found.Value * 100:0} % of the wrong ones ({Math.Floor(low * 100):0} to {Math.Ceiling(high * 100):0} %)";
        return low >= 0.5 ? $"{holds}: read these first." : $"{holds}; its marks do not reliably find half of the errors: {all}";
    }

    /// <summary>What changed from the transcriber before, of a share of letters, words or terms that are wrong.</summary>
    /// <param name="change">This one's share less that one's, on the same recordings of the same speakers; null where it was not measured.</param>
    public static string Change(Measured? change)
    {
        if (change is null) return "–";
        if (change is not { Low: { } low, High: { } high } || (low <= -1 && high >= 1)) return "too few test speakers to say";
        var digits = Say.Digits(low, high);
        var range = $"{Say.Figure(change.Value, digits, true)} ({Say.Figure(low, digits, true)} to {Say.Figure(high, digits, true)})";
        return high < 0 ? $"better: {range}" : low > 0 ? $"worse: {range}" : $"no gain shown: {range}";
    }

    /// <summary>Who speaks, counted honestly: a recording of which nobody said who speaks is no speaker.</summary>
    /// <param name="speakers">Speakers that were named.</param>
    /// <param name="unnamed">Recordings without one.</param>
    /// <param name="other">Others than those told of before.</param>
    public static string Voices(int speakers, int unnamed, bool other = false)
    {
        var named = Say.Count(speakers, other ? "other speaker" : "speaker");
        if (unnamed == 0) return named;
        var rest = $"{Say.Count(unnamed, "recording")} of which nobody said who speaks";
        return speakers == 0 ? rest : $"{named} and {rest}";
    }

    /// <summary>What of the accepted transcripts is neither learnt from nor tested with, and why; null: nothing.</summary>
    /// <param name="minutes">By why.</param>
    public static string? LeftOut(IReadOnlyDictionary<LeftOutFor, double> minutes)
    {
        var parts = minutes.Where(m => m.Value > 0).OrderBy(m => m.Key).Select(m => $"{Say.Duration(TimeSpan.FromMinutes(m.Value))} {Why(m.Key)}").ToList();
        return parts.Count == 0 ? null : $"Not learnt from, and not tested with: {(parts.Count == 1 ? parts[0] : $"{string.Join(", ", parts.SkipLast(1))} and {parts[^1]}")}.";
    }

    private static string Why(LeftOutFor why) => why switch
    {
        LeftOutFor.GuessedTimes => "of texts that came without times, so that where their passages begin and end is a guess (bring them in as files with times to learn from them)",
        LeftOutFor.Length => $"in passages of more than {SpokenLabel.LongestSeconds:0} seconds",
        _ => "in passages without a letter from a to z",
    };

    /// <summary>What it gets wrong of one speaker.</summary>
    public static string Speaker(SpeakerErrorRates speaker) => $"{Percent(speaker.Wer)} of the words wrong, {Percent(speaker.Cer)} of the letters, in {Say.Count(speaker.N, "passage")}";

    private static string Percent(double share) => FormattableString.Invariant($"{share * 100:0} %");
}
