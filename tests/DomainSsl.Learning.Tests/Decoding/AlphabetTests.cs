using DomainSsl.Learning.Decoding;
using DomainSsl.Testing;

namespace DomainSsl.Learning.Tests.Decoding;

public class AlphabetTests
{
    [Theory]
    [InlineData("The heart is NORMAL in size.", "the heart is normal in size")]
    [InlineData("  two\n lines\t", "two lines")]
    [InlineData("Don’t say ‘maybe’: patients' charts", "don't say maybe patients charts")]
    [InlineData("naïve Sjögren's Straße Cæsar cafe\u0301", "naive sjogren's strasse caesar cafe")]
    [InlineData("1,234 mg", "one thousand two hundred thirty four mg")]
    [InlineData("1,234,567", "one million two hundred thirty four thousand five hundred sixty seven")]
    [InlineData("12,34", "twelve thirty four")]
    [InlineData("3.5 cm, 0.75.", "three point five cm zero point seven five")]
    [InlineData("21st 3rd 12th 20th 100th", "twenty first third twelfth twentieth one hundredth")]
    [InlineData("007", "zero zero seven")]
    [InlineData("0", "zero")]
    [InlineData("1234567890123456", "one two three four five six seven eight nine zero one two three four five six")]
    [InlineData("120/80 at 5-10%", "one hundred twenty over eighty at five to ten percent")]
    [InlineData("-5 °C, T2-weighted B12", "minus five degrees c t two weighted b twelve")]
    [InlineData("follow-up/review & rest", "follow up review and rest")]
    [InlineData("!?…", "")]
    [InlineData("", "")]
    public void Normalise_WrittenText_IsWrittenAsItIsSpoken(string written, string spoken)
    {
        Assert.Equal(spoken, Alphabet.English.Normalise(written));
        Assert.Equal(spoken, Alphabet.English.Normalise(spoken));
    }

    [Fact]
    public void Normalise_EveryCharacterThereIs_GivesOnlyLettersOfTheAlphabet()
    {
        var all = new string([.. Enumerable.Range(0, 65536).Select(c => (char)c)]);
        var spoken = Alphabet.English.Normalise(all);
        Assert.Equal(spoken, Alphabet.English.Decode(Alphabet.English.Encode(spoken)));
        Assert.DoesNotContain("  ", spoken);
    }

    [Fact]
    public void Normalise_AlphabetWithMarkedLetters_KeepsThem() => Assert.Equal("grün cafe", new Alphabet(" abcdefghijklmnopqrstuvwxyzäöüß").Normalise("Grün café"));

    [Fact]
    public void Normalise_TextsOfSpeechocean_StayAsTheyAre()
    {
        var lines = File.ReadAllLines(SharedData.Path("speech/speechocean/train.csv")).Skip(1).Select(l => l.Split(',')[5]).ToList();
        Assert.Equal(820, lines.Count);
        Assert.All(lines, l => Assert.Equal(l, Alphabet.English.Normalise(l)));
    }

    [Fact]
    public void Encode_LetterOutsideTheAlphabet_IsRefusedWithIt() => Assert.Contains("'é'", Assert.Throws<LearningException>(() => Alphabet.English.Encode("café")).Message);

    [Theory]
    [InlineData("abc")]
    [InlineData(" aa")]
    [InlineData(" A")]
    public void Create_ImpossibleLetters_SaysWhy(string letters) => Assert.Throws<LearningException>(() => new Alphabet(letters));
}
