using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using DomainSsl.Core.Audit;
using DomainSsl.Core.Collections;
using DomainSsl.Core.Database;
using DomainSsl.Core.Library;
using DomainSsl.Core.Tasks;
using DomainSsl.Core.Transcripts;
using Microsoft.EntityFrameworkCore;

namespace DomainSsl.Core.Importing;

/// <summary>
/// The one writer of an import: rows, collection, quarantine, counters and audit entry of a group of files in one transaction. Where it goes on with an import that was cut off, what came in since that one
/// was begun is its own.
/// </summary>
internal sealed class ImportWriter(
    IDbContextFactory<DomainSslContext> factory, AuditLog audit, TranscriptService transcripts, TimeProvider time, long batchId, DateTime? begunAt, long? collectionId, string by)
{
    private readonly List<RefusedFile> _refused = [];
    private readonly HashSet<string> _met = new(StringComparer.Ordinal);
    private int _imported, _duplicates, _named;

    public ImportProgress Progress(int total, IReadOnlyList<ImportedFile> latest) =>
        new(_imported + _duplicates + _refused.Count, Math.Max(total, _imported + _duplicates + _refused.Count), _imported, _duplicates, _refused.Count, latest);

    public ImportSummary Summary() => new(batchId, _imported, _duplicates, [.. _refused], collectionId, _named);

    /// <summary>Commits a group. Beginning the transaction takes SQLite's write lock, so whatever another importer committed before is seen, and nothing changes underneath.</summary>
    public async Task<IReadOnlyList<ImportedFile>> CommitAsync(IReadOnlyList<Prepared> group, CancellationToken cancel)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        var now = time.GetUtcNow().UtcDateTime;
        var known = await Known.LoadAsync(db, group, cancel);
        var collection = collectionId is null ? null : await db.Collections.SingleAsync(c => c.Id == collectionId, cancel);

        var outcomes = new ImportedFile[group.Count];
        var additions = new List<(int Index, IReadOnlyList<Item> Items)>();
        for (int i = 0; i < group.Count; i++)
        {
            var (outcome, items) = group[i] switch
            {
                PreparedRefusal r => (Refuse(r, r.Refusal), []),
                PreparedDuplicate d => Duplicate(db, known, d, known.BySource[d.SourceHash], d.Whose),
                PreparedScan s => Scan(db, known, s, collection, now),
                PreparedSound s => Sound(db, known, s, collection, now),
                var other => throw new InvalidOperationException(other.GetType().Name),
            };
            outcomes[i] = outcome;
            if (items.Count > 0 && outcome.Outcome != ImportOutcome.Refused) additions.Add((i, items));
        }
        await db.SaveChangesAsync(cancel);
        await FollowNamesAsync(db, known.Named, cancel);
        if (collection is not null) await JoinAsync(db, collection, group, outcomes, additions, cancel);
        int spoken = await WriteDownAsync(db, group, outcomes, additions, cancel);

        await QuarantineAsync(db, group, outcomes, now, cancel);
        int stored = outcomes.Count(o => o.Outcome == ImportOutcome.Imported);
        foreach (var (index, items) in additions) Own(group[index], items, ref outcomes[index]);
        int imported = outcomes.Count(o => o.Outcome == ImportOutcome.Imported), duplicates = outcomes.Count(o => o.Outcome == ImportOutcome.Duplicate);
        int refused = outcomes.Length - imported - duplicates;
        var batch = await db.ImportBatches.SingleAsync(b => b.Id == batchId, cancel);
        batch.Files += outcomes.Length;
        batch.Imported += imported;
        batch.Duplicates += duplicates;
        batch.Refused += refused;
        var details = new { imported = stored, duplicates = duplicates + imported - stored, refused, named = known.Named.Count, transcripts = spoken, collection = collection?.Name };
        await audit.AppendAsync(db, by, "imported", $"import {batchId}", JsonSerializer.Serialize(details), cancel);
        await transaction.CommitAsync(cancel);

        // Counted only now: an exception above leaves the summary as the database is.
        _imported += imported;
        _duplicates += duplicates;
        _named += known.Named.Count;
        _refused.AddRange(outcomes.Where(o => o.Outcome == ImportOutcome.Refused).Select(o => new RefusedFile(o.File, o.Code!, o.Reason!)));
        return outcomes;
    }

    public async Task EndAsync(CancellationToken cancel)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        await db.ImportBatches.Where(b => b.Id == batchId).ExecuteUpdateAsync(b => b.SetProperty(x => x.EndedAt, time.GetUtcNow().UtcDateTime), cancel);
    }

    private static ImportedFile Refuse(Prepared file, Refusal why) => new(file.File, ImportOutcome.Refused, why.Code, why.Sentence);

    // What is there keeps all that is known of it; a table may say whose it is where nobody has yet, and may not say otherwise.
    private static (ImportedFile, IReadOnlyList<Item>) Duplicate(DomainSslContext db, Known known, Prepared file, IReadOnlyList<Item> items, Whose? whose)
    {
        if (whose is not null && items.Count > 0)
        {
            if (items.Any(i => i.Patient is { } p && p.Pseudonym != whose.Pseudonym && p.Pseudonym != whose.StandIn))
                return (Refuse(file, items[0].Kind == ItemKind.Sound ? ImportRefusals.SpeakerDiffers : ImportRefusals.PatientDiffers), []);
            var unnamed = items.Where(i => i.Patient?.Pseudonym != whose.Pseudonym).ToList();
            if (unnamed.Count > 0)
            {
                var (before, patient) = (unnamed[0].Patient, known.PatientOf(db, whose.Pseudonym));
                foreach (var item in unnamed)
                {
                    item.Patient = patient;
                    if (item.Recording is { } recording) recording.Speaker = patient;
                    if (before is not null && item.Study is { } study && study.Patient == before) study.Patient = patient;
                }
                known.Named.Add((unnamed, before, patient));
            }
        }
        return (new ImportedFile(file.File, ImportOutcome.Duplicate), items);
    }

    private static (ImportedFile, IReadOnlyList<Item>) Alias(DomainSslContext db, Known known, Prepared file, IReadOnlyList<Item> items, Whose? whose, SourceAlias alias)
    {
        var end = Duplicate(db, known, file, items, whose);
        if (end.Item1.Outcome == ImportOutcome.Refused) return end;
        db.SourceAliases.Add(alias);
        known.BySource[alias.SourceHash] = items;
        return end;
    }

    // What hangs on whose an item is. No lock of a task's test patients is ever taken away: where what stood for the patient was locked, the patient now is too, so the item stays a test item.
    private static async Task FollowNamesAsync(DomainSslContext db, List<(IReadOnlyList<Item> Items, Patient? Before, Patient Now)> named, CancellationToken cancel)
    {
        if (named.Count == 0) return;
        foreach (var (before, now) in named.Where(n => n.Before is not null).Select(n => (n.Before!.Id, n.Now.Id)).Distinct())
        {
            var tasks = await db.TaskTestPatients.Where(t => t.PatientId == before && !db.TaskTestPatients.Any(o => o.TaskId == t.TaskId && o.PatientId == now)).Select(t => t.TaskId).ToListAsync(cancel);
            db.TaskTestPatients.AddRange(tasks.Select(t => new TaskTestPatient { TaskId = t, PatientId = now }));
            await db.SaveChangesAsync(cancel); // before the next, which may be the same patient's
        }
        // A frozen collection's items and hash stay; of how many people they are is known better now.
        var ids = named.SelectMany(n => n.Items).Select(i => i.Id).ToList();
        foreach (var collection in await db.Collections.Where(c => db.CollectionItems.Any(m => m.CollectionId == c.Id && ids.Contains(m.ItemId))).ToListAsync(cancel))
            collection.Patients = await db.CollectionItems.Where(m => m.CollectionId == collection.Id && m.Item!.PatientId != null).Select(m => m.Item!.PatientId).Distinct().CountAsync(cancel);
        await db.SaveChangesAsync(cancel);
    }

    private static (ImportedFile, IReadOnlyList<Item>) Scan(DomainSslContext db, Known known, PreparedScan scan, Collection? collection, DateTime now)
    {
        if (known.BySource.TryGetValue(scan.SourceHash, out var same)) return Duplicate(db, known, scan, same, scan.Whose);
        if (known.Instances.TryGetValue(scan.Instance.Uid, out var there))
        {
            if (there.BlobHash != scan.Instance.BlobHash) return (Refuse(scan, ImportRefusals.Conflict), []);
            // Other bytes, same image once de-identified.
            return Alias(db, known, scan, known.BySource[there.SourceHash], scan.Whose, new SourceAlias { SourceHash = scan.SourceHash, Instance = there });
        }
        if (collection?.FrozenAt is not null) return (Refuse(scan, ImportRefusals.Frozen(collection.Name)), []);

        var patient = known.PatientOf(db, scan.Pseudonym);
        if (!known.Studies.TryGetValue(scan.Study.Uid, out var study))
        {
            study = new Study { Uid = scan.Study.Uid, Patient = patient, Date = scan.Study.Date, Modality = scan.Study.Modality, BodyPart = scan.Study.BodyPart, ImportedAt = now };
            db.Studies.Add(known.Studies[study.Uid] = study);
        }
        if (!known.Series.TryGetValue(scan.SeriesUid, out var series))
        {
            series = new Series { Uid = scan.SeriesUid, Study = study, Modality = scan.Study.Modality, Number = scan.SeriesNumber };
            db.Series.Add(known.Series[series.Uid] = series);
        }
        study.Images++;
        if (study.BodyPart.Length == 0) study.BodyPart = scan.Study.BodyPart;
        var instance = scan.Instance;
        instance.Series = series;
        db.Instances.Add(known.Instances[instance.Uid] = instance);
        var items = new List<Item>(instance.Frames);
        for (int frame = 0; frame < instance.Frames; frame++)
        {
            items.Add(new Item
            {
                Kind = ItemKind.Image, Instance = instance, Frame = frame, Study = study, Patient = patient,
                Hash = HashOf($"{instance.BlobHash}/{frame}"), ImportedAt = now,
            });
        }
        db.Items.AddRange(items);
        known.BySource[scan.SourceHash] = items;
        return (new ImportedFile(scan.File, ImportOutcome.Imported), items);
    }

    private static (ImportedFile, IReadOnlyList<Item>) Sound(DomainSslContext db, Known known, PreparedSound sound, Collection? collection, DateTime now)
    {
        if (known.BySource.TryGetValue(sound.SourceHash, out var same)) return Duplicate(db, known, sound, same, sound.Whose);
        var recording = sound.Recording;
        if (known.Recordings.TryGetValue(recording.BlobHash, out var there))
            return Alias(db, known, sound, known.BySource[there.SourceHash], sound.Whose, new SourceAlias { SourceHash = sound.SourceHash, Recording = there });
        if (collection?.FrozenAt is not null) return (Refuse(sound, ImportRefusals.Frozen(collection.Name)), []);
        recording.ImportedAt = now;
        recording.Speaker = sound.Whose is null ? null : known.PatientOf(db, sound.Whose.Pseudonym);
        db.Recordings.Add(known.Recordings[recording.BlobHash] = recording);
        var item = new Item
        {
            Kind = ItemKind.Sound, Recording = recording, Start = 0, End = recording.Seconds, Patient = recording.Speaker,
            Hash = HashOf(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{recording.BlobHash}/0-{recording.Seconds:R}")), ImportedAt = now,
        };
        db.Items.Add(item);
        known.BySource[sound.SourceHash] = [item];
        return (new ImportedFile(sound.File, ImportOutcome.Imported), [item]);
    }

    // Items already in the collection change nothing, also in a frozen one; anything new to a frozen one turns its file into a refused one.
    private static async Task JoinAsync(DomainSslContext db, Collection collection, IReadOnlyList<Prepared> group, ImportedFile[] outcomes,
        List<(int Index, IReadOnlyList<Item> Items)> additions, CancellationToken cancel)
    {
        var ids = additions.SelectMany(a => a.Items).Select(i => i.Id).Distinct().ToList();
        var members = (await db.CollectionItems.Where(c => c.CollectionId == collection.Id && ids.Contains(c.ItemId)).Select(c => c.ItemId).ToListAsync(cancel)).ToHashSet();
        var joining = new List<Item>();
        foreach (var (index, items) in additions)
        {
            var missing = items.Where(i => !members.Contains(i.Id)).ToList();
            if (missing.Count == 0) continue;
            if (collection.FrozenAt is not null)
            {
                outcomes[index] = Refuse(group[index], ImportRefusals.Frozen(collection.Name));
                continue;
            }
            joining.AddRange(missing);
            members.UnionWith(missing.Select(i => i.Id));
        }
        await CollectionMembers.AddAsync(db, collection, joining, cancel);
    }

    // What a table says is spoken, people have heard: it counts as accepted. What has been corrected here is not written over.
    private async Task<int> WriteDownAsync(DomainSslContext db, IReadOnlyList<Prepared> group, ImportedFile[] outcomes, List<(int Index, IReadOnlyList<Item> Items)> additions, CancellationToken cancel)
    {
        int written = 0;
        foreach (var (index, items) in additions)
        {
            if (group[index].Text is not { } text || items[0].RecordingId is not { } recording || outcomes[index].Outcome == ImportOutcome.Refused) continue;
            var transcript = TextTranscript.OfOne(text);
            var key = TranscriptService.KeyOf(recording, transcript);
            if (!await db.TranscriptVersions.AnyAsync(v => v.ClientKey == key, cancel) && await TranscriptService.IsCorrectedAsync(db, recording, cancel))
            {
                outcomes[index] = Refuse(group[index], ImportRefusals.TranscriptCorrected);
                continue;
            }
            try
            {
                if (!(await transcripts.BringInAsync(db, recording, transcript, TranscriptDeed.BroughtIn, TranscriptState.Accepted, by, key, cancel)).Again) written++;
            }
            catch (RefusedException e) { outcomes[index] = Refuse(group[index], e.Refusal); }
        }
        return written;
    }

    // A list that only grows is not read: one row a refused file, and none once it has come in.
    private async Task QuarantineAsync(DomainSslContext db, IReadOnlyList<Prepared> group, ImportedFile[] outcomes, DateTime now, CancellationToken cancel)
    {
        var names = outcomes.Select(o => o.File).ToList();
        var before = (await db.Quarantine.Where(q => q.BatchId != batchId && names.Contains(q.File)).ToListAsync(cancel)).ToLookup(q => q.File, StringComparer.Ordinal);
        foreach (var (file, outcome) in group.Zip(outcomes))
        {
            bool refused = outcome.Outcome == ImportOutcome.Refused;
            db.Quarantine.RemoveRange(before[outcome.File].Where(q => (q.Bytes == file.Length || Path.IsPathRooted(q.File)) && (!refused || q.Code == outcome.Code)));
            if (refused) db.Quarantine.Add(new QuarantinedFile { BatchId = batchId, At = now, File = outcome.File, Code = outcome.Code!, Reason = outcome.Reason!, Bytes = file.Length });
        }
    }

    // A file that came in before the cut is as new as those after it; a second copy of it is not.
    private void Own(Prepared file, IReadOnlyList<Item> items, ref ImportedFile outcome)
    {
        var hash = file switch { PreparedDuplicate d => d.SourceHash, PreparedScan s => s.SourceHash, PreparedSound s => s.SourceHash, _ => "" };
        if (begunAt is null || !_met.Add(hash) || outcome.Outcome != ImportOutcome.Duplicate) return;
        if (items[0].ImportedAt >= begunAt && hash == (items[0].Instance?.SourceHash ?? items[0].Recording?.SourceHash)) outcome = outcome with { Outcome = ImportOutcome.Imported };
    }

    internal static string HashOf(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    /// <summary>What the library already knows of a group's files; grows while the group's rows are made.</summary>
    private sealed class Known
    {
        public Dictionary<string, IReadOnlyList<Item>> BySource { get; } = new(StringComparer.Ordinal);
        public Dictionary<string, Instance> Instances { get; private set; } = [];
        public Dictionary<string, Recording> Recordings { get; private set; } = [];
        public Dictionary<string, Study> Studies { get; private set; } = [];
        public Dictionary<string, Series> Series { get; private set; } = [];
        /// <summary>Items of which a table said for the first time whose they are, with what stood for the patient before.</summary>
        public List<(IReadOnlyList<Item> Items, Patient? Before, Patient Now)> Named { get; } = [];
        private Dictionary<string, Patient> _patients = [];

        public static async Task<Known> LoadAsync(DomainSslContext db, IReadOnlyList<Prepared> group, CancellationToken cancel)
        {
            var known = new Known();
            var scans = group.OfType<PreparedScan>().ToList();
            var sounds = group.OfType<PreparedSound>().ToList();
            var hashes = scans.Select(s => s.SourceHash).Concat(sounds.Select(s => s.SourceHash)).Concat(group.OfType<PreparedDuplicate>().Select(d => d.SourceHash)).Distinct().ToList();
            if (hashes.Count == 0) return known;
            var uids = scans.Select(s => s.Instance.Uid).Distinct().ToList();
            var soundBlobs = sounds.Select(s => s.Recording.BlobHash).Distinct().ToList();
            var aliases = await db.SourceAliases.Where(a => hashes.Contains(a.SourceHash)).ToListAsync(cancel);
            var (aliasInstances, aliasRecordings) = (aliases.Select(a => a.InstanceId).ToList(), aliases.Select(a => a.RecordingId).ToList());
            var instances = await db.Instances.Where(i => hashes.Contains(i.SourceHash) || uids.Contains(i.Uid) || aliasInstances.Contains(i.Id)).ToListAsync(cancel);
            var recordings = await db.Recordings.Where(r => hashes.Contains(r.SourceHash) || soundBlobs.Contains(r.BlobHash) || aliasRecordings.Contains(r.Id)).ToListAsync(cancel);
            known.Instances = instances.ToDictionary(i => i.Uid, StringComparer.Ordinal);
            known.Recordings = recordings.DistinctBy(r => r.BlobHash).ToDictionary(r => r.BlobHash, StringComparer.Ordinal);

            var (instanceIds, recordingIds) = (instances.ConvertAll(i => (long?)i.Id), recordings.ConvertAll(r => (long?)r.Id));
            var items = await db.Items.Include(i => i.Patient).Include(i => i.Study).Where(i => instanceIds.Contains(i.InstanceId) || recordingIds.Contains(i.RecordingId)).ToListAsync(cancel);
            var ofInstance = items.Where(i => i.InstanceId is not null).ToLookup(i => i.InstanceId!.Value);
            var ofRecording = items.Where(i => i.RecordingId is not null).ToLookup(i => i.RecordingId!.Value);
            foreach (var i in instances) known.BySource[i.SourceHash] = [.. ofInstance[i.Id]];
            foreach (var r in recordings) known.BySource[r.SourceHash] = [.. ofRecording[r.Id]];
            foreach (var a in aliases) known.BySource[a.SourceHash] = a.InstanceId is { } i ? [.. ofInstance[i]] : [.. ofRecording[a.RecordingId!.Value]];

            var studies = scans.Select(s => s.Study.Uid).Distinct().ToList();
            known.Studies = await db.Studies.Where(s => studies.Contains(s.Uid)).ToDictionaryAsync(s => s.Uid, StringComparer.Ordinal, cancel);
            var series = scans.Select(s => s.SeriesUid).Distinct().ToList();
            known.Series = await db.Series.Where(s => series.Contains(s.Uid)).ToDictionaryAsync(s => s.Uid, StringComparer.Ordinal, cancel);
            var pseudonyms = scans.Select(s => (string?)s.Pseudonym).Concat(group.Select(WhoseOf).Select(w => w?.Pseudonym)).Distinct().ToList();
            known._patients = await db.Patients.Where(p => pseudonyms.Contains(p.Pseudonym)).ToDictionaryAsync(p => p.Pseudonym, StringComparer.Ordinal, cancel);
            return known;
        }

        private static Whose? WhoseOf(Prepared file) => file switch { PreparedDuplicate d => d.Whose, PreparedSound s => s.Whose, PreparedScan s => s.Whose, _ => null };

        public Patient PatientOf(DomainSslContext db, string pseudonym)
        {
            if (_patients.TryGetValue(pseudonym, out var patient)) return patient;
            db.Patients.Add(_patients[pseudonym] = patient = new Patient { Pseudonym = pseudonym });
            return patient;
        }
    }
}
