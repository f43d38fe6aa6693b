using System.Diagnostics;
using System.Globalization;
using DomainSsl.Core.Library;
using DomainSsl.Core.Transcripts;

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
        await using var clinic = await EmptyClinic.MakeAsync();
        await SeedAsync(clinic, recordings);
        var (search, glossary) = (clinic.Get<TranscriptSearch>(), clinic.Get<ClinicGlossary>());

        await FiveTimes.SayAsync("a rare word found", () => search.FindAsync("jayme", new FindOptions()));
        await FiveTimes.SayAsync("a frequent word found", () => search.FindAsync("the", new FindOptions()));
        await FiveTimes.SayAsync("words that are to be checked, gathered", () => search.DoubtfulAsync());
        foreach (var term in (string[])["japan", "together", "brother", "morning", "school"]) await glossary.AddAsync(term, [term[..^1], term + "s"], "anna");
        await FiveTimes.SayAsync("a glossary of 5 terms with 10 wrong forms", () => glossary.LinesAsync());
        var watch = Stopwatch.StartNew();
        var done = await search.ReplaceAsync([new("jayme", "Jamie")], new FindOptions(), new HashSet<string>(), "anna");
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"a word replaced in {done.Passages:#,0} passages of {done.Recordings:#,0} transcripts: {watch.Elapsed.TotalMilliseconds:#,0} ms, {watch.Elapsed.TotalMilliseconds / Math.Max(1, done.Recordings):0.0} ms each"));
    }

    private static async Task SeedAsync(EmptyClinic clinic, int recordings)
    {
        var seeding = Stopwatch.StartNew();
        await using (var db = await clinic.Database.CreateDbContextAsync())
        {
            for (int i = 0; i < recordings; i++) db.Recordings.Add(new Recording { SourceHash = $"source {i}", BlobHash = $"blob {i}", Seconds = WordsEach + 60 });
            await db.SaveChangesAsync();
        }
        var (sentences, transcripts) = (new RealSentences(), clinic.Get<TranscriptService>());
        for (int i = 1; i <= recordings; i++)
        {
            var segments = new List<TranscriptSegment>();
            for (int from = 0; from < WordsEach;)
            {
                var words = sentences.Next(from);
                segments.Add(new TranscriptSegment(null, from, from + words.Count, words));
                from += words.Count;
            }
            await transcripts.StoreTranscribedAsync(i, new Transcript(segments), "Listener", $"run:{i}");
        }
        Console.WriteLine($"{recordings:#,0} transcripts of {WordsEach:#,0} words each seeded in {seeding.Elapsed.TotalSeconds:0} s");
    }
}
