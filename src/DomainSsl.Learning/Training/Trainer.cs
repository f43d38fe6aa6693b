using System.Diagnostics;
using DomainSsl.Learning.Encoders;
using DomainSsl.Learning.Health;
using DomainSsl.Learning.Objectives;
using DomainSsl.Learning.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace DomainSsl.Learning.Training;

/// <summary>
/// Pretrains an encoder. It knows no objective by name:
/// <code>
/// build, or restore the last checkpoint
/// until the limit of steps or seconds
///   cancelled?  → checkpoint, stop
///   data.BeforeStep, objective.BeforeStep  targets that come of the data, when they are due
///   batch       ← views of images or stretches of sound, made ready by another thread during the step before
///   loss        ← objective.Loss(batch)            stop if it is not finite
///   gradients   ← backward, clip
///   weights     ← AdamW at the schedule's rate
///   objective.AfterStep
///   every log.steps                        line of metrics.jsonl, health, watchers
///   every checkpoint.steps or .seconds     checkpoint
/// write the encoder
/// </code>
/// Everything between data and weights happens in one dispose scope, so memory stays flat. What a step does depends on seed, step and state alone: a run that is killed and goes
/// on ends with the same bits as one that was not (with a limit of steps; a limit of seconds lets the clock into the schedule).
/// </summary>
public static class Trainer
{
    /// <summary>Runs to the end, from the last checkpoint in the run's folder if there is one.</summary>
    /// <exception cref="LearningException">Recipe, shard or weights do not fit, or the loss is not finite; one sentence.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; a checkpoint is written.</exception>
    public static TrainResult Run(TrainRequest request, IRunWatcher watcher, CancellationToken cancel)
    {
        TorchProcess.Tune();
        var recipe = request.Recipe;
        var device = Devices.Choose(request.Device);
        var random = new RandomStreams(request.Seed);
        Directory.CreateDirectory(request.RunFolder);
        Durable.WriteText(Path.Combine(request.RunFolder, "recipe.json"), recipe.ToJson());

        using var data = StepData.Open(recipe, request.ShardPath, request.Drafts, request.RunFolder, random, device);

        var checkpoints = new Checkpoints(request.RunFolder);
        var restored = checkpoints.ReadState();
        if (restored is not null && restored.Seed != request.Seed)
            throw new LearningException($"The run in {request.RunFolder} was begun with seed {restored.Seed}; go on with that, or use another folder.");
        if (restored is not null) Linear.AsConvolution = restored.LinearAsConvolution;

        using var objective = Build(request, random, restored is not null);
        var precision = Precisions.Choose(restored?.Precision ?? recipe.Precision, objective.Encoder.Spec, device);
        objective.Encoder.Precision = precision;
        objective.Encoder.to(device);
        objective.Heads.to(device);
        using var optimiser = new AdamW(recipe.Optimiser, objective.Encoder, objective.Heads);
        var state = restored ?? new TrainerState(0, 0, 0, 0, request.Seed, Precisions.Name(precision), Linear.AsConvolution);
        if (restored is not null) checkpoints.Restore(restored, objective, optimiser);
        objective.Encoder.train();
        objective.Heads.train();

        var limited = request.MaxSteps is not null || request.MaxSeconds is not null;
        var schedule = new Schedule(recipe.Schedule, limited ? request.MaxSteps : recipe.Schedule.Steps, limited ? request.MaxSeconds : recipe.Schedule.Seconds);
        var metrics = new MetricsFile(request.RunFolder, state.Step);
        var trivial = objective.TrivialLoss(data.Batch);
        var health = RunHealth.Judge(metrics.Lines, objective.Metrics, trivial);
        watcher.Started(new RunStart(state.Step, schedule.Progress(state.Step, state.Seconds), data.Count, data.Batch, objective.Encoder.Spec.ToString(), optimiser.Weights.Sum(w => w.numel()),
            device.ToString(), state.Precision,
        [
            $"Activations in {state.Precision}, fully connected layers as {(state.LinearAsConvolution ? "convolutions" : "matrix products")}, {get_num_threads()} threads.",
            .. restored is null ? [] : new[] { $"Goes on from step {state.Step}, after {state.Seconds:0} seconds of training." },
        ]));

        var clock = Stopwatch.StartNew();
        double Seconds() => (restored?.Seconds ?? 0) + clock.Elapsed.TotalSeconds;
        var (lastLine, lastCheck) = ((state.Items, state.Seconds), (state.Step, state.Seconds));
        while (!schedule.Done(state.Step, state.Seconds))
        {
            if (cancel.IsCancellationRequested)
            {
                watcher.Checked(state.Step, checkpoints.Write(state, objective, optimiser));
                cancel.ThrowIfCancellationRequested();
            }

            var progress = schedule.Progress(state.Step, state.Seconds);
            var (step, rate) = (state.Step + 1, schedule.Rate(progress));
            var logged = step % recipe.Log.Steps == 0 || step == 1 || schedule.Progress(step, state.Seconds) >= 1;
            try { data.BeforeStep(state.Step, progress, objective, watcher, cancel); }
            catch (OperationCanceledException)
            {
                watcher.Checked(state.Step, checkpoints.Write(state, objective, optimiser));
                throw;
            }
            using (Finalizers.Held())
            using (NewDisposeScope())
            {
                objective.BeforeStep(state.Step, progress, ahead => data.Take(state.Step + ahead, objective.Views, out _));
                var batch = data.Take(state.Step, objective.Views, out var waited);
                var loss = objective.Loss(batch);
                if (logged || device.type == DeviceType.CPU) ThrowIfNotFinite(loss.Value.detach(), step, recipe);  // reading a value stops a GPU

                optimiser.ZeroGradients();
                loss.Value.backward();
                if (recipe.Optimiser.Clip > 0) nn.utils.clip_grad_norm_(optimiser.Weights, recipe.Optimiser.Clip);
                optimiser.Step(rate);
                objective.AfterStep(step);

                state = state with { Step = step, Items = state.Items + batch.Views[0].shape[0], Seconds = Seconds(), WaitingSeconds = state.WaitingSeconds + waited };
                if (logged)
                {
                    metrics.Append(new MetricsLine(step, state.Seconds, schedule.Progress(step, state.Seconds), loss.Value.detach().item<float>(), recipe.Optimiser.Rate * rate,
                        (state.Items - lastLine.Items) / Math.Max(1e-9, state.Seconds - lastLine.Seconds), state.WaitingSeconds / state.Seconds, objective.Measure(loss)));
                    lastLine = (state.Items, state.Seconds);
                }
            }
            if (logged) watcher.Stepped(metrics.Lines[^1], health = RunHealth.Judge(metrics.Lines, objective.Metrics, trivial));
            if (step - lastCheck.Step >= recipe.Checkpoint.Steps || state.Seconds - lastCheck.Seconds >= recipe.Checkpoint.Seconds)
            {
                watcher.Checked(step, checkpoints.Write(state, objective, optimiser));
                lastCheck = (step, state.Seconds);
            }
        }

        var path = Path.Combine(request.RunFolder, "encoder.safetensors");
        SaveEncoder(request, objective, path);
        var line = metrics.Lines.LastOrDefault();
        var last = new Dictionary<string, double>(line?.Metrics ?? new Dictionary<string, double>());
        if (line is not null) last["loss"] = line.Loss;
        var result = new TrainResult(state.Step, state.Seconds, state.Items / Math.Max(1e-9, state.Seconds), state.WaitingSeconds / Math.Max(1e-9, state.Seconds),
            PeakMemoryMb(), health, last, path, device.ToString(), state.Precision);
        watcher.Ended(result);
        return result;
    }

    // A head that came with the encoder stays with it, unless the objective has one of its own.
    private static void SaveEncoder(TrainRequest request, IObjective objective, string path)
    {
        var encoder = objective.Encoder;
        if (objective.Reads is { } reads)
        {
            EncoderWeights.Write(path, encoder.Spec, encoder.state_dict().Concat(reads.Head).ToDictionary(), reads.Letters);
            return;
        }
        if (FileOf(request) is not { } start)
        {
            EncoderWeights.Save(encoder, path);
            return;
        }
        using var origin = SafeTensors.Read(start);
        EncoderWeights.Save(encoder, path, origin);
    }

    // The file of the weights that the encoder begins from; null where they are drawn, or come in a package.
    private static string? FileOf(TrainRequest request) => (request.InitWeights ?? request.Recipe.Start) switch
    {
        "scratch" or PublicEncoder.Name => null,
        SpokenEncoder.Name => SpokenEncoder.FilePath,
        var file => file,
    };

    /// <summary>The objective round an encoder with its first weights: the request's, else the recipe's; random where a checkpoint will follow.</summary>
    public static IObjective Build(TrainRequest request, RandomStreams random, bool restored = false)
    {
        var recipe = request.Recipe;
        var start = request.InitWeights ?? recipe.Start;
        var spec = recipe.Encoder;
        var from = start switch
        {
            "scratch" => null,
            PublicEncoder.Name => restored ? EncoderFactory.Create(PublicEncoder.Spec, 0) : PublicEncoder.Read(),
            SpokenEncoder.Name => EncoderWeights.Load(SpokenEncoder.FilePath, Devices.Host),
            _ => EncoderWeights.Load(start, Devices.Host),
        };
        if (from is null && recipe.Objective.NeedsALearntEncoder) throw new LearningException($"The recipe '{recipe.Name}' goes on from an encoder that has learnt before, and was to begin from scratch; name an encoder, or another recipe.");
        if (from is not null)
        {
            // The weights decide which network it is; the recipe, at which resolution it goes on.
            spec = from.Spec with { Resolution = recipe.Encoder.Resolution };
            if (spec.Architecture == "vit" && from.Spec.Resolution != spec.Resolution)
                throw new LearningException($"The encoder to begin from takes {from.Spec.Resolution}×{from.Spec.Resolution} pixels; set encoder.resolution={from.Spec.Resolution}.");
        }
        var encoder = EncoderFactory.Create(spec, (long)random.Initialisation(0).Next());
        if (from is not null)
        {
            using (from) EncoderWeights.Restore(encoder, from.state_dict(), start);
        }
        var objective = recipe.Objective.Create(encoder, random.Initialisation(1));
        if (!restored && FileOf(request) is { } file)
        {
            using var content = SafeTensors.Read(file);
            objective.Begin(content, file);
        }
        return objective;
    }

    private static void ThrowIfNotFinite(Tensor loss, int step, Recipe recipe)
    {
        var value = loss.item<float>();
        if (float.IsFinite(value)) return;
        throw new LearningException($"The loss of step {step} is not a finite number, so the training was stopped; lower optimiser.rate (now {recipe.Optimiser.Rate:g3}) or set optimiser.clip=1.");
    }

    internal static double PeakMemoryMb()
    {
        try
        {
            var line = File.ReadLines("/proc/self/status").FirstOrDefault(l => l.StartsWith("VmHWM:", StringComparison.Ordinal));
            if (line is not null) return double.Parse(line.AsSpan(6, line.Length - 6 - 2)) / 1024;
        }
        catch (IOException)
        {
            // not Linux
        }
        return Process.GetCurrentProcess().PeakWorkingSet64 / 1048576.0;
    }
}
