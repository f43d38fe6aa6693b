using System.Runtime.ExceptionServices;
using static TorchSharp.torch;

namespace DomainSsl.Learning.FineTuning;

/// <summary>
/// Runs small fits at once, each on one core. A step of a few dozen small images has too little in it for several cores: so on the CPU fits go side by
/// side instead. On a GPU, which is one, they run in turn.
/// </summary>
internal static class SideBySide
{
    /// <summary>Calls <paramref name="work"/> for every piece, as many at once as the CPU has threads, in the order given; on a GPU one after another.</summary>
    /// <param name="pieces">What is to be done.</param>
    /// <param name="device">Where.</param>
    /// <param name="work">Does a piece. Its token is set by <paramref name="cancel"/>, and once another piece has failed: what it would give is not wanted then.</param>
    /// <param name="cancel">Looked at between pieces.</param>
    /// <param name="alike">Whether a piece that is alone has one core too: its result is then the same to the bit, however many others there are. Else it has them all.</param>
    /// <exception cref="OperationCanceledException">It was cancelled; pieces begun are ended by their own look at the token. Of pieces that fail, the first one's exception comes, as soon as the others have ended so.</exception>
    public static void Run<T>(IReadOnlyList<T> pieces, Device device, Action<T, CancellationToken> work, CancellationToken cancel, bool alike = false)
    {
        var threads = get_num_threads();
        var atOnce = device.type == TorchSharp.DeviceType.CPU ? Math.Min(threads, pieces.Count) : 1;
        if (atOnce <= 1 && !(alike && device.type == TorchSharp.DeviceType.CPU))
        {
            foreach (var piece in pieces)
            {
                cancel.ThrowIfCancellationRequested();
                work(piece, cancel);
            }
            return;
        }
        var next = -1;
        ExceptionDispatchInfo? failure = null;
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        void Loop()
        {
            // OpenMP keeps this number for each thread that asks; these threads end with the work, so nobody inherits it.
            set_num_threads(1);
            while (!stop.IsCancellationRequested && Interlocked.Increment(ref next) is var i && i < pieces.Count)
            {
                try { work(pieces[i], stop.Token); }
                catch (Exception e)
                {
                    // Kept before the others are told: what they throw for being told comes second.
                    Interlocked.CompareExchange(ref failure, ExceptionDispatchInfo.Capture(e), null);
                    stop.Cancel();
                }
            }
        }
        var workers = Enumerable.Range(0, atOnce).Select(_ => new Thread(Loop) { IsBackground = true }).ToArray();
        foreach (var worker in workers) worker.Start();
        foreach (var worker in workers) worker.Join();
        set_num_threads(threads);
        failure?.Throw();
        cancel.ThrowIfCancellationRequested();
    }
}
