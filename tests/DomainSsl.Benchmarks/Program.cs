using BenchmarkDotNet.Running;
using DomainSsl.Benchmarks;
using DomainSsl.Benchmarks.LibraryGrid;

// The trainer's and the recordings' figures need processes of their own and so are plain programs; all else is BenchmarkDotNet's.
if ((LearningBenchmarks.Run(args) ?? AudioBenchmarks.Run(args)) is { } code) return code;
if (args is ["library-grid", ..])
{
    await LibraryGridBenchmark.RunAsync(args[1..]);
    return 0;
}
if (args is ["transcript-list", ..])
{
    await TranscriptListBenchmark.RunAsync(args[1..]);
    return 0;
}
if (args is ["transcript-words", ..])
{
    await TranscriptBenchmark.RunAsync(args[1..]);
    return 0;
}
BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
return 0;
