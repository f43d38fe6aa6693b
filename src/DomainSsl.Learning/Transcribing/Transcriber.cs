using System.Text.Json;
using DomainSsl.Learning.Data;
using DomainSsl.Learning.Decoding;
using DomainSsl.Learning.Encoders;
using DomainSsl.Learning.Training;
using DomainSsl.Learning.Weights;
using static TorchSharp.torch;

namespace DomainSsl.Learning.Transcribing;

/// <summary>What stands in <c>transcriber.json</c>.</summary>
/// <param name="Letters">The letters, in the order of their numbers.</param>
/// <param name="Encoder">The encoder.</param>
/// <param name="Layers">What the head sees: <c>last</c> or <c>mix</c>.</param>
/// <param name="Arm">What it started from.</param>
/// <param name="Beam">How much decoding listens to a language model; null: the defaults.</param>
public sealed record TranscriberDescription(string Letters, EncoderSpec Encoder, string Layers, string Arm, BeamOptions? Beam = null);

/// <summary>A fitted transcriber: sound to letters. On disk a folder with <c>transcriber.json</c> and <c>network.safetensors</c>; nothing in it is ever run. One thread at a time.</summary>
public sealed class Transcriber : IDisposable
{
    private const string DescriptionFile = "transcriber.json", NetworkFile = "network.safetensors";

    // Computed at once, padding counted: what a batch holds in memory grows with it, and beyond this no faster.
    private const double BatchSeconds = 30;

    private readonly TranscriberNetwork _network;
    private readonly Device _device;

    internal Transcriber(TranscriberDescription about, TranscriberNetwork network, Device device)
    {
        (About, _network, _device, Alphabet) = (about, network, device, new Alphabet(about.Letters));
        network.Encoder.eval();
    }

    /// <summary>What it is.</summary>
    public TranscriberDescription About { get; }

    /// <summary>Its letters.</summary>
    public Alphabet Alphabet { get; }

    /// <summary>From one frame of log-probabilities to the next.</summary>
    public double SecondsPerFrame => _network.Encoder.Stride / (double)LogMel.SampleRate;

    /// <summary>The log-probabilities of letters, T'×V of each sound, a frame after another. Sounds alike in length are computed together, a few at a time.</summary>
    /// <param name="sounds">At 16 kHz, full scale ±1, at least one sample each.</param>
    public IReadOnlyList<float[]> LogProbabilities(IReadOnlyList<float[]> sounds) => Each(_network, [.. sounds.Select(s => s.Length)], i => sounds[i], p => p, BatchSeconds, _device, default);

    /// <summary>What is said in pieces of a shard.</summary>
    /// <param name="shard">The sound.</param>
    /// <param name="items">Which pieces; what is said in them is not looked at.</param>
    /// <param name="cancel">Looked at between batches.</param>
    /// <param name="decode">Log-probabilities T'×V to a text; null: greedy decoding.</param>
    public IReadOnlyList<string> Texts(SoundShard shard, IReadOnlyList<SpokenItem> items, CancellationToken cancel, Func<float[], string>? decode = null) =>
        Texts(_network, shard, items, decode ?? (p => GreedyDecoder.Decode(p, Alphabet)), BatchSeconds, _device, cancel);

    /// <summary>The words of pieces of a shard, with times in the piece and confidences.</summary>
    /// <inheritdoc cref="Texts(SoundShard, IReadOnlyList{SpokenItem}, CancellationToken, Func{float[], string}?)" path="/param" />
    public IReadOnlyList<IReadOnlyList<AlignedWord>> Words(SoundShard shard, IReadOnlyList<SpokenItem> items, CancellationToken cancel, Func<float[], string>? decode = null) =>
        Each(_network, shard, items, p => Words(p, 0, decode), BatchSeconds, _device, cancel);

    /// <summary>The words of a sound with times and confidences: the text that <paramref name="decode"/> finds, laid along the sound.</summary>
    /// <param name="logProbabilities">Of <see cref="LogProbabilities(IReadOnlyList{float[]})"/>.</param>
    /// <param name="from">Seconds at which the sound begins.</param>
    /// <param name="decode">Log-probabilities to a text; null: greedy decoding.</param>
    public IReadOnlyList<AlignedWord> Words(float[] logProbabilities, double from = 0, Func<float[], string>? decode = null)
    {
        var text = decode is null ? GreedyDecoder.Decode(logProbabilities, Alphabet) : decode(logProbabilities);
        return text.Length == 0 ? [] : ForcedAlignment.Align(logProbabilities, Alphabet, text, SecondsPerFrame, from).Words;
    }

    internal static IReadOnlyList<string> Texts(TranscriberNetwork network, SoundShard shard, IReadOnlyList<SpokenItem> items, Func<float[], string> decode, double batchSeconds, Device device, CancellationToken cancel, Action<int>? done = null) =>
        Each(network, [.. items.Select(i => shard.Lengths[i.Index])], i => shard.Samples(items[i].Index), decode, batchSeconds, device, cancel, done);

    /// <summary>The log-probabilities of letters of pieces of a shard, T'×V each.</summary>
    internal static IReadOnlyList<float[]> Frames(TranscriberNetwork network, SoundShard shard, IReadOnlyList<SpokenItem> items, double batchSeconds, Device device, CancellationToken cancel) =>
        Each(network, shard, items, p => p, batchSeconds, device, cancel);

    /// <inheritdoc cref="Frames(TranscriberNetwork, SoundShard, IReadOnlyList{SpokenItem}, double, Device, CancellationToken)" />
    internal IReadOnlyList<float[]> Frames(SoundShard shard, IReadOnlyList<SpokenItem> items, CancellationToken cancel) => Frames(_network, shard, items, BatchSeconds, _device, cancel);

    private static T[] Each<T>(TranscriberNetwork network, SoundShard shard, IReadOnlyList<SpokenItem> items, Func<float[], T> decode, double batchSeconds, Device device, CancellationToken cancel) =>
        Each(network, [.. items.Select(i => shard.Lengths[i.Index])], i => shard.Samples(items[i].Index), decode, batchSeconds, device, cancel);

    private static T[] Each<T>(TranscriberNetwork network, int[] lengths, Func<int, float[]> sound, Func<float[], T> decode, double batchSeconds, Device device, CancellationToken cancel, Action<int>? done = null)
    {
        var count = 0;
        var decoded = new T[lengths.Length];
        foreach (var part in SoundBatches.Of(Enumerable.Range(0, lengths.Length).OrderBy(i => lengths[i]), i => lengths[i], batchSeconds))
        {
            cancel.ThrowIfCancellationRequested();
            var found = LogProbabilities(network, Array.ConvertAll(part, i => sound(i)), device);
            for (var i = 0; i < part.Length; i++) decoded[part[i]] = decode(found[i]);
            done?.Invoke(count += part.Length);
        }
        return decoded;
    }

    private static float[][] LogProbabilities(TranscriberNetwork network, float[][] sounds, Device device)
    {
        using var held = Finalizers.Held();
        using var off = inference_mode();
        using var scope = NewDisposeScope();
        var lengths = sounds.Select(s => (long)s.Length).ToArray();
        var p = network.LogProbabilities(network.Encoder.Front(SoundBatches.Padded(sounds).to(device), lengths), lengths).to(Devices.Host).contiguous();
        var values = p.data<float>();
        long frames = p.shape[1], letters = p.shape[2];
        var result = new float[sounds.Length][];
        var all = values.ToArray();
        for (var b = 0; b < result.Length; b++) result[b] = all[(int)(b * frames * letters)..(int)((b * frames + network.Encoder.Frames(lengths[b])) * letters)];
        return result;
    }

    /// <summary>Writes the transcriber into a folder, which is made under a temporary name and then renamed; one that is there already is replaced.</summary>
    public void Save(string folder) => Durable.PlaceFolder(folder, temporary =>
    {
        SafeTensors.Write(Path.Combine(temporary, NetworkFile), _network.State());
        Durable.WriteText(Path.Combine(temporary, DescriptionFile), JsonSerializer.Serialize(About, LearningJson.Indented));
    });

    /// <summary>Writes its encoder as a file of <see cref="EncoderWeights"/> that brings the head along: another transcriber then begins where this one is.</summary>
    /// <param name="path">Where to.</param>
    /// <param name="precision">Of the weights in the file.</param>
    /// <exception cref="LearningException">Its head sees more than the encoder's result.</exception>
    public void SaveEncoder(string path, ScalarType precision = ScalarType.Float32)
    {
        if (About.Layers != TranscriberNetwork.Last) throw new LearningException("The head of this transcriber sees all blocks of the encoder, so it cannot be handed on with it; train one with the layers 'last'.");
        using var scope = NewDisposeScope();
        var tensors = _network.Encoder.state_dict().Concat(_network.Head.state_dict()).ToDictionary(t => t.Key, t => t.Value.detach().to_type(precision));
        EncoderWeights.Write(path, About.Encoder, tensors, About.Letters);
    }

    /// <summary>Reads a transcriber, ready to work.</summary>
    /// <exception cref="LearningException">The folder is absent or damaged.</exception>
    public static Transcriber Load(string folder, Device device)
    {
        var about = ReadDescription(folder);
        var path = Path.Combine(folder, NetworkFile);
        using var content = SafeTensors.Read(path);
        using var generator = new Generator(0, Devices.Host);
        if (EncoderFactory.Create(about.Encoder, 0) is not SoundEncoder encoder) throw new LearningException($"The transcriber in {folder} is damaged (its encoder is none of sound); train it again.");
        var network = new TranscriberNetwork(encoder, new Alphabet(about.Letters).Size, about.Layers, generator);
        try { network.Restore(content.Tensors, path); }
        catch
        {
            network.Dispose();
            throw;
        }
        network.To(device);
        return new Transcriber(about, network, device);
    }

    /// <summary>What a saved transcriber is, without its weights.</summary>
    /// <exception cref="LearningException">The folder is absent or damaged.</exception>
    public static TranscriberDescription ReadDescription(string folder)
    {
        var path = Path.Combine(folder, DescriptionFile);
        if (!File.Exists(path)) throw new LearningException($"There is no transcriber in {folder}; train it again.");
        try { return JsonSerializer.Deserialize<TranscriberDescription>(File.ReadAllText(path), LearningJson.Options) ?? throw new JsonException("nothing"); }
        catch (JsonException e) { throw new LearningException($"The transcriber in {folder} is damaged (its description cannot be read); train it again.", e); }
    }

    /// <inheritdoc />
    public void Dispose() => _network.Dispose();
}
