namespace DomainSsl.Core.Runs;

/// <summary>What a run is asked to do, stored as JSON in its row.</summary>
public abstract record RunRequest;

/// <summary>Pretrain an encoder on a collection, without labels.</summary>
/// <param name="CollectionId">A frozen collection.</param>
/// <param name="Recipe">The resolved recipe as JSON, changes by <c>--set</c> included.</param>
/// <param name="ModelName">The name of the encoder to be made.</param>
/// <param name="Seed">Seed of every random stream.</param>
/// <param name="MaxSeconds">Time limit of the training itself, seconds; null for the recipe's.</param>
/// <param name="MaxSteps">Step limit; null for the recipe's.</param>
/// <param name="InitModelId">The model to begin from, <c>scratch</c>, or null for what the recipe says.</param>
public sealed record PretrainRequest(long CollectionId, string Recipe, string ModelName, long Seed, double? MaxSeconds, int? MaxSteps, string? InitModelId) : RunRequest;

/// <summary>A label by hash of the file as imported, so that a request stands by itself.</summary>
/// <param name="ItemId">The item.</param>
/// <param name="Class">The class's name.</param>
/// <param name="Patient">Pseudonym, or given patient or speaker; splits go by it.</param>
public sealed record LabelledItem(long ItemId, string Class, string Patient);

/// <summary>The group of an item whose patient or speaker nobody named: it stands for itself alone, though several may well be of one person.</summary>
public static class StandIn
{
    /// <summary>The group of an item.</summary>
    public static string Of(long itemId) => $"item {itemId}";

    /// <summary>Whether a group is of this kind; neither pseudonyms nor names from tables, which become pseudonyms, look like it.</summary>
    public static bool Is(string group) => group.StartsWith("item ", StringComparison.Ordinal);
}

/// <summary>Train a classifier from labels, with the arms it is compared with.</summary>
/// <param name="TaskId">The task (a CSV makes one too).</param>
/// <param name="Labels">The current labels, as they stood when training was asked for.</param>
/// <param name="Classes">Class names in their order.</param>
/// <param name="EncoderId">The encoder, or <c>scratch</c>.</param>
/// <param name="Mode"><c>probe</c>, <c>full</c> or <c>best</c>.</param>
/// <param name="Compare">Whether the arms public and scratch are trained beside it.</param>
/// <param name="TestPatients">Locked test patients: their labels are test labels; empty: cross-validation alone.</param>
/// <param name="ModelName">The name of the classifier to be made.</param>
/// <param name="Seed">Seed of every random stream.</param>
/// <param name="PredictRest">Afterwards predict all other items of the task's collection, and of others that an earlier classifier of the task answered for.</param>
/// <param name="Settings">The resolved settings as JSON; null for the defaults.</param>
public sealed record FineTuneRequest(long TaskId, IReadOnlyList<LabelledItem> Labels, IReadOnlyList<string> Classes, string EncoderId, string Mode, bool Compare,
    IReadOnlyList<string> TestPatients, string ModelName, long Seed, bool PredictRest, string? Settings = null) : RunRequest;

/// <summary>Measure a classifier on labels.</summary>
/// <param name="ModelId">The classifier.</param>
/// <param name="Labels">Labels that it was not trained on.</param>
public sealed record EvaluateRequest(string ModelId, IReadOnlyList<LabelledItem> Labels) : RunRequest;

/// <summary>Measure what pretraining is worth.</summary>
/// <param name="Train">Labels to draw from.</param>
/// <param name="Test">Labels to test on.</param>
/// <param name="Classes">Class names in their order.</param>
/// <param name="EncoderIds">The arms; from scratch is always added.</param>
/// <param name="Budgets">Label counts.</param>
/// <param name="Repeats">Draws a budget.</param>
/// <param name="Modes"><c>probe</c>, <c>full</c>.</param>
/// <param name="Seed">Seed of draws and training.</param>
/// <param name="Balanced">Whether every class is drawn as often.</param>
/// <param name="Settings">The resolved settings as JSON; null for the defaults.</param>
public sealed record LabelEfficiencyRequest(IReadOnlyList<LabelledItem> Train, IReadOnlyList<LabelledItem> Test, IReadOnlyList<string> Classes,
    IReadOnlyList<string> EncoderIds, IReadOnlyList<int> Budgets, int Repeats, IReadOnlyList<string> Modes, long Seed, bool Balanced = false,
    string? Settings = null) : RunRequest;

/// <summary>Let a classifier answer for items.</summary>
/// <param name="ModelId">The classifier.</param>
/// <param name="CollectionId">All items of a collection, or</param>
/// <param name="ItemIds">these items.</param>
/// <param name="ForReview">Store the answers as predictions to be reviewed (the model must belong to a task).</param>
public sealed record PredictRequest(string ModelId, long? CollectionId, IReadOnlyList<long>? ItemIds, bool ForReview) : RunRequest;

/// <summary>Compute features of items into <c>runs/ID/features.npy</c> (float32 N×D) and <c>features.csv</c>.</summary>
/// <param name="ModelId">An encoder or classifier.</param>
/// <param name="CollectionId">All items of a collection, or</param>
/// <param name="ItemIds">these items.</param>
public sealed record EmbedRequest(string ModelId, long? CollectionId, IReadOnlyList<long>? ItemIds) : RunRequest;

/// <summary>What is said in a recording, or in a stretch of it.</summary>
/// <param name="ItemId">The recording's item.</param>
/// <param name="Text">As written.</param>
/// <param name="Speaker">Pseudonym or given speaker; splits go by it.</param>
/// <param name="Start">Where the stretch begins in the recording, seconds; null: where the item does.</param>
/// <param name="End">Where it ends, seconds; null: where the item does.</param>
public sealed record SpokenLabel(long ItemId, string Text, string Speaker, double? Start = null, double? End = null)
{
    /// <summary>Seconds of a stretch at most: what is transcribed is learnt from whole, and of longer stretches nobody knows which words are where.</summary>
    public const double LongestSeconds = 30;
}

/// <summary>Train a transcriber.</summary>
/// <param name="Labels">What is said.</param>
/// <param name="EncoderId">The encoder, or <c>scratch</c>.</param>
/// <param name="ModelName">The name of the transcriber to be made.</param>
/// <param name="Seed">Seed of every random stream.</param>
/// <param name="Settings">The resolved settings as JSON; null for the defaults.</param>
/// <param name="Test">What is said in recordings of locked test speakers, by which the result is measured and nothing is chosen; null where there are none.</param>
/// <param name="BeforeId">A transcriber that is measured on the same recordings, to say what changed, unless it has learnt from them.</param>
/// <param name="Language">What the clinic's transcribing listens to besides the sound: the test speakers are measured with it as well as without, and errors in its terms are counted; null: nothing.</param>
public sealed record FineTuneSpeechRequest(IReadOnlyList<SpokenLabel> Labels, string EncoderId, string ModelName, long Seed, string? Settings = null, IReadOnlyList<SpokenLabel>? Test = null,
    string? BeforeId = null, SpeechLanguage? Language = null) : RunRequest;

/// <summary>What decoding listens to besides the sound.</summary>
/// <param name="NGramId">An n-gram model, which weighs in letter by letter; null: none.</param>
/// <param name="CausalId">A causal model, by which the likeliest texts are ranked anew; null: none.</param>
/// <param name="Terms">Terms of the glossary, which are favoured; null: none.</param>
/// <param name="Boosts">By how much, relative to the usual, for terms that are favoured more or less than others: 0 is not at all; null: all as usual.</param>
public sealed record SpeechLanguage(string? NGramId, string? CausalId = null, IReadOnlyList<string>? Terms = null, IReadOnlyDictionary<string, double>? Boosts = null)
{
    /// <summary>Of what may not be there; null where nothing is.</summary>
    public static SpeechLanguage? Of(string? ngramId, string? causalId, IReadOnlyList<string>? terms = null, IReadOnlyDictionary<string, double>? boosts = null) =>
        ngramId is null && causalId is null && terms is not { Count: > 0 } ? null : new(ngramId, causalId, terms is { Count: > 0 } ? terms : null, boosts is { Count: > 0 } ? boosts : null);
}

/// <summary>Measure a transcriber.</summary>
/// <param name="ModelId">The transcriber.</param>
/// <param name="Labels">What is said in recordings that it was not trained on.</param>
/// <param name="Language">The language models that decoding listens to; null: greedy decoding.</param>
/// <param name="Terms">Terms of the glossary, whose errors are counted besides; null: none.</param>
public sealed record EvaluateSpeechRequest(string ModelId, IReadOnlyList<SpokenLabel> Labels, SpeechLanguage? Language = null, IReadOnlyList<string>? Terms = null) : RunRequest;

/// <summary>Measure what pretraining is worth for transcribing.</summary>
/// <param name="Train">Transcribed recordings to draw from.</param>
/// <param name="Test">Transcribed recordings of other speakers.</param>
/// <param name="EncoderIds">The arms; from scratch is always added.</param>
/// <param name="Budgets">Minutes of transcribed speech.</param>
/// <param name="Repeats">Draws a budget.</param>
/// <param name="Seed">Seed of draws and training.</param>
/// <param name="Settings">The resolved settings as JSON; null for the defaults.</param>
public sealed record LabelEfficiencySpeechRequest(IReadOnlyList<SpokenLabel> Train, IReadOnlyList<SpokenLabel> Test, IReadOnlyList<string> EncoderIds, IReadOnlyList<int> Budgets, int Repeats, long Seed,
    string? Settings = null) : RunRequest;

/// <summary>Write down what is said in recordings.</summary>
/// <param name="ModelId">The transcriber.</param>
/// <param name="ItemIds">Items of whole recordings.</param>
/// <param name="Language">The language models that decoding listens to; null: greedy decoding.</param>
/// <param name="FitId">A masked language model that says afterwards how well each word fits between the others; null: nobody does.</param>
public sealed record TranscribeRequest(string ModelId, IReadOnlyList<long> ItemIds, SpeechLanguage? Language = null, string? FitId = null) : RunRequest;

/// <summary>Train a language model on the clinic's own text.</summary>
/// <param name="Kind"><c>ngram</c>, <c>causal</c> or <c>masked</c>.</param>
/// <param name="Transcripts">Whether to learn from accepted transcripts.</param>
/// <param name="CollectionId">Of the recordings of this collection alone; null: of all.</param>
/// <param name="Texts">Blobs of further texts.</param>
/// <param name="ModelName">The name of the model to be made.</param>
/// <param name="Seed">Seed of every random stream.</param>
/// <param name="MaxSeconds">Time limit of the training itself, seconds; null, without steps too: as long as suits the text.</param>
/// <param name="MaxSteps">Step limit.</param>
public sealed record LanguageRequest(string Kind, bool Transcripts, long? CollectionId, IReadOnlyList<string> Texts, string ModelName, long Seed, double? MaxSeconds, int? MaxSteps) : RunRequest;
