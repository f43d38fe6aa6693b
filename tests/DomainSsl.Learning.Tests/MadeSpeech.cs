using DomainSsl.Audio.Decoding;
using DomainSsl.Audio.Resampling;
using DomainSsl.Learning.Data;
using DomainSsl.Learning.Training;
using DomainSsl.Testing;

namespace DomainSsl.Learning.Tests;

/// <summary>Sounds for tests: made ones, strings of a few vowel-like tones in changing order, and real speech.</summary>
internal static class MadeSpeech
{
    // Two formants each, Hz, some vowels of Peterson and Barney 1952.
    private static readonly (double First, double Second)[] Vowels = [(270, 2290), (530, 1840), (730, 1090), (570, 840), (300, 870), (490, 1350)];

    /// <summary>Pieces of 0.6 to 1.4 seconds.</summary>
    public static void Write(string path, int pieces)
    {
        using var writer = new SoundShardWriter(path);
        for (var i = 0; i < pieces; i++) writer.Add($"{i:x64}", Piece(new RandomStream((ulong)i + 100), 0.6 + 0.8 * i / pieces));
        writer.Finish();
    }

    /// <summary>One piece, 16 kHz.</summary>
    public static float[] Piece(RandomStream random, double seconds)
    {
        var samples = new float[(int)(16_000 * seconds)];
        var pitch = random.Uniform(90, 220);
        for (var at = 0; at < samples.Length;)
        {
            var (first, second) = Vowels[random.Index(Vowels.Length)];
            var length = Math.Min(samples.Length - at, (int)(16_000 * random.Uniform(0.08, 0.2)));
            for (var i = 0; i < length; i++)
            {
                double t = (at + i) / 16_000.0, value = random.Uniform(-0.003, 0.003);
                for (var h = 1; h * pitch < 3500; h++)
                {
                    var f = h * pitch;
                    value += 0.1 * (Math.Exp(-Math.Abs(f - first) / 80) + 0.5 * Math.Exp(-Math.Abs(f - second) / 100)) * Math.Sin(2 * Math.PI * f * t);
                }
                samples[at + i] = (float)value;
            }
            at += length;
        }
        return samples;
    }

    /// <summary>So many recordings of the shared speech as a shard; skips the running test where they are absent.</summary>
    public static void WriteReal(string path, int recordings)
    {
        var table = SharedData.Path("speech/speechocean/train.csv");
        using var writer = new SoundShardWriter(path);
        // Every ninth, so that there are several speakers.
        foreach (var line in File.ReadLines(table).Skip(1).Where((_, i) => i % 9 == 0).Take(recordings))
        {
            using var stream = File.OpenRead(Path.Combine(Path.GetDirectoryName(table)!, line.Split(',')[0]));
            writer.Add($"{writer.Count:x64}", Resampler.To16kMono(SoundFile.Read(stream)).Samples);
        }
        writer.Finish();
    }
}
