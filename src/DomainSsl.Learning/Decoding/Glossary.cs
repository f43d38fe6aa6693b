namespace DomainSsl.Learning.Decoding;

/// <summary>A term that recordings of this clinic are likely to contain.</summary>
/// <param name="Text">One or more words, in any case; numbers are read as they are spoken.</param>
/// <param name="Boost">What a hypothesis gains with the term, in nats a letter (spaces within counted). 0 only makes its words known; below 0 the term is avoided.</param>
public sealed record GlossaryTerm(string Text, double Boost = Glossary.DefaultBoost);

/// <summary>
/// Terms that decoding favours, found in a growing prefix by the automaton of Aho and Corasick (1975), with word ends as letters, so that a term counts only as whole words. On its
/// way through a term a hypothesis is lent the gain of the letters so far, which keeps it in the beam; the loan is given back where the term does not come to its end,
/// and becomes its own where it does. Terms that contain or overlap one another each count.
/// </summary>
public sealed class Glossary
{
    /// <summary>Nats a letter: a letter of a term may be 2.7 times less likely than its rival.</summary>
    public const double DefaultBoost = 1;

    private readonly int _size, _space;
    private readonly int[] _next;           // states × V: the state after a letter
    private readonly double[] _loan;        // of a state: what is lent
    private readonly double[] _gain;        // of a state: what entering it gives for good

    /// <summary>Terms in the letters of an alphabet.</summary>
    /// <exception cref="LearningException">A term has no letter of the alphabet.</exception>
    public Glossary(IEnumerable<GlossaryTerm> terms, Alphabet alphabet)
    {
        (_size, _space) = (alphabet.Size, alphabet.Space);
        var (children, parents) = (new List<int[]> { Row() }, new List<(int State, int Letter)> { (0, 0) });
        var (gains, hopes) = (new List<double> { 0 }, new List<double> { 0 });
        var words = new HashSet<string>(StringComparer.Ordinal);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var term in terms)
        {
            var text = alphabet.Normalise(term.Text);
            if (text.Length == 0) throw new LearningException($"The glossary's term '{term.Text}' has no letter that the model knows; write it as it is spoken.");
            if (!double.IsFinite(term.Boost)) throw new LearningException($"The boost of the glossary's term '{term.Text}' is not a number.");
            if (!seen.Add(text)) continue;  // the same term in another case or spelling
            words.UnionWith(text.Split(' '));
            var letters = alphabet.Encode($" {text} ");
            var state = 0;
            for (var i = 0; i < letters.Length; i++)
            {
                // The opening space is lent nothing: every word has it.
                if (i > 1) hopes[state] = Math.Max(hopes[state], term.Boost * (i - 1));
                if (children[state][letters[i]] < 0)
                {
                    children[state][letters[i]] = children.Count;
                    parents.Add((state, letters[i]));
                    children.Add(Row());
                    gains.Add(0);
                    hopes.Add(0);
                }
                state = children[state][letters[i]];
            }
            gains[state] += term.Boost * text.Length;
        }
        Words = words;

        // Breadth first, so that a shorter suffix is complete before it is needed.
        var fail = new int[children.Count];
        var queue = new Queue<int>([0]);
        while (queue.TryDequeue(out var state))
        {
            for (var letter = 1; letter < _size; letter++)
            {
                var child = children[state][letter];
                var otherwise = state == 0 ? 0 : children[fail[state]][letter];
                if (child < 0) { children[state][letter] = otherwise; continue; }
                fail[child] = otherwise;
                queue.Enqueue(child);
            }
            if (state == 0) continue;
            gains[state] += gains[fail[state]];
            hopes[state] = Math.Max(hopes[state], hopes[fail[state]]);
        }
        _next = [.. children.SelectMany(c => c)];
        (_gain, _loan) = ([.. gains], [.. hopes]);
        Start = _next[_space];
        for (var s = 0; s < _loan.Length; s++)
            for (var letter = 1; letter < _size; letter++)
                if (After(s, letter) is var t) LargestStep = Math.Max(LargestStep, _loan[t] + _gain[t] - _loan[s]);

        int[] Row()
        {
            var row = new int[alphabet.Size];
            Array.Fill(row, -1);
            row[Alphabet.Blank] = 0;
            return row;
        }
    }

    /// <summary>All words of the terms.</summary>
    public IReadOnlySet<string> Words { get; }

    /// <summary>The state at a text's beginning, which is a word's beginning.</summary>
    internal int Start { get; }

    /// <summary>The most that one letter can add.</summary>
    internal double LargestStep { get; }

    /// <summary>The state after a letter.</summary>
    internal int After(int state, int letter) => _next[state * _size + letter];

    /// <summary>What entering a state gives for good.</summary>
    internal double Gain(int state) => _gain[state];

    /// <summary>What is lent in a state.</summary>
    internal double Loan(int state) => _loan[state];

    /// <summary>What a whole text gains.</summary>
    public double Bonus(ReadOnlySpan<int> letters)
    {
        var (state, sum) = (Start, 0.0);
        foreach (var letter in letters) sum += _gain[state = After(state, letter)];
        return letters.Length == 0 ? 0 : sum + _gain[After(state, _space)];
    }
}
