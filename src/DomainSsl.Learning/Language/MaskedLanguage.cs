using DomainSsl.Learning.Objectives;
using DomainSsl.Learning.Training;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace DomainSsl.Learning.Language;

/// <summary>A word and how well it fits.</summary>
/// <param name="Word">The word.</param>
/// <param name="LogProbability">Pseudo ln P in its context.</param>
public sealed record ScoredWord(string Word, double LogProbability)
{
    /// <summary>A letter's mean share, so that long words are not doubted for their length.</summary>
    public double PerLetter => LogProbability / Word.Length;
}

/// <summary>
/// A small BERT: "BERT: Pre-training of Deep Bidirectional Transformers for Language Understanding", Devlin, Chang, Lee, Toutanova, 2019, task 1 (section 3.1): some of the tokens are chosen; of these 80 % are
/// hidden, 10 % replaced, 10 % left; all of the chosen are foretold. No task 2.
/// <para>
/// Departures: tokens are letters, and one letter among its word's others is hardly a riddle; so of a chosen word by turns all is hidden, or its end from a random letter on, or only one letter, from
/// which a young network learns first. 30 % are chosen, since a clinic's text is small (Wettig et al. 2023, "Should You Mask 15 % in Masked Language Modeling?", find more to be better). A word's
/// score hides its letters from the one that is foretold to the word's last: pseudo-log-likelihood (Salazar et al. 2020, "Masked Language Model Scoring", equation 1) in the form for words of several tokens
/// (Kauf and Ivanova 2023, "A Better Way to Do Masked Language Model Scoring"). The word's length is given away by the number of hidden letters.
/// </para>
/// </summary>
public sealed class MaskedLanguage : LanguageModel
{
    private const double Chosen = 0.3, Hidden = 0.8, Replaced = 0.1;
    private const int ScoredAtOnce = 64;

    /// <summary>Of a network of the kind <c>masked</c>.</summary>
    public MaskedLanguage(LanguageNetwork network) : base(network)
    {
        if (network.Spec.Kind != "masked") throw new LearningException("A masked language model needs a masked network; this one is causal.");
    }

    /// <summary>The context.</summary>
    public override int Window => Network.Spec.Context;

    /// <inheritdoc />
    public override ObjectiveLoss Loss(Tensor windows, RandomStream random)
    {
        var (hidden, chosen) = Masked(windows, random);                            // B×N, B×N
        var logits = Network.forward(hidden)[chosen];                              // K×V
        var truth = windows[chosen];                                               // K
        var loss = F.cross_entropy(logits, truth);
        return new ObjectiveLoss(loss, new Dictionary<string, Tensor> { ["right"] = logits.detach().argmax(1).eq(truth) });
    }

    private (Tensor Hidden, Tensor Chosen) Masked(Tensor windows, RandomStream random)
    {
        using var off = no_grad();
        long b = windows.shape[0], n = windows.shape[1];
        var tokens = windows.cpu().data<long>().ToArray();
        var chosen = new bool[tokens.Length];
        for (var row = 0; row < b; row++)
        {
            var words = Words(tokens.AsSpan((int)(row * n), (int)n));
            var (left, order) = ((int)Math.Ceiling(Chosen * n), random.Permutation(words.Count));
            foreach (var w in order)
            {
                if (left <= 0) break;
                var (start, end) = words[w];
                var part = random.Index(3);
                if (part > 0) start += random.Index(end - start);
                if (part > 1) end = start + 1;
                chosen.AsSpan((int)(row * n) + start, end - start).Fill(true);
                left -= end - start;
            }
            if (words.Count == 0) chosen[row * n] = true; // nothing but boundaries
        }
        for (var i = 0; i < tokens.Length; i++)
        {
            if (!chosen[i]) continue;
            var fate = random.Uniform();
            if (fate < Hidden) tokens[i] = Network.Mask;
            else if (fate < Hidden + Replaced) tokens[i] = 1 + random.Index(Network.Alphabet.Size - 1);
        }
        return (tensor(tokens, [b, n]).to(windows.device), tensor(chosen, [b, n]).to(windows.device));
    }

    // Runs of letters between spaces and boundaries.
    private List<(int Start, int End)> Words(ReadOnlySpan<long> tokens)
    {
        var words = new List<(int, int)>();
        for (var i = 0; i < tokens.Length; i++)
        {
            if (Parts(tokens[i])) continue;
            var start = i;
            while (i < tokens.Length && !Parts(tokens[i])) i++;
            words.Add((start, i));
        }
        return words;

        bool Parts(long token) => token == LanguageNetwork.Boundary || token == Network.Alphabet.Space;
    }

    /// <summary>The sum of its words' pseudo ln P.</summary>
    public override double Score(string text) => ScoreWords(text).Sum(w => w.LogProbability);

    /// <summary>How well each word of a normalised text fits between the others.</summary>
    public IReadOnlyList<ScoredWord> ScoreWords(string text)
    {
        long[] tokens = [LanguageNetwork.Boundary, .. Network.Alphabet.Encode(text).Select(t => (long)t), LanguageNetwork.Boundary];
        var words = Words(tokens);
        var length = Math.Min(tokens.Length, Network.Spec.Context);
        // One riddle for each letter: a window round it, with it and the rest of its word hidden.
        var riddles = words.SelectMany((w, number) => Enumerable.Range(w.Start, w.End - w.Start).Select(at => (Word: number, At: at, Last: w.End))).ToList();
        var sums = new double[words.Count];
        foreach (var part in riddles.Chunk(ScoredAtOnce))
        {
            using var scope = NewDisposeScope();
            using var off = no_grad();
            var (rows, places, truths) = (new long[part.Length * length], new long[part.Length], new long[part.Length]);
            for (var r = 0; r < part.Length; r++)
            {
                var (_, at, last) = part[r];
                var from = Math.Clamp(at - length / 2, 0, tokens.Length - length);
                tokens.AsSpan(from, length).CopyTo(rows.AsSpan(r * length));
                rows.AsSpan(r * length + at - from, Math.Min(last, from + length) - at).Fill(Network.Mask);
                (places[r], truths[r]) = (at - from, tokens[at]);
            }
            var logits = Network.forward(tensor(rows, [part.Length, length]).to(Network.Device));                                // R×N×V
            var index = tensor(places).to(Network.Device).view(-1, 1, 1).expand(-1, 1, Network.Alphabet.Size);
            var gained = F.log_softmax(logits.gather(1, index).squeeze(1), 1).gather(1, tensor(truths).to(Network.Device).unsqueeze(1)).squeeze(1).cpu(); // R
            var values = gained.data<float>().ToArray();
            for (var r = 0; r < part.Length; r++) sums[part[r].Word] += values[r];
        }
        return [.. text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select((w, i) => new ScoredWord(w, sums[i]))];
    }
}
