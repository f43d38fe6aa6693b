using System.Text.Json;
using DomainSsl.Core;
using DomainSsl.Core.Language;
using DomainSsl.Core.Models;
using DomainSsl.Core.Runs;
using DomainSsl.Core.Storage;
using DomainSsl.Learning;
using DomainSsl.Learning.Decoding;
using DomainSsl.Learning.Language;
using DomainSsl.Learning.Training;

namespace DomainSsl.Worker;

/// <summary>
/// A language model: the clinic's text → parts → n-gram models or a small network → the registry. The text is gathered once, into the run's folder, so that a run that goes on learns from the same text
/// although transcripts have been accepted meanwhile; it goes when the run is done. Nothing of it is logged.
/// </summary>
public sealed class LanguageRun(LanguageTexts texts, ModelFiles files, ModelRegistry registry)
{
    private const string TextFile = "text.json", Saved = "language";

    /// <summary>The result as it stands in the row, and as <c>language train --json</c> has it; <c>speakers</c> are those whose accepted transcripts it learnt from.</summary>
    public sealed record Result(string Model, string Run, string Kind, int Steps, IReadOnlyDictionary<string, object> Metrics, string Verdict, string HeldOut, double Seconds, IReadOnlyList<string>? Speakers = null);

    /// <summary>Carries it out; a network goes on from its last checkpoint, counting begins again.</summary>
    public async Task<RunOutcome> CarryOutAsync(LanguageRequest request, RunContext context)
    {
        context.Report(new RunReport(Stage: "Gathering the text"));
        var passages = await PassagesAsync(request, context);
        var parts = LanguageParts.Of(passages.Select(p => new LanguageLine(p.Group, p.Text)), Alphabet.English);
        var heldOut = parts.BySentence ? "sentences" : "speakers and reports";
        context.Log($"{parts.Train.Count:#,0} sentences to learn from ({parts.Train.Sum(s => s.Length):#,0} letters), {parts.Choose.Count:#,0} to choose by, {parts.Test.Count:#,0} to measure on; cut between {heldOut}.");
        var saved = Path.Combine(context.Folder, Saved);
        Directory.CreateDirectory(saved);
        var made = request.Kind == LanguageKinds.NGram ? Count(parts, saved, context) : Train(request, parts, saved, context);
        context.Log(made.Figures.Verdict);

        context.Report(new RunReport(Stage: "Storing the model", SecondsLeft: 0));
        var id = ShortId.ModelOf(context.Run.Id);
        var hash = files.PlaceLanguage(id, saved, made.Architecture);
        var metrics = MetricsOf(made.Figures);
        var summary = new Result(id, context.Run.Id, request.Kind, made.Steps, metrics, made.Figures.Verdict, heldOut, Math.Round(made.Seconds, 3), LanguageTexts.Speakers(passages));
        return new RunOutcome(JsonSerializer.Serialize(summary, RunContext.Json), (db, cancel) => registry.AddAsync(db, new Model
        {
            Id = id, Name = request.ModelName, Kind = ModelKind.Language, RunId = context.Run.Id, Recipe = request.Kind, RecipeJson = made.Recipe, Architecture = made.Architecture, DataHash = parts.Hash,
            Seed = request.Seed, Steps = made.Steps, WeightsHash = hash, By = context.Run.By, Metrics = JsonSerializer.Serialize(metrics, RunContext.Json),
        }, cancel), () =>
        {
            File.Delete(Path.Combine(context.Folder, TextFile));
            foreach (var folder in (string[])[saved, Path.Combine(context.Folder, "checkpoints")])
                if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
        });
    }

    private sealed record Made(string Architecture, string Recipe, int Steps, double Seconds, LanguageFigures Figures);

    private async Task<IReadOnlyList<LanguagePassage>> PassagesAsync(LanguageRequest request, RunContext context)
    {
        var path = Path.Combine(context.Folder, TextFile);
        if (File.Exists(path)) return JsonSerializer.Deserialize<List<LanguagePassage>>(await File.ReadAllTextAsync(path, context.Stop), RunContext.Json) ?? [];
        var passages = await texts.GatherAsync(request, context.Stop);
        await WholeFile.WriteTextAsync(path, JsonSerializer.Serialize(passages, RunContext.Json), context.Stop);
        return passages;
    }

    private static Made Count(LanguageParts parts, string saved, RunContext context)
    {
        var begun = System.Diagnostics.Stopwatch.StartNew();
        var curve = new MetricsFile(context.Folder, -1);
        var alphabet = Alphabet.English;
        var baseline = LanguageMeasure.Bits(LanguageMeasure.Frequencies(parts.Train, alphabet, false, [.. parts.Choose.Select(l => l.Text)]));
        context.Report(new RunReport(Device: "cpu"));
        var (models, figures) = NGramTraining.Run(parts, alphabet, (length, lengths, bits) =>
        {
            context.Report(new RunReport((double)length / lengths, $"Length {length} of {lengths}"));
            if (bits is { } b)
                curve.Append(new MetricsLine(length, begun.Elapsed.TotalSeconds, (double)length / lengths, b * Math.Log(2), 0, 0, 0, new Dictionary<string, double> { ["bitsPerLetter"] = b, ["baselineBitsPerLetter"] = baseline }));
        }, context.Stop);
        models.Save(saved);
        var made = JsonSerializer.Serialize(new { kind = LanguageKinds.NGram, letters = new { models.Letters.Order, models.Letters.Count }, words = new { models.Words.Order, models.Words.Count, vocabulary = models.Words.Tokens.Count } }, RunContext.Json);
        return new Made(made, """{"method":"interpolated modified Kneser–Ney","chosen":"the length of n-gram that foretells held-out text best"}""", 0, begun.Elapsed.TotalSeconds, figures);
    }

    private static Made Train(LanguageRequest request, LanguageParts parts, string saved, RunContext context)
    {
        var recipe = LanguageRecipe.For(request.Kind, parts.Train.Sum(s => s.Length + 1L));
        context.Report(new RunReport(Stage: "Starting"));
        var result = LanguageTrainer.Run(new LanguageTrainRequest
        {
            Recipe = recipe, Parts = parts, RunFolder = context.Folder, MaxSeconds = request.MaxSeconds, MaxSteps = request.MaxSteps, Seed = request.Seed,
        }, new TrainingProgress(context, request.MaxSteps ?? (request.MaxSeconds is null ? recipe.Schedule.Steps : null),
            begun => $"{begun.Encoder}, {begun.Parameters:#,0} parameters, {begun.Items:#,0} letters, {begun.Batch} windows a step, on {begun.Device}.",
            (line, health) => new { line.Step, line.Loss, Health = health, line.Metrics, line.Seconds },
            ended => $"{ended.Steps:#,0} steps in {ended.Seconds:0} s."), context.Stop);
        context.Log($"Kept the weights of step {result.BestStep:#,0}, which foretold the text to choose by best.");
        File.Move(result.Training.EncoderPath, Path.Combine(saved, "weights.safetensors"), overwrite: true);
        return new Made(JsonSerializer.Serialize(recipe.Network, LearningJson.Options), JsonSerializer.Serialize(recipe, LearningJson.Options), result.Training.Steps, result.Training.Seconds, result.Figures);
    }

    private static Dictionary<string, object> MetricsOf(LanguageFigures figures)
    {
        var metrics = new Dictionary<string, object>
        {
            ["bitsPerLetter"] = Round(figures.BitsPerLetter), ["baselineBitsPerLetter"] = Round(figures.BaselineBitsPerLetter),
            ["gain"] = new { value = Round(figures.Gain.Value), low = Round(figures.Gain.Low), high = Round(figures.Gain.High) },
        };
        if (figures.NGramBitsPerLetter is { } counting) metrics["ngramBitsPerLetter"] = Round(counting);
        if (figures.WordPerplexity is { } perplexity) metrics["wordPerplexity"] = Round(perplexity);
        if (figures.UnknownWords is { } unknown) metrics["unknownWords"] = Round(unknown);
        (metrics["heldOutLetters"], metrics["heldOutSentences"], metrics["heldOutGroups"]) = (figures.Letters, figures.Sentences, figures.Groups);
        return metrics;

        static double Round(double value) => Math.Round(value, 4);
    }
}
