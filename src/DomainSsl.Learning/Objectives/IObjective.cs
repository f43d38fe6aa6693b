using System.Text.Json.Serialization;
using DomainSsl.Learning.Encoders;
using DomainSsl.Learning.Training;
using DomainSsl.Learning.Weights;
using static TorchSharp.torch;

namespace DomainSsl.Learning.Objectives;

/// <summary>The objective's part of a recipe; its <c>name</c> says which.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "name")]
[JsonDerivedType(typeof(SimClrOptions), "simclr")]
[JsonDerivedType(typeof(MaeOptions), "mae")]
[JsonDerivedType(typeof(Wav2Vec2Options), "wav2vec2")]
[JsonDerivedType(typeof(HubertOptions), "hubert")]
[JsonDerivedType(typeof(PseudoLabelsOptions), "pseudo-labels")]
public abstract record ObjectiveOptions
{
    /// <summary>As it is called by people.</summary>
    [JsonIgnore]
    public abstract string Title { get; }

    /// <summary>What it learns from: <c>image</c> or <c>sound</c>.</summary>
    [JsonIgnore]
    public virtual string Modality => Modalities.Image;

    /// <summary>Builds the objective round an encoder.</summary>
    /// <exception cref="LearningException">The encoder or a setting does not suit it.</exception>
    public abstract IObjective Create(Encoder encoder, RandomStream random);

    /// <summary>Whether it can only go on from an encoder that has learnt before.</summary>
    [JsonIgnore]
    public virtual bool NeedsALearntEncoder => false;

    /// <summary>Whether it learns from what another recogniser wrote down of the sound (<see cref="TrainRequest.Drafts"/>).</summary>
    [JsonIgnore]
    public virtual bool NeedsDrafts => false;
}

/// <summary>A step's input.</summary>
/// <param name="Views">As many as the objective asks for: of images each B×1×H×W in [0, 1]; of sound B×T samples, full scale ±1, silence behind the shorter ones.</param>
/// <param name="Random">What the objective draws itself comes from here.</param>
/// <param name="Lengths">Of sound: samples of each item.</param>
/// <param name="Text">What is said in it, where something is known of that.</param>
public sealed record Batch(IReadOnlyList<Tensor> Views, RandomStream Random, long[]? Lengths = null, BatchText? Text = null);

/// <summary>The letters of a batch's items.</summary>
/// <param name="Letters">Their numbers in the alphabet, int64 B×S, padded with blanks.</param>
/// <param name="Counts">How many each item has.</param>
/// <param name="Round">Which teacher wrote them: 1 another recogniser, 2 the encoder itself.</param>
public sealed record BatchText(Tensor Letters, long[] Counts, int Round = 1);

/// <summary>What a loss gives back.</summary>
/// <param name="Value">The loss, one value, with its graph.</param>
/// <param name="Parts">The few tensors that metrics are made from, without graph.</param>
public sealed record ObjectiveLoss(Tensor Value, IReadOnlyDictionary<string, Tensor> Parts);

/// <summary>What a metric is.</summary>
/// <param name="Name">Its key in <c>metrics.jsonl</c>.</param>
/// <param name="Meaning">For people.</param>
/// <param name="Collapsed">The value at which the encoder tells nothing apart, if there is one.</param>
/// <param name="Stage">Whether it says which task is being solved: losses before and after a change of it cannot be compared.</param>
public sealed record MetricInfo(string Name, string Meaning, double? Collapsed = null, bool Stage = false);

/// <summary>A self-supervised loss with what it needs. <see cref="Loss"/> changes nothing; whatever moves, moves in <see cref="BeforeStep"/> and <see cref="AfterStep"/>.</summary>
public interface IObjective : IDisposable
{
    /// <summary>The encoder that is trained.</summary>
    Encoder Encoder { get; }

    /// <summary>What the objective trains besides it and throws away afterwards.</summary>
    nn.Module Heads { get; }

    /// <summary>How many views of each image it asks for.</summary>
    int Views { get; }

    /// <summary>
    /// Called before every step, also the first after a run has been taken up again: what depends on how far the run is, is set here, and targets that come of the data itself are made.
    /// Must be a pure function of its arguments and of the state in <see cref="Encoder"/> and <see cref="Heads"/>.
    /// </summary>
    /// <param name="step">Steps done.</param>
    /// <param name="progress">Share of the run that is done.</param>
    /// <param name="look">The batch that will be learnt from so many steps ahead, for those who must see data beforehand; its tensors belong to the caller's dispose scope.</param>
    void BeforeStep(int step, double progress, Func<int, Batch> look)
    {
    }

    /// <summary>Takes over what came with the weights that the encoder begins from, besides them; not called where a checkpoint follows.</summary>
    /// <param name="start">The file.</param>
    /// <param name="origin">Where it lies, for messages.</param>
    /// <exception cref="LearningException">It is damaged.</exception>
    void Begin(SafeTensors.Content start, string origin)
    {
    }

    /// <summary>The head of letters that goes with the encoder, as it is now; null: the one that came with what it began from, if one did, stays with it.</summary>
    (string Letters, IReadOnlyDictionary<string, Tensor> Head)? Reads => null;

    /// <summary>The loss of a batch.</summary>
    ObjectiveLoss Loss(Batch batch);

    /// <summary>After the weights have moved: whatever follows them.</summary>
    void AfterStep(long step);

    /// <summary>The loss of an encoder that gives the same for every item, for a batch of that size.</summary>
    double TrivialLoss(int batch);

    /// <summary>What <see cref="Measure"/> reports.</summary>
    IReadOnlyList<MetricInfo> Metrics { get; }

    /// <summary>The metrics of a step. Reads values, so it is called at log steps only.</summary>
    IReadOnlyDictionary<string, double> Measure(ObjectiveLoss loss);
}

/// <summary>Figures that several objectives report.</summary>
internal static class Spread
{
    /// <summary>
    /// How far features differ between images (or frames): the mean deviation over the batch of each value of the normalised vectors, times √D. About 1 where directions are used evenly, 0 where
    /// all get the same vector (Chen and He 2021, figure 2).
    /// </summary>
    public static Tensor Of(Tensor features) => nn.functional.normalize(features, 2, 1).std(0, unbiased: false).mean() * Math.Sqrt(features.shape[1]);
}
