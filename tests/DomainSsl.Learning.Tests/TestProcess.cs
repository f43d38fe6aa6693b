using System.Runtime.CompilerServices;

// One at a time: many tests compute without Finalizers.Held, and what computes with it in another test collects garbage in the middle of their calls, whose numbers are freed before libtorch reads them.
[assembly: Xunit.v3.Parallelization(MaxThreads = 1)]

namespace DomainSsl.Learning.Tests;

internal static class TestProcess
{
    [ModuleInitializer]
    internal static void Tune() => TorchProcess.Tune();
}
