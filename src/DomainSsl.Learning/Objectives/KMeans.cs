using DomainSsl.Learning.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace DomainSsl.Learning.Objectives;

/// <summary>
/// k-means for hundred thousands of points in seconds: greedy k-means++ on a sample (Arthur and Vassilvitskii 2007), then mini-batches (Sculley 2010), in which each centre moves towards the points that fall to it by one over the number it has
/// seen so far.
/// </summary>
public static class KMeans
{
    private const int Chunk = 8192, SampleACentre = 20, Passes = 8;

    /// <summary>The centres, K×D.</summary>
    /// <param name="points">N×D, float32, at least K of them.</param>
    /// <param name="count">K.</param>
    /// <param name="random">Where chance comes from: the same stream and points give the same centres.</param>
    /// <exception cref="LearningException">There are fewer points than centres.</exception>
    public static Tensor Fit(Tensor points, int count, RandomStream random)
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        var n = (int)points.shape[0];
        if (n < count) throw new LearningException($"{n} frames of sound cannot be sorted into {count} clusters; import more recordings, or set fewer clusters in objective.rounds.");
        var order = random.Permutation(n);
        var centres = Begin(points.index_select(0, Places(order.AsSpan(0, Math.Min(n, Math.Max(SampleACentre * count, Chunk))), points.device)), count, random);
        var seen = zeros(count, ScalarType.Float32, points.device);
        for (var pass = 0; pass < Passes; pass++)
        {
            order = random.Permutation(n);
            for (var at = 0; at < n; at += Chunk)
            {
                using var step = NewDisposeScope();
                var batch = points.index_select(0, Places(order.AsSpan(at, Math.Min(Chunk, n - at)), points.device));          // C×D
                var nearest = Nearest(batch, centres);                                                                         // C
                var fallen = zeros_like(seen).index_add_(0, nearest, ones(nearest.shape[0], ScalarType.Float32, points.device), 1);
                seen.add_(fallen);
                var sums = zeros_like(centres).index_add_(0, nearest, batch, 1);                                               // K×D
                centres.add_((sums - centres * fallen.unsqueeze(1)) / seen.clamp(min: 1).unsqueeze(1));
            }
            // What the first passes have seen counts less and less, so that centres which began in the wrong place can still leave it.
            if (pass < Passes - 1) seen.mul_(0.5);
        }
        return centres.MoveToOuterDisposeScope();
    }

    /// <summary>The nearest centre of each point, int64 N.</summary>
    public static Tensor Assign(Tensor points, Tensor centres)
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        return cat([.. points.split(Chunk, 0).Select(part => Nearest(part, centres))], 0).MoveToOuterDisposeScope();
    }

    // ‖x − c‖² without ‖x‖², which is the same for all centres.
    private static Tensor Nearest(Tensor points, Tensor centres) => (centres.square().sum(1) - 2 * points.matmul(centres.t())).argmin(1);

    /// <summary>k-means++: each next centre is a point drawn in proportion to its squared distance from those there are; of several drawn, the one that leaves the smallest distances (the paper's closing remark).</summary>
    private static Tensor Begin(Tensor points, int count, RandomStream random)
    {
        var candidates = 2 + (int)Math.Log(count);
        var chosen = new List<Tensor> { points[random.Index((int)points.shape[0])] };
        var squares = points.square().sum(1, keepdim: true);                                                                   // N×1
        var distance = (points - chosen[0]).square().sum(1);                                                                   // N
        while (chosen.Count < count)
        {
            using var step = NewDisposeScope();
            var sums = distance.cumsum(0);
            var at = tensor([.. Enumerable.Range(0, candidates).Select(_ => (float)random.Uniform())]).to(points.device) * sums[-1];
            var drawn = points.index_select(0, searchsorted(sums, at).clamp(max: points.shape[0] - 1));                        // L×D
            var left = minimum(distance.unsqueeze(1), (squares + drawn.square().sum(1) - 2 * points.matmul(drawn.t())).clamp(min: 0)); // N×L
            var best = left.sum([0]).argmin(); // not sum(0), which C# takes for a type
            distance.copy_(left.index_select(1, best.view(1)).squeeze(1));
            chosen.Add(drawn.index_select(0, best.view(1)).squeeze(0).MoveToOuterDisposeScope());
        }
        return stack(chosen, 0);
    }

    private static Tensor Places(ReadOnlySpan<int> places, Device device)
    {
        var wide = new long[places.Length];
        for (var i = 0; i < wide.Length; i++) wide[i] = places[i];
        return tensor(wide).to(device);
    }
}
