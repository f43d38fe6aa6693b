using DomainSsl.Learning.Augmentation;
using DomainSsl.Learning.Data;
using DomainSsl.Learning.Decoding;
using DomainSsl.Learning.Evaluation;
using DomainSsl.Learning.FineTuning;
using DomainSsl.Learning.Training;
using DomainSsl.Learning.Weights;
using TorchSharp;
using static TorchSharp.torch;
using Cosine = DomainSsl.Learning.Training.Schedule;
using F = TorchSharp.torch.nn.functional;

namespace DomainSsl.Learning.Transcribing;

/// <summary>Rates and what came of them on the held-out speakers.</summary>
/// <param name="Rate">Highest rate of the head.</param>
/// <param name="EncoderShare">That of the encoder as a share of it.</param>
/// <param name="HeldOutCer">Character error rate of the held-out speakers.</param>
public sealed record TranscriberTrial(double Rate, double EncoderShare, double HeldOutCer);

/// <summary>What was chosen for a transcriber, and on what grounds.</summary>
/// <param name="Rate">Highest rate of the head.</param>
/// <param name="EncoderShare">That of the encoder as a share of it.</param>
/// <param name="Steps">Steps to the weights that were kept.</param>
/// <param name="StepsTried">Steps that were made in all, trials counted.</param>
/// <param name="HeldOutSpeakers">Speakers by whom it was chosen.</param>
/// <param name="HeldOutCer">Their character error rate with the weights that were kept; null where the labels are too few to hold any out.</param>
/// <param name="Trials">The rates that were tried.</param>
/// <param name="Refitted">Whether the weights come from a further fit on all labels.</param>
public sealed record TranscriberChoice(double Rate, double EncoderShare, int Steps, int StepsTried, int HeldOutSpeakers, double? HeldOutCer, IReadOnlyList<TranscriberTrial> Trials, bool Refitted);

/// <summary>How far a fit is.</summary>
/// <param name="Share">0 to 1, of the most that it may take.</param>
/// <param name="Stage">In words.</param>
/// <param name="SecondsLeft">At most, by the steps so far; null at first.</param>
public sealed record TranscriberProgress(double Share, string Stage, double? SecondsLeft);

/// <summary>A fitted transcriber.</summary>
/// <param name="Transcriber">It.</param>
/// <param name="Choice">What was chosen.</param>
/// <param name="HeldOut">What it wrote of the held-out speakers, by whom the number of steps was chosen: a little too good a figure.</param>
public sealed record FittedTranscriber(Transcriber Transcriber, TranscriberChoice Choice, IReadOnlyList<TranscriptPair> HeldOut) : IDisposable
{
    /// <inheritdoc />
    public void Dispose() => Transcriber.Dispose();
}

/// <summary>
/// The whole fit of one arm on transcribed pieces of sound: CTC on letters (Graves et al. 2006) with speed, noise and hidden stretches. It sees these pieces only. A part of their speakers is held out; by them rates and the number of rounds
/// are chosen, the same way for every arm. First the head alone moves on a pretrained encoder, then everything. Rounds, each longer than the last, follow each other as long as the held-out speakers gain by them (after SGDR, Loshchilov and Hutter 2017), so no arm
/// is cut short; what is kept is the running mean of the weights at the end of the round that they did best with. Weights within a round are not chosen among: of a few minutes too little is held out to do so other than by chance, and
/// the low rate of a round's end is worth more.
/// </summary>
public static class TranscriberFit
{
    /// <summary>Fits an arm.</summary>
    /// <param name="arm">What it starts from.</param>
    /// <param name="shard">The sound.</param>
    /// <param name="items">What is said in it; pieces whose text does not fit into their sound are left out.</param>
    /// <param name="alphabet">The letters.</param>
    /// <param name="settings">How.</param>
    /// <param name="seed">Of everything random.</param>
    /// <param name="device">Where.</param>
    /// <param name="progress">Told about once a second, or null.</param>
    /// <param name="cancel">Looked at between steps.</param>
    /// <param name="folder">Where the fit is kept as it goes; one that is there already goes on from what it finds, and ends as if nothing had been. Null: nowhere. It may be deleted once the fit is done.</param>
    /// <param name="secondsBetween">Between two times that it is kept: what a kill may cost.</param>
    /// <exception cref="LearningException">There is nothing to learn from, or the loss is no number.</exception>
    public static FittedTranscriber Fit(TranscriberArm arm, SoundShard shard, IReadOnlyList<SpokenItem> items, Alphabet alphabet, TranscriberSettings settings, long seed, Device device,
        IProgress<TranscriberProgress>? progress, CancellationToken cancel, string? folder = null, double secondsBetween = 60)
    {
        settings.Validate();
        var usable = Usable(arm, shard, items, settings);
        var (train, held) = Split(shard, usable, settings.HeldOut, seed);
        var work = new Work(arm, shard, alphabet, settings, seed, device, secondsBetween, progress, cancel);
        var rates = (from r in arm.Pretrained ? settings.Rates : settings.FreshRates from e in settings.EncoderShares select (Rate: r, Share: e)).Distinct().ToList();
        var rounds = Enumerable.Range(0, settings.Rounds).Select(r => new Round(Math.Pow(settings.RoundShare, r), settings.StepsOf(r), settings.StepsOf(r))).ToArray();
        // Without anybody held out nothing tells how many rounds are worth it: one, of the second's length.
        if (held.Count == 0) rounds = [rounds[Math.Min(1, rounds.Length - 1)] with { Share = 1 }];
        work.Most = (rates.Count > 1 && held.Count > 0 ? rates.Count * settings.TrialSteps : 0) + (settings.Refit && held.Count > 0 ? 2 : 1) * rounds.Sum(r => r.Steps);

        var keeper = folder is null ? null : new CheckpointFolders<FitState>(folder, FitState.Parts);
        var begun = keeper?.ReadState();
        var trials = begun?.Trials.ToList() ?? [];
        if (begun is not null) work.Done = begun.Done;
        else if (rates.Count > 1 && held.Count > 0)
        {
            foreach (var (rate, share) in rates)
            {
                using var tried = work.Train($"Trying the rate {rate:g3}", train, held, [new Round(1, settings.TrialSteps, settings.TrialSteps)], rate, share);
                trials.Add(new TranscriberTrial(rate, share, tried.Cer));
            }
        }
        var (bestRate, bestShare) = trials.MinBy(t => t.HeldOutCer) is { } least ? (least.Rate, least.EncoderShare) : rates[0];

        var fitted = work.Train("Training", train, held, rounds, bestRate, bestShare, keeper, begun, trials);
        try
        {
            var pairs = work.Pairs(fitted.Network, held);
            var beam = held.Count == 0 ? null : BeamChoice.Of(fitted.Network, shard, train, held, alphabet, settings.BatchSeconds, device, cancel);
            var choice = new TranscriberChoice(bestRate, bestShare, fitted.Steps, 0, held.Select(i => i.Speaker).Distinct().Count(), held.Count == 0 ? null : fitted.Cer, trials, settings.Refit && held.Count > 0);
            if (choice.Refitted)
            {
                // The same rounds, each up to the step that did best in it; more labels make that no worse a place to end.
                var again = work.Train("Training on all labels", usable, [], fitted.Made, bestRate, bestShare);
                fitted.Dispose();
                fitted = again;
            }
            return new FittedTranscriber(new Transcriber(new TranscriberDescription(alphabet.Letters, fitted.Network.Encoder.Spec, settings.Layers, arm.Name, beam), fitted.Network, device), choice with { StepsTried = work.Done }, pairs);
        }
        catch
        {
            fitted.Dispose();
            throw;
        }
    }

    private static List<SpokenItem> Usable(TranscriberArm arm, SoundShard shard, IReadOnlyList<SpokenItem> items, TranscriberSettings settings) =>
        SpokenBatches.Usable(items, shard, arm.Spec, settings.Distortion.Speed) is { Count: > 0 } usable ? usable
            : throw new LearningException("None of the transcribed recordings can be learnt from: their texts are empty or do not fit into their sound; look whether the table names the right files.");

    /// <summary>
    /// Parts the pieces by speaker: speakers in random order are held out until they have their share of the time. Where each speaker has more than a third of it, pieces are held out instead; of fewer than ten pieces none are.
    /// </summary>
    public static (IReadOnlyList<SpokenItem> Train, IReadOnlyList<SpokenItem> Held) Split(SoundShard shard, IReadOnlyList<SpokenItem> items, double share, long seed)
    {
        if (items.Count < 10) return ([.. items], []);
        double Length(IEnumerable<SpokenItem> of) => of.Sum(i => (double)shard.Lengths[i.Index]);
        var all = Length(items);
        var groups = items.GroupBy(i => i.Speaker).OrderBy(g => g.Key, StringComparer.Ordinal).Select(g => g.ToList()).ToArray();
        if (groups.Min(Length) > all / 3) groups = [.. items.OrderBy(i => i.Index).Select(i => new List<SpokenItem> { i })];
        Seeds.Random(seed, "held-out speakers").Shuffle(groups);
        var (held, seconds) = (new List<SpokenItem>(), 0.0);
        foreach (var group in groups)
        {
            // Somebody who has most of the time is not held out for being drawn early.
            if (seconds + Length(group) > 2 * share * all) continue;
            held.AddRange(group);
            if ((seconds += Length(group)) >= share * all) break;
        }
        if (held.Count == 0) held.AddRange(groups.MinBy(Length)!);
        return ([.. items.Except(held)], [.. held.OrderBy(i => i.Index)]);
    }

    /// <summary>A network in training, with the best weights so far.</summary>
    private sealed record Trained(TranscriberNetwork Network, double Cer, IReadOnlyList<Round> Made) : IDisposable
    {
        /// <summary>Steps to these weights.</summary>
        public int Steps => Made.Sum(r => r.Until);

        public void Dispose() => Network.Dispose();
    }

    /// <summary>A cosine of the rate.</summary>
    /// <param name="Share">Of the highest rate.</param>
    /// <param name="Steps">Its length.</param>
    /// <param name="Until">Steps of it that are made, or lead to the weights that were kept.</param>
    private readonly record struct Round(double Share, int Steps, int Until);

    /// <summary>A fit on its way: everything besides its tensors.</summary>
    /// <param name="Step">Steps of all rounds.</param>
    /// <param name="At">Steps of the round under way.</param>
    /// <param name="Made">The rounds before it.</param>
    /// <param name="Before">Error rate of the held-out speakers when it began; null: none was measured.</param>
    /// <param name="Best">The lowest so far; null: none was measured.</param>
    /// <param name="Trials">The rates that were tried before.</param>
    /// <param name="Done">Steps in all, trials counted.</param>
    private sealed record FitState(int Step, int At, IReadOnlyList<Round> Made, double? Before, double? Best, IReadOnlyList<TranscriberTrial> Trials, int Done)
    {
        /// <summary>The weights as they are, the best ones, the running mean, the optimiser's state.</summary>
        public static IReadOnlyList<string> Parts { get; } = ["network", "kept", "mean", "optimiser"];
    }

    private sealed class Work(TranscriberArm arm, SoundShard shard, Alphabet alphabet, TranscriberSettings settings, long seed, Device device, double secondsBetween, IProgress<TranscriberProgress>? progress, CancellationToken cancel)
    {
        private readonly System.Diagnostics.Stopwatch _clock = System.Diagnostics.Stopwatch.StartNew();
        private double _said;

        public int Done { get; set; }

        public int Most { get; set; }

        /// <summary>Trains from the arm's start through rounds and keeps what did best on the held-out pieces; without any, what came last.</summary>
        public Trained Train(string stage, IReadOnlyList<SpokenItem> train, IReadOnlyList<SpokenItem> held, IReadOnlyList<Round> rounds, double rate, double encoderShare,
            CheckpointFolders<FitState>? keeper = null, FitState? begun = null, IReadOnlyList<TranscriberTrial>? trials = null)
        {
            var random = new RandomStreams(Seeds.Of(seed, "transcriber"));
            TranscriberNetwork network;
            using (var generator = random.Initialisation(1).Generator())
                network = new TranscriberNetwork(arm.Start(settings, Seeds.Of(seed, "encoder"), device), alphabet.Size, settings.Layers, generator);
            network.To(device);
            Dictionary<string, Tensor>? kept = null;
            try
            {
                var reads = arm.GiveHead(network, alphabet, settings);
                var batches = new SpokenBatches(shard, train, alphabet, settings.Distortion, settings.BatchSeconds, random, device);
                var (step, best, now, made, written) = (begun?.Step ?? 0, begun?.Best ?? double.PositiveInfinity, double.PositiveInfinity, begun?.Made.ToList() ?? [], _clock.Elapsed.TotalSeconds);
                batches.Skip(step);
                foreach (var (share, steps, until) in rounds.Skip(made.Count))
                {
                    var (before, at, from) = begun is null ? (best, held.Count == 0 ? until : 0, 0) : (begun.Before ?? double.PositiveInfinity, held.Count == 0 ? until : 0, begun.At);
                    if (begun is null && kept is not null) network.Restore(kept, "the best weights so far");
                    using var optimiser = new AdamW(new RecipeOptimiser { Rate = rate * share, EncoderRate = rate * encoderShare * share, WeightDecay = settings.WeightDecay, Beta2 = 0.98 }, network.Encoder, network.Head);
                    var cosine = new Cosine(new RecipeSchedule { Warmup = settings.WarmUp, Floor = 0.01 }, steps, null);
                    using var mean = settings.Averaging > 0 ? new RunningMean(network.State().Values, settings.Averaging) : null;
                    if (begun is not null) kept = Taken(keeper!, begun, network, mean, optimiser);
                    begun = null;
                    for (var i = from; i < until; i++, step++)
                    {
                        if (keeper is not null && _clock.Elapsed.TotalSeconds - written >= secondsBetween)
                        {
                            Write(keeper, new FitState(step, i, made, Finite(before), Finite(best), trials ?? [], Done), network, kept, mean, optimiser);
                            written = _clock.Elapsed.TotalSeconds;
                        }
                        cancel.ThrowIfCancellationRequested();
                        Step(network, optimiser, batches, cosine.Rate(cosine.Progress(i, 0)), still: arm.Pretrained && !reads && step < settings.HeadSteps, random.Objective(step), step);
                        mean?.Add();
                        Report(stage, now);
                        if (held.Count == 0 || ((i + 1) % settings.EvaluateEvery != 0 && i + 1 < steps)) continue;
                        mean?.Swap();
                        now = Cer(Pairs(network, held));
                        if (i + 1 == steps && (now < best || kept is null)) (best, at, kept) = (now, steps, Keep(network, kept));
                        mean?.Swap();
                    }
                    if (held.Count == 0) mean?.Swap();
                    made.Add(new Round(share, steps, at));
                    if (held.Count > 0 && best > (1 - settings.LeastGain) * before) break;
                }
                if (kept is not null) network.Restore(kept, "the best weights");
                network.Encoder.eval();
                return new Trained(network, best, made);
            }
            catch
            {
                network.Dispose();
                throw;
            }
            finally
            {
                foreach (var tensor in kept?.Values ?? Enumerable.Empty<Tensor>()) tensor.Dispose();
            }
        }

        private void Step(TranscriberNetwork network, AdamW optimiser, SpokenBatches batches, double share, bool still, RandomStream random, int step)
        {
            using var held = Finalizers.Held();
            using var scope = NewDisposeScope();
            var (encoder, batch) = (network.Encoder, batches.Take(step));
            var front = SpecAugment.Hide(encoder.Front(batch.Samples, batch.Lengths), batch.Lengths, batch.Samples.shape[1], settings.Masks, random);       // B×F×M
            var p = network.LogProbabilities(front, batch.Lengths, still, settings.Dropout, random);                                                    // B×T'×V
            // Each item's loss by its letters, then the mean over items.
            var loss = F.ctc_loss(p.transpose(0, 1), batch.Letters, tensor(encoder.Frames(batch.Lengths)), tensor(batch.Counts), blank: Alphabet.Blank, zero_infinity: true);
            if (!float.IsFinite(loss.item<float>())) throw new LearningException($"The loss of step {step} is not a finite number, so the training was stopped; lower the transcriber's rates.");
            optimiser.ZeroGradients();
            loss.backward();
            if (settings.Clip > 0) nn.utils.clip_grad_norm_(optimiser.Weights.Where(w => w.grad is not null), settings.Clip);
            optimiser.Step(share);
            optimiser.ZeroGradients();
            Done++;
        }

        /// <summary>What the network writes of pieces.</summary>
        public IReadOnlyList<TranscriptPair> Pairs(TranscriberNetwork network, IReadOnlyList<SpokenItem> items) => [.. Transcriber.Texts(network, shard, items, p => GreedyDecoder.Decode(p, alphabet), settings.BatchSeconds, device, cancel).Zip(items, (text, i) => new TranscriptPair(i.Text, text, i.Speaker))];

        private static double Cer(IReadOnlyList<TranscriptPair> pairs) => pairs.Select(p => ErrorCounts.OfLetters(p.Reference, p.Hypothesis)).Aggregate(ErrorCounts.Add).Rate;

        private static double? Finite(double value) => double.IsFinite(value) ? value : null;

        private static void Write(CheckpointFolders<FitState> keeper, FitState state, TranscriberNetwork network, Dictionary<string, Tensor>? kept, RunningMean? mean, AdamW optimiser)
        {
            using var scope = NewDisposeScope();
            keeper.Write(state.Step, state, (part, path) => SafeTensors.Write(path, part switch
            {
                "network" => network.State(),
                "kept" => kept ?? [],
                "mean" => mean?.State ?? new Dictionary<string, Tensor>(),
                _ => optimiser.State,
            }));
        }

        /// <summary>Puts a state's tensors in their places.</summary>
        /// <returns>The best weights so far; null where none were kept.</returns>
        private static Dictionary<string, Tensor>? Taken(CheckpointFolders<FitState> keeper, FitState state, TranscriberNetwork network, RunningMean? mean, AdamW optimiser)
        {
            using (var best = SafeTensors.Read(keeper.FileOf(state.Step, "kept")))
            {
                var kept = best.Tensors.Count == 0 ? null : Keep(network, null);
                if (kept is not null)
                {
                    network.Restore(best.Tensors, "the checkpoint");
                    Keep(network, kept);
                }
                using (var now = SafeTensors.Read(keeper.FileOf(state.Step, "network"))) network.Restore(now.Tensors, "the checkpoint");
                if (mean is not null) using (var means = SafeTensors.Read(keeper.FileOf(state.Step, "mean"))) mean.Restore(means.Tensors);
                keeper.Restore(state.Step, "optimiser", optimiser);
                return kept;
            }
        }

        private static Dictionary<string, Tensor> Keep(TranscriberNetwork network, Dictionary<string, Tensor>? into)
        {
            using var off = no_grad();
            using var scope = NewDisposeScope();
            if (into is null) return network.State().ToDictionary(t => t.Key, t => t.Value.detach().clone().DetachFromDisposeScope());
            foreach (var (name, tensor) in network.State()) into[name].copy_(tensor);
            return into;
        }

        private void Report(string stage, double cer)
        {
            var seconds = _clock.Elapsed.TotalSeconds;
            if (progress is null || seconds - _said < 1) return;
            _said = seconds;
            var so = double.IsFinite(cer) ? string.Create(System.Globalization.CultureInfo.InvariantCulture, $", {cer:0%} of the letters of held-out speakers wrong") : "";
            progress.Report(new TranscriberProgress(Math.Min(1, Done / (double)Most), $"{stage}: step {Done:#,0} of at most {Most:#,0}{so}", seconds / Math.Max(1, Done) * Math.Max(0, Most - Done)));
        }
    }
}
