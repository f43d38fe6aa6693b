using System.Text.Encodings.Web;
using System.Text.Json;

namespace DomainSsl.Core.Runs;

/// <summary>Requests as they stand in the rows of the queue.</summary>
public static class RunRequestJson
{
    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>What kind of run a request asks for.</summary>
    public static RunKind KindOf(RunRequest request) => request switch
    {
        PretrainRequest => RunKind.Pretrain,
        FineTuneRequest => RunKind.FineTune,
        EvaluateRequest => RunKind.Evaluate,
        LabelEfficiencyRequest => RunKind.LabelEfficiency,
        PredictRequest => RunKind.Predict,
        EmbedRequest => RunKind.Embed,
        FineTuneSpeechRequest => RunKind.FineTuneSpeech,
        EvaluateSpeechRequest => RunKind.EvaluateSpeech,
        LabelEfficiencySpeechRequest => RunKind.LabelEfficiencySpeech,
        TranscribeRequest => RunKind.Transcribe,
        LanguageRequest => RunKind.Language,
        _ => throw new ArgumentException($"No kind of run carries out a {request.GetType().Name}.", nameof(request)),
    };

    /// <summary>The request as JSON.</summary>
    public static string Write(RunRequest request) => JsonSerializer.Serialize(request, request.GetType(), Options);

    /// <summary>The request of a row.</summary>
    public static RunRequest Read(Run run) => (RunRequest)(JsonSerializer.Deserialize(run.Request, TypeOf(run.Kind), Options)
        ?? throw new InvalidDataException($"The run {run.Id} has no request."));

    private static Type TypeOf(RunKind kind) => kind switch
    {
        RunKind.Pretrain => typeof(PretrainRequest),
        RunKind.FineTune => typeof(FineTuneRequest),
        RunKind.Evaluate => typeof(EvaluateRequest),
        RunKind.LabelEfficiency => typeof(LabelEfficiencyRequest),
        RunKind.Predict => typeof(PredictRequest),
        RunKind.Embed => typeof(EmbedRequest),
        RunKind.FineTuneSpeech => typeof(FineTuneSpeechRequest),
        RunKind.EvaluateSpeech => typeof(EvaluateSpeechRequest),
        RunKind.LabelEfficiencySpeech => typeof(LabelEfficiencySpeechRequest),
        RunKind.Transcribe => typeof(TranscribeRequest),
        RunKind.Language => typeof(LanguageRequest),
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };
}
