namespace DomainSsl.Learning.Decoding;

/// <summary>A word with its place in the sound.</summary>
/// <param name="Text">The word.</param>
/// <param name="Start">Seconds, where its first letter begins.</param>
/// <param name="End">Seconds, where its last letter ends. CTC shows a letter for a moment only, so words end somewhat early.</param>
/// <param name="Confidence">0 to 1: see <see cref="ForcedAlignment"/>.</param>
public sealed record AlignedWord(string Text, double Start, double End, double Confidence);

/// <summary>A text laid along the sound.</summary>
/// <param name="Words">Its words in order.</param>
/// <param name="LogProbability">ln P of the best alignment.</param>
public sealed record AlignedText(IReadOnlyList<AlignedWord> Words, double LogProbability);

/// <summary>
/// Lays a known text along the frames: the likeliest alignment (Viterbi) in the trellis of the text's letters with a blank before, between and behind them (Graves et al. 2006, section
/// 4.1 and figure 3, with the greatest in place of the sum). A letter's frames are those in which the alignment shows it, a word's from its first letter's first to its last
/// letter's last.
/// <para>
/// A word's confidence is the geometric mean over its L letters of the highest posterior within each letter's frames F_l, exp(1/L Σ_l max_{t∈F_l} ln p_t(l)): the frame's posterior as
/// confidence, gathered to words as in "Fast Entropy-Based Methods of Word-Level Confidence Estimation for End-to-End Automatic Speech Recognition" (Laptev and Ginsburg 2022), with the
/// mean over letters so that long words are not punished. It speaks of a text's letters whether or not the model would have written them, so it also doubts a person's word that
/// the sound does not support. <see cref="WordPosteriors"/> tells what the language model adds.
/// </para>
/// </summary>
public static class ForcedAlignment
{
    private const long MostCells = 1L << 30;

    /// <summary>Fewest frames that a text needs: one a letter, and a blank between equal neighbours.</summary>
    public static int FramesNeeded(string text)
    {
        var n = text.Length;
        for (var i = 1; i < text.Length; i++)
            if (text[i] == text[i - 1]) n++;
        return n;
    }

    /// <summary>Aligns a text with a segment's frames.</summary>
    /// <param name="logProbabilities">T×V, a frame after another.</param>
    /// <param name="alphabet">Of V letters, the blank counted.</param>
    /// <param name="text">In the letters of the alphabet; normalise it first.</param>
    /// <param name="secondsPerFrame">From one frame to the next.</param>
    /// <param name="from">Seconds at which the first frame begins.</param>
    /// <exception cref="LearningException">The text does not fit into the frames, or has no possible alignment.</exception>
    public static AlignedText Align(ReadOnlySpan<float> logProbabilities, Alphabet alphabet, string text, double secondsPerFrame, double from = 0)
    {
        text = string.Join(' ', text.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        var (frames, size, letters) = (alphabet.Frames(logProbabilities), alphabet.Size, alphabet.Encode(text));
        if (letters.Length == 0) return new AlignedText([], 0);
        if (frames < FramesNeeded(text))
            throw new LearningException($"The text has {text.Length} letters and needs {FramesNeeded(text)} frames, but its sound has {frames}; it belongs to another or a longer stretch.");
        var states = 2 * letters.Length + 1;    // even: blank, odd: letter s/2
        if ((long)frames * states > MostCells) throw new LearningException("The segment is too long to align in one piece; split it first.");

        var path = BestPath(logProbabilities, letters, frames, size, out var logProbability);
        if (double.IsNegativeInfinity(logProbability)) throw new LearningException("The model gives this text no probability at all here; it belongs to another stretch.");
        return new AlignedText(Words(logProbabilities, alphabet, text, letters, path, secondsPerFrame, from), logProbability);
    }

    /// <summary>The trellis state of each frame on the likeliest path.</summary>
    private static int[] BestPath(ReadOnlySpan<float> logProbabilities, int[] letters, int frames, int size, out double logProbability)
    {
        var states = 2 * letters.Length + 1;
        var came = new byte[frames * states];   // by how many states the path went up on its way to here
        var (now, before) = (new double[states], new double[states]);
        Array.Fill(before, double.NegativeInfinity);
        (before[0], before[1]) = (logProbabilities[Alphabet.Blank], logProbabilities[letters[0]]);
        for (var t = 1; t < frames; t++)
        {
            var row = logProbabilities.Slice(t * size, size);
            Array.Fill(now, double.NegativeInfinity);
            // States that can be reached from the beginning and from which the end can.
            for (var s = Math.Max(0, states - 2 * (frames - t)); s < Math.Min(states, 2 * t + 2); s++)
            {
                var letter = (s & 1) == 0 ? Alphabet.Blank : letters[s / 2];
                var (best, up) = (before[s], 0);
                if (s > 0 && before[s - 1] > best) (best, up) = (before[s - 1], 1);
                if (s > 1 && (s & 1) == 1 && letters[s / 2] != letters[s / 2 - 1] && before[s - 2] > best) (best, up) = (before[s - 2], 2);
                (now[s], came[t * states + s]) = (best + row[letter], (byte)up);
            }
            (now, before) = (before, now);
        }
        var end = before[states - 1] >= before[states - 2] ? states - 1 : states - 2;
        logProbability = before[end];
        var path = new int[frames];
        for (var (t, s) = (frames - 1, end); t >= 0; s -= came[t * states + s], t--) path[t] = s;
        return path;
    }

    private static List<AlignedWord> Words(ReadOnlySpan<float> logProbabilities, Alphabet alphabet, string text, int[] letters, int[] path, double secondsPerFrame, double from)
    {
        var (first, last, peak) = (new int[letters.Length], new int[letters.Length], new double[letters.Length]);
        Array.Fill(first, -1);
        Array.Fill(peak, double.NegativeInfinity);
        for (var t = 0; t < path.Length; t++)
        {
            if ((path[t] & 1) == 0) continue;
            var l = path[t] / 2;
            if (first[l] < 0) first[l] = t;
            (last[l], peak[l]) = (t, Math.Max(peak[l], logProbabilities[t * alphabet.Size + letters[l]]));
        }
        var words = new List<AlignedWord>();
        for (var start = 0; start < letters.Length;)
        {
            var end = text.IndexOf(' ', start) is >= 0 and var space ? space : text.Length;
            var confidence = Math.Exp(peak.AsSpan(start, end - start).ToArray().Average());
            words.Add(new AlignedWord(text[start..end], from + first[start] * secondsPerFrame, from + (last[end - 1] + 1) * secondsPerFrame, Math.Min(1, confidence)));
            start = end + 1;
        }
        return words;
    }
}
