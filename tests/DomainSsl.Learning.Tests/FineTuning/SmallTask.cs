using DomainSsl.Learning.Data;
using DomainSsl.Learning.Encoders;
using DomainSsl.Learning.FineTuning;
using DomainSsl.Learning.Weights;
using DomainSsl.Testing;

namespace DomainSsl.Learning.Tests.FineTuning;

/// <summary>Noisy 32×32 images in shards, two a patient; the second class has a bright disc somewhere. With it an encoder of random weights to probe.</summary>
internal sealed class SmallTask : IDisposable
{
    public const int Side = 32;
    private static readonly EncoderSpec Spec = new() { Architecture = "resnet", Resolution = Side, Width = 8, Blocks = [1, 1], Stem = "stride4", Input = "grey" };
    private readonly TemporaryFolder _folder = new();

    public SmallTask(int train, int test, double noise = 0.15)
    {
        (TrainShard, TestShard) = (_folder.At("train.shard"), _folder.At("test.shard"));
        Train = Write(TrainShard, train, "A", noise, 1);
        Test = Write(TestShard, test, "B", noise, 2);
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

    public LabelEfficiencyRequest Request(string folder) => new()
    {
        Arms = [new(Pretrained, TrainShard, TestShard), new(Scratch, TrainShard, TestShard)],
        Train = Train,
        Test = Test,
        Classes = ["normal", "disc"],
        Budgets = [8, 16],
        Repeats = 2,
        Settings = new FitSettings { StepShare = 0.03, MemberFolds = 2 },
        Folder = At(folder),
        Device = "cpu",
    };

    public void Dispose() => _folder.Dispose();

    private static LabelledItem[] Write(string path, int count, string patients, double noise, int seed)
    {
        var random = new Random(seed);
        var items = new LabelledItem[count];
        using var writer = ShardWriter.Create(path, count, 1, Side, Side);
        for (var i = 0; i < count; i++)
        {
            items[i] = new LabelledItem(i, i / 2 % 2, $"{patients}{i / 2}");
            var (x0, y0) = (8 + random.Next(16), 8 + random.Next(16));
            var plane = new ushort[Side * Side];
            for (var p = 0; p < plane.Length; p++)
            {
                var inside = items[i].Class == 1 && Math.Pow(p % Side - x0, 2) + Math.Pow(p / Side - y0, 2) < 30;
                plane[p] = (ushort)(65535 * Math.Clamp(0.35 + noise * (random.NextDouble() * 2 - 1) + (inside ? 0.35 : 0), 0, 1));
            }
            writer.Write(i, plane);
        }
        writer.Finish([.. items.Select(i => $"{path}/{i.Index}")]);
        return items;
    }
}
