using DomainSsl.Learning.Data;
using DomainSsl.Learning.Training;
using DomainSsl.Learning.Transcribing;

namespace DomainSsl.Learning.Tests.Transcribing;

/// <summary>"Speech" in which each letter is a tone of its own: what a recogniser can learn in seconds.</summary>
internal static class SungLetters
{
    private const string Letters = "abcde ";

    /// <summary>Pieces of three to seven letters, of so many speakers in turn.</summary>
    public static IReadOnlyList<SpokenItem> Write(string path, int pieces, int speakers)
    {
        using var writer = new SoundShardWriter(path);
        var items = new List<SpokenItem>();
        for (var i = 0; i < pieces; i++)
        {
            items.Add(new SpokenItem(i, Text(new RandomStream((ulong)i + 7)), $"speaker {i % speakers}"));
            writer.Add($"{i:x64}", Sung(items[i]));
        }
        writer.Finish();
        return items;
    }

    public static float[] Sung(SpokenItem item)
    {
        var (random, samples) = (new RandomStream((ulong)item.Index + 1007), new List<float>(new float[1600]));
        foreach (var letter in item.Text)
        {
            var (hertz, length) = (300 * Math.Pow(2, Letters.IndexOf(letter, StringComparison.Ordinal) / 2.0), (int)(16_000 * random.Uniform(0.16, 0.22)));
            for (var i = 0; i < length; i++) samples.Add((float)(0.3 * Math.Sin(Math.PI * i / length) * Math.Sin(2 * Math.PI * hertz * i / 16_000) + random.Uniform(-0.002, 0.002)));
        }
        samples.AddRange(new float[1600]);
        return [.. samples];
    }

    private static string Text(RandomStream random)
    {
        var text = "";
        for (var n = 3 + random.Index(5); text.Length < n;)
        {
            var letter = Letters[random.Index(Letters.Length)];
            if (letter != ' ' || (text.Length > 0 && text[^1] != ' ' && text.Length < n - 1)) text += letter;
        }
        return text;
    }
}
