using DomainSsl.Learning.Language;

namespace DomainSsl.Learning.Decoding;

/// <summary>Settings of <see cref="PrefixBeamSearch"/>.</summary>
public sealed record BeamOptions
{
    /// <summary>Prefixes that are kept after each frame.</summary>
    public int Width { get; init; } = 32;

    /// <summary>α: weight of the word model's ln P.</summary>
    public double Alpha { get; init; } = 0.5;

    /// <summary>β: added for each word, in nats; makes up for the word model's liking for few words, and counts as 0 without one: nothing would oppose it, and words would fall apart.</summary>
    public double Beta { get; init; } = 1;

    /// <summary>γ: weight of the letter model's ln P.</summary>
    public double Gamma { get; init; } = 0.3;

    /// <summary>δ: weight of the ln P of a model by which the texts that are found are ranked anew.</summary>
    public double Delta { get; init; } = 0.3;

    /// <summary>Added to the ln P of a word that neither the word model nor the glossary knows, in nats: how much a spelling that nobody has seen is distrusted; 0 without a word model.</summary>
    public double UnknownWord { get; init; } = -4;

    /// <summary>Letters below this ln P in a frame are not tried there, but for the likeliest; −∞: all are.</summary>
    public double LetterFloor { get; init; } = -10;

    /// <summary>Prefixes this far below the best are dropped, in nats; ∞: none is.</summary>
    public double Margin { get; init; } = 25;

    /// <summary>Hypotheses that are given back at most.</summary>
    public int Best { get; init; } = 8;
}

/// <summary>A text that may have been said.</summary>
/// <param name="Text">Words, single spaces.</param>
/// <param name="Score">Acoustic + α Words + β (number of words) + γ Letters + Bonus: what hypotheses are ranked by.</param>
/// <param name="Acoustic">ln P(text | sound): the sum over all alignments that the beam kept.</param>
/// <param name="Words">ln P of the word model, the text's end and <see cref="BeamOptions.UnknownWord"/> included; 0 without one.</param>
/// <param name="Letters">ln P of the letter model, the text's end included; 0 without one.</param>
/// <param name="Bonus">What the glossary's terms in it gained.</param>
public sealed record Hypothesis(string Text, double Score, double Acoustic, double Words, double Letters, double Bonus)
{
    /// <summary>Hypotheses ranked anew with a model too slow for every step of the search, such as a causal Transformer: its ln P of each text is weighed and added to the score.</summary>
    public static IReadOnlyList<Hypothesis> Rescored(IEnumerable<Hypothesis> hypotheses, Func<string, double> logProbability, double weight) =>
        [.. hypotheses.Select(h => h with { Score = h.Score + weight * logProbability(h.Text) }).OrderByDescending(h => h.Score)];
}

/// <summary>
/// Prefix beam search (Graves et al. 2006, section 3.2; Hannun et al. 2014, "First-Pass Large Vocabulary Continuous Speech Recognition using Bi-Directional Recurrent DNNs",
/// algorithm 1). Of each prefix it keeps p_b and p_nb, the probability of all alignments so far that end in a blank and that do not; language models and glossary are fused
/// in as the prefix grows: ln P(text | sound) + α ln P_words(text) + β words + γ ln P_letters(text) + bonus.
/// </summary>
/// <remarks>
/// Departures. The product is taken in logarithms. Spaces at the ends and repeated ones are one prefix with the text without them, since nobody hears the difference: p is the probability of
/// the trimmed text. A search with a wide beam and no thresholds is exact. Safe to use from several threads.
/// </remarks>
public sealed class PrefixBeamSearch
{
    private const double LeastWord = -40;   // nats; so that a model which gives a word nothing does not silence the sound

    private readonly Alphabet _alphabet;
    private readonly BeamOptions _options;
    private readonly NGramModel? _words, _letters;
    private readonly Glossary? _glossary;
    private readonly Lexicon? _lexicon;
    private readonly int[] _letterTokens;

    /// <summary>A search over the letters of an alphabet.</summary>
    /// <param name="alphabet">V letters, the blank counted.</param>
    /// <param name="options">Widths, weights, thresholds.</param>
    /// <param name="words">A model of words, or null.</param>
    /// <param name="letters">A model of letters, or null.</param>
    /// <param name="glossary">Terms that are favoured, or null.</param>
    /// <exception cref="LearningException">A setting cannot be, or a model is of the wrong unit.</exception>
    public PrefixBeamSearch(Alphabet alphabet, BeamOptions options, NGramModel? words = null, NGramModel? letters = null, Glossary? glossary = null)
    {
        if (options.Width < 1 || options.Best < 1) throw new LearningException("The beam's width and the number of hypotheses must be at least 1.");
        if (options.Alpha < 0 || options.Gamma < 0 || !double.IsFinite(options.Beta)) throw new LearningException("The weights alpha and gamma must not be negative, and beta must be a number.");
        if (options.UnknownWord > 0) throw new LearningException("The weight of an unknown word is a penalty and must not be above 0.");
        if (words is { Unit: not NGramUnit.Word }) throw new LearningException("The word model counts letters; give it as the letter model.");
        if (letters is { Unit: not NGramUnit.Letter }) throw new LearningException("The letter model counts words; give it as the word model.");
        (_alphabet, _options, _words, _letters, _glossary) = (alphabet, words is null ? options with { Beta = 0, UnknownWord = 0 } : options, words, letters, glossary);
        if (words is not null) _lexicon = new Lexicon(words, alphabet, glossary?.Words ?? new HashSet<string>());
        _letterTokens = letters is null ? [] : [.. Enumerable.Range(0, alphabet.Size).Select(n => n == Alphabet.Blank ? NGramModel.Unknown : letters.Token(n == alphabet.Space ? "▁" : alphabet.Letter(n).ToString()))];
    }

    /// <summary>The likeliest texts, best first.</summary>
    /// <param name="logProbabilities">T×V, a frame after another, natural logarithms; −∞ is allowed, NaN is not.</param>
    public IReadOnlyList<Hypothesis> Decode(ReadOnlySpan<float> logProbabilities) => new Search(this).Run(logProbabilities);

    /// <summary>A prefix and what follows from it alone. It is found again by parent and letter, so a prefix never stands twice.</summary>
    private struct Prefix
    {
        public int Parent, FirstChild, NextSibling, Letter;
        public int WordState, LetterState, Term, Spelling;      // of word model, letter model, glossary, lexicon
        public int WordCount;
        public double Words, Letters, Bonus;
        public double Fused;        // α Words + β WordCount + γ Letters + Bonus + loan
        public double AfterSpace;   // Fused of the same with a space, NaN until it is asked for
        public int Frame, Place;    // where it is in the beam of a frame
    }

    private readonly record struct Candidate(double Score, double Blank, double Letter, int From, int Added);

    private sealed class Search
    {
        private readonly PrefixBeamSearch _s;
        private readonly Alphabet _alphabet;
        private readonly BeamOptions _options;
        private readonly int _size, _width;
        private Prefix[] _prefixes = new Prefix[1024];
        private int _count = 1, _collectAt = 1 << 15;
        private int[] _beam, _nextBeam, _childPlace;
        private double[] _blank, _letter, _total, _nextBlank, _nextLetter;
        private readonly int[] _tried;
        private readonly Candidate[] _heap;
        private int _heaped;

        public Search(PrefixBeamSearch s)
        {
            (_s, _alphabet, _options, _size, _width) = (s, s._alphabet, s._options, s._alphabet.Size, s._options.Width);
            (_beam, _nextBeam, _childPlace) = (new int[_width], new int[_width], new int[_width * _size]);
            (_blank, _letter, _total, _nextBlank, _nextLetter) = (new double[_width], new double[_width], new double[_width], new double[_width], new double[_width]);
            (_tried, _heap) = (new int[_size], new Candidate[_width]);
            _prefixes[0] = new Prefix
            {
                Parent = -1,
                FirstChild = -1,
                NextSibling = -1,
                Letter = s._alphabet.Space,     // the beginning is a word's beginning
                WordState = s._words?.Start ?? 0,
                LetterState = s._letters?.Start ?? 0,
                Term = s._glossary?.Start ?? 0,
                AfterSpace = double.NaN,
                Frame = -1,
            };
        }

        public List<Hypothesis> Run(ReadOnlySpan<float> logProbabilities)
        {
            var frames = _alphabet.Frames(logProbabilities);
            var kept = 1;
            (_beam[0], _blank[0], _letter[0]) = (0, 0, double.NegativeInfinity);
            for (var t = 0; t < frames; t++)
            {
                kept = Step(logProbabilities.Slice(t * _size, _size), t, kept);
                if (_count >= _collectAt) Collect(kept);
            }
            return Finish(kept);
        }

        // Forgets every prefix that nothing in the beam grew from, so that memory grows with the text and not with the time.
        private void Collect(int kept)
        {
            var place = new int[_count];
            for (var i = 0; i < kept; i++)
                for (var p = _beam[i]; p >= 0 && place[p] == 0; p = _prefixes[p].Parent) place[p] = 1;
            var live = 0;
            for (var p = 0; p < _count; p++) // a parent is older than its children
            {
                if (place[p] == 0) continue;
                ref var prefix = ref _prefixes[live];
                prefix = _prefixes[p];
                place[p] = live++;
                (prefix.FirstChild, prefix.NextSibling, prefix.Frame) = (-1, -1, -1);
                if (prefix.Parent < 0) continue;
                prefix.Parent = place[prefix.Parent];
                (prefix.NextSibling, _prefixes[prefix.Parent].FirstChild) = (_prefixes[prefix.Parent].FirstChild, place[p]);
            }
            for (var i = 0; i < kept; i++) _beam[i] = place[_beam[i]];
            (_count, _collectAt) = (live, Math.Max(_collectAt, 2 * live));
        }

        private int Step(ReadOnlySpan<float> row, int frame, int kept)
        {
            // Children of a prefix that are in the beam themselves: what the prefix gives them must be added, not stand beside.
            _childPlace.AsSpan(0, kept * _size).Fill(-1);
            for (var i = 0; i < kept; i++)
            {
                ref var prefix = ref _prefixes[_beam[i]];
                (prefix.Frame, prefix.Place) = (frame, i);
                _total[i] = Add(_blank[i], _letter[i]);
            }
            for (var j = 0; j < kept; j++)
            {
                ref var prefix = ref _prefixes[_beam[j]];
                if (prefix.Parent < 0) continue;
                ref var parent = ref _prefixes[prefix.Parent];
                if (parent.Frame == frame) _childPlace[parent.Place * _size + prefix.Letter] = j;
            }

            // The prefix stays as it is: a blank, or its last letter held.
            for (var i = 0; i < kept; i++)
            {
                var last = _prefixes[_beam[i]].Letter;
                _nextBlank[i] = _total[i] + row[Alphabet.Blank];
                _nextLetter[i] = (last == _alphabet.Space ? _total[i] : _letter[i]) + row[last];
            }
            for (var i = 0; i < kept; i++)
            {
                var last = _prefixes[_beam[i]].Letter;
                var children = _childPlace.AsSpan(i * _size, _size);
                for (var c = 1; c < _size; c++)
                    if (children[c] is >= 0 and var j) _nextLetter[j] = Add(_nextLetter[j], row[c] + (c == last ? _blank[i] : _total[i]));
            }
            _heaped = 0;
            for (var i = 0; i < kept; i++) Offer(new Candidate(Add(_nextBlank[i], _nextLetter[i]) + _prefixes[_beam[i]].Fused, _nextBlank[i], _nextLetter[i], i, 0));

            // The prefix grows by a letter.
            var tried = Tried(row);
            var most = Math.Max(0, _options.Beta) + (_s._glossary?.LargestStep ?? 0);
            for (var i = 0; i < kept; i++)
            {
                ref var prefix = ref _prefixes[_beam[i]];
                foreach (var c in tried)
                {
                    if (_childPlace[i * _size + c] >= 0 || c == _alphabet.Space && prefix.Letter == _alphabet.Space) continue;
                    var acoustic = row[c] + (c == prefix.Letter ? _blank[i] : _total[i]);
                    // Models only take; what a letter can add at most is known.
                    if (double.IsNegativeInfinity(acoustic) || _heaped == _width && acoustic + prefix.Fused + most <= _heap[0].Score) continue;
                    Offer(new Candidate(acoustic + FusedAfter(ref prefix, c), double.NegativeInfinity, acoustic, i, c));
                }
            }
            return Keep();
        }

        private ReadOnlySpan<int> Tried(ReadOnlySpan<float> row)
        {
            var (n, best) = (0, 1);
            for (var c = 1; c < _size; c++)
            {
                if (row[c] > row[best]) best = c;
                if (row[c] >= _options.LetterFloor) _tried[n++] = c;
            }
            if (n == 0) _tried[n++] = best;
            return _tried.AsSpan(0, n);
        }

        // The best of the candidates become the next beam; _heap holds them with the worst on top.
        private int Keep()
        {
            var chosen = _heap.AsSpan(0, _heaped);
            var best = double.NegativeInfinity;
            foreach (ref readonly var c in chosen) best = Math.Max(best, c.Score);
            var kept = 0;
            foreach (ref readonly var c in chosen)
            {
                if (c.Score < best - _options.Margin) continue;
                _nextBeam[kept] = c.Added == 0 ? _beam[c.From] : Child(_beam[c.From], c.Added);
                (_nextBlank[kept], _nextLetter[kept]) = (c.Blank, c.Letter);
                kept++;
            }
            (_beam, _nextBeam) = (_nextBeam, _beam);
            (_blank, _nextBlank, _letter, _nextLetter) = (_nextBlank, _blank, _nextLetter, _letter);
            return kept;
        }

        private void Offer(in Candidate candidate)
        {
            if (double.IsNegativeInfinity(candidate.Score)) return;
            if (_heaped < _width)
            {
                var i = _heaped++;
                for (; i > 0 && _heap[(i - 1) / 2].Score > candidate.Score; i = (i - 1) / 2) _heap[i] = _heap[(i - 1) / 2];
                _heap[i] = candidate;
                return;
            }
            if (candidate.Score <= _heap[0].Score) return;
            var hole = 0;
            while (true)
            {
                var child = 2 * hole + 1;
                if (child >= _heaped) break;
                if (child + 1 < _heaped && _heap[child + 1].Score < _heap[child].Score) child++;
                if (_heap[child].Score >= candidate.Score) break;
                _heap[hole] = _heap[child];
                hole = child;
            }
            _heap[hole] = candidate;
        }

        private int Child(int parent, int letter)
        {
            for (var child = _prefixes[parent].FirstChild; child >= 0; child = _prefixes[child].NextSibling)
                if (_prefixes[child].Letter == letter) return child;
            if (_count == _prefixes.Length) Array.Resize(ref _prefixes, 2 * _count);
            var made = Grown(ref _prefixes[parent], letter);
            (made.Parent, made.FirstChild, made.NextSibling) = (parent, -1, _prefixes[parent].FirstChild);
            _prefixes[parent].FirstChild = _count;
            _prefixes[_count] = made;
            return _count++;
        }

        private double FusedAfter(ref Prefix prefix, int letter)
        {
            if (letter == _alphabet.Space)
            {
                if (double.IsNaN(prefix.AfterSpace)) prefix.AfterSpace = Grown(ref prefix, letter).Fused;
                return prefix.AfterSpace;
            }
            var fused = prefix.Fused;
            if (_s._letters is { } letters) fused += _options.Gamma * Math.Max(LeastWord, letters.Next(prefix.LetterState, _s._letterTokens[letter], out _));
            if (_s._glossary is { } glossary)
            {
                var term = glossary.After(prefix.Term, letter);
                fused += glossary.Gain(term) + glossary.Loan(term) - glossary.Loan(prefix.Term);
            }
            return fused;
        }

        private Prefix Grown(ref Prefix prefix, int letter)
        {
            var grown = prefix with { Letter = letter, AfterSpace = double.NaN, Frame = -1 };
            if (_s._letters is { } letters) grown.Letters += Math.Max(LeastWord, letters.Next(prefix.LetterState, _s._letterTokens[letter], out grown.LetterState));
            if (_s._glossary is { } glossary) grown.Bonus += glossary.Gain(grown.Term = glossary.After(prefix.Term, letter));
            if (letter == _alphabet.Space) EndWord(ref grown, ref prefix);
            else if (_s._lexicon is { } lexicon) grown.Spelling = lexicon.After(prefix.Spelling, letter);
            grown.Fused = _options.Alpha * grown.Words + _options.Beta * grown.WordCount + _options.Gamma * grown.Letters + grown.Bonus + (_s._glossary?.Loan(grown.Term) ?? 0);
            return grown;
        }

        private void EndWord(ref Prefix grown, ref Prefix before)
        {
            grown.WordCount++;
            grown.Spelling = Lexicon.Start;
            if (_s._words is not { } words) return;
            var (token, known) = _s._lexicon!.Word(before.Spelling);
            grown.Words += Math.Max(LeastWord, words.Next(before.WordState, token, out grown.WordState)) + (known ? 0 : _options.UnknownWord);
        }

        private List<Hypothesis> Finish(int kept)
        {
            var texts = new Dictionary<int, double>();
            for (var i = 0; i < kept; i++)
            {
                ref var prefix = ref _prefixes[_beam[i]];
                var text = prefix.Parent >= 0 && prefix.Letter == _alphabet.Space ? prefix.Parent : _beam[i];
                texts[text] = Add(texts.GetValueOrDefault(text, double.NegativeInfinity), Add(_blank[i], _letter[i]));
            }
            return [.. texts.Select(t => Ended(t.Key, t.Value)).OrderByDescending(h => h.Score).Take(_options.Best)];
        }

        private Hypothesis Ended(int index, double acoustic)
        {
            var prefix = _prefixes[index];
            var ended = prefix;
            if (prefix.Parent >= 0)
            {
                if (_s._glossary is { } glossary) ended.Bonus += glossary.Gain(glossary.After(prefix.Term, _alphabet.Space));
                EndWord(ref ended, ref prefix);
            }
            if (_s._words is { } words) ended.Words += Math.Max(LeastWord, words.Next(ended.WordState, NGramModel.End, out _));
            if (_s._letters is { } letters) ended.Letters += Math.Max(LeastWord, letters.Next(ended.LetterState, NGramModel.End, out _));
            var score = acoustic + _options.Alpha * ended.Words + _options.Beta * ended.WordCount + _options.Gamma * ended.Letters + ended.Bonus;
            return new Hypothesis(Text(index), score, acoustic, ended.Words, ended.Letters, ended.Bonus);
        }

        private string Text(int index)
        {
            var letters = new List<char>();
            for (var i = index; _prefixes[i].Parent >= 0; i = _prefixes[i].Parent) letters.Add(_alphabet.Letter(_prefixes[i].Letter));
            letters.Reverse();
            return new string([.. letters]);
        }

        // ln(eᵃ + eᵇ)
        private static double Add(double a, double b)
        {
            if (a < b) (a, b) = (b, a);
            var d = b - a;
            return d < -40 || double.IsNaN(d) ? a : a + Math.Log(1 + Math.Exp(d));
        }
    }

    /// <summary>The spellings of all words that are known, as a tree: a prefix follows it letter by letter, and at a word's end the word model's token is at hand.</summary>
    private sealed class Lexicon
    {
        public const int Start = 0;
        private const int Lost = -1;
        private readonly Dictionary<int, int> _next = [];
        private readonly List<int> _tokens = [-1];      // −1: no word ends here
        private readonly int _size;

        public Lexicon(NGramModel model, Alphabet alphabet, IEnumerable<string> glossary)
        {
            _size = alphabet.Size;
            for (var token = NGramModel.Unknown + 1; token < model.Tokens.Count; token++) Add(model.Tokens[token], token, alphabet);
            foreach (var word in glossary) Add(word, model.Token(word), alphabet);
        }

        public int After(int spelling, int letter) => spelling == Lost ? Lost : _next.GetValueOrDefault(spelling * _size + letter, Lost);

        /// <summary>The word model's token of a spelling, and whether somebody knows the word.</summary>
        public (int Token, bool Known) Word(int spelling) => spelling == Lost || _tokens[spelling] < 0 ? (NGramModel.Unknown, false) : (_tokens[spelling], true);

        private void Add(string word, int token, Alphabet alphabet)
        {
            if (word.Any(c => alphabet.Number(c) == Alphabet.Blank)) return;    // never comes out of this alphabet
            var node = Start;
            foreach (var c in word)
            {
                var key = node * _size + alphabet.Number(c);
                if (!_next.TryGetValue(key, out var child))
                {
                    _next.Add(key, child = _tokens.Count);
                    _tokens.Add(-1);
                }
                node = child;
            }
            _tokens[node] = token;
        }
    }
}
