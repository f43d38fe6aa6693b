namespace DomainSsl.Dicom.Tests.Pixels;

public class PlaneResamplerTests
{
    [Theory]
    [InlineData(97, 61, 20, 13)]
    [InlineData(64, 64, 64, 64)]
    [InlineData(512, 512, 112, 112)]
    public void Resize_Smaller_IsTheMeanOfTheAreaCovered(int width, int height, int toWidth, int toHeight)
    {
        var random = new Random(3);
        var plane = Enumerable.Range(0, width * height).Select(_ => random.NextSingle()).ToArray();
        var small = PlaneResampler.Resize(plane, width, height, toWidth, toHeight);
        for (var y = 0; y < toHeight; y += 5)
            for (var x = 0; x < toWidth; x += 3)
                Assert.Equal(Mean(plane, width, height, (double)width / toWidth * x, (double)height / toHeight * y, (double)width / toWidth, (double)height / toHeight), small[y * toWidth + x], 1e-4);
    }

    [Fact]
    public void Resize_Larger_KeepsARampARamp()
    {
        var plane = Enumerable.Range(0, 10).Select(x => (float)x).ToArray();
        var large = PlaneResampler.Resize(plane, 10, 1, 40, 3);
        for (var x = 4; x < 36; x++) Assert.Equal((x + 0.5) / 4 - 0.5, large[40 + x], 1e-4);
    }

    [Fact]
    public void RobustRange_LeavesOutHalfAPercentAtEitherEnd()
    {
        var plane = Enumerable.Range(0, 10_000).Select(i => (float)i).ToArray();
        new Random(1).Shuffle(plane);
        var (low, high) = PlaneResampler.RobustRange(plane);
        Assert.Equal(50, low, 1.0);
        Assert.Equal(9949, high, 1.0);
    }

    [Fact]
    public void RobustRange_OneMetalClip_DoesNotDecideTheRange()
    {
        var plane = Enumerable.Range(0, 10_000).Select(i => i % 100 / 100f).ToArray();
        plane[17] = 1e9f;
        var (low, high) = PlaneResampler.RobustRange(plane);
        Assert.InRange(low, -0.01, 0.05);
        Assert.InRange(high, 0.9, 1.1);
    }

    [Fact]
    public void ForTraining_UsesTheWholeRangeAndTurnsMonochrome1()
    {
        var file = Synthetic.Image(100, 100, 12, (x, y) => 10 * x + y);
        var plane = PlaneResampler.ForTraining(DicomImage.Of(file), 50);
        Assert.Equal((ushort.MinValue, ushort.MaxValue), (plane.Min(), plane.Max()));
        Assert.True(plane[0] < plane[^1]);
        file.DataSet.SetString(DicomTags.PhotometricInterpretation, "MONOCHROME1");
        var turned = PlaneResampler.ForTraining(DicomImage.Of(file), 50);
        Assert.All(plane.Zip(turned), p => Assert.InRange(p.First + p.Second, 65534, 65536));
    }

    [Fact]
    public void ForTraining_PaddingRoundTheImage_DoesNotDecideTheContrast()
    {
        static int Value(int x, int y) => 500 + x + y;
        var bare = PlaneResampler.ForTraining(DicomImage.Of(Synthetic.Image(100, 100, 16, Value, signed: true)), 50);
        var file = Synthetic.Image(100, 100, 16, (x, y) => x < 10 ? -2000 : Value(x, y), signed: true);
        file.DataSet.SetUInt16(DicomTags.PixelPaddingValue, unchecked((ushort)-2000));
        var padded = PlaneResampler.ForTraining(DicomImage.Of(file), 50);
        for (var i = 25; i < bare.Length; i += 50) Assert.InRange(padded[i], bare[i] - 4000, bare[i] + 4000);
    }

    [Fact]
    public void ForTraining_WideImage_IsPaddedNotSquashed()
    {
        var plane = PlaneResampler.ForTraining(DicomImage.Of(Synthetic.Image(80, 40, 12, (x, y) => 1000 + x + y)), 40);
        Assert.True(plane[..(10 * 40)].All(v => v == 0) && plane[(30 * 40)..].All(v => v == 0));
        Assert.True(plane[(12 * 40)..(28 * 40)].Average(v => v) > 10_000);
    }

    private static double Mean(float[] plane, int width, int height, double x0, double y0, double w, double h)
    {
        double sum = 0;
        for (var y = (int)y0; y < Math.Min(height, Math.Ceiling(y0 + h - 1e-9)); y++)
            for (var x = (int)x0; x < Math.Min(width, Math.Ceiling(x0 + w - 1e-9)); x++)
                sum += plane[y * width + x] * (Math.Min(x + 1, x0 + w) - Math.Max(x, x0)) * (Math.Min(y + 1, y0 + h) - Math.Max(y, y0));
        return sum / (w * h);
    }
}
