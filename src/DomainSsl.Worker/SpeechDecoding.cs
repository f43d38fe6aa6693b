using DomainSsl.Core;
using DomainSsl.Core.Language;
using DomainSsl.Core.Models;
using DomainSsl.Learning.Decoding;

namespace DomainSsl.Worker;

/// <summary>How a transcriber's letters become text.</summary>
public sealed class SpeechDecoding(ModelRegistry registry, ModelFiles files)
{
    /// <summary>Log-probabilities T×V to a text: a prefix beam search in which an n-gram model's words and letters weigh in; null without a model, which means greedy decoding.</summary>
    /// <exception cref="RefusedException">The model is not there, or of another kind.</exception>
    public async Task<Func<float[], string>?> ByAsync(string? languageId, Alphabet alphabet, CancellationToken cancel)
    {
        if (languageId is null) return null;
        var model = await registry.GetAsync(languageId, cancel);
        if (model is not { Kind: ModelKind.Language, Recipe: LanguageKinds.NGram }) throw new RefusedException("no-ngram", $"{model.Name} is no n-gram language model, and decoding takes no other; train one with 'language train --kind ngram'.");
        var pair = files.NGrams(model);
        var search = new PrefixBeamSearch(alphabet, new BeamOptions(), pair.Words, pair.Letters);
        return p => search.Decode(p)[0].Text;
    }
}
