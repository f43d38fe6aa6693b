using System.Runtime.CompilerServices;

// libtorch uses all cores itself; tests beside each other would only fight for them.
[assembly: Xunit.v3.Parallelization(MaxThreads = 1)]

namespace DomainSsl.Learning.Tests;

internal static class TestProcess
{
    [ModuleInitializer]
    internal static void Tune() => TorchProcess.Tune();
}
