using DomainSsl.Learning.Objectives;
using DomainSsl.Learning.Training;
using static TorchSharp.torch;

namespace DomainSsl.Learning.Language;

/// <summary>A language model over letters that is trained by windows of a clinic's text and then scores texts.</summary>
/// <param name="network">Its network; it belongs to the model from then on.</param>
public abstract class LanguageModel(LanguageNetwork network) : IDisposable
{
    /// <summary>The network.</summary>
    public LanguageNetwork Network { get; } = network;

    /// <summary>The loss of a batch.</summary>
    /// <param name="windows">B×N, int64: stretches of text with <see cref="LanguageNetwork.Boundary"/> between texts, N as <see cref="Window"/> says.</param>
    /// <param name="random">What the loss draws itself comes from here.</param>
    public abstract ObjectiveLoss Loss(Tensor windows, RandomStream random);

    /// <summary>Letters of a window that the loss takes.</summary>
    public abstract int Window { get; }

    /// <summary>ln V: every letter alike.</summary>
    public double TrivialLoss => Math.Log(Network.Alphabet.Size);

    /// <summary>ln P, or what stands for it, of a normalised text.</summary>
    public abstract double Score(string text);

    /// <summary>The model of a network, by its kind.</summary>
    public static LanguageModel Of(LanguageNetwork network) => network.Spec.Kind == "causal" ? new CausalLanguage(network) : new MaskedLanguage(network);

    /// <inheritdoc />
    public void Dispose()
    {
        Network.Dispose();
        GC.SuppressFinalize(this);
    }
}

/// <summary>Texts one after another as one stream of tokens, each followed by a boundary, from which training cuts windows. A pure function of step and seed, as the images of a run are.</summary>
public sealed class TextStream
{
    private readonly int[] _tokens;

    /// <summary>A stream of normalised texts.</summary>
    /// <exception cref="LearningException">There is no text.</exception>
    public TextStream(IEnumerable<string> lines, Decoding.Alphabet alphabet)
    {
        _tokens = [LanguageNetwork.Boundary, .. lines.Where(l => l.Length > 0).SelectMany(l => alphabet.Encode(l).Append(LanguageNetwork.Boundary))];
        if (_tokens.Length < 3) throw new LearningException("There is no text to learn a language model from; give it transcripts or reports, one sentence a line.");
    }

    /// <summary>Letters and boundaries.</summary>
    public int Length => _tokens.Length;

    /// <summary>Windows at random places, B×N, int64, on the device. A text shorter than a window is gone through again and again.</summary>
    public Tensor Windows(int batch, int length, RandomStream random, Device device)
    {
        var values = new long[batch * length];
        for (var b = 0; b < batch; b++)
        {
            var at = random.Index(_tokens.Length);
            for (var i = 0; i < length; i++)
            {
                values[b * length + i] = _tokens[at];
                // The stream's end is a boundary and so is its beginning: one of the two is enough.
                at = at + 1 < _tokens.Length ? at + 1 : 1;
            }
        }
        return tensor(values, [batch, length]).to(device);
    }
}

/// <summary>Trains a language model on a text by itself; a run of the trainer has what this has not (checkpoints, health, cancelling).</summary>
public static class LanguageTraining
{
    /// <summary>Takes so many steps and gives back the loss of each.</summary>
    /// <param name="model">Trained in place, left in evaluation mode.</param>
    /// <param name="text">What it learns.</param>
    /// <param name="steps">How many.</param>
    /// <param name="batch">Windows a step.</param>
    /// <param name="optimiser">Rate and decay; gradients longer than its clip are shortened.</param>
    /// <param name="seed">Of windows and masks.</param>
    public static IReadOnlyList<double> Run(LanguageModel model, TextStream text, int steps, int batch, RecipeOptimiser optimiser, long seed)
    {
        var (random, schedule, losses) = (new RandomStreams(seed), new Schedule(new RecipeSchedule(), steps, null), new List<double>(steps));
        using var whole = NewDisposeScope();
        using var none = nn.Sequential();
        using var adam = new AdamW(optimiser, model.Network, none);
        model.Network.train();
        for (var step = 0; step < steps; step++)
        {
            using var scope = NewDisposeScope();
            var loss = model.Loss(text.Windows(batch, model.Window, random.Order(step), model.Network.Device), random.Objective(step));
            losses.Add(loss.Value.item<float>());
            if (!double.IsFinite(losses[^1])) throw new LearningException($"The loss of step {step + 1} is not a finite number, so the training was stopped; lower the rate (now {optimiser.Rate:g3}).");
            adam.ZeroGradients();
            loss.Value.backward();
            if (optimiser.Clip > 0) nn.utils.clip_grad_norm_(adam.Weights, optimiser.Clip);
            adam.Step(schedule.Rate(schedule.Progress(step, 0)));
        }
        model.Network.eval();
        return losses;
    }
}
