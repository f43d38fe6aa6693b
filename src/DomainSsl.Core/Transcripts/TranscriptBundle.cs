using System.Globalization;
using System.IO.Compression;
using System.Text;
using DomainSsl.Core.Audit;

namespace DomainSsl.Core.Transcripts;

/// <summary>Many transcripts as one zip: a file of each, and <c>transcripts.csv</c>, which says whose and how far each is.</summary>
public sealed class TranscriptBundle(TranscriptService transcripts, AuditLog audit)
{
    /// <summary>The table's name in the zip.</summary>
    public const string Table = "transcripts.csv";

    /// <summary>Writes all that fit a filter, one after the other: however many there are, one is in memory.</summary>
    /// <param name="to">Where to; it need not be able to seek, and stays open.</param>
    /// <param name="filter">Which.</param>
    /// <param name="format">The files' format.</param>
    /// <param name="by">Who takes them along; it is noted before the first leaves.</param>
    /// <param name="cancel">Stops between two of them.</param>
    /// <returns>How many there are; one that has no times stands in the table alone where the format needs them.</returns>
    /// <exception cref="RefusedException"><c>no-transcripts</c>: none fits.</exception>
    public async Task<int> WriteAsync(Stream to, TranscriptFilter filter, TranscriptFormat format, string by, CancellationToken cancel = default)
    {
        var lines = (await transcripts.PageAsync(filter, TranscriptSort.State, take: int.MaxValue, hits: false, cancel: cancel)).Rows.OrderBy(l => l.RecordingId).ToList();
        if (lines.Count == 0) throw new RefusedException("no-transcripts", "No transcript fits; choose fewer conditions.");
        await audit.RecordAsync(by, "exported", "transcripts", $"{lines.Count} as {format}, of recordings {Ranges(lines.Select(l => l.RecordingId))}", cancel);
        var table = new StringBuilder("file,recording,speaker,seconds,state,version,words\n");
        var (ready, written) = (new Ready(), 0);
        using (var zip = new ZipArchive(ready, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (var line in lines)
            {
                // As it is by now: the list may be older than the last of a long download.
                if (await transcripts.LoadAsync(line.RecordingId, cancel: cancel) is not { } stored || (filter.State is { } wanted && stored.State != wanted)) continue;
                var name = FileName(line.RecordingId, format);
                try { Add(zip, name, TranscriptFormats.Write(stored.Transcript, format)); }
                // Without times it is no subtitles: the table has it without a file, the others come all the same.
                catch (RefusedException e) when (e.Refusal.Code == "transcript-untimed") { name = ""; }
                written++;
                await ready.SendAsync(to, cancel);
                table.Append(CultureInfo.InvariantCulture, $"{name},{line.RecordingId},{line.Speaker},{line.Seconds:0.###},{stored.State.ToString().ToLowerInvariant()},{stored.Version},{stored.Transcript.Words.Count()}\n");
            }
            Add(zip, Table, Encoding.UTF8.GetBytes(table.ToString()));
        }
        await ready.SendAsync(to, cancel);
        return written;
    }

    /// <summary>What the file of one transcript is called.</summary>
    public static string FileName(long recording, TranscriptFormat format) => $"recording-{recording}{TranscriptFormats.Extension(format)}";

    // 1–4, 9, 12–13; who asks later whose texts have left finds them here.
    private static string Ranges(IEnumerable<long> ids)
    {
        var ranges = new List<(long From, long To)>();
        foreach (var id in ids)
        {
            if (ranges.Count > 0 && ranges[^1].To == id - 1) ranges[^1] = (ranges[^1].From, id);
            else ranges.Add((id, id));
        }
        return string.Join(", ", ranges.Select(r => r.From == r.To ? $"{r.From}" : $"{r.From}–{r.To}"));
    }

    private static void Add(ZipArchive zip, string name, byte[] bytes)
    {
        using var entry = zip.CreateEntry(name, CompressionLevel.Fastest).Open();
        entry.Write(bytes);
    }

    /// <summary>What a zip has written and nobody has sent yet. A connection only takes what is awaited, and an entry is closed without being.</summary>
    private sealed class Ready : Stream
    {
        private readonly MemoryStream _bytes = new();

        public async Task SendAsync(Stream to, CancellationToken cancel)
        {
            await to.WriteAsync(_bytes.GetBuffer().AsMemory(0, (int)_bytes.Length), cancel);
            _bytes.SetLength(0);
        }

        public override bool CanRead => false;
        public override bool CanSeek => false;
        public override bool CanWrite => true;
        public override long Length => throw new NotSupportedException();
        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }
        public override void Write(byte[] buffer, int offset, int count) => _bytes.Write(buffer, offset, count);
        public override void Write(ReadOnlySpan<byte> buffer) => _bytes.Write(buffer);
        public override void Flush() { }
        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();
        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
