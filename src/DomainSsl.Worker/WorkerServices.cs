using Microsoft.Extensions.DependencyInjection;

namespace DomainSsl.Worker;

/// <summary>What carries out runs.</summary>
public static class WorkerServices
{
    /// <summary>Registers it beside Core's services. Asking for these is what loads libtorch, so the site never does.</summary>
    public static IServiceCollection AddDomainSslWorker(this IServiceCollection services) => services
        .AddSingleton<ShardStore>().AddSingleton<ModelFiles>().AddSingleton<PretrainRun>().AddSingleton<FineTuneRun>().AddSingleton<EvaluateRun>()
        .AddSingleton<LabelEfficiencyRun>().AddSingleton<PredictRun>().AddSingleton<EmbedRun>().AddSingleton<FineTuneSpeechRun>().AddSingleton<EvaluateSpeechRun>().AddSingleton<LabelEfficiencySpeechRun>().AddSingleton<TranscribeRun>()
        .AddSingleton<LanguageRun>().AddSingleton<SpeechDecoding>().AddSingleton<EncoderImport>().AddSingleton<RunLoop>();
}
