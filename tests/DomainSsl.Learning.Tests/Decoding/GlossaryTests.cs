using DomainSsl.Learning.Decoding;

namespace DomainSsl.Learning.Tests.Decoding;

public class GlossaryTests
{
    private static double Bonus(string text, params GlossaryTerm[] terms) => new Glossary(terms, Alphabet.English).Bonus(Alphabet.English.Encode(text));

    [Theory]
    [InlineData("heart failure", 5 + 13)]
    [InlineData("chronic heart failure", 5 + 13)]
    [InlineData("chronic heart rate", 5 + 10)]
    [InlineData("heart", 5)]
    [InlineData("hearts fail", 0)]
    [InlineData("sweetheart failure", 0)]
    [InlineData("heart heart", 10)]
    [InlineData("", 0)]
    public void Bonus_TermsThatOverlap_CountWhereTheyAreWholeWords(string text, double expected) =>
        Assert.Equal(expected, Bonus(text, new GlossaryTerm("Heart"), new GlossaryTerm("HEART failure"), new GlossaryTerm("heart rate"), new GlossaryTerm("heart", 9)), 1e-9);

    [Fact]
    public void Bonus_RandomTextsAndTerms_EqualsANaiveSearch()
    {
        var random = new Random(5);
        string Word() => new([.. Enumerable.Range(0, random.Next(1, 4)).Select(_ => "ab"[random.Next(2)])]);
        string Words(int most) => string.Join(' ', Enumerable.Range(0, random.Next(1, most)).Select(_ => Word()));
        for (var trial = 0; trial < 300; trial++)
        {
            var terms = Enumerable.Range(0, 6).Select(_ => Words(4)).Distinct().Select((t, i) => new GlossaryTerm(t, i - 1.5)).ToArray();
            var text = Words(12);
            var naive = terms.Sum(t => t.Boost * t.Text.Length * Enumerable.Range(0, text.Length).Count(i => $" {text} ".AsSpan(i).StartsWith($" {t.Text} ")));
            Assert.Equal(naive, Bonus(text, terms), 1e-9);
        }
    }

    [Fact]
    public void Create_TermWithoutLetters_IsRefused() => Assert.Contains("'...'", Assert.Throws<LearningException>(() => Bonus("a", new GlossaryTerm("..."))).Message);
}
