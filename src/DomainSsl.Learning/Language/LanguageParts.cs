using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using DomainSsl.Learning.Decoding;
using DomainSsl.Learning.Evaluation;

namespace DomainSsl.Learning.Language;

/// <summary>A stretch of text and what it belongs to: texts of one group are of one speaker, or one report.</summary>
/// <param name="Group">Speaker, recording or report; parts are cut between groups.</param>
/// <param name="Text">As written, or, within <see cref="LanguageParts"/>, a normalised sentence.</param>
public sealed record LanguageLine(string Group, string Text);

/// <summary>
/// A clinic's text in three parts: one to learn from; one by which it is chosen when to stop; one that no choice looks at and on which the model is measured. They are cut between groups (speakers,
/// reports), and no sentence of the last two stands in the first word for word. Where the text is of too few groups for that, it is cut between different sentences.
/// </summary>
/// <param name="Train">Sentences to learn from, repeated ones as often as they stand in the text.</param>
/// <param name="Choose">Sentences to choose by.</param>
/// <param name="Test">Sentences to measure on.</param>
/// <param name="BySentence">Whether the cut is between sentences and not between groups.</param>
/// <param name="Hash">SHA-256 of all sentences, sorted: the same text, the same hash.</param>
public sealed partial record LanguageParts(IReadOnlyList<string> Train, IReadOnlyList<LanguageLine> Choose, IReadOnlyList<LanguageLine> Test, bool BySentence, string Hash)
{
    /// <summary>Fewest different sentences that a text must have.</summary>
    public const int FewestSentences = 20;

    private const double TestShare = 0.1, ChooseShare = 0.1, LargestShare = 0.2;

    // Below this many groups too few would be left to learn from, once enough are held out to say anything with an interval.
    private const int FewestGroups = 20, FewestTest = GroupBootstrap.FewestGroups + 1, FewestChoose = 3;

    // More would only take time: the figure's interval is narrow by then.
    private const int MostTestLetters = 40_000, MostChooseLetters = 8_000;

    /// <summary>Sentences end at a full stop, question or exclamation mark that white space follows, and at the end of a line.</summary>
    [GeneratedRegex(@"(?<=[.!?])\s+|[\r\n]+")]
    private static partial Regex SentenceEnds();

    /// <summary>Cuts and normalises a text.</summary>
    /// <param name="passages">The text as written.</param>
    /// <param name="alphabet">The letters to write it in.</param>
    /// <exception cref="LearningException">There are too few different sentences. The sentence quotes nothing of the text.</exception>
    public static LanguageParts Of(IEnumerable<LanguageLine> passages, Alphabet alphabet)
    {
        var lines = passages.SelectMany(p => SentenceEnds().Split(p.Text).Select(s => new LanguageLine(p.Group, alphabet.Normalise(s)))).Where(l => l.Text.Length > 0)
            .OrderBy(l => l.Group, StringComparer.Ordinal).ThenBy(l => l.Text, StringComparer.Ordinal).ToList();
        var different = lines.Select(l => l.Text).Distinct(StringComparer.Ordinal).Count();
        if (different < FewestSentences)
            throw new LearningException($"There {(different == 1 ? "is only 1 sentence" : $"are only {different} different sentences")} to learn from, and at least {FewestSentences} are needed, some of them to measure the model on; "
                + "accept more transcripts or add more reports.");
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', lines.Select(l => l.Text).Order(StringComparer.Ordinal)))));
        return Cut(lines, false, hash) ?? Cut([.. lines.Select(l => l with { Group = l.Text })], true, hash)!;
    }

    private static LanguageParts? Cut(List<LanguageLine> lines, bool bySentence, string hash)
    {
        // By the hash of its name a group keeps its place when others come: all models of a text are measured on the same sentences, and so, mostly, are those of the text as it has grown.
        var groups = lines.GroupBy(l => l.Group, StringComparer.Ordinal).OrderBy(g => Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(g.Key))), StringComparer.Ordinal).ToList();
        var letters = lines.Sum(l => l.Text.Length);
        List<LanguageLine> test = [], choose = [], train = [];
        var (testers, choosers) = (0, 0);
        foreach (var group in groups)
        {
            var size = group.Sum(l => l.Text.Length);
            var part = size > LargestShare * letters ? train
                : testers < FewestTest || Letters(test) < Math.Min(TestShare * letters, MostTestLetters) ? test
                : choosers < FewestChoose || Letters(choose) < Math.Min(ChooseShare * letters, MostChooseLetters) ? choose : train;
            part.AddRange(group);
            (testers, choosers) = (testers + (part == test ? 1 : 0), choosers + (part == choose ? 1 : 0));
        }
        // What was learnt by heart is no test of anything.
        var learnt = train.Select(l => l.Text).ToHashSet(StringComparer.Ordinal);
        test = [.. test.Where(l => !learnt.Contains(l.Text)).DistinctBy(l => l.Text)];
        learnt.UnionWith(test.Select(l => l.Text));
        choose = [.. choose.Where(l => !learnt.Contains(l.Text)).DistinctBy(l => l.Text)];
        var enough = bySentence || (groups.Count >= FewestGroups && Enough(test) && Enough(choose) && test.Select(l => l.Group).Distinct().Count() >= GroupBootstrap.FewestGroups);
        return enough ? new LanguageParts([.. train.Select(l => l.Text)], choose, test, bySentence, hash) : null;

        static int Letters(List<LanguageLine> of) => of.Sum(l => l.Text.Length);

        bool Enough(List<LanguageLine> of) => of.Count >= 5 && Letters(of) >= 0.02 * Math.Min(letters, MostTestLetters);
    }
}
