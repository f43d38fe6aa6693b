using System.Security.Cryptography;
using DomainSsl.Audio.VoiceActivity;

namespace DomainSsl.Audio.Tests.VoiceActivity;

public sealed class SpeechFinderTests : IDisposable
{
    private readonly SileroVad network = new();

    public void Dispose() => network.Dispose();

    [Fact]
    public void Model_IsTheOneWeTested() => Assert.Equal(SileroVad.ModelSha256, Convert.ToHexStringLower(SHA256.HashData(SileroVad.Model())));

    [Fact]
    public void Find_SpokenClipsBetweenSilences_FindsEachAndNothingElse()
    {
        var clips = TestSounds.Speech(6);
        var sound = new List<float>(new float[24_000]);
        var truth = new List<(double Start, double End)>();
        foreach (var clip in clips)
        {
            truth.Add((sound.Count / 16_000.0, (sound.Count + clip.Length) / 16_000.0));
            sound.AddRange(clip);
            sound.AddRange(new float[24_000]);
        }
        var found = SpeechFinder.Find(network, sound.ToArray());
        Assert.All(truth, t => Assert.Contains(found, s => s.End > t.Start && s.Start < t.End));
        Assert.All(found, s => Assert.Contains(truth, t => s.Start > t.Start - 0.3 && s.End < t.End + 0.5));
        Assert.InRange(found.Sum(s => s.End - s.Start), 0.5 * truth.Sum(t => t.End - t.Start), 1.1 * truth.Sum(t => t.End - t.Start));
    }

    [Fact]
    public void Find_SilenceNoiseAndTone_FindsNothing()
    {
        var random = new Random(1);
        var noise = new float[80_000];
        for (int i = 0; i < noise.Length; i++) noise[i] = 0.1f * (random.NextSingle() - 0.5f);
        Assert.Empty(SpeechFinder.Find(network, new float[80_000]));
        Assert.Empty(SpeechFinder.Find(network, noise));
        Assert.Empty(SpeechFinder.Find(network, TestSounds.Tone(440, seconds: 5).Samples));
    }

    [Fact]
    public void Add_InBlocksOfAnySize_FindsTheSame()
    {
        var sound = Minutes(3.5);
        var whole = SpeechFinder.Find(network, sound);
        Assert.InRange(whole.Count, 20, 200);
        foreach (int block in (int[])[777, 48_000])
        {
            var finder = new SpeechFinder(network);
            var found = new List<SpeechSegment>();
            for (int at = 0; at < sound.Length; at += block)
            {
                finder.Add(sound.AsSpan(at, Math.Min(block, sound.Length - at)));
                found.AddRange(finder.Take());
            }
            finder.Finish();
            found.AddRange(finder.Take());
            Assert.Equal(whole, found);
        }
    }

    [Fact]
    public void Find_SideBySide_FindsWhatOneAfterTheOtherFinds()
    {
        var sound = Minutes(3.5);
        var segmenter = new SpeechSegmenter();
        using var voice = network.Listen();
        for (int at = 0; at < sound.Length; at += 512)
        {
            var window = sound.AsSpan(at, Math.Min(512, sound.Length - at)).ToArray();
            Array.Resize(ref window, 512);
            segmenter.Add(voice.Next(window)[0], window.Average(x => (double)x * x));
        }
        segmenter.Finish(sound.Length / 16_000.0);
        var expected = new List<SpeechSegment>();
        while (segmenter.TryTake(out var segment)) expected.Add(segment);

        var found = SpeechFinder.Find(network, sound);

        Assert.Equal(expected.Count, found.Count);
        for (int i = 0; i < found.Count; i++)
        {
            Assert.InRange(Math.Abs(expected[i].Start - found[i].Start), 0, 0.1);
            Assert.InRange(Math.Abs(expected[i].End - found[i].End), 0, 0.1);
        }
    }

    private static float[] Minutes(double minutes)
    {
        var clips = TestSounds.Speech(20);
        var sound = new List<float>();
        for (int i = 0; sound.Count < minutes * 60 * 16_000; i++) sound.AddRange([.. clips[i % clips.Count], .. new float[8_000 + 1_237 * (i % 7)]]);
        return sound.ToArray()[..(int)(minutes * 60 * 16_000)];
    }
}
