using System.Text.Json.Serialization;
using DomainSsl.Learning.Encoders;
using DomainSsl.Learning.Training;
using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace DomainSsl.Learning.Objectives;

/// <summary>Settings of <see cref="SimClr"/>.</summary>
public sealed record SimClrOptions : ObjectiveOptions
{
    /// <summary>τ. The paper's table 5 finds 0.1 best at large batches; 0.2 is kinder to small ones.</summary>
    public double Temperature { get; init; } = 0.2;

    /// <summary>Sizes of the projector after the features: hidden layers, then z (the paper's appendix B.9 has one hidden layer and 128).</summary>
    public IReadOnlyList<int> Projector { get; init; } = [512, 128];

    /// <inheritdoc />
    [JsonIgnore]
    public override string Title => "SimCLR";

    /// <inheritdoc />
    public override IObjective Create(Encoder encoder, RandomStream random) => new SimClr(this, encoder, random);
}

/// <summary>
/// SimCLR: "A Simple Framework for Contrastive Learning of Visual Representations", Chen, Kornblith, Norouzi, Hinton, 2020. Two views of an image are to lie closer to each
/// other than to the views of all other images of the batch: NT-Xent, equation 1 and algorithm 1. Departures: AdamW in place of LARS (batches here are small), and the views are
/// those of grey images (no colour to distort).
/// </summary>
public sealed class SimClr : IObjective
{
    private readonly double _tau;
    private readonly nn.Module<Tensor, Tensor> _g;

    /// <summary>Builds the projector g(·) on top of the encoder f(·).</summary>
    public SimClr(SimClrOptions options, Encoder encoder, RandomStream random)
    {
        if (options.Temperature <= 0) throw new LearningException("objective.temperature must be above 0.");
        if (options.Projector.Count == 0 || options.Projector.Any(n => n < 1)) throw new LearningException("objective.projector needs at least one size, such as [512, 128].");
        (Encoder, _tau) = (encoder, options.Temperature);
        using var generator = random.Generator();
        var (layers, inputs) = (new List<(string, nn.Module<Tensor, Tensor>)>(), encoder.Dimensions);
        for (var i = 0; i < options.Projector.Count; i++)
        {
            var last = i == options.Projector.Count - 1;
            layers.Add(($"linear{i}", new Linear(inputs, inputs = options.Projector[i], generator, bias: last)));
            if (!last) layers.Add(($"norm{i}", nn.BatchNorm1d(inputs)));
            if (!last) layers.Add(($"relu{i}", nn.ReLU(inplace: true)));
        }
        _g = nn.Sequential(layers);
    }

    /// <inheritdoc />
    public Encoder Encoder { get; }

    /// <inheritdoc />
    public nn.Module Heads => _g;

    /// <summary>Two, x̃ᵢ and x̃ⱼ.</summary>
    public int Views => 2;

    /// <inheritdoc />
    public ObjectiveLoss Loss(Batch batch)
    {
        var x = cat([batch.Views[0], batch.Views[1]], 0);                          // 2N×1×H×W
        var h = Encoder.Features(x);                                               // 2N×D, h = f(x̃)
        var z = F.normalize(_g.forward(h), 2, 1);                                  // 2N×P, z = g(h), so that sim(u, v) = uᵀv
        return new ObjectiveLoss(NtXent(z, _tau), new Dictionary<string, Tensor> { ["h"] = h.detach(), ["z"] = z.detach() });
    }

    /// <summary>Equation 1, averaged over both directions of all pairs (algorithm 1). Row i and row i+N are a pair.</summary>
    /// <param name="z">2N×P, each row of length 1.</param>
    /// <param name="tau">The temperature τ.</param>
    public static Tensor NtXent(Tensor z, double tau)
    {
        long rows = z.shape[0], n = rows / 2;
        var s = z.matmul(z.t()) / tau;                                             // 2N×2N, sᵢⱼ/τ
        s = s.masked_fill(eye(rows, dtype: ScalarType.Bool, device: z.device), double.NegativeInfinity); // the indicator [k ≠ i]
        var pair = (arange(rows, ScalarType.Int64, z.device) + n) % rows;          // 2N, j of each i
        return F.cross_entropy(s, pair);
    }

    /// <inheritdoc />
    public void AfterStep(long step)
    {
        // nothing here moves besides the weights
    }

    /// <summary>ln(2N − 1): all similarities are equal.</summary>
    public double TrivialLoss(int batch) => Math.Log(2 * batch - 1);

    /// <inheritdoc />
    public IReadOnlyList<MetricInfo> Metrics { get; } =
    [
        new("accuracy", "how often the other view of an image is the nearest of the batch, 0 to 1"),
        new("alignment", "mean squared distance between the two views of an image; small is good"),
        new("uniformity", "how evenly the batch fills the sphere; more negative is more even (Wang and Isola 2020)", 0),
        new("spread", "how far the features of different images differ; near 1 is even", 0),
    ];

    /// <inheritdoc />
    public IReadOnlyDictionary<string, double> Measure(ObjectiveLoss loss)
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        var (h, z) = (loss.Parts["h"], loss.Parts["z"]);
        long rows = z.shape[0], n = rows / 2;
        var similarity = z.matmul(z.t()) - 3 * eye(rows, device: z.device);         // 2N×2N, an image itself is out of the way
        var pair = (arange(rows, ScalarType.Int64, z.device) + n) % rows;
        var squared = 2 - 2 * similarity;                                          // ‖u − v‖² of unit vectors
        var others = 1 - eye(rows, device: z.device);
        return new Dictionary<string, double>
        {
            ["accuracy"] = similarity.argmax(1).eq(pair).to_type(ScalarType.Float32).mean().item<float>(),
            ["alignment"] = squared.gather(1, pair.unsqueeze(1)).mean().item<float>(),
            ["uniformity"] = ((squared * -2).exp() * others).sum().div((double)rows * (rows - 1)).log().item<float>(),
            ["spread"] = Spread.Of(h).item<float>(),
        };
    }

    /// <inheritdoc />
    public void Dispose()
    {
        Encoder.Dispose();
        _g.Dispose();
    }
}
