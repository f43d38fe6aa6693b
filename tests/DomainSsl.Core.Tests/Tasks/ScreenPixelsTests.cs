using System.Buffers.Binary;
using DomainSsl.Core.Tasks;
using DomainSsl.Dicom;
using DomainSsl.Testing;

namespace DomainSsl.Core.Tests.Tasks;

public sealed class ScreenPixelsTests
{
    private static DicomImage Phantom() =>
        DicomImage.Of(DicomFile.Read(Directory.GetFiles(Path.Combine(SharedData.Project, "sample-data", "images"), "*.dcm").Order(StringComparer.Ordinal).First()));

    [Fact]
    public void Of_GreyImage_KeepsItsDepthAndItsWindow()
    {
        var image = Phantom();
        var block = ScreenPixels.Of(image, 0, 2048)!;
        int Word(int at) => BinaryPrimitives.ReadInt32LittleEndian(block.AsSpan(at));
        var (width, height) = (Word(4), Word(8));
        Assert.Equal((image.Description.Columns, image.Description.Rows), (width, height));
        Assert.Equal(ScreenPixels.HeaderBytes + 2 * width * height, block.Length);

        // Differences of values are differences of modality units, and the window lies as far above the darkest value as in the file.
        var plane = GreyPlane.Of(image);
        var least = plane.Values.Min();
        for (var i = 0; i < plane.Values.Length; i += 97)
            Assert.Equal(plane.Values[i] - least, BinaryPrimitives.ReadUInt16LittleEndian(block.AsSpan(ScreenPixels.HeaderBytes + 2 * i)), 1.0);
        if (FrameRenderer.WindowOf(image.DataSet) is { } window) Assert.Equal(window.Centre - least, BinaryPrimitives.ReadSingleLittleEndian(block.AsSpan(16)), 1.0);
        Assert.True(BinaryPrimitives.ReadSingleLittleEndian(block.AsSpan(20)) >= 1);
    }

    [Fact]
    public void Of_LargerThanAsked_IsMadeSmallerAndKeepsItsShape()
    {
        var image = Phantom();
        var block = ScreenPixels.Of(image, 0, 50)!;
        var (width, height) = (BinaryPrimitives.ReadInt32LittleEndian(block.AsSpan(4)), BinaryPrimitives.ReadInt32LittleEndian(block.AsSpan(8)));
        Assert.Equal(50, Math.Max(width, height));
        Assert.Equal((double)image.Description.Columns / image.Description.Rows, (double)width / height, 0.05);
    }
}
