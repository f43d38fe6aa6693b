using DomainSsl.Core.Runs;
using DomainSsl.Learning;
using DomainSsl.Learning.Encoders;
using DomainSsl.Learning.FineTuning;
using static TorchSharp.torch;

namespace DomainSsl.Worker;

/// <summary>What a model says of many images or recordings, in batches that report progress and heed a stop between them.</summary>
internal static class FeatureBatches
{
    private const int BatchSize = 64;

    /// <summary>An encoder's features, one row a place.</summary>
    public static float[][] Of(Encoder encoder, ItemSource source, int[] places, Device device, RunContext context, string stage)
    {
        var rows = new List<float[]>(places.Length);
        InBatches(places, context, stage, source.Words, part => rows.AddRange(source.Rows(part, encoder.Dimensions, device, x => x.Features(encoder)).Chunk(encoder.Dimensions)));
        return [.. rows];
    }

    /// <summary>A classifier's answers, one for each place.</summary>
    public static List<Answered> Of(Classifier classifier, ItemSource source, int[] places, RunContext context, string stage)
    {
        var answers = new List<Answered>(places.Length);
        InBatches(places, context, stage, source.Words, part =>
        {
            var answer = classifier.Predict(source, part);
            for (var i = 0; i < part.Length; i++)
                answers.Add(new Answered([.. answer.Probabilities.Row(i)], answer.Probabilities.Best(i), answer.Uncertainty[i], answer.Features.Row(i).ToArray()));
        });
        return answers;
    }

    private static void InBatches(int[] places, RunContext context, string stage, string words, Action<int[]> work)
    {
        TorchProcess.Tune();
        var (done, begun) = (0, System.Diagnostics.Stopwatch.StartNew());
        foreach (var part in places.Chunk(BatchSize))
        {
            context.Stop.ThrowIfCancellationRequested();
            work(part);
            done += part.Length;
            context.Report(new RunReport(Stage: $"{stage} {done:#,0} of {places.Length:#,0} {words}", SecondsLeft: begun.Elapsed.TotalSeconds / done * (places.Length - done)));
        }
    }
}

/// <summary>A classifier's answer for one item.</summary>
/// <param name="Probabilities">By class.</param>
/// <param name="Best">The likeliest class.</param>
/// <param name="Uncertainty">0 (sure) to 1.</param>
/// <param name="Features">For finding similar ones.</param>
internal sealed record Answered(double[] Probabilities, int Best, double Uncertainty, float[] Features);
