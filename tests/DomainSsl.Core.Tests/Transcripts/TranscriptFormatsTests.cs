using System.Text;
using DomainSsl.Core.Transcripts;

namespace DomainSsl.Core.Tests.Transcripts;

public class TranscriptFormatsTests
{
    private const double Millisecond = 0.0005; // what rounding to a thousandth may move

    private static Transcript Through(Transcript transcript, TranscriptFormat format)
    {
        var read = TranscriptFormats.Read(TranscriptFormats.Write(transcript, format), out var recognised);
        Assert.Equal(format, recognised);
        return read;
    }

    [Fact]
    public void RoundTrip_GeneratedTranscripts_GiveTheSameWordsAndTimes()
    {
        for (var seed = 0; seed < 500; seed++)
        {
            var made = Generated.Timed(seed);
            Generated.AssertSame(made, Through(made, TranscriptFormat.Json), 0, 0, confidences: true);
            Generated.AssertSame(made, Through(made, TranscriptFormat.TextGrid), 0, 0);
            Generated.AssertSame(made, Through(made, TranscriptFormat.Vtt), Millisecond, Millisecond);
            Generated.AssertSame(made.WithoutWordTimes(), Through(made.WithoutWordTimes(), TranscriptFormat.Vtt), Millisecond, null);
            Generated.AssertSame(made, Through(made, TranscriptFormat.Srt), Millisecond, null);
            Generated.AssertSame(made, TextTranscript.Read(Encoding.UTF8.GetString(TranscriptFormats.Write(made, TranscriptFormat.Txt))), null, null);
        }
    }

    [Fact]
    public void RoundTrip_TwiceWritten_IsTheSameFile()
    {
        foreach (var format in Enum.GetValues<TranscriptFormat>())
            for (var seed = 0; seed < 100; seed++)
            {
                // Plain text of two awkward words can look like another format; told outright it is read as what it is.
                var once = format == TranscriptFormat.Txt ? TextTranscript.Read(TextTranscript.Write(Generated.Timed(seed))) : Through(Generated.Timed(seed), format);
                Assert.Equal(TranscriptFormats.Write(once, format), TranscriptFormats.Write(format == TranscriptFormat.Txt ? TextTranscript.Read(TextTranscript.Write(once)) : Through(once, format), format));
            }
    }

    [Fact]
    public void RoundTrip_RealSentences_GiveTheSameWordsAndTimes()
    {
        var spoken = Generated.Spoken("0006");
        Assert.True(spoken.Segments.Count >= 10);
        Generated.AssertSame(spoken, Through(spoken, TranscriptFormat.Json), 0, 0, confidences: true);
        Generated.AssertSame(spoken, Through(spoken, TranscriptFormat.TextGrid), 0, 0);
        Generated.AssertSame(spoken, Through(spoken, TranscriptFormat.Vtt), 0, 0);
        Generated.AssertSame(spoken, Through(spoken, TranscriptFormat.Srt), 0, null);
        Generated.AssertSame(spoken, Through(spoken, TranscriptFormat.Txt), null, null);
    }

    [Theory]
    [InlineData(false, "utf-8")]
    [InlineData(true, "utf-8")]
    [InlineData(false, "utf-16")]
    [InlineData(true, "utf-16BE")]
    public void TextGrid_LongAndShortInEveryEncoding_ReadsAlike(bool brief, string encoding)
    {
        for (var seed = 0; seed < 50; seed++)
        {
            var made = Generated.Timed(seed);
            var letters = Encoding.GetEncoding(encoding);
            var file = letters.GetPreamble().Concat(letters.GetBytes(TextGridTranscript.Write(made, brief).Replace("\n", "\r\n", StringComparison.Ordinal))).ToArray();
            Generated.AssertSame(made, TranscriptFormats.Read(file), 0, 0);
        }
    }

    [Fact]
    public void TextGrid_OfAnAligner_GivesWordsAndTimes()
    {
        const string file = """"
            File type = "ooTextFile"
            Object class = "TextGrid"

            xmin = 0
            xmax = 3.2
            tiers? <exists>
            size = 3
            item []:
                item [1]:
                    class = "IntervalTier"
                    name = "words"
                    xmin = 0
                    xmax = 3.2
                    intervals: size = 5
                    intervals [1]:
                        xmin = 0
                        xmax = 0.3
                        text = ""
                    intervals [2]:
                        xmin = 0.3
                        xmax = 0.6
                        text = "say"
                    intervals [3]:
                        xmin = 0.6
                        xmax = 1
                        text = """yes"""
                    intervals [4]:
                        xmin = 1
                        xmax = 2
                        text = ""
                    intervals [5]:
                        xmin = 2
                        xmax = 3.2
                        text = "no"
                item [2]:
                    class = "IntervalTier"
                    name = "phones"
                    xmin = 0
                    xmax = 3.2
                    intervals: size = 1
                    intervals [1]:
                        xmin = 0
                        xmax = 3.2
                        text = "S EY"
                item [3]:
                    class = "TextTier"
                    name = "clicks"
                    xmin = 0
                    xmax = 3.2
                    points: size = 1
                    points [1]:
                        number = 1.5
                        mark = "here"
            """";
        var read = TranscriptFormats.Read(Encoding.UTF8.GetBytes(file));
        Generated.AssertSame(new Transcript([
            new(null, 0.3, 1, [new("say", 0.3, 0.6), new("\"yes\"", 0.6, 1)]),
            new(null, 2, 3.2, [new("no", 2, 3.2)])]), read, 0, 0);
    }

    [Fact]
    public void TextGrid_SegmentEditedInPraat_KeepsTheEditedWordsAndTheTimesOfTheOthers()
    {
        var made = new Transcript([new("A", 0, 3, [new("the", 0, 1), new("hart", 1, 2), new("beats", 2, 3)])]);
        var read = TextGridTranscript.Read(TextGridTranscript.Write(made).Replace("\"the hart beats\"", "\"the heart beats fast\"", StringComparison.Ordinal));
        Assert.Equal("the heart beats fast", read.Text);
        Assert.Equal((1.0, 2.0), (read.Segments[0].Words[1].Start, read.Segments[0].Words[1].End));
        Assert.Equal(3, read.Segments[0].Words[^1].End);
    }

    [Fact]
    public void TextGrid_WordsWithoutLengthOrOverlapping_AreNotLost()
    {
        var made = new Transcript([new(null, 0, 2, [new("a", 0, 0), new("b", 0, 1), new("c", 1, 1), new("d", 1, 2)]), new(null, 1.5, 3, [new("e", 1.5, 3)])]);
        var read = TextGridTranscript.Read(TextGridTranscript.Write(made));
        Assert.Equal("a b c d e", string.Join(' ', read.Words.Select(w => w.Text)));
        Assert.All(read.Words.Zip(read.Words.Skip(1)), p => Assert.True(p.First.End <= p.Second.Start + 1e-9));
    }

    [Fact]
    public void Srt_OfAnotherTool_IsRead()
    {
        const string file = "\uFEFF1\r\n00:00:01,000 --> 00:00:02,500 X1:10 X2:20\r\n<i>Good</i> morning.\r\n<font color=\"red\">How</font> are you?\r\n\r\n\r\n00:00:03.5 --> 00:00:04.25\r\n[Dr. Lee]  42\r\n\r\n7\r\n01:00:00,000 --> 01:00:01,000\r\n\r\n{\\an8}Late\r\n\r\nword\r\n";
        Generated.AssertSame(new Transcript([
            new(null, 1, 2.5, [.. "Good morning. How are you?".Split(' ').Select(w => new TranscriptWord(w))]),
            new("Dr. Lee", 3.5, 4.25, [new("42")]),
            new(null, 3600, 3601, [new("Late"), new("word")])]), TranscriptFormats.Read(Encoding.UTF8.GetBytes(file)), 0, null);
    }

    [Fact]
    public void WebVtt_OfAnotherTool_IsRead()
    {
        const string file = """
            WEBVTT - a title
            Kind: captions

            STYLE
            ::cue { color: red }

            NOTE nothing
            here

            intro
            00:01.000 --> 00:03.000 align:start position:0%
            <v.loud Dr Lee>we<00:00:01.500><c> begin</c><00:00:02.000><c> with&nbsp;two</c></v>

            00:04.000 --> 00:05.000
            <v A>yes
            <v B>&lt;no&gt;
            """;
        var read = TranscriptFormats.Read(Encoding.UTF8.GetBytes(file));
        Assert.Equal(["we begin with two", "yes", "<no>"], read.Segments.Select(s => s.Text));
        Assert.Equal(["Dr Lee", "A", "B"], read.Segments.Select(s => s.Speaker));
        var words = read.Segments[0].Words;
        Assert.Equal([1.0, 1.5, 2.0], words.Take(3).Select(w => w.Start!.Value));
        Assert.Equal((1.5, 2.0, 3.0), (words[0].End, words[1].End, words[3].End));
        Assert.All(read.Segments.Skip(1), s => Assert.Null(s.Words[0].Start));
    }

    [Fact]
    public void Json_OfAnotherRecogniser_IsRead()
    {
        const string file = """{"language":"en","segments":[{"id":0,"start":0.0,"end":1.5,"text":" Hello, New York.","words":[{"word":" Hello,","start":0.0,"end":0.52,"probability":0.9},{"word":" New York.","start":0.5,"end":1.7,"probability":0.8}]},{"start":2,"end":3,"text":" Bye"}]}""";
        var read = TranscriptFormats.Read(Encoding.UTF8.GetBytes(file));
        Assert.Equal("Hello, New York.\nBye", read.Text);
        var words = read.Segments[0].Words;
        Assert.Equal((0.52, 0.9, 0.52, 1.7, 1.7), (words[0].End, words[0].Confidence, words[1].Start, words[2].End, read.Segments[0].End));
        Assert.True(words[1].End == words[2].Start && words[1].End is > 0.52 and < 1.7);
        Assert.Equal("a b", TranscriptFormats.Read("""{"file":"x.wav","text":"a b","words":[{"word":"a","start":0,"end":1,"confidence":0.5},{"word":"b","start":1,"end":2}]}"""u8).Text);
    }

    [Theory]
    [InlineData("", "empty")]
    [InlineData(" \n\t", "empty")]
    [InlineData("WEBVTT\n\n00:01.000 --> x\nhello", "line 3")]
    [InlineData("WEBVTT\n\n00:02.000 --> 00:01.000\nhello", "ends before")]
    [InlineData("WEBVTT\n\n00:01.000 --> 00:02.000\n<00:05.000>hello", "out of its order")]
    [InlineData("WEBVTT\n\nhello", "line 3")]
    [InlineData("1\n00:00:02,000 --> 00:00:01,000\nhello", "line 2 ends before")]
    [InlineData("1\n00:00:01,000 --> 00:00:02,000\nhello\n\n2\n00:00:xx --> 00:00:04,000\nyou", "line 6")]
    [InlineData("hello\n00:00:01,000 --> 00:00:02,000\nyou", "has no times")]
    [InlineData("{\"segments\":[{\"text\":5}]}", "segments[0].text")]
    [InlineData("{\"segments\":[{\"start\":1}]}", "only one")]
    [InlineData("{\"segments\":[{\"words\":[{\"word\":\"a\",\"start\":2,\"end\":1}]}]}", "segments[0].words[0]")]
    [InlineData("{\"segments\":[{\"words\":[{\"word\":\"a\",\"confidence\":2}]}]}", "confidence")]
    [InlineData("{\"segments\":", "not JSON")]
    [InlineData("{\"a\":1}", "neither")]
    [InlineData("{\"text\":\"\\ud800\"}", "half a letter")]
    [InlineData("File type = \"ooTextFile\"\nObject class = \"Sound\"", "no TextGrid")]
    [InlineData("File type = \"ooTextFile\"\nObject class = \"TextGrid\"\n0\n1\n<exists>\n1\n\"IntervalTier\"\n\"a\"\n0\n1\n1\n0.5\n0.2\n\"x\"", "ends before")]
    [InlineData("File type = \"ooTextFile\"\nObject class = \"TextGrid\"\n0\n1\n<exists>\n99999999999", "size")]
    [InlineData("File type = \"ooTextFile\"\nObject class = \"TextGrid\"\n0\n1\n<exists>\n2\n\"IntervalTier\"\n\"a", "never closed")]
    [InlineData("File type = \"ooTextFile\"\nObject class = \"TextGrid\"\n0\n1", "more should follow")]
    public void Read_Damaged_IsRefusedWithASentence(string file, string says)
    {
        var sentence = Assert.Throws<RefusedException>(() => TranscriptFormats.Read(Encoding.UTF8.GetBytes(file))).Refusal.Sentence;
        Assert.Contains(says, sentence);
        Assert.EndsWith(".", sentence);
    }

    [Fact]
    public void Read_OtherLettersOrNoText_IsRefused()
    {
        Assert.Equal("transcript-encoding", Assert.Throws<RefusedException>(() => TranscriptFormats.Read([0x63, 0x61, 0x66, 0xE9])).Refusal.Code);
        Assert.Equal("transcript-damaged", Assert.Throws<RefusedException>(() => TranscriptFormats.Read([.. "RIFF"u8, 0, 0, 0, 1])).Refusal.Code);
        Assert.Equal("transcript-too-large", Assert.Throws<RefusedException>(() => TranscriptFormats.Read(new byte[TranscriptFormats.MaxBytes + 1])).Refusal.Code);
    }

    [Theory]
    [InlineData(TranscriptFormat.Srt)]
    [InlineData(TranscriptFormat.Vtt)]
    [InlineData(TranscriptFormat.TextGrid)]
    public void Write_WithoutTimes_SaysWhichSegment(TranscriptFormat format) =>
        Assert.Contains("Segment 2", Assert.Throws<RefusedException>(() => TranscriptFormats.Write(new Transcript([new(null, 0, 1, [new("a")]), new(null, null, null, [new("b")])]), format)).Refusal.Sentence);

    [Fact]
    public void Read_MutatedFiles_AreReadOrRefused()
    {
        var random = new Random(2);
        var sound = Enum.GetValues<TranscriptFormat>().SelectMany(f => Enumerable.Range(0, 5).Select(s => TranscriptFormats.Write(Generated.Timed(s), f))).ToList();
        for (var trial = 0; trial < 6000; trial++)
        {
            var file = sound[trial % sound.Count].ToArray();
            for (var n = random.Next(1, 6); n > 0; n--)
            {
                var at = random.Next(file.Length);
                if (random.Next(4) == 0) file = file[..at].Concat(file[Math.Min(file.Length, at + random.Next(1, 20))..]).ToArray();
                else file[at] = (byte)" \n\"<>:-0195[]{},.!xé"[random.Next(20)];
                if (file.Length == 0) break;
            }
            try
            {
                var read = TranscriptFormats.Read(file);
                Assert.All(read.Words, w => Assert.True(w.Text.Length > 0 && !w.Text.Any(char.IsWhiteSpace)));
                Assert.All(read.Segments, s => Assert.True(s.Start is null || s.Start <= s.End));
                foreach (var format in Enum.GetValues<TranscriptFormat>())
                    try { TranscriptFormats.Write(read, format); }
                    catch (RefusedException e) when (e.Refusal.Code == "transcript-untimed") { }
            }
            catch (RefusedException) { }
        }
    }

    [Theory]
    [InlineData("srt", TranscriptFormat.Srt)]
    [InlineData(".TextGrid", TranscriptFormat.TextGrid)]
    [InlineData("textgrid", TranscriptFormat.TextGrid)]
    [InlineData("doc", null)]
    [InlineData("1", null)]
    [InlineData("", null)]
    public void Named_KnowsItsEndings(string name, TranscriptFormat? format) => Assert.Equal(format, TranscriptFormats.Named(name));
}
