using DomainSsl.Core.Runs;
using DomainSsl.Learning.Decoding;

namespace DomainSsl.Worker.Tests;

/// <summary>What of the glossary reaches decoding.</summary>
public sealed class SpeechDecodingTests
{
    [Fact]
    public void Favoured_TermsHaveTheirOwnBoost_OnceEach_AndThoseThatCannotBeHeardAreLeftOut()
    {
        var heard = new SpeechLanguage(null, null, ["Pneumothorax", "X-ray", "x ray", "心臓", "heart"], new Dictionary<string, double> { ["X-ray"] = 2, ["heart"] = 0 });
        var terms = SpeechDecoding.Favoured(heard, Alphabet.English).ToDictionary(t => t.Text, t => t.Boost);
        Assert.Equal(new Dictionary<string, double> { ["pneumothorax"] = Glossary.DefaultBoost, ["x ray"] = 2 * Glossary.DefaultBoost, ["heart"] = 0 }, terms);
    }
}
