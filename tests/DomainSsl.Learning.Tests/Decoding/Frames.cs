using DomainSsl.Learning.Decoding;

namespace DomainSsl.Learning.Tests.Decoding;

/// <summary>Matrices of log-probabilities for tests, and the slow sums over all alignments that decoders are held against.</summary>
internal static class Frames
{
    /// <summary>Random rows that sum to one; the higher the sharpness, the surer.</summary>
    public static float[] Random(int frames, int size, int seed, double sharpness = 1)
    {
        var (random, rows) = (new Random(seed), new float[frames * size]);
        for (var t = 0; t < frames; t++)
        {
            var scores = Enumerable.Range(0, size).Select(_ => sharpness * Math.Log(1 - random.NextDouble())).ToArray();
            var sum = Math.Log(scores.Sum(Math.Exp));
            for (var v = 0; v < size; v++) rows[t * size + v] = (float)(scores[v] - sum);
        }
        return rows;
    }

    /// <summary>One row a letter of <paramref name="shown"/> (<c>_</c> is the blank), that letter with probability <paramref name="sure"/>, the others alike.</summary>
    public static float[] Of(string shown, Alphabet alphabet, double sure = 0.9)
    {
        var rows = new float[shown.Length * alphabet.Size];
        Array.Fill(rows, (float)Math.Log((1 - sure) / (alphabet.Size - 1)));
        for (var t = 0; t < shown.Length; t++) rows[t * alphabet.Size + (shown[t] == '_' ? Alphabet.Blank : alphabet.Number(shown[t]))] = (float)Math.Log(sure);
        return rows;
    }

    /// <summary>What one more of several letters says: sets the probability of <paramref name="letter"/> in a frame, taking it from all others.</summary>
    public static float[] With(this float[] rows, Alphabet alphabet, int frame, char letter, double probability)
    {
        var row = rows.AsSpan(frame * alphabet.Size, alphabet.Size);
        var (number, rest) = (alphabet.Number(letter), 1 - Math.Exp(row[alphabet.Number(letter)]));
        for (var v = 0; v < row.Length; v++) row[v] = v == number ? (float)Math.Log(probability) : (float)(row[v] + Math.Log((1 - probability) / rest));
        return rows;
    }

    /// <summary>Every alignment there is, as the letters of its frames.</summary>
    public static IEnumerable<int[]> Alignments(int frames, int size)
    {
        var path = new int[frames];
        for (long n = 0; n < (long)Math.Pow(size, frames); n++)
        {
            var rest = n;
            for (var t = 0; t < frames; t++) (path[t], rest) = ((int)(rest % size), rest / size);
            yield return path;
        }
    }

    /// <summary>B of Graves et al. 2006: repeats merged, blanks taken out; then trimmed, spaces single.</summary>
    public static string Collapse(int[] path, Alphabet alphabet)
    {
        var letters = path.Where((v, t) => t == 0 || v != path[t - 1]).ToArray();
        return string.Join(' ', alphabet.Decode(letters).Split(' ', StringSplitOptions.RemoveEmptyEntries));
    }

    /// <summary>P(text | frames) of every text, one alignment after another.</summary>
    public static Dictionary<string, double> AllTexts(float[] rows, Alphabet alphabet)
    {
        var frames = rows.Length / alphabet.Size;
        var texts = new Dictionary<string, double>();
        foreach (var path in Alignments(frames, alphabet.Size))
        {
            var text = Collapse(path, alphabet);
            texts[text] = texts.GetValueOrDefault(text) + Math.Exp(path.Select((v, t) => (double)rows[t * alphabet.Size + v]).Sum());
        }
        return texts;
    }
}
