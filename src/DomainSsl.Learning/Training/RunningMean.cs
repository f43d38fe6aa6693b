using static TorchSharp.torch;

namespace DomainSsl.Learning.Training;

/// <summary>
/// A mean over the steps of training in which later weights count more (Polyak and Juditsky 1992; as an exponential mean, Tarvainen and Valpola 2017). It holds a copy of what it follows.
/// </summary>
public sealed class RunningMean : IDisposable
{
    private readonly (Tensor Weight, Tensor Mean)[] _pairs;
    private readonly double _keep;
    private long _steps;

    /// <summary>Follows tensors, which stay their owner's; those of whole numbers are left alone.</summary>
    /// <param name="weights">What is followed.</param>
    /// <param name="keep">Share of the mean that each step keeps, below 1.</param>
    public RunningMean(IEnumerable<Tensor> weights, double keep)
    {
        using var off = no_grad();
        using var scope = NewDisposeScope();
        _keep = keep;
        _pairs = [.. weights.Where(w => w.is_floating_point()).Select(w => (w, w.detach().clone().DetachFromDisposeScope()))];
    }

    /// <summary>What a checkpoint holds: the mean of each tensor, by its place, and the steps so far.</summary>
    public IReadOnlyDictionary<string, Tensor> State => _pairs.Select((p, i) => KeyValuePair.Create($"{i}", p.Mean)).Append(KeyValuePair.Create("steps", tensor(_steps))).ToDictionary();

    /// <summary>Takes over a state.</summary>
    /// <exception cref="LearningException">It is of other tensors.</exception>
    public void Restore(IReadOnlyDictionary<string, Tensor> state)
    {
        using var off = no_grad();
        using var scope = NewDisposeScope();
        for (var i = 0; i < _pairs.Length; i++)
        {
            if (!state.TryGetValue($"{i}", out var mean) || !mean.shape.SequenceEqual(_pairs[i].Mean.shape)) throw new LearningException("The checkpoint belongs to another network; begin the run again.");
            _pairs[i].Mean.copy_(mean);
        }
        _steps = state["steps"].item<long>();
    }

    /// <summary>Takes a step's weights into the mean. At first it keeps less, so that the start does not weigh for long.</summary>
    public void Add()
    {
        using var off = no_grad();
        using var scope = NewDisposeScope();
        var keep = Math.Min(_keep, (1 + _steps) / (10.0 + _steps));
        _steps++;
        foreach (var (weight, mean) in _pairs) mean.lerp_(weight.detach(), 1 - keep);
    }

    /// <summary>Puts the mean in place of the weights, and the weights in place of the mean; a second call puts them back.</summary>
    public void Swap()
    {
        using var off = no_grad();
        foreach (var (weight, mean) in _pairs)
        {
            using var scope = NewDisposeScope();
            var there = weight.detach().clone();
            weight.copy_(mean);
            mean.copy_(there);
        }
    }

    /// <inheritdoc />
    public void Dispose()
    {
        foreach (var (_, mean) in _pairs) mean.Dispose();
    }
}
