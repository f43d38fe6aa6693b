using DomainSsl.Audio.Decoding;
using DomainSsl.Audio.Resampling;
using DomainSsl.Learning.Data;
using DomainSsl.Learning.Decoding;
using DomainSsl.Learning.Encoders;
using DomainSsl.Learning.Evaluation;
using DomainSsl.Learning.Training;
using DomainSsl.Learning.Transcribing;
using DomainSsl.Learning.Weights;
using DomainSsl.Testing;
using static TorchSharp.torch;

namespace DomainSsl.Learning.Tests.Weights;

public sealed class SpokenEncoderTests
{
    [Fact]
    public void Network_IsThatOfTheDefaultRecipeForSound_SoThatAComparisonWithScratchIsOneOfWeightsAlone()
    {
        using var encoder = EncoderWeights.Load(SpokenEncoder.FilePath, CPU);
        Assert.True(encoder.Spec.SameNetwork(Recipes.Default(Modalities.Sound).Encoder));
    }

    [Fact]
    public void ATranscriberOnIt_ReadsMostLettersOfTheSampleDictations_BeforeItHasLearntFromThem()
    {
        using var folder = new TemporaryFolder();
        var items = new List<SpokenItem>();
        using (var writer = new SoundShardWriter(folder.At("dictations.shard")))
        {
            foreach (var line in File.ReadLines(Path.Combine(SharedData.Project, "sample-data", "transcripts.csv")).Skip(1))
            {
                var cells = line.Split(',');
                using var file = File.OpenRead(Path.Combine(SharedData.Project, "sample-data", cells[0]));
                writer.Add($"{items.Count:x64}", Resampler.To16kMono(SoundFile.Read(file)).Samples);
                items.Add(new SpokenItem(items.Count, cells[1], cells[2]));
            }
            writer.Finish();
        }
        using var shard = SoundShard.Open(folder.At("dictations.shard"));
        using var encoder = EncoderWeights.Load(SpokenEncoder.FilePath, CPU);
        using var fitted = TranscriberFit.Fit(new TranscriberArm(SpokenEncoder.Name, encoder.Spec, SpokenEncoder.FilePath), shard, items, Alphabet.English,
            new TranscriberSettings { Rates = [1e-9], Steps = 1, Rounds = 1, Averaging = 0 }, 1, CPU, null, TestContext.Current.CancellationToken);
        var errors = fitted.Transcriber.Texts(shard, items, TestContext.Current.CancellationToken).Zip(items, (text, i) => ErrorCounts.OfLetters(i.Text, text)).Aggregate(ErrorCounts.Add);
        Assert.True(errors.Rate < 0.4, $"{errors.Rate:0.000}");
    }

    [Theory]
    [InlineData(false, "missing")]
    [InlineData(true, "is 2×192 where 29×192 is expected")]
    public void ADamagedHead_IsRefusedWithASentence(bool shortened, string says)
    {
        using var folder = new TemporaryFolder();
        var path = folder.At("damaged.safetensors");
        EncoderSpec spec;
        using (var content = SafeTensors.Read(SpokenEncoder.FilePath))
        {
            spec = EncoderWeights.ReadSpec(SpokenEncoder.FilePath);
            var tensors = content.Tensors.ToDictionary();
            var head = tensors.Keys.Single(n => EncoderWeights.Head(content).ContainsKey(n) && n.EndsWith("weight", StringComparison.Ordinal));
            if (shortened) tensors[head] = tensors[head][..2];
            else tensors.Remove(head);
            EncoderWeights.Write(path, spec, tensors, content.Metadata[EncoderWeights.LettersNote]);
        }
        using var generator = new Generator(1);
        using var network = new TranscriberNetwork((SoundEncoder)EncoderFactory.Create(spec, 1), Alphabet.English.Size, TranscriberNetwork.Last, generator);
        var refused = Assert.Throws<LearningException>(() => new TranscriberArm("damaged", spec, path).GiveHead(network, Alphabet.English, new TranscriberSettings()));
        Assert.Contains(says, refused.Message, StringComparison.Ordinal);
        Assert.Contains(path, refused.Message, StringComparison.Ordinal);
        // A head for other letters is left where it is.
        Assert.False(new TranscriberArm("other", spec, SpokenEncoder.FilePath).GiveHead(network, new Alphabet(" abc"), new TranscriberSettings()));
    }
}
