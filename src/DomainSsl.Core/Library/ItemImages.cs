using System.Globalization;
using System.Runtime.InteropServices;
using DomainSsl.Core.Database;
using DomainSsl.Core.Storage;
using DomainSsl.Dicom;
using Microsoft.EntityFrameworkCore;
using SkiaSharp;

namespace DomainSsl.Core.Library;

/// <summary>A picture or file for the browser.</summary>
/// <param name="Bytes">Its content.</param>
/// <param name="ContentType">Its media type.</param>
/// <param name="Tag">Changes if and only if the content does: for ETag, by which a browser that has it already is not sent it again.</param>
public sealed record MediaFile(byte[] Bytes, string ContentType, string Tag);

/// <summary>
/// Pictures of items, the stored files themselves, and a recording's sound and outline. Pictures are made on first sight and kept in <c>cache/</c>, named by the blob's hash,
/// so that they never go stale and may be deleted at any time.
/// </summary>
public sealed class ItemImages(IDbContextFactory<DomainSslContext> factory, IBlobStore blobs, DataFolder folder) : IDisposable
{
    /// <summary>Longer side of a thumbnail, pixels.</summary>
    public const int Thumbnail = 160;
    /// <summary>Longer side of a picture that fills a screen, pixels.</summary>
    public const int Display = 1024;
    private const int MaxSize = 4096;

    // Decoding takes memory and all of a core: not more at once than there are cores, however many thumbnails a page asks for.
    private readonly SemaphoreSlim _rendering = new(Math.Max(2, Environment.ProcessorCount));

    /// <summary>An image item as WebP with the window of its file, its longer side at most <paramref name="maxSize"/> pixels, never enlarged.</summary>
    /// <exception cref="RefusedException"><c>no-item</c>, <c>not-an-image</c>, or <c>blob-missing</c>.</exception>
    public async Task<MediaFile> RenderAsync(long itemId, int maxSize = Display, CancellationToken cancel = default)
    {
        maxSize = Math.Clamp(maxSize, 16, MaxSize);
        await using var db = await factory.CreateDbContextAsync(cancel);
        var item = await db.Items.Where(i => i.Id == itemId).Select(i => new { i.Kind, i.Frame, i.Instance!.BlobHash }).SingleOrDefaultAsync(cancel)
            ?? throw new RefusedException("no-item", "There is no such image; it may have been removed. Go back to the library.");
        if (item.Kind != ItemKind.Image) throw new RefusedException("not-an-image", "This item is a sound and has no picture.");
        var tag = string.Create(CultureInfo.InvariantCulture, $"{item.BlobHash[..32]}-{item.Frame}-{maxSize}");
        var path = Path.Combine(folder.Cache, item.BlobHash[..2], tag + ".webp");
        if (await TryReadAsync(path, cancel) is { } cached) return new MediaFile(cached, "image/webp", tag);
        await _rendering.WaitAsync(cancel);
        try
        {
            var bytes = await Task.Run(() => Encode(FrameRenderer.Render(DicomImage.Of(DicomFile.Read(blobs.Read(item.BlobHash))), item.Frame, maxSize, maxSize), maxSize <= 2 * Thumbnail), cancel);
            await KeepAsync(path, bytes);
            return new MediaFile(bytes, "image/webp", tag);
        }
        finally { _rendering.Release(); }
    }

    /// <summary>The stored, de-identified DICOM file of an instance.</summary>
    /// <exception cref="RefusedException"><c>no-item</c> or <c>blob-missing</c>.</exception>
    public async Task<(Stream Stream, string Tag)> InstanceFileAsync(long instanceId, CancellationToken cancel = default)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        var hash = await db.Instances.Where(i => i.Id == instanceId).Select(i => i.BlobHash).SingleOrDefaultAsync(cancel) ?? throw NotThere();
        return (blobs.Open(hash), hash);
    }

    /// <summary>The recording that an item is.</summary>
    /// <exception cref="RefusedException"><c>no-item</c>.</exception>
    public async Task<long> RecordingOfAsync(long item, CancellationToken cancel = default)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        return await db.Items.Where(i => i.Id == item).Select(i => i.RecordingId).SingleOrDefaultAsync(cancel) ?? throw NotThere();
    }

    /// <summary>The stored sound of a recording: WAV, 16 kHz, mono or, of two speakers, stereo. The stream can seek, for requests of a range.</summary>
    /// <exception cref="RefusedException"><c>no-item</c> or <c>blob-missing</c>.</exception>
    public async Task<(Stream Stream, string Tag)> RecordingAudioAsync(long recordingId, CancellationToken cancel = default)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        var hash = await db.Recordings.Where(r => r.Id == recordingId).Select(r => r.BlobHash).SingleOrDefaultAsync(cancel) ?? throw NotThere();
        return (blobs.Open(hash), hash);
    }

    /// <summary>What waveform and spectrogram of a recording are drawn from, as JSON; see <see cref="Importing.SoundPreparation.Outline"/>.</summary>
    /// <exception cref="RefusedException"><c>no-item</c> or <c>blob-missing</c>.</exception>
    public async Task<MediaFile> RecordingPeaksAsync(long recordingId, CancellationToken cancel = default)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        var hash = await db.Recordings.Where(r => r.Id == recordingId).Select(r => r.PeaksBlobHash).SingleOrDefaultAsync(cancel) ?? throw NotThere();
        return new MediaFile(blobs.Read(hash), "application/json", hash);
    }

    /// <summary>The spectrogram of a recording in full, see <see cref="DomainSsl.Audio.Spectrograms.SpectrogramMeter"/>. The stream can seek: a page takes the stretch that it shows.</summary>
    /// <exception cref="RefusedException"><c>no-item</c> or <c>blob-missing</c>.</exception>
    public async Task<(Stream Stream, string Tag)> RecordingSpectrogramAsync(long recordingId, CancellationToken cancel = default)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        var hash = await db.Recordings.Where(r => r.Id == recordingId).Select(r => r.SpectrogramBlobHash).SingleOrDefaultAsync(cancel) ?? throw NotThere();
        return (blobs.Open(hash), hash);
    }

    /// <summary>The speech found in a recording, by start.</summary>
    public async Task<IReadOnlyList<Segment>> RecordingSegmentsAsync(long recordingId, CancellationToken cancel = default)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        return await db.Segments.AsNoTracking().Where(s => s.RecordingId == recordingId).OrderBy(s => s.Start).ThenBy(s => s.Channel).ToListAsync(cancel);
    }

    /// <inheritdoc />
    public void Dispose() => _rendering.Dispose();

    private static byte[] Encode(RenderedFrame frame, bool small)
    {
        var type = frame.Channels == 1 ? SKColorType.Gray8 : SKColorType.Rgba8888;
        var pixels = frame.Channels == 1 ? frame.Pixels : WithAlpha(frame.Pixels);
        var pin = GCHandle.Alloc(pixels, GCHandleType.Pinned);
        try
        {
            var info = new SKImageInfo(frame.Width, frame.Height, type, SKAlphaType.Opaque);
            using var image = SKImage.FromPixels(info, pin.AddrOfPinnedObject(), info.RowBytes);
            // A picture that is judged by must not have a codec's marks in it; a thumbnail may.
            using var map = image.PeekPixels();
            using var data = map.Encode(new SKWebpEncoderOptions(small ? SKWebpEncoderCompression.Lossy : SKWebpEncoderCompression.Lossless, small ? 82 : 20))
                ?? throw new InvalidOperationException("The picture could not be encoded.");
            return data.ToArray();
        }
        finally { pin.Free(); }
    }

    private static byte[] WithAlpha(byte[] rgb)
    {
        var rgba = new byte[rgb.Length / 3 * 4];
        for (int i = 0, j = 0; i < rgb.Length; i += 3, j += 4) (rgba[j], rgba[j + 1], rgba[j + 2], rgba[j + 3]) = (rgb[i], rgb[i + 1], rgb[i + 2], 255);
        return rgba;
    }

    private static async Task<byte[]?> TryReadAsync(string path, CancellationToken cancel)
    {
        try { return await File.ReadAllBytesAsync(path, cancel); }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException) { return null; }
    }

    private static async Task KeepAsync(string path, byte[] bytes)
    {
        var temporary = $"{path}.{Guid.NewGuid():N}";
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            await File.WriteAllBytesAsync(temporary, bytes);
            File.Move(temporary, path, overwrite: true);
        }
        catch (IOException) { /* a full disk must not keep anybody from seeing the picture */ }
    }

    private static RefusedException NotThere() => new("no-item", "There is no such image or recording; it may have been removed. Go back to the library.");
}
