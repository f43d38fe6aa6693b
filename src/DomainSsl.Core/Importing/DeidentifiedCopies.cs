using System.Globalization;
using DomainSsl.Audio;
using DomainSsl.Audio.Decoding;
using DomainSsl.Core.Audit;
using DomainSsl.Core.Storage;
using DomainSsl.Dicom;

namespace DomainSsl.Core.Importing;

/// <summary>A de-identified copy.</summary>
/// <param name="File">The original, as given.</param>
/// <param name="To">The copy's full path.</param>
public sealed record DeidentifiedCopy(string File, string To);

/// <summary>What became of files that were to be de-identified.</summary>
public sealed record DeidentifiedResult(IReadOnlyList<DeidentifiedCopy> Written, IReadOnlyList<RefusedFile> Refused);

/// <summary>Writes de-identified copies without importing anything: what <c>deidentify</c> does. A file whose pixels cannot be shown is still de-identified; only what cannot be read is refused.</summary>
public sealed class DeidentifiedCopies(Secrets secrets, AuditLog audit)
{
    /// <summary>Writes the copies, named by their place in the list: a name says nothing of its content.</summary>
    /// <param name="files">Files to copy.</param>
    /// <param name="folder">Where to; made if it is not there.</param>
    /// <param name="by">Who asks.</param>
    /// <param name="progress">Files done.</param>
    /// <param name="cancel">Stops it; what is written stays.</param>
    public async Task<DeidentifiedResult> WriteAsync(IReadOnlyList<string> files, string folder, string by, IProgress<int>? progress = null, CancellationToken cancel = default)
    {
        folder = Path.GetFullPath(folder);
        Directory.CreateDirectory(folder);
        // Beside what an earlier run left, never over it.
        int first = Directory.EnumerateFiles(folder).Select(f => int.TryParse(Path.GetFileNameWithoutExtension(f), NumberStyles.None, CultureInfo.InvariantCulture, out int n) ? n : 0).DefaultIfEmpty().Max();
        var (written, refused) = (new DeidentifiedCopy?[files.Count], new RefusedFile?[files.Count]);
        int done = 0;
        await Parallel.ForAsync(0, files.Count, new ParallelOptions { CancellationToken = cancel, MaxDegreeOfParallelism = Environment.ProcessorCount }, (i, _) =>
        {
            var name = (first + i + 1).ToString("000000", CultureInfo.InvariantCulture);
            try { written[i] = new DeidentifiedCopy(files[i], Copy(files[i], Path.Combine(folder, name))); }
            catch (DicomException e) when (e.Code == DicomErrors.NotDicom) { refused[i] = new RefusedFile(files[i], ImportRefusals.UnknownKind.Code, ImportRefusals.UnknownKind.Sentence); }
            catch (DicomException e) { refused[i] = new RefusedFile(files[i], e.Code, e.Message); }
            catch (AudioException e) { refused[i] = new RefusedFile(files[i], e.Code, e.Message); }
            catch (RefusedException e) { refused[i] = new RefusedFile(files[i], e.Refusal.Code, e.Refusal.Sentence); }
            progress?.Report(Interlocked.Increment(ref done));
            return ValueTask.CompletedTask;
        });
        var copies = written.OfType<DeidentifiedCopy>().ToList();
        await audit.RecordAsync(by, "de-identified", $"{copies.Count} files", cancel: cancel);
        return new DeidentifiedResult(copies, [.. refused.OfType<RefusedFile>()]);
    }

    private string Copy(string file, string target)
    {
        var info = new FileInfo(file);
        if (info.Length == 0) throw new RefusedException(ImportRefusals.Empty);
        byte[] bytes;
        try { bytes = File.ReadAllBytes(file); }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException) { throw new RefusedException(ImportRefusals.Unreadable(e.Message)); }
        if (SoundFile.IsSound(bytes))
        {
            using var source = new MemoryStream(bytes, writable: false);
            var sound = SoundFile.Read(source);
            using var copy = new FileStream(target + ".wav", FileMode.CreateNew);
            SoundFile.WriteWav(copy, sound);
            return copy.Name;
        }
        var clean = secrets.Deidentifier.Deidentify(ScanPreparation.Read(bytes)).File.ToBytes();
        File.WriteAllBytes(target + ".dcm", clean);
        return target + ".dcm";
    }
}
