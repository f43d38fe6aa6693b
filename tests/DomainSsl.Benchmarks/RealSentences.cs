using DomainSsl.Core.Transcripts;
using DomainSsl.Testing;

namespace DomainSsl.Benchmarks;

/// <summary>Real sentences as a transcriber writes them, a word a second: it is not sure of one in twenty, and one in twenty does not fit.</summary>
internal sealed class RealSentences
{
    private readonly List<string[]> _all = [.. File.ReadLines(SharedData.Path("speech/speechocean/train.csv")).Skip(1).Select(l => l.Split(',')[5].Split(' '))];

    /// <summary>What all chance comes from.</summary>
    public Random Random { get; } = new(1);

    /// <summary>One of them, from a second on.</summary>
    public List<TranscriptWord> Next(int at)
    {
        var sentence = _all[Random.Next(_all.Count)];
        return [.. sentence.Select((w, k) => new TranscriptWord(w, at + k, at + k + 0.9, Random.NextDouble() < 0.05 ? 0.3 : 0.9, Random.NextDouble()))];
    }
}
