using DomainSsl.Learning.Data;
using DomainSsl.Learning.Decoding;
using DomainSsl.Learning.Evaluation;
using DomainSsl.Learning.Language;
using static TorchSharp.torch;

namespace DomainSsl.Learning.Transcribing;

/// <summary>
/// How much a transcriber's decoding listens to a language model: chosen by the word errors of held-out speakers, with models of the other speakers' texts, in which no held-out sentence stands. A weight after another, each the best of a
/// few with the others as they are; where two do alike, the letters decide.
/// </summary>
internal static class BeamChoice
{
    // Held-out speech that is decoded for each weight: a minute decodes in a second or so.
    private const double MostSeconds = 120;
    private const int WordOrder = 2, LetterOrder = 6;

    private static readonly (Func<BeamOptions, double, BeamOptions> Set, double[] Values)[] Weights =
    [
        ((o, v) => o with { Alpha = v }, [0.25, 0.5, 0.8, 1.2]),
        ((o, v) => o with { Gamma = v }, [0, 0.15, 0.3, 0.5]),
        ((o, v) => o with { Beta = v }, [0, 1, 2, 3]),
        ((o, v) => o with { UnknownWord = v }, [-8, -4, -2, -1]),
    ];

    /// <summary>Models of words and letters of some texts.</summary>
    public static NGramPair Models(IEnumerable<string> texts)
    {
        string[] lines = [.. texts];
        return new NGramPair(NGramModel.Train(lines, new NGramOptions { Order = WordOrder }), NGramModel.Train(lines, new NGramOptions { Order = LetterOrder, Unit = NGramUnit.Letter }));
    }

    /// <summary>The weights to decode with; null where too little is held out to tell.</summary>
    /// <param name="network">As it was fitted.</param>
    /// <param name="shard">The sound.</param>
    /// <param name="train">Pieces that it learnt from.</param>
    /// <param name="held">Pieces that it did not.</param>
    /// <param name="alphabet">The letters.</param>
    /// <param name="batchSeconds">Sound that is computed at once.</param>
    /// <param name="device">Where.</param>
    /// <param name="cancel">Looked at between decodings.</param>
    public static BeamOptions? Of(TranscriberNetwork network, SoundShard shard, IReadOnlyList<SpokenItem> train, IReadOnlyList<SpokenItem> held, Alphabet alphabet, double batchSeconds, Device device, CancellationToken cancel)
    {
        var (some, seconds) = (new List<SpokenItem>(), 0.0);
        foreach (var item in held)
        {
            if (seconds >= MostSeconds) break;
            some.Add(item);
            seconds += shard.Lengths[item.Index] / (double)SoundShard.SampleRate;
        }
        var said = held.Select(i => i.Text).ToHashSet(StringComparer.Ordinal);
        string[] texts = [.. train.Select(i => i.Text).Where(t => !said.Contains(t))];
        if (some.Count == 0 || texts.Length == 0) return null;
        var models = Models(texts);
        var frames = Transcriber.Frames(network, shard, some, batchSeconds, device, cancel);
        (double, double) Errors(BeamOptions options)
        {
            cancel.ThrowIfCancellationRequested();
            var pairs = some.Zip(Decoded(frames, new PrefixBeamSearch(alphabet, options, models.Words, models.Letters)), (i, text) => (i.Text, text)).ToList();
            return (pairs.Select(p => ErrorCounts.OfWords(p.Text, p.text)).Aggregate(ErrorCounts.Add).Rate, pairs.Select(p => ErrorCounts.OfLetters(p.Text, p.text)).Aggregate(ErrorCounts.Add).Rate);
        }
        var best = new BeamOptions();
        var least = Errors(best);
        foreach (var (set, values) in Weights)
        {
            foreach (var options in values.Select(v => set(best, v)).Where(o => o != best).ToList())
            {
                if (Errors(options) is var errors && errors.CompareTo(least) < 0) (best, least) = (options, errors);
            }
        }
        return best;
    }

    /// <summary>Each sound's likeliest text, on all cores.</summary>
    public static string[] Decoded(IReadOnlyList<float[]> frames, PrefixBeamSearch search)
    {
        var texts = new string[frames.Count];
        Parallel.For(0, texts.Length, i => texts[i] = search.Decode(frames[i])[0].Text);
        return texts;
    }
}
