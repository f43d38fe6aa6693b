using System.Text.Json.Serialization;
using DomainSsl.Learning.Augmentation;
using DomainSsl.Learning.Data;
using DomainSsl.Learning.Decoding;
using DomainSsl.Learning.Encoders;
using DomainSsl.Learning.Evaluation;
using DomainSsl.Learning.Training;
using DomainSsl.Learning.Transcribing;
using DomainSsl.Learning.Weights;
using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace DomainSsl.Learning.Objectives;

/// <summary>Settings of <see cref="PseudoLabels"/>.</summary>
public sealed record PseudoLabelsOptions : ObjectiveOptions
{
    /// <summary>Stretches of time and bands that are hidden.</summary>
    public SpecAugmentOptions Masks { get; init; } = new() { TimeSeconds = 0.3, BandShare = 0.16 };

    /// <summary>Share of the values before the head that a step leaves out.</summary>
    public double Dropout { get; init; } = 0.2;

    /// <summary>Share of the run after which the encoder's own text takes the place of the drafts that agree least with it; 1: never.</summary>
    public double OwnFrom { get; init; } = 0.5;

    /// <summary>Share of the drafts that stay even then: those that agree best.</summary>
    public double Kept { get; init; } = 0.3;

    /// <inheritdoc />
    [JsonIgnore]
    public override string Title => "Pseudo-labels";

    /// <inheritdoc />
    [JsonIgnore]
    public override string Modality => Modalities.Sound;

    /// <inheritdoc />
    [JsonIgnore]
    public override bool NeedsDrafts => true;

    /// <inheritdoc />
    public override IObjective Create(Encoder encoder, RandomStream random) => new PseudoLabels(this, encoder, random);
}

/// <summary>
/// Pseudo-labels: "Self-Training for End-to-End Speech Recognition", Kahn, Lee, Hannun, 2020: a recogniser that is there already (the teacher) writes drafts of recordings that nobody has transcribed (section 2.2), and the encoder learns to
/// write the same, by CTC (Graves et al. 2006), of sound that is made harder for it ("Improved Noisy Student Training for Automatic Speech Recognition", Park et al., 2020, section 3). What is wrong in the drafts has no counterpart in the
/// sound, so that less of it is learnt than of what is right. In a second generation the encoder is the teacher (Park et al., algorithm 1): it writes down all again, and only the drafts that agree best with that stay. Departures: the first
/// teacher is another program with models of its own rather than a network trained on the clinic's labels, of which there are none yet; the second generation goes on with the encoder of the first rather than with a fresh one.
/// </summary>
public sealed class PseudoLabels : IObjective
{
    // Sound that is written down at once.
    private const double WritingSeconds = 30;

    private readonly PseudoLabelsOptions _options;
    private readonly TranscriberNetwork _network;

    /// <summary>Builds a head of letters round an encoder of sound.</summary>
    public PseudoLabels(PseudoLabelsOptions options, Encoder encoder, RandomStream random)
    {
        var f = encoder as SoundEncoder ?? throw new LearningException($"Pseudo-labels are of sound, so they need a sound encoder; {encoder.Spec} is none. Use the objective simclr with it.");
        if (options.Dropout is < 0 or >= 1) throw new LearningException("objective.dropout must be a share below 1.");
        if (options.OwnFrom is <= 0 or > 1 || options.Kept is < 0 or > 1) throw new LearningException("objective.ownFrom must be above 0 and at most 1, objective.kept a share.");
        _options = options;
        using var generator = random.Generator();
        _network = new TranscriberNetwork(f, Alphabet.Size, TranscriberNetwork.Last, generator);
    }

    /// <summary>The letters that are learnt.</summary>
    public static Alphabet Alphabet => Alphabet.English;

    /// <inheritdoc />
    public Encoder Encoder => _network.Encoder;

    /// <inheritdoc />
    public nn.Module Heads => _network.Head;

    /// <summary>One.</summary>
    public int Views => 1;

    /// <summary>Goes on with the head that the encoder brought along, where it reads the same letters.</summary>
    public void Begin(SafeTensors.Content start, string origin)
    {
        if (start.Metadata.GetValueOrDefault(EncoderWeights.LettersNote) == Alphabet.Letters) EncoderWeights.Restore(_network.Head, EncoderWeights.Head(start), origin);
    }

    /// <inheritdoc />
    public (string Letters, IReadOnlyDictionary<string, Tensor> Head)? Reads => (Alphabet.Letters, _network.Head.state_dict());

    /// <summary>What it writes of pieces of a shard, as they are: nothing is hidden or left out.</summary>
    /// <param name="shard">The sound.</param>
    /// <param name="pieces">Of these pieces.</param>
    /// <param name="done">Told how many are written.</param>
    /// <param name="cancel">Looked at between some and the next.</param>
    public IReadOnlyList<string> Write(SoundShard shard, IReadOnlyList<int> pieces, Action<int> done, CancellationToken cancel)
    {
        Encoder.eval();
        try { return Transcriber.Texts(_network, shard, [.. pieces.Select(i => new SpokenItem(i, "", ""))], p => GreedyDecoder.Decode(p, Alphabet), WritingSeconds, Encoder.parameters().First().device, cancel, done); }
        finally { Encoder.train(); }
    }

    /// <inheritdoc />
    public ObjectiveLoss Loss(Batch batch)
    {
        var (x, lengths, text, f) = (batch.Views[0], batch.Lengths!, batch.Text ?? throw new InvalidOperationException("The batch has no drafts."), _network.Encoder);
        var front = SpecAugment.Hide(f.Front(x, lengths), lengths, x.shape[1], _options.Masks, batch.Random);                                  // B×F×M
        var p = _network.LogProbabilities(front, lengths, still: false, _options.Dropout, batch.Random);                                       // B×T'×V
        var frames = tensor(f.Frames(lengths));
        // Each item's loss by its letters, then the mean over items.
        var loss = F.ctc_loss(p.transpose(0, 1), text.Letters, frames, tensor(text.Counts), blank: Alphabet.Blank, zero_infinity: true);
        return new ObjectiveLoss(loss, new Dictionary<string, Tensor> { ["p"] = p.detach(), ["frames"] = frames, ["drafts"] = text.Letters, ["letters"] = tensor(text.Counts), ["round"] = tensor((long)text.Round) });
    }

    /// <inheritdoc />
    public void AfterStep(long step)
    {
        // nothing moves besides the weights
    }

    /// <summary>ln V: all letters are as likely, whatever is heard.</summary>
    public double TrivialLoss(int batch) => Math.Log(Alphabet.Size);

    /// <inheritdoc />
    public IReadOnlyList<MetricInfo> Metrics { get; } =
    [
        new("otherThanDraft", "letters that it writes otherwise than the text it learns from, as a share of that text's, with stretches of the sound hidden; that text is often wrong itself"),
        new("round", "whose text it learns from: 1 the other recogniser's, 2 its own, but for the drafts that agree best with that", Stage: true),
        new("blank", "frames in which it writes no letter, 0 to 1; at 1 it writes nothing", 1),
    ];

    /// <inheritdoc />
    public IReadOnlyDictionary<string, double> Measure(ObjectiveLoss loss)
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        var p = loss.Parts["p"].to(Devices.Host).contiguous();
        var (values, v, width) = (p.data<float>().ToArray(), (int)p.shape[2], (int)p.shape[1]);
        var (frames, counts, drafts) = (loss.Parts["frames"].data<long>().ToArray(), loss.Parts["letters"].data<long>().ToArray(), loss.Parts["drafts"].to(Devices.Host).contiguous().data<long>().ToArray());
        var (errors, longest, blanks) = (new List<ErrorCounts>(), drafts.Length / counts.Length, 0L);
        for (var b = 0; b < frames.Length; b++)
        {
            var row = values.AsSpan(b * width * v, (int)frames[b] * v);
            var draft = string.Concat(drafts.AsSpan(b * longest, (int)counts[b]).ToArray().Select(l => Alphabet.Letter((int)l)));
            errors.Add(ErrorCounts.OfLetters(draft, GreedyDecoder.Decode(row, Alphabet)));
            for (var t = 0; t < frames[b]; t++) if (GreedyDecoder.Highest(row.Slice(t * v, v)) == Alphabet.Blank) blanks++;
        }
        return new Dictionary<string, double> { ["round"] = loss.Parts["round"].item<long>(), ["otherThanDraft"] = errors.Aggregate(ErrorCounts.Add).Rate, ["blank"] = blanks / (double)frames.Sum() };
    }

    /// <inheritdoc />
    public void Dispose() => _network.Dispose();
}
