using DomainSsl.Core.Transcripts;

namespace DomainSsl.Core.Tests.Transcripts;

public class TranscriptEditsTests
{
    private static Transcript Of(params string[] segments) => new([.. segments.Select((s, i) =>
        new TranscriptSegment(null, i * 10, i * 10 + 10, [.. s.Split(' ').Select((w, k) => new TranscriptWord(w, i * 10 + k, i * 10 + k + 1, 0.5))]))]);

    [Fact]
    public void Find_WholeWords_IgnoresCaseAndPunctuationAndPartsOfWords()
    {
        var transcript = Of("The heart, hearts HEART", "big heart failure (heart)");
        Assert.Equal([new(0, 1, 1), new(0, 3, 1), new(1, 1, 1), new(1, 3, 1)], TranscriptEdits.Find(transcript, "Heart"));
        Assert.Equal([new(1, 1, 2)], TranscriptEdits.Find(transcript, " heart  failure "));
        Assert.Equal([new(0, 3, 1)], TranscriptEdits.Find(transcript, "HEART", new FindOptions(MatchCase: true)));
        Assert.Equal(5, TranscriptEdits.Find(transcript, "heart", new FindOptions(WholeWords: false)).Count);
        Assert.Empty(TranscriptEdits.Find(transcript, " "));
        Assert.Empty(TranscriptEdits.Find(transcript, "heart big")); // not across segments
    }

    [Fact]
    public void Replace_SameNumberOfWords_KeepsTheirTimes()
    {
        var transcript = Of("a plural effusion, plural thickening");
        var (replaced, count) = TranscriptEdits.Replace(transcript, "plural", "pleural");
        Assert.Equal((2, "a pleural effusion, pleural thickening"), (count, replaced.Text));
        Assert.Equal(transcript.Words.Select(w => (w.Start, w.End)), replaced.Words.Select(w => (w.Start, w.End)));
        Assert.Equal([0.5, null, 0.5, null, 0.5], replaced.Words.Select(w => w.Confidence));
        Assert.Equal("a plural effusion, plural thickening", transcript.Text);
    }

    [Fact]
    public void Replace_OtherNumberOfWords_SharesTheTimeByLetters()
    {
        var (replaced, count) = TranscriptEdits.Replace(Of("so new monia, here"), "new monia", "pneumonia");
        Assert.Equal((1, "so pneumonia, here"), (count, replaced.Text));
        Assert.Equal(new TranscriptWord("pneumonia,", 1, 3), replaced.Segments[0].Words[1]);
        var words = TranscriptEdits.Replace(Of("so cannot go"), "cannot", "can not").Transcript.Segments[0].Words;
        Assert.Equal(["so", "can", "not", "go"], words.Select(w => w.Text));
        Assert.Equal((1.0, 1.5, 1.5, 2.0), (words[1].Start, words[1].End, words[2].Start, words[2].End));
    }

    [Theory]
    [InlineData("um so um, yes", "um", "", true, "so yes")]
    [InlineData("ahaha aha", "aha", "oh", false, "ohha oh")]
    [InlineData("aa-aa x", "aa", "b", true, "b-b x")]
    [InlineData("two of them two of", "two of", "2", true, "2 them 2")]
    [InlineData("heartrate heart rate", "heart rate", "pulse", false, "heartrate pulse")]
    [InlineData("don't don", "don", "dawn", true, "don't dawn")]
    public void Replace_AwkwardPlaces_DoesWhatItSays(string text, string what, string with, bool whole, string expected) =>
        Assert.Equal(expected, TranscriptEdits.Replace(Of(text), what, with, new FindOptions(WholeWords: whole)).Transcript.Text);

    [Fact]
    public void Replace_RandomTexts_EqualsReplacingInTheTextAndKeepsOrder()
    {
        var random = new Random(4);
        string Text(int most) => string.Join(' ', Enumerable.Range(0, random.Next(1, most)).Select(_ => "ab"[random.Next(2)].ToString()));
        for (var trial = 0; trial < 300; trial++)
        {
            var (text, what, with) = (Text(12), Text(3), Text(4));
            var (replaced, count) = TranscriptEdits.Replace(Of(text), what, with, new FindOptions(MatchCase: true, WholeWords: false));
            Assert.Equal(text.Replace(what, with, StringComparison.Ordinal), replaced.Text);
            Assert.Equal(TranscriptEdits.Find(Of(text), what).Count, count);
            Assert.All(replaced.Words.Zip(replaced.Words.Skip(1)), p => Assert.True(p.First.Start <= p.First.End && p.First.End <= p.Second.Start + 1e-9));
        }
    }

    [Fact]
    public void Replace_NothingFound_GivesTheSameTranscript()
    {
        var transcript = Of("a b");
        Assert.Same(transcript, TranscriptEdits.Replace(transcript, "c", "d").Transcript);
    }

    [Fact]
    public void Spelled_WritesTermsTheirWay_TheLongestFirst_AndKeepsTimesAndConfidences()
    {
        var heard = new Transcript([new(null, 0, 4, [new("the", 0, 1, 0.9), new("left", 1, 2, 0.3, 0.5), new("main,", 2, 3, 0.8), new("ms", 3, 4, 0.8)])]);
        // MS or Ms: nobody can hear which.
        var spelled = TranscriptEdits.Spelled(heard, ["LEFT", "Left Main", "MS", "Ms", "the"]);
        Assert.Equal("the Left Main, ms", spelled.Text);
        Assert.Equal(new("Left", 1, 2, 0.3, 0.5), spelled.Segments[0].Words[1]);
        Assert.Same(heard, TranscriptEdits.Spelled(heard, ["main"]));
    }
}
