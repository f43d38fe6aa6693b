using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using DomainSsl.Audio;
using DomainSsl.Audio.Decoding;
using DomainSsl.Core;
using DomainSsl.Core.Database;
using DomainSsl.Core.Library;
using DomainSsl.Core.Runs;
using DomainSsl.Core.Storage;
using DomainSsl.Dicom;
using DomainSsl.Learning.Data;
using Microsoft.EntityFrameworkCore;

namespace DomainSsl.Worker;

/// <summary>An image or a recording to be prepared.</summary>
/// <param name="Id">The item.</param>
/// <param name="Hash">Identity of its content.</param>
/// <param name="BlobHash">The stored file.</param>
/// <param name="Frame">Which frame of it.</param>
/// <param name="PatientId">Whose it is.</param>
/// <param name="Heard">The stretch of it that the item is; null: it is an image.</param>
public sealed record ShardItem(long Id, string Hash, string BlobHash, int Frame, long? PatientId, Stretch? Heard = null)
{
    /// <summary>Image or sound.</summary>
    public ItemKind Kind => Heard is null ? ItemKind.Image : ItemKind.Sound;
}

/// <summary>A sound to be prepared.</summary>
/// <param name="Hash">Identity of its content.</param>
/// <param name="BlobHash">The stored recording, 16 kHz.</param>
/// <param name="Start">Where it begins in the recording, seconds.</param>
/// <param name="End">Where it ends, seconds.</param>
/// <param name="Speech">The speech in it, by start; empty where none was looked for or found.</param>
public sealed record SoundItem(string Hash, string BlobHash, double Start, double End, IReadOnlyList<Stretch> Speech);

/// <summary>A recording by its item.</summary>
/// <param name="Id">The item.</param>
/// <param name="RecordingId">The recording.</param>
/// <param name="Speaker">Who speaks: a pseudonym, or null.</param>
/// <param name="Channels">Channels as stored.</param>
/// <param name="Sound">What is heard.</param>
public sealed record RecordedItem(long Id, long RecordingId, string? Speaker, int Channels, SoundItem Sound);

/// <summary>A stretch of a recording.</summary>
/// <param name="Start">Seconds.</param>
/// <param name="End">Seconds.</param>
/// <param name="Channel">The stored channel, from 0; null: the mean of all.</param>
public sealed record Stretch(double Start, double End, int? Channel = null);

/// <summary>A shard and where each item is in it.</summary>
/// <param name="Path">The file.</param>
/// <param name="Places">Item id → place; images that can no longer be read have none.</param>
public sealed record PreparedShard(string Path, IReadOnlyDictionary<long, int> Places)
{
    /// <summary>Those of what speaks of items whose item is in the shard, in their order.</summary>
    public IReadOnlyList<T> In<T>(IEnumerable<T> all, Func<T, long> item) => [.. all.Where(one => Places.ContainsKey(item(one)))];
}

/// <summary>
/// Decoded images and sounds for training: each set of items once a resolution, in <c>shards/</c>, named by the hash of the set, the resolution and the way of preparing. Decoding images uses all
/// cores; a shard is written whole and then named, so that one which is there is right.
/// </summary>
public sealed class ShardStore(IDbContextFactory<DomainSslContext> factory, IBlobStore blobs, DataFolder folder, TimeProvider time)
{
    // Raise it when the way from a stored image to its plane changes: old shards are then made anew rather than taken for right.
    private const int Preparation = 1, SoundPreparation = 1;

    // Longer sound without known pauses is cut evenly: what a step hears is a few seconds of it.
    private const double LongestPiece = 15;

    // What is classified is heard whole, up to its first minute.
    private const double LongestHeard = 60;

    // Of less there is nothing to learn what follows what; a single word is classified however short it is.
    private const double ShortestPiece = 0.1;

    // A collection may have thousands that are damaged alike.
    private const int MostLinesOfLeftOut = 10;

    /// <summary>The way in which <see cref="Prepare"/> makes items of a kind ready, for the names of what depends on it.</summary>
    public static string WayOf(ItemKind kind) => kind == ItemKind.Sound ? FormattableString.Invariant($"heard p{SoundPreparation} {LongestHeard} s") : $"p{Preparation}";

    /// <summary>The images, or the recordings, of a collection, of given items, or of the whole library, by hash.</summary>
    /// <param name="collectionId">The collection, or</param>
    /// <param name="itemIds">the items; neither: the whole library.</param>
    /// <param name="kind">What they must be; null: whichever they are, as long as all are of one kind.</param>
    /// <param name="cancel">Gives up reading.</param>
    /// <exception cref="RefusedException">There are none, or there are some of the other kind among them.</exception>
    public async Task<IReadOnlyList<ShardItem>> ItemsAsync(long? collectionId, IReadOnlyList<long>? itemIds, ItemKind? kind, CancellationToken cancel)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        var items = new List<ShardItem>();
        if (collectionId is { } id) items.AddRange(await ReadAsync(db.CollectionItems.Where(c => c.CollectionId == id).Select(c => c.Item!), cancel));
        else if (itemIds is null) items.AddRange(await ReadAsync(db.Items.Where(i => kind == null || i.Kind == kind), cancel));
        else foreach (var some in itemIds.Distinct().Chunk(500)) items.AddRange(await ReadAsync(db.Items.Where(i => some.Contains(i.Id)), cancel));

        kind ??= items.FirstOrDefault()?.Kind ?? ItemKind.Image;
        var (these, those) = kind == ItemKind.Sound ? ("recordings", "images") : ("images", "recordings");
        if (collectionId is not null && items.Any(i => i.Kind != kind))
            throw new RefusedException(kind == ItemKind.Sound ? "images" : "sounds", $"The collection holds {those}, and this works on {these}; choose a collection of {these}.");
        if (itemIds is not null && items.Count(i => i.Kind == kind) < itemIds.Distinct().Count()) throw new RefusedException("no-item", $"Some of the items are not {these} of this library; import the {these} first.");
        if (items.Count == 0)
            throw new RefusedException(kind == ItemKind.Sound ? "no-sounds" : "no-images", $"There are no {these} to work on; import {(kind == ItemKind.Sound ? "some" : "scans")} first, or choose another collection.");
        return [.. items.OrderBy(i => i.Hash, StringComparer.Ordinal)];
    }

    private static async Task<IEnumerable<ShardItem>> ReadAsync(IQueryable<Item> items, CancellationToken cancel) =>
        (await items.Select(i => new { i.Id, i.Kind, i.Hash, BlobHash = i.Kind == ItemKind.Sound ? i.Recording!.BlobHash : i.Instance!.BlobHash, i.Frame, i.PatientId, i.Start, i.End }).ToListAsync(cancel))
        .Select(i => new ShardItem(i.Id, i.Hash, i.BlobHash, i.Frame, i.PatientId, i.Kind == ItemKind.Sound ? new Stretch(i.Start, i.End) : null));

    /// <summary>The recordings of a collection, by hash.</summary>
    /// <exception cref="RefusedException">There are none, or there are images among them.</exception>
    public async Task<IReadOnlyList<SoundItem>> SoundsAsync(long collectionId, CancellationToken cancel)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        var members = db.CollectionItems.Where(c => c.CollectionId == collectionId).Select(c => c.Item!);
        if (await members.AnyAsync(i => i.Kind == ItemKind.Image, cancel))
            throw new RefusedException("images", "The collection holds images, and this works on recordings; choose a collection of recordings.");
        var rows = await members.Select(i => new
        {
            i.Hash, i.Recording!.BlobHash, i.Start, i.End, Speech = i.Recording!.Segments.Where(s => s.End > i.Start && s.Start < i.End).Select(s => new { s.Start, s.End, s.Channel }).ToList(),
        }).ToListAsync(cancel);
        if (rows.Count == 0) throw new RefusedException("no-sounds", "There are no recordings to learn from; import some first, or choose another collection.");
        return [.. rows.OrderBy(r => r.Hash, StringComparer.Ordinal).Select(r => new SoundItem(r.Hash, r.BlobHash, r.Start, r.End,
            [.. r.Speech.Select(s => new Stretch(Math.Max(s.Start, r.Start), Math.Min(s.End, r.End), s.Channel)).OrderBy(s => s.Start).ThenBy(s => s.Channel)]))];
    }

    /// <summary>Recordings by their items, with the speech found in them.</summary>
    /// <exception cref="RefusedException">Some are no recordings of this library.</exception>
    public async Task<IReadOnlyDictionary<long, RecordedItem>> RecordingsAsync(IEnumerable<long> itemIds, CancellationToken cancel)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        var (ids, found) = (itemIds.Distinct().ToList(), new Dictionary<long, RecordedItem>());
        foreach (var some in ids.Chunk(500))
        {
            var rows = await db.Items.AsNoTracking().Where(i => some.Contains(i.Id) && i.Kind == ItemKind.Sound).Select(i => new
            {
                i.Id, i.Hash, i.RecordingId, i.Recording!.BlobHash, i.Start, i.End, Channels = i.Recording!.StoredChannels, Speaker = i.Recording!.Speaker!.Pseudonym,
                Speech = i.Recording!.Segments.Where(s => s.End > i.Start && s.Start < i.End).Select(s => new { s.Start, s.End, s.Channel }).ToList(),
            }).ToListAsync(cancel);
            foreach (var r in rows)
                found[r.Id] = new RecordedItem(r.Id, r.RecordingId!.Value, r.Speaker, r.Channels, new SoundItem(r.Hash, r.BlobHash, r.Start, r.End,
                    [.. r.Speech.Select(s => new Stretch(Math.Max(s.Start, r.Start), Math.Min(s.End, r.End), s.Channel)).OrderBy(s => s.Start).ThenBy(s => s.Channel)]));
        }
        return found.Count == ids.Count ? found : throw new RefusedException("no-item", "Some of the items are not recordings of this library; import the recordings first.");
    }

    /// <summary>What is said in recordings as a shard, a piece for each label, whole.</summary>
    /// <param name="labels">The labels; several may be of one recording.</param>
    /// <param name="context">Told how far it is; its stop is heeded.</param>
    /// <returns>The shard, and the place of each label in it; null for those that are too short or too long to learn from.</returns>
    /// <exception cref="RefusedException">A recording cannot be read.</exception>
    public async Task<(string Path, IReadOnlyList<int?> Places)> PrepareSpokenAsync(IReadOnlyList<SpokenLabel> labels, RunContext context)
    {
        var recordings = await RecordingsAsync(labels.Select(l => l.ItemId), context.Stop);
        var pieces = labels.Select(l =>
        {
            var sound = recordings[l.ItemId].Sound;
            var (start, end) = (Math.Max(sound.Start, l.Start ?? sound.Start), Math.Min(sound.End, l.End ?? sound.End));
            return sound with { Hash = FormattableString.Invariant($"{sound.Hash}/{start:R}-{end:R}"), Speech = [new Stretch(start, end)] };
        }).ToList();
        var fitting = pieces.Where(p => p.Speech[0].End - p.Speech[0].Start is > 0 and <= SpokenLabel.LongestSeconds).DistinctBy(p => p.Hash).ToList();
        if (fitting.Count == 0) throw new RefusedException("spoken-too-long", $"All of the transcribed recordings are longer than {SpokenLabel.LongestSeconds:0} seconds; cut them where the speaker pauses, or give transcripts with times.");
        var path = PrepareSounds(fitting, context, SpokenLabel.LongestSeconds);
        using var shard = SoundShard.Open(path);
        var places = shard.ItemHashes.Select((hash, place) => (hash, place)).ToDictionary(p => p.hash, p => p.place);
        return (path, [.. pieces.Select(p => places.TryGetValue(p.Hash, out var place) ? place : (int?)null)]);
    }

    /// <summary>The recordings as a shard of pieces of at most 15 seconds: the speech in them where it is known, else all of them.</summary>
    /// <param name="items">The recordings; their order does not matter.</param>
    /// <param name="context">Told how far it is; its stop is heeded.</param>
    /// <param name="longest">Seconds of a piece at most.</param>
    /// <returns>The shard.</returns>
    /// <exception cref="RefusedException">A recording cannot be read.</exception>
    public string PrepareSounds(IReadOnlyList<SoundItem> items, RunContext context, double longest = LongestPiece) => PrepareSounds(items, context, longest, ShortestPiece, folder.Shards, "sound");

    private string PrepareSounds(IReadOnlyList<SoundItem> items, RunContext context, double longest, double shortest, string to, string kind)
    {
        // The name says which pieces are in it: were speech ever looked for again, the shard would be another.
        var name = NameOf([.. items.OrderBy(i => i.Hash, StringComparer.Ordinal).Select(i => FormattableString.Invariant($"{i.Hash} {string.Join(' ', Pieces(i, longest).Select(p => FormattableString.Invariant($"{p.Start:R}-{p.End:R}/{p.Channel}")))}"))]);
        var path = Path.Combine(to, $"{name}-{kind}-p{SoundPreparation}.shard");
        if (IsThere(path)) return path;
        using var writer = new SoundShardWriter(path);
        var (done, begun) = (0, time.GetTimestamp());
        context.Log($"Reading {items.Count} recordings.");
        // Items of one recording together, so that it is read once.
        foreach (var recording in items.GroupBy(i => i.BlobHash).OrderBy(r => r.Key, StringComparer.Ordinal))
        {
            context.Stop.ThrowIfCancellationRequested();
            var pieces = recording.OrderBy(i => i.Start).ThenBy(i => i.Hash, StringComparer.Ordinal).SelectMany(i => Pieces(i, longest).Select(p => (i.Hash, p)));
            foreach (var (hash, samples) in Read(recording.Key, [.. pieces], context.Stop, shortest)) writer.Add(hash, samples);
            done += recording.Count();
            var seconds = time.GetElapsedTime(begun).TotalSeconds;
            context.Report(new RunReport(Stage: $"Reading {done:#,0} of {items.Count:#,0} recordings", SecondsLeft: seconds / done * (items.Count - done)));
        }
        if (writer.Count == 0) throw new RefusedException("no-sounds", "The recordings of the collection are too short to learn from; import longer ones, or choose another collection.");
        context.Log($"{writer.Count:#,0} pieces read in {time.GetElapsedTime(begun).TotalSeconds:0.0} s.");
        writer.Finish();
        return path;
    }

    /// <summary>Stretches of a stored recording, 16 kHz, each as it is whole; block by block, whatever the length of the recording: in memory are the stretches that the block is in.</summary>
    /// <param name="blobHash">The recording.</param>
    /// <param name="stretches">By name, in any order.</param>
    /// <param name="cancel">Looked at between blocks.</param>
    /// <param name="shortest">Seconds; shorter ones do not come, nor does what has no sample.</param>
    /// <exception cref="RefusedException">The recording cannot be read.</exception>
    internal IEnumerable<(T Name, float[] Samples)> Read<T>(string blobHash, IReadOnlyList<(T Name, Stretch At)> stretches, CancellationToken cancel, double shortest = ShortestPiece)
    {
        using var stream = blobs.Open(blobHash);
        using var reader = Sound(() => SoundReader.Open(stream, cancellation: cancel));
        var (channels, rate) = (reader.Format.Channels, reader.Format.SampleRate);
        var fewest = Math.Max(1, (int)(shortest * rate));
        var waiting = new Queue<Part<T>>(stretches.Select(s => new Part<T>(s.Name, (long)Math.Round(s.At.Start * rate), (long)Math.Round(s.At.End * rate), s.At.Channel))
            .Where(p => p.To - p.From >= fewest).OrderBy(p => p.From).ThenBy(p => p.Channel));
        var (open, block) = (new List<Part<T>>(), new float[channels << 15]);
        for (long at = 0; Sound(() => reader.Read(block)) is var read and > 0; at += read / channels)
        {
            cancel.ThrowIfCancellationRequested();
            var end = at + read / channels;
            while (waiting.TryPeek(out var next) && next.From < end) open.Add(waiting.Dequeue());
            foreach (var part in open) part.Add(block.AsSpan(0, read), channels, at);
            foreach (var part in open.Where(p => p.To <= end)) yield return (part.Name, part.Samples.ToArray());
            open.RemoveAll(p => p.To <= end);
            if (open.Count == 0 && waiting.Count == 0) yield break;
        }
        // The end of a recording as its row has it may lie a sample behind the last.
        foreach (var part in open.Where(p => p.Samples.Count >= fewest)) yield return (part.Name, part.Samples.ToArray());

        TResult Sound<TResult>(Func<TResult> read)
        {
            try { return read(); }
            catch (AudioException e)
            {
                throw new RefusedException("item-unreadable", $"The stored recording {blobHash[..12]} can no longer be read: {e.Message} Restore a backup, or do without it.");
            }
        }
    }

    /// <summary>The speech of an item, or all of it, in pieces that are not too long.</summary>
    internal static IEnumerable<Stretch> Pieces(SoundItem item, double longest = LongestPiece)
    {
        foreach (var stretch in item.Speech.Count > 0 ? item.Speech : [new Stretch(item.Start, item.End)])
        {
            var count = Math.Max(1, (int)Math.Ceiling((stretch.End - stretch.Start) / longest - 1e-9));
            var length = (stretch.End - stretch.Start) / count;
            for (var i = 0; i < count; i++) yield return stretch with { Start = stretch.Start + i * length, End = stretch.Start + (i + 1) * length };
        }
    }

    private sealed record Part<T>(T Name, long From, long To, int? Channel)
    {
        public List<float> Samples { get; } = [];

        /// <summary>Takes what is of this part in a block of interleaved channels that begins at a place of the recording.</summary>
        public void Add(ReadOnlySpan<float> block, int channels, long at)
        {
            var (from, to) = ((int)Math.Max(0, From - at), (int)Math.Min(block.Length / channels, To - at));
            for (var i = from; i < to; i++)
            {
                if (Channel is { } channel && channel < channels) Samples.Add(block[i * channels + channel]);
                else
                {
                    var sum = 0f;
                    for (var c = 0; c < channels; c++) sum += block[i * channels + c];
                    Samples.Add(sum / channels);
                }
            }
        }
    }

    private static bool IsThere(string path)
    {
        if (!File.Exists(path)) return false;
        try
        {
            SoundShard.Open(path).Dispose();
            return true;
        }
        catch (Learning.LearningException) { return false; } // cut by a full disk, say: made anew
    }

    /// <summary>
    /// The items as shards at each of the resolutions; each image that is wanted is decoded once for all of them. An image that can no longer be read is left out, with a line in the run's log: the others have
    /// the same places at every resolution. Recordings have one resolution and one shard, with a piece for each: all of it, up to its first minute.
    /// </summary>
    /// <param name="items">The images, or the recordings; their order does not matter.</param>
    /// <param name="resolutions">Sides of the square planes, pixels; of recordings the samples a second.</param>
    /// <param name="context">Told how far it is; its stop is heeded.</param>
    /// <param name="inFolder">Where the shards go that serve one run only; null for the shared folder.</param>
    /// <returns>A shard for each resolution.</returns>
    /// <exception cref="RefusedException">No image can be read, or a recording cannot be.</exception>
    public IReadOnlyDictionary<int, PreparedShard> Prepare(IReadOnlyList<ShardItem> items, IEnumerable<int> resolutions, RunContext context, string? inFolder = null)
    {
        if (items.Any(i => i.Kind == ItemKind.Sound))
        {
            var heard = PrepareHeard(items, context, inFolder ?? folder.Shards);
            return resolutions.Distinct().ToDictionary(r => r, _ => heard);
        }
        items = [.. items.DistinctBy(i => i.Id).OrderBy(i => i.Hash, StringComparer.Ordinal)];
        var name = NameOf([.. items.Select(i => i.Hash)]);
        var wanted = resolutions.Distinct().Select(r => (Resolution: r, Path: Path.Combine(inFolder ?? folder.Shards, $"{name}-{r}-p{Preparation}.shard"))).ToList();
        var there = wanted.ToDictionary(w => w.Path, w => Without(w.Path, items));
        // What a shard was made without is tried again: a backup may have brought it back.
        var left = Unreadable(items, there.Values.SelectMany(w => w ?? []).ToHashSet(), context.Stop);
        var missing = wanted.Where(w => there[w.Path]?.SetEquals(left.Keys) != true).ToList();
        if (missing.Count > 0)
        {
            left = Write(items, missing, context);
            // Those made while more could be read are made anew: a place is the same item's at every resolution.
            var others = wanted.Except(missing).Where(w => !there[w.Path]!.SetEquals(left.Keys)).ToList();
            if (others.Count > 0) left = Write(items, others, context);
        }
        Tell(items, left, context);
        var places = items.Where((_, i) => !left.ContainsKey(i)).Select((item, place) => (item.Id, place)).ToDictionary(p => p.Id, p => p.place);
        return wanted.ToDictionary(w => w.Resolution, w => new PreparedShard(w.Path, places));
    }

    private PreparedShard PrepareHeard(IReadOnlyList<ShardItem> items, RunContext context, string to)
    {
        var sounds = items.DistinctBy(i => i.Id).Select(i => Whole(i, i.Heard!));
        var path = PrepareSounds([.. sounds], context, LongestHeard, 0, to, "heard");
        using var shard = SoundShard.Open(path);
        var at = shard.ItemHashes.Select((hash, place) => (hash, place)).ToDictionary(p => p.hash, p => p.place);
        return new PreparedShard(path, items.DistinctBy(i => i.Id).ToDictionary(i => i.Id, i => at.TryGetValue(i.Hash, out var place) ? place
            : throw new RefusedException("item-unreadable", $"The stored recording {i.BlobHash[..12]} holds no sound; make a collection without it.")));
    }

    private static SoundItem Whole(ShardItem item, Stretch heard) => new(item.Hash, item.BlobHash, heard.Start, heard.End, [heard with { End = Math.Min(heard.End, heard.Start + LongestHeard) }]);

    /// <returns>The items that are in none of the shards, by their places among all, with the reason.</returns>
    private Dictionary<int, string> Write(IReadOnlyList<ShardItem> items, IReadOnlyList<(int Resolution, string Path)> shards, RunContext context)
    {
        var left = new ConcurrentDictionary<int, string>();
        var writers = shards.Select(s => ShardWriter.Create(s.Path, items.Count, 1, s.Resolution, s.Resolution)).ToList();
        try
        {
            var (done, begun) = (0, time.GetTimestamp());
            context.Log($"Decoding {items.Count} images at {string.Join(", ", shards.Select(s => s.Resolution))} pixels.");
            var options = new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount, CancellationToken = context.Stop };
            // Frames of one file together, so that it is read once.
            Parallel.ForEach(items.Select((item, place) => (item, place)).GroupBy(i => i.item.BlobHash), options, file =>
            {
                var image = new Lazy<DicomImage>(() => Open(file.Key), isThreadSafe: false); // what it throws, it throws for each frame
                foreach (var (item, place) in file)
                {
                    options.CancellationToken.ThrowIfCancellationRequested();
                    try
                    {
                        var planes = Planes(image.Value, item, shards.Select(s => s.Resolution));
                        for (var i = 0; i < writers.Count; i++) writers[i].Write(place, planes[i]);
                    }
                    catch (Exception e) when (IsUnreadable(e)) { left[place] = e.Message; }
                    var n = Interlocked.Increment(ref done);
                    if (n % 16 == 0 || n == items.Count)
                    {
                        var seconds = time.GetElapsedTime(begun).TotalSeconds;
                        context.Report(new RunReport(Stage: $"Decoding {n:#,0} of {items.Count:#,0} images", SecondsLeft: seconds / n * (items.Count - n)));
                    }
                }
            });
            if (left.Count == items.Count)
                throw new RefusedException("item-unreadable", $"{(items.Count == 1 ? "The image cannot" : $"None of the {items.Count:#,0} images can")} be read: {left[0]} Restore a backup, or choose others.");
            foreach (var writer in writers) writer.Finish([.. items.Select(i => i.Hash)], left.Keys.ToHashSet());
            context.Log($"Decoded in {time.GetElapsedTime(begun).TotalSeconds:0.0} s.");
            return new(left);
        }
        finally
        {
            foreach (var writer in writers) writer.Dispose();
        }
    }

    private DicomImage Open(string blobHash) => DicomImage.Of(DicomFile.Read(blobs.Read(blobHash)));

    private static List<ushort[]> Planes(DicomImage image, ShardItem item, IEnumerable<int> resolutions)
    {
        var plane = GreyPlane.Of(image, item.Frame);
        return [.. resolutions.Select(r => PlaneResampler.ForTraining(plane, r))];
    }

    // Damaged, of a kind that is not supported, or its file is missing: restoring the file is for a person, the others are learnt from meanwhile.
    private static bool IsUnreadable(Exception e) => e is DicomException or RefusedException;

    // Of the items at these places those that cannot be read, with the reason.
    private Dictionary<int, string> Unreadable(IReadOnlyList<ShardItem> items, HashSet<int> places, CancellationToken cancel)
    {
        var found = new Dictionary<int, string>();
        foreach (var place in places)
        {
            cancel.ThrowIfCancellationRequested();
            try { Planes(Open(items[place].BlobHash), items[place], []); }
            catch (Exception e) when (IsUnreadable(e)) { found[place] = e.Message; }
        }
        return found;
    }

    private static void Tell(IReadOnlyList<ShardItem> items, Dictionary<int, string> left, RunContext context)
    {
        foreach (var (place, why) in left.OrderBy(l => l.Key).Take(MostLinesOfLeftOut)) context.Log($"Left out: the stored image {items[place].BlobHash[..12]} can no longer be read. {why}");
        if (left.Count > MostLinesOfLeftOut) context.Log($"Left out likewise: {left.Count - MostLinesOfLeftOut:#,0} more.");
    }

    // The places of the items that a shard was made without; null where there is no shard of the others.
    private static HashSet<int>? Without(string path, IReadOnlyList<ShardItem> items)
    {
        if (!File.Exists(path)) return null;
        try
        {
            using var shard = Shard.Open(path);
            var (without, held) = (new HashSet<int>(), 0);
            for (var i = 0; i < items.Count; i++)
            {
                if (held < shard.Count && shard.ItemHashes[held] == items[i].Hash) held++;
                else without.Add(i);
            }
            return held == shard.Count ? without : null;
        }
        catch (Learning.LearningException) { return null; } // cut by a full disk, say: made anew
    }

    private static string NameOf(IReadOnlyList<string> contents)
    {
        using var sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var content in contents) sha.AppendData(Encoding.ASCII.GetBytes(content + "\n"));
        return Convert.ToHexStringLower(sha.GetHashAndReset())[..24];
    }

    /// <summary>Removes what killed processes left half written more than an hour ago.</summary>
    public void SweepUnfinished()
    {
        var old = time.GetUtcNow().UtcDateTime.AddHours(-1);
        foreach (var file in Directory.EnumerateFiles(folder.Shards, "*.tmp"))
        {
            try { if (File.GetLastWriteTimeUtc(file) < old) File.Delete(file); }
            catch (IOException) { /* somebody else was quicker */ }
        }
    }
}
