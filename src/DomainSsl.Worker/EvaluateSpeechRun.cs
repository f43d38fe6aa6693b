using System.Text.Json;
using DomainSsl.Core;
using DomainSsl.Core.Database;
using DomainSsl.Core.Models;
using DomainSsl.Core.Runs;
using DomainSsl.Core.Transcripts;
using DomainSsl.Learning;
using DomainSsl.Learning.Data;
using DomainSsl.Learning.Evaluation;
using DomainSsl.Learning.Transcribing;
using Microsoft.EntityFrameworkCore;

namespace DomainSsl.Worker;

/// <summary>A transcriber measured on recordings of speakers that it was not trained on, by greedy decoding or with a language model.</summary>
public sealed class EvaluateSpeechRun(IDbContextFactory<DomainSslContext> factory, ShardStore shards, ModelFiles files, ModelRegistry registry, SpeechDecoding decoding)
{
    /// <summary>The result as it stands in the row, and as <c>evaluate --json</c> has it.</summary>
    /// <param name="N">Recordings measured on.</param>
    /// <param name="Patients">Their speakers.</param>
    /// <param name="LeftOut">Labels left out: of speakers that the model was trained on, or without a usable text.</param>
    /// <param name="Metrics"><c>cer</c>, <c>wer</c>, <c>wrongWordsInLeastSure</c> and, where terms of the glossary were said, <c>termErrorRate</c>, with their 95 % intervals over speakers.</param>
    /// <param name="Speakers">Each speaker's errors, the most first.</param>
    public sealed record Result(int N, int Patients, int LeftOut, IReadOnlyDictionary<string, Interval> Metrics, IReadOnlyList<SpeakerErrorRates> Speakers);

    /// <summary>Carries it out.</summary>
    public async Task<RunOutcome> CarryOutAsync(EvaluateSpeechRequest request, RunContext context)
    {
        var model = await registry.GetAsync(request.ModelId, context.Stop);
        var folder = files.TranscriberFolder(model);
        var labels = await NotTrainedOnAsync(model, request.Labels, context.Stop);
        if (labels.Count == 0)
            throw new RefusedException("trained-on", $"{model.Name} was trained on every speaker of these recordings, so they say nothing about it; give recordings of other speakers.");
        var (path, places) = await shards.PrepareSpokenAsync(labels, context);

        TorchProcess.Tune();
        context.Report(new RunReport(Stage: "Measuring"));
        using var transcriber = Transcriber.Load(folder, Devices.Choose("auto"));
        var items = FineTuneSpeechRun.Spoken(labels, places, transcriber.Alphabet);
        using var shard = SoundShard.Open(path);
        using var decoder = await decoding.ByAsync(request.Language, transcriber.About, context.Stop);
        var pairs = Pairs(transcriber, shard, items, context.Stop, decoder is null ? null : decoder.Text);
        var result = new Result(pairs.Count, pairs.Select(p => p.Speaker).Distinct().Count(), request.Labels.Count - pairs.Count,
            TranscriptMetrics.Of(pairs, seed: 1, SpeechDecoding.Terms(request.Terms, transcriber.Alphabet)), BySpeaker(pairs));
        return new RunOutcome(JsonSerializer.Serialize(result, RunContext.Json));
    }

    /// <summary>What was said and what the transcriber writes.</summary>
    internal static IReadOnlyList<TranscriptPair> Pairs(Transcriber transcriber, SoundShard shard, IReadOnlyList<SpokenItem> items, CancellationToken cancel, Func<float[], string>? decode = null) =>
        [.. transcriber.Words(shard, items, cancel, decode).Zip(items, (words, i) => new TranscriptPair(i.Text, string.Join(' ', words.Select(w => w.Text)), i.Speaker, [.. words.Select(w => w.Confidence)]))];

    /// <summary>Each speaker's errors, the most first.</summary>
    internal static IReadOnlyList<SpeakerErrorRates> BySpeaker(IEnumerable<TranscriptPair> pairs) =>
        [.. TranscriptMetrics.BySpeaker(pairs).Select(s => new SpeakerErrorRates(s.Speaker, s.Utterances, Math.Round(s.Letters.Rate, 4), Math.Round(s.Words.Rate, 4)))];

    /// <summary>Whether a language model learnt from what one of the speakers said, or may have: those of earlier versions did not keep whose words they read.</summary>
    internal async Task<bool> HasReadAsync(Model language, IReadOnlyList<SpokenLabel> labels, CancellationToken cancel)
    {
        if (language.RunId is null) return false;
        await using var db = await factory.CreateDbContextAsync(cancel);
        var run = await db.Runs.AsNoTracking().SingleOrDefaultAsync(r => r.Id == language.RunId, cancel);
        if (run?.Kind != RunKind.Language || RunRequestJson.Read(run) is not LanguageRequest { Transcripts: true }) return false;
        var read = run.Summary is null ? null : JsonSerializer.Deserialize<LanguageRun.Result>(run.Summary, RunContext.Json)?.Speakers?.ToHashSet(StringComparer.Ordinal);
        if (read is null) return true;
        // Of a recording whose speaker nobody knew when the model read it, a table may have said since who speaks.
        var unnamed = TranscriberService.RecordingsAmong(read);
        read.UnionWith(await db.Recordings.Where(r => unnamed.Contains(r.Id) && r.Speaker != null).Select(r => r.Speaker!.Pseudonym).ToListAsync(cancel));
        return labels.Any(l => read.Contains(l.Speaker));
    }

    /// <summary>The labels of neither a recording nor a speaker that the model has learnt from, whether told by the table's name for the speaker or by the recording's own.</summary>
    internal async Task<IReadOnlyList<SpokenLabel>> NotTrainedOnAsync(Model model, IReadOnlyList<SpokenLabel> labels, CancellationToken cancel)
    {
        if (model.RunId is null) return labels;
        await using var db = await factory.CreateDbContextAsync(cancel);
        var run = await db.Runs.AsNoTracking().SingleOrDefaultAsync(r => r.Id == model.RunId, cancel);
        if (run?.Kind != RunKind.FineTuneSpeech || RunRequestJson.Read(run) is not FineTuneSpeechRequest request) return labels;
        var recordings = await shards.RecordingsAsync(request.Labels.Concat(labels).Select(l => l.ItemId), cancel);
        var ids = request.Labels.Select(l => recordings[l.ItemId].RecordingId).ToHashSet();
        var speakers = request.Labels.SelectMany(l => new[] { l.Speaker, recordings[l.ItemId].Speaker }).OfType<string>().ToHashSet(StringComparer.Ordinal);
        return [.. labels.Where(l => !ids.Contains(recordings[l.ItemId].RecordingId) && !speakers.Contains(l.Speaker) && !(recordings[l.ItemId].Speaker is { } own && speakers.Contains(own)))];
    }
}
