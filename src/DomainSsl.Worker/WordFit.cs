using DomainSsl.Learning;
using DomainSsl.Learning.Language;

namespace DomainSsl.Worker;

/// <summary>How well words fit between the others, by a masked language model: what a transcript page may point out.</summary>
public static class WordFit
{
    /// <summary>Scores the words of a segment as they are written.</summary>
    /// <param name="model">A masked model, see <see cref="ModelFiles.LanguageNetworkOf"/>.</param>
    /// <param name="words">As they stand in the transcript, with punctuation, capitals and figures.</param>
    /// <returns>For each word the mean ln P of its letters in its context, at most 0: the lower, the worse it fits. Null where nothing of the word is spoken. A word that is spoken as several has the worst of theirs.</returns>
    /// <exception cref="LearningException">The model is none of the masked kind.</exception>
    public static IReadOnlyList<double?> Of(LanguageModel model, IReadOnlyList<string> words)
    {
        if (model is not MaskedLanguage masked) throw new LearningException("Words are scored in their context by a masked language model; this one is causal.");
        using var held = Finalizers.Held();
        string[][] spoken = [.. words.Select(w => model.Network.Alphabet.Normalise(w).Split(' ', StringSplitOptions.RemoveEmptyEntries))];
        var scored = masked.ScoreWords(string.Join(' ', spoken.SelectMany(s => s)));
        var scores = new double?[words.Count];
        var at = 0;
        for (var i = 0; i < scores.Length; i++)
        {
            for (var k = 0; k < spoken[i].Length; k++, at++) scores[i] = Math.Min(scores[i] ?? 0, scored[at].PerLetter);
        }
        return scores;
    }

    /// <summary>Where each score stands among all: the share of them that are lower, 0 to 1, equal ones half counted. What hardly any other undercuts is a word that does not fit.</summary>
    public static IReadOnlyList<double?> Shares(IReadOnlyList<double?> scores)
    {
        var sorted = scores.OfType<double>().Order().ToArray();
        return [.. scores.Select(s => s is { } score ? (Below(score, orEqual: false) + Below(score, orEqual: true)) / (2.0 * sorted.Length) : (double?)null)];

        int Below(double score, bool orEqual)
        {
            var (low, high) = (0, sorted.Length);
            while (low < high)
            {
                var middle = (low + high) / 2;
                if (sorted[middle] < score || (orEqual && sorted[middle] == score)) low = middle + 1;
                else high = middle;
            }
            return low;
        }
    }
}
