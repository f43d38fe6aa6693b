using DomainSsl.Learning.Evaluation;

namespace DomainSsl.Learning.Decoding;

/// <summary>
/// How sure the whole decoder is of each word of its best text: the share of the probability of all hypotheses whose text has that word there ("Confidence Measures for Large
/// Vocabulary Continuous Speech Recognition", Wessel, Schlüter, Macherey, Ney 2001, on N-best lists). Where each hypothesis has it is told by an alignment of words with the best text.
/// </summary>
public static class WordPosteriors
{
    /// <summary>One probability, 0 to 1, for each word of the first hypothesis.</summary>
    /// <param name="hypotheses">Best first, as <see cref="PrefixBeamSearch.Decode"/> gives them.</param>
    /// <param name="scale">Of the scores before they become probabilities: below 1 for a model that is too sure of itself. To be fitted on speakers that were not trained on.</param>
    public static double[] Of(IReadOnlyList<Hypothesis> hypotheses, double scale = 1)
    {
        if (hypotheses.Count == 0) return [];
        var best = Words(hypotheses[0]);
        var (sums, total) = (new double[best.Length], 0.0);
        foreach (var hypothesis in hypotheses)
        {
            var weight = Math.Exp(scale * (hypothesis.Score - hypotheses[0].Score));
            total += weight;
            foreach (var edit in EditAlignment.Of<string>(best, Words(hypothesis)))
                if (edit.Kind == EditKind.Match) sums[edit.Reference] += weight;
        }
        return Array.ConvertAll(sums, s => s / total);
    }

    private static string[] Words(Hypothesis hypothesis) => hypothesis.Text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
}
