using DomainSsl.Audio.VoiceActivity;

namespace DomainSsl.Audio.Tests.VoiceActivity;

public class SpeechSegmenterTests
{
    private const double Window = 0.032;

    [Fact]
    public void Add_SpeechBetweenSilences_IsOneSegmentWithItsPadding()
    {
        var segment = Assert.Single(Cut((50, 0), (50, 0.9f), (50, 0)));
        Assert.Equal(50 * Window - 0.15, segment.Start, 6);
        Assert.Equal(100 * Window + 0.15, segment.End, 6);
        Assert.Equal(0.9, segment.Probability, 3);
    }

    [Fact]
    public void Add_WaveringBetweenOffsetAndOnset_DoesNotEndSpeech_NorBeginIt()
    {
        Assert.Single(Cut((10, 0.9f), (40, 0.4f), (10, 0.9f), (30, 0)));
        Assert.Empty(Cut((100, 0.45f)));
    }

    [Fact]
    public void Add_ShortPause_DoesNotPartSegments_ALongOneDoes()
    {
        Assert.Single(Cut((20, 0.9f), (8, 0), (20, 0.9f), (30, 0)));
        Assert.Equal(2, Cut((20, 0.9f), (20, 0), (20, 0.9f), (30, 0)).Count);
    }

    [Fact]
    public void Add_Click_IsDropped() => Assert.Empty(Cut((20, 0), (5, 0.9f), (50, 0)));

    [Fact]
    public void Finish_AmidSpeech_KeepsItToTheEndAndNotBeyond()
    {
        var segment = Assert.Single(Cut((20, 0), (40, 0.9f)));
        Assert.Equal(60 * Window, segment.End, 6);
    }

    [Fact]
    public void Add_SpeechLongerThanAllowed_IsCutAtItsQuietestPlace()
    {
        var segmenter = new SpeechSegmenter(new SegmentOptions { MaxSpeech = 10 });
        for (int i = 0; i < 500; i++) segmenter.Add(0.9f, i is >= 240 and < 243 or >= 490 and < 493 ? 1e-6 : 0.01);
        segmenter.Finish(500 * Window);
        var segments = Taken(segmenter);
        Assert.Equal(2, segments.Count);
        Assert.InRange(segments[0].End / Window, 240, 243);
        Assert.Equal(segments[0].End, segments[1].Start, 9);
        Assert.Equal(500 * Window, segments[1].End, 6);
    }

    [Fact]
    public void Add_AnyProbabilities_GivesSegmentsInOrderWithoutOverlapAndNoneTooLong()
    {
        for (int seed = 0; seed < 200; seed++)
        {
            var random = new Random(seed);
            var options = new SegmentOptions { MaxSpeech = 3 + 10 * random.NextDouble(), MinPause = 0.3 + random.NextDouble() / 2, Padding = 0.15, MinSpeech = 0.2 };
            var segmenter = new SpeechSegmenter(options);
            float p = 0;
            for (int i = 0; i < 3_000; i++)
            {
                if (random.Next(15) == 0) p = random.NextSingle();
                segmenter.Add(p, random.NextDouble());
            }
            segmenter.Finish(3_000 * Window);
            double end = 0;
            foreach (var segment in Taken(segmenter))
            {
                Assert.True(segment.Start >= end - 1e-9 && segment.End > segment.Start && segment.End - segment.Start <= options.MaxSpeech + 1e-9, $"seed {seed}: {segment}");
                end = segment.End;
            }
            Assert.InRange(end, 1, 3_000 * Window);
        }
    }

    [Fact]
    public void Options_ThatContradictThemselves_AreRefused()
    {
        Assert.Throws<ArgumentException>(() => new SpeechSegmenter(new SegmentOptions { Offset = 0.6f }));
        Assert.Throws<ArgumentException>(() => new SpeechSegmenter(new SegmentOptions { Padding = 0.3 }));
        Assert.Throws<ArgumentException>(() => new SpeechSegmenter(new SegmentOptions { MaxSpeech = 0.5 }));
    }

    private static List<SpeechSegment> Cut(params (int Windows, float Probability)[] parts)
    {
        var segmenter = new SpeechSegmenter();
        foreach (var (windows, probability) in parts)
            for (int i = 0; i < windows; i++) segmenter.Add(probability, 0.01);
        segmenter.Finish(parts.Sum(p => p.Windows) * Window);
        return Taken(segmenter);
    }

    private static List<SpeechSegment> Taken(SpeechSegmenter segmenter)
    {
        var all = new List<SpeechSegment>();
        while (segmenter.TryTake(out var segment)) all.Add(segment);
        return all;
    }
}
