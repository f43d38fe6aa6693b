namespace DomainSsl.Learning.Language;

/// <summary>
/// Interpolated modified Kneser–Ney smoothing: "An empirical study of smoothing techniques for language modeling", Chen and Goodman, Computer Speech and Language 13, 1999.
/// With a(g) the adjusted count of an n-gram (how often it stands, for the longest ones and those at a text's beginning; else before how many different tokens it stands):
/// <code>
/// P(w | h) = max(a(hw) − D(a(hw)), 0) / Σ a(h·) + γ(h) P(w | h′)
/// γ(h)     = (D₁ N₁(h·) + D₂ N₂(h·) + D₃₊ N₃₊(h·)) / Σ a(h·)
/// Y = n₁ / (n₁ + 2 n₂),  D₁ = 1 − 2Y n₂/n₁,  D₂ = 2 − 3Y n₃/n₂,  D₃₊ = 3 − 4Y n₄/n₃
/// </code>
/// and the shortest context falls back to all tokens alike (beginning left out, the unknown counted). Departure: a text too small for its discounts (some nᵢ is none, or a
/// discount leaves [0, i]) takes ½, 1 and 1½ at that length.
/// </summary>
internal static class KneserNey
{
    private static readonly double[] SmallTextDiscounts = [0, 0.5, 1, 1.5];

    public static NGramModel Train(IEnumerable<string> lines, NGramOptions options)
    {
        if (options.Order is < 1 or > 20) throw new LearningException($"An n-gram model's order must be 1 to 20, not {options.Order}.");
        if (options.FewestTimes < 1) throw new LearningException("The fewest times that a word must stand in the text is at least 1.");
        var (sentences, tokens) = Read(lines, options);
        var trie = new Trie();
        foreach (var sentence in sentences)
            for (var i = 0; i < sentence.Length; i++)
            {
                var node = NGramModel.Root;
                for (var j = i; j < Math.Min(sentence.Length, i + options.Order); j++) trie.Times[node = trie.Child(node, sentence[j])]++;
            }
        // An unknown token is always foretold, seen or not.
        trie.Child(NGramModel.Root, NGramModel.Unknown);
        return Smooth(trie, tokens, options);
    }

    private static (List<int[]> Sentences, string[] Tokens) Read(IEnumerable<string> lines, NGramOptions options)
    {
        var split = lines.Select(l => NGramModel.Split(l, options.Unit)).Where(l => l.Count > 0).ToList();
        if (split.Count == 0) throw new LearningException("There is no text to learn a language model from; give it transcripts or reports, one sentence a line.");
        var times = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var token in split.SelectMany(l => l)) times[token] = times.GetValueOrDefault(token) + 1;
        string[] tokens = ["<s>", "</s>", "<unk>", .. times.Where(t => t.Value >= options.FewestTimes && t.Key is not ("<s>" or "</s>" or "<unk>")).Select(t => t.Key).Order(StringComparer.Ordinal)];
        var numbers = tokens.Select((t, i) => (t, i)).ToDictionary(t => t.t, t => t.i, StringComparer.Ordinal);
        return ([.. split.Select(l => (int[])[NGramModel.Begin, .. l.Select(t => numbers.GetValueOrDefault(t, NGramModel.Unknown)), NGramModel.End])], tokens);
    }

    private static NGramModel Smooth(Trie trie, string[] tokens, NGramOptions options)
    {
        var nodes = trie.Count;
        var (shorter, adjusted, order) = (new int[nodes], new int[nodes], new int[nodes]);
        var opening = new bool[nodes]; // begins with the beginning of a text, before which nothing can stand
        for (var i = 1; i < nodes; i++)
        {
            var parent = trie.Parent[i];
            order[i] = order[parent] + 1;
            opening[i] = parent == NGramModel.Root ? trie.Token[i] == NGramModel.Begin : opening[parent];
            if (order[i] > 1) adjusted[shorter[i] = trie.Child(shorter[parent], trie.Token[i])]++;
        }
        for (var i = 1; i < nodes; i++)
            if (order[i] == options.Order || opening[i]) adjusted[i] = trie.Times[i];
        adjusted[NGramModel.Root] = 0;
        var discounts = Discounts(adjusted, order, trie, options.Order);

        var (sum, taken) = (new double[nodes], new double[nodes]);
        for (var i = 1; i < nodes; i++)
        {
            if (IsBegin(i)) continue;
            sum[trie.Parent[i]] += adjusted[i];
            taken[trie.Parent[i]] += discounts[order[i]][Math.Min(adjusted[i], 3)];
        }
        // By length, so that the shorter context's probabilities are there.
        var probability = new double[nodes];
        foreach (var i in Enumerable.Range(1, nodes - 1).OrderBy(i => order[i]))
        {
            if (IsBegin(i)) continue;
            var parent = trie.Parent[i];
            var rest = order[i] == 1 ? 1.0 / (tokens.Length - 1) : probability[shorter[i]];
            probability[i] = Math.Max(adjusted[i] - discounts[order[i]][Math.Min(adjusted[i], 3)], 0) / sum[parent] + taken[parent] / sum[parent] * rest;
        }

        // Level by level, by parent, by token: what the model wants.
        var (place, sorted, parents, at) = (new int[nodes], new int[nodes], new int[nodes], 1);
        foreach (var level in Enumerable.Range(1, nodes - 1).GroupBy(i => order[i]).OrderBy(l => l.Key))
            foreach (var i in level.OrderBy(i => place[trie.Parent[i]]).ThenBy(i => trie.Token[i])) sorted[place[i] = at++] = i;
        for (var i = 1; i < nodes; i++) parents[i] = place[trie.Parent[sorted[i]]];
        return new NGramModel(options.Order, options.Unit, tokens, parents, [.. sorted.Select(i => trie.Token[i])],
            [.. sorted.Select(i => i == 0 || IsBegin(i) ? float.NegativeInfinity : (float)Math.Log(probability[i]))],
            [.. sorted.Select(i => sum[i] > 0 ? (float)Math.Log(taken[i] / sum[i]) : 0)]);

        bool IsBegin(int i) => order[i] == 1 && trie.Token[i] == NGramModel.Begin;
    }

    private static double[][] Discounts(int[] adjusted, int[] order, Trie trie, int longest)
    {
        var times = new double[longest + 1, 5];
        for (var i = 1; i < adjusted.Length; i++)
            if (adjusted[i] is >= 1 and <= 4 && !(order[i] == 1 && trie.Token[i] == NGramModel.Begin)) times[order[i], adjusted[i]]++;
        var discounts = new double[longest + 1][];
        for (var n = 0; n <= longest; n++)
        {
            double n1 = times[n, 1], n2 = times[n, 2], n3 = times[n, 3], n4 = times[n, 4], y = n1 / (n1 + 2 * n2);
            double[] d = [0, 1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3];
            discounts[n] = n1 > 0 && n2 > 0 && n3 > 0 && Enumerable.Range(1, 3).All(i => d[i] >= 0 && d[i] <= i) ? d : SmallTextDiscounts;
        }
        return discounts;
    }

    /// <summary>All n-grams up to N as a tree; a node is made when it is first asked for.</summary>
    private sealed class Trie
    {
        private readonly Dictionary<(int Node, int Token), int> _children = [];

        public List<int> Parent { get; } = [0];

        public List<int> Token { get; } = [-1];

        public List<int> Times { get; } = [0];

        public int Count => Parent.Count;

        public int Child(int node, int token)
        {
            if (_children.TryGetValue((node, token), out var child)) return child;
            _children.Add((node, token), child = Count);
            Parent.Add(node);
            Token.Add(token);
            Times.Add(0);
            return child;
        }
    }
}
