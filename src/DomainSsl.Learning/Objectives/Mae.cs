using System.Text.Json.Serialization;
using DomainSsl.Learning.Encoders;
using DomainSsl.Learning.Training;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using Linear = DomainSsl.Learning.Encoders.Linear;

namespace DomainSsl.Learning.Objectives;

/// <summary>Settings of <see cref="Mae"/>.</summary>
public sealed record MaeOptions : ObjectiveOptions
{
    /// <summary>Share of the patches that the encoder does not see (the paper's figure 5: 0.75).</summary>
    public double Mask { get; init; } = 0.75;

    /// <summary>Width of the decoder's tokens (table 1b: narrower than the encoder is enough).</summary>
    public int DecoderWidth { get; init; } = 128;

    /// <summary>Blocks of the decoder (table 1a).</summary>
    public int DecoderDepth { get; init; } = 2;

    /// <summary>Attention heads of the decoder.</summary>
    public int DecoderHeads { get; init; } = 4;

    /// <inheritdoc />
    [JsonIgnore]
    public override string Title => "MAE";

    /// <inheritdoc />
    public override IObjective Create(Encoder encoder, RandomStream random) => new Mae(this, encoder, random);
}

/// <summary>
/// MAE: "Masked Autoencoders Are Scalable Vision Learners", He, Chen, Xie, Li, Dollár, Girshick, 2022. The encoder sees a quarter of the patches; a small decoder guesses the
/// others. The loss is the mean squared error on the masked patches, each normalised by its own mean and deviation (section 3, "Reconstruction target"). Departure: no class
/// token, the features are the mean of the tokens (the paper's appendix A.1 reports the same accuracy).
/// </summary>
public sealed class Mae : IObjective
{
    private readonly Vit _f;
    private readonly Decoder _decoder;
    private readonly int _kept;

    /// <summary>Builds the decoder on top of the encoder, which must be a ViT.</summary>
    public Mae(MaeOptions options, Encoder encoder, RandomStream random)
    {
        _f = encoder as Vit ?? throw new LearningException($"MAE drops patches before the encoder, so it needs a vit; {encoder.Spec} is none. Use the objective simclr with it.");
        if (options.Mask is <= 0 or >= 1) throw new LearningException("objective.mask must lie between 0 and 1.");
        if (options.DecoderWidth % 4 != 0 || options.DecoderHeads < 1 || options.DecoderWidth % options.DecoderHeads != 0)
            throw new LearningException("objective.decoderWidth must be a multiple of 4 and of objective.decoderHeads.");
        _kept = Math.Max(1, (int)Math.Round(_f.Patches * (1 - options.Mask)));
        using var generator = random.Generator();
        _decoder = new Decoder(options, _f, generator);
    }

    /// <inheritdoc />
    public Encoder Encoder => _f;

    /// <inheritdoc />
    public nn.Module Heads => _decoder;

    /// <summary>One.</summary>
    public int Views => 1;

    /// <inheritdoc />
    public ObjectiveLoss Loss(Batch batch)
    {
        var x = batch.Views[0];                                                    // B×1×H×W
        var (kept, restore, mask) = RandomMasking(x, batch.Random);                // B×K, B×N, B×N
        var latent = _f.Tokens(x, kept);                                           // B×K×D
        var prediction = _decoder.Forward(latent, restore, _f.Precision);          // B×N×P²
        var target = Targets(x, _f.Patch);                                         // B×N×P²
        var error = (prediction - target).pow(2).mean([2]);                        // B×N
        var loss = (error * mask).sum() / mask.sum();
        return new ObjectiveLoss(loss, new Dictionary<string, Tensor> { ["features"] = latent.detach().mean([1]), ["prediction"] = prediction.detach(), ["mask"] = mask });
    }

    /// <summary>Random masking by sorting noise (section 3): which patches are kept, where each patch went, and 1 for each masked one.</summary>
    private (Tensor Kept, Tensor Restore, Tensor Mask) RandomMasking(Tensor x, RandomStream random)
    {
        using var off = no_grad();
        using var generator = random.Generator();
        var noise = empty([x.shape[0], _f.Patches], ScalarType.Float32).uniform_(0, 1, generator).to(x.device); // B×N
        var shuffle = noise.argsort(1);                                            // B×N
        var restore = shuffle.argsort(1);                                          // B×N, the inverse
        return (shuffle.narrow(1, 0, _kept), restore, restore.ge(_kept).to_type(ScalarType.Float32));
    }

    /// <summary>Patches, each less its mean and divided by its deviation: B×1×H×W to B×N×P².</summary>
    public static Tensor Targets(Tensor x, int patch)
    {
        using var off = no_grad();
        var patches = Vit.Patchify(x, patch);
        var (mean, variance) = (patches.mean([2], keepdim: true), patches.var(2, unbiased: true, keepdim: true));
        return (patches - mean) / (variance + 1e-6).sqrt();
    }

    /// <inheritdoc />
    public void AfterStep(long step)
    {
        // nothing here moves besides the weights
    }

    /// <summary>1: what guessing each patch's mean costs.</summary>
    public double TrivialLoss(int batch) => 1;

    /// <inheritdoc />
    public IReadOnlyList<MetricInfo> Metrics { get; } =
    [
        new("explained", "share of the masked patches' detail that is guessed, 1 less the loss", 0),
        new("detail", "deviation of the guesses within a patch; 0 is one flat grey", 0),
        new("spread", "how far the features of different images differ, as a share of their length", 0),
    ];

    /// <inheritdoc />
    public IReadOnlyDictionary<string, double> Measure(ObjectiveLoss loss)
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        var mask = loss.Parts["mask"];
        var features = loss.Parts["features"];
        return new Dictionary<string, double>
        {
            ["explained"] = 1 - loss.Value.detach().item<float>(),
            ["detail"] = ((loss.Parts["prediction"].std(2, unbiased: false) * mask).sum() / mask.sum()).item<float>(),
            ["spread"] = (features.var(0, unbiased: false).mean() / features.pow(2).mean()).sqrt().item<float>(),
        };
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _f.Dispose();
        _decoder.Dispose();
    }

    /// <summary>A small ViT over all places: encoded tokens where there are some, one learnt token elsewhere (section 3, "MAE decoder").</summary>
    private sealed class Decoder : nn.Module
    {
        private readonly Linear _embed, _predict;
        private readonly nn.Module<Tensor, Tensor> _blocks;
        private readonly LayerNorm _norm;

        public Decoder(MaeOptions options, Vit encoder, Generator generator) : base(nameof(Decoder))
        {
            var width = options.DecoderWidth;
            register_module("embed", _embed = new Linear(encoder.Dimensions, width, generator));
            register_parameter("mask_token", Encoders.Convolution.Kept(zeros(1, 1, width).normal_(0, 0.02, generator)));
            register_module("blocks", _blocks = nn.Sequential([.. Enumerable.Range(0, options.DecoderDepth)
                .Select(i => ($"{i}", (nn.Module<Tensor, Tensor>)new TransformerBlock(width, options.DecoderHeads, generator)))]));
            register_module("norm", _norm = nn.LayerNorm(width));
            register_module("predict", _predict = new Linear(width, encoder.Patch * encoder.Patch, generator));
            register_buffer("positions", Vit.SinePositions(encoder.Spec.Resolution / encoder.Patch, width).DetachFromDisposeScope(), persistent: false);
        }

        public Tensor Forward(Tensor latent, Tensor restore, ScalarType precision)
        {
            long b = latent.shape[0], k = latent.shape[1], n = restore.shape[1];
            var seen = _embed.forward(latent);                                     // B×K×W
            var all = cat([seen, get_parameter("mask_token")!.expand(b, n - k, -1)], 1);             // B×N×W, shuffled
            all = all.gather(1, restore.unsqueeze(2).expand(-1, -1, all.shape[2])); // B×N×W, in place again
            var tokens = _blocks.forward((all + get_buffer("positions")!).to_type(precision));
            return _predict.forward(_norm.forward(tokens.to_type(ScalarType.Float32))); // B×N×P²
        }
    }
}
