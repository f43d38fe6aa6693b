using System.Diagnostics;
using System.Globalization;
using DomainSsl.Core.Database;
using DomainSsl.Core.Library;
using DomainSsl.Core.Transcripts;
using Microsoft.EntityFrameworkCore;

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
        await using var clinic = await EmptyClinic.MakeAsync();
        var service = clinic.Get<TranscriptService>();
        await SeedAsync(clinic.Database, count, words);

        foreach (var sort in Enum.GetValues<TranscriptSort>())
            foreach (var skip in (int[])[0, count / 2, count - PageSize])
                await FiveTimes.SayAsync($"by {sort}, from {skip:#,0}", () => service.PageAsync(sort: sort, skip: skip));
        foreach (var filter in (TranscriptFilter[])[new(TranscriptState.Draft), new(Speaker: "S-0000000003"), new(Text: "jayme"), new(Text: "the"), new(Text: "good morn"), new(Text: "xyzzy"), new(TranscriptState.Draft, "S-0000000003", "the")])
            await FiveTimes.SayAsync($"{filter}", () => service.PageAsync(filter));
        await FiveTimes.SayAsync("the next to read", () => service.NextAsync(count / 2));
    }

    // As the service would leave them, without its versions and its audit log.
    private static async Task SeedAsync(IDbContextFactory<DomainSslContext> factory, int count, int wordsEach)
    {
        var seeding = Stopwatch.StartNew();
        var (sentences, at) = (new RealSentences(), DateTime.UtcNow);
        var speakers = Enumerable.Range(1, 500).Select(i => new Patient { Pseudonym = $"S-{i:0000000000}" }).ToList();
        for (var i = 0; i < count;)
        {
            await using var db = await factory.CreateDbContextAsync();
            db.ChangeTracker.AutoDetectChangesEnabled = false;
            db.AttachRange(speakers.Where(s => s.Id > 0));
            for (var end = Math.Min(count, i + 200); i < end; i++)
            {
                var state = (i % 10) switch { < 6 => TranscriptState.Draft, 6 => TranscriptState.Reviewing, _ => TranscriptState.Accepted };
                var transcript = new RecordingTranscript { Recording = new Recording { SourceHash = $"source {i}", BlobHash = $"blob {i}", Seconds = sentences.Random.Next(5, 3600), Speaker = i % 501 == 500 ? null : speakers[i % 501] }, State = state, Version = 1 };
                db.Transcripts.Add(transcript);
                db.TranscriptVersions.Add(new TranscriptVersion { Transcript = transcript, Number = 1, Deed = TranscriptDeed.Transcribed, State = state, By = "Listener", At = at.AddSeconds(-sentences.Random.Next(10_000_000)), ClientKey = $"key {i}" });
                while (transcript.Words < wordsEach)
                {
                    var passage = new List<TranscriptWord>();
                    while (passage.Count < WordsInAPassage) passage.AddRange(sentences.Next(passage.Count));
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
