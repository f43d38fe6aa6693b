using System.Runtime.CompilerServices;

// Tests count live tensors and memory of the whole process, so they go one after another.
[assembly: Xunit.v3.Parallelization(MaxThreads = 1)]

namespace DomainSsl.Learning.Tests;

internal static class TestProcess
{
    [ModuleInitializer]
    internal static void Tune()
    {
        TorchProcess.Tune();
        // Networks as small as the tests' gain nothing by a second core, and the tests of another project use it meanwhile.
        TorchSharp.torch.set_num_threads(1);
    }
}
