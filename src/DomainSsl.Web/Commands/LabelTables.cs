using System.Security.Cryptography;
using DomainSsl.Core;
using DomainSsl.Core.Database;
using DomainSsl.Core.Importing;
using DomainSsl.Core.Library;
using DomainSsl.Core.Runs;
using DomainSsl.Core.Storage;
using Microsoft.EntityFrameworkCore;

namespace DomainSsl.Web.Commands;

/// <summary>An image or a recording of the library with the file that it was named by.</summary>
internal sealed record FoundItem(string File, long Item, ItemKind Kind, long? PatientId, string? Pseudonym);

/// <summary>A row of a table of labels with its image or recording; of a table of transcripts, the class is what is said.</summary>
internal sealed record LabelRow(string File, string Class, string? TablePatient, FoundItem Found);

/// <summary>A table of labels with the images or recordings it speaks of.</summary>
/// <param name="Rows">Its rows.</param>
/// <param name="Refused">Files that could not be used.</param>
/// <param name="Spoken">Whether it holds transcripts of recordings.</param>
internal sealed record LabelTable(IReadOnlyList<LabelRow> Rows, IReadOnlyList<RefusedFile> Refused, bool Spoken);

/// <summary>
/// Finds the images and recordings that files are, by the SHA-256 of the files' bytes as imported and never by a name; files that were not imported are imported first. Reads tables of labels
/// (<c>file,label</c> and, if wanted, <c>patient</c> or <c>speaker</c>) and of transcripts (<c>file,text</c> and, if wanted, <c>speaker</c>) that way.
/// </summary>
internal static class LabelTables
{
    private static readonly string[] Absences = ["normal", "none", "no", "no finding", "negative", "healthy", "absent", "0"];

    /// <summary>Reads a table.</summary>
    /// <param name="run">The command.</param>
    /// <param name="path">The table.</param>
    /// <param name="test">It is there to test by: the texts of recordings that are imported on the way do not become transcripts, from which a later transcriber would learn.</param>
    /// <exception cref="RefusedException">It cannot be read, has not the columns, says two things of one item, or speaks of images and of recordings.</exception>
    public static async Task<LabelTable> ReadAsync(CommandRun run, string path, bool test = false)
    {
        var (table, spoken) = Open(path);
        var name = Path.GetFileName(path);
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        var rows = table.Rows.Select(r => (File: table.Value(r, "file"), Label: table.Value(r, spoken ? "text" : "label"), Patient: table.Value(r, table.Has("speaker") && (spoken || !table.Has("patient")) ? "speaker" : "patient"))).Where(r => r.Label.Length > 0).ToList();
        if (rows.Count == 0) throw new RefusedException("no-labels", $"{name} has no row with a {(spoken ? "text; fill the column text" : "label; fill the column label")}.");
        var paths = rows.Select(r => Path.GetFullPath(r.File, folder)).ToList();
        var secrets = await run.ServiceAsync<Secrets>();
        var (found, refused) = await FindAsync(run, paths, import: [path], spoken ? ItemKind.Sound : null, texts: !test);

        var labels = new Dictionary<long, LabelRow>();
        for (var i = 0; i < rows.Count; i++)
        {
            if (!found.TryGetValue(paths[i], out var items)) continue;
            foreach (var item in items)
            {
                var sound = item.Kind == ItemKind.Sound;
                var patient = rows[i].Patient.Length == 0 ? null : sound ? secrets.SpeakerPseudonym(rows[i].Patient) : secrets.Deidentifier.Pseudonym(rows[i].Patient);
                var row = new LabelRow(rows[i].File, rows[i].Label, patient, item);
                if (labels.TryGetValue(item.Item, out var before) && before.Class != row.Class)
                    throw new RefusedException("two-labels", spoken ? $"{name} has two texts for the same recording ({before.File} and {row.File}); keep one of the two rows."
                        : $"{name} calls the same {(sound ? "recording" : "image")} {before.Class} ({before.File}) and {row.Class} ({row.File}); keep one of the two rows.");
                labels[item.Item] = row;
            }
        }
        if (labels.Count == 0) throw new RefusedException("no-images", $"None of the files of {name} could be used: {(refused.Count > 0 ? refused[0].Reason : spoken ? "they are no recordings." : "they hold no images.")}");
        if (labels.Values.Select(l => l.Found.Kind).Distinct().Count() > 1) throw new RefusedException("both-kinds", $"{name} speaks of images and of recordings; make two tables of it.");
        return new LabelTable([.. labels.Values], refused, spoken);
    }

    /// <summary>Whether a table holds transcripts: so that an option which does not go with it is refused before anything is imported.</summary>
    /// <exception cref="RefusedException">It cannot be read, or has not the columns.</exception>
    public static bool IsSpoken(string path) => Open(path).Spoken;

    private static (CsvTable Table, bool Spoken) Open(string path)
    {
        if (!File.Exists(path)) throw new RefusedException("no-table", $"There is no file {path}; name a CSV with the columns file,label, or file,text for recordings.");
        var table = CsvTable.Read(path);
        var spoken = table.Has("text") && !table.Has("label");
        if (!table.Has("file") || (!table.Has("label") && !spoken))
            throw new RefusedException("table-columns", $"{Path.GetFileName(path)} has not the columns file,label (or file,text for recordings); put them into its first line.");
        return (table, spoken);
    }

    /// <summary>Of how many people a table is, as a sentence goes on; of rows that nobody said whose they are, nothing is claimed of people.</summary>
    public static string Of(IEnumerable<string> groups, int count, string people) =>
        groups.Any(StandIn.Is) ? $" (whose some are is not known: others of the same {people} may have been learnt from, and what new {people} may expect cannot be said)" : $" of {count:#,0} {people}";

    /// <summary>The transcripts for runs, with the speakers by whom they are split, as <see cref="WithPatients"/> does it.</summary>
    public static IReadOnlyList<IReadOnlyList<SpokenLabel>> WithSpeakers(params IReadOnlyList<LabelTable> tables) =>
        [.. WithPatients(tables).Select(t => (IReadOnlyList<SpokenLabel>)[.. t.Select(l => new SpokenLabel(l.ItemId, l.Class, l.Patient))])];

    /// <summary>
    /// The labels for runs, with the patients by whom they are split. Where a table names a patient and the image has its own, both count: rows that share either are one patient's,
    /// over all tables given.
    /// </summary>
    public static IReadOnlyList<IReadOnlyList<LabelledItem>> WithPatients(params IReadOnlyList<LabelTable> tables)
    {
        var parent = new Dictionary<string, string>(StringComparer.Ordinal);
        string Root(string of)
        {
            while (parent.TryGetValue(of, out var up) && up != of) of = up;
            return of;
        }
        string Join(LabelRow row)
        {
            var own = row.Found.Pseudonym ?? row.TablePatient ?? StandIn.Of(row.Found.Item);
            parent.TryAdd(own, own);
            if (row.TablePatient is null || row.TablePatient == own) return own;
            parent.TryAdd(row.TablePatient, row.TablePatient);
            var (a, b) = (Root(own), Root(row.TablePatient));
            var (first, second) = string.CompareOrdinal(a, b) < 0 ? (a, b) : (b, a);
            parent[second] = first;
            return own;
        }
        foreach (var row in tables.SelectMany(t => t.Rows)) Join(row);
        return [.. tables.Select(t => (IReadOnlyList<LabelledItem>)[.. t.Rows.Select(r => new LabelledItem(r.Found.Item, r.Class, Root(Join(r))))])];
    }

    /// <summary>The classes of labels by name; one that means absence comes first, since of two the second is the finding.</summary>
    public static IReadOnlyList<string> Classes(IEnumerable<LabelRow> rows)
    {
        var classes = rows.Select(r => r.Class).Distinct().OrderBy(c => !Absences.Contains(c.ToLowerInvariant())).ThenBy(c => c, StringComparer.Ordinal).ToList();
        return classes.Count >= 2 ? classes : throw new RefusedException("one-class", $"All labels are '{classes[0]}'; a question needs at least two answers.");
    }

    /// <summary>The images, or recordings, of files, by full path; what could not be imported beside them.</summary>
    /// <param name="run">The command.</param>
    /// <param name="paths">Full paths.</param>
    /// <param name="import">What to import where some are unknown; null for the unknown files themselves.</param>
    /// <param name="kind">What is looked for; null: either.</param>
    /// <param name="texts">Whether texts of what is imported become accepted transcripts.</param>
    public static async Task<(IReadOnlyDictionary<string, IReadOnlyList<FoundItem>> Found, IReadOnlyList<RefusedFile> Refused)> FindAsync(
        CommandRun run, IReadOnlyList<string> paths, IReadOnlyList<string>? import = null, ItemKind? kind = ItemKind.Image, bool texts = true)
    {
        var hashes = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var path in paths.Distinct())
        {
            run.Cancel.ThrowIfCancellationRequested();
            if (!File.Exists(path)) continue;
            await using var stream = File.OpenRead(path);
            hashes[path] = Convert.ToHexStringLower(await SHA256.HashDataAsync(stream, run.Cancel));
        }
        var items = await ItemsAsync(run, kind, hashes.Values);
        var refused = paths.Distinct().Where(p => !hashes.ContainsKey(p))
            .Select(p => Directory.Exists(p) ? new RefusedFile(p, ImportRefusals.FolderUnreadable.Code, ImportRefusals.FolderUnreadable.Sentence) : new RefusedFile(p, "no-file", "There is no such file; check the path.")).ToList();
        var unknown = hashes.Where(h => !items.ContainsKey(h.Value)).Select(h => h.Key).ToList();
        if (unknown.Count > 0)
        {
            var importing = await run.ServiceAsync<LibraryImport>();
            run.Output.Note($"{unknown.Count:#,0} files are not in the library yet and are imported first.");
            var summary = await importing.ImportAsync(import ?? unknown, new ImportRequest(run.Who, Texts: texts), null, run.Cancel);
            items = await ItemsAsync(run, kind, hashes.Values);
            // Where a table of labels and the library name different people, both count (WithPatients): import changes nothing, and the row is used.
            refused.AddRange(summary.Refused.Where(r => r.Code is not ("speaker-differs" or "patient-differs")));
            // What was imported but is of the other kind has no item here.
            refused.AddRange(unknown.Where(p => !items.ContainsKey(hashes[p]) && summary.Refused.All(r => Path.GetFileName(r.File) != Path.GetFileName(p)))
                .Select(p => kind switch
                {
                    ItemKind.Sound => new RefusedFile(p, "no-sound", "It is no recording."),
                    ItemKind.Image => new RefusedFile(p, "no-image", "It is no image."),
                    _ => new RefusedFile(p, "no-item", "It is neither an image nor a recording."),
                }));
        }
        return (hashes.Where(h => items.ContainsKey(h.Value)).ToDictionary(h => h.Key, h => (IReadOnlyList<FoundItem>)[.. items[h.Value].Select(i => i with { File = h.Key })]), refused);
    }

    private static async Task<Dictionary<string, List<FoundItem>>> ItemsAsync(CommandRun run, ItemKind? wanted, IEnumerable<string> hashes)
    {
        var items = new Dictionary<string, List<FoundItem>>(StringComparer.Ordinal);
        await using var db = await RunCommands.DatabaseAsync(run);
        ItemKind[] kinds = wanted is { } one ? [one] : Enum.GetValues<ItemKind>();
        foreach (var (kind, some) in from k in kinds from s in hashes.Distinct().Chunk(500) select (k, s))
        {
            var sound = kind == ItemKind.Sound;
            var direct = await db.Items.Where(i => i.Kind == kind && some.Contains(sound ? i.Recording!.SourceHash : i.Instance!.SourceHash))
                .Select(i => new { Hash = sound ? i.Recording!.SourceHash : i.Instance!.SourceHash, i.Id, i.Frame, i.PatientId, i.Patient!.Pseudonym }).ToListAsync(run.Cancel);
            var known = db.SourceAliases.Where(a => some.Contains(a.SourceHash));
            var aliases = await (sound ? known.Where(a => a.RecordingId != null).Join(db.Items.Where(i => i.Kind == kind), a => a.RecordingId, i => i.RecordingId, (a, i) => new { Hash = a.SourceHash, i.Id, i.Frame, i.PatientId, i.Patient!.Pseudonym })
                : known.Where(a => a.InstanceId != null).Join(db.Items, a => a.InstanceId, i => i.InstanceId, (a, i) => new { Hash = a.SourceHash, i.Id, i.Frame, i.PatientId, i.Patient!.Pseudonym })).ToListAsync(run.Cancel);
            foreach (var item in direct.Concat(aliases).OrderBy(i => i.Frame))
            {
                if (!items.TryGetValue(item.Hash, out var list)) items[item.Hash] = list = [];
                list.Add(new FoundItem("", item.Id, kind, item.PatientId, item.Pseudonym));
            }
        }
        return items;
    }
}
