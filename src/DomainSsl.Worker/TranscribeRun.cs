using System.Diagnostics;
using System.Text.Json;
using DomainSsl.Core;
using DomainSsl.Core.Database;
using DomainSsl.Core.Models;
using DomainSsl.Core.Runs;
using DomainSsl.Core.Storage;
using DomainSsl.Core.Transcripts;
using DomainSsl.Learning;
using DomainSsl.Learning.Decoding;
using DomainSsl.Learning.Transcribing;
using Microsoft.EntityFrameworkCore;

namespace DomainSsl.Worker;

/// <summary>
/// Writing down what is said: the speech of each recording, piece by piece as it is read, so that memory does not grow with its length. Every batch of pieces is on disk before the next begins; a run that was stopped or
/// killed goes on from there, and so does one that is asked for again. What comes of it becomes a draft of each recording's transcript as soon as its last piece is heard, with times and confidences, unless a person has worked
/// on it. A recording that cannot be read is left out and named. A masked language model, where one is named, reads the words in the end and says how well each fits between the others.
/// </summary>
public sealed class TranscribeRun(IDbContextFactory<DomainSslContext> factory, ShardStore shards, ModelFiles files, ModelRegistry registry, TranscriptService transcripts, DataFolder folder, SpeechDecoding decoding)
{
    /// <summary>The pieces done so far, a line of JSON each, in the run's folder.</summary>
    public const string PiecesFile = "pieces.jsonl";

    // Pieces that are computed at once: some seconds of work on two cores, which is what a kill can cost.
    private const double BatchSeconds = 60;

    /// <summary>The result as it stands in the row.</summary>
    /// <param name="Recordings">Recordings written down.</param>
    /// <param name="Words">Their words.</param>
    /// <param name="Kept">Of these, recordings whose transcript a person has worked on: it stays the newest.</param>
    /// <param name="Seconds">Speech listened to.</param>
    /// <param name="Unread">Items that could not be read.</param>
    public sealed record Result(int Recordings, int Words, IReadOnlyList<long> Kept, double Seconds, IReadOnlyList<long>? Unread = null);

    /// <summary>A piece that is done.</summary>
    private sealed record Done(long Item, int Piece, string Words);

    /// <summary>Carries it out, from the last batch that was done.</summary>
    public async Task<RunOutcome> CarryOutAsync(TranscribeRequest request, RunContext context)
    {
        var model = await registry.GetAsync(request.ModelId, context.Stop);
        var modelFolder = files.TranscriberFolder(model);
        var items = await shards.RecordingsAsync(request.ItemIds, context.Stop);
        await TakeOverAsync(context);
        var path = Path.Combine(context.Folder, PiecesFile);
        var done = ReadPieces(path);

        TorchProcess.Tune();
        var device = Devices.Choose("auto");
        context.Report(new RunReport(Device: SpeechReporting.Name(device), Stage: "Listening"));
        if (done.Count > 0) context.Log($"Goes on after {done.Count:#,0} pieces that are done.");
        var pieces = items.Values.OrderBy(i => i.Id).Select(i => (Item: i, Pieces: ShardStore.Pieces(i.Sound).ToList())).ToList();
        double total = pieces.Sum(p => p.Pieces.Sum(s => s.End - s.Start)), before = pieces.Sum(p => p.Pieces.Where((_, k) => done.ContainsKey((p.Item.Id, k))).Sum(s => s.End - s.Start)), heard = 0;
        var clock = Stopwatch.StartNew();
        var (kept, unread, written) = (new HashSet<long>(), new List<(long Item, string Why)>(), new List<(RecordedItem Item, Transcript Transcript)>());
        using var decoder = await decoding.ByAsync(request.Language, Transcriber.ReadDescription(modelFolder), context.Stop);
        using (var transcriber = Transcriber.Load(modelFolder, device))
        using (var file = new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.Read))
        {
            foreach (var (item, stretches) in pieces)
            {
                var waiting = stretches.Select((at, k) => (Name: k, At: at)).Where(p => !done.ContainsKey((item.Id, p.Name))).ToList();
                var (batch, seconds) = (new List<(int Piece, float[] Samples)>(), 0.0);
                try
                {
                    foreach (var piece in waiting.Count == 0 ? [] : shards.Read(item.Sound.BlobHash, waiting, context.Stop))
                    {
                        batch.Add(piece);
                        if ((seconds += piece.Samples.Length / 16_000.0) < BatchSeconds) continue;
                        Listen();
                    }
                }
                // One stored file that is damaged is no reason to leave a thousand others unheard.
                catch (Exception e) when (e is RefusedException || (e is IOException && !Disk.IsFull(e)))
                {
                    unread.Add((item.Id, e.Message));
                    context.Log($"Recording {item.RecordingId} was left out: {e.Message}");
                    continue;
                }
                if (batch.Count > 0) Listen();
                var transcript = Of(item, stretches, done);
                written.Add((item, transcript));
                if (!await DraftAsync(item, transcript, "")) kept.Add(item.Id);

                void Listen()
                {
                    context.Stop.ThrowIfCancellationRequested();
                    var found = transcriber.LogProbabilities([.. batch.Select(b => b.Samples)]);
                    foreach (var ((piece, _), p) in batch.Zip(found))
                    {
                        var (start, end) = (stretches[piece].Start, stretches[piece].End);
                        // A last frame may reach beyond the piece.
                        var words = TranscriptWords.Write(transcriber.Words(p, start, decoder is null ? null : decoder.Text).Select(w => new TranscriptWord(w.Text, Math.Min(w.Start, end), Math.Min(w.End, end), w.Confidence)));
                        done[(item.Id, piece)] = words;
                        file.Write(JsonSerializer.SerializeToUtf8Bytes(new Done(item.Id, piece, words), RunContext.Json));
                        file.Write("\n"u8);
                    }
                    file.Flush(flushToDisk: true);
                    heard += seconds;
                    (seconds, _) = (0, batch.RemoveAll(_ => true));
                    var share = (before + heard) / total;
                    context.Report(new RunReport(share, $"{TimeSpan.FromSeconds(Math.Round(before + heard)):h\\:mm\\:ss} of {TimeSpan.FromSeconds(Math.Round(total)):h\\:mm\\:ss} of speech", clock.Elapsed.TotalSeconds / heard * (total - before - heard)));
                }
            }
        }
        context.Log($"{heard:0} s of speech in {clock.Elapsed.TotalSeconds:0.0} s, {heard / Math.Max(1e-3, clock.Elapsed.TotalSeconds):0} times as fast as it was spoken.");

        if (written.Count == 0 && unread.Count > 0) throw new RefusedException("nothing-readable", $"None of the recordings could be read; of the first: {unread[0].Why}");

        if (request.FitId is { } fit)
        {
            var fitted = Fitted(written.ConvertAll(w => w.Transcript), await registry.GetAsync(fit, context.Stop), context);
            for (var i = 0; i < written.Count; i++)
            {
                written[i] = (written[i].Item, fitted[i]);
                // Who began to read meanwhile goes on with what they have.
                await DraftAsync(written[i].Item, fitted[i], ":fit");
            }
        }
        // In the files as in the drafts.
        foreach (var (item, transcript) in written) await WholeFile.WriteTextAsync(PathOf(context.Folder, item.Id), JsonTranscript.Write(TranscriptEdits.Spelled(transcript, request.Language?.Terms ?? [])), context.Stop);
        return new RunOutcome(JsonSerializer.Serialize(new Result(written.Count, written.Sum(w => w.Transcript.Words.Count()), [.. kept.Order()], Math.Round(total, 2), [.. unread.Select(u => u.Item)]), RunContext.Json), null, () => File.Delete(path));

        // False where a person has worked on the recording's transcript: it stays as it is.
        async Task<bool> DraftAsync(RecordedItem item, Transcript transcript, string kind) =>
            !transcript.Words.Any() || await transcripts.StoreTranscribedAsync(item.RecordingId, transcript, model.Name, $"run:{context.Run.Id}:{item.RecordingId}{kind}", context.Stop) is not null;
    }

    // Each segment is read by itself: what two people say, minutes apart, is no context.
    private List<Transcript> Fitted(List<Transcript> transcripts, Model model, RunContext context)
    {
        var clock = Stopwatch.StartNew();
        using var language = files.LanguageNetworkOf(model);
        var (scores, segments) = (new List<double?>(), transcripts.SelectMany(t => t.Segments).ToList());
        for (var i = 0; i < segments.Count; i++)
        {
            context.Stop.ThrowIfCancellationRequested();
            if (i % 50 == 0) context.Report(new RunReport(1, $"Reading passage {i + 1:#,0} of {segments.Count:#,0} for words that do not fit"));
            scores.AddRange(WordFit.Of(language, [.. segments[i].Words.Select(w => w.Text)]));
        }
        context.Log($"{model.Name} read {scores.Count:#,0} words in {clock.Elapsed.TotalSeconds:0.0} s.");
        var (shares, at) = (WordFit.Shares(scores), 0);
        return transcripts.ConvertAll(t => new Transcript([.. t.Segments.Select(s => s with { Words = [.. s.Words.Select(w => w with { Fit = shares[at++] })] })]));
    }

    /// <summary>What a run wrote of an item.</summary>
    public static async Task<Transcript> ReadAsync(string runFolder, long itemId, CancellationToken cancel = default) => JsonTranscript.Read(await File.ReadAllTextAsync(PathOf(runFolder, itemId), cancel));

    private static string PathOf(string runFolder, long itemId) => Path.Combine(runFolder, FormattableString.Invariant($"transcript-{itemId}.json"));

    private static Transcript Of(RecordedItem item, List<Stretch> stretches, Dictionary<(long, int), string> done) => new([.. stretches
        .Select((at, k) => (at, words: done.TryGetValue((item.Id, k), out var words) ? TranscriptWords.Read(words) : []))
        .Where(p => p.words.Count > 0).Select(p => new TranscriptSegment(item.Channels > 1 && p.at.Channel is { } channel ? $"Channel {channel + 1}" : null, p.at.Start, p.at.End, p.words))]);

    private static Dictionary<(long, int), string> ReadPieces(string path)
    {
        var (done, whole) = (new Dictionary<(long, int), string>(), new List<string>());
        if (!File.Exists(path)) return done;
        foreach (var line in File.ReadLines(path))
        {
            // A process killed in mid-line leaves part of one; that piece is listened to again.
            Done? piece;
            try { piece = JsonSerializer.Deserialize<Done>(line, RunContext.Json); }
            catch (JsonException) { continue; }
            if (piece is null) continue;
            done[(piece.Item, piece.Piece)] = piece.Words;
            whole.Add(line);
        }
        WholeFile.WriteText(path, string.Concat(whole.Select(l => l + "\n")));
        return done;
    }

    // Asked for again after it was stopped: what an earlier run of the very same request has done counts.
    private async Task TakeOverAsync(RunContext context)
    {
        var own = Path.Combine(context.Folder, PiecesFile);
        if (File.Exists(own)) return;
        await using var db = await factory.CreateDbContextAsync(context.Stop);
        var earlier = await db.Runs.Where(r => r.Kind == RunKind.Transcribe && r.State != RunState.Done && r.Id != context.Run.Id && r.Request == context.Run.Request).OrderByDescending(r => r.QueuedAt).Select(r => r.Id).ToListAsync(context.Stop);
        if (earlier.Select(id => Path.Combine(folder.Run(id), PiecesFile)).FirstOrDefault(File.Exists) is { } found) File.Copy(found, own);
    }
}
