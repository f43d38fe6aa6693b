using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace DomainSsl.Learning.Encoders;

/// <summary>
/// Logarithms of the power in mel bands, a frame each 10 ms, of 16 kHz sound. Frame t looks at 25 ms (Hann) around the middle of [10·t, 10·t + 10) ms, so n samples give ⌈n / 160⌉ frames and beyond its ends
/// the sound is silence. Bands are triangles, evenly spaced on the mel scale 2595·log10(1 + f/700) (D. O'Shaughnessy, 1987) from 0 to 8,000 Hz; a sine of full scale has power 1 where its band peaks. The same frames as
/// those of the project's spectrograms, here for whole batches on the run's device.
/// </summary>
public sealed class LogMel : nn.Module<Tensor, Tensor>
{
    /// <summary>Samples a second, Hz.</summary>
    public const int SampleRate = 16_000;

    /// <summary>Samples from one frame to the next.</summary>
    public const int Hop = 160;

    private const int Window = 400, Size = 512;
    private const double Floor = 1e-10;

    /// <summary>With <paramref name="bands"/> bands; up to 80 each holds at least one frequency.</summary>
    public LogMel(int bands) : base(nameof(LogMel))
    {
        if (bands is < 2 or > 80) throw new LearningException($"There can be 2 to 80 mel bands, not {bands}.");
        Bands = bands;
        var hann = new float[Window];
        double sum = 0;
        for (var i = 0; i < Window; i++) sum += hann[i] = (float)(0.5 - 0.5 * Math.Cos(2 * Math.PI * (i + 0.5) / Window));
        for (var i = 0; i < Window; i++) hann[i] *= (float)(2 / sum); // half the window's sum is what a full-scale sine has in its bin
        var bins = Size / 2 + 1;
        var filters = new float[bins * bands];
        var step = Mel(SampleRate / 2.0) / (bands + 1);
        for (var k = 0; k < bins; k++)
        {
            var place = Mel((double)k * SampleRate / Size) / step - 1; // 0 where the first band peaks
            var below = (int)Math.Floor(place);
            if (below >= 0 && below < bands) filters[k * bands + below] = (float)(1 - (place - below));
            if (below + 1 < bands) filters[k * bands + below + 1] = (float)(place - below);
        }
        register_buffer("window", tensor(hann).DetachFromDisposeScope(), persistent: false);
        register_buffer("filters", tensor(filters, [bins, bands]).DetachFromDisposeScope(), persistent: false);
    }

    /// <summary>Bands a frame, M.</summary>
    public int Bands { get; }

    /// <summary>Frames of so many samples.</summary>
    public static long Frames(long samples) => (samples + Hop - 1) / Hop;

    /// <summary>B×T samples, full scale ±1, to B×F×M logarithms. No gradient goes through it.</summary>
    public override Tensor forward(Tensor samples)
    {
        using var off = no_grad();
        var frames = Frames(samples.shape[1]);
        var before = (Window - Hop) / 2;
        var padded = F.pad(samples, [before, (frames - 1) * Hop + Window - before - samples.shape[1]]);
        var windows = padded.unfold(1, Window, Hop) * get_buffer("window")!;                                       // B×F×400
        var power = fft.rfft(windows, Size).abs().square();                                                        // B×F×257
        return power.matmul(get_buffer("filters")!).clamp_(min: Floor).log_();                                     // B×F×M
    }

    private static double Mel(double hertz) => 2595 * Math.Log10(1 + hertz / 700);
}
