using DomainSsl.Learning.Decoding;

namespace DomainSsl.Learning.Tests.Decoding;

public class GreedyDecoderTests
{
    [Theory]
    [InlineData("__hh_ell_lo__  _ yyou ", "hello you")]
    [InlineData("aa_a", "aa")]
    [InlineData("____", "")]
    [InlineData("", "")]
    [InlineData("  it's  ", "it's")]
    public void Decode_BestLetters_MergesRepeatsAndDropsBlanks(string shown, string text) => Assert.Equal(text, GreedyDecoder.Decode(Frames.Of(shown, Alphabet.English), Alphabet.English));
}
