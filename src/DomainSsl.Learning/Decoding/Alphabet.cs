using System.Text;

namespace DomainSsl.Learning.Decoding;

/// <summary>
/// The letters that a recogniser tells apart, numbered for CTC (Graves et al. 2006): 0 is the blank, then each letter in order. V is <see cref="Size"/>. The space is one of
/// the letters, since it parts words.
/// </summary>
public sealed class Alphabet
{
    /// <summary>The number of the blank.</summary>
    public const int Blank = 0;

    private readonly Dictionary<char, int> _numbers = [];

    /// <summary>An alphabet of these letters.</summary>
    /// <param name="letters">Each once, the space among them, all in lower case.</param>
    /// <exception cref="LearningException">A letter stands twice, or there is no space.</exception>
    public Alphabet(string letters)
    {
        Letters = letters;
        for (var i = 0; i < letters.Length; i++)
        {
            if (!_numbers.TryAdd(letters[i], i + 1)) throw new LearningException($"The alphabet has '{letters[i]}' twice; each letter must stand there once.");
            if (char.IsUpper(letters[i])) throw new LearningException($"The alphabet has the capital '{letters[i]}'; letters must be in lower case.");
        }
        Space = _numbers.TryGetValue(' ', out var space) ? space : throw new LearningException("The alphabet has no space, so words could not be told apart; add one.");
    }

    /// <summary>Space, apostrophe, a to z: V is 29.</summary>
    public static Alphabet English { get; } = new(" 'abcdefghijklmnopqrstuvwxyz");

    /// <summary>The letters; letter i has the number i + 1.</summary>
    public string Letters { get; }

    /// <summary>V: the letters and the blank.</summary>
    public int Size => Letters.Length + 1;

    /// <summary>The number of the space.</summary>
    public int Space { get; }

    /// <summary>A letter's number, or <see cref="Blank"/> where the alphabet has no such letter.</summary>
    public int Number(char letter) => _numbers.GetValueOrDefault(letter);

    /// <summary>The letter of a number from 1.</summary>
    public char Letter(int number) => Letters[number - 1];

    /// <summary>The numbers of a normalised text.</summary>
    /// <exception cref="LearningException">The text has a letter that the alphabet has not.</exception>
    public int[] Encode(string text)
    {
        var numbers = new int[text.Length];
        for (var i = 0; i < numbers.Length; i++)
            numbers[i] = Number(text[i]) is > 0 and var n ? n : throw new LearningException($"The text has '{text[i]}', which the alphabet has not; normalise the text first.");
        return numbers;
    }

    /// <summary>The text of numbers; blanks are left out.</summary>
    public string Decode(ReadOnlySpan<int> numbers)
    {
        var text = new StringBuilder(numbers.Length);
        foreach (var n in numbers)
            if (n != Blank) text.Append(Letter(n));
        return text.ToString();
    }

    /// <summary>
    /// A written text as it would be spoken in letters of this alphabet:
    /// <list type="number">
    /// <item>lower case; letters with marks, and ligatures, become plain ones (<c>é</c> e, <c>ß</c> ss) where the alphabet has not the marked one;</item>
    /// <item>an apostrophe, straight or curly, stays between two letters (<c>don't</c>) and goes elsewhere;</item>
    /// <item>numbers become English words: <c>1,234</c> one thousand two hundred thirty four, <c>3.5</c> three point five, <c>21st</c> twenty first, <c>007</c> and numbers of
    /// more than fifteen digits figure by figure; years and clock times have no rule of their own;</item>
    /// <item>between figures <c>-</c> and <c>–</c> become to, <c>/</c> over; before a figure at the start of a word <c>-</c> becomes minus; <c>%</c> percent, <c>&amp;</c> and,
    /// <c>+</c> plus, <c>=</c> equals, <c>@</c> at, <c>°</c> degrees;</item>
    /// <item>all else becomes a space; spaces are single and stand at no end.</item>
    /// </list>
    /// A text that is normal already stays as it is.
    /// </summary>
    public string Normalise(string text) => SpokenText.Of(text, this);

    /// <summary>T, the frames of a matrix of log-probabilities of this alphabet.</summary>
    /// <exception cref="LearningException">Its length is no multiple of V.</exception>
    internal int Frames(ReadOnlySpan<float> logProbabilities) => logProbabilities.Length % Size == 0
        ? logProbabilities.Length / Size
        : throw new LearningException($"There are {logProbabilities.Length} log-probabilities, which is no multiple of the alphabet's {Size}; the model was trained with another alphabet.");
}
