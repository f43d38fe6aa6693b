using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace DomainSsl.Learning.Training;

/// <summary>
/// AdamW (Loshchilov and Hutter 2019) over named weights. Its state is three tensors a weight, so it goes into a checkpoint as it is; the rate is given to each step, so it has
/// none. One operation of libtorch does all weights of a group, some eight times quicker than one after another; <c>fused: false</c> writes the same out plainly.
/// </summary>
public sealed class AdamW : IDisposable
{
    private const double Epsilon = 1e-8;
    private static readonly Lazy<jit.CompilationUnit> Fused = new(() => jit.compile(
        "def step(p: List[Tensor], g: List[Tensor], m: List[Tensor], v: List[Tensor], t: List[Tensor], lr: float, wd: float, b1: float, b2: float, e: float):\n" +
        "    torch._fused_adamw_(p, g, m, v, [], t, lr=lr, beta1=b1, beta2=b2, weight_decay=wd, eps=e, amsgrad=False, maximize=False)\n" +
        "    return p[0]\n"));

    private readonly List<Group> _groups = [];
    private readonly RecipeOptimiser _options;

    /// <summary>Takes the trainable weights of two modules: the encoder with its own rate, and the heads.</summary>
    public AdamW(RecipeOptimiser options, nn.Module encoder, nn.Module heads)
    {
        _options = options;
        Add("encoder.", encoder, options.EncoderRate ?? options.Rate);
        Add("heads.", heads, options.Rate);
    }

    /// <summary>All weights that are trained.</summary>
    public IEnumerable<Parameter> Weights => _groups.SelectMany(g => g.Weights);

    /// <summary>m, v and the step count of every weight, by name: what a checkpoint holds.</summary>
    public IReadOnlyDictionary<string, Tensor> State => _groups.SelectMany(g => g.Names.SelectMany((name, i) => new[]
    {
        KeyValuePair.Create($"{name}.m", g.M[i]), KeyValuePair.Create($"{name}.v", g.V[i]), KeyValuePair.Create($"{name}.step", g.Steps[i]),
    })).ToDictionary();

    /// <summary>Forgets the gradients.</summary>
    public void ZeroGradients()
    {
        foreach (var weight in Weights) weight.grad = null;
    }

    /// <summary>Moves every weight that has a gradient.</summary>
    /// <param name="share">Of each group's highest rate, 0 to 1.</param>
    public void Step(double share)
    {
        using var off = no_grad();
        foreach (var group in _groups)
        {
            using var scope = NewDisposeScope();
            var with = Enumerable.Range(0, group.Weights.Count).Where(i => group.Weights[i].grad is not null).ToList();
            if (with.Count == 0) continue;
            foreach (var i in with) group.Steps[i].add_(1);
            if (_options.Fused) StepFused(group, with, group.Rate * share);
            else StepPlain(group, with, group.Rate * share);
        }
    }

    private void StepFused(Group group, List<int> with, double rate)
    {
        Tensor[] Of(IReadOnlyList<Tensor> all) => [.. with.Select(i => all[i])];
        Fused.Value.invoke("step", Of(group.Weights), with.Select(i => group.Weights[i].grad!).ToArray(), Of(group.M), Of(group.V), Of(group.Steps),
            rate, group.Decay, _options.Beta1, _options.Beta2, Epsilon);
    }

    private void StepPlain(Group group, List<int> with, double rate)
    {
        foreach (var i in with)
        {
            using var scope = NewDisposeScope();
            var (w, g, m, v, t) = (group.Weights[i], group.Weights[i].grad!, group.M[i], group.V[i], group.Steps[i].item<float>());
            w.mul_(1 - rate * group.Decay);
            m.mul_(_options.Beta1).add_(g, 1 - _options.Beta1);
            v.mul_(_options.Beta2).addcmul_(g, g, 1 - _options.Beta2);
            var denominator = (v / (1 - Math.Pow(_options.Beta2, t))).sqrt_().add_(Epsilon);
            w.addcdiv_(m, denominator, -rate / (1 - Math.Pow(_options.Beta1, t)));
        }
    }

    // Decay pulls matrices and kernels towards zero; on biases and normalisations it would only get in the way.
    private void Add(string prefix, nn.Module module, double rate)
    {
        using var scope = NewDisposeScope();
        var trained = module.named_parameters().Where(p => p.parameter.requires_grad).ToList();
        foreach (var decayed in new[] { true, false })
        {
            var group = new Group(rate, decayed ? _options.WeightDecay : 0);
            foreach (var (name, parameter) in trained.Where(p => p.parameter.dim() > 1 == decayed))
            {
                group.Names.Add(prefix + name);
                group.Weights.Add(parameter);
                group.M.Add(zeros_like(parameter).detach_().DetachFromDisposeScope());
                group.V.Add(zeros_like(parameter).detach_().DetachFromDisposeScope());
                group.Steps.Add(zeros(1, ScalarType.Float32, parameter.device).squeeze(0).DetachFromDisposeScope());
            }
            if (group.Weights.Count > 0) _groups.Add(group);
        }
    }

    /// <inheritdoc />
    public void Dispose()
    {
        foreach (var tensor in _groups.SelectMany(g => g.M.Concat(g.V).Concat(g.Steps))) tensor.Dispose();
    }

    private sealed record Group(double Rate, double Decay)
    {
        public List<string> Names { get; } = [];
        public List<Parameter> Weights { get; } = [];
        public List<Tensor> M { get; } = [];
        public List<Tensor> V { get; } = [];
        public List<Tensor> Steps { get; } = [];
    }
}
