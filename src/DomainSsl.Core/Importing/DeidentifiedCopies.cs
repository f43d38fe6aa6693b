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
        using var source = ImportSource.OfFile(file, file, info.Length);
        if (ImportSource.Reading(() => LibraryImport.IsSound(source))) return CopySound(source, target + ".wav");
        var clean = secrets.Deidentifier.Deidentify(ScanPreparation.Read(source.Read())).File.ToBytes();
        File.WriteAllBytes(target + ".dcm", clean);
        return target + ".dcm";
    }

    // At its own rate and with its own channels, block by block.
    private static string CopySound(ImportSource source, string target)
    {
        using var stream = source.Open();
        using var reader = SoundReader.Open(stream);
        try
        {
            using var copy = new FileStream(target, FileMode.CreateNew);
            var writer = new WavWriter(copy, reader.Format.SampleRate, reader.Format.Channels);
            var block = new float[Math.Max(1, 32_768 / reader.Format.Channels) * reader.Format.Channels];
            for (int read; (read = reader.Read(block)) > 0;) writer.Add(block.AsSpan(0, read));
            writer.Finish();
            return target;
        }
        catch
        {
            File.Delete(target);
            throw;
        }
    }
}
