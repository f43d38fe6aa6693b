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

    private enum Kind { Other, Zip, Table, Directory }

    /// <summary>Files found so far, zip entries included.</summary>
    public int Total { get; private set; }

    /// <summary>Yields the sources, one at a time; each is disposed by who works on it.</summary>
    public IEnumerable<ImportSource> Sources(IReadOnlyList<string> paths, CancellationToken cancel)
    {
        // The listing first: it is quick, and a total lets people see how long it will take.
        var found = paths.SelectMany(p => List(p, cancel)).ToList();
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

    private IEnumerable<Found> List(string path, CancellationToken cancel)
    {
        var name = names?.GetValueOrDefault(path) ?? path;
        if (Directory.Exists(path)) return Folder(path, name, cancel);
        var file = new FileInfo(path);
        if (!file.Exists) return [new Found(name, path, 0, false, Refusal: ImportRefusals.NotFound)];
        var given = new Found(name, file.FullName, file.Length, InFolder: false);
        if (file.Length == 0) return [given];
        return Look(given).Kind switch
        {
            Kind.Table => Table(given),
            Kind.Directory => MediaFiles(given),
            _ => [given],
        };
    }

    private static IEnumerable<Found> Folder(string path, string name, CancellationToken cancel)
    {
        // Sorted, so that two imports of one folder go the same way. Links to folders are not followed: they may lead in a circle.
        var options = new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = true, AttributesToSkip = FileAttributes.ReparsePoint };
        foreach (var file in new DirectoryInfo(path).EnumerateFiles("*", options).OrderBy(f => f.FullName, StringComparer.Ordinal))
        {
            cancel.ThrowIfCancellationRequested();
            // What desktops leave lying about is nobody's scan and would only fill the quarantine.
            if (file.Name.StartsWith('.') || file.Name is "Thumbs.db" or "desktop.ini" || file.FullName.Contains("/__MACOSX/", StringComparison.Ordinal)) continue;
            yield return new Found(Path.Combine(name, Path.GetRelativePath(path, file.FullName)), file.FullName, file.Length, InFolder: true);
        }
    }

    private List<Found> Table(Found given)
    {
        CsvTable table;
        try { table = CsvTable.Read(given.Path); }
        catch (RefusedException e) { return [given with { Refusal = e.Refusal }]; }
        var home = Path.GetDirectoryName(given.Path)!;
        var found = new List<Found>(table.Rows.Count);
        foreach (var row in table.Rows)
        {
            var named = table.Value(row, "file");
            if (named.Length == 0) continue;
            var (patient, speaker) = (NullIfEmpty(table.Value(row, "patient")), NullIfEmpty(table.Value(row, "speaker")));
            var file = new FileInfo(Path.Combine(home, named));
            // A table that came through the browser must not reach into the server's folders.
            if (names is not null && !file.FullName.StartsWith(home + Path.DirectorySeparatorChar, StringComparison.Ordinal)) found.Add(new Found(named, file.FullName, 0, false, Refusal: ImportRefusals.NamedOutside));
            else found.Add(file.Exists ? new Found(file.FullName, file.FullName, file.Length, false, patient, speaker, NullIfEmpty(table.Value(row, "text"))) : new Found(file.FullName, file.FullName, 0, false, Refusal: ImportRefusals.NamedNotFound));
        }
        return found;

        static string? NullIfEmpty(string s) => s.Length == 0 ? null : s;
    }

    // DICOMDIR (PS3.3 annex F): records with Referenced File ID, the parts of a path relative to it.
    private static List<Found> MediaFiles(Found given)
    {
        DicomFile directory;
        try { directory = DicomFile.Read(given.Path); }
        catch (DicomException e) { return [given with { Refusal = new Refusal(e.Code, e.Message) }]; }
        var home = Path.GetDirectoryName(given.Path)!;
        var found = new List<Found>();
        foreach (var record in directory.DataSet.GetItems(DicomTags.DirectoryRecordSequence))
        {
            var parts = record.GetStrings(DicomTags.ReferencedFileID);
            if (parts.Count == 0) continue;
            var path = Path.GetFullPath(Path.Combine([home, .. parts]));
            var file = new FileInfo(path);
            if (!path.StartsWith(home + Path.DirectorySeparatorChar, StringComparison.Ordinal)) found.Add(new Found(path, path, 0, false, Refusal: ImportRefusals.NamedOutside));
            else if (!file.Exists) found.Add(new Found(path, path, 0, false, Refusal: ImportRefusals.NamedNotFound));
            else found.Add(new Found(path, path, file.Length, false));
        }
        return found;
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
        var entries = zip!.Entries.Where(e => !IsClutter(e.FullName)).ToList();
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

    private static bool IsClutter(string name) =>
        name.EndsWith('/') || name.StartsWith("__MACOSX/", StringComparison.Ordinal) || name[(name.LastIndexOf('/') + 1)..] is ['.', ..] or "Thumbs.db" && !LeadsOut(name);

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
            return ImportSource.Refused(name, e is IOException ? ImportRefusals.Unreadable(e.Message) : ImportRefusals.ZipDamaged, length);
        }
    }
}
