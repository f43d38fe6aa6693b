using System.Collections;
using System.Data;
using System.Data.Common;
using System.Globalization;
using DomainSsl.Core.Database;
using Microsoft.EntityFrameworkCore;

namespace DomainSsl.Core.Library;

/// <summary>A row of the grid of studies.</summary>
/// <param name="Id">The study.</param>
/// <param name="Pseudonym">Its patient.</param>
/// <param name="Date">Study date, shifted.</param>
/// <param name="Modality">e.g. CR.</param>
/// <param name="BodyPart">e.g. CHEST; may be empty.</param>
/// <param name="Images">Images in it.</param>
/// <param name="ImportedAt">When it came in (UTC).</param>
public sealed record StudyRow(long Id, string Pseudonym, DateOnly? Date, string Modality, string BodyPart, int Images, DateTime ImportedAt)
{
    /// <summary>The item of its first image, for a thumbnail.</summary>
    public long? FirstItemId { get; init; }
}

/// <summary>A row of the grid of recordings.</summary>
/// <param name="Id">The recording.</param>
/// <param name="ItemId">Its item.</param>
/// <param name="Speaker">Pseudonym, where known.</param>
/// <param name="Seconds">Length.</param>
/// <param name="Codec">What it was.</param>
/// <param name="SampleRate">As it came, Hz.</param>
/// <param name="Channels">As it came.</param>
/// <param name="Quality">What the checks found; empty if nothing.</param>
/// <param name="ImportedAt">When it came in (UTC).</param>
public sealed record RecordingRow(long Id, long ItemId, string? Speaker, double Seconds, string Codec, int SampleRate, int Channels, string Quality, DateTime ImportedAt);

/// <summary>One page of a grid.</summary>
/// <param name="Rows">Its rows.</param>
/// <param name="Total">The number of rows on all pages.</param>
public sealed record Page<T>(IReadOnlyList<T> Rows, int Total);

/// <summary>What the grid of studies is sorted by.</summary>
public enum StudySort
{
    /// <summary>When its first image came in.</summary>
    Imported,
    /// <summary>Study date.</summary>
    Date,
    /// <summary>Pseudonym.</summary>
    Patient,
    /// <summary>Modality.</summary>
    Modality,
    /// <summary>Number of images.</summary>
    Images,
}

/// <summary>What the grid of recordings is sorted by.</summary>
public enum RecordingSort
{
    /// <summary>When it came in.</summary>
    Imported,
    /// <summary>Pseudonym.</summary>
    Speaker,
    /// <summary>Length.</summary>
    Seconds,
}

/// <summary>A study with its images in order of display.</summary>
/// <param name="Row">As in the grid.</param>
/// <param name="Uid">Study Instance UID (remapped).</param>
/// <param name="Series">By Series Number.</param>
public sealed record StudyDetails(StudyRow Row, string Uid, IReadOnlyList<SeriesDetails> Series);

/// <summary>A series of a study.</summary>
public sealed record SeriesDetails(long Id, string Uid, string Modality, int Number, IReadOnlyList<InstanceDetails> Instances);

/// <summary>An image of a series; <paramref name="ItemIds"/> are its frames in order.</summary>
public sealed record InstanceDetails(long Id, string Uid, int Number, int Rows, int Columns, int Frames, string TransferSyntax, string BlobHash, long Bytes, IReadOnlyList<long> ItemIds);

/// <summary>Pages of the library; benchmark <c>library-grid</c> times them at 100,000 rows.</summary>
public sealed class LibraryQuery(IDbContextFactory<DomainSslContext> factory)
{
    private readonly Listing<StudySort> _studies = new();
    private readonly Listing<RecordingSort> _recordings = new();
    private readonly Owners _studyOf = new(), _recordingOf = new();

    /// <summary>A page of studies.</summary>
    /// <exception cref="RefusedException">The filter names a collection that is not there.</exception>
    public async Task<Page<StudyRow>> StudiesAsync(LibraryFilter filter, StudySort sort = StudySort.Imported, bool descending = true, int skip = 0, int take = 50, CancellationToken cancel = default)
    {
        if (filter.Kind == ItemKind.Sound) return new Page<StudyRow>([], 0);
        await using var db = await factory.CreateDbContextAsync(cancel);
        var collection = await CollectionIdAsync(db, filter, cancel);
        var state = await StateAsync(db, cancel);
        var (ids, total) = await _studies.PageAsync(state, sort, descending, Name(filter with { Kind = null }, collection), skip, take,
            order: () => ReadAsync(Sorted(db.Studies, sort).Select(s => s.Id), cancel),
            through: async () => await InsideAsync(db, await ReadAsync((await FilteredAsync(db, filter, cancel)).Select(s => s.Id), cancel), collection,
                () => _studyOf.OfAsync(state, db, nameof(Item.StudyId), cancel), cancel));
        var rows = await db.Studies.AsNoTracking().Where(s => ids.Contains(s.Id))
            .Select(s => new StudyRow(s.Id, s.Patient!.Pseudonym, s.Date, s.Modality, s.BodyPart, s.Images, s.ImportedAt)
            {
                FirstItemId = db.Items.Where(i => i.StudyId == s.Id).Min(i => (long?)i.Id),
            }).ToDictionaryAsync(r => r.Id, cancel);
        return new Page<StudyRow>([.. ids.Select(id => rows[id])], total);
    }

    /// <summary>A page of recordings.</summary>
    /// <exception cref="RefusedException">The filter names a collection that is not there.</exception>
    public async Task<Page<RecordingRow>> RecordingsAsync(LibraryFilter filter, RecordingSort sort = RecordingSort.Imported, bool descending = true, int skip = 0, int take = 50,
        CancellationToken cancel = default)
    {
        if (filter.Kind == ItemKind.Image || filter.Modality is not null) return new Page<RecordingRow>([], 0);
        await using var db = await factory.CreateDbContextAsync(cancel);
        var collection = await CollectionIdAsync(db, filter, cancel);
        var state = await StateAsync(db, cancel);
        var (ids, total) = await _recordings.PageAsync(state, sort, descending, Name(filter with { Kind = null }, collection), skip, take,
            order: () => ReadAsync(Sorted(db.Recordings, sort).Select(r => r.Id), cancel),
            through: async () => await InsideAsync(db, await ReadAsync(Filtered(db, filter).Select(r => r.Id), cancel), collection,
                () => _recordingOf.OfAsync(state, db, nameof(Item.RecordingId), cancel), cancel));
        var rows = await db.Recordings.AsNoTracking().Where(r => ids.Contains(r.Id)).Select(r => new RecordingRow(r.Id, db.Items.Where(i => i.RecordingId == r.Id).Min(i => i.Id),
            r.Speaker == null ? null : r.Speaker.Pseudonym, r.Seconds, r.Codec, r.SampleRate, r.Channels, r.Quality, r.ImportedAt)).ToDictionaryAsync(r => r.Id, cancel);
        return new Page<RecordingRow>([.. ids.Select(id => rows[id])], total);
    }

    // A hundred thousand ids one after another, without a task and a tracker's look at each.
    private static async Task<List<long>> ReadAsync(IQueryable<long> ids, CancellationToken cancel)
    {
        await using var command = ids.CreateDbCommand();
        var read = new List<long>();
        await ReadAsync(command, row => read.Add(row.GetInt64(0)), cancel);
        return read;
    }

    private static async Task ReadAsync(DbCommand command, Action<DbDataReader> row, CancellationToken cancel)
    {
        if (command.Connection!.State != ConnectionState.Open) await command.Connection.OpenAsync(cancel);
        using var reader = command.ExecuteReader();
        while (reader.Read()) row(reader);
    }

    // What is in the collection too. Put together here: the database would look up each member's item, a row of its own, for this one question.
    private static async Task<List<long>> InsideAsync(DomainSslContext db, List<long> ids, long? collection, Func<Task<long[]>> ownerOf, CancellationToken cancel)
    {
        if (collection is null) return ids;
        var of = await ownerOf();
        var inside = new BitArray(of.Length == 0 ? 0 : checked((int)of.Max() + 1));
        await using var members = db.Database.GetDbConnection().CreateCommand();
        members.CommandText = string.Create(CultureInfo.InvariantCulture, $"""SELECT "ItemId" FROM "CollectionItems" WHERE "CollectionId" = {collection.Value}""");
        await ReadAsync(members, row =>
        {
            var item = row.GetInt64(0);
            // One that came in since has another state's page to stand on; number 0 is nobody's.
            if (item < of.Length) inside[(int)of[item]] = true;
        }, cancel);
        return ids.FindAll(id => id < inside.Length && inside[(int)id]);
    }

    /// <summary>Of each item, by its number, the study or the recording it is of, 0 where it is of none; kept while the library stays as it is. Read from an index alone, eight bytes an item.</summary>
    private sealed class Owners
    {
        private volatile Known? _known;

        public async Task<long[]> OfAsync(string state, DomainSslContext db, string column, CancellationToken cancel)
        {
            if (_known is { } known && known.State == state) return known.Of;
            var of = new long[1024];
            await using var pairs = db.Database.GetDbConnection().CreateCommand();
            pairs.CommandText = $"""SELECT "Id", "{column}" FROM "Items" WHERE "{column}" IS NOT NULL""";
            await ReadAsync(pairs, row =>
            {
                var item = row.GetInt64(0);
                if (item >= of.Length) Array.Resize(ref of, checked((int)Math.Max(item + 1, of.Length * 2L)));
                of[item] = row.GetInt64(1);
            }, cancel);
            _known = new Known(state, of);
            return of;
        }

        private sealed record Known(string State, long[] Of);
    }

    // Whatever changes the grids brings new items or new members of a collection; nothing of the library is ever deleted, and a collection's number is never given again.
    private static Task<string> StateAsync(DomainSslContext db, CancellationToken cancel) => db.Database.SqlQuery<string>($"""
        SELECT COALESCE((SELECT MAX("Id") FROM "Items"), 0) || ' ' || COALESCE((SELECT MAX("Id") FROM "Studies"), 0) || ' ' || COALESCE((SELECT MAX("Id") FROM "Recordings"), 0) || ' '
            || COALESCE((SELECT MAX("rowid") FROM "CollectionItems"), 0) AS "Value"
        """).SingleAsync(cancel);

    private static string? Name(LibraryFilter filter, long? collection) => filter == LibraryFilter.All ? null : $"{collection} {filter}";

    /// <summary>The modalities there are, for a filter's list.</summary>
    public async Task<IReadOnlyList<string>> ModalitiesAsync(CancellationToken cancel = default)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        return await db.Studies.Select(s => s.Modality).Distinct().OrderBy(m => m).ToListAsync(cancel);
    }

    /// <summary>A study with series and images in order; null where there is none.</summary>
    public async Task<StudyDetails?> StudyDetailsAsync(long id, CancellationToken cancel = default)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        var study = await db.Studies.AsNoTracking().Include(s => s.Patient).Include(s => s.Series).ThenInclude(s => s.Instances).AsSplitQuery().SingleOrDefaultAsync(s => s.Id == id, cancel);
        if (study is null) return null;
        var items = (await db.Items.Where(i => i.StudyId == id).Select(i => new { i.Id, i.InstanceId, i.Frame }).ToListAsync(cancel)).ToLookup(i => i.InstanceId);
        var series = study.Series.OrderBy(s => s.Number).ThenBy(s => s.Id).Select(s => new SeriesDetails(s.Id, s.Uid, s.Modality, s.Number,
            [.. s.Instances.OrderBy(i => i.Number).ThenBy(i => i.Id).Select(i => new InstanceDetails(i.Id, i.Uid, i.Number, i.Rows, i.Columns, i.Frames, i.TransferSyntax, i.BlobHash, i.Bytes,
                [.. items[i.Id].OrderBy(x => x.Frame).Select(x => x.Id)]))])).ToList();
        var first = series.SelectMany(s => s.Instances).SelectMany(i => i.ItemIds).Cast<long?>().FirstOrDefault();
        var row = new StudyRow(study.Id, study.Patient!.Pseudonym, study.Date, study.Modality, study.BodyPart, study.Images, study.ImportedAt) { FirstItemId = first };
        return new StudyDetails(row, study.Uid, series);
    }

    /// <summary>The items of files as imported, by the SHA-256 of those bytes (lower-case hex): how rows of a table of labels find their items. Frames of one file come in order.</summary>
    public async Task<IReadOnlyDictionary<string, IReadOnlyList<Item>>> ItemsBySourceAsync(IEnumerable<string> sourceHashes, CancellationToken cancel = default)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        var found = new Dictionary<string, IReadOnlyList<Item>>(StringComparer.Ordinal);
        foreach (var some in sourceHashes.Distinct().Chunk(500))
        {
            var images = await db.Items.AsNoTracking().Include(i => i.Patient).Where(i => some.Contains(i.Instance!.SourceHash)).Select(i => new { i.Instance!.SourceHash, Item = i }).ToListAsync(cancel);
            var sounds = await db.Items.AsNoTracking().Include(i => i.Patient).Where(i => some.Contains(i.Recording!.SourceHash)).Select(i => new { i.Recording!.SourceHash, Item = i }).ToListAsync(cancel);
            var others = await (from a in db.SourceAliases
                                from i in db.Items.AsNoTracking().Include(i => i.Patient)
                                where some.Contains(a.SourceHash) && ((a.InstanceId != null && i.InstanceId == a.InstanceId) || (a.RecordingId != null && i.RecordingId == a.RecordingId))
                                select new { a.SourceHash, Item = i }).ToListAsync(cancel);
            foreach (var group in images.Concat(sounds).Concat(others).GroupBy(x => x.SourceHash))
                found[group.Key] = [.. group.Select(x => x.Item).OrderBy(i => i.Frame).ThenBy(i => i.Id)];
        }
        return found;
    }

    /// <summary>All items that a filter lets through; for making a collection.</summary>
    internal static async Task<IQueryable<Item>> ItemsAsync(DomainSslContext db, LibraryFilter filter, CancellationToken cancel)
    {
        var items = db.Items.AsQueryable();
        if (filter.Kind is { } kind) items = items.Where(i => i.Kind == kind);
        if (filter.Modality is { } modality) items = items.Where(i => i.Study!.Modality == modality);
        foreach (var word in Words(filter))
        {
            items = items.Where(i => EF.Functions.Like(i.Patient!.Pseudonym, word, "\\") || EF.Functions.Like(i.Study!.Modality, word, "\\")
                || EF.Functions.Like(i.Study!.BodyPart, word, "\\") || EF.Functions.Like(i.Recording!.Codec, word, "\\"));
        }
        if (filter.From is { } from)
        {
            var start = from.ToDateTime(TimeOnly.MinValue, DateTimeKind.Utc);
            items = items.Where(i => i.Kind == ItemKind.Image ? i.Study!.Date >= from : i.ImportedAt >= start);
        }
        if (filter.To is { } to)
        {
            var end = to.AddDays(1).ToDateTime(TimeOnly.MinValue, DateTimeKind.Utc);
            items = items.Where(i => i.Kind == ItemKind.Image ? i.Study!.Date <= to : i.ImportedAt < end);
        }
        if (await CollectionIdAsync(db, filter, cancel) is { } collection) items = items.Where(i => db.CollectionItems.Any(c => c.CollectionId == collection && c.ItemId == i.Id));
        return items;
    }

    private static async Task<IQueryable<Study>> FilteredAsync(DomainSslContext db, LibraryFilter filter, CancellationToken cancel)
    {
        var studies = db.Studies.AsNoTracking();
        if (filter.Modality is { } modality) studies = studies.Where(s => s.Modality == modality);
        if (filter.From is { } from) studies = studies.Where(s => s.Date >= from);
        if (filter.To is { } to) studies = studies.Where(s => s.Date <= to);
        foreach (var word in Words(filter))
        {
            // There are only a few body parts and modalities: comparing with those that fit is quicker than searching in each row. The patients likewise, once.
            var patients = db.Patients.Where(p => EF.Functions.Like(p.Pseudonym, word, "\\")).Select(p => p.Id);
            var modalities = await db.Studies.Select(s => s.Modality).Distinct().Where(m => EF.Functions.Like(m, word, "\\")).ToListAsync(cancel);
            var parts = await db.Studies.Select(s => s.BodyPart).Distinct().Where(b => EF.Functions.Like(b, word, "\\")).ToListAsync(cancel);
            studies = studies.Where(s => modalities.Contains(s.Modality) || parts.Contains(s.BodyPart) || patients.Contains(s.PatientId));
        }
        return studies;
    }

    private static IQueryable<Recording> Filtered(DomainSslContext db, LibraryFilter filter)
    {
        var recordings = db.Recordings.AsNoTracking();
        foreach (var word in Words(filter)) recordings = recordings.Where(r => EF.Functions.Like(r.Speaker!.Pseudonym, word, "\\") || EF.Functions.Like(r.Codec, word, "\\"));
        if (filter.From is { } from) recordings = recordings.Where(r => r.ImportedAt >= from.ToDateTime(TimeOnly.MinValue, DateTimeKind.Utc));
        if (filter.To is { } to) recordings = recordings.Where(r => r.ImportedAt < to.AddDays(1).ToDateTime(TimeOnly.MinValue, DateTimeKind.Utc));
        return recordings;
    }

    private static IOrderedQueryable<Study> Sorted(IQueryable<Study> studies, StudySort sort) => sort switch
    {
        StudySort.Date => studies.OrderBy(s => s.Date).ThenBy(s => s.Id),
        StudySort.Patient => studies.OrderBy(s => s.Patient!.Pseudonym).ThenBy(s => s.Id),
        StudySort.Modality => studies.OrderBy(s => s.Modality).ThenBy(s => s.Id),
        StudySort.Images => studies.OrderBy(s => s.Images).ThenBy(s => s.Id),
        _ => studies.OrderBy(s => s.ImportedAt).ThenBy(s => s.Id),
    };

    private static IOrderedQueryable<Recording> Sorted(IQueryable<Recording> recordings, RecordingSort sort) => sort switch
    {
        RecordingSort.Speaker => recordings.OrderBy(r => r.Speaker!.Pseudonym).ThenBy(r => r.Id),
        RecordingSort.Seconds => recordings.OrderBy(r => r.Seconds).ThenBy(r => r.Id),
        _ => recordings.OrderBy(r => r.ImportedAt).ThenBy(r => r.Id),
    };

    private static async Task<long?> CollectionIdAsync(DomainSslContext db, LibraryFilter filter, CancellationToken cancel)
    {
        if (filter.Collection is not { } name) return null;
        return await db.Collections.Where(c => c.Name == name).Select(c => (long?)c.Id).SingleOrDefaultAsync(cancel)
            ?? throw new RefusedException("no-collection", $"There is no collection '{name}'; see domainssl collections list.");
    }

    private static IEnumerable<string> Words(LibraryFilter filter) => filter.Text.Split(' ', StringSplitOptions.RemoveEmptyEntries)
        .Select(w => "%" + w.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("%", "\\%", StringComparison.Ordinal).Replace("_", "\\_", StringComparison.Ordinal) + "%");
}
