using System.Runtime.CompilerServices;

// What these tests train is so small that libtorch's threads would mostly wait for each other: each test keeps to one, and two run beside each other.
[assembly: Xunit.v3.Parallelization(MaxThreads = 2)]

namespace DomainSsl.Learning.Tests;

internal static class TestProcess
{
    [ModuleInitializer]
    internal static void Tune()
    {
        TorchProcess.Tune();
        TorchSharp.torch.set_num_threads(1);
    }
}
