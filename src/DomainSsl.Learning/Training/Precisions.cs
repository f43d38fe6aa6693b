using System.Diagnostics;
using DomainSsl.Learning.Encoders;
using TorchSharp;
using static TorchSharp.torch;

namespace DomainSsl.Learning.Training;

/// <summary>What activations are computed in.</summary>
public static class Precisions
{
    /// <summary>The precision of a recipe; <c>auto</c> is bfloat16 on a GPU, and on a CPU that has instructions for it the one in which this very network is quicker, measured on a few images.</summary>
    public static ScalarType Choose(string wish, EncoderSpec spec, Device device) => wish switch
    {
        "float32" => ScalarType.Float32,
        "bfloat16" => ScalarType.BFloat16,
        _ when device.type != DeviceType.CPU => ScalarType.BFloat16,
        _ when !HasBFloat16() => ScalarType.Float32,
        _ => Seconds(spec, ScalarType.BFloat16) < 0.85 * Seconds(spec, ScalarType.Float32) ? ScalarType.BFloat16 : ScalarType.Float32,
    };

    // Without these instructions bfloat16 convolutions are emulated, several times slower; a measurement on a busy machine may not see it. .NET does not tell of them, the kernel does.
    private static bool HasBFloat16() =>
        File.Exists("/proc/cpuinfo") && File.ReadLines("/proc/cpuinfo").FirstOrDefault(l => l.StartsWith("flags", StringComparison.Ordinal))?.Split(' ') is { } flags
        && (flags.Contains("avx512_bf16") || flags.Contains("amx_bf16"));

    /// <summary>As it stands in recipes.</summary>
    public static string Name(ScalarType type) => type == ScalarType.BFloat16 ? "bfloat16" : "float32";

    /// <summary>Forward and backward of 16 images, or of 8 sounds of 2 seconds, through a network of that kind, the quicker of two after one to warm up.</summary>
    private static double Seconds(EncoderSpec spec, ScalarType precision)
    {
        using var scope = NewDisposeScope();
        using var encoder = EncoderFactory.Create(spec, 0);
        encoder.Precision = precision;
        var x = spec.Modality == Modalities.Sound ? zeros(8, 2 * spec.Resolution) : zeros(16, 1, spec.Resolution, spec.Resolution);
        var best = double.MaxValue;
        for (var i = 0; i < 3; i++)
        {
            var clock = Stopwatch.StartNew();
            encoder.zero_grad();
            encoder.Features(x).sum().backward();
            if (i > 0) best = Math.Min(best, clock.Elapsed.TotalSeconds);
        }
        return best;
    }
}
