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
}
