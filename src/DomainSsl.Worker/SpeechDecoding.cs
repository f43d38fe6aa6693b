using DomainSsl.Core;
using DomainSsl.Core.Language;
using DomainSsl.Core.Models;
using DomainSsl.Core.Runs;
using DomainSsl.Learning;
using DomainSsl.Learning.Decoding;
using DomainSsl.Learning.Language;
using DomainSsl.Learning.Transcribing;

namespace DomainSsl.Worker;

/// <summary>How a transcriber's letters become text.</summary>
public sealed class SpeechDecoding(ModelRegistry registry, ModelFiles files)
{
    /// <summary>A prefix beam search in which an n-gram model's words and letters weigh in, as much as the transcriber's held-out speakers do best with, and whose likeliest texts a causal model ranks anew; null without models, which means greedy decoding.</summary>
    /// <exception cref="RefusedException">A model is not there, or of another kind.</exception>
    public async Task<SpeechDecoder?> ByAsync(SpeechLanguage? language, TranscriberDescription transcriber, CancellationToken cancel)
    {
        if (language is null) return null;
        async Task<Model?> OfAsync(string? id, string kind) => id is null ? null : await registry.GetAsync(id, cancel) is { Kind: ModelKind.Language } model && model.Recipe == kind ? model
            : throw new RefusedException("no-language-model", $"'{id}' is no {kind} language model; train one with 'language train --kind {kind}'.");
        var (counted, causal) = (await OfAsync(language.NGramId, LanguageKinds.NGram), await OfAsync(language.CausalId, LanguageKinds.Causal));
        var pair = counted is null ? null : files.NGrams(counted);
        var options = transcriber.Beam ?? new BeamOptions();
        return new SpeechDecoder(new PrefixBeamSearch(new Alphabet(transcriber.Letters), options, pair?.Words, pair?.Letters), causal is null ? null : (CausalLanguage)files.LanguageNetworkOf(causal), options.Delta);
    }
}

/// <summary>A search and the model that ranks what it finds. One thread at a time.</summary>
public sealed class SpeechDecoder(PrefixBeamSearch search, CausalLanguage? causal, double weight) : IDisposable
{
    /// <summary>Log-probabilities T×V to a text.</summary>
    public string Text(float[] logProbabilities)
    {
        var found = search.Decode(logProbabilities);
        if (causal is null) return found[0].Text;
        using var held = Finalizers.Held();
        return Hypothesis.Rescored(found, causal.Score, weight)[0].Text;
    }

    /// <inheritdoc />
    public void Dispose() => causal?.Dispose();
}
