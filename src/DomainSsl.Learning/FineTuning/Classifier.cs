using System.Text.Json;
using DomainSsl.Learning.Encoders;
using DomainSsl.Learning.Evaluation;
using DomainSsl.Learning.Training;
using DomainSsl.Learning.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace DomainSsl.Learning.FineTuning;

/// <summary>What a classifier says of N images or sounds.</summary>
/// <param name="Probabilities">N×K.</param>
/// <param name="Uncertainty">0 (sure) to 1 (all classes alike), N.</param>
/// <param name="Features">N×D, for finding similar ones by the angle between rows.</param>
public sealed record ClassifierAnswer(Probabilities Probabilities, IReadOnlyList<double> Uncertainty, FeatureTable Features);

/// <summary>
/// A fitted classifier: a probe on a frozen encoder, one or two fine-tuned networks, or both together (the mean of their probabilities). On disk a folder with
/// <c>classifier.json</c> and safetensors; nothing in it is ever run.
/// </summary>
public sealed class Classifier : IDisposable
{
    private const string Description = "classifier.json", EncoderFile = "encoder.safetensors", ProbeFile = "probe.safetensors";
    private readonly Device _device;
    private readonly Encoder? _encoder;
    private readonly FeatureStandard? _standard;
    private readonly LinearProbe? _probe;
    private readonly IReadOnlyList<ClassifierNetwork> _networks;

    private Classifier(ClassifierDescription about, Device device, Encoder? encoder, FeatureStandard? standard, LinearProbe? probe, IReadOnlyList<ClassifierNetwork> networks) =>
        (About, _device, _encoder, _standard, _probe, _networks) = (about, device, encoder, standard, probe, networks);

    /// <summary>What it is.</summary>
    public ClassifierDescription About { get; }

    /// <summary>Names of the K classes.</summary>
    public IReadOnlyList<string> Classes => About.Classes;

    /// <summary>Side of the square images that it takes, pixels; of sounds the samples a second.</summary>
    public int Resolution => About.Encoder.Resolution;

    /// <summary>Probabilities, uncertainty and features; in batches, with no gradient.</summary>
    /// <param name="source">Images at <see cref="Resolution"/>, or sounds (<see cref="ItemSource.Open"/> with the encoder of <see cref="About"/>).</param>
    /// <param name="items">Which.</param>
    public ClassifierAnswer Predict(ItemSource source, int[] items)
    {
        var features = ArmAtWork.Embed(_encoder ?? _networks[0].Encoder, source, items, _device);
        var answers = _networks.Select(n => n.Predict(source, items, _device)).ToList();
        if (_probe is not null) answers.Add(_probe.Predict(_standard!.Apply(features)));
        var probabilities = answers.Count == 2 ? Probabilities.Mean(answers[0], answers[1]) : answers[0];
        return new ClassifierAnswer(probabilities, [.. Enumerable.Range(0, items.Length).Select(probabilities.Uncertainty)], features);
    }

    /// <summary>Writes the classifier into a folder, which is made under a temporary name and then renamed; one that is there already is replaced.</summary>
    public void Save(string folder) => Durable.PlaceFolder(folder, temporary =>
    {
        if (_encoder is not null) EncoderWeights.Save(_encoder, Path.Combine(temporary, EncoderFile));
        if (_probe is not null)
        {
            using var scope = NewDisposeScope();
            SafeTensors.Write(Path.Combine(temporary, ProbeFile), new Dictionary<string, Tensor>
            {
                ["weight"] = tensor(_probe.Weights, [_probe.Classes, _probe.Features]),
                ["bias"] = tensor(_probe.Intercepts),
                ["mean"] = tensor(_standard!.Mean.ToArray()),
                ["scale"] = tensor(_standard.Scale.ToArray()),
            });
        }
        for (var i = 0; i < _networks.Count; i++) SafeTensors.Write(Path.Combine(temporary, NetworkFile(i)), _networks[i].State());
        Durable.WriteText(Path.Combine(temporary, Description), JsonSerializer.Serialize(About, LearningJson.Indented));
    });

    /// <summary>Reads a classifier, ready to predict.</summary>
    /// <exception cref="LearningException">The folder is absent or damaged.</exception>
    public static Classifier Load(string folder, Device device)
    {
        var about = ReadDescription(folder);
        var (encoderPath, probePath) = (Path.Combine(folder, EncoderFile), Path.Combine(folder, ProbeFile));
        var encoder = File.Exists(encoderPath) ? EncoderWeights.Load(encoderPath, device) : null;
        (FeatureStandard Standard, LinearProbe Probe)? head = null;
        if (about.Members.Contains(ClassifierFit.Probe))
        {
            using var content = SafeTensors.Read(probePath);
            float[] Values(string name) => content.Tensors.TryGetValue(name, out var t) ? t.data<float>().ToArray() : throw Damaged(folder, $"'{name}' of its probe is missing");
            head = (new FeatureStandard(Values("mean"), Values("scale")), new LinearProbe(Values("weight"), Values("bias")));
            if (encoder is null || encoder.Dimensions != head.Value.Probe.Features) throw Damaged(folder, "its probe does not fit its encoder");
        }
        var networks = new List<ClassifierNetwork>();
        for (var i = 0; i < about.Members.Count(m => m != ClassifierFit.Probe); i++)
        {
            var path = Path.Combine(folder, NetworkFile(i));
            using var content = SafeTensors.Read(path);
            networks.Add(ClassifierNetwork.From(about.Encoder, content.Tensors, path, device));
        }
        if (networks.Count == 0 && head is null) throw Damaged(folder, "it has no members");
        return new Classifier(about, device, encoder, head?.Standard, head?.Probe, networks);
    }

    /// <summary>What a saved classifier is, without its weights.</summary>
    /// <exception cref="LearningException">The folder is absent or damaged.</exception>
    public static ClassifierDescription ReadDescription(string folder)
    {
        var path = Path.Combine(folder, Description);
        if (!File.Exists(path)) throw new LearningException($"There is no classifier in {folder}; train the task again.");
        try { return JsonSerializer.Deserialize<ClassifierDescription>(File.ReadAllText(path), LearningJson.Options) ?? throw new JsonException("nothing"); }
        catch (JsonException e) { throw new LearningException($"The classifier in {folder} is damaged (its description cannot be read); train the task again.", e); }
    }

    /// <summary>The classifier that a fit has chosen; it takes over what it keeps of the fit, which is disposed of.</summary>
    internal static Classifier From(FittedArm fit, IReadOnlyList<string> classes)
    {
        var chosen = fit.Members.Where(m => fit.Choice.Answer is ClassifierFit.Mean || m.Name == fit.Choice.Answer).Select(m => m.Name).ToList();
        var networks = fit.Members.Where(m => m.Schedule is not null).Select(m => m.Name).Zip(fit.Networks).ToList();
        foreach (var (name, network) in networks) if (!chosen.Contains(name)) network.Dispose();
        var arm = fit.Arm;
        // The pretrained encoder stays with the classifier: a probe needs it, and similar cases are found by its features.
        var encoder = arm.Pretrained ? arm.Arm.Start(0, arm.Device) : null;
        encoder?.eval();
        return new Classifier(new ClassifierDescription(classes, arm.Arm.Spec, arm.Arm.Name, chosen, fit.Choice), arm.Device, encoder, fit.Standard,
            chosen.Contains(ClassifierFit.Probe) ? fit.Probe : null, [.. networks.Where(n => chosen.Contains(n.First)).Select(n => n.Second)]);
    }

    private static string NetworkFile(int i) => $"network-{i + 1}.safetensors";

    private static LearningException Damaged(string folder, string how) => new($"The classifier in {folder} is damaged ({how}); train the task again.");

    /// <inheritdoc />
    public void Dispose()
    {
        _encoder?.Dispose();
        foreach (var network in _networks) network.Dispose();
    }
}

/// <summary>What stands in <c>classifier.json</c>.</summary>
/// <param name="Classes">Names of the K classes.</param>
/// <param name="Encoder">The network, and the side of its images; or what it hears of sounds.</param>
/// <param name="Arm">What it started from.</param>
/// <param name="Members">Which members answer: <c>probe</c>, <c>full</c>, <c>short</c>, <c>long</c>.</param>
/// <param name="Choice">What was chosen, and on what grounds.</param>
public sealed record ClassifierDescription(IReadOnlyList<string> Classes, EncoderSpec Encoder, string Arm, IReadOnlyList<string> Members, FitChoice Choice);
