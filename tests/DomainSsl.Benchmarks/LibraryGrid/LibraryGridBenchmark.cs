using System.Diagnostics;
using System.Globalization;
using DomainSsl.Core.Collections;
using DomainSsl.Core.Database;
using DomainSsl.Core.Library;
using Microsoft.EntityFrameworkCore;

namespace DomainSsl.Benchmarks.LibraryGrid;

/// <summary>
/// Pages of the library's grid over 100,000 studies of 30,000 patients, all in one collection: median and worst of five of each kind of page. The target is 100 ms for any page.
/// <code>dotnet run -c Release --project tests/DomainSsl.Benchmarks -- library-grid [rows]</code>
/// </summary>
internal static class LibraryGridBenchmark
{
    public static async Task RunAsync(string[] args)
    {
        int rows = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 100_000;
        await using var clinic = await EmptyClinic.MakeAsync();
        var seeding = Stopwatch.StartNew();
        await SeedAsync(clinic.Database, rows);
        Console.WriteLine($"{rows:#,0} studies seeded in {seeding.Elapsed.TotalSeconds:0} s");

        var query = clinic.Get<LibraryQuery>();
        await query.StudiesAsync(LibraryFilter.All, take: 1);
        double worst = 0;
        foreach (var filter in (string[])["", "modality:CT", "P-000012", "chest", "from:2015-01-01 to:2015-12-31", "in:all", "in:all modality:CT chest"])
        {
            var counting = Stopwatch.StartNew();
            int total = (await query.StudiesAsync(LibraryFilter.Parse(filter), take: 1)).Total;
            Console.WriteLine($"{(filter.Length == 0 ? "(all)" : filter),-34} first page and count of {total:#,0}: {counting.Elapsed.TotalMilliseconds:0.0} ms");
            foreach (var sort in Enum.GetValues<StudySort>())
            {
                foreach (int skip in (int[])[0, total / 2, Math.Max(0, total - 50)])
                {
                    var (median, slow) = await FiveTimes.OfAsync(() => query.StudiesAsync(LibraryFilter.Parse(filter), sort, descending: true, skip, 50));
                    worst = Math.Max(worst, median);
                    Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{(filter.Length == 0 ? "(all)" : filter),-34} {sort,-9} from row {skip,6}: median {median,6:0.0} ms, worst {slow,6:0.0} ms"));
                }
            }
        }
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"slowest kind of page: {worst:0.0} ms"));
    }

    // Straight rows in one transaction; what an import would write, without the files.
    private static async Task SeedAsync(IDbContextFactory<DomainSslContext> factory, int rows)
    {
        await using var db = await factory.CreateDbContextAsync();
        await using var transaction = await db.Database.BeginTransactionAsync();
        int patients = Math.Max(1, rows * 3 / 10);
        await db.Database.ExecuteSqlAsync($"""
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {patients})
            INSERT INTO "Patients" ("Id", "Pseudonym") SELECT i, printf('P-%06d%04X', i * 7919 % 1000000, i * 40503 % 65536) FROM n
            """);
        await db.Database.ExecuteSqlAsync($"""
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})
            INSERT INTO "Studies" ("Id", "PatientId", "Uid", "Date", "Modality", "BodyPart", "Images", "ImportedAt")
            SELECT i, i % {patients} + 1, '2.25.' || i, date('2010-01-01', '+' || (i * 7919 % 4000) || ' days'), substr('CRCTDXMR', i * 31 % 4 * 2 + 1, 2),
                CASE i % 3 WHEN 0 THEN 'CHEST' WHEN 1 THEN 'HAND' ELSE '' END, i % 5 + 1, datetime('2026-01-01', '+' || i || ' seconds') FROM n
            """);
        await db.Database.ExecuteSqlRawAsync("""INSERT INTO "Series" ("Id", "StudyId", "Uid", "Modality", "Number") SELECT "Id", "Id", "Uid" || '.1', "Modality", 1 FROM "Studies" """);
        await db.Database.ExecuteSqlRawAsync("""
            INSERT INTO "Instances" ("Id", "SeriesId", "Uid", "SopClass", "Number", "Rows", "Columns", "Frames", "TransferSyntax", "Photometric", "SourceHash", "BlobHash", "Bytes")
            SELECT "Id", "Id", "Uid" || '.1.1', '', 1, 512, 512, 1, '', 'MONOCHROME2', printf('%064x', "Id"), printf('%064x', "Id" + 1000000000), 1000 FROM "Studies"
            """);
        await db.Database.ExecuteSqlRawAsync("""
            INSERT INTO "Items" ("Id", "Kind", "InstanceId", "Frame", "Start", "End", "StudyId", "PatientId", "Hash", "ImportedAt")
            SELECT "Id", 'Image', "Id", 0, 0, 0, "Id", "PatientId", printf('%064x', "Id"), "ImportedAt" FROM "Studies"
            """);
        db.Collections.Add(new Collection { Id = 1, Name = "all", By = "benchmark", Items = rows, Patients = patients, CreatedAt = DateTime.UtcNow });
        await db.SaveChangesAsync();
        await db.Database.ExecuteSqlRawAsync("""INSERT INTO "CollectionItems" ("CollectionId", "ItemId") SELECT 1, "Id" FROM "Items" """);
        await transaction.CommitAsync();
    }
}
