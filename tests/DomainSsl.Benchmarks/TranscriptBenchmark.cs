using System.Diagnostics;
using System.Globalization;
using DomainSsl.Core;
using DomainSsl.Core.Database;
using DomainSsl.Core.Library;
using DomainSsl.Core.Storage;
using DomainSsl.Core.Transcripts;
using DomainSsl.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace DomainSsl.Benchmarks;

/// <summary>
/// Words over all transcripts: a thousand recordings of a thousand words each, real sentences, of which a tenth is to be checked. What the page of words asks for, median of five; and a replacement in hundreds of transcripts.
/// <code>dotnet run -c Release --project tests/DomainSsl.Benchmarks -- transcript-words [RECORDINGS]</code>
/// </summary>
internal static class TranscriptBenchmark
{
    private const int WordsEach = 1000;

    public static async Task RunAsync(string[] args)
    {
        int recordings = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 1000;
        using var folder = new TemporaryFolder();
        await using var services = new ServiceCollection().AddLogging().AddDomainSslCore(new DataFolder(folder.Path)).BuildServiceProvider();
        var factory = services.GetRequiredService<IDbContextFactory<DomainSslContext>>();
        await DatabaseSetup.MigrateAsync(factory);
        await SeedAsync(factory, services.GetRequiredService<TranscriptService>(), recordings);
        var (search, glossary) = (services.GetRequiredService<TranscriptSearch>(), services.GetRequiredService<ClinicGlossary>());

        await TimeAsync("a rare word found", () => search.FindAsync("jayme", new FindOptions()));
        await TimeAsync("a frequent word found", () => search.FindAsync("the", new FindOptions()));
        await TimeAsync("words that are to be checked, gathered", () => search.DoubtfulAsync());
        foreach (var term in (string[])["japan", "together", "brother", "morning", "school"]) await glossary.AddAsync(term, [term[..^1], term + "s"], "anna");
        await TimeAsync("a glossary of 5 terms with 10 wrong forms", () => glossary.LinesAsync());
        var watch = Stopwatch.StartNew();
        var done = await search.ReplaceAsync([new("jayme", "Jamie")], new FindOptions(), new HashSet<string>(), "anna");
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"a word replaced in {done.Passages:#,0} passages of {done.Recordings:#,0} transcripts: {watch.Elapsed.TotalMilliseconds:#,0} ms, {watch.Elapsed.TotalMilliseconds / Math.Max(1, done.Recordings):0.0} ms each"));
    }

    private static async Task TimeAsync<T>(string what, Func<Task<T>> ask)
    {
        var times = new List<double>();
        for (int i = 0; i < 5; i++)
        {
            var watch = Stopwatch.StartNew();
            await ask();
            times.Add(watch.Elapsed.TotalMilliseconds);
        }
        times.Sort();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{what}: median {times[2]:#,0} ms, worst {times[4]:#,0} ms"));
    }

    private static async Task SeedAsync(IDbContextFactory<DomainSslContext> factory, TranscriptService transcripts, int recordings)
    {
        var seeding = Stopwatch.StartNew();
        await using (var db = await factory.CreateDbContextAsync())
        {
            for (int i = 0; i < recordings; i++) db.Recordings.Add(new Recording { SourceHash = $"source {i}", BlobHash = $"blob {i}", Seconds = WordsEach + 60 });
            await db.SaveChangesAsync();
        }
        var sentences = File.ReadLines(SharedData.Path("speech/speechocean/train.csv")).Skip(1).Select(l => l.Split(',')[5].Split(' ')).ToList();
        var random = new Random(1);
        for (int i = 1; i <= recordings; i++)
        {
            var segments = new List<TranscriptSegment>();
            for (int words = 0; words < WordsEach;)
            {
                var sentence = sentences[random.Next(sentences.Count)];
                int from = words;
                segments.Add(new TranscriptSegment(null, from, from + sentence.Length, [.. sentence.Select((w, k) => new TranscriptWord(w, from + k, from + k + 0.9, random.NextDouble() < 0.05 ? 0.3 : 0.9, random.NextDouble()))]));
                words += sentence.Length;
            }
            await transcripts.StoreTranscribedAsync(i, new Transcript(segments), "Listener", $"run:{i}");
        }
        Console.WriteLine($"{recordings:#,0} transcripts of {WordsEach:#,0} words each seeded in {seeding.Elapsed.TotalSeconds:0} s");
    }
}
