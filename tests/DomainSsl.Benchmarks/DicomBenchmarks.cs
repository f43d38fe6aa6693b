using BenchmarkDotNet.Attributes;
using DomainSsl.Dicom;
using DomainSsl.Testing;

namespace DomainSsl.Benchmarks;

/// <summary>What a chest X-ray costs on its way in, on one core: the whole way, and its parts.</summary>
[MemoryDiagnoser]
public class DicomBenchmarks
{
    private readonly Deidentifier _deidentifier = new(new byte[32]);
    private byte[] _xray = [];
    private DicomFile _read = null!;
    private DicomImage _large = null!;

    /// <summary>Reads the X-ray once and makes a 2048 × 2048 image of 12 bits.</summary>
    [GlobalSetup]
    public void Prepare()
    {
        _xray = File.ReadAllBytes(SharedData.Path("cxr/files/train/00401.dcm"));
        _read = DicomFile.Read(_xray);
        var data = new DicomDataSet();
        foreach (var tag in (DicomTag[])[DicomTags.Rows, DicomTags.Columns]) data.SetUInt16(tag, 2048);
        data.SetUInt16(DicomTags.BitsAllocated, 16);
        data.SetUInt16(DicomTags.BitsStored, 12);
        var pixels = new byte[2048 * 2048 * 2];
        for (var i = 0; i < pixels.Length; i += 2) (pixels[i], pixels[i + 1]) = ((byte)(i * 31 >> 5), (byte)(i >> 10 & 15));
        data.Set(new DicomElement(DicomTags.PixelData, DicomVr.OW, pixels));
        _large = DicomImage.Of(new DicomFile(data, TransferSyntax.ExplicitLittle));
    }

    /// <summary>Read, decode, de-identify, write.</summary>
    [Benchmark(Baseline = true)]
    public byte[] WholeWay()
    {
        var file = DicomFile.Read(_xray);
        DicomImage.Of(file).Decode();
        return _deidentifier.Deidentify(file).File.ToBytes();
    }

    /// <summary>Parse only.</summary>
    [Benchmark]
    public DicomFile Read() => DicomFile.Read(_xray);

    /// <summary>JPEG baseline in the sandbox.</summary>
    [Benchmark]
    public PixelFrame Decode() => DicomImage.Of(_read).Decode();

    /// <summary>De-identify and write.</summary>
    [Benchmark]
    public byte[] Deidentify() => _deidentifier.Deidentify(_read).File.ToBytes();

    /// <summary>A thumbnail.</summary>
    [Benchmark]
    public RenderedFrame Thumbnail() => FrameRenderer.Render(DicomImage.Of(_read), 0, 160, 160);

    /// <summary>A training plane of 112 × 112 from 2048 × 2048.</summary>
    [Benchmark]
    public ushort[] TrainingPlane() => PlaneResampler.ForTraining(_large, 112);
}
