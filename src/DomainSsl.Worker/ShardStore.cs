using System.Security.Cryptography;
using System.Text;
using DomainSsl.Core;
using DomainSsl.Core.Database;
using DomainSsl.Core.Library;
using DomainSsl.Core.Runs;
using DomainSsl.Core.Storage;
using DomainSsl.Dicom;
using DomainSsl.Learning.Data;
using Microsoft.EntityFrameworkCore;

namespace DomainSsl.Worker;

/// <summary>An image to be prepared.</summary>
/// <param name="Id">The item.</param>
/// <param name="Hash">Identity of its content.</param>
/// <param name="BlobHash">The stored file.</param>
/// <param name="Frame">Which frame of it.</param>
/// <param name="PatientId">Whose it is.</param>
public sealed record ShardItem(long Id, string Hash, string BlobHash, int Frame, long? PatientId);

/// <summary>A shard and where each item is in it.</summary>
/// <param name="Path">The file.</param>
/// <param name="Places">Item id → place.</param>
public sealed record PreparedShard(string Path, IReadOnlyDictionary<long, int> Places);

/// <summary>
/// Decoded images for training: each set of items once a resolution, in <c>shards/</c>, named by the hash of the set, the resolution and the way of preparing. Decoding uses all
/// cores; a shard is written whole and then named, so that one which is there is right.
/// </summary>
public sealed class ShardStore(IDbContextFactory<DomainSslContext> factory, IBlobStore blobs, DataFolder folder, TimeProvider time)
{
    // Raise it when the way from a stored image to its plane changes: old shards are then made anew rather than taken for right.
    private const int Preparation = 1;

    /// <summary>The images of a collection, of given items, or of the whole library, by hash.</summary>
    /// <exception cref="RefusedException">There are none, or there are recordings among them.</exception>
    public async Task<IReadOnlyList<ShardItem>> ItemsAsync(long? collectionId, IReadOnlyList<long>? itemIds, CancellationToken cancel)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        var wanted = collectionId is { } id ? db.CollectionItems.Where(c => c.CollectionId == id).Select(c => c.Item!) : db.Items;
        if (collectionId is not null && await wanted.AnyAsync(i => i.Kind == ItemKind.Sound, cancel))
            throw new RefusedException("sounds", "The collection holds recordings; learning from speech comes with part C. Choose a collection of images.");
        var images = new List<ShardItem>();
        if (itemIds is null) images.AddRange(await Rows(wanted.Where(i => i.Kind == ItemKind.Image)).ToListAsync(cancel));
        else
        {
            foreach (var some in itemIds.Distinct().Chunk(500)) images.AddRange(await Rows(db.Items.Where(i => some.Contains(i.Id) && i.Kind == ItemKind.Image)).ToListAsync(cancel));
            if (images.Count < itemIds.Distinct().Count()) throw new RefusedException("no-item", "Some of the items are not images of this library; import the images first.");
        }
        if (images.Count == 0) throw new RefusedException("no-images", "There are no images to work on; import scans first, or choose another collection.");
        return [.. images.OrderBy(i => i.Hash, StringComparer.Ordinal)];
    }

    private static IQueryable<ShardItem> Rows(IQueryable<Item> items) => items.Select(i => new ShardItem(i.Id, i.Hash, i.Instance!.BlobHash, i.Frame, i.PatientId));

    /// <summary>The items as shards at each of the resolutions; each image that is wanted is decoded once for all of them.</summary>
    /// <param name="items">The images; their order does not matter.</param>
    /// <param name="resolutions">Sides of the square planes, pixels.</param>
    /// <param name="context">Told how far it is; its stop is heeded.</param>
    /// <param name="inFolder">Where the shards go that serve one run only; null for the shared folder.</param>
    /// <returns>A shard for each resolution.</returns>
    /// <exception cref="RefusedException">An image cannot be decoded.</exception>
    public IReadOnlyDictionary<int, PreparedShard> Prepare(IReadOnlyList<ShardItem> items, IEnumerable<int> resolutions, RunContext context, string? inFolder = null)
    {
        items = [.. items.DistinctBy(i => i.Id).OrderBy(i => i.Hash, StringComparer.Ordinal)];
        var places = items.Select((item, place) => (item.Id, place)).ToDictionary(p => p.Id, p => p.place);
        var name = NameOf(items);
        var wanted = resolutions.Distinct().ToDictionary(r => r, r => new PreparedShard(Path.Combine(inFolder ?? folder.Shards, $"{name}-{r}-p{Preparation}.shard"), places));
        var missing = wanted.Where(w => !IsThere(w.Value.Path, items)).ToList();
        if (missing.Count > 0) Write(items, [.. missing.Select(m => (m.Key, m.Value.Path))], context);
        return wanted;
    }

    private void Write(IReadOnlyList<ShardItem> items, IReadOnlyList<(int Resolution, string Path)> shards, RunContext context)
    {
        var writers = shards.Select(s => ShardWriter.Create(s.Path, items.Count, 1, s.Resolution, s.Resolution)).ToList();
        try
        {
            var (done, begun) = (0, time.GetTimestamp());
            context.Log($"Decoding {items.Count} images at {string.Join(", ", shards.Select(s => s.Resolution))} pixels.");
            var options = new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount, CancellationToken = context.Stop };
            // Frames of one file together, so that it is read once.
            Parallel.ForEach(items.Select((item, place) => (item, place)).GroupBy(i => i.item.BlobHash), options, file =>
            {
                var image = Open(file.Key);
                foreach (var (item, place) in file)
                {
                    options.CancellationToken.ThrowIfCancellationRequested();
                    var planes = Planes(image, item, shards.Select(s => s.Resolution));
                    for (var i = 0; i < writers.Count; i++) writers[i].Write(place, planes[i]);
                    var n = Interlocked.Increment(ref done);
                    if (n % 16 == 0 || n == items.Count)
                    {
                        var seconds = time.GetElapsedTime(begun).TotalSeconds;
                        context.Report(new RunReport(Stage: $"Decoding {n:#,0} of {items.Count:#,0} images", SecondsLeft: seconds / n * (items.Count - n)));
                    }
                }
            });
            foreach (var writer in writers) writer.Finish([.. items.Select(i => i.Hash)]);
            context.Log($"Decoded in {time.GetElapsedTime(begun).TotalSeconds:0.0} s.");
        }
        finally
        {
            foreach (var writer in writers) writer.Dispose();
        }
    }

    private DicomImage Open(string blobHash)
    {
        try { return DicomImage.Of(DicomFile.Read(blobs.Read(blobHash))); }
        catch (DicomException e) { throw Unreadable(blobHash, e); }
    }

    private static List<ushort[]> Planes(DicomImage image, ShardItem item, IEnumerable<int> resolutions)
    {
        try
        {
            var plane = GreyPlane.Of(image, item.Frame);
            return [.. resolutions.Select(r => PlaneResampler.ForTraining(plane, r))];
        }
        catch (DicomException e) { throw Unreadable(item.BlobHash, e); }
    }

    private static RefusedException Unreadable(string blobHash, DicomException e) =>
        new("item-unreadable", $"The stored image {blobHash[..12]} can no longer be decoded: {e.Message} Restore a backup, or make a collection without it.");

    private static bool IsThere(string path, IReadOnlyList<ShardItem> items)
    {
        if (!File.Exists(path)) return false;
        try
        {
            using var shard = Shard.Open(path);
            return shard.ItemHashes.SequenceEqual(items.Select(i => i.Hash));
        }
        catch (Learning.LearningException) { return false; } // cut by a full disk, say: made anew
    }

    private static string NameOf(IReadOnlyList<ShardItem> sorted)
    {
        using var sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var item in sorted) sha.AppendData(Encoding.ASCII.GetBytes(item.Hash + "\n"));
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
