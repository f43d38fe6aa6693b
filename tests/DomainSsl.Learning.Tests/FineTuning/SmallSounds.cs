using DomainSsl.Learning.Data;
using DomainSsl.Learning.Encoders;
using DomainSsl.Learning.FineTuning;
using DomainSsl.Learning.Training;
using DomainSsl.Learning.Weights;
using DomainSsl.Testing;

namespace DomainSsl.Learning.Tests.FineTuning;

/// <summary>Noisy sounds of 0.15 to 0.9 s in shards, each with a tone somewhere that is low, middle or high; every speaker says all three, each at a level of their own. With them an encoder of random weights to probe.</summary>
internal sealed class SmallSounds : IDisposable
{
    public static readonly string[] Classes = ["low", "middle", "high"];
    private static readonly EncoderSpec Spec = new() { Architecture = "sound", Resolution = 16_000, Front = "mel", Bands = 20, Rate = 25, Width = 16, Depth = 2, Kernel = 3 };
    private readonly TemporaryFolder _folder = new();

    public SmallSounds(int train, int test, int speakers)
    {
        (TrainShard, TestShard) = (_folder.At("train.shard"), _folder.At("test.shard"));
        Train = Write(TrainShard, train, "A", speakers);
        Test = Write(TestShard, test, "B", speakers);
        using var encoder = EncoderFactory.Create(Spec, 7);
        EncoderWeights.Save(encoder, _folder.At("encoder.safetensors"));
        Pretrained = new Arm("ours", Spec, _folder.At("encoder.safetensors"));
    }

    public string TrainShard { get; }

    public string TestShard { get; }

    public LabelledItem[] Train { get; }

    public LabelledItem[] Test { get; }

    public Arm Pretrained { get; }

    public static Arm Scratch { get; } = new(Arm.Scratch, Spec, null);

    public string At(string name) => _folder.At(name);

    public void Dispose() => _folder.Dispose();

    private static LabelledItem[] Write(string path, int count, string speakers, int people)
    {
        var items = new LabelledItem[count];
        using var writer = new SoundShardWriter(path);
        for (var i = 0; i < count; i++)
        {
            var random = new RandomStream((ulong)(i + 1000 * speakers[0]));
            items[i] = new LabelledItem(i, i % Classes.Length, $"{speakers}{i / Classes.Length % people}");
            var samples = new float[(int)(16_000 * random.Uniform(0.15, 0.9))];
            var (hertz, length, level) = (500 * Math.Pow(2, items[i].Class + random.Uniform(-0.1, 0.1)), (int)(samples.Length * random.Uniform(0.4, 0.6)), 0.1 * (1 + i / Classes.Length % people));
            var from = random.Index(samples.Length - length);
            for (var t = 0; t < samples.Length; t++)
            {
                var tone = t < from || t >= from + length ? 0 : Math.Sin(2 * Math.PI * hertz * t / 16_000);
                samples[t] = (float)(level * (tone + random.Uniform(-0.1, 0.1)));
            }
            writer.Add($"{i:x64}", samples);
        }
        writer.Finish();
        return items;
    }
}
