using DomainSsl.Learning.Encoders;
using DomainSsl.Learning.Training;
using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace DomainSsl.Learning.FineTuning;

/// <summary>How long and how fast a network is fine-tuned.</summary>
/// <param name="Steps">Steps of at most 32 items.</param>
/// <param name="EncoderRate">AdamW's rate for the encoder at its highest.</param>
/// <param name="HeadRate">The rate of the head.</param>
public sealed record Schedule(int Steps, double EncoderRate, double HeadRate);

/// <summary>Full fine-tuning: a linear head of zeros on the features, and all weights move, those of the encoder slower than the head's.</summary>
/// <remarks>
/// Batches of at most 32, mildly varied, cross-entropy with every class of equal weight, AdamW, a short warm-up and then a cosine to zero; batch normalisation goes on learning.
/// Beginning the head as the fitted probe (LP-FT, Kumar et al., ICLR 2022) and keeping the statistics of pretraining was tried: the probe already separates a few dozen
/// items, little gradient is left, and the network stays where the probe is, while the mean of two members gains from their differing.
/// </remarks>
internal static class FullFineTuning
{
    public const int LargestBatch = 32;
    private const int SmallestBatch = 16, WarmUp = 5;

    /// <summary>Items a step: all labels where they are few, since seeing one twice in a step teaches little and costs as much.</summary>
    public static int BatchSize(int labels) => Math.Clamp(labels, SmallestBatch, LargestBatch);

    /// <summary>A fitted network in evaluation mode.</summary>
    /// <param name="encoder">A fresh copy of the start, which becomes part of the result.</param>
    /// <param name="source">Images or sounds.</param>
    /// <param name="items">The labelled ones, N.</param>
    /// <param name="labels">The class of each, N.</param>
    /// <param name="classes">Number of classes, K.</param>
    /// <param name="schedule">Steps and rates.</param>
    /// <param name="settings">How items are varied.</param>
    /// <param name="seed">Of the order of items and their variation.</param>
    /// <param name="device">Where the encoder is.</param>
    /// <param name="cancel">Looked at between steps.</param>
    public static ClassifierNetwork Fit(
        Encoder encoder, ItemSource source, int[] items, int[] labels, int classes, Schedule schedule, FitSettings settings, int seed, Device device, CancellationToken cancel)
    {
        var network = new ClassifierNetwork(encoder, classes, device);
        var random = Seeds.Random(seed, "fine-tuning");
        using var outer = NewDisposeScope();
        var weight = tensor(LinearProbe.ClassWeights(labels, classes).Select(w => (float)w).ToArray()).to(device);
        using var optimiser = new AdamW(new RecipeOptimiser { Rate = schedule.HeadRate, EncoderRate = schedule.EncoderRate, WeightDecay = 0.01 }, encoder, network.Head);
        encoder.train();

        var order = new Queue<int>();
        for (var step = 0; step < schedule.Steps; step++)
        {
            cancel.ThrowIfCancellationRequested();
            using var held = Finalizers.Held();
            using var scope = NewDisposeScope();
            var part = new int[BatchSize(labels.Length)];
            for (var i = 0; i < part.Length; i++)
            {
                if (order.Count == 0) order = new Queue<int>(Shuffled(labels.Length, random));
                part[i] = order.Dequeue();
            }
            var share = Share(step, schedule.Steps);
            var x = source.Varied(Array.ConvertAll(part, i => items[i]), settings, random, device);
            var y = tensor(Array.ConvertAll(part, i => (long)labels[i])).to(device);
            // Weights are of the whole draw, so a class that a batch happens to lack does not shift the others: plain mean, not torch's weighted one.
            var loss = (F.cross_entropy(network.Logits(x), y, reduction: nn.Reduction.None) * weight.index_select(0, y)).mean();
            optimiser.ZeroGradients();
            loss.backward();
            nn.utils.clip_grad_norm_(encoder.parameters(), 5);
            optimiser.Step(share);
        }
        encoder.eval();
        return network;
    }

    private static double Share(int step, int steps) =>
        step < WarmUp ? (step + 1.0) / WarmUp : 0.5 * (1 + Math.Cos(Math.PI * (step - WarmUp) / Math.Max(1, steps - WarmUp)));

    private static int[] Shuffled(int n, Random random)
    {
        var order = Enumerable.Range(0, n).ToArray();
        random.Shuffle(order);
        return order;
    }
}
