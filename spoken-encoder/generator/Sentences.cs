using System.Text.RegularExpressions;
using DomainSsl.SampleData;

namespace DomainSsl.SpokenEncoder;

/// <summary>What is said: stretches of running English (Debian's fortunes), and words of dictionaries in any order, medical ones among them (wamerican, hunspell-en-med). Letters, spaces and apostrophes only.</summary>
internal sealed partial class Sentences
{
    private const int Longest = 14;
    private readonly string[] _prose, _words, _medical;

    public Sentences()
    {
        var prose = Directory.EnumerateFiles("/usr/share/games/fortunes").Where(f => !Path.GetFileName(f).Contains('.')).Order(StringComparer.Ordinal).Select(File.ReadAllText);
        _prose = [.. Word().Matches(string.Join('\n', prose).ToLowerInvariant()).Select(m => m.Value.Trim('\'')).Where(w => w.Length is > 0 and <= Longest)];
        _words = [.. File.ReadLines("/usr/share/dict/american-english").Where(w => Plain().IsMatch(w) && w.Length is > 2 and < 11)];
        _medical = [.. File.ReadLines("/usr/share/hunspell/en_med_glut.dic").Select(l => l.Split('/')[0].ToLowerInvariant()).Where(w => Plain().IsMatch(w) && w.Length is > 4 and < 15)];
        if (_prose.Length < 10_000 || _words.Length < 10_000 || _medical.Length < 1_000) throw new InvalidOperationException("The texts are missing: apt-get install fortunes wamerican hunspell-en-med.");
    }

    public string Draw(Randomness random)
    {
        int n = 2 + random.Below(10);
        double kind = random.Uniform();
        if (kind < 0.65)
        {
            int from = random.Below(_prose.Length - n);
            return string.Join(' ', _prose[from..(from + n)]);
        }
        return string.Join(' ', Enumerable.Range(0, 2 + random.Below(6)).Select(_ => random.Pick(kind < 0.85 || random.Chance(0.5) ? _words : _medical)));
    }

    [GeneratedRegex("[a-z']+")]
    private static partial Regex Word();

    [GeneratedRegex("^[a-z]+$")]
    private static partial Regex Plain();
}
