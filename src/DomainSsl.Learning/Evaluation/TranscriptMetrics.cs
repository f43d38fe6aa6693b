namespace DomainSsl.Learning.Evaluation;

/// <summary>What was said and what was written, of one utterance, both normalised.</summary>
/// <param name="Reference">What was said.</param>
/// <param name="Hypothesis">What the model wrote.</param>
/// <param name="Speaker">Who said it.</param>
/// <param name="Confidences">How sure the model is of each word that it wrote, 0 to 1; null where it does not say.</param>
public sealed record TranscriptPair(string Reference, string Hypothesis, string Speaker, IReadOnlyList<double>? Confidences = null);

/// <summary>Errors of one utterance or of many.</summary>
/// <param name="Substitutions">Pieces that became others.</param>
/// <param name="Insertions">Pieces too many.</param>
/// <param name="Deletions">Pieces that are missing.</param>
/// <param name="Length">Pieces of the reference.</param>
public readonly record struct ErrorCounts(int Substitutions, int Insertions, int Deletions, int Length)
{
    /// <summary>All errors.</summary>
    public int Errors => Substitutions + Insertions + Deletions;

    /// <summary>Errors by length; may exceed 1, and is NaN where there is no reference.</summary>
    public double Rate => (double)Errors / Length;

    /// <summary>Counts of both together.</summary>
    public static ErrorCounts operator +(ErrorCounts a, ErrorCounts b) => new(a.Substitutions + b.Substitutions, a.Insertions + b.Insertions, a.Deletions + b.Deletions, a.Length + b.Length);

    /// <summary>Counts of both together.</summary>
    public static ErrorCounts Add(ErrorCounts a, ErrorCounts b) => a + b;

    /// <summary>Errors in words, which spaces part.</summary>
    public static ErrorCounts OfWords(string reference, string hypothesis) => Of<string>(Words(reference), Words(hypothesis));

    /// <summary>Errors in letters, single spaces between words counted.</summary>
    public static ErrorCounts OfLetters(string reference, string hypothesis) => Of(string.Join(' ', Words(reference)).AsSpan(), string.Join(' ', Words(hypothesis)).AsSpan());

    /// <summary>
    /// Errors in terms: an occurrence of a term in the reference is missed (a deletion) unless each of its words is matched in a row; one in the hypothesis is false (an insertion) unless each
    /// of its words is. The length is the number of occurrences in the reference. Terms that overlap count each.
    /// </summary>
    /// <param name="reference">What was said.</param>
    /// <param name="hypothesis">What was written.</param>
    /// <param name="terms">Normalised, one or more words each.</param>
    public static ErrorCounts OfTerms(string reference, string hypothesis, IEnumerable<string> terms)
    {
        string[] said = Words(reference), written = Words(hypothesis);
        var partner = Enumerable.Repeat(-1, said.Length).ToArray();
        var known = new bool[written.Length];
        foreach (var edit in EditAlignment.Of<string>(said, written))
            if (edit.Kind == EditKind.Match) (partner[edit.Reference], known[edit.Hypothesis]) = (edit.Hypothesis, true);
        var (occurrences, missed, falsely) = (0, 0, 0);
        foreach (var term in terms.Distinct(StringComparer.Ordinal).Select(Words).Where(t => t.Length > 0))
        {
            foreach (var at in Places(said, term))
            {
                occurrences++;
                if (Enumerable.Range(0, term.Length).Any(i => partner[at + i] < 0 || partner[at + i] != partner[at] + i)) missed++;
            }
            falsely += Places(written, term).Count(at => Enumerable.Range(at, term.Length).Any(i => !known[i]));
        }
        return new ErrorCounts(0, falsely, missed, occurrences);
    }

    /// <summary>Of each word of the hypothesis whether it is wrong.</summary>
    internal static bool[] WrongWords(string reference, string hypothesis)
    {
        string[] said = Words(reference), written = Words(hypothesis);
        var wrong = Enumerable.Repeat(true, written.Length).ToArray();
        foreach (var edit in EditAlignment.Of<string>(said, written)) if (edit.Kind == EditKind.Match) wrong[edit.Hypothesis] = false;
        return wrong;
    }

    private static ErrorCounts Of<T>(ReadOnlySpan<T> reference, ReadOnlySpan<T> hypothesis) where T : IEquatable<T>
    {
        var counts = new int[4];
        foreach (var edit in EditAlignment.Of(reference, hypothesis)) counts[(int)edit.Kind]++;
        return new ErrorCounts(counts[(int)EditKind.Substitution], counts[(int)EditKind.Insertion], counts[(int)EditKind.Deletion], reference.Length);
    }

    private static IEnumerable<int> Places(string[] words, string[] term) => Enumerable.Range(0, Math.Max(0, words.Length - term.Length + 1)).Where(at => words.AsSpan(at, term.Length).SequenceEqual(term));

    private static string[] Words(string text) => text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
}

/// <summary>An error rate of a corpus, Σ errors / Σ length over its utterances, as a figure that can be resampled. Two models on the same utterances share their resamples, so the difference of two rates is paired.</summary>
/// <param name="counts">Of each utterance.</param>
public sealed class ErrorRate(IReadOnlyList<ErrorCounts> counts)
{
    /// <summary>All utterances together.</summary>
    public ErrorCounts Total { get; } = counts.Aggregate(default(ErrorCounts), (a, b) => a + b);

    /// <summary>The rate with utterance i counted <paramref name="weights"/>[i] times; NaN where no reference is left.</summary>
    public double Weighted(ReadOnlySpan<int> weights)
    {
        double errors = 0, length = 0;
        for (var i = 0; i < weights.Length; i++)
        {
            errors += (double)weights[i] * counts[i].Errors;
            length += (double)weights[i] * counts[i].Length;
        }
        return length == 0 ? double.NaN : errors / length;
    }
}

/// <summary>
/// What a word's confidence is worth to who reads through: the share of the wrong words (put in another's place, or too many) that stand among the <see cref="Read"/> of all words that the model is least sure of. Confidences that
/// say nothing give <see cref="Read"/> itself. What the model left out has no word to look at and does not count.
/// </summary>
public sealed class LeastSure
{
    /// <summary>The share of words that is read through.</summary>
    public const double Read = 0.2;

    private readonly List<(int Utterance, bool Wrong)> _words;     // the least sure first

    /// <summary>Of utterances that all have confidences.</summary>
    public LeastSure(IReadOnlyList<TranscriptPair> pairs) => _words =
        [.. pairs.SelectMany((p, i) => ErrorCounts.WrongWords(p.Reference, p.Hypothesis).Zip(p.Confidences!, (wrong, sure) => (Utterance: i, wrong, sure))).OrderBy(w => w.sure).Select(w => (w.Utterance, w.wrong))];

    /// <summary>The share with utterance i counted <paramref name="weights"/>[i] times; NaN where no word is wrong.</summary>
    public double Weighted(ReadOnlySpan<int> weights)
    {
        double words = 0, wrong = 0, found = 0;
        foreach (var w in _words) (words, wrong) = (words + weights[w.Utterance], wrong + (w.Wrong ? weights[w.Utterance] : 0));
        var left = Read * words;
        foreach (var w in _words)
        {
            if (left <= 0) break;
            var times = Math.Min(left, weights[w.Utterance]);
            (left, found) = (left - times, found + (w.Wrong ? times : 0));
        }
        return wrong == 0 ? double.NaN : found / wrong;
    }
}

/// <summary>A speaker's errors.</summary>
/// <param name="Speaker">Who.</param>
/// <param name="Utterances">How many.</param>
/// <param name="Words">Errors in words.</param>
/// <param name="Letters">Errors in letters.</param>
public sealed record SpeakerErrors(string Speaker, int Utterances, ErrorCounts Words, ErrorCounts Letters);

/// <summary>All figures of a transcriber, each with a 95 % interval that resamples speakers.</summary>
public static class TranscriptMetrics
{
    /// <summary>
    /// By name: <c>wer</c>, <c>cer</c>, <c>termErrorRate</c> where terms are given and spoken, and <c>wrongWordsInLeastSure</c> (see <see cref="LeastSure"/>) where all words have confidences. A figure that the texts do not define is
    /// left out.
    /// </summary>
    /// <param name="pairs">The utterances.</param>
    /// <param name="seed">Seeds the resampling.</param>
    /// <param name="terms">Normalised terms, or null.</param>
    /// <param name="resamples">Number of resamples.</param>
    public static IReadOnlyDictionary<string, Interval> Of(
        IReadOnlyList<TranscriptPair> pairs, int seed, IReadOnlyCollection<string>? terms = null, int resamples = GroupBootstrap.DefaultResamples)
    {
        var bootstrap = new GroupBootstrap([.. pairs.Select(p => p.Speaker)], seed, resamples);
        var found = Rates(pairs, terms).Where(f => f.Rate.Total.Length > 0).ToDictionary(f => f.Name, f => bootstrap.Of(f.Rate.Weighted, highest: Math.Max(1, f.Rate.Total.Rate)));
        if (pairs.Count > 0 && pairs.All(p => p.Confidences is not null) && bootstrap.Of(new LeastSure(pairs).Weighted) is { Value: not double.NaN } sure) found["wrongWordsInLeastSure"] = sure;
        return found;
    }

    /// <summary>What changed from one transcriber to another on the same utterances: <c>wer</c>, <c>cer</c> and, where terms are given and spoken, <c>termErrorRate</c> of the later less the earlier, with 95 % intervals over the speakers, paired.</summary>
    /// <param name="before">The earlier one's.</param>
    /// <param name="after">The later one's; the same utterances in the same order.</param>
    /// <param name="seed">Seeds the resampling.</param>
    /// <param name="terms">Normalised terms, or null.</param>
    public static IReadOnlyDictionary<string, Interval> Change(IReadOnlyList<TranscriptPair> before, IReadOnlyList<TranscriptPair> after, int seed, IReadOnlyCollection<string>? terms = null)
    {
        if (before.Count != after.Count || before.Zip(after).Any(p => p.First.Reference != p.Second.Reference || p.First.Speaker != p.Second.Speaker))
            throw new ArgumentException("Both must have transcribed the same utterances in the same order.", nameof(after));
        var bootstrap = new GroupBootstrap([.. before.Select(p => p.Speaker)], seed);
        return Rates(before, terms).Zip(Rates(after, terms), (earlier, later) => (earlier.Name, Earlier: earlier.Rate, Later: later.Rate)).Where(r => r.Earlier.Total.Length > 0)
            .ToDictionary(r => r.Name, r => bootstrap.Of(weights => r.Later.Weighted(weights) - r.Earlier.Weighted(weights), lowest: -1, highest: 1));
    }

    /// <summary>Errors of each speaker, the most first.</summary>
    public static IReadOnlyList<SpeakerErrors> BySpeaker(IEnumerable<TranscriptPair> pairs) =>
    [
        .. pairs.GroupBy(p => p.Speaker).Select(s => new SpeakerErrors(s.Key, s.Count(), s.Select(Words).Aggregate(ErrorCounts.Add), s.Select(Letters).Aggregate(ErrorCounts.Add)))
            .OrderByDescending(s => double.IsNaN(s.Words.Rate) ? -1 : s.Words.Rate).ThenBy(s => s.Speaker, StringComparer.Ordinal),
    ];

    private static List<(string Name, ErrorRate Rate)> Rates(IReadOnlyList<TranscriptPair> pairs, IReadOnlyCollection<string>? terms)
    {
        List<(string, ErrorRate)> rates = [("wer", new ErrorRate([.. pairs.Select(Words)])), ("cer", new ErrorRate([.. pairs.Select(Letters)]))];
        if (terms is { Count: > 0 }) rates.Add(("termErrorRate", new ErrorRate([.. pairs.Select(p => ErrorCounts.OfTerms(p.Reference, p.Hypothesis, terms))])));
        return rates;
    }

    private static ErrorCounts Words(TranscriptPair pair) => ErrorCounts.OfWords(pair.Reference, pair.Hypothesis);

    private static ErrorCounts Letters(TranscriptPair pair) => ErrorCounts.OfLetters(pair.Reference, pair.Hypothesis);
}
