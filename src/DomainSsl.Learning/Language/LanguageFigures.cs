using DomainSsl.Learning.Decoding;
using DomainSsl.Learning.Evaluation;

namespace DomainSsl.Learning.Language;

/// <summary>How well a language model foretells sentences that it has not learnt from.</summary>
/// <param name="BitsPerLetter">−log₂ P a letter; the fewer, the better.</param>
/// <param name="BaselineBitsPerLetter">The same of the letters' mere frequencies in the text that was learnt from.</param>
/// <param name="Gain">Bits a letter that the model saves against that, with its 95 % interval over groups.</param>
/// <param name="Letters">Letters foretold: sentence ends count too, but for a masked model neither those nor spaces.</param>
/// <param name="Sentences">Of so many sentences.</param>
/// <param name="Groups">Of so many speakers or reports.</param>
/// <param name="NGramBitsPerLetter">What counting alone, the n-gram model of letters, needs for the same; null where it is the model itself, or foretells something else.</param>
/// <param name="WordPerplexity">Of an n-gram model: as many equally likely choices a word.</param>
/// <param name="UnknownWords">Of an n-gram model: share of the held-out words that it has never seen.</param>
public sealed record LanguageFigures(double BitsPerLetter, double BaselineBitsPerLetter, Interval Gain, int Letters, int Sentences, int Groups, double? NGramBitsPerLetter = null,
    double? WordPerplexity = null, double? UnknownWords = null)
{
    /// <summary>Whether the model is worth anything, as a sentence. No gain is claimed where the interval reaches 0.</summary>
    public string Verdict => Gain.Above(0)
        ? $"On text that it has not seen it needs {BitsPerLetter:0.00} bits a letter; the letters' frequencies alone need {BaselineBitsPerLetter:0.00}, {Gain} more."
            + (NGramBitsPerLetter <= BitsPerLetter ? $" Counting alone (an n-gram model) needs {NGramBitsPerLetter:0.00}, no more than it: use that, or give this one more text." : "")
        : $"It is not shown to foretell text that it has not seen better than the letters' frequencies alone ({BitsPerLetter:0.00} against {BaselineBitsPerLetter:0.00} bits a letter): no gain. Give it more text.";
}

/// <summary>Measures language models on held-out sentences.</summary>
public static class LanguageMeasure
{
    /// <summary>What is foretold of a sentence, and what it costs.</summary>
    /// <param name="Nats">−ln P.</param>
    /// <param name="Letters">Letters foretold.</param>
    public readonly record struct Cost(double Nats, int Letters);

    /// <summary>Bits a letter of some sentences.</summary>
    public static double Bits(IReadOnlyCollection<Cost> costs) => costs.Sum(c => c.Nats) / Math.Max(1, costs.Sum(c => c.Letters)) / Math.Log(2);

    /// <summary>The costs of sentences under a network.</summary>
    public static IReadOnlyList<Cost> Of(LanguageModel model, IEnumerable<string> sentences) =>
        [.. sentences.Select(s => new Cost(-model.Score(s), model is MaskedLanguage ? WordLetters(s) : s.Length + 1))];

    /// <summary>The costs under a model that counts letters. A letter that it has never seen is one of all those.</summary>
    public static IReadOnlyList<Cost> Of(NGramModel letters, Alphabet alphabet, IEnumerable<string> sentences)
    {
        var unseen = Math.Log(Math.Max(1, alphabet.Letters.Count(c => letters.Token(c == ' ' ? "▁" : c.ToString()) == NGramModel.Unknown)));
        return [.. sentences.Select(s => letters.Measure([s]) is var m ? new Cost(-m.LogLikelihood + m.Unknown * unseen, m.Tokens) : default)];
    }

    /// <summary>Figures of a model beside the baseline.</summary>
    /// <param name="costs">What the model needs for each sentence.</param>
    /// <param name="lines">The sentences.</param>
    /// <param name="train">What was learnt from.</param>
    /// <param name="alphabet">The letters.</param>
    /// <param name="wordsOnly">Whether spaces and sentence ends are not foretold.</param>
    public static LanguageFigures Figures(IReadOnlyList<Cost> costs, IReadOnlyList<LanguageLine> lines, IEnumerable<string> train, Alphabet alphabet, bool wordsOnly)
    {
        var baseline = Frequencies(train, alphabet, wordsOnly, [.. lines.Select(l => l.Text)]);
        var gain = new GroupBootstrap([.. lines.Select(l => l.Group)], seed: 1).Of(weights =>
        {
            var (saved, letters) = (0.0, 0L);
            for (var i = 0; i < weights.Length; i++)
            {
                saved += weights[i] * (baseline[i].Nats - costs[i].Nats);
                letters += (long)weights[i] * costs[i].Letters;
            }
            return letters == 0 ? double.NaN : saved / letters / Math.Log(2);
        }, -Math.Log2(alphabet.Size), Math.Log2(alphabet.Size));
        return new LanguageFigures(Bits(costs), Bits(baseline), gain, costs.Sum(c => c.Letters), lines.Count, lines.Select(l => l.Group).Distinct().Count());
    }

    /// <summary>The costs under the letters' frequencies, one added to each.</summary>
    public static IReadOnlyList<Cost> Frequencies(IEnumerable<string> train, Alphabet alphabet, bool wordsOnly, IReadOnlyList<string> sentences)
    {
        var times = new double[alphabet.Size]; // the boundary at 0
        foreach (var line in train)
        {
            times[LanguageNetwork.Boundary]++;
            foreach (var c in alphabet.Encode(line)) times[c]++;
        }
        for (var i = 0; i < times.Length; i++) times[i] = wordsOnly && (i == LanguageNetwork.Boundary || i == alphabet.Space) ? 0 : times[i] + 1;
        var sum = times.Sum();
        return [.. sentences.Select(s =>
        {
            int[] foretold = [.. alphabet.Encode(s), LanguageNetwork.Boundary];
            return new Cost(-foretold.Where(c => times[c] > 0).Sum(c => Math.Log(times[c] / sum)), foretold.Count(c => times[c] > 0));
        })];
    }

    private static int WordLetters(string sentence) => sentence.Count(c => c != ' ');
}
