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
    /// <summary>A prefix beam search in which an n-gram model's words and letters weigh in, as much as the transcriber's held-out speakers do best with, in which the glossary's terms are favoured, and whose likeliest texts a causal model ranks anew; null without any of these, which means greedy decoding.</summary>
    /// <exception cref="RefusedException">A model is not there, or of another kind.</exception>
    public async Task<SpeechDecoder?> ByAsync(SpeechLanguage? language, TranscriberDescription transcriber, CancellationToken cancel)
    {
        if (language is null) return null;
        async Task<Model?> OfAsync(string? id, string kind) => id is null ? null : await registry.GetAsync(id, cancel) is { Kind: ModelKind.Language } model && model.Recipe == kind ? model
            : throw new RefusedException("no-language-model", $"'{id}' is no {kind} language model; train one with 'language train --kind {kind}'.");
        var (counted, causal) = (await OfAsync(language.NGramId, LanguageKinds.NGram), await OfAsync(language.CausalId, LanguageKinds.Causal));
        var pair = counted is null ? null : files.NGrams(counted);
        var (options, alphabet) = (transcriber.Beam ?? new BeamOptions(), new Alphabet(transcriber.Letters));
        var terms = Favoured(language, alphabet);
        return new SpeechDecoder(new PrefixBeamSearch(alphabet, options, pair?.Words, pair?.Letters, terms.Count == 0 ? null : new Glossary(terms, alphabet)), causal is null ? null : (CausalLanguage)files.LanguageNetworkOf(causal), options.Delta);
    }

    /// <summary>Terms of which decoding makes more than of other words, in the letters of an alphabet.</summary>
    internal static IReadOnlyList<GlossaryTerm> Favoured(SpeechLanguage language, Alphabet alphabet) =>
        [.. (language.Terms ?? []).Select(t => new GlossaryTerm(alphabet.Normalise(t), Glossary.DefaultBoost * (language.Boosts?.GetValueOrDefault(t, 1) ?? 1)))
            .Where(t => t.Text.Length > 0).GroupBy(t => t.Text, StringComparer.Ordinal).Select(g => g.MaxBy(t => t.Boost)!)];

    /// <summary>Terms in the letters of an alphabet, each once. One without a letter that the transcriber knows, such as one of another script, cannot be heard and is left out.</summary>
    internal static IReadOnlyList<string> Terms(IReadOnlyList<string>? terms, Alphabet alphabet) => [.. (terms ?? []).Select(alphabet.Normalise).Where(t => t.Length > 0).Distinct(StringComparer.Ordinal)];
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
