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
/// Pages of the list of transcripts: ten thousand of real sentences, each order's first, middle and last page, and filters; median of five.
/// <code>dotnet run -c Release --project tests/DomainSsl.Benchmarks -- transcript-list [TRANSCRIPTS] [WORDS EACH]</code>
/// </summary>
internal static class TranscriptListBenchmark
{
    private const int PageSize = 50, WordsInAPassage = 40;

    public static async Task RunAsync(string[] args)
    {
        int Number(int at, int otherwise) => args.Length > at ? int.Parse(args[at], CultureInfo.InvariantCulture) : otherwise;
        var (count, words) = (Number(0, 10_000), Number(1, 1000));
        using var folder = new TemporaryFolder();
        await using var services = new ServiceCollection().AddLogging().AddDomainSslCore(new DataFolder(folder.Path)).BuildServiceProvider();
        var (factory, service) = (services.GetRequiredService<IDbContextFactory<DomainSslContext>>(), services.GetRequiredService<TranscriptService>());
        await DatabaseSetup.MigrateAsync(factory);
        await SeedAsync(factory, count, words);

        foreach (var sort in Enum.GetValues<TranscriptSort>())
            foreach (var skip in (int[])[0, count / 2, count - PageSize])
                await TimeAsync($"by {sort}, from {skip:#,0}", () => service.PageAsync(sort: sort, skip: skip));
        foreach (var filter in (TranscriptFilter[])[new(TranscriptState.Draft), new(Speaker: "S-0000000003"), new(Text: "jayme"), new(Text: "the"), new(Text: "good morn"), new(Text: "xyzzy"), new(TranscriptState.Draft, "S-0000000003", "the")])
            await TimeAsync($"{filter}", () => service.PageAsync(filter));
        await TimeAsync("the next to read", () => service.NextAsync(count / 2));
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

    // As the service would leave them, without its versions and its audit log.
    private static async Task SeedAsync(IDbContextFactory<DomainSslContext> factory, int count, int wordsEach)
    {
        var seeding = Stopwatch.StartNew();
        var sentences = File.ReadLines(SharedData.Path("speech/speechocean/train.csv")).Skip(1).Select(l => l.Split(',')[5].Split(' ')).ToList();
        var (random, at) = (new Random(1), DateTime.UtcNow);
        var speakers = Enumerable.Range(1, 500).Select(i => new Patient { Pseudonym = $"S-{i:0000000000}" }).ToList();
        for (var i = 0; i < count;)
        {
            await using var db = await factory.CreateDbContextAsync();
            db.ChangeTracker.AutoDetectChangesEnabled = false;
            db.AttachRange(speakers.Where(s => s.Id > 0));
            for (var end = Math.Min(count, i + 200); i < end; i++)
            {
                var state = (i % 10) switch { < 6 => TranscriptState.Draft, 6 => TranscriptState.Reviewing, _ => TranscriptState.Accepted };
                var transcript = new RecordingTranscript { Recording = new Recording { SourceHash = $"source {i}", BlobHash = $"blob {i}", Seconds = random.Next(5, 3600), Speaker = i % 501 == 500 ? null : speakers[i % 501] }, State = state, Version = 1 };
                db.Transcripts.Add(transcript);
                db.TranscriptVersions.Add(new TranscriptVersion { Transcript = transcript, Number = 1, Deed = TranscriptDeed.Transcribed, State = state, By = "Listener", At = at.AddSeconds(-random.Next(10_000_000)), ClientKey = $"key {i}" });
                while (transcript.Words < wordsEach)
                {
                    var passage = new List<TranscriptWord>();
                    while (passage.Count < WordsInAPassage) passage.AddRange(sentences[random.Next(sentences.Count)].Select(w => new TranscriptWord(w, passage.Count, passage.Count + 0.9, random.NextDouble() < 0.05 ? 0.3 : 0.9, random.NextDouble())));
                    db.TranscriptRows.Add(new TranscriptRow { Transcript = transcript, Uid = $"u{transcript.Segments}", From = 1, Position = ++transcript.Segments, Words = TranscriptWords.Write(passage) });
                    transcript.Words += passage.Count;
                    if (state != TranscriptState.Accepted) transcript.Doubtful += passage.Count(w => w.Unsure || w.Unlikely);
                }
            }
            await db.SaveChangesAsync();
        }
        Console.WriteLine($"{count:#,0} transcripts of {wordsEach:#,0} words each seeded in {seeding.Elapsed.TotalSeconds:0} s");
    }
}
