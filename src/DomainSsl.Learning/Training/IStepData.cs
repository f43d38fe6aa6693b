using System.Diagnostics;
using System.Text.Json;
using DomainSsl.Learning.Augmentation;
using DomainSsl.Learning.Data;
using DomainSsl.Learning.Encoders;
using DomainSsl.Learning.Evaluation;
using DomainSsl.Learning.Objectives;
using DomainSsl.Learning.Transcribing;
using static TorchSharp.torch;

namespace DomainSsl.Learning.Training;

/// <summary>Where the tensors of a run's steps come from. A step's are a pure function of seed and step.</summary>
public interface IStepData : IDisposable
{
    /// <summary>Items there are: images, or pieces of sound.</summary>
    int Count { get; }

    /// <summary>Items a step, on average where steps differ.</summary>
    int Batch { get; }

    /// <summary>Called before every step, also the first after a run has been taken up again: targets that the objective makes of the data are made here when they are due.</summary>
    /// <param name="step">Steps done.</param>
    /// <param name="progress">Share of the run that is done.</param>
    /// <param name="objective">As it is now.</param>
    /// <param name="watcher">Told of it.</param>
    /// <param name="cancel">Looked at while targets are made.</param>
    void BeforeStep(int step, double progress, IObjective objective, IRunWatcher watcher, CancellationToken cancel) { }

    /// <summary>The tensors of a step, on the device; they belong to the caller's dispose scope.</summary>
    /// <param name="step">Steps done.</param>
    /// <param name="views">How many views of each item.</param>
    /// <param name="waited">Seconds that had to be waited for them.</param>
    Batch Take(int step, int views, out double waited);
}

/// <summary>What a recipe learns from.</summary>
public static class StepData
{
    /// <summary>Opens a recipe's shard.</summary>
    /// <exception cref="LearningException">It is absent, damaged, of the other kind, or too small.</exception>
    public static IStepData Open(Recipe recipe, string shardPath, IReadOnlyList<string?>? drafts, string runFolder, RandomStreams random, Device device) =>
        recipe.Objective.NeedsDrafts ? new DraftData(recipe, shardPath, drafts ?? throw new LearningException($"The recipe '{recipe.Name}' learns from drafts of the recordings, and there are none; choose another recipe."), runFolder, random, device)
        : recipe.Modality == Modalities.Sound ? new SoundData(recipe, shardPath, random, device) : new ImageData(recipe, shardPath, random, device);
}

/// <summary>Random views of images.</summary>
public sealed class ImageData : IStepData
{
    private readonly Shard _shard;
    private readonly DataStream<float[]> _stream;
    private readonly RandomViews _views;
    private readonly RandomStreams _random;
    private readonly Device _device;

    /// <summary>Opens the shard.</summary>
    public ImageData(Recipe recipe, string shardPath, RandomStreams random, Device device)
    {
        (_random, _device) = (random, device);
        _shard = Shard.Open(shardPath);
        if (_shard.Count < 2)
        {
            _shard.Dispose();
            throw new LearningException("Pretraining needs at least two images; put more into the collection.");
        }
        _views = new RandomViews(recipe.Augmentation, recipe.Encoder.Resolution);
        _stream = new DataStream<float[]>(_shard.Count, recipe.Data.Batch, random, batch => new float[batch * _shard.Channels * _shard.Height * _shard.Width],
            (_, indices, buffer) => _shard.Read(indices, buffer));
    }

    /// <inheritdoc />
    public int Count => _shard.Count;

    /// <inheritdoc />
    public int Batch => _stream.Batch;

    /// <inheritdoc />
    public Batch Take(int step, int views, out double waited)
    {
        var images = Images(step, out waited);
        return new Batch([.. Enumerable.Range(0, views).Select(v => _views.View(images, _random.Augmentation(step, v)))], _random.Objective(step));
    }

    /// <summary>The images of a step as they are, B×C×H×W in [0, 1] on the device.</summary>
    public Tensor Images(int step, out double waited) => tensor(_stream.Take(step, out waited), [Batch, _shard.Channels, _shard.Height, _shard.Width]).to(_device);

    /// <summary>Which images a step gets.</summary>
    public int[] Indices(int step) => _stream.Indices(step);

    /// <inheritdoc />
    public void Dispose()
    {
        _stream.Dispose();
        _shard.Dispose();
    }
}

/// <summary>Random stretches of sound, one view of each.</summary>
public sealed class SoundData : IStepData
{
    private readonly SoundShard _shard;
    private readonly DataStream<Stretches> _stream;
    private readonly RandomCrops _crops;
    private readonly RandomStreams _random;
    private readonly Device _device;

    /// <summary>Opens the shard.</summary>
    public SoundData(Recipe recipe, string shardPath, RandomStreams random, Device device)
    {
        (_random, _device) = (random, device);
        _shard = SoundShard.Open(shardPath);
        if (_shard.Count < 2)
        {
            _shard.Dispose();
            throw new LearningException("Pretraining needs at least two stretches of sound; put more recordings into the collection.");
        }
        _crops = new RandomCrops(recipe.Distortion, (int)(recipe.Data.Seconds * SoundShard.SampleRate));
        _stream = new DataStream<Stretches>(_shard.Count, recipe.Data.Batch, random, batch => new Stretches(batch, _crops.Samples), Read);
    }

    /// <inheritdoc />
    public int Count => _shard.Count;

    /// <inheritdoc />
    public int Batch => _stream.Batch;

    /// <summary>B×T, T the longest stretch of this step.</summary>
    public Batch Take(int step, int views, out double waited)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(views, 1);
        var read = _stream.Take(step, out waited);
        var longest = read.Lengths.Max();
        var samples = tensor(read.Samples, [Batch, _crops.Samples]).narrow(1, 0, longest).contiguous().to(_device);
        return new Batch([samples], _random.Objective(step), [.. read.Lengths]);
    }

    private void Read(int step, int[] indices, Stretches to)
    {
        var random = _random.Augmentation(step, 0);
        for (var i = 0; i < indices.Length; i++) to.Lengths[i] = _crops.Crop(_shard.Piece(indices[i]), to.Samples.AsSpan(i * _crops.Samples, _crops.Samples), random);
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _stream.Dispose();
        _shard.Dispose();
    }

    private sealed class Stretches(int count, int samples)
    {
        public float[] Samples { get; } = new float[count * samples];

        public long[] Lengths { get; } = new long[count];
    }
}

/// <summary>
/// Whole pieces of sound with a draft of what is said in them, as many a step as come to batch × seconds of the recipe. From <see cref="PseudoLabelsOptions.OwnFrom"/> on with what the encoder itself writes of them, but for the drafts that
/// agree best with that. What it wrote is kept in the run's folder: a run that is taken up again learns from the same.
/// </summary>
public sealed class DraftData : IStepData
{
    /// <summary>What the encoder wrote, in the run's folder.</summary>
    public const string OwnFile = "drafts-own.json";

    // Each piece should come so often in what is left of the run; more need not be written down for it.
    private const int LeastEpochs = 4;

    // An encoder that writes less than this share of what stands in the drafts would teach itself to write nothing.
    private const double LeastWritten = 0.3;

    // Learners' English, whose drafts have six letters in ten wrong, agrees to about a half.
    private const double LittleAgreement = 0.2;

    private readonly PseudoLabelsOptions _options;
    private readonly SoundShard _shard;
    private readonly IReadOnlyList<string?> _drafts;
    private readonly string _ownPath;
    private readonly double _seconds;
    private readonly Func<IEnumerable<SpokenItem>, List<SpokenItem>> _usable;
    private readonly Func<SpokenBatches> _open;
    private readonly RandomStreams _random;
    private List<SpokenItem> _items;
    private SpokenBatches _batches;
    private int _next, _since, _round = 1;
    private bool _asked;

    /// <summary>Texts by piece.</summary>
    private sealed record Own(int Step, IReadOnlyDictionary<int, string> Texts);

    /// <summary>Opens the shard.</summary>
    public DraftData(Recipe recipe, string shardPath, IReadOnlyList<string?> drafts, string runFolder, RandomStreams random, Device device)
    {
        (_random, _options, _ownPath, _seconds) = (random, (PseudoLabelsOptions)recipe.Objective, Path.Combine(runFolder, OwnFile), recipe.Data.Batch * recipe.Data.Seconds);
        _shard = SoundShard.Open(shardPath);
        try
        {
            if (drafts.Count != _shard.Count) throw new ArgumentException($"There are {drafts.Count} drafts of {_shard.Count} pieces.", nameof(drafts));
            var alphabet = PseudoLabels.Alphabet;
            _drafts = [.. drafts.Select(d => d is null ? null : alphabet.Normalise(d))];
            _usable = items => SpokenBatches.Usable([.. items], _shard, recipe.Encoder, recipe.Distortion.Speed);
            _items = _usable(_drafts.Select((text, i) => new SpokenItem(i, text ?? "", "")));
            if (_items.Count == 0) throw new LearningException("Nothing of what the recogniser wrote down can be learnt from; look whether English is spoken in the recordings, or choose another recipe.");
            _open = () => new SpokenBatches(_shard, _items, alphabet, recipe.Distortion, _seconds, random, device);
            _batches = _open();
            Batch = (int)Math.Round(_items.Count / (double)_batches.Epoch(0).Count);
        }
        catch
        {
            _shard.Dispose();
            throw;
        }
    }

    /// <inheritdoc />
    public int Count => _items.Count;

    /// <summary>On average: as many as fill a step's seconds, by their length.</summary>
    public int Batch { get; }

    /// <summary>Where it is due: has the encoder write down the pieces, and goes on with that.</summary>
    public void BeforeStep(int step, double progress, IObjective objective, IRunWatcher watcher, CancellationToken cancel)
    {
        if (_asked || progress < _options.OwnFrom || step == 0) return;
        _asked = true;
        // One that was written later belongs to steps that a kill has taken back.
        if (Written() is not { } own || own.Step > step)
        {
            own = new Own(step, Write((PseudoLabels)objective, step * (1 - progress) / progress, watcher, cancel));
            Durable.WriteText(_ownPath, JsonSerializer.Serialize(own, LearningJson.Options));
        }
        if (_usable(own.Texts.Select(t => new SpokenItem(t.Key, t.Value, ""))) is { Count: > 0 } items) (_items, _since, _next, _round) = (items, own.Step, -1, 2);
    }

    /// <inheritdoc />
    public Batch Take(int step, int views, out double waited)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(views, 1);
        // Nothing is made ready beforehand here.
        var clock = Stopwatch.StartNew();
        if (step != _next)
        {
            _batches = _open();
            _batches.Skip(step - _since);
        }
        _next = step + 1;
        var batch = _batches.Take(step);
        waited = clock.Elapsed.TotalSeconds;
        return new Batch([batch.Samples], _random.Objective(step), batch.Lengths, new BatchText(batch.Letters, batch.Counts, _round));
    }

    private Own? Written()
    {
        try { return File.Exists(_ownPath) ? JsonSerializer.Deserialize<Own>(File.ReadAllText(_ownPath), LearningJson.Options) : null; }
        catch (JsonException) { return null; }   // damaged: it is written anew
    }

    // Those first of which there is a draft to hold the own text against. Empty where the encoder had better go on with the drafts.
    private Dictionary<int, string> Write(PseudoLabels objective, double stepsLeft, IRunWatcher watcher, CancellationToken cancel)
    {
        var order = _random.Open("own", 0).Permutation(_shard.Count).OrderBy(i => string.IsNullOrEmpty(_drafts[i])).ToList();
        var (most, seconds) = (stepsLeft * _seconds / LeastEpochs, 0.0);
        var pieces = order.TakeWhile((i, n) => (seconds += _shard.Lengths[i] / (double)SoundShard.SampleRate) <= most || n == 0).ToList();
        var texts = pieces.Zip(objective.Write(_shard, pieces, n => watcher.Busy(FormattableString.Invariant($"Writing the recordings down: {n:#,0} of {pieces.Count:#,0} pieces")), cancel)).ToDictionary();
        var drafts = pieces.Where(i => !string.IsNullOrEmpty(_drafts[i])).Select(i => (Piece: i, Text: _drafts[i]!, Same: Agreement(_drafts[i]!, texts[i]))).OrderByDescending(d => d.Same).ThenBy(d => d.Piece).ToList();
        if (drafts.Sum(d => texts[d.Piece].Length) < LeastWritten * drafts.Sum(d => d.Text.Length))
        {
            watcher.Noted("The encoder writes next to nothing itself yet, so it goes on with all drafts.");
            return [];
        }
        var kept = drafts.Take((int)Math.Round(_options.Kept * drafts.Count)).ToList();
        foreach (var draft in kept) texts[draft.Piece] = draft.Text;
        var (same, best) = (drafts.Select(d => d.Same).DefaultIfEmpty().Average(), kept.Select(d => d.Same).DefaultIfEmpty().Average());
        watcher.Noted(FormattableString.Invariant($"The encoder wrote {pieces.Count:#,0} pieces down itself; {100 * same:0} % of the letters are as in the drafts. It goes on with the {kept.Count:#,0} drafts that agree best ({100 * best:0} %) and with its own text of the rest.")
            + (drafts.Count > 0 && same < LittleAgreement ? " That is little: look whether English is spoken in these recordings; where it is not, choose another recipe." : ""));
        return texts;
    }

    // 1 where they are the same, 0 where no letter stands in its place.
    private static double Agreement(string draft, string own) => 1 - ErrorCounts.OfLetters(draft, own).Errors / (double)Math.Max(draft.Length, own.Length);

    /// <inheritdoc />
    public void Dispose() => _shard.Dispose();
}
