using System.Text;

namespace DomainSsl.Learning.Decoding;

/// <summary>Best-path decoding (Graves et al. 2006, section 3.2): the likeliest letter of each frame, repeats merged, blanks left out.</summary>
public static class GreedyDecoder
{
    /// <summary>The text, spaces single and at no end.</summary>
    /// <param name="logProbabilities">T×V, a frame after another.</param>
    /// <param name="alphabet">Of V letters, the blank counted.</param>
    public static string Decode(ReadOnlySpan<float> logProbabilities, Alphabet alphabet)
    {
        var (frames, size, text, last) = (alphabet.Frames(logProbabilities), alphabet.Size, new StringBuilder(), Alphabet.Blank);
        for (var t = 0; t < frames; t++)
        {
            var best = Highest(logProbabilities.Slice(t * size, size));
            if (best != last && best != Alphabet.Blank && (best != alphabet.Space || text.Length > 0 && text[^1] != ' ')) text.Append(alphabet.Letter(best));
            last = best;
        }
        if (text.Length > 0 && text[^1] == ' ') text.Length--;
        return text.ToString();
    }

    /// <summary>The place of the highest value.</summary>
    internal static int Highest(ReadOnlySpan<float> row)
    {
        var best = 0;
        for (var i = 1; i < row.Length; i++)
            if (row[i] > row[best]) best = i;
        return best;
    }
}
