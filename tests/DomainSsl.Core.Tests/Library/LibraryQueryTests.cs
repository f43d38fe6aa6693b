using DomainSsl.Core.Library;
using DomainSsl.Dicom;
using SkiaSharp;

namespace DomainSsl.Core.Tests.Library;

public sealed class LibraryQueryTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("")]
    [InlineData("chest left modality:CR from:2020-01-01 to:2020-12-31 in:\"chest all\" kind:image")]
    [InlineData("\"a:b\" kind:sound")]
    public void Filter_WrittenAndRead_IsTheSame(string text) => Assert.Equal(text, LibraryFilter.Parse(text).ToString());

    [Theory]
    [InlineData("colour:red")]
    [InlineData("from:yesterday")]
    [InlineData("kind:video")]
    [InlineData("in:\"open")]
    public void Filter_Unreadable_IsRefusedWithASentence(string text) =>
        Assert.Equal("bad-filter", Assert.Throws<RefusedException>(() => LibraryFilter.Parse(text)).Refusal.Code);

    [Fact]
    public async Task Studies_AreFilteredSortedAndPaged()
    {
        await using var library = await TestLibrary.MakeAsync();
        for (int i = 1; i <= 9; i++) library.Put($"{i}.dcm", TestScans.Scan(i, $"P{i}", study: i, change: d => d.SetString(DicomTags.Modality, i % 3 == 0 ? "CT" : "CR")));
        library.Put("10.dcm", TestScans.Scan(10, "P9", study: 9, change: d => d.SetString(DicomTags.Modality, "CT")));
        await library.ImportAsync(library.In, "all");
        var query = library.Get<LibraryQuery>();

        var ct = await query.StudiesAsync(LibraryFilter.Parse("modality:CT"), StudySort.Images, descending: true, cancel: Cancel);
        Assert.Equal((3, 2), (ct.Total, ct.Rows[0].Images));
        var pages = new List<StudyRow>();
        for (int skip = 0; skip < 9; skip += 4) pages.AddRange((await query.StudiesAsync(LibraryFilter.All, StudySort.Patient, descending: false, skip, 4, Cancel)).Rows);
        Assert.Equal(9, pages.Select(r => r.Id).Distinct().Count());
        Assert.Equal(pages.Select(r => r.Pseudonym).Order(StringComparer.Ordinal), pages.Select(r => r.Pseudonym));
        Assert.Equal(1, (await query.StudiesAsync(LibraryFilter.All with { Text = pages[3].Pseudonym[2..8] }, cancel: Cancel)).Total);
        Assert.Equal(0, (await query.StudiesAsync(LibraryFilter.All with { Text = "%" }, cancel: Cancel)).Total);
        Assert.Equal(9, (await query.StudiesAsync(LibraryFilter.Parse("in:all"), cancel: Cancel)).Total);
        Assert.Equal(9, (await query.StudiesAsync(LibraryFilter.Parse($"from:{pages.Min(p => p.Date):yyyy-MM-dd} to:{pages.Max(p => p.Date):yyyy-MM-dd}"), cancel: Cancel)).Total);
    }

    [Fact]
    public async Task StudyDetails_HasSeriesAndImagesInOrder()
    {
        await using var library = await TestLibrary.MakeAsync();
        foreach (int i in (int[])[3, 1, 2]) library.Put($"{i}.dcm", TestScans.Scan(i, frames: i));
        await library.ImportAsync(library.In);
        var query = library.Get<LibraryQuery>();
        var row = Assert.Single((await query.StudiesAsync(LibraryFilter.All, cancel: Cancel)).Rows);
        var study = (await query.StudyDetailsAsync(row.Id, Cancel))!;
        var instances = Assert.Single(study.Series).Instances;
        Assert.Equal([1, 2, 3], instances.Select(i => i.Number));
        Assert.Equal([1, 2, 3], instances.Select(i => i.ItemIds.Count));
        Assert.Null(await query.StudyDetailsAsync(999, Cancel));
    }

    [Fact]
    public async Task Render_GivesAPictureOfTheImage_AndTheSameFromTheCache()
    {
        await using var library = await TestLibrary.MakeAsync();
        // Left half dark, right half bright.
        library.Put("1.dcm", TestScans.Scan(1, change: d =>
        {
            var pixels = new byte[2 * 32 * 32];
            for (int i = 0; i < 32 * 32; i++) BitConverter.TryWriteBytes(pixels.AsSpan(2 * i), (ushort)(i % 32 < 16 ? 100 : 3000));
            d.Set(new DicomElement(DicomTags.PixelData, DicomVr.OW, pixels));
        }));
        await library.ImportAsync(library.In);
        var images = library.Get<ItemImages>();
        var first = await images.RenderAsync(1, cancel: Cancel);
        using var bitmap = SKBitmap.Decode(first.Bytes);
        Assert.Equal((32, 32), (bitmap.Width, bitmap.Height)); // never enlarged
        Assert.InRange(bitmap.GetPixel(4, 16).Red, 0, 5);
        Assert.InRange(bitmap.GetPixel(28, 16).Red, 250, 255);
        var small = await images.RenderAsync(1, 16, Cancel);
        using var thumbnail = SKBitmap.Decode(small.Bytes);
        Assert.Equal(16, thumbnail.Width);
        Assert.NotEqual(first.Tag, small.Tag);
        foreach (var blob in Directory.GetFiles(library.At("data", "blobs"), "*", SearchOption.AllDirectories)) File.Delete(blob);
        Assert.Equal(first.Bytes, (await images.RenderAsync(1, cancel: Cancel)).Bytes);
        Assert.Equal("blob-missing", (await Assert.ThrowsAsync<RefusedException>(() => images.RenderAsync(1, 100, Cancel))).Refusal.Code);
        Assert.Equal("no-item", (await Assert.ThrowsAsync<RefusedException>(() => images.RenderAsync(99, cancel: Cancel))).Refusal.Code);
    }

    [Fact]
    public async Task Recording_HasItsSoundAndItsOutline()
    {
        await using var library = await TestLibrary.MakeAsync();
        library.Put("1.wav", TestScans.Sound(1));
        await library.ImportAsync(library.In);
        var row = Assert.Single((await library.Get<LibraryQuery>().RecordingsAsync(LibraryFilter.All, cancel: Cancel)).Rows);
        var images = library.Get<ItemImages>();
        var (stream, _) = await images.RecordingAudioAsync(row.Id, Cancel);
        await using (stream)
        {
            var format = DomainSsl.Audio.Decoding.SoundFile.ReadFormat(stream);
            Assert.Equal((16_000, 1), (format.SampleRate, format.Channels));
        }
        using var peaks = System.Text.Json.JsonDocument.Parse((await images.RecordingPeaksAsync(row.Id, Cancel)).Bytes);
        Assert.Equal(0.5, peaks.RootElement.GetProperty("seconds").GetDouble(), 3);
        var outline = Assert.Single(peaks.RootElement.GetProperty("channels").EnumerateArray()).GetBytesFromBase64();
        Assert.InRange(outline.Max(b => (sbyte)b) * peaks.RootElement.GetProperty("scale").GetDouble() / 127, 0.28, 0.32);
    }
}
