namespace DomainSsl.Dicom.Tests.Pixels;

public class RenderingTests
{
    [Fact]
    public void Render_Window_MapsAsTheStandardSays()
    {
        var file = Synthetic.Image(256, 1, 16, (x, _) => x * 10);
        file.DataSet.SetString(DicomTags.RescaleSlope, "2");
        file.DataSet.SetString(DicomTags.RescaleIntercept, "-1000");
        file.DataSet.SetString(DicomTags.WindowCenter, "40");
        file.DataSet.SetString(DicomTags.WindowWidth, "400");
        var picture = FrameRenderer.Render(DicomImage.Of(file));
        for (var x = 0; x < 256; x++)
        {
            // PS3.3 §C.11.2.1.2.1, written out.
            double v = x * 20 - 1000, shown = v <= 39.5 - 199.5 ? 0 : v > 39.5 + 199.5 ? 255 : ((v - 39.5) / 399 + 0.5) * 255;
            Assert.InRange(picture.Pixels[x], shown - 1, shown + 1);
        }
    }

    [Fact]
    public void Render_Monochrome1_IsTheNegativeOfMonochrome2()
    {
        var file = Synthetic.Image(64, 64, 8, (x, y) => 2 * x + y);
        var plain = FrameRenderer.Render(DicomImage.Of(file)).Pixels;
        file.DataSet.SetString(DicomTags.PhotometricInterpretation, "MONOCHROME1");
        Assert.Equal(plain.Select(p => (byte)(255 - p)), FrameRenderer.Render(DicomImage.Of(file)).Pixels);
    }

    [Fact]
    public void Render_IntoABox_KeepsTheShapeAndNeverEnlarges()
    {
        var image = DicomImage.Of(Synthetic.Image(400, 200, 12, (x, _) => x));
        Assert.Equal((100, 50, 1), (FrameRenderer.Render(image, 0, 100, 100).Width, FrameRenderer.Render(image, 0, 100, 100).Height, FrameRenderer.Render(image, 0, 100, 100).Channels));
        Assert.Equal(400, FrameRenderer.Render(image, 0, 1000, 1000).Width);
    }

    [Fact]
    public void Render_ColourFilesOfTheSet_HaveTheColoursOfTheReference()
    {
        // Lossy colour is compared in RGB by mean and deviation, as the manifest does.
        var (compared, faults) = (0, new List<string>());
        foreach (var row in TestFiles.Manifest().Where(r => r.Expect == "parse" && r.PixelSha256.Length == 0 && r.Number("pixel_mean") is not null && r.Number("frames") is null or 1))
        {
            DicomImage image;
            try { image = DicomImage.Of(DicomFile.Read(row.Path)); }
            catch (DicomException e) when (e.Code is DicomErrors.UnsupportedTransferSyntax or DicomErrors.UnsupportedPixels) { continue; }
            var frame = image.Decode();
            double[] values = frame.Samples == 3 && frame.Photometric != Photometric.Rgb && image.Description.BitsStored == 8
                ? [.. FrameRenderer.Render(image).Pixels.Select(p => (double)p)] : [.. frame.Values.Select(v => (double)v)];
            var (mean, tolerance) = (values.Average(), Math.Max(0.6, row.Number("pixel_tolerance")!.Value));
            var deviation = Math.Sqrt(values.Average(v => (v - mean) * (v - mean)));
            compared++;
            if (Math.Abs(mean - row.Number("pixel_mean")!.Value) > tolerance || Math.Abs(deviation - row.Number("pixel_std")!.Value) > tolerance)
                faults.Add($"{row.File}: {mean:0.000} ± {deviation:0.000} instead of {row.Cells["pixel_mean"]} ± {row.Cells["pixel_std"]} within {tolerance} ({row.Syntax}, {row.Cells["photometric"]}: {row.Cells["note"]})");
        }
        Assert.True(faults.Count == 0, $"{compared} compared, {faults.Count} differ:\n{string.Join('\n', faults)}");
        Assert.True(compared >= 20, $"only {compared} were compared");
    }

    [Fact]
    public void Render_EveryDecodableFileOfTheSet_GivesAPicture()
    {
        var drawn = 0;
        foreach (var row in TestFiles.Manifest().Where(r => r.Expect == "parse" && r.PixelSha256.Length > 0))
        {
            try
            {
                var picture = FrameRenderer.Render(DicomImage.Of(DicomFile.Read(row.Path)), 0, 96, 96);
                Assert.Equal(picture.Width * picture.Height * picture.Channels, picture.Pixels.Length);
                drawn++;
            }
            catch (DicomException e) when (e.Code is DicomErrors.UnsupportedTransferSyntax or DicomErrors.UnsupportedPixels or DicomErrors.DamagedPixels) { }
        }
        Assert.True(drawn > 200, $"only {drawn} were drawn");
    }
}
