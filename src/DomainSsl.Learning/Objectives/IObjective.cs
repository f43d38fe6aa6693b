using System.Text.Json.Serialization;
using DomainSsl.Learning.Encoders;
using DomainSsl.Learning.Training;
using static TorchSharp.torch;

namespace DomainSsl.Learning.Objectives;

/// <summary>The objective's part of a recipe; its <c>name</c> says which.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "name")]
[JsonDerivedType(typeof(SimClrOptions), "simclr")]
[JsonDerivedType(typeof(MaeOptions), "mae")]
public abstract record ObjectiveOptions
{
    /// <summary>As it is called by people.</summary>
    [JsonIgnore]
    public abstract string Title { get; }

    /// <summary>Builds the objective round an encoder.</summary>
    /// <exception cref="LearningException">The encoder or a setting does not suit it.</exception>
    public abstract IObjective Create(Encoder encoder, RandomStream random);
}

/// <summary>A step's input.</summary>
/// <param name="Views">As many as the objective asks for, each B×1×H×W in [0, 1].</param>
/// <param name="Random">What the objective draws itself comes from here.</param>
public sealed record Batch(IReadOnlyList<Tensor> Views, RandomStream Random);

/// <summary>What a loss gives back.</summary>
/// <param name="Value">The loss, one value, with its graph.</param>
/// <param name="Parts">The few tensors that metrics are made from, without graph.</param>
public sealed record ObjectiveLoss(Tensor Value, IReadOnlyDictionary<string, Tensor> Parts);

/// <summary>What a metric is.</summary>
/// <param name="Name">Its key in <c>metrics.jsonl</c>.</param>
/// <param name="Meaning">For people.</param>
/// <param name="Collapsed">The value at which the encoder tells nothing apart, if there is one.</param>
public sealed record MetricInfo(string Name, string Meaning, double? Collapsed = null);

/// <summary>A self-supervised loss with what it needs. <see cref="Loss"/> changes nothing; whatever moves, moves in <see cref="AfterStep"/>.</summary>
public interface IObjective : IDisposable
{
    /// <summary>The encoder that is trained.</summary>
    Encoder Encoder { get; }

    /// <summary>What the objective trains besides it and throws away afterwards.</summary>
    nn.Module Heads { get; }

    /// <summary>How many views of each image it asks for.</summary>
    int Views { get; }

    /// <summary>The loss of a batch.</summary>
    ObjectiveLoss Loss(Batch batch);

    /// <summary>The only place where anything besides the weights moves.</summary>
    void AfterStep(long step);

    /// <summary>The loss of an encoder that gives the same for every image, for a batch of that size.</summary>
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
    /// How far features differ between images: the mean deviation over the batch of each value of the normalised vectors, times √D. About 1 where directions are used evenly, 0 where
    /// all images get the same vector (Chen and He 2021, figure 2).
    /// </summary>
    public static Tensor Of(Tensor features) => nn.functional.normalize(features, 2, 1).std(0, unbiased: false).mean() * Math.Sqrt(features.shape[1]);
}
