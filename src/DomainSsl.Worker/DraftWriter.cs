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
/// random order, so that what is heard in a limited time is a fair part of all.
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
    /// <param name="Last">Whether no more were to come: what has been learnt from stays what it was, also where time was short.</param>
    private sealed record Some(IReadOnlyDictionary<int, string> Drafts, double Seconds, bool Last = false);

    /// <summary>Listens to the pieces, or to as many as there is time for.</summary>
    /// <param name="shard">The sound.</param>
    /// <param name="mostSeconds">Time for it; null: as long as it takes.</param>
    /// <param name="context">Told how far it is.</param>
    /// <param name="seed">Of the order.</param>
    /// <returns>A draft of each piece, null where it was not heard; and the seconds it took, those before a kill counted.</returns>
    /// <exception cref="RefusedException">There is no recogniser, or it has failed.</exception>
    public static (IReadOnlyList<string?> Drafts, double Seconds) Write(SoundShard shard, double? mostSeconds, RunContext context, long seed)
    {
        if (!Pocketsphinx.Installed) throw new RefusedException("no-recogniser", Pocketsphinx.Missing);
        // What a kill left of pieces that were being listened to.
        foreach (var left in Directory.GetDirectories(context.Folder, HeardFolder + "*")) Directory.Delete(left, recursive: true);
        var path = Path.Combine(context.Folder, DraftsFile);
        var drafts = new string?[shard.Count];
        var (before, over) = (0.0, false);
        foreach (var some in Read(path))
        {
            (before, over) = (before + some.Seconds, some.Last);
            foreach (var (piece, text) in some.Drafts) drafts[piece] = text;
        }
        if (over) return (drafts, before);
        var waiting = SoundBatches.Of(new RandomStreams(seed).Open("drafts", 0).Permutation(shard.Count).Where(i => drafts[i] is null), i => shard.Lengths[i], SecondsAtOnce);
        double total = shard.Seconds, heard = Enumerable.Range(0, shard.Count).Where(i => drafts[i] is not null).Sum(i => shard.Lengths[i] / (double)SoundShard.SampleRate), first = heard;
        if (heard > 0) context.Log($"Goes on after {drafts.Count(d => d is not null):#,0} drafts that are written.");
        var (clock, gate, last) = (Stopwatch.StartNew(), new Lock(), 0.0);
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
                var texts = Pocketsphinx.Write([.. some.Select(i => (ReadOnlyMemory<short>)shard.Piece(i).ToArray())], Path.Combine(context.Folder, $"{HeardFolder}{number}"), context.Stop);
                lock (gate)
                {
                    var now = clock.Elapsed.TotalSeconds;
                    Append(path, new Some(some.Zip(texts).ToDictionary(), now - last));
                    last = now;
                    foreach (var (piece, text) in some.Zip(texts)) drafts[piece] = text;
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
        return (drafts, before + clock.Elapsed.TotalSeconds);

        void Report()
        {
            var most = Math.Max(0, (mostSeconds ?? double.PositiveInfinity) - before - clock.Elapsed.TotalSeconds);
            context.Report(new RunReport(Stage: $"Writing drafts: {TimeSpan.FromSeconds(Math.Round(heard)):h\\:mm\\:ss} of {TimeSpan.FromSeconds(Math.Round(total)):h\\:mm\\:ss} of sound",
                SecondsLeft: heard > first ? Math.Min(most, clock.Elapsed.TotalSeconds / (heard - first) * (total - heard)) : double.IsFinite(most) ? most : null));
        }
    }

    private static void Append(string path, Some some) => File.AppendAllText(path, JsonSerializer.Serialize(some, RunContext.Json) + "\n");

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
