using static TorchSharp.torch;

namespace DomainSsl.Learning;

/// <summary>The one place that names a device; everything else takes its batch's.</summary>
public static class Devices
{
    /// <summary>The device of a run.</summary>
    /// <param name="wish"><c>auto</c> (CUDA where there is one, else the CPU), <c>cpu</c> or <c>cuda</c>.</param>
    /// <exception cref="LearningException">The wish is unknown, or CUDA is asked for and absent.</exception>
    public static Device Choose(string wish) => wish switch
    {
        "auto" => cuda.is_available() ? CUDA : CPU,
        "cpu" => CPU,
        "cuda" when cuda.is_available() => CUDA,
        "cuda" => throw new LearningException("This machine or this build has no CUDA device; use the device 'auto', or build with -p:TorchBackend=cuda-12.8-linux-x64."),
        _ => throw new LearningException($"The device '{wish}' is unknown; use auto, cpu or cuda."),
    };

    /// <summary>The memory where batches are put together before they go to a device.</summary>
    public static Device Host => CPU;
}
