using System.Diagnostics;
using DomainSsl.Learning.Decoding;
using DomainSsl.Learning.Encoders;
using DomainSsl.Learning.Health;
using DomainSsl.Learning.Training;
using DomainSsl.Learning.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace DomainSsl.Learning.Language;

/// <summary>How a causal or masked language model is trained; what a run keeps as its recipe.</summary>
public sealed record LanguageRecipe
{
    /// <summary>The network.</summary>
    public required LanguageSpec Network { get; init; }

    /// <summary>Windows of text a step.</summary>
    public int Batch { get; init; } = 32;

    /// <summary>The optimiser.</summary>
    public RecipeOptimiser Optimiser { get; init; } = new() { Rate = 3e-3, Clip = 1, WeightDecay = 0.1 };

    /// <summary>Length and rate.</summary>
    public RecipeSchedule Schedule { get; init; } = new();

    /// <summary>When the state is written.</summary>
    public RecipeCheckpoint Checkpoint { get; init; } = new() { Steps = 50, Seconds = 30 };

    /// <summary>When a line is written.</summary>
    public RecipeLog Log { get; init; } = new();

    /// <summary>Into how many parts the run is cut by looks at held-out text.</summary>
    public int Looks { get; init; } = 20;

    /// <summary>The recipe for a text of so many letters, where nobody says how long: about thirty times through a small text, once or twice through a large one.</summary>
    /// <param name="kind"><c>causal</c> or <c>masked</c>.</param>
    /// <param name="letters">Letters to learn from.</param>
    public static LanguageRecipe For(string kind, long letters)
    {
        // A network that is large for its text is slow and learns it by heart.
        var spec = letters < 20_000 ? new LanguageSpec { Kind = kind, Width = 64, Depth = 2, Context = 64 } : letters < 2_000_000 ? new LanguageSpec { Kind = kind } : new LanguageSpec { Kind = kind, Width = 192, Depth = 6 };
        var recipe = new LanguageRecipe { Network = spec, Batch = letters < 20_000 ? 16 : 32 };
        return recipe with { Schedule = new RecipeSchedule { Steps = (int)Math.Clamp(30 * letters / (recipe.Batch * spec.Context), 300, 6000) } };
    }
}

/// <summary>What a run of <see cref="LanguageTrainer"/> asks for.</summary>
public sealed record LanguageTrainRequest
{
    /// <summary>How.</summary>
    public required LanguageRecipe Recipe { get; init; }

    /// <summary>The text.</summary>
    public required LanguageParts Parts { get; init; }

    /// <summary>Where curve, checkpoints and result go; a run whose checkpoints lie there goes on from the last.</summary>
    public required string RunFolder { get; init; }

    /// <summary>Steps at most. If this or <see cref="MaxSeconds"/> is given, the recipe's own limits do not count.</summary>
    public int? MaxSteps { get; init; }

    /// <summary>Seconds of training at most.</summary>
    public double? MaxSeconds { get; init; }

    /// <summary>Seed of every random stream.</summary>
    public long Seed { get; init; }

    /// <summary><c>auto</c>, <c>cpu</c> or <c>cuda</c>.</summary>
    public string Device { get; init; } = "auto";
}

/// <summary>What came out.</summary>
/// <param name="Training">The run; the path is the language model's.</param>
/// <param name="BestStep">The step whose weights were kept: those that foretold the part to choose by best.</param>
/// <param name="Figures">What they are worth on the part that no choice looked at.</param>
public sealed record LanguageTrainResult(TrainResult Training, int BestStep, LanguageFigures Figures);

/// <summary>
/// Trains a causal or masked language model as a run: the loop of <see cref="Trainer"/> with text in place of items, and a look at held-out text at every twentieth part of the run, by which the best weights
/// are kept, since a small text is soon known by heart. A run that is killed goes on from its last checkpoint and, with a limit of steps, ends with the same bits as one that was not.
/// </summary>
public static class LanguageTrainer
{
    private sealed record State(int Step, double Seconds, long Seed, bool LinearAsConvolution, int BestStep, double BestBits);

    /// <summary>Runs to the end.</summary>
    /// <exception cref="LearningException">The text or a setting does not do, or the loss is not finite; one sentence, which quotes nothing of the text.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; a checkpoint is written.</exception>
    public static LanguageTrainResult Run(LanguageTrainRequest request, IRunWatcher watcher, CancellationToken cancel)
    {
        TorchProcess.Tune();
        var (recipe, parts, random, device) = (request.Recipe, request.Parts, new RandomStreams(request.Seed), Devices.Choose(request.Device));
        var checkpoints = new CheckpointFolders<State>(request.RunFolder, ["network", "best", "optimiser"]);
        var restored = checkpoints.ReadState();
        if (restored is not null && restored.Seed != request.Seed)
            throw new LearningException($"The run in {request.RunFolder} was begun with seed {restored.Seed}; go on with that, or use another folder.");
        if (restored is not null) Linear.AsConvolution = restored.LinearAsConvolution;

        using var whole = NewDisposeScope();
        using var model = LanguageModel.Of(new LanguageNetwork(recipe.Network, (long)random.Initialisation(0).Next()));
        model.Network.to(device);
        using var none = nn.Sequential();
        using var optimiser = new AdamW(recipe.Optimiser, model.Network, none);
        var best = model.Network.state_dict().ToDictionary(w => w.Key, w => w.Value.detach().clone());
        var state = restored ?? new State(0, 0, request.Seed, Linear.AsConvolution, 0, double.PositiveInfinity);
        if (restored is not null)
        {
            Fill(model.Network.state_dict(), checkpoints.FileOf(state.Step, "network"));
            Fill(best, checkpoints.FileOf(state.Step, "best"));
            checkpoints.Restore(state.Step, "optimiser", optimiser);
        }
        var text = new TextStream(parts.Train, model.Network.Alphabet);
        string[] choose = [.. parts.Choose.Select(l => l.Text)];
        var baseline = LanguageMeasure.Bits(LanguageMeasure.Frequencies(parts.Train, model.Network.Alphabet, model is MaskedLanguage, choose));

        var limited = request.MaxSteps is not null || request.MaxSeconds is not null;
        var schedule = new Schedule(recipe.Schedule, limited ? request.MaxSteps : recipe.Schedule.Steps, limited ? request.MaxSeconds : recipe.Schedule.Seconds);
        var metrics = new MetricsFile(request.RunFolder, state.Step);
        var health = RunHealth.Judge(metrics.Lines, [], model.TrivialLoss);
        watcher.Started(new RunStart(state.Step, schedule.Progress(state.Step, state.Seconds), text.Length, recipe.Batch, $"{recipe.Network.Kind} Transformer, {recipe.Network.Depth} × {recipe.Network.Width}",
            optimiser.Weights.Sum(w => w.numel()), device.ToString(), "float32", restored is null ? [] : [$"Goes on from step {state.Step}, after {state.Seconds:0} seconds of training."]));

        var clock = Stopwatch.StartNew();
        double Seconds() => (restored?.Seconds ?? 0) + clock.Elapsed.TotalSeconds;
        var (lastLine, lastCheck) = ((state.Step, state.Seconds), (state.Step, state.Seconds));
        string Check() => checkpoints.Write(state.Step, state, (part, path) =>
        {
            if (part == "network") model.Network.Save(path);
            else SafeTensors.Write(path, part == "best" ? best : optimiser.State);
        });
        model.Network.train();
        while (!schedule.Done(state.Step, state.Seconds))
        {
            if (cancel.IsCancellationRequested)
            {
                watcher.Checked(state.Step, Check());
                cancel.ThrowIfCancellationRequested();
            }
            var progress = schedule.Progress(state.Step, state.Seconds);
            var (step, rate) = (state.Step + 1, schedule.Rate(progress));
            double value;
            using (Finalizers.Held())
            using (NewDisposeScope())
            {
                var loss = model.Loss(text.Windows(recipe.Batch, model.Window, random.Order(state.Step), device), random.Objective(state.Step)).Value;
                value = loss.detach().item<float>();
                if (!double.IsFinite(value)) throw new LearningException($"The loss of step {step} is not a finite number, so the training was stopped; begin it again with another seed.");
                optimiser.ZeroGradients();
                loss.backward();
                if (recipe.Optimiser.Clip > 0) nn.utils.clip_grad_norm_(optimiser.Weights, recipe.Optimiser.Clip);
                optimiser.Step(rate);
            }
            state = state with { Step = step, Seconds = Seconds() };
            var now = schedule.Progress(step, state.Seconds);
            var looked = step == 1 || Math.Floor(now * recipe.Looks) > Math.Floor(progress * recipe.Looks) || now >= 1;
            var figures = new Dictionary<string, double>();
            if (looked)
            {
                var bits = Look(model, choose);
                (figures["bitsPerLetter"], figures["baselineBitsPerLetter"]) = (bits, baseline);
                if (bits < state.BestBits)
                {
                    using var off = no_grad();
                    foreach (var (name, weight) in model.Network.state_dict()) best[name].copy_(weight);
                    state = state with { BestStep = step, BestBits = bits };
                }
                state = state with { Seconds = Seconds() };
            }
            if (looked || step % recipe.Log.Steps == 0)
            {
                metrics.Append(new MetricsLine(step, state.Seconds, schedule.Progress(step, state.Seconds), value, recipe.Optimiser.Rate * rate,
                    (step - lastLine.Step) * recipe.Batch / Math.Max(1e-9, state.Seconds - lastLine.Seconds), 0, figures));
                lastLine = (step, state.Seconds);
                watcher.Stepped(metrics.Lines[^1], health = RunHealth.Judge(metrics.Lines, [], model.TrivialLoss));
            }
            if (step - lastCheck.Step >= recipe.Checkpoint.Steps || state.Seconds - lastCheck.Seconds >= recipe.Checkpoint.Seconds)
            {
                watcher.Checked(step, Check());
                lastCheck = (step, state.Seconds);
            }
        }

        Copy(best, model.Network.state_dict());
        model.Network.eval();
        var file = Path.Combine(request.RunFolder, "language.safetensors");
        model.Network.Save(file);
        var result = new LanguageTrainResult(new TrainResult(state.Step, state.Seconds, state.Step * recipe.Batch / Math.Max(1e-9, state.Seconds), 0, Trainer.PeakMemoryMb(), health,
            metrics.Lines.LastOrDefault()?.Metrics ?? new Dictionary<string, double>(), file, device.ToString(), "float32"), state.BestStep, Measure(model, parts));
        watcher.Ended(result.Training);
        return result;
    }

    private static double Look(LanguageModel model, IEnumerable<string> sentences)
    {
        model.Network.eval();
        using (Finalizers.Held())
        {
            var bits = LanguageMeasure.Bits(LanguageMeasure.Of(model, sentences));
            model.Network.train();
            return bits;
        }
    }

    private static LanguageFigures Measure(LanguageModel model, LanguageParts parts)
    {
        var alphabet = model.Network.Alphabet;
        using var held = Finalizers.Held();
        var figures = LanguageMeasure.Figures(LanguageMeasure.Of(model, parts.Test.Select(l => l.Text)), parts.Test, parts.Train, alphabet, model is MaskedLanguage);
        // Both foretell the same letters from those before; a masked model has those behind as well, so nothing stands beside it but the baseline.
        return model is MaskedLanguage ? figures : figures with { NGramBitsPerLetter = NGramTraining.Run(parts, alphabet).Figures.BitsPerLetter };
    }

    private static void Fill(IReadOnlyDictionary<string, Tensor> into, string path)
    {
        using var saved = SafeTensors.Read(path);
        Copy(saved.Tensors, into);
    }

    private static void Copy(IReadOnlyDictionary<string, Tensor> from, IReadOnlyDictionary<string, Tensor> into)
    {
        using var off = no_grad();
        foreach (var (name, weight) in into)
            weight.copy_(from.TryGetValue(name, out var source) && source.shape.SequenceEqual(weight.shape) ? source : throw new LearningException("The checkpoint belongs to another network; begin the run again."));
    }
}
