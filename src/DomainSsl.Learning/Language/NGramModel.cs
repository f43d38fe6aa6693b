using System.Text;

namespace DomainSsl.Learning.Language;

/// <summary>What an n-gram model counts.</summary>
public enum NGramUnit
{
    /// <summary>Words, parted by spaces.</summary>
    Word,

    /// <summary>Letters, the space among them.</summary>
    Letter,
}

/// <summary>Settings of <see cref="NGramModel.Train"/>.</summary>
public sealed record NGramOptions
{
    /// <summary>N: a token is predicted from the N − 1 before it. 3 suits words of a small text; 5 to 8 suits letters.</summary>
    public int Order { get; init; } = 3;

    /// <summary>Words or letters.</summary>
    public NGramUnit Unit { get; init; } = NGramUnit.Word;

    /// <summary>Words that stand fewer times than this in the text are counted as unknown ones.</summary>
    public int FewestTimes { get; init; } = 1;
}

/// <summary>How well a model foretells a text.</summary>
/// <param name="LogLikelihood">ln P of all lines, their ends included.</param>
/// <param name="Tokens">Tokens, ends included.</param>
/// <param name="Unknown">Of these, tokens that the model does not know.</param>
public sealed record NGramMeasure(double LogLikelihood, int Tokens, int Unknown)
{
    /// <summary>exp(−ln P / tokens): as many equally likely choices a token.</summary>
    public double Perplexity => Math.Exp(-LogLikelihood / Tokens);
}

/// <summary>
/// An n-gram language model: interpolated modified Kneser–Ney (Chen and Goodman 1999, section 3 and equations 24 to 26). It is read as an automaton: a
/// state is the longest known context, <see cref="Next"/> gives ln P of a token there and the state after it, backing off where the model has not seen the two together. All
/// logarithms are natural. Safe to read from several threads.
/// </summary>
/// <remarks>
/// As interpolated probabilities are stored whole, an unseen n-gram costs the context's weight γ and the shorter context's probability, which is the paper's interpolation
/// exactly. Nodes lie level by level, children of a node side by side in the order of their tokens: a step is a binary search.
/// </remarks>
public sealed class NGramModel
{
    /// <summary>The token of a text's beginning; it is a context only and is never foretold.</summary>
    public const int Begin = 0;

    /// <summary>The token of a text's end.</summary>
    public const int End = 1;

    /// <summary>The token of everything that the model does not know.</summary>
    public const int Unknown = 2;

    /// <summary>The state without any context.</summary>
    public const int Root = 0;

    private readonly string[] _tokens;
    private readonly Dictionary<string, int> _numbers;
    private readonly int[] _token, _firstChild, _shorter, _order;      // of a node; _firstChild has one more
    private readonly float[] _logProbability, _backOff;

    // Nodes must be sorted level by level, then by parent, then by token; parent[i] < i.
    internal NGramModel(int order, NGramUnit unit, string[] tokens, int[] parent, int[] token, float[] logProbability, float[] backOff)
    {
        (Order, Unit, _tokens, _token, _logProbability, _backOff) = (order, unit, tokens, token, logProbability, backOff);
        _numbers = new Dictionary<string, int>(tokens.Length, StringComparer.Ordinal);
        for (var i = 0; i < tokens.Length; i++) _numbers.Add(tokens[i], i);
        var nodes = token.Length;
        (_firstChild, _shorter, _order) = (new int[nodes + 1], new int[nodes], new int[nodes]);
        for (var i = 1; i < nodes; i++) _firstChild[parent[i] + 1]++;
        _firstChild[0] = 1;
        for (var i = 1; i <= nodes; i++) _firstChild[i] += _firstChild[i - 1];
        for (var i = 1; i < nodes; i++)
        {
            _order[i] = _order[parent[i]] + 1;
            if (_order[i] == 1) continue;
            // The longest known suffix; a file may lack the next shorter one.
            var context = _shorter[parent[i]];
            int shorter;
            while ((shorter = Child(context, token[i])) < 0 && context != Root) context = _shorter[context];
            _shorter[i] = Math.Max(shorter, Root);
        }
        Start = Child(Root, Begin) is >= 0 and var start ? Context(start) : Root;
    }

    /// <summary>N.</summary>
    public int Order { get; }

    /// <summary>Words or letters.</summary>
    public NGramUnit Unit { get; }

    /// <summary>All tokens: those of beginning, end and unknown, then the text's.</summary>
    public IReadOnlyList<string> Tokens => _tokens;

    /// <summary>Number of n-grams of all lengths.</summary>
    public int Count => _token.Length - 1;

    /// <summary>The state at a text's beginning.</summary>
    public int Start { get; }

    /// <summary>A token's number; <see cref="Unknown"/> where the model does not know it.</summary>
    public int Token(string token) => _numbers.GetValueOrDefault(token, Unknown);

    /// <summary>ln P(token | state).</summary>
    /// <param name="state"><see cref="Start"/>, or what an earlier call gave.</param>
    /// <param name="token">Its number.</param>
    /// <param name="next">The state after it.</param>
    public double Next(int state, int token, out int next)
    {
        var sum = 0.0;
        for (var context = state; ; context = _shorter[context])
        {
            var node = Child(context, token);
            if (node >= 0)
            {
                next = Context(node);
                return sum + _logProbability[node];
            }
            if (context == Root) break;
            sum += _backOff[context];
        }
        next = Root;
        // A file may lack a token, even the unknown one, among its 1-grams; it then has no probability at all.
        return double.NegativeInfinity;
    }

    /// <summary>ln P of a whole text (normalised, one sentence), its end included.</summary>
    public double Score(string text) => Measure([text]).LogLikelihood;

    /// <summary>How well the model foretells lines of text; empty ones are left out.</summary>
    public NGramMeasure Measure(IEnumerable<string> lines)
    {
        var (sum, tokens, unknown) = (0.0, 0, 0);
        foreach (var line in lines)
        {
            var words = Split(line, Unit);
            if (words.Count == 0) continue;
            var state = Start;
            foreach (var word in words)
            {
                var number = Token(word);
                if (number == Unknown) unknown++;
                sum += Next(state, number, out state);
            }
            sum += Next(state, End, out _);
            tokens += words.Count + 1;
        }
        return new NGramMeasure(sum, tokens, unknown);
    }

    /// <summary>Counts lines of normalised text, one sentence a line, and smooths them.</summary>
    /// <exception cref="LearningException">There is no text, or a setting cannot be.</exception>
    public static NGramModel Train(IEnumerable<string> lines, NGramOptions options) => KneserNey.Train(lines, options);

    /// <summary>A text's tokens. A letter model writes the space as <c>▁</c>, so that its tokens can stand in an ARPA file.</summary>
    internal static IReadOnlyList<string> Split(string line, NGramUnit unit)
    {
        var words = line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        return unit == NGramUnit.Word ? words : [.. string.Join('▁', words).Select(c => c.ToString())];
    }

    // A context is at most N − 1 long: a node of the longest n-grams stands for its suffix.
    private int Context(int node) => _order[node] < Order ? node : _shorter[node];

    private int Child(int node, int token)
    {
        var (low, high) = (_firstChild[node], _firstChild[node + 1] - 1);
        while (low <= high)
        {
            var middle = (low + high) >>> 1;
            var there = _token[middle];
            if (there == token) return middle;
            if (there < token) low = middle + 1;
            else high = middle - 1;
        }
        return -1;
    }

    /// <summary>Every node in its order with its n-gram, for writing.</summary>
    internal IEnumerable<(int Order, int Parent, int Token, float LogProbability, float BackOff)> Nodes()
    {
        var parent = new int[_token.Length];
        for (var p = 0; p < _token.Length; p++)
            for (var c = _firstChild[p]; c < _firstChild[p + 1]; c++) parent[c] = p;
        for (var i = 1; i < _token.Length; i++) yield return (_order[i], parent[i], _token[i], _logProbability[i], _backOff[i]);
    }
}
