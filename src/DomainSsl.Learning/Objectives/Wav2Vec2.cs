using System.Text.Json.Serialization;
using DomainSsl.Learning.Encoders;
using DomainSsl.Learning.Training;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;
using Linear = DomainSsl.Learning.Encoders.Linear;

namespace DomainSsl.Learning.Objectives;

/// <summary>Settings of <see cref="Wav2Vec2"/>; defaults are those of the paper's section 4.2 at 50 frames a second.</summary>
public sealed record Wav2Vec2Options : ObjectiveOptions
{
    /// <summary>p, the share of frames that begin a masked span.</summary>
    public double MaskStart { get; init; } = 0.065;

    /// <summary>M, frames of a span.</summary>
    public int MaskLength { get; init; } = 10;

    /// <summary>G, codebooks.</summary>
    public int Groups { get; init; } = 2;

    /// <summary>V, entries of a codebook.</summary>
    public int Entries { get; init; } = 320;

    /// <summary>Values of a quantised vector over all codebooks.</summary>
    public int CodeWidth { get; init; } = 256;

    /// <summary>Values in which context and target are compared.</summary>
    public int CompareWidth { get; init; } = 256;

    /// <summary>K, distractors.</summary>
    public int Distractors { get; init; } = 100;

    /// <summary>κ, the temperature of the contrastive loss.</summary>
    public double Temperature { get; init; } = 0.1;

    /// <summary>α, the weight of the diversity loss.</summary>
    public double Diversity { get; init; } = 0.1;

    /// <summary>τ of the Gumbel softmax at the start.</summary>
    public double GumbelStart { get; init; } = 2;

    /// <summary>τ at the least.</summary>
    public double GumbelEnd { get; init; } = 0.5;

    /// <summary>By what τ is multiplied each step.</summary>
    public double GumbelDecay { get; init; } = 0.999995;

    /// <summary>By what the gradient into the feature encoder is multiplied.</summary>
    public double FeatureGradient { get; init; } = 0.1;

    /// <inheritdoc />
    [JsonIgnore]
    public override string Title => "wav2vec 2.0";

    /// <inheritdoc />
    [JsonIgnore]
    public override string Modality => Modalities.Sound;

    /// <inheritdoc />
    public override IObjective Create(Encoder encoder, RandomStream random) => new Wav2Vec2(this, encoder, random);
}

/// <summary>
/// wav2vec 2.0: "wav2vec 2.0: A Framework for Self-Supervised Learning of Speech Representations", Baevski, Zhou, Mohamed, Auli, 2020. Spans of the latent frames z are hidden; from what is left the context network has to tell, for each hidden frame, its
/// own quantised latent q among distractors from elsewhere in the same utterance (equations 2 to 4); the codebooks are learnt with it (equation 1). Departures: the diversity loss is, as in the authors' code, the share of entries that
/// are not used, (GV − Σ exp H(p̄_g)) / GV, in place of equation 4's mean negative entropy, which has the same best point; distractors that fell to the target's own entries do not count, as there; no penalty on
/// the latents' size, for here they are normalised; no dropout.
/// </summary>
public sealed class Wav2Vec2 : IObjective
{
    private readonly SoundEncoder _f;
    private readonly Wav2Vec2Options _options;
    private readonly Parts _parts;
    private double _tau;

    /// <summary>Builds mask vector, quantiser and the two projections round an encoder of sound.</summary>
    public Wav2Vec2(Wav2Vec2Options options, Encoder encoder, RandomStream random)
    {
        _f = encoder as SoundEncoder ?? throw new LearningException($"wav2vec 2.0 learns from sound, so it needs a sound encoder; {encoder.Spec} is none. Use the objective simclr with it.");
        if (options.MaskStart is <= 0 or >= 1 || options.MaskLength < 1) throw new LearningException("objective.maskStart must lie between 0 and 1, objective.maskLength be at least 1.");
        if (options.Groups < 1 || options.Entries < 2 || options.CodeWidth < 1 || options.CodeWidth % options.Groups != 0 || options.CompareWidth < 1)
            throw new LearningException("objective.entries must be at least 2, and objective.codeWidth a multiple of objective.groups.");
        if (options.Distractors < 1 || options.Temperature <= 0 || options.Diversity < 0 || options.FeatureGradient is < 0 or > 1)
            throw new LearningException("objective.distractors and temperature must be above 0, diversity not negative, featureGradient 0 to 1.");
        if (options.GumbelEnd <= 0 || options.GumbelStart < options.GumbelEnd || options.GumbelDecay is <= 0 or > 1)
            throw new LearningException("objective.gumbelStart must be at least gumbelEnd, that above 0, and gumbelDecay above 0 and at most 1.");
        _options = options;
        _tau = options.GumbelStart;
        using var generator = random.Generator();
        _parts = new Parts(options, _f, generator);
    }

    /// <inheritdoc />
    public Encoder Encoder => _f;

    /// <inheritdoc />
    public nn.Module Heads => _parts;

    /// <summary>One.</summary>
    public int Views => 1;

    /// <summary>τ falls from step to step.</summary>
    public void BeforeStep(int step, double progress, Func<int, Batch> look) => _tau = Math.Max(_options.GumbelEnd, _options.GumbelStart * Math.Pow(_options.GumbelDecay, step));

    /// <inheritdoc />
    public ObjectiveLoss Loss(Batch batch)
    {
        var (x, lengths) = (batch.Views[0], batch.Lengths);                        // B×T
        var z = _f.Latents(_f.Front(x, lengths), lengths);                         // B×T'×C, z = f(x)
        z = z * _options.FeatureGradient + z.detach() * (1 - _options.FeatureGradient);
        var mask = SpanMask.Draw(_f.Frames(lengths ?? [.. Enumerable.Repeat(x.shape[1], (int)x.shape[0])]), _options.MaskStart, _options.MaskLength, batch.Random);
        var places = mask.Places(x.device);                                        // N masked frames of the batch
        var hidden = mask.Of(x.device).to_type(z.dtype);                           // B×T'×1
        var c = _f.Context(z * (1 - hidden) + _parts.Mask.to_type(z.dtype) * hidden, lengths); // B×T'×D, c = g(z̃)
        c = _parts.Context.forward(At(c, places));                                 // N×P

        using var generator = batch.Random.Generator();
        var logits = _parts.Logits.forward(At(z, places).to_type(ScalarType.Float32)).view(-1, _options.Groups, _options.Entries); // N×G×V, l
        var p = GumbelSoftmax(logits, _tau, generator);                            // N×G×V, one-hot, equation 1
        var e = p.transpose(0, 1).bmm(_parts.Codebooks).transpose(0, 1).flatten(1); // N×codeWidth, the chosen entries e₁ … e_G
        var q = _parts.Target.forward(e);                                          // N×P
        var codes = p.detach().argmax(2);                                          // N×G

        var others = Distractors(mask, _options.Distractors, batch.Random);        // N×K, places among the N
        var (similarity, own) = Contrast(c, q, codes, tensor(others, [places.shape[0], _options.Distractors]).to(x.device), _options.Temperature);
        var contrastive = F.cross_entropy(similarity, zeros(places.shape[0], ScalarType.Int64, x.device)); // L_m, equation 3
        var used = logits.softmax(2).mean([0]);                                    // G×V, p̄
        var loss = contrastive + _options.Diversity * Unused(used);                // L = L_m + α L_d, equation 2
        return new ObjectiveLoss(loss, new Dictionary<string, Tensor> { ["contrastive"] = contrastive.detach(), ["right"] = own, ["codes"] = codes, ["context"] = c.detach() });
    }

    /// <summary>One-hot choices whose gradient is that of the softmax (straight-through), equation 1: p = softmax((l + n) / τ), n = −log(−log u), u uniform.</summary>
    /// <param name="logits">N×G×V.</param>
    /// <param name="tau">τ.</param>
    /// <param name="generator">Of the uniform numbers.</param>
    public static Tensor GumbelSoftmax(Tensor logits, double tau, Generator generator)
    {
        var u = empty(logits.shape, logits.dtype).uniform_(1e-6, 1 - 1e-6, generator).to(logits.device);
        var p = ((logits - (-u.log()).log()) / tau).softmax(-1);
        var hard = F.one_hot(p.detach().argmax(-1), p.shape[^1]).to_type(p.dtype);
        return hard + (p - p.detach());
    }

    /// <summary>L_d: the share of entries that are not used. 0 where all are used alike, 1 − 1/V where each codebook uses one.</summary>
    /// <param name="used">p̄, G×V: how often each entry is meant, averaged over the batch.</param>
    public static Tensor Unused(Tensor used) => 1 - Perplexity(used).mean() / used.shape[1];

    /// <summary>exp H(p̄_g) of each codebook: how many entries are in use.</summary>
    public static Tensor Perplexity(Tensor used) => (-(used * (used + 1e-7).log()).sum(-1)).exp();

    /// <summary>sim(c, q) / κ of each frame with its own target (first) and its distractors, N×(1+K), and whether its own is the most similar.</summary>
    /// <param name="c">Context, N×P.</param>
    /// <param name="q">Targets, N×P.</param>
    /// <param name="codes">Entries of the targets, N×G.</param>
    /// <param name="distractors">Places of the distractors among the targets, N×K.</param>
    /// <param name="kappa">κ.</param>
    public static (Tensor Similarity, Tensor Right) Contrast(Tensor c, Tensor q, Tensor codes, Tensor distractors, double kappa)
    {
        // Each product once, however often it is drawn.
        var all = F.normalize(c, 2, 1).matmul(F.normalize(q, 2, 1).t()) / kappa;    // N×N
        var same = codes.unsqueeze(1).eq(codes.unsqueeze(0)).all(2);               // N×N, the very same entries
        var foreign = all.masked_fill(same, double.NegativeInfinity).gather(1, distractors); // N×K
        var similarity = cat([all.diagonal().unsqueeze(1), foreign], 1);           // N×(1+K)
        // Where all distractors have the target's entries nothing is told apart, and nothing is right.
        var right = similarity.detach().argmax(1).eq(0) & foreign.detach().isfinite().any(1);
        return (similarity, right);
    }

    /// <summary>For each masked frame K others of the same utterance, drawn with replacement; where it is alone, frames of the whole batch.</summary>
    public static long[] Distractors(SpanMask mask, int count, RandomStream random)
    {
        var all = mask.OfItem.Sum(o => o.Count);
        var drawn = new long[all * count];
        var (at, first) = (0, 0);
        foreach (var item in mask.OfItem)
        {
            var (from, among) = item.Count > 1 ? (first, item.Count) : (0, all);
            for (var i = 0; i < item.Count; i++)
            {
                for (var k = 0; k < count; k++)
                {
                    var other = random.Index(Math.Max(1, among - 1)) + from;
                    drawn[at++] = among == 1 ? other : other >= first + i ? other + 1 : other;
                }
            }
            first += item.Count;
        }
        return drawn;
    }

    private static Tensor At(Tensor frames, Tensor places) => frames.flatten(0, 1).index_select(0, places);

    /// <inheritdoc />
    public void AfterStep(long step)
    {
        // nothing here moves besides the weights and the temperature
    }

    /// <summary>ln(K + 1) + α(1 − 1/V): all similarities are equal and each codebook uses one entry.</summary>
    public double TrivialLoss(int batch) => Math.Log(_options.Distractors + 1) + _options.Diversity * (1 - 1.0 / _options.Entries);

    /// <inheritdoc />
    public IReadOnlyList<MetricInfo> Metrics { get; } =
    [
        new("maskedAccuracy", "how often a hidden frame's own target is the most similar of all, 0 to 1"),
        new("codebookPerplexity", "entries of a codebook that are in use, 1 to all", 1),
        new("contrastive", "the contrastive part of the loss"),
        new("temperature", "τ of the Gumbel softmax"),
        new("spread", "how far what is made of different frames differs; near 1 is even", 0),
    ];

    /// <inheritdoc />
    public IReadOnlyDictionary<string, double> Measure(ObjectiveLoss loss)
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        var counts = F.one_hot(loss.Parts["codes"], _options.Entries).to_type(ScalarType.Float32).mean([0]);   // G×V
        return new Dictionary<string, double>
        {
            ["maskedAccuracy"] = loss.Parts["right"].to_type(ScalarType.Float32).mean().item<float>(),
            ["codebookPerplexity"] = Perplexity(counts).mean().item<float>(),
            ["contrastive"] = loss.Parts["contrastive"].item<float>(),
            ["temperature"] = _tau,
            ["spread"] = Spread.Of(loss.Parts["context"]).item<float>(),
        };
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _f.Dispose();
        _parts.Dispose();
    }

    /// <summary>What is learnt besides the encoder: the vector that stands for hidden frames, the quantiser (section 2) and the projections into which similarities are taken.</summary>
    private sealed class Parts : nn.Module
    {
        public Parts(Wav2Vec2Options options, SoundEncoder encoder, Generator generator) : base(nameof(Wav2Vec2))
        {
            register_parameter("mask", Encoders.Convolution.Kept(empty(encoder.LatentWidth).uniform_(0, 1, generator)));
            register_module("logits", Logits = new Linear(encoder.LatentWidth, options.Groups * options.Entries, generator));
            // Large from the beginning, so that which entry is chosen depends on the sound and not on the Gumbel noise: a random quantiser is something to learn from, noise is not.
            using (no_grad()) Logits.get_parameter("weight")!.normal_(0, 1, generator);
            register_parameter("codebooks", Encoders.Convolution.Kept(empty(options.Groups, options.Entries, options.CodeWidth / options.Groups).normal_(0, 1, generator)));
            register_module("target", Target = new Linear(options.CodeWidth, options.CompareWidth, generator));
            register_module("context", Context = new Linear(encoder.Dimensions, options.CompareWidth, generator));
        }

        // Asked for by name: moving a module to another device puts new tensors in the parameters' places.
        public Parameter Mask => get_parameter("mask")!;

        public Linear Logits { get; }

        public Parameter Codebooks => get_parameter("codebooks")!;

        public Linear Target { get; }

        public Linear Context { get; }
    }
}
