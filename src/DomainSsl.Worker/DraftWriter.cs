using System.Diagnostics;
using System.Runtime.ExceptionServices;
using System.Text.Json;
using DomainSsl.Audio;
using DomainSsl.Audio.Recognising;
using DomainSsl.Core;
using DomainSsl.Core.Runs;
using DomainSsl.Learning;
using DomainSsl.Learning.Data;
using DomainSsl.Learning.Training;

namespace DomainSsl.Worker;

/// <summary>
/// Drafts of a shard's pieces by a recogniser that has its own models, for pretraining that learns from them. They are kept in the run's folder as they come, some at a time: a run that is killed goes on after them. The pieces come in
/// random order, so that what is heard in a limited time is a fair part of all. It is a clinic's speech and goes when nobody needs it (<see cref="Tidy"/>): the pieces that are listened to as soon as no process listens, whatever becomes of
/// the run; the drafts when the run is done. Of one that failed or was cancelled they stay, open to the folder's owner alone: it can be resumed at any time, does not listen twice then, and an encoder that has begun to learn from them must
/// find them as they were.
/// </summary>
internal static class DraftWriter
{
    /// <summary>The drafts so far, a line of JSON each.</summary>
    public const string DraftsFile = "drafts.jsonl";

    private const string HeardFolder = "heard-";

    // What a kill can cost, and what the program's own start, a second or two, is small beside.
    private const double SecondsAtOnce = 60;

    /// <summary>Some pieces at once.</summary>
    /// <param name="Drafts">By piece.</param>
    /// <param name="Seconds">By the clock since the ones before.</param>
    /// <param name="Failed">At how many of them the recogniser failed; their drafts are empty.</param>
    /// <param name="Last">Whether no more were to come: what has been learnt from stays what it was, also where time was short.</param>
    private sealed record Some(IReadOnlyDictionary<int, string> Drafts, double Seconds, int Failed = 0, bool Last = false);

    /// <summary>Removes from the folder of a run for which no process listens what is not needed any more.</summary>
    /// <param name="folder">The run's; where there is none, there is nothing to do.</param>
    /// <param name="done">Whether the run has ended well, so that nobody can resume it.</param>
    public static void Tidy(string folder, bool done)
    {
        if (!Directory.Exists(folder)) return;
        foreach (var left in Directory.GetDirectories(folder, HeardFolder + "*")) Directory.Delete(left, recursive: true);
        if (!done) return;
        File.Delete(Path.Combine(folder, DraftsFile));
        // With what a kill left half written.
        foreach (var own in Directory.GetFiles(folder, DraftData.OwnFile + "*")) File.Delete(own);
    }

    /// <summary>Listens to the pieces, or to as many as there is time for.</summary>
    /// <param name="shard">The sound.</param>
    /// <param name="mostSeconds">Time for it; null: as long as it takes.</param>
    /// <param name="context">Told how far it is.</param>
    /// <param name="seed">Of the order.</param>
    /// <param name="allSeconds">Time for drafts and training together, of which the run says what is left; null: it says how long the drafts still take.</param>
    /// <returns>A draft of each piece, null where it was not heard, empty where nothing was heard in it or the recogniser failed at it; and the seconds it took, those before a kill counted.</returns>
    /// <exception cref="RefusedException">There is no recogniser, or it has failed at every piece so far.</exception>
    public static (IReadOnlyList<string?> Drafts, double Seconds) Write(SoundShard shard, double? mostSeconds, RunContext context, long seed, double? allSeconds = null)
    {
        if (!Pocketsphinx.Installed) throw new RefusedException("no-recogniser", Pocketsphinx.Missing);
        Tidy(context.Folder, done: false);
        var path = Path.Combine(context.Folder, DraftsFile);
        var drafts = new string?[shard.Count];
        var (before, failed, over) = (0.0, 0, false);
        foreach (var some in Read(path))
        {
            (before, failed, over) = (before + some.Seconds, failed + some.Failed, some.Last);
            foreach (var (piece, text) in some.Drafts) drafts[piece] = text;
        }
        if (over) return (drafts, before);
        var waiting = SoundBatches.Of(new RandomStreams(seed).Open("drafts", 0).Permutation(shard.Count).Where(i => drafts[i] is null), i => shard.Lengths[i], SecondsAtOnce);
        double total = shard.Seconds, heard = Enumerable.Range(0, shard.Count).Where(i => drafts[i] is not null).Sum(i => shard.Lengths[i] / (double)SoundShard.SampleRate), first = heard;
        var tried = drafts.Count(d => d is not null);
        if (tried > 0) context.Log($"Goes on after {tried:#,0} drafts that are written.");
        var (clock, gate, last) = (Stopwatch.StartNew(), new Lock(), 0.0);
        AudioException? lastFault = null;
        var late = false;
        Report();
        try
        {
            Parallel.ForEach(waiting, new ParallelOptions { MaxDegreeOfParallelism = TorchProcess.Cores(), CancellationToken = context.Stop }, (some, loop, number) =>
            {
                if (before + clock.Elapsed.TotalSeconds >= mostSeconds)
                {
                    late = true;
                    loop.Stop();
                    return;
                }
                var texts = Hear(some, Path.Combine(context.Folder, $"{HeardFolder}{number}"));
                lock (gate)
                {
                    var failures = texts.Count(t => t is null);
                    (tried, failed) = (tried + some.Length, failed + failures);
                    // Then the fault is the recogniser's and not the pieces'; they are not written down as heard, so that a resumed run listens to them again.
                    if (failed == tried) throw lastFault!;
                    var (now, written) = (clock.Elapsed.TotalSeconds, some.Zip(texts, (piece, text) => (piece, text ?? "")).ToDictionary());
                    Append(path, new Some(written, now - last, failures));
                    last = now;
                    foreach (var (piece, text) in written) drafts[piece] = text;
                    heard += some.Sum(i => shard.Lengths[i]) / (double)SoundShard.SampleRate;
                    Report();
                }
            });
        }
        catch (AggregateException e)
        {
            // Who stops us may have stopped the recogniser first.
            context.Stop.ThrowIfCancellationRequested();
            if (e.InnerExceptions.OfType<AudioException>().FirstOrDefault() is { } fault) throw new RefusedException("recogniser-failed", fault.Message);
            ExceptionDispatchInfo.Throw(e.InnerExceptions[0]);
        }
        Append(path, new Some(new Dictionary<int, string>(), clock.Elapsed.TotalSeconds - last, Last: true));
        var words = drafts.Sum(d => d?.Count(c => c == ' ') + (d?.Length > 0 ? 1 : 0) ?? 0);
        context.Log($"pocketsphinx wrote {words:#,0} words of {heard / 60:0.0} minutes of sound{(late ? $", a part of all {total / 60:0.0}: the time for it was over" : "")}, in {before + clock.Elapsed.TotalSeconds:0} s.");
        if (failed > 0) context.Log($"pocketsphinx failed at {failed:#,0} of {tried:#,0} pieces of sound; they are left out.");
        return (drafts, before + clock.Elapsed.TotalSeconds);

        // Null where it failed: a piece at which it does takes none of those beside it along.
        string?[] Hear(int[] pieces, string folder)
        {
            try { return [.. Pocketsphinx.Write([.. pieces.Select(i => (ReadOnlyMemory<short>)shard.Piece(i).ToArray())], folder, context.Stop)]; }
            catch (AudioException e) when (e.Code == AudioError.Damaged)
            {
                lastFault = e;
                return pieces.Length == 1 ? [null] : [.. pieces.SelectMany(p => Hear([p], folder))];
            }
        }

        void Report()
        {
            double? left = allSeconds is { } all ? Math.Max(0, all - before - clock.Elapsed.TotalSeconds) : heard > first ? clock.Elapsed.TotalSeconds / (heard - first) * (total - heard) : null;
            context.Report(new RunReport(Stage: $"Writing drafts: {Long(heard)} of {Long(total)} of sound", SecondsLeft: left));
        }
    }

    /// <summary>Seconds as <c>h:mm:ss</c>; a clinic's recordings may well last more than a day.</summary>
    internal static string Long(double seconds)
    {
        var span = TimeSpan.FromSeconds(Math.Round(seconds));
        return $"{(long)span.TotalHours}:{span:mm\\:ss}";
    }

    // Whole or not at all: others are appended while one that finds the disk full ends the run.
    private static void Append(string path, Some some)
    {
        using var file = File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.Write);
        var whole = RandomAccess.GetLength(file);
        try { RandomAccess.Write(file, [.. JsonSerializer.SerializeToUtf8Bytes(some, RunContext.Json), (byte)'\n'], whole); }
        catch
        {
            RandomAccess.SetLength(file, whole);
            throw;
        }
    }

    // A last line that a kill has cut short is heard again.
    private static IEnumerable<Some> Read(string path)
    {
        if (!File.Exists(path)) yield break;
        var (whole, lines) = (0L, File.ReadAllBytes(path));
        for (var at = 0; Array.IndexOf(lines, (byte)'\n', at) is var end and >= 0; at = end + 1)
        {
            whole = end + 1;
            yield return JsonSerializer.Deserialize<Some>(lines.AsSpan(at, end - at), RunContext.Json)!;
        }
        if (whole == lines.Length) yield break;
        using var file = new FileStream(path, FileMode.Open, FileAccess.Write);
        file.SetLength(whole);
    }
}
