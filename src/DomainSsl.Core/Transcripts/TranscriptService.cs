using System.Linq.Expressions;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using DomainSsl.Core.Audit;
using DomainSsl.Core.Database;
using DomainSsl.Core.Library;
using DomainSsl.Core.Runs;
using DomainSsl.Core.Storage;
using Microsoft.EntityFrameworkCore;

namespace DomainSsl.Core.Transcripts;

/// <summary>
/// Transcripts of recordings. Everything asked of one carries a key and is stored once, however often it is sent; nothing is ever overwritten. Two people may work on one transcript: an edit says which
/// segments it takes the place of, and where they are no longer there, since somebody else was quicker, it is set aside and nothing changes.
/// </summary>
public sealed partial class TranscriptService(IDbContextFactory<DomainSslContext> factory, Secrets secrets, AuditLog audit, TimeProvider time)
{
    private const int MostSegments = 100_000;

    // Labels that name nobody; all else is taken for a name and becomes a pseudonym.
    [GeneratedRegex(@"^(?:(?:speaker|spk|voice|channel|person)[ _-]?(?:\d{1,3}|[a-z])|[a-z]|\d{1,3}|doctor|physician|clinician|surgeon|radiologist|therapist|nurse|midwife|patient|interviewer|interpreter|relative|mother|father|parent|partner|wife|husband|daughter|son|child|carer|student|other|unknown)$", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex NobodysName();

    [GeneratedRegex("^[SP]-[0-9A-HJKMNP-TV-Z]{10}$", RegexOptions.CultureInvariant)]
    private static partial Regex Pseudonym();

    /// <summary>A transcript as it is, or as it was at a version.</summary>
    /// <returns>Null where the recording has none.</returns>
    /// <exception cref="RefusedException"><c>transcript-version</c>: there is no such version.</exception>
    public async Task<StoredTranscript?> LoadAsync(long recordingId, int? version = null, CancellationToken cancel = default) =>
        await RowsAsync(recordingId, version, cancel) is { } stored ? new StoredTranscript(recordingId, stored.Seconds, stored.Version, stored.State, [.. stored.Rows.Select(Named)]) : null;

    /// <summary>The same with the words as they are stored.</summary>
    /// <returns>Null where the recording has none.</returns>
    /// <exception cref="RefusedException"><c>transcript-version</c>: there is no such version.</exception>
    public async Task<StoredRows?> RowsAsync(long recordingId, int? version = null, CancellationToken cancel = default)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        var transcript = await db.Transcripts.AsNoTracking().Include(t => t.Recording).SingleOrDefaultAsync(t => t.RecordingId == recordingId, cancel);
        if (transcript is null) return null;
        var state = transcript.State;
        if (version is { } number && number != transcript.Version)
            state = await db.TranscriptVersions.Where(v => v.TranscriptId == transcript.Id && v.Number == number).Select(v => (TranscriptState?)v.State).SingleOrDefaultAsync(cancel) ?? throw NoVersion(number);
        var rows = await At(db, transcript.Id, version ?? transcript.Version).AsNoTracking().ToListAsync(cancel);
        return new StoredRows(recordingId, transcript.Recording!.Seconds, version ?? transcript.Version, state, rows);
    }

    /// <summary>Changes segments.</summary>
    /// <param name="recordingId">The recording.</param>
    /// <param name="changes">What takes the place of what; all of them, or, where one comes too late, none.</param>
    /// <param name="by">Who.</param>
    /// <param name="clientKey">A key made where the edit was, unique to it.</param>
    /// <param name="cancel">Stops before anything is stored.</param>
    /// <exception cref="RefusedException">The edit makes no sense, or there is no such recording.</exception>
    public async Task<TranscriptReceipt> EditAsync(long recordingId, IReadOnlyList<SegmentChange> changes, string by, string clientKey, CancellationToken cancel = default)
    {
        CheckKey(clientKey);
        await using var db = await factory.CreateDbContextAsync(cancel);
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        if (await StoredAsync(db, clientKey, cancel) is { } stored) return stored;
        // The first words of a recording that no model and no file has written of.
        var transcript = await FindAsync(db, recordingId, cancel) ?? await MakeAsync(db, recordingId, cancel);
        double seconds = await db.Recordings.Where(r => r.Id == recordingId).Select(r => r.Seconds).SingleAsync(cancel);
        Check(changes, seconds);
        var unnamed = await UnnamingAsync(db, transcript.Id, changes.SelectMany(c => c.With).Select(s => s.Segment.Speaker), cancel);
        changes = [.. changes.Select(c => c with { With = [.. c.With.Select(s => s with { Segment = s.Segment with { Speaker = unnamed(s.Segment.Speaker) } })] })];

        var rows = await At(db, transcript.Id, transcript.Version).ToListAsync(cancel);
        var next = new List<TranscriptRow>(rows);
        var made = new List<TranscriptRow>();
        foreach (var change in changes)
        {
            var places = change.Replaces.Select(uid => next.FindIndex(r => r.Uid == uid)).ToList();
            int at = change.Replaces.Count > 0 ? places.Min() : change.After is null or "" ? 0 : next.FindIndex(r => r.Uid == change.After) + 1;
            bool late = places.Contains(-1) || (change.Replaces.Count == 0 && (change.After is "" ? next.Count > 0 : change.After is not null && at == 0));
            if (late) return await SetAsideAsync(db, transcript, changes, by, clientKey, transaction, cancel);
            var goes = change.Replaces.Select(uid => next.First(r => r.Uid == uid)).ToList();
            next.RemoveAll(r => change.Replaces.Contains(r.Uid));
            var written = change.With.Select(s => Row(transcript, s with { Segment = Guessed(s.Segment, goes, change.With.Count) })).ToList();
            next.InsertRange(at, written);
            made.AddRange(written);
        }
        var uids = made.Select(r => r.Uid).ToList();
        if (uids.Distinct().Count() < uids.Count || await db.TranscriptRows.AnyAsync(r => r.TranscriptId == transcript.Id && uids.Contains(r.Uid), cancel))
            throw TranscriptWords.Damaged("a segment's name is taken");
        if (next.Count > MostSegments) throw TranscriptWords.Damaged("it would have too many segments");
        var receipt = await CommitAsync(db, transcript, next, TranscriptDeed.Edited, null, TranscriptState.Reviewing, by, clientKey, cancel);
        await RecordAsync(db, recordingId, TranscriptDeed.Edited, receipt.Version, null, by, cancel);
        await transaction.CommitAsync(cancel);
        return receipt;
    }

    // A border that stays where it was is guessed if it was. Where a passage is split between words without times, its parts meet at a guess; any other time is a person's.
    private static TranscriptSegment Guessed(TranscriptSegment segment, List<TranscriptRow> goes, int comes)
    {
        var (start, end) = (Rounded(segment.Start), Rounded(segment.End));
        bool split = comes > goes.Count && goes.Any(r => !TranscriptWords.Read(r.Words).Any(w => w.Timed));
        return segment with
        {
            GuessedStart = goes.Find(r => r.Start == start)?.GuessedStart ?? split,
            GuessedEnd = goes.Find(r => r.End == end)?.GuessedEnd ?? split,
        };
    }

    /// <summary>Says that a person stands for the transcript as it was at a version; one that has changed since is not accepted unseen.</summary>
    public async Task<TranscriptReceipt> AcceptAsync(long recordingId, int version, string by, string clientKey, CancellationToken cancel = default)
    {
        CheckKey(clientKey);
        await using var db = await factory.CreateDbContextAsync(cancel);
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        if (await StoredAsync(db, clientKey, cancel) is { } stored) return stored;
        var transcript = await FindAsync(db, recordingId, cancel) ?? throw NoTranscript();
        if (transcript.Version != version) return new TranscriptReceipt(transcript.Version, transcript.State, Conflict: true);
        var rows = await At(db, transcript.Id, version).ToListAsync(cancel);
        var receipt = await CommitAsync(db, transcript, rows, TranscriptDeed.Accepted, null, TranscriptState.Accepted, by, clientKey, cancel);
        await RecordAsync(db, recordingId, TranscriptDeed.Accepted, receipt.Version, null, by, cancel);
        await transaction.CommitAsync(cancel);
        return receipt;
    }

    /// <summary>Goes back to an earlier version: a new one with the segments of that one. What came between stays in the history; what came after the version that was seen is not gone behind unseen.</summary>
    public async Task<TranscriptReceipt> RestoreAsync(long recordingId, int version, int seen, string by, string clientKey, CancellationToken cancel = default)
    {
        CheckKey(clientKey);
        await using var db = await factory.CreateDbContextAsync(cancel);
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        if (await StoredAsync(db, clientKey, cancel) is { } stored) return stored;
        var transcript = await FindAsync(db, recordingId, cancel) ?? throw NoTranscript();
        if (version < 1 || version > transcript.Version) throw NoVersion(version);
        if (transcript.Version != seen) return new TranscriptReceipt(transcript.Version, transcript.State, Conflict: true);
        var receipt = await RestoreAsync(db, transcript, version, TranscriptState.Reviewing, by, clientKey, cancel);
        await transaction.CommitAsync(cancel);
        return receipt;
    }

    private async Task<TranscriptReceipt> RestoreAsync(DomainSslContext db, RecordingTranscript transcript, int version, TranscriptState state, string by, string clientKey, CancellationToken cancel)
    {
        var rows = await At(db, transcript.Id, version).ToListAsync(cancel);
        // Those that are still there stay; those that were closed come again under a new name.
        var next = rows.ConvertAll(r => r.To is null ? r : Row(transcript, new NamedSegment(NewUid(), Segment(r))));
        var receipt = await CommitAsync(db, transcript, next, TranscriptDeed.Restored, version, state, by, clientKey, cancel);
        await RecordAsync(db, transcript.RecordingId, TranscriptDeed.Restored, receipt.Version, version, by, cancel);
        return receipt;
    }

    /// <summary>
    /// Rewrites the segments of the newest version as part of a change of many transcripts. How far the transcript is stays as it is: a draft has been looked at at those places alone, and of an accepted one a person stands for
    /// the change as well.
    /// </summary>
    /// <param name="recordingId">The recording.</param>
    /// <param name="rewrite">What comes in a segment's place; null: it stays.</param>
    /// <param name="by">Who.</param>
    /// <param name="clientKey">Of the change in this transcript.</param>
    /// <param name="cancel">Stops before anything is stored.</param>
    /// <param name="butNot">A transcript that is so far by now stays as it is.</param>
    /// <returns>How many segments have changed; 0 where there is no transcript (any more) or nothing to change in it.</returns>
    internal async Task<int> RewriteAsync(long recordingId, Func<NamedSegment, TranscriptSegment?> rewrite, string by, string clientKey, CancellationToken cancel, TranscriptState? butNot = null)
    {
        CheckKey(clientKey);
        await using var db = await factory.CreateDbContextAsync(cancel);
        // It takes the write lock, so nobody edits between reading and writing.
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        if (await StoredAsync(db, clientKey, cancel) is not null || await FindAsync(db, recordingId, cancel) is not { } transcript || transcript.State == butNot) return 0;
        var next = (await At(db, transcript.Id, transcript.Version).ToListAsync(cancel)).ConvertAll(r => rewrite(Named(r)) is { } made ? Row(transcript, new NamedSegment(NewUid(), made)) : r);
        var changed = next.Count(r => r.Id == 0);
        if (changed == 0) return 0;
        var receipt = await CommitAsync(db, transcript, next, TranscriptDeed.Replaced, null, transcript.State, by, clientKey, cancel);
        await RecordAsync(db, recordingId, TranscriptDeed.Replaced, receipt.Version, null, by, cancel);
        await transaction.CommitAsync(cancel);
        return changed;
    }

    /// <summary>Goes back behind a version, to what and how far the transcript was before, unless it has changed since.</summary>
    /// <returns>Whether it was gone back.</returns>
    internal async Task<bool> TakeBackAsync(long recordingId, int version, string by, string clientKey, CancellationToken cancel)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        if (await FindAsync(db, recordingId, cancel) is not { } transcript || transcript.Version != version || version < 2) return false;
        var state = await db.TranscriptVersions.Where(v => v.TranscriptId == transcript.Id && v.Number == version - 1).Select(v => v.State).SingleAsync(cancel);
        await RestoreAsync(db, transcript, version - 1, state, by, clientKey, cancel);
        await transaction.CommitAsync(cancel);
        return true;
    }

    /// <summary>
    /// Makes a transcript from elsewhere, or a model's, the newest version. Brought in twice with one key, it is stored once. Speakers' names become pseudonyms; labels such as <c>Speaker 1</c> or <c>Patient</c> stay.
    /// </summary>
    /// <param name="recordingId">The recording.</param>
    /// <param name="transcript">Without any times it is laid along the words of the newest transcript by a model, where that has a third of them right (<see cref="TranscriptAlignment"/>; one line for a short recording needs no places); else segments without times are laid along the speech of the
    /// recording by their letters, see <see cref="TranscriptPlacing"/>. Overlong ones are cut.</param>
    /// <param name="deed">Whence it is.</param>
    /// <param name="state">How far it is.</param>
    /// <param name="by">Who.</param>
    /// <param name="clientKey">See <see cref="KeyOf"/>.</param>
    /// <param name="cancel">Stops before anything is stored.</param>
    /// <exception cref="RefusedException"><c>no-recording</c>, <c>transcript-empty</c>, <c>transcript-too-long</c>.</exception>
    public async Task<TranscriptReceipt> BringInAsync(long recordingId, Transcript transcript, TranscriptDeed deed, TranscriptState state, string by, string clientKey, CancellationToken cancel = default)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        var receipt = await BringInAsync(db, recordingId, transcript, deed, state, by, clientKey, cancel);
        if (!receipt.Again) await RecordAsync(db, recordingId, deed, receipt.Version, null, by, cancel);
        await transaction.CommitAsync(cancel);
        return receipt;
    }

    /// <summary>Makes what a model wrote the newest version, as a draft, terms of the glossary with their capitals; where a person has written, corrected, brought in or accepted the newest one, that stays and nothing changes.</summary>
    /// <param name="recordingId">The recording.</param>
    /// <param name="transcript">With times and confidences.</param>
    /// <param name="model">The model's name.</param>
    /// <param name="clientKey">Of this transcription: stored twice, it is stored once.</param>
    /// <param name="cancel">Stops before anything is stored.</param>
    /// <returns>Null where a person's transcript stays.</returns>
    public async Task<TranscriptReceipt?> StoreTranscribedAsync(long recordingId, Transcript transcript, string model, string clientKey, CancellationToken cancel = default)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        var newest = await db.TranscriptVersions.Where(v => v.Transcript!.RecordingId == recordingId).OrderByDescending(v => v.Number).Select(v => (TranscriptDeed?)v.Deed).FirstOrDefaultAsync(cancel);
        if (newest is not null and not TranscriptDeed.Transcribed) return null;
        var spelled = TranscriptEdits.Spelled(transcript, await db.ClinicTerms.Select(t => t.Text).ToListAsync(cancel));
        var receipt = await BringInAsync(db, recordingId, spelled, TranscriptDeed.Transcribed, TranscriptState.Draft, model, clientKey, cancel);
        if (!receipt.Again) await RecordAsync(db, recordingId, TranscriptDeed.Transcribed, receipt.Version, null, model, cancel);
        await transaction.CommitAsync(cancel);
        return receipt;
    }

    /// <summary>Within the caller's transaction, and without an entry in the audit log: an import has its own of both.</summary>
    internal async Task<TranscriptReceipt> BringInAsync(DomainSslContext db, long recordingId, Transcript transcript, TranscriptDeed deed, TranscriptState state, string by, string clientKey, CancellationToken cancel)
    {
        CheckKey(clientKey);
        if (await StoredAsync(db, clientKey, cancel) is { } stored) return stored;
        var recording = await db.Recordings.AsNoTracking().Include(r => r.Segments).SingleOrDefaultAsync(r => r.Id == recordingId, cancel) ?? throw NoRecording();
        var segments = transcript.Segments.Where(s => s.Words.Count > 0).ToList();
        if (segments.Count == 0) throw new RefusedException("transcript-empty", "The transcript has no words; choose the file with the text in it.");
        if (segments.Max(s => Math.Max(s.End ?? 0, s.Words.Max(w => w.End ?? 0))) is var end && end > recording.Seconds + 2)
            throw new RefusedException("transcript-too-long", $"The transcript reaches to {end:0} s, but the recording has only {recording.Seconds:0} s; choose the transcript of this recording.");
        if (segments.Any(s => s.Words.Any(w => w.Text.Length > TranscriptWords.LongestWord)))
            throw new RefusedException("transcript-damaged", $"The transcript has a word of more than {TranscriptWords.LongestWord} letters; mend it there.");
        if (deed == TranscriptDeed.BroughtIn && segments.All(s => !s.Timed && s.Words.All(w => !w.Timed)) && (segments.Count > 1 || recording.Seconds > TranscriptPlacing.MostSeconds))
            segments = await AlignedAsync(db, recordingId, segments, cancel);
        segments = TranscriptPlacing.Place(segments, recording);
        var owner = await FindAsync(db, recordingId, cancel) ?? await MakeAsync(db, recordingId, cancel);
        if (deed == TranscriptDeed.BroughtIn)
        {
            var unnamed = await UnnamingAsync(db, owner.Id, segments.Select(s => s.Speaker), cancel);
            segments = segments.ConvertAll(s => s with { Speaker = unnamed(s.Speaker) });
        }
        var next = segments.ConvertAll(s => Row(owner, new NamedSegment(NewUid(), s)));
        return await CommitAsync(db, owner, next, deed, null, state, by, clientKey, cancel);
    }

    private static async Task<List<TranscriptSegment>> AlignedAsync(DomainSslContext db, long recordingId, List<TranscriptSegment> segments, CancellationToken cancel)
    {
        var heard = await db.TranscriptVersions.Where(v => v.Transcript!.RecordingId == recordingId && v.Deed == TranscriptDeed.Transcribed).OrderByDescending(v => v.Number)
            .Select(v => new { v.TranscriptId, v.Number }).FirstOrDefaultAsync(cancel);
        if (heard is null) return segments;
        var words = (await At(db, heard.TranscriptId, heard.Number).AsNoTracking().ToListAsync(cancel)).SelectMany(r => TranscriptWords.Read(r.Words)).Where(w => w.Timed).OrderBy(w => w.Start).ToList();
        var aligned = TranscriptAlignment.Align(new Transcript(segments), words);
        // Where the model heard hardly anything right, the places of its words are no better than an estimate.
        return 3 * aligned.Words.Count(w => w.Confidence is not null) < aligned.Words.Count() ? segments : [.. aligned.Segments];
    }

    /// <summary>The key of a transcript that is brought in for a recording: the same one twice is the same deed.</summary>
    public static string KeyOf(long recordingId, Transcript transcript) =>
        "file:" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{recordingId}\n{JsonTranscript.Write(transcript)}")));

    /// <summary>Whether somebody has corrected or accepted the transcript here: then an import does not write over it.</summary>
    internal static async Task<bool> IsCorrectedAsync(DomainSslContext db, long recordingId, CancellationToken cancel) =>
        await db.TranscriptVersions.AnyAsync(v => v.Transcript!.RecordingId == recordingId && (v.Deed == TranscriptDeed.Edited || v.Deed == TranscriptDeed.Replaced || v.Deed == TranscriptDeed.Restored || v.Deed == TranscriptDeed.Accepted), cancel);

    /// <summary>Number of the newest version; 0 where the recording has no transcript.</summary>
    public async Task<int> VersionAsync(long recordingId, CancellationToken cancel = default)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        return await db.Transcripts.Where(t => t.RecordingId == recordingId).Select(t => t.Version).SingleOrDefaultAsync(cancel);
    }

    /// <summary>All versions, the newest first.</summary>
    public async Task<IReadOnlyList<TranscriptHistory>> HistoryAsync(long recordingId, CancellationToken cancel = default)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        return await db.TranscriptVersions.AsNoTracking().Where(v => v.Transcript!.RecordingId == recordingId).OrderByDescending(v => v.Number)
            .Select(v => new TranscriptHistory(v.Number, v.At, v.By, v.Deed, v.Of, v.State, v.Changed)).ToListAsync(cancel);
    }

    /// <summary>A page of the transcripts that fit a filter.</summary>
    /// <param name="filter">Which; all if null.</param>
    /// <param name="sort">By what.</param>
    /// <param name="descending">The most doubtful, the newest, the longest first.</param>
    /// <param name="skip">Lines before the page.</param>
    /// <param name="take">Lines on it, at most.</param>
    /// <param name="hits">Whether each comes with a passage that has the words looked for.</param>
    /// <param name="cancel">Gives up.</param>
    public async Task<TranscriptListing> PageAsync(TranscriptFilter? filter = null, TranscriptSort sort = TranscriptSort.Doubtful, bool descending = true, int skip = 0, int take = 50, bool hits = true, CancellationToken cancel = default)
    {
        filter ??= TranscriptFilter.All;
        await using var db = await factory.CreateDbContextAsync(cancel);
        var (some, found) = await SomeAsync(db, filter, cancel);
        var states = await some.GroupBy(t => t.State).Select(g => new { g.Key, Count = g.Count() }).ToDictionaryAsync(g => g.Key, g => g.Count, cancel);
        if (filter.State is { } state) some = some.Where(t => t.State == state);
        var rows = from t in some
                   join v in db.TranscriptVersions on new { t.Id, t.Version } equals new { Id = v.TranscriptId, Version = v.Number }
                   select new { t.Id, t.RecordingId, t.Recording!.Speaker!.Pseudonym, t.Recording.Seconds, t.State, t.Version, t.Segments, t.Words, v.At, v.By, t.Doubtful };
        var ordered = sort switch
        {
            TranscriptSort.Changed => By(rows, r => r.At, descending),
            TranscriptSort.Seconds => By(rows, r => r.Seconds, descending),
            TranscriptSort.State => By(rows, r => r.State == TranscriptState.Reviewing ? 2 : r.State == TranscriptState.Draft ? 1 : 0, descending).ThenByDescending(r => r.At),
            _ => ThenBy(rows.OrderBy(r => r.State == TranscriptState.Accepted ? 1 : 0), r => r.Doubtful, descending),
        };
        var page = await ordered.ThenBy(r => r.RecordingId).Skip(skip).Take(take).ToListAsync(cancel);
        var shown = hits ? page.Where(r => found.ContainsKey(r.Id)).Select(r => found[r.Id]).ToList() : [];
        var passages = shown.Count == 0 ? [] : await db.TranscriptRows.AsNoTracking().Where(r => EF.Parameter(shown).Contains(r.Id)).ToDictionaryAsync(r => r.TranscriptId, cancel);
        var sought = TranscriptSearch.Runs(filter.Text).ToList();
        return new TranscriptListing([.. page.Select(r => new TranscriptLine(r.RecordingId, r.Pseudonym, r.Seconds, r.State, r.Version, r.Segments, r.Words, r.At, r.By, r.Doubtful,
                passages.TryGetValue(r.Id, out var passage) ? TranscriptSearch.Beginning(passage, sought, r.RecordingId, r.Pseudonym, r.State) : null))],
            filter.State is { } one ? states.GetValueOrDefault(one) : states.Values.Sum(), states, await db.Recordings.CountAsync(cancel) - await db.Transcripts.CountAsync(cancel));
    }

    /// <summary>Recordings in which nothing has been written down, the newest first.</summary>
    /// <param name="speaker">Part of the pseudonym of who speaks, or the recording's number; empty: all.</param>
    /// <param name="skip">Lines before the page.</param>
    /// <param name="take">Lines on it, at most.</param>
    /// <param name="cancel">Gives up.</param>
    public async Task<UnwrittenListing> UnwrittenAsync(string speaker = "", int skip = 0, int take = 50, CancellationToken cancel = default)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        var some = db.Recordings.AsNoTracking().Where(r => !db.Transcripts.Any(t => t.RecordingId == r.Id));
        if (Sought(speaker) is var (number, part)) some = number is not null ? some.Where(r => r.Id == number) : some.Where(r => EF.Functions.Like(r.Speaker!.Pseudonym, part, "\\"));
        var page = await some.OrderByDescending(r => r.Id).Skip(skip).Take(take).Select(r => new UnwrittenLine(r.Id, r.Speaker!.Pseudonym, r.Seconds)).ToListAsync(cancel);
        return new UnwrittenListing(page, await some.CountAsync(cancel));
    }

    // Those that fit a filter, whatever their state.
    // Those that fit, and of each in which words were looked for, a passage that has them.
    private static async Task<(IQueryable<RecordingTranscript> Some, IReadOnlyDictionary<long, long> Hits)> SomeAsync(DomainSslContext db, TranscriptFilter filter, CancellationToken cancel)
    {
        var some = db.Transcripts.AsNoTracking();
        if (Sought(filter.Speaker) is var (number, part)) some = number is not null ? some.Where(t => t.RecordingId == number) : some.Where(t => EF.Functions.Like(t.Recording!.Speaker!.Pseudonym, part, "\\"));
        // Each of the words, or its beginning, in one passage: the table of words (migration TranscriptList) has the passages of the newest versions.
        var sought = string.Join(' ', TranscriptSearch.Runs(filter.Text).Select(word => $"\"{word}\"*"));
        if (sought.Length == 0) return (some, new Dictionary<long, long>());
        // Looked for once, since states are counted and a page is cut from what is found.
        var found = await db.Database.SqlQuery<Hit>($"""SELECT r."TranscriptId", min(r."Id") AS "PassageId" FROM "TranscriptText" AS x JOIN "TranscriptRows" AS r ON r."Id" = x.rowid WHERE "TranscriptText" MATCH {sought} GROUP BY r."TranscriptId" """)
            .ToDictionaryAsync(h => h.TranscriptId, h => h.PassageId, cancel);
        var ids = found.Keys.ToList();
        return (some.Where(t => EF.Parameter(ids).Contains(t.Id)), found);
    }

    private sealed record Hit(long TranscriptId, long PassageId);

    // Who is looked for: the recording of that number, since pseudonyms have figures in them as well, or a part of a pseudonym; null where nobody is.
    private static (long? Number, string Part)? Sought(string speaker)
    {
        speaker = speaker.Trim();
        if (speaker.Length == 0) return null;
        return (long.TryParse(speaker, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var n) ? n : null,
            $"%{speaker.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("%", "\\%", StringComparison.Ordinal).Replace("_", "\\_", StringComparison.Ordinal)}%");
    }

    private static IOrderedQueryable<T> By<T, TKey>(IQueryable<T> rows, Expression<Func<T, TKey>> key, bool descending) => descending ? rows.OrderByDescending(key) : rows.OrderBy(key);

    private static IOrderedQueryable<T> ThenBy<T, TKey>(IOrderedQueryable<T> rows, Expression<Func<T, TKey>> key, bool descending) => descending ? rows.ThenByDescending(key) : rows.ThenBy(key);

    /// <summary>
    /// The recording whose transcript is to be read through after that of another one, in the order of the list: drafts, those with the most words to check first; where there is none, those that are being reviewed. After a draft that was
    /// left as it is comes the one behind it, round to the first; after one that was worked on, the first. Null where all others are accepted, or <paramref name="taken"/>.
    /// </summary>
    /// <param name="recordingId">The one before.</param>
    /// <param name="taken">Recordings that others are at (<see cref="TranscriptReaders"/>).</param>
    /// <param name="cancel">Gives up looking.</param>
    public async Task<long?> NextAsync(long recordingId, IReadOnlyList<long>? taken = null, CancellationToken cancel = default)
    {
        taken ??= [];
        await using var db = await factory.CreateDbContextAsync(cancel);
        var left = await db.Transcripts.Where(t => t.RecordingId == recordingId && t.State == TranscriptState.Draft).Select(t => (int?)t.Doubtful).FirstOrDefaultAsync(cancel);
        return await db.Transcripts.Where(t => t.RecordingId != recordingId && t.State != TranscriptState.Accepted && !taken.Contains(t.RecordingId))
            .OrderBy(t => t.State == TranscriptState.Draft ? 0 : 1).ThenBy(t => left == null || t.Doubtful < left || (t.Doubtful == left && t.RecordingId > recordingId) ? 0 : 1).ThenByDescending(t => t.Doubtful).ThenBy(t => t.RecordingId)
            .Select(t => (long?)t.RecordingId).FirstOrDefaultAsync(cancel);
    }

    /// <summary>What a transcriber may learn from: segments with words and times of accepted transcripts, by recording and time.</summary>
    public async Task<IReadOnlyList<TranscriptTrainingRow>> TrainingRowsAsync(CancellationToken cancel = default) => [.. (await AcceptedRowsAsync(cancel)).Where(r => r.LeftOut is null)];

    /// <summary>The same with those that nothing is learnt from, and why.</summary>
    internal async Task<IReadOnlyList<TranscriptTrainingRow>> AcceptedRowsAsync(CancellationToken cancel)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        var rows = await db.TranscriptRows.AsNoTracking().Where(r => r.To == null && r.Start != null && r.End != null && r.Transcript!.State == TranscriptState.Accepted)
            .OrderBy(r => r.Transcript!.RecordingId).ThenBy(r => r.Position)
            .Select(r => new { r.Transcript!.RecordingId, r.Transcript.Recording!.BlobHash, r.Start, r.End, Guessed = r.GuessedStart || r.GuessedEnd, r.Words, r.Speaker, Own = r.Transcript.Recording.Speaker!.Pseudonym, r.Transcript.Recording.Seconds })
            .ToListAsync(cancel);
        return [.. rows.Select(r =>
        {
            var text = string.Join(' ', TranscriptWords.Read(r.Words).Select(w => w.Text));
            LeftOutFor? leftOut = r.Guessed ? LeftOutFor.GuessedTimes : Math.Min(r.End!.Value, r.Seconds) - r.Start!.Value > SpokenLabel.LongestSeconds ? LeftOutFor.Length : text.Any(IsWritten) ? null : LeftOutFor.NoLetters;
            return new TranscriptTrainingRow(r.RecordingId, r.BlobHash, r.Start!.Value, r.End!.Value, text, r.Speaker ?? r.Own, leftOut);
        }).Where(r => r.Text.Length > 0 && r.End > r.Start)];

        // Transcribers write a to z: figures as they are spoken, and Latin letters without their marks.
        static bool IsWritten(char c) => char.IsAsciiLetterOrDigit(c) || (c is >= '\u00C0' and <= '\u024F' && char.IsLetter(c));
    }

    /// <summary>Edits that came too late, the newest first: who, when, and the edit as JSON.</summary>
    public async Task<IReadOnlyList<SetAsideEdit>> SetAsideAsync(long recordingId, CancellationToken cancel = default)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        return await db.SetAsideEdits.AsNoTracking().Where(e => e.Transcript!.RecordingId == recordingId).OrderByDescending(e => e.Id).ToListAsync(cancel);
    }

    private static IQueryable<TranscriptRow> At(DomainSslContext db, long transcriptId, int version) =>
        db.TranscriptRows.Where(r => r.TranscriptId == transcriptId && r.From <= version && (r.To == null || r.To > version)).OrderBy(r => r.Position).ThenBy(r => r.Id);

    private static NamedSegment Named(TranscriptRow row) => new(row.Uid, Segment(row));

    private static TranscriptSegment Segment(TranscriptRow row) => new(row.Speaker, row.Start, row.End, TranscriptWords.Read(row.Words)) { GuessedStart = row.GuessedStart, GuessedEnd = row.GuessedEnd };

    private static TranscriptRow Row(RecordingTranscript transcript, NamedSegment named) => new()
    {
        TranscriptId = transcript.Id, Uid = named.Uid, Speaker = TranscriptFormats.SpeakerName(named.Segment.Speaker), Start = Rounded(named.Segment.Start), End = Rounded(named.Segment.End),
        GuessedStart = named.Segment.GuessedStart, GuessedEnd = named.Segment.GuessedEnd,
        Words = TranscriptWords.Write(named.Segment.Words),
    };

    private static double? Rounded(double? seconds) => seconds is { } s ? Math.Round(s, 3) : null;

    internal static string NewUid() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8));

    private static Task<RecordingTranscript?> FindAsync(DomainSslContext db, long recordingId, CancellationToken cancel) => db.Transcripts.SingleOrDefaultAsync(t => t.RecordingId == recordingId, cancel);

    private static async Task<RecordingTranscript> MakeAsync(DomainSslContext db, long recordingId, CancellationToken cancel)
    {
        if (!await db.Recordings.AnyAsync(r => r.Id == recordingId, cancel)) throw NoRecording();
        var transcript = new RecordingTranscript { RecordingId = recordingId };
        db.Transcripts.Add(transcript);
        await db.SaveChangesAsync(cancel);
        return transcript;
    }

    /// <summary>Writes the version after the newest: rows that are not in it are closed, new ones get their place.</summary>
    private async Task<TranscriptReceipt> CommitAsync(DomainSslContext db, RecordingTranscript transcript, List<TranscriptRow> next, TranscriptDeed deed, int? of, TranscriptState state, string by, string clientKey,
        CancellationToken cancel)
    {
        int number = transcript.Version + 1;
        var stays = next.Where(r => r.Id != 0).Select(r => r.Id).ToHashSet();
        int closed = 0;
        foreach (var row in await At(db, transcript.Id, transcript.Version).ToListAsync(cancel))
        {
            if (stays.Contains(row.Id)) continue;
            row.To = number;
            closed++;
        }
        if (!Settle(next))
        {
            // No room is left between two neighbours after some fifty splits in one place: all get new places, in new rows, since a row says what was.
            for (int i = 0; i < next.Count; i++)
            {
                if (next[i].Id != 0)
                {
                    next[i].To = number;
                    next[i] = Row(transcript, new NamedSegment(NewUid(), Segment(next[i])));
                }
                next[i].Position = i + 1;
            }
        }
        var made = next.Where(r => r.Id == 0).ToList();
        foreach (var row in made) row.From = number;
        db.TranscriptRows.AddRange(made);
        db.TranscriptVersions.Add(new TranscriptVersion
        {
            TranscriptId = transcript.Id, Number = number, Deed = deed, Of = of, State = state, By = by, At = time.GetUtcNow().UtcDateTime, Changed = Math.Max(closed, made.Count), ClientKey = clientKey,
        });
        var counts = next.ConvertAll(r => TranscriptWords.Count(r.Words));
        (transcript.Version, transcript.State, transcript.Segments, transcript.Words) = (number, state, next.Count, counts.Sum(c => c.Words));
        transcript.Doubtful = state == TranscriptState.Accepted ? 0 : counts.Sum(c => c.Doubtful);
        await db.SaveChangesAsync(cancel);
        return new TranscriptReceipt(number, state);
    }

    private Task RecordAsync(DomainSslContext db, long recordingId, TranscriptDeed deed, int number, int? of, string by, CancellationToken cancel) =>
        audit.AppendAsync(db, by, $"transcript {(deed == TranscriptDeed.BroughtIn ? "brought in" : deed.ToString().ToLowerInvariant())}", $"recording {recordingId}",
            of is null ? $"version {number}" : $"version {number} as {of}", cancel);

    // What is kept of who speaks: a label that names nobody, a pseudonym that this installation has given, else the pseudonym of what was taken for a name. A shape alone makes no pseudonym: P-Westermann has it too.
    private async Task<Func<string?, string?>> UnnamingAsync(DomainSslContext db, long? transcriptId, IEnumerable<string?> speakers, CancellationToken cancel)
    {
        var codes = speakers.Select(TranscriptFormats.SpeakerName).Where(s => s is not null && Pseudonym().IsMatch(s)).Distinct().ToList();
        var given = codes.Count == 0 ? [] : await db.Patients.Where(p => codes.Contains(p.Pseudonym)).Select(p => p.Pseudonym)
            .Union(db.TranscriptRows.Where(r => r.TranscriptId == transcriptId && codes.Contains(r.Speaker)).Select(r => r.Speaker!)).ToListAsync(cancel);
        return speaker => TranscriptFormats.SpeakerName(speaker) is not { } name ? null : NobodysName().IsMatch(name) || given.Contains(name) ? name : secrets.SpeakerPseudonym(name);
    }

    /// <summary>Places for new rows between those that stay; false where there is no room.</summary>
    private static bool Settle(List<TranscriptRow> rows)
    {
        for (int i = 0; i < rows.Count;)
        {
            if (rows[i].Id != 0) { i++; continue; }
            int end = i;
            while (end < rows.Count && rows[end].Id == 0) end++;
            double before = i == 0 ? 0 : rows[i - 1].Position, after = end < rows.Count ? rows[end].Position : before + (end - i + 1);
            for (int k = i; k < end; k++)
            {
                rows[k].Position = before + (after - before) * (k - i + 1) / (end - i + 1);
                if (rows[k].Position <= (k == 0 ? 0 : rows[k - 1].Position) || rows[k].Position >= after) return false;
            }
            i = end;
        }
        return true;
    }

    private async Task<TranscriptReceipt> SetAsideAsync(DomainSslContext db, RecordingTranscript transcript, IReadOnlyList<SegmentChange> changes, string by, string clientKey,
        Microsoft.EntityFrameworkCore.Storage.IDbContextTransaction transaction, CancellationToken cancel)
    {
        var edit = JsonSerializer.Serialize(changes.Select(c => new
        {
            replaces = c.Replaces, after = c.After,
            with = c.With.Select(s => new { uid = s.Uid, speaker = s.Segment.Speaker, start = s.Segment.Start, end = s.Segment.End, text = s.Segment.Text, words = TranscriptWords.Write(s.Segment.Words) }),
        }));
        db.SetAsideEdits.Add(new SetAsideEdit { TranscriptId = transcript.Id, By = by, At = time.GetUtcNow().UtcDateTime, ClientKey = clientKey, Edit = edit });
        await db.SaveChangesAsync(cancel);
        await audit.AppendAsync(db, by, "transcript edit set aside", $"recording {transcript.RecordingId}", $"version {transcript.Version}", cancel);
        await transaction.CommitAsync(cancel);
        return new TranscriptReceipt(transcript.Version, transcript.State, Conflict: true);
    }

    private static async Task<TranscriptReceipt?> StoredAsync(DomainSslContext db, string clientKey, CancellationToken cancel) =>
        await db.TranscriptVersions.AsNoTracking().Where(v => v.ClientKey == clientKey).Select(v => new TranscriptReceipt(v.Transcript!.Version, v.Transcript.State, true, false)).SingleOrDefaultAsync(cancel)
        ?? await db.SetAsideEdits.AsNoTracking().Where(e => e.ClientKey == clientKey).Select(e => new TranscriptReceipt(e.Transcript!.Version, e.Transcript.State, true, true)).SingleOrDefaultAsync(cancel);

    private static void CheckKey(string clientKey)
    {
        if (string.IsNullOrWhiteSpace(clientKey) || clientKey.Length > 200) throw new RefusedException("client-key-missing", "The change came without its key and was not stored; load the page again.");
    }

    private static void Check(IReadOnlyList<SegmentChange> changes, double seconds)
    {
        if (changes.Count == 0) throw TranscriptWords.Damaged("it changes nothing");
        foreach (var segment in changes.SelectMany(c => c.With))
        {
            if (segment.Uid.Length is 0 or > 64) throw TranscriptWords.Damaged("a segment has no name");
            var (start, end) = (segment.Segment.Start, segment.Segment.End);
            if (start is null != end is null || start < 0 || end < start || end > seconds + 2) throw TranscriptWords.Damaged("a segment's times are not within the recording");
            if (segment.Segment.Speaker is { Length: > 100 }) throw TranscriptWords.Damaged("a speaker's name is too long");
        }
    }

    private static RefusedException NoRecording() => new("no-recording", "There is no such recording; it may have been removed. Go back to the library.");
    /// <summary>There is none to be accepted, exported or gone back in.</summary>
    public static RefusedException NoTranscript() => new("no-transcript", "This recording has no transcript yet; transcribe it, bring one in, or begin to write.");
    private static RefusedException NoVersion(int version) => new("transcript-version", $"The transcript has no version {version}; load the page again.");
}
