using BenchmarkDotNet.Attributes;
using DomainSsl.Learning.Decoding;
using DomainSsl.Learning.Language;
using DomainSsl.Testing;

namespace DomainSsl.Benchmarks;

/// <summary>
/// What it costs to turn one minute of sound, 3,000 frames at 50 a second, into text on one core: 60,000 ms by the time are how many times real time. The frames show sentences of real speakers, a letter in four
/// frames, as an unsure model would: the right letter has some 60 % and four others the rest.
/// </summary>
[MemoryDiagnoser]
public class DecodingBenchmarks
{
    private const int FramesPerMinute = 3000;
    private float[] _frames = [], _flat = [];
    private string _text = "";
    private PrefixBeamSearch _plain = null!, _words = null!, _all = null!;

    /// <summary>Trains the models on the train sentences and lays the dev ones along the frames.</summary>
    [GlobalSetup]
    public void Prepare()
    {
        var a = Alphabet.English;
        List<string> Sentences(string split) => [.. File.ReadLines(SharedData.Path($"speech/speechocean/{split}.csv")).Skip(1).Select(l => l.Split(',')[5])];
        var (train, random) = (Sentences("train"), new Random(1));
        _text = string.Join(' ', Sentences("dev"))[..(FramesPerMinute / 4)].Trim();
        _frames = new float[FramesPerMinute * a.Size];
        _flat = new float[FramesPerMinute * a.Size];
        for (var t = 0; t < FramesPerMinute; t++)
        {
            var row = Enumerable.Range(0, a.Size).Select(_ => 1e-4 * random.NextDouble()).ToArray();
            var shown = t % 4 == 1 && t / 4 < _text.Length ? a.Number(_text[t / 4]) : Alphabet.Blank;
            row[shown] += 0.6;
            for (var k = 0; k < 4; k++) row[random.Next(a.Size)] += 0.1 * random.NextDouble();
            for (var v = 0; v < a.Size; v++)
            {
                _frames[t * a.Size + v] = (float)Math.Log(row[v] / row.Sum());
                _flat[t * a.Size + v] = (float)-Math.Log(a.Size) + 0.1f * random.NextSingle();
            }
        }
        var words = NGramModel.Train(train, new NGramOptions());
        var letters = NGramModel.Train(train, new NGramOptions { Order = 6, Unit = NGramUnit.Letter });
        var glossary = new Glossary(words.Tokens.Skip(3).Where((_, i) => i % 5 == 0).Select(w => new GlossaryTerm(w)), a);
        var options = new BeamOptions { Width = 32 };
        (_plain, _words, _all) = (new PrefixBeamSearch(a, options), new PrefixBeamSearch(a, options, words), new PrefixBeamSearch(a, options, words, letters, glossary));
    }

    /// <summary>Best path.</summary>
    [Benchmark(Baseline = true)]
    public string Greedy() => GreedyDecoder.Decode(_frames, Alphabet.English);

    /// <summary>Beam of 32 without models.</summary>
    [Benchmark]
    public string Beam() => _plain.Decode(_frames)[0].Text;

    /// <summary>With the word model.</summary>
    [Benchmark]
    public string BeamWithWords() => _words.Decode(_frames)[0].Text;

    /// <summary>With word model, letter model and a glossary of some hundred terms.</summary>
    [Benchmark]
    public string BeamWithAll() => _all.Decode(_frames)[0].Text;

    /// <summary>The same at the worst: every letter equally likely in every frame.</summary>
    [Benchmark]
    public string BeamWithAllFlat() => _all.Decode(_flat)[0].Text;

    /// <summary>Word times of the minute's text.</summary>
    [Benchmark]
    public AlignedText Align() => ForcedAlignment.Align(_frames, Alphabet.English, _text, 0.02);
}
