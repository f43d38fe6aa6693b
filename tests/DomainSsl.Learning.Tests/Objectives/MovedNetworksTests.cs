using DomainSsl.Learning.Encoders;
using DomainSsl.Learning.Language;
using DomainSsl.Learning.Objectives;
using DomainSsl.Learning.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace DomainSsl.Learning.Tests.Objectives;

/// <summary>
/// A network that is moved to a GPU gets new tensors in the places of its old ones, and must compute with those. Going to another kind of number and back does the same on any machine.
/// </summary>
public sealed class MovedNetworksTests
{
    [Theory]
    [InlineData("simclr-small")]
    [InlineData("mae-small")]
    [InlineData("hubert-small")]
    [InlineData("wav2vec2-small")]
    public void AnObjective_Moved_HasTheSameLossAndMovesTheWeightsItShows(string name)
    {
        using var scope = NewDisposeScope();
        var recipe = Recipes.Find(name);
        using var still = Create(recipe);
        using var moved = Create(recipe);
        foreach (nn.Module part in new[] { moved.Encoder, moved.Heads }) part.to(ScalarType.Float64).to(ScalarType.Float32);
        var sound = recipe.Encoder.Modality == Modalities.Sound;
        Batch Look(int ahead)
        {
            using var generator = new Generator((ulong)(7 + ahead), CPU);
            Tensor View() => sound ? randn([4, 32_000], generator: generator) * 0.1 : rand([4, 1, recipe.Encoder.Resolution, recipe.Encoder.Resolution], generator: generator);
            return new Batch([.. Enumerable.Range(0, still.Views).Select(_ => View())], new RandomStream((ulong)(5 + ahead)), sound ? [32_000, 20_000, 32_000, 9_000] : null);
        }
        float Loss(IObjective objective)
        {
            objective.BeforeStep(0, 0, Look);
            var loss = objective.Loss(Look(0));
            loss.Value.backward();
            return loss.Value.item<float>();
        }
        Assert.Equal(Loss(still), Loss(moved), 1e-5);
        string[] Learning(IObjective objective) => [.. objective.Encoder.named_parameters().Concat(objective.Heads.named_parameters()).Where(p => p.parameter.grad is not null).Select(p => p.name)];
        Assert.NotEmpty(Learning(still));
        Assert.Equal(Learning(still), Learning(moved));
    }

    [Fact]
    public void ALanguageModel_Moved_ScoresTheSame()
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        using var network = new LanguageNetwork(new LanguageSpec { Kind = "causal", Width = 32, Depth = 2, Heads = 2, Context = 48 }, 1);
        var text = tensor(new long[] { 0, 5, 6, 7, 8, 9 }, [1, 6]);
        var before = network.forward(text);
        network.to(ScalarType.Float64).to(ScalarType.Float32);
        Assert.True(network.forward(text).allclose(before, 1e-6, 1e-6));
    }

    private static IObjective Create(Recipe recipe) => recipe.Objective.Create(EncoderFactory.Create(recipe.Encoder, 3), new RandomStream(4));
}
