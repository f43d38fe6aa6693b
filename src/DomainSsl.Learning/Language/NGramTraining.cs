using DomainSsl.Learning.Decoding;

namespace DomainSsl.Learning.Language;

/// <summary>The two n-gram models that decoding takes: of words and of letters.</summary>
/// <param name="Words">Foretells words.</param>
/// <param name="Letters">Foretells letters, and so the spelling of words that were never seen.</param>
public sealed record NGramPair(NGramModel Words, NGramModel Letters)
{
    private const string WordsFile = "words.ngram", LettersFile = "letters.ngram";

    /// <summary>Writes both into a folder.</summary>
    public void Save(string folder)
    {
        NGramFiles.Save(Words, Path.Combine(folder, WordsFile));
        NGramFiles.Save(Letters, Path.Combine(folder, LettersFile));
    }

    /// <summary>Writes both as ARPA, which other tools read.</summary>
    public void WriteArpa(string folder)
    {
        NGramFiles.WriteArpa(Words, Path.Combine(folder, "words.arpa"));
        NGramFiles.WriteArpa(Letters, Path.Combine(folder, "letters.arpa"));
    }

    /// <summary>Reads what <see cref="Save"/> wrote.</summary>
    /// <exception cref="LearningException">A file is absent or damaged.</exception>
    public static NGramPair Load(string folder) => new(NGramFiles.Load(Path.Combine(folder, WordsFile)), NGramFiles.Load(Path.Combine(folder, LettersFile)));
}

/// <summary>Counts words and letters, with the length of n-gram that foretells the part to choose by best.</summary>
public static class NGramTraining
{
    private const int LongestLetters = 8, LongestWords = 4, LargeText = 3_000_000;

    /// <summary>Trains both models.</summary>
    /// <param name="parts">The text.</param>
    /// <param name="alphabet">Its letters.</param>
    /// <param name="counted">Told of each length: its number from 1, how many there are, and bits a letter on the part to choose by for those that count letters.</param>
    /// <param name="cancel">Stops between two lengths.</param>
    public static (NGramPair Models, LanguageFigures Figures) Run(LanguageParts parts, Alphabet alphabet, Action<int, int, double?>? counted = null, CancellationToken cancel = default)
    {
        string[] choose = [.. parts.Choose.Select(l => l.Text)], test = [.. parts.Test.Select(l => l.Text)];
        var longest = parts.Train.Sum(l => (long)l.Length) > LargeText ? 6 : LongestLetters; // the table of a long text would fill the memory
        var lengths = longest - 1 + LongestWords;
        var letters = Best(Enumerable.Range(2, longest - 1), NGramUnit.Letter, m => LanguageMeasure.Bits(LanguageMeasure.Of(m, alphabet, choose)), (i, bits) => counted?.Invoke(i, lengths, bits));
        // Words that were never seen cost all lengths alike, so perplexities of one word list can be compared.
        var words = Best(Enumerable.Range(1, LongestWords), NGramUnit.Word, m => m.Measure(choose).Perplexity, (i, _) => counted?.Invoke(longest - 1 + i, lengths, null));
        var costs = LanguageMeasure.Of(letters, alphabet, test);
        var ofWords = words.Measure(test);
        var figures = LanguageMeasure.Figures(costs, parts.Test, parts.Train, alphabet, wordsOnly: false) with
        {
            WordPerplexity = ofWords.Perplexity,
            UnknownWords = (double)ofWords.Unknown / ofWords.Tokens,
        };
        return (new NGramPair(words, letters), figures);

        NGramModel Best(IEnumerable<int> orders, NGramUnit unit, Func<NGramModel, double> cost, Action<int, double> told)
        {
            (NGramModel Model, double Cost)? best = null;
            foreach (var (order, i) in orders.Select((o, i) => (o, i)))
            {
                cancel.ThrowIfCancellationRequested();
                var model = NGramModel.Train(parts.Train, new NGramOptions { Order = order, Unit = unit });
                var at = cost(model);
                if (best is null || at < best.Value.Cost) best = (model, at);
                told(i + 1, at);
            }
            return best!.Value.Model;
        }
    }
}
