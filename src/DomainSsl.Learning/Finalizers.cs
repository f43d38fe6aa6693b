using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace DomainSsl.Learning;

/// <summary>
/// Keeps the finalizer thread waiting while libtorch computes. Every plain number in an expression such as <c>x * 0.5</c> becomes a TorchSharp scalar that nothing refers to once its
/// address is handed over; when a garbage collection falls into the call, its finalizer frees the number that libtorch is about to read. The same holds for temporary tensors outside a
/// dispose scope. In a run of hours that happens sooner or later, and the run dies of a wrong number. So computations run <see cref="Held"/>, and what became garbage is freed between them.
/// </summary>
public static class Finalizers
{
    // What waits to be freed meanwhile is small, but not nothing: where computations overlap all the time, all of them pause once in so many for it.
    private const int MostBetween = 64;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5), Slice = TimeSpan.FromSeconds(1);
    private const int MostSlices = 120;
    private static readonly ReaderWriterLockSlim Computing = new(LockRecursionPolicy.SupportsRecursion);
    private static readonly Lock Gate = new();
    private static int _computing, _since;
    private static Door? _door;

    /// <summary>No finalizer runs until this is disposed, by the same thread. May be nested, and held by several threads at once.</summary>
    public static Scope Held()
    {
        if (!Computing.IsReadLockHeld && Interlocked.Increment(ref _since) >= MostBetween)
        {
            // Waits for the computations under way; new ones wait for this.
            Computing.EnterWriteLock();
            try { lock (Gate) Open(); }
            finally { Computing.ExitWriteLock(); }
        }
        Computing.EnterReadLock();
        lock (Gate)
        {
            _computing++;
            if (_door is null) Close();
        }
        return default;
    }

    private static void Release()
    {
        lock (Gate)
        {
            if (--_computing == 0) Open();
        }
        Computing.ExitReadLock();
    }

    // The finalizer thread calls one finalizer after another. Given an object whose finalizer waits, it stands still there, with all that became garbage earlier behind it.
    private static void Close()
    {
        var door = new Door();
        Leave(door);
        // On the way to the object it frees what was garbage before. A collection of another thread may have made the object older before it was let go. Should the finalizer thread be busy
        // with somebody else's finalizer, the computation does not wait for ever.
        var waiting = Stopwatch.StartNew();
        for (var generation = 0; ; generation = Math.Min(2, generation + 1))
        {
            GC.Collect(generation, GCCollectionMode.Forced, blocking: true);
            if (door.Reached.Wait(TimeSpan.FromMilliseconds(50 << generation)) || waiting.Elapsed > Patience) break;
        }
        _door = door;
    }

    private static void Open()
    {
        _door?.Left.Set();
        _door = null;
        Interlocked.Exchange(ref _since, 0);
    }

    // Not inlined, so that no register of Close still refers to the object.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Leave(Door door) => _ = new Stop(door);

    /// <summary>Ends what <see cref="Held"/> began.</summary>
    public readonly struct Scope : IDisposable
    {
        /// <inheritdoc />
        public void Dispose() => Release();
    }

    private sealed class Door
    {
        public ManualResetEventSlim Reached { get; } = new();

        public ManualResetEventSlim Left { get; } = new();
    }

    private sealed class Stop(Door door)
    {
        ~Stop()
        {
            door.Reached.Set();
            // Not for ever: whoever waits for pending finalizers in the middle of a computation (TorchSharp does when memory is short) would wait for itself. In slices: a process that was stopped
            // (Ctrl-Z, SIGSTOP) finds its clock far ahead when it goes on, in the middle of a computation, and that is to end one slice and not the wait.
            for (var slice = 0; slice < MostSlices && !door.Left.Wait(Slice); slice++) { }
        }
    }
}
