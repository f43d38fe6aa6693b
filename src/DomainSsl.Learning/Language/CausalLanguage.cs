using DomainSsl.Learning.Objectives;
using DomainSsl.Learning.Training;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace DomainSsl.Learning.Language;

/// <summary>
/// A small GPT: "Improving Language Understanding by Generative Pre-Training", Radford, Narasimhan, Salimans, Sutskever, 2018, equation 1: L₁(U) = Σᵢ ln P(uᵢ | u₍ᵢ₋ₖ₎ … uᵢ₋₁), here with letters as
/// tokens and the mean in place of the sum.
/// </summary>
public sealed class CausalLanguage : LanguageModel
{
    /// <summary>Of a network of the kind <c>causal</c>.</summary>
    public CausalLanguage(LanguageNetwork network) : base(network)
    {
        if (network.Spec.Kind != "causal") throw new LearningException("A causal language model needs a causal network; this one is masked.");
    }

    /// <summary>One more than the context: the last letter is only foretold.</summary>
    public override int Window => Network.Spec.Context + 1;

    /// <inheritdoc />
    public override ObjectiveLoss Loss(Tensor windows, RandomStream random)
    {
        var n = windows.shape[1] - 1;
        var u = windows.narrow(1, 0, n);                                           // B×N
        var next = windows.narrow(1, 1, n);                                        // B×N
        var logits = Network.forward(u).flatten(0, 1);                             // BN×V
        var loss = F.cross_entropy(logits, next.flatten());
        return new ObjectiveLoss(loss, new Dictionary<string, Tensor> { ["right"] = logits.detach().argmax(1).eq(next.flatten()) });
    }

    /// <summary>ln P of a whole normalised text, its end included.</summary>
    public override double Score(string text) => Score("", text, ended: true);

    /// <summary>ln P of a continuation after what was said before.</summary>
    /// <param name="before">From a text's beginning; may be empty.</param>
    /// <param name="continuation">What follows, with its own leading space where a word begins.</param>
    /// <param name="ended">Whether the text's end counts.</param>
    public double Score(string before, string continuation, bool ended = false)
    {
        int[] tokens = [LanguageNetwork.Boundary, .. Network.Alphabet.Encode(before), .. Network.Alphabet.Encode(continuation), .. ended ? [LanguageNetwork.Boundary] : Array.Empty<int>()];
        var (context, sum) = (Network.Spec.Context, 0.0);
        // Windows that share half: but for the text's beginning, every letter is foretold from at least half a context.
        for (var scored = before.Length + 1; scored < tokens.Length;)
        {
            var from = Math.Max(0, Math.Min(scored - context / 2, tokens.Length - 1 - context));
            var to = Math.Min(tokens.Length, from + context + 1);
            using var scope = NewDisposeScope();
            using var off = no_grad();
            var window = tensor([.. tokens[from..(to - 1)].Select(t => (long)t)], [1, to - 1 - from]).to(Network.Device);
            var next = tensor([.. tokens[(from + 1)..to].Select(t => (long)t)]).to(Network.Device);
            var gained = F.log_softmax(Network.forward(window)[0], 1).gather(1, next.unsqueeze(1)).squeeze(1);     // N
            sum += gained.narrow(0, scored - from - 1, to - scored).to_type(ScalarType.Float64).sum().item<double>();
            scored = to;
        }
        return sum;
    }
}
