using DomainSsl.Learning.Encoders;
using DomainSsl.Learning.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace DomainSsl.Learning.Tests;

/// <summary>A run of hours meets the garbage collector at every place sooner or later; here it does so all the time.</summary>
public sealed class FinalizersTests
{
    [Fact]
    public void Held_WhileGarbageIsCollectedAllTheTime_StepsEndWithTheSameBits() => Assert.Equal(Train(1000), Collecting(() => Train(1000)));

    [Fact]
    public void Held_ByThreadsThatOverlapAllTheTime_StillLetsGarbageBeFreed()
    {
        var before = Garbage.Freed;
        var threads = Enumerable.Range(0, 3).Select(_ => new Thread(() => Train(300))).ToList();
        foreach (var thread in threads) thread.Start();
        while (threads.Any(t => t.IsAlive))
        {
            Garbage.Make();
            Thread.Sleep(1);
        }
        GC.Collect();
        GC.WaitForPendingFinalizers(); // nobody computes any more, so nothing holds it back
        Assert.True(Garbage.Freed > before);
    }

    [Fact]
    public void Held_NoFinalizerRuns_UntilItIsLetGo()
    {
        using (Finalizers.Held())
        {
            // Another test may compute meanwhile, which only holds them longer.
            using var inner = Finalizers.Held();
            var before = Garbage.Freed;
            Garbage.Make();
            GC.Collect();
            Thread.Sleep(50);
            Assert.Equal(before, Garbage.Freed);
        }
        Assert.True(SpinWait.SpinUntil(() => Garbage.Freed > 0, TimeSpan.FromSeconds(20)));
    }

    // Scalars in every place where the trainer has them: in losses, in the optimiser and in its fused call.
    private static float[] Train(int steps)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1, CPU);
        using nn.Module encoder = new Linear(4, 4, generator), head = new Linear(4, 2, generator);
        using var optimiser = new AdamW(new RecipeOptimiser { Rate = 1e-2 }, encoder, head);
        for (var step = 0; step < steps; step++)
        {
            using var held = Finalizers.Held();
            using var inner = NewDisposeScope();
            foreach (var w in optimiser.Weights) w.grad = (ones_like(w) * (step % 7 - 3)).add(0.5).div(2);
            optimiser.Step(1);
        }
        return [.. optimiser.Weights.SelectMany(w => w.detach().data<float>().ToArray())];
    }

    private static T Collecting<T>(Func<T> work)
    {
        using var end = new CancellationTokenSource();
        var collector = new Thread(() =>
        {
            while (!end.IsCancellationRequested)
            {
                GC.Collect(0);
                Thread.Sleep(1); // else the steps get on only between two collections, however long these take
            }
        });
        collector.Start();
        try { return work(); }
        finally
        {
            end.Cancel();
            collector.Join();
        }
    }

    private sealed class Garbage
    {
        private static int _freed;

        public static int Freed => Volatile.Read(ref _freed);

        [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
        public static void Make() => _ = new Garbage();

        ~Garbage() => Interlocked.Increment(ref _freed);
    }
}
