using BenchmarkDotNet.Running;
using DomainSsl.Benchmarks;

// The trainer's figures need processes of their own and so are plain programs; all else is BenchmarkDotNet's.
if (LearningBenchmarks.Run(args) is { } code) return code;
BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
return 0;
