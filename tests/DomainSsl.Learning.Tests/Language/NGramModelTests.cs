using System.Globalization;
using DomainSsl.Learning.Language;
using DomainSsl.Testing;

namespace DomainSsl.Learning.Tests.Language;

public class NGramModelTests
{
    private static readonly string[] Reports =
    [
        "the heart is normal in size", "the heart is at the upper limit of normal", "no focal consolidation is seen", "no acute fracture is seen", "the lungs are clear",
        "no pleural effusion", "there is a small pleural effusion on the left", "the heart is enlarged", "no change since the last examination", "the lungs are clear no effusion",
    ];

    /// <summary>
    /// Chen and Goodman's formulas as they stand, on lists of n-grams, each sum taken anew: P(w | h) with h the last tokens before w.
    /// </summary>
    private sealed class Naive
    {
        private readonly List<string[]> _sentences;
        private readonly int _order;
        private readonly string[] _vocabulary;
        private readonly Dictionary<int, double[]> _discounts = [];

        public Naive(IEnumerable<string> lines, int order)
        {
            _order = order;
            _sentences = [.. lines.Select(l => (string[])["<s>", .. l.Split(' '), "</s>"])];
            _vocabulary = [.. _sentences.SelectMany(s => s).Append("<unk>").Distinct().Where(w => w != "<s>")];
        }

        public IReadOnlyList<string> Vocabulary => _vocabulary;

        public double P(string w, string[] h)
        {
            if (h.Length > _order - 1) h = h[^(_order - 1)..];
            var counts = _vocabulary.Select(v => Adjusted([.. h, v])).ToArray();
            double sum = counts.Sum();
            var lower = h.Length == 0 ? 1.0 / _vocabulary.Length : P(w, h[1..]);
            if (sum == 0) return lower;
            var d = Discounts(h.Length + 1);
            var gamma = Enumerable.Range(1, 3).Sum(i => d[i] * counts.Count(c => c == i || i == 3 && c > 3)) / sum;
            var a = Adjusted([.. h, w]);
            return Math.Max(a - d[Math.Min(a, 3)], 0) / sum + gamma * lower;
        }

        // How often it stands, or before how many different tokens.
        private int Adjusted(string[] g) => g.Length == _order || g[0] == "<s>"
            ? _sentences.Sum(s => Enumerable.Range(0, Math.Max(0, s.Length - g.Length + 1)).Count(i => s.AsSpan(i, g.Length).SequenceEqual(g)))
            : _sentences.SelectMany(s => Enumerable.Range(1, Math.Max(0, s.Length - g.Length)).Where(i => i + g.Length <= s.Length && s.AsSpan(i, g.Length).SequenceEqual(g)).Select(i => s[i - 1])).Distinct().Count();

        private double[] Discounts(int n) => _discounts.TryGetValue(n, out var known) ? known : _discounts[n] = DiscountsOf(n);

        private double[] DiscountsOf(int n)
        {
            var grams = _sentences.SelectMany(s => Enumerable.Range(0, Math.Max(0, s.Length - n + 1)).Select(i => string.Join(' ', s.Skip(i).Take(n)))).Distinct().Where(g => g != "<s>")
                .Select(g => Adjusted(g.Split(' '))).ToList();
            double N(int i) => grams.Count(c => c == i);
            var y = N(1) / (N(1) + 2 * N(2));
            double[] d = [0, 1 - 2 * y * N(2) / N(1), 2 - 3 * y * N(3) / N(2), 3 - 4 * y * N(4) / N(3)];
            return N(1) > 0 && N(2) > 0 && N(3) > 0 && Enumerable.Range(1, 3).All(i => d[i] >= 0 && d[i] <= i) ? d : [0, 0.5, 1, 1.5];
        }
    }

    private static double Probability(NGramModel model, string word, string[] history)
    {
        var state = history is ["<s>", ..] ? model.Start : NGramModel.Root;
        foreach (var w in history.Where(w => w != "<s>")) model.Next(state, model.Token(w), out state);
        return Math.Exp(model.Next(state, model.Token(word), out _));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Train_Reports_EqualsThePapersFormulas(int order)
    {
        var (model, naive) = (NGramModel.Train(Reports, new NGramOptions { Order = order }), new Naive(Reports, order));
        string[][] histories = [["<s>"], ["<s>", "the"], ["<s>", "the", "heart"], ["the", "heart", "is"], ["no"], ["pleural", "effusion"], ["never", "seen"], ["lungs", "never"], ["is", "a", "small"]];
        foreach (var h in histories)
        {
            foreach (var w in naive.Vocabulary) Assert.Equal(naive.P(w, h), Probability(model, w, h), 1e-6);
            Assert.Equal(1, naive.Vocabulary.Sum(w => Probability(model, w, h)), 1e-5);
        }
    }

    [Fact]
    public void Train_SpeechoceanTexts_SumsToOneWithTheDiscountsOfTheText()
    {
        var lines = Speechocean("train");
        var model = NGramModel.Train(lines, new NGramOptions());
        string[][] histories = [["<s>"], ["<s>", "i"], ["i", "like"], ["going", "to"], ["of", "the"], ["nobody", "says"]];
        foreach (var h in histories) Assert.Equal(1, model.Tokens.Skip(1).Sum(w => Probability(model, w, h)), 1e-4);
        var naive = new Naive(lines, 3);
        foreach (var w in (string[])["to", "the", "</s>", "<unk>", "cat"]) Assert.Equal(naive.P(w, ["going", "to"]), Probability(model, w, ["going", "to"]), 1e-6);
    }

    [Fact]
    public void Measure_UnseenSpeakers_IsFarBetterThanChanceAndBetterWithContext()
    {
        var (train, dev) = (Speechocean("train"), Speechocean("dev"));
        double Perplexity(int order) => NGramModel.Train(train, new NGramOptions { Order = order }).Measure(dev).Perplexity;
        var (one, three) = (Perplexity(1), Perplexity(3));
        Assert.True(three < one && one < 1500, $"{three:0} with context, {one:0} without");
        double Letters(int order) => NGramModel.Train(train, new NGramOptions { Order = order, Unit = NGramUnit.Letter }).Measure(dev).Perplexity;
        Assert.True(Letters(6) < Letters(3) && Letters(3) < Letters(1) && Letters(1) < 29, $"{Letters(6):0.0}, {Letters(3):0.0}, {Letters(1):0.0}");
    }

    [Fact]
    public void Score_IsTheSumOfItsSteps_AndUnknownWordsAreCounted()
    {
        var model = NGramModel.Train(Reports, new NGramOptions { Order = 3 });
        var naive = new Naive(Reports, 3);
        var expected = Math.Log(naive.P("the", ["<s>"])) + Math.Log(naive.P("<unk>", ["<s>", "the"])) + Math.Log(naive.P("is", ["<unk>"])) + Math.Log(naive.P("</s>", ["is"]));
        Assert.Equal(expected, model.Score("the zebra is"), 1e-5);
        var measure = model.Measure(["the zebra is", "", "no effusion"]);
        Assert.Equal((7, 1), (measure.Tokens, measure.Unknown));
        Assert.Equal(Math.Exp(-measure.LogLikelihood / 7), measure.Perplexity, 1e-9);
    }

    [Fact]
    public void Train_RareWords_AreCountedAsUnknownOnes()
    {
        var model = NGramModel.Train(["a b a", "a c", "b a"], new NGramOptions { Order = 2, FewestTimes = 2 });
        Assert.Equal(["<s>", "</s>", "<unk>", "a", "b"], model.Tokens);
        Assert.Equal(1, model.Tokens.Skip(1).Sum(w => Probability(model, w, ["a"])), 1e-6);
        Assert.True(Probability(model, "c", ["a"]) > Probability(NGramModel.Train(["a b a", "a c", "b a"], new NGramOptions { Order = 2 }), "<unk>", ["a"]));
    }

    [Theory]
    [InlineData(NGramUnit.Word, 1)]
    [InlineData(NGramUnit.Word, 3)]
    [InlineData(NGramUnit.Letter, 5)]
    public void SaveLoad_GivesTheSameModel_ArpaNearly(NGramUnit unit, int order)
    {
        using var folder = new TemporaryFolder();
        var model = NGramModel.Train(Reports, new NGramOptions { Order = order, Unit = unit });
        NGramFiles.Save(model, folder.At("own.ngram"));
        NGramFiles.WriteArpa(model, folder.At("model.arpa"));
        var own = NGramFiles.Load(folder.At("own.ngram"));
        Assert.Equal((model.Order, model.Unit, model.Count), (own.Order, own.Unit, own.Count));
        Assert.Equal(model.Tokens, own.Tokens);
        foreach (var text in (string[])["the heart is clear", "no zebra", "effusion effusion", "since"])
        {
            Assert.Equal(model.Score(text), own.Score(text));
            Assert.Equal(model.Score(text), ArpaScore(folder.At("model.arpa"), NGramModel.Split(text, unit), order), 1e-4);
        }
        if (order > 1) Assert.True(new FileInfo(folder.At("own.ngram")).Length < new FileInfo(folder.At("model.arpa")).Length / 2);
    }

    // What the format says: the n-gram's own probability where it is listed, else the context's weight and the shorter context's.
    private static double ArpaScore(string path, IReadOnlyList<string> text, int order)
    {
        var lines = File.ReadAllLines(path);
        var grams = lines.Select(l => l.Split('\t')).Where(l => l.Length > 1)
            .ToDictionary(l => l[1], l => (P: double.Parse(l[0], CultureInfo.InvariantCulture), Weight: l.Length > 2 ? double.Parse(l[2], CultureInfo.InvariantCulture) : 0));
        Assert.Equal(["\\data\\", "\\end\\"], new[] { lines[0], lines[^1] });
        foreach (var level in grams.Keys.GroupBy(g => g.Split(' ').Length)) Assert.Contains($"ngram {level.Key}={level.Count()}", lines);
        var (sum, history) = (0.0, new List<string> { "<s>" });
        foreach (var token in text.Append("</s>").Select(t => grams.ContainsKey(t) ? t : "<unk>"))
        {
            sum += P(token, [.. history.TakeLast(order - 1)]);
            history.Add(token);
        }
        return sum * Math.Log(10);

        double P(string token, string[] context) => grams.TryGetValue(string.Join(' ', context.Append(token)), out var gram) ? gram.P
            : (grams.TryGetValue(string.Join(' ', context), out var shorter) ? shorter.Weight : 0) + P(token, context[1..]);
    }

    [Fact]
    public void Load_AnyByteChangedOrMissing_IsRefusedOrReadsAsSomeModel()
    {
        using var folder = new TemporaryFolder();
        NGramFiles.Save(NGramModel.Train(Reports.Take(4), new NGramOptions { Order = 2 }), folder.At("sound"));
        var sound = File.ReadAllBytes(folder.At("sound"));
        var random = new Random(1);
        var refused = 0;
        for (var trial = 0; trial < 1500; trial++)
        {
            var bytes = sound.ToArray();
            if (trial % 3 == 0) bytes = bytes[..random.Next(bytes.Length)];
            else for (var n = 0; n < 1 + trial % 4; n++) bytes[random.Next(trial % 2 == 0 ? bytes.Length : 60)] = (byte)random.Next(256);
            File.WriteAllBytes(folder.At("x"), bytes);
            try { NGramFiles.Load(folder.At("x")).Score("the heart is clear"); }
            catch (LearningException) { refused++; }
        }
        Assert.InRange(refused, 500, 1500);
    }

    [Fact]
    public void Train_NoText_SaysSo() => Assert.Contains("no text", Assert.Throws<LearningException>(() => NGramModel.Train(["", "  "], new NGramOptions())).Message);

    private static List<string> Speechocean(string split) => [.. File.ReadAllLines(SharedData.Path($"speech/speechocean/{split}.csv")).Skip(1).Select(l => l.Split(',')[5])];
}
