using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using DomainSsl.Core;
using DomainSsl.Core.Models;
using DomainSsl.Core.Runs;
using DomainSsl.Core.Transcripts;
using DomainSsl.Learning;
using DomainSsl.Learning.Data;
using DomainSsl.Learning.Decoding;
using DomainSsl.Learning.Evaluation;
using DomainSsl.Learning.FineTuning;
using DomainSsl.Learning.Transcribing;

namespace DomainSsl.Worker;

/// <summary>Training a transcriber: transcribed recordings → shard → CTC on an encoder → a transcriber in the registry, with its error rates on held-out speakers.</summary>
public sealed class FineTuneSpeechRun(ShardStore shards, ModelFiles files, ModelRegistry registry, EvaluateSpeechRun evaluate, SpeechDecoding decoding)
{
    // The fit as it goes: a worker that is killed goes on from there.
    private const string Unfinished = "fit";

    /// <summary>The result as it stands in the row, and as <c>finetune --json</c> has it.</summary>
    /// <param name="Model">The transcriber.</param>
    /// <param name="Run">The run.</param>
    /// <param name="Metrics">
    /// Error rates on the request's test speakers by the sound alone (<c>cer</c>, <c>wer</c>, …) and as the clinic's transcripts are written (<c>cerWithLanguage</c>, <c>werWithLanguage</c>, …), each with those of the transcriber
    /// before (<c>cerBefore</c>, <c>cerWithLanguageBefore</c>, …) and what changed (<c>cerChange</c>, <c>cerWithLanguageChange</c>, …: this one's less that one's); without test speakers on the held-out ones, by whom the
    /// number of steps was chosen; empty where there are too few labels to hold any out.
    /// </param>
    /// <param name="Chosen">What was chosen.</param>
    /// <param name="Minutes">Transcribed speech that was learnt from, the held-out speakers' counted.</param>
    /// <param name="LeftOut">Labels that could not be used: empty, or too long, or more letters than their sound has room for.</param>
    /// <param name="Speakers">Each test speaker's errors as the clinic's transcripts are written, the most first.</param>
    public sealed record Result(string Model, string Run, IReadOnlyDictionary<string, Interval> Metrics, TranscriberChoice Chosen, double Minutes, int LeftOut, IReadOnlyList<SpeakerErrorRates> Speakers);

    /// <summary>Carries it out.</summary>
    public async Task<RunOutcome> CarryOutAsync(FineTuneSpeechRequest request, RunContext context)
    {
        var encoder = request.EncoderId == Arm.Scratch ? null : await registry.GetAsync(request.EncoderId, context.Stop);
        var arm = encoder is null ? TranscriberArm.FromScratch : files.TranscriberArmOf(encoder, encoder.Name);
        var (path, places) = await shards.PrepareSpokenAsync(request.Labels, context);
        var alphabet = Alphabet.English;
        var items = Spoken(request.Labels, places, alphabet);

        TorchProcess.Tune();
        var device = Devices.Choose("auto");
        context.Report(new RunReport(Device: SpeechReporting.Name(device), Stage: "Training"));
        using var shard = SoundShard.Open(path);
        var minutes = items.Sum(i => shard.Lengths[i.Index]) / 60.0 / SoundShard.SampleRate;
        context.Log($"{items.Count:#,0} transcribed pieces of {items.Select(i => i.Speaker).Distinct().Count():#,0} speakers, {minutes:0.0} minutes, on {arm.Spec} from {(arm.Pretrained ? arm.Name : "scratch")}.");
        var settings = SpeechReporting.Settings(request.Settings);
        using var fitted = TranscriberFit.Fit(arm, shard, items, alphabet, settings, request.Seed, device, new SpeechReporting(context), context.Stop, Path.Combine(context.Folder, Unfinished));

        var (metrics, speakers) = (fitted.HeldOut.Count == 0 ? new Dictionary<string, Interval>() : TranscriptMetrics.Of(fitted.HeldOut, seed: 1, SpeechDecoding.Terms(request.Language?.Terms, alphabet)), (IReadOnlyList<SpeakerErrorRates>)[]);
        context.Log($"{fitted.Choice.StepsTried:#,0} steps; of held-out speakers {(metrics.TryGetValue("cer", out var cer) ? $"CER {cer}" : "none")}, kept at step {fitted.Choice.Steps:#,0}.");
        if (request.Test is { Count: > 0 } test) (metrics, speakers) = await MeasureAsync(fitted.Transcriber, test, request, context);
        var saved = Path.Combine(context.Folder, "transcriber");
        fitted.Transcriber.Save(saved);
        var id = ShortId.ModelOf(context.Run.Id);
        var architecture = JsonSerializer.Serialize(fitted.Transcriber.About, LearningJson.Options);
        var hash = files.PlaceTranscriber(id, saved, architecture);
        var model = new Model
        {
            Id = id, Name = request.ModelName, Kind = ModelKind.Transcriber, RunId = context.Run.Id, ParentId = encoder?.Id, Recipe = "ctc", RecipeJson = JsonSerializer.Serialize(new { settings, fitted.Choice }, LearningJson.Options),
            Architecture = architecture, DataHash = HashOf(request.Labels), Seed = request.Seed, Steps = fitted.Choice.Steps, WeightsHash = hash, By = context.Run.By, Metrics = JsonSerializer.Serialize(metrics, RunContext.Json),
        };
        var summary = new Result(id, context.Run.Id, metrics, fitted.Choice, Math.Round(minutes, 2), request.Labels.Count - items.Count, speakers);
        return new RunOutcome(JsonSerializer.Serialize(summary, RunContext.Json), (db, cancel) => registry.AddAsync(db, model, cancel), () =>
        {
            foreach (var folder in new[] { saved, Path.Combine(context.Folder, Unfinished) }) if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
        });
    }

    // By the sound alone, which tells what training did, and as the clinic's transcripts are written, which is what people get; the one before on the same terms.
    private async Task<(IReadOnlyDictionary<string, Interval>, IReadOnlyList<SpeakerErrorRates>)> MeasureAsync(Transcriber transcriber, IReadOnlyList<SpokenLabel> test, FineTuneSpeechRequest request, RunContext context)
    {
        var (path, places) = await shards.PrepareSpokenAsync(test, context);
        context.Report(new RunReport(Stage: "Measuring"));
        using var shard = SoundShard.Open(path);
        var items = Spoken(test, places, transcriber.Alphabet);
        var terms = SpeechDecoding.Terms(request.Language?.Terms, transcriber.Alphabet);
        var ways = new List<(string Name, SpeechLanguage? Language)> { ("", null) };
        if (await NotReadAsync(request.Language, test, context) is { } language) ways.Add((TranscriberRound.WithLanguage, language));
        using var earlier = await BeforeAsync(request.BeforeId, test, context);

        var metrics = new Dictionary<string, Interval>();
        IReadOnlyList<TranscriptPair> now = [];
        foreach (var (name, listened) in ways)
        {
            now = await WriteAsync(transcriber, listened);
            Add(TranscriptMetrics.Of(now, seed: 1, terms), name);
            if (earlier is null) continue;
            var before = await WriteAsync(earlier, listened);
            Add(TranscriptMetrics.Of(before, seed: 1, terms), name + "Before");
            Add(TranscriptMetrics.Change(before, now, seed: 1, terms), name + TranscriberRound.Changed);
        }
        return (metrics, EvaluateSpeechRun.BySpeaker(now));

        async Task<IReadOnlyList<TranscriptPair>> WriteAsync(Transcriber by, SpeechLanguage? listened)
        {
            using var decoder = await decoding.ByAsync(listened, by.About, context.Stop);
            return EvaluateSpeechRun.Pairs(by, shard, items, context.Stop, decoder is null ? null : decoder.Text);
        }

        void Add(IReadOnlyDictionary<string, Interval> figures, string name)
        {
            foreach (var (figure, value) in figures) metrics[figure + name] = value;
        }
    }

    // A language model that knows what the test speakers said would make the transcriber look better than it is.
    private async Task<SpeechLanguage?> NotReadAsync(SpeechLanguage? language, IReadOnlyList<SpokenLabel> test, RunContext context)
    {
        foreach (var id in new[] { language?.NGramId, language?.CausalId }.OfType<string>())
        {
            var model = await registry.GetAsync(id, context.Stop);
            if (!await evaluate.HasReadAsync(model, test, context.Stop)) continue;
            context.Log($"{model.Name} may have read what speakers said who are kept for testing now, so the transcriber is measured by the sound alone; train that language model anew.");
            return null;
        }
        return language;
    }

    private async Task<Transcriber?> BeforeAsync(string? id, IReadOnlyList<SpokenLabel> test, RunContext context)
    {
        if (id is null) return null;
        var model = await registry.GetAsync(id, context.Stop);
        if ((await evaluate.NotTrainedOnAsync(model, test, context.Stop)).Count == test.Count) return Transcriber.Load(files.TranscriberFolder(model), Devices.Choose("auto"));
        context.Log($"{model.Name} has learnt from speakers who are kept for testing now, so it would look better than it is; it is not measured beside this one.");
        return null;
    }

    /// <summary>Labels as pieces of a shard, their texts in the letters of the alphabet; those that have no place or no letter are left out.</summary>
    internal static IReadOnlyList<SpokenItem> Spoken(IReadOnlyList<SpokenLabel> labels, IReadOnlyList<int?> places, Alphabet alphabet)
    {
        var items = labels.Zip(places).Where(p => p.Second is not null).Select(p => new SpokenItem(p.Second!.Value, alphabet.Normalise(p.First.Text), p.First.Speaker)).Where(i => i.Text.Length > 0).DistinctBy(i => i.Index).ToList();
        return items.Count > 0 ? items : throw new RefusedException("no-words", "None of the texts has a word in the letters that are known (a to z); look at the column text.");
    }

    private static string HashOf(IEnumerable<SpokenLabel> labels) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(
        string.Concat(labels.Select(l => FormattableString.Invariant($"{l.ItemId}\t{l.Start}\t{l.End}\t{l.Text}\t{l.Speaker}\n")).Order(StringComparer.Ordinal)))));
}

/// <summary>Tells a run how far a fit of a transcriber is.</summary>
internal sealed class SpeechReporting(RunContext context, IReadOnlyDictionary<string, string>? names = null) : IProgress<TranscriberProgress>
{
    public void Report(TranscriberProgress p) => context.Report(new RunReport(p.Share, names is null ? p.Stage : ArmNames.In(p.Stage, names), p.SecondsLeft));

    /// <summary>The settings of a request.</summary>
    public static TranscriberSettings Settings(string? json) => json is null ? new TranscriberSettings()
        : JsonSerializer.Deserialize<TranscriberSettings>(json, LearningJson.Options) ?? throw new RefusedException("settings", "The settings of the transcriber are empty; leave them out for the defaults.");

    /// <summary>A device as people read it.</summary>
    public static string Name(TorchSharp.torch.Device device) => device.type == TorchSharp.DeviceType.CPU ? $"cpu ({TorchProcess.Cores()} threads)" : device.ToString();
}
