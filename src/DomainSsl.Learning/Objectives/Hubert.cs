using System.Text.Json.Serialization;
using DomainSsl.Learning.Encoders;
using DomainSsl.Learning.Training;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;
using Linear = DomainSsl.Learning.Encoders.Linear;

namespace DomainSsl.Learning.Objectives;

/// <summary>One clustering that is learnt from until the next.</summary>
public sealed record HubertRound
{
    /// <summary>The share of the run at which it begins; the first at 0.</summary>
    public double From { get; init; }

    /// <summary>C, clusters.</summary>
    public required int Clusters { get; init; }

    /// <summary>After which of the encoder's blocks its features are taken, as the encoder is when the round begins. The first round has one only where the encoder has learnt before; without, it clusters MFCC.</summary>
    public int? Block { get; init; }
}

/// <summary>Settings of <see cref="Hubert"/>; defaults are those of the paper's section IV-B at 50 frames a second.</summary>
public sealed record HubertOptions : ObjectiveOptions
{
    /// <summary>p, the share of frames that begin a masked span.</summary>
    public double MaskStart { get; init; } = 0.08;

    /// <summary>l, frames of a span.</summary>
    public int MaskLength { get; init; } = 10;

    /// <summary>α, the weight of the masked frames in the loss; the others have 1 − α (section II-B).</summary>
    public double Alpha { get; init; } = 1;

    /// <summary>τ.</summary>
    public double Temperature { get; init; } = 0.1;

    /// <summary>Values in which predictions and clusters are compared.</summary>
    public int CompareWidth { get; init; } = 256;

    /// <summary>Frames that are clustered.</summary>
    public int ClusterFrames { get; init; } = 60_000;

    /// <summary>The clusterings (the paper: 100 clusters of MFCC, then 500 of the sixth layer of twelve).</summary>
    public IReadOnlyList<HubertRound> Rounds { get; init; } = [new() { Clusters = 100 }, new() { From = 0.4, Clusters = 500, Block = 6 }];

    /// <inheritdoc />
    [JsonIgnore]
    public override string Title => "HuBERT";

    /// <inheritdoc />
    [JsonIgnore]
    public override string Modality => Modalities.Sound;

    /// <summary>Where its first round clusters what the encoder makes of the sound: one from scratch makes nothing of it.</summary>
    [JsonIgnore]
    public override bool NeedsALearntEncoder => Rounds is [{ Block: not null }, ..];

    /// <inheritdoc />
    public override IObjective Create(Encoder encoder, RandomStream random) => new Hubert(this, encoder, random);
}

/// <summary>
/// HuBERT: "HuBERT: Self-Supervised Speech Representation Learning by Masked Prediction of Hidden Units", Hsu, Bolte, Tsai, Lakhotia, Salakhutdinov, Mohamed, 2021. k-means gives each frame a cluster: first of MFCC, then of what the encoder itself made of
/// the sound a round before. Spans of frames are hidden, and the encoder guesses the clusters of the hidden ones (equations 1 to 3). Departures: a round goes on with the encoder of the round before rather than beginning from random weights, which short
/// runs cannot pay for; clusters are looked up as the sound is read, by the centres and a copy of the encoder as it was, rather than stored; MFCC are of log-mel bands normalised an utterance; no dropout.
/// </summary>
public sealed class Hubert : IObjective
{
    private const int Cepstra = 13, Mfcc = 3 * Cepstra, MelBands = 80;

    private readonly SoundEncoder _f;
    private readonly HubertOptions _options;
    private readonly Parts _parts;
    private readonly ulong _seed;
    private int? _round;

    /// <summary>Builds mask vector, projections and the rounds' clusters round an encoder of sound.</summary>
    public Hubert(HubertOptions options, Encoder encoder, RandomStream random)
    {
        _f = encoder as SoundEncoder ?? throw new LearningException($"HuBERT learns from sound, so it needs a sound encoder; {encoder.Spec} is none. Use the objective simclr with it.");
        if (options.MaskStart is <= 0 or >= 1 || options.MaskLength < 1) throw new LearningException("objective.maskStart must lie between 0 and 1, objective.maskLength be at least 1.");
        if (options.Alpha is < 0 or > 1 || options.Temperature <= 0 || options.CompareWidth < 1) throw new LearningException("objective.alpha must lie between 0 and 1, temperature and compareWidth be above 0.");
        var rounds = options.Rounds;
        if (rounds.Count == 0 || rounds[0].From != 0 || rounds.Zip(rounds.Skip(1)).Any(p => p.First.From >= p.Second.From) || rounds[^1].From >= 1)
            throw new LearningException("objective.rounds must begin at 0 and go on in order, each with a 'from' below 1.");
        if (rounds.Any(r => r.Clusters < 2 || r.Clusters > options.ClusterFrames)) throw new LearningException("A round of objective.rounds must have at least 2 clusters, and no more than objective.clusterFrames.");
        if (rounds.Any(r => r.Block is < 1 || r.Block > _f.Depth) || rounds.Skip(1).Any(r => r.Block is null))
            throw new LearningException($"Each of objective.rounds after the first needs a block of the encoder, 1 to {_f.Depth}; the first has one only where the encoder has learnt before, and clusters MFCC without.");
        _options = options;
        _seed = random.Next();
        using var generator = random.Generator();
        _parts = new Parts(options, _f, generator);
    }

    /// <inheritdoc />
    public Encoder Encoder => _f;

    /// <inheritdoc />
    public nn.Module Heads => _parts;

    /// <summary>One.</summary>
    public int Views => 1;

    /// <summary>Where a round begins: keeps a copy of the encoder, clusters what it makes of the data that is to come, and goes on with those clusters.</summary>
    public void BeforeStep(int step, double progress, Func<int, Batch> look)
    {
        // Read from the state once: a run that was taken up again has its clusters from the checkpoint.
        _round ??= (int)_parts.State("round").item<long>();
        var due = _options.Rounds.Count(r => r.From <= progress) - 1;
        if (due <= _round) return;
        using var scope = NewDisposeScope();
        using var off = no_grad();
        if (_options.Rounds[due].Block is not null) _parts.Remember(_f);
        var random = new RandomStreams((long)(_seed >> 1)).Open("clusters", due);
        var (seen, count) = (new List<Tensor>(), 0L);
        for (var ahead = 0; count < _options.ClusterFrames && ahead < 1000; ahead++)
        {
            using var one = NewDisposeScope();
            var batch = look(ahead);
            var frames = FramesOf(batch);
            var features = Described(batch.Views[0], batch.Lengths, due).flatten(0, 1).index_select(0, There(frames, batch.Views[0].device));    // N×d
            seen.Add(features.MoveToOuterDisposeScope());
            count += features.shape[0];
        }
        var points = cat(seen, 0);
        // Each value counts alike, whatever its range.
        var (mean, deviation) = (points.mean([0]), points.std(0, unbiased: false) + 1e-5);
        var centres = KMeans.Fit((points - mean) / deviation, _options.Rounds[due].Clusters, random);
        _parts.State($"mean{due}").copy_(mean);
        _parts.State($"deviation{due}").copy_(deviation);
        _parts.State($"centres{due}").copy_(centres);
        _parts.State("round").fill_(due);
        _round = due;
    }

    /// <inheritdoc />
    public ObjectiveLoss Loss(Batch batch)
    {
        var round = _round is { } begun and >= 0 ? begun : throw new InvalidOperationException("No round has begun.");
        var (x, lengths, e) = (batch.Views[0], batch.Lengths, _parts.Clusters(round)); // B×T, C×P
        var targets = Targets(x, lengths, round).flatten();                        // B·T', the frames' clusters
        var z = _f.Latents(_f.Front(x, lengths), lengths);                         // B×T'×C
        var mask = SpanMask.Draw(FramesOf(batch), _options.MaskStart, _options.MaskLength, batch.Random);
        var hidden = mask.Of(x.device).to_type(z.dtype);                           // B×T'×1
        var o = _f.Context(z * (1 - hidden) + _parts.Mask.to_type(z.dtype) * hidden, lengths).flatten(0, 1); // B·T'×D, o = f(X̃)

        var (masked, m) = (mask.Places(x.device), targets.index_select(0, mask.Places(x.device)));
        var scores = Scores(o.index_select(0, masked), e, round);                  // M×C, sim(A o, e) / τ
        var loss = _options.Alpha * F.cross_entropy(scores, m);                    // α L_m, equations 1 and 3
        if (_options.Alpha < 1)
        {
            var others = mask.Others(x.device);
            if (others.shape[0] > 0) loss = loss + (1 - _options.Alpha) * F.cross_entropy(Scores(o.index_select(0, others), e, round), targets.index_select(0, others)); // L = α L_m + (1 − α) L_u
        }
        return new ObjectiveLoss(loss, new Dictionary<string, Tensor> { ["guessed"] = scores.detach().argmax(1), ["targets"] = m, ["context"] = o.detach().index_select(0, masked) });
    }

    /// <summary>The clusters of a batch's frames in a round, int64 B×T'; behind an item's end they mean nothing.</summary>
    public Tensor Targets(Tensor x, long[]? lengths, int round)
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        var points = (Described(x, lengths, round) - _parts.State($"mean{round}")) / _parts.State($"deviation{round}");
        return KMeans.Assign(points.flatten(0, 1), _parts.State($"centres{round}")).view(points.shape[0], points.shape[1]).MoveToOuterDisposeScope();
    }

    /// <summary>What is clustered in a round, B×T'×d.</summary>
    private Tensor Described(Tensor x, long[]? lengths, int round)
    {
        if (_options.Rounds[round].Block is not { } block)
        {
            // An encoder that begins with log-mel has them already.
            var mel = _f.Spec.Front == "mel" ? _f.Front(x, lengths) : _parts.Normalised(x, lengths);
            return Averaged(Coefficients(mel), _f.Stride / LogMel.Hop);
        }
        var teacher = _parts.Teacher;
        teacher.Precision = _f.Precision;
        return teacher.Context(teacher.Latents(teacher.Front(x, lengths), lengths), lengths, block);
    }

    /// <summary>The first 13 coefficients of the cosine transform of log-mel bands with their first and second differences over time (Davis and Mermelstein 1980; Furui 1986), B×F×M to B×F×39.</summary>
    public static Tensor Coefficients(Tensor mel)
    {
        using var off = no_grad();
        var bands = mel.shape[2];
        var angles = outer(arange(bands, ScalarType.Float32, mel.device) + 0.5, arange(Cepstra, ScalarType.Float32, mel.device)) * (Math.PI / bands);
        var c = mel.to_type(ScalarType.Float32).matmul(angles.cos()) * Math.Sqrt(2.0 / bands);                     // B×F×13
        var d = Differences(c);
        return cat([c, d, Differences(d)], 2);
    }

    // The slope of the straight line through two frames to either side.
    private static Tensor Differences(Tensor c)
    {
        var t = c.shape[1];
        Tensor Shifted(long by) => c.index_select(1, (arange(t, ScalarType.Int64, c.device) + by).clamp(0, t - 1));
        return (Shifted(1) - Shifted(-1) + 2 * (Shifted(2) - Shifted(-2))) / 10;
    }

    /// <summary>Means of so many frames in turn, the last of those there are: B×F×d to B×⌈F / n⌉×d.</summary>
    private static Tensor Averaged(Tensor c, int frames)
    {
        long b = c.shape[0], t = c.shape[1], groups = (t + frames - 1) / frames;
        var whole = c.index_select(1, arange(groups * frames, ScalarType.Int64, c.device).clamp(max: t - 1));
        return whole.view(b, groups, frames, c.shape[2]).mean([2]);
    }

    private Tensor Scores(Tensor o, Tensor e, int round) => F.normalize(_parts.Projection(round).forward(o), 2, 1).matmul(F.normalize(e, 2, 1).t()) / _options.Temperature;

    private long[] FramesOf(Batch batch) => batch.Lengths is { } lengths ? _f.Frames(lengths) : [.. Enumerable.Repeat(_f.Frames(batch.Views[0].shape[1]), (int)batch.Views[0].shape[0])];

    private static Tensor There(long[] frames, Device device)
    {
        var width = frames.Max();
        return tensor([.. frames.SelectMany((n, b) => Enumerable.Range(0, (int)n).Select(t => b * width + t))]).to(device);
    }

    /// <inheritdoc />
    public void AfterStep(long step)
    {
        // what moves besides the weights moves where a round begins
    }

    /// <summary>ln C of the first round: all clusters are as likely.</summary>
    public double TrivialLoss(int batch) => Math.Log(_options.Rounds[0].Clusters);

    /// <inheritdoc />
    public IReadOnlyList<MetricInfo> Metrics { get; } =
    [
        new("maskedAccuracy", "how often the cluster of a hidden frame is guessed, 0 to 1"),
        new("codebookPerplexity", "clusters that the hidden frames belong to, 1 to all"),
        new("guessPerplexity", "clusters among the guesses; 1 is always the same", 1),
        new("round", "the clustering that is learnt from, from 1", Stage: true),
        new("spread", "how far what is made of different frames differs; near 1 is even", 0),
    ];

    /// <inheritdoc />
    public IReadOnlyDictionary<string, double> Measure(ObjectiveLoss loss)
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        var clusters = _options.Rounds[_round!.Value].Clusters;
        double Perplexity(Tensor ids) => Wav2Vec2.Perplexity(ids.bincount(null, clusters).to_type(ScalarType.Float32) / ids.shape[0]).item<float>();
        var (guessed, targets) = (loss.Parts["guessed"], loss.Parts["targets"]);
        return new Dictionary<string, double>
        {
            ["maskedAccuracy"] = guessed.eq(targets).to_type(ScalarType.Float32).mean().item<float>(),
            ["codebookPerplexity"] = Perplexity(targets),
            ["guessPerplexity"] = Perplexity(guessed),
            ["round"] = _round.Value + 1,
            ["spread"] = Spread.Of(loss.Parts["context"]).item<float>(),
        };
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _f.Dispose();
        _parts.Dispose();
    }

    /// <summary>What is kept besides the encoder: the vector that stands for hidden frames; of each round A, the clusters' embeddings e, and the clusters themselves; and the encoder as it was when the round began.</summary>
    private sealed class Parts : nn.Module
    {
        private readonly List<Linear> _projections = [];
        private readonly SoundEncoder? _teacher;
        private readonly LogMel? _mel;

        public Parts(HubertOptions options, SoundEncoder encoder, Generator generator) : base(nameof(Hubert))
        {
            register_parameter("mask", Encoders.Convolution.Kept(empty(encoder.LatentWidth).uniform_(0, 1, generator)));
            register_buffer("round", tensor(-1L).DetachFromDisposeScope());
            for (var i = 0; i < options.Rounds.Count; i++)
            {
                var round = options.Rounds[i];
                _projections.Add(new Linear(encoder.Dimensions, options.CompareWidth, generator));
                register_module($"projection{i}", _projections[i]);
                register_parameter($"clusters{i}", Encoders.Convolution.Kept(empty(round.Clusters, options.CompareWidth).normal_(0, 1, generator)));
                var width = round.Block is null ? Mfcc : encoder.Dimensions;
                register_buffer($"mean{i}", zeros(width).DetachFromDisposeScope());
                register_buffer($"deviation{i}", ones(width).DetachFromDisposeScope());
                register_buffer($"centres{i}", zeros(round.Clusters, width).DetachFromDisposeScope());
            }
            if (encoder.Spec.Front != "mel") register_module("mel", _mel = new LogMel(MelBands));
            if (options.Rounds.All(r => r.Block is null)) return;
            _teacher = (SoundEncoder)EncoderFactory.Create(encoder.Spec, 0);
            foreach (var weight in _teacher.parameters()) weight.requires_grad = false;
            register_module("teacher", _teacher);
        }

        // Asked for by name: moving a module to another device puts new tensors in the places of parameters and buffers.
        public Parameter Mask => get_parameter("mask")!;

        public SoundEncoder Teacher => _teacher!;

        public Linear Projection(int round) => _projections[round];

        public Parameter Clusters(int round) => get_parameter($"clusters{round}")!;

        public Tensor State(string name) => get_buffer(name)!;

        public void Remember(SoundEncoder encoder)
        {
            foreach (var (kept, now) in _teacher!.parameters().Zip(encoder.parameters())) kept.copy_(now);
        }

        /// <summary>Log-mel for encoders that begin with the waveform, each band with mean 0 and deviation 1 an item.</summary>
        public Tensor Normalised(Tensor x, long[]? lengths) => SoundEncoder.Standard(_mel!.forward(x), lengths is null ? null : Array.ConvertAll(lengths, LogMel.Frames), 1e-2);
    }
}
