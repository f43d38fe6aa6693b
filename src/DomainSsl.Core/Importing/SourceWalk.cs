using System.IO.Compression;
using DomainSsl.Core.Storage;
using DomainSsl.Dicom;

namespace DomainSsl.Core.Importing;

/// <summary>
/// Finds what there is to import: files, folders, zips (one level), DICOMDIRs and tables of files. Kinds are told by content, never by name. Only names and the first
/// bytes are looked at here, but for zips, whose entries are unpacked one after another within <see cref="ImportOptions"/>' limits.
/// </summary>
internal sealed class SourceWalk(ImportOptions options, DataFolder folder, IReadOnlyDictionary<string, string>? names)
{
    private const long InMemory = 64 << 20;
    private const long SmallBomb = 100_000_000;
    private const string MediaDirectory = "1.2.840.10008.1.3.10"; // Media Storage Directory Storage (PS3.4 annex B)

    private readonly record struct Found(string Name, string Path, long Length, bool InFolder, string? Patient = null, string? Speaker = null, string? Text = null, Refusal? Refusal = null);

    // What a list says of a file.
    private readonly record struct Row(string File, string? Patient = null, string? Speaker = null, string? Text = null);

    private enum Kind { Other, Zip, Table, Directory }

    /// <summary>Files found so far, zip entries included.</summary>
    public int Total { get; private set; }

    /// <summary>Yields the sources, one at a time; each is disposed by who works on it.</summary>
    public IEnumerable<ImportSource> Sources(IReadOnlyList<string> paths, CancellationToken cancel)
    {
        // The listing first: it is quick, and a total lets people see how long it will take.
        var found = names is null ? [.. paths.SelectMany(p => List(p, cancel))] : Dropped(paths, names, cancel);
        Total = found.Count;
        foreach (var file in found)
        {
            cancel.ThrowIfCancellationRequested();
            if (file.Refusal is not null) { yield return ImportSource.Refused(file.Name, file.Refusal, file.Length); continue; }
            // Length 0 also stands for pipes and devices, which must never be opened.
            if (file.Length == 0) { yield return ImportSource.Refused(file.Name, ImportRefusals.Empty); continue; }
            var (kind, refusal) = Look(file);
            if (refusal is not null) { yield return ImportSource.Refused(file.Name, refusal, file.Length); continue; }
            if (kind == Kind.Zip)
            {
                foreach (var entry in Unzip(file, cancel)) yield return entry;
                continue;
            }
            if (file.InFolder && kind == Kind.Directory) { Total--; continue; } // what it lists lies in the folder and is met there
            if (file.InFolder && kind == Kind.Table) { yield return ImportSource.Refused(file.Name, ImportRefusals.TableInFolder, file.Length); continue; }
            if (file.Length > options.MaxFileBytes) { yield return ImportSource.Refused(file.Name, ImportRefusals.TooLarge(file.Length, options.MaxFileBytes), file.Length); continue; }
            yield return ImportSource.OfFile(file.Name, file.Path, file.Length, file.Patient, file.Speaker, file.Text);
        }
    }

    private static IEnumerable<Found> List(string path, CancellationToken cancel)
    {
        if (Directory.Exists(path)) return Folder(path, cancel);
        var file = new FileInfo(path);
        if (!file.Exists) return [new Found(path, path, 0, false, Refusal: ImportRefusals.NotFound)];
        var given = new Found(path, file.FullName, file.Length, InFolder: false);
        if (file.Length == 0) return [given];
        var kind = Look(given).Kind;
        if (kind is not (Kind.Table or Kind.Directory)) return [given];
        var (rows, refusal) = Rows(given, kind, Path.GetFileName(path));
        return refusal is not null ? [given with { Refusal = refusal }] : rows.Select(r => OnDisk(given, kind, r)).ToList();
    }

    private static IEnumerable<Found> Folder(string path, CancellationToken cancel)
    {
        foreach (var name in SourceFolder.Files(path))
        {
            cancel.ThrowIfCancellationRequested();
            var file = new FileInfo(name);
            yield return file.Exists ? new Found(name, file.FullName, file.Length, InFolder: true)
                : new Found(name, file.FullName, 0, InFolder: true, Refusal: Directory.Exists(name) ? ImportRefusals.FolderUnreadable : ImportRefusals.NotFound);
        }
    }

    /// <summary>
    /// What was dropped in a browser lies here under numbers, without its folders: what a list names is looked for among the names as dropped and never on this machine's disk, whose files
    /// are none of the list's business. Each dropped file comes once, with what the lists say of it.
    /// </summary>
    private static List<Found> Dropped(IReadOnlyList<string> paths, IReadOnlyDictionary<string, string> names, CancellationToken cancel)
    {
        var (files, kinds) = (new List<Found>(paths.Count), new List<Kind>(paths.Count));
        var (byName, inAnyCase) = (new Dictionary<string, Found>(StringComparer.Ordinal), new Dictionary<string, Found>(StringComparer.OrdinalIgnoreCase));
        foreach (var path in paths)
        {
            cancel.ThrowIfCancellationRequested();
            var info = new FileInfo(path);
            var name = names.GetValueOrDefault(path) ?? info.Name;
            var file = info.Exists ? new Found(name, info.FullName, info.Length, InFolder: false) : new Found(name, path, 0, false, Refusal: ImportRefusals.NotFound);
            files.Add(file);
            kinds.Add(file.Length > 0 && !SourceFolder.IsClutter(Plain(name)) ? Look(file).Kind : Kind.Other);
            if (Beside("", name) is not { } key) continue;
            byName.TryAdd(key, file);
            inAnyCase.TryAdd(key, file);
        }

        var found = new List<Found>(files.Count);
        var places = new Dictionary<string, int>(StringComparer.Ordinal); // where in it a dropped file stands that a list names
        // Tables first: they say more of a file than a DICOMDIR does.
        foreach (var kind in (Kind[])[Kind.Table, Kind.Directory])
        {
            foreach (var list in files.Where((_, i) => kinds[i] == kind))
            {
                cancel.ThrowIfCancellationRequested();
                var (rows, refusal) = Rows(list, kind, "The table");
                if (refusal is not null) found.Add(list with { Refusal = refusal });
                foreach (var row in rows)
                {
                    if (Beside(list.Name, row.File) is not { } name) { found.Add(new Found(row.File, "", 0, false, Refusal: ImportRefusals.NamedOutside)); continue; }
                    // The file names of a DICOMDIR are in capitals, whatever the medium was copied to made of them.
                    if (!byName.TryGetValue(name, out var file) && !(kind == Kind.Directory && inAnyCase.TryGetValue(name, out file)))
                    {
                        found.Add(new Found(name, "", 0, false, Refusal: ImportRefusals.NamedNotDropped));
                        continue;
                    }
                    if (!places.TryGetValue(file.Path, out int at))
                    {
                        places[file.Path] = found.Count;
                        found.Add(file with { Patient = row.Patient, Speaker = row.Speaker, Text = row.Text });
                    }
                    else if (Agree(found[at].Patient, row.Patient) && Agree(found[at].Speaker, row.Speaker) && Agree(found[at].Text, row.Text))
                        found[at] = found[at] with { Patient = found[at].Patient ?? row.Patient, Speaker = found[at].Speaker ?? row.Speaker, Text = found[at].Text ?? row.Text };
                    // Rows that contradict each other both come, as from the command line, so that the second is told of.
                    else found.Add(file with { Patient = row.Patient, Speaker = row.Speaker, Text = row.Text });
                }
            }
        }
        found.AddRange(files.Where((f, i) => kinds[i] is not (Kind.Table or Kind.Directory) && !places.ContainsKey(f.Path) && !SourceFolder.IsClutter(Plain(f.Name))));
        return found;

        static bool Agree(string? a, string? b) => a is null || b is null || a == b;
    }

    // Browsers say '/', tables from Windows '\'.
    private static string Plain(string name) => name.Replace('\\', '/');

    /// <summary>The name under which something that a list names was dropped; null where that lies outside of all that can be.</summary>
    private static string? Beside(string list, string named)
    {
        named = Plain(named);
        if (named.StartsWith('/') || named is [_, ':', ..]) return null;
        var parts = Plain(list).Split('/', StringSplitOptions.RemoveEmptyEntries).SkipLast(1).ToList();
        foreach (var part in named.Split('/'))
        {
            if (part.Length == 0 || part == ".") continue;
            if (part != "..") parts.Add(part);
            else if (parts.Count == 0) return null;
            else parts.RemoveAt(parts.Count - 1);
        }
        return string.Join('/', parts);
    }

    // Who may start the program may read what it reads, so a table of the command line may name any file; a DICOMDIR came from elsewhere.
    private static Found OnDisk(Found list, Kind kind, Row row)
    {
        var home = Path.GetDirectoryName(list.Path)!;
        var file = new FileInfo(Path.Combine(home, row.File));
        if (kind == Kind.Directory && !file.FullName.StartsWith(home + Path.DirectorySeparatorChar, StringComparison.Ordinal)) return new Found(file.FullName, file.FullName, 0, false, Refusal: ImportRefusals.NamedOutside);
        return file.Exists ? new Found(file.FullName, file.FullName, file.Length, false, row.Patient, row.Speaker, row.Text) : new Found(file.FullName, file.FullName, 0, false, Refusal: ImportRefusals.NamedNotFound);
    }

    // What a list names: a table's rows, or the records of a DICOMDIR (PS3.3 annex F) with a Referenced File ID, the parts of a path relative to it.
    private static (IReadOnlyList<Row> Rows, Refusal? Refusal) Rows(Found list, Kind kind, string called)
    {
        try
        {
            if (kind == Kind.Directory)
                return ([.. DicomFile.Read(list.Path).DataSet.GetItems(DicomTags.DirectoryRecordSequence).Select(r => r.GetStrings(DicomTags.ReferencedFileID)).Where(p => p.Count > 0).Select(p => new Row(string.Join('/', p)))], null);
            var table = CsvTable.Read(list.Path, called);
            return ([.. table.Rows.Select(r => new Row(table.Value(r, "file"), Given(table, r, "patient"), Given(table, r, "speaker"), Given(table, r, "text"))).Where(r => r.File.Length > 0)], null);
        }
        catch (DicomException e) { return ([], new Refusal(e.Code, e.Message)); }
        catch (RefusedException e) { return ([], e.Refusal); }

        static string? Given(CsvTable table, string[] row, string column) => table.Value(row, column) is { Length: > 0 } value ? value : null;
    }

    private static (Kind Kind, Refusal? Refusal) Look(Found file)
    {
        var first = new byte[4096];
        int read;
        try
        {
            using var stream = new FileStream(file.Path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, 1);
            read = stream.ReadAtLeast(first, first.Length, throwOnEndOfStream: false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException) { return (Kind.Other, ImportRefusals.Unreadable(e.Message)); }
        return (KindOf(first.AsSpan(0, read)), null);
    }

    private static Kind KindOf(ReadOnlySpan<byte> first)
    {
        if (IsZip(first)) return Kind.Zip;
        if (first.Length > 132 && first[128..132].SequenceEqual("DICM"u8))
            return first.IndexOf("1.2.840.10008.1.3.10"u8) is >= 0 and < 512 && IsMediaDirectory(first) ? Kind.Directory : Kind.Other;
        return CsvTable.LooksLikeFileTable(first) ? Kind.Table : Kind.Other;
    }

    private static bool IsZip(ReadOnlySpan<byte> first) => first.StartsWith("PK\x03\x04"u8) || first.StartsWith("PK\x05\x06"u8);

    private static bool IsMediaDirectory(ReadOnlySpan<byte> first)
    {
        // Only the file meta group is needed, and that lies within the first kilobytes.
        try { return DicomFile.Inspect(new MemoryStream(first.ToArray())).Meta.GetString(DicomTags.MediaStorageSOPClassUID) == MediaDirectory; }
        catch (DicomException) { return first[..Math.Min(first.Length, 512)].IndexOf("\x02\x00\x02\x00UI\x14\x001.2.840.10008.1.3.10"u8) >= 0; }
    }

    private IEnumerable<ImportSource> Unzip(Found file, CancellationToken cancel)
    {
        ZipArchive? zip = null;
        Refusal? refusal = null;
        try { zip = new ZipArchive(new FileStream(file.Path, FileMode.Open, FileAccess.Read, FileShare.Read), ZipArchiveMode.Read); _ = zip.Entries.Count; }
        catch (InvalidDataException) { refusal = ImportRefusals.ZipDamaged; }
        catch (IOException e) { refusal = ImportRefusals.Unreadable(e.Message); }
        using var closed = zip;
        if (refusal is null && zip!.Entries.Count > options.MaxZipEntries) refusal = ImportRefusals.ZipTooMuch;
        if (refusal is null && TooMuchInAll(zip!, file.Length)) refusal = ImportRefusals.ZipTooMuch;
        if (refusal is not null)
        {
            yield return ImportSource.Refused(file.Name, refusal, file.Length);
            yield break;
        }
        var entries = zip!.Entries.Where(e => !e.FullName.EndsWith('/') && (LeadsOut(e.FullName) || !SourceFolder.IsClutter(e.FullName))).ToList();
        Total += entries.Count - 1;
        foreach (var entry in entries)
        {
            cancel.ThrowIfCancellationRequested();
            yield return Unpack(entry, $"{file.Name}!{entry.FullName}");
        }
    }

    // Entries may share packed bytes, so that each looks harmless and the sum is not.
    private bool TooMuchInAll(ZipArchive zip, long packed)
    {
        long all = 0;
        foreach (var entry in zip.Entries)
        {
            if (LeadsOut(entry.FullName) || IsBomb(entry)) continue; // refused one by one
            all += entry.Length;
            if (all > options.MaxZipBytes || (all > 10 * SmallBomb && all / Math.Max(1, packed) > options.MaxZipRatio)) return true;
        }
        return false;
    }

    private static bool LeadsOut(string name)
    {
        var plain = name.Replace('\\', '/');
        return plain.StartsWith('/') || plain.Contains(':', StringComparison.Ordinal) || plain.Contains('\0', StringComparison.Ordinal) || plain.Split('/').Contains("..");
    }

    private bool IsBomb(ZipArchiveEntry entry) => entry.Length > SmallBomb && entry.Length / Math.Max(1, entry.CompressedLength) > options.MaxZipRatio;

    private ImportSource Unpack(ZipArchiveEntry entry, string name)
    {
        long length = entry.Length;
        if (LeadsOut(entry.FullName)) return ImportSource.Refused(name, ImportRefusals.ZipSlip, length);
        if (IsBomb(entry)) return ImportSource.Refused(name, ImportRefusals.ZipBomb(length, entry.CompressedLength), length);
        if (length > options.MaxFileBytes) return ImportSource.Refused(name, ImportRefusals.TooLarge(length, options.MaxFileBytes), length);
        if (length == 0) return ImportSource.Refused(name, ImportRefusals.Empty);
        string? temporary = null;
        try
        {
            using var stream = entry.Open();
            if (length <= InMemory)
            {
                var bytes = GC.AllocateUninitializedArray<byte>((int)length);
                int read = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
                if (read < bytes.Length) return ImportSource.Refused(name, ImportRefusals.ZipDamaged, length);
                if (stream.ReadByte() >= 0) return ImportSource.Refused(name, ImportRefusals.ZipLies, length);
                if (Crc32.Of(bytes) != entry.Crc32) return ImportSource.Refused(name, ImportRefusals.ZipDamaged, length);
                return IsZip(bytes) ? ImportSource.Refused(name, ImportRefusals.NestedZip, length) : ImportSource.OfBytes(name, bytes);
            }
            temporary = Path.Combine(folder.Temporary, "unzip-" + Guid.NewGuid().ToString("N"));
            using (var target = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1))
            {
                var piece = new byte[1 << 20];
                long left = length;
                uint crc = 0;
                for (int n; (n = stream.Read(piece)) > 0;)
                {
                    left -= n;
                    if (left < 0) throw new InvalidDataException();
                    crc = Crc32.Of(piece.AsSpan(0, n), crc);
                    target.Write(piece, 0, n);
                }
                if (left > 0 || crc != entry.Crc32) throw new InvalidDataException();
            }
            return ImportSource.OfTemporary(name, temporary, length);
        }
        catch (Exception e) when (e is InvalidDataException or IOException or NotSupportedException)
        {
            if (temporary is not null) File.Delete(temporary);
            // Not the entry's fault: the import stops, and nothing is listed as refused that is well.
            if (Disk.IsFull(e)) throw;
            return ImportSource.Refused(name, e is IOException ? ImportRefusals.Unreadable(e.Message) : ImportRefusals.ZipDamaged, length);
        }
    }
}
