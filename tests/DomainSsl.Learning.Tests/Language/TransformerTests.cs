using DomainSsl.Learning.Decoding;
using DomainSsl.Learning.Language;
using DomainSsl.Learning.Training;
using DomainSsl.Testing;
using TorchSharp;
using static TorchSharp.torch;

namespace DomainSsl.Learning.Tests.Language;

public class TransformerTests
{
    private static readonly LanguageSpec Small = new() { Kind = "causal", Width = 32, Depth = 2, Heads = 2, Context = 48 };
    private static readonly RecipeOptimiser Optimiser = new() { Rate = 6e-3, Clip = 1, WeightDecay = 0.01 };

    private static readonly string[] Reports =
    [
        "the heart is normal in size", "the heart is enlarged", "no acute fracture is seen", "no pleural effusion is seen", "the lungs are clear", "there is a small pleural effusion on the left",
        "no focal consolidation is seen", "the heart is at the upper limit of normal",
    ];

    private static LanguageModel Create(string kind, int context = 48) => LanguageModel.Of(new LanguageNetwork(Small with { Kind = kind, Context = context }, 1));

    // ln of the softmax of one place's scores, by hand.
    private static double LogSoftmax(Tensor scores, int token)
    {
        var s = scores.data<float>().ToArray();
        var highest = s.Max();
        return s[token] - highest - Math.Log(s.Sum(x => Math.Exp(x - highest)));
    }

    [Fact]
    public void Causal_LettersBehindAPlace_DoNotReachIt()
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        using var model = Create("causal");
        var a = tensor(new long[] { 0, 5, 6, 7, 8, 9 }, [1, 6]);
        var b = tensor(new long[] { 0, 5, 6, 20, 21, 22 }, [1, 6]);
        var (x, y) = (model.Network.forward(a), model.Network.forward(b));
        Assert.True(x[0, 2].allclose(y[0, 2], 1e-5, 1e-6));
        Assert.False(x[0, 3].allclose(y[0, 3], 1e-5, 1e-6));
        using var masked = Create("masked");
        Assert.False(masked.Network.forward(a)[0, 2].allclose(masked.Network.forward(b)[0, 2], 1e-5, 1e-6));
    }

    [Fact]
    public void Causal_Score_IsTheSumOverLettersOneAfterAnother()
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        using var model = (CausalLanguage)Create("causal");
        const string text = "no acute fracture";
        int[] tokens = [0, .. Alphabet.English.Encode(text), 0];
        var naive = Enumerable.Range(1, tokens.Length - 1).Select(i => LogSoftmax(model.Network.forward(tensor([.. tokens[..i].Select(t => (long)t)], [1, i]))[0, i - 1], tokens[i])).ToArray();
        Assert.Equal(naive.Sum(), model.Score(text), 1e-3);
        Assert.Equal(naive[8..^1].Sum(), model.Score("no acute", " fracture"), 1e-3);
        Assert.Equal(model.Score(text), model.Score("no acute") - model.Score("no acute", "", ended: true) + model.Score("no acute", " fracture", ended: true), 1e-3);
        // All letters and the end together are certain.
        var next = Alphabet.English.Letters.Sum(c => Math.Exp(model.Score("no", c.ToString()))) + Math.Exp(model.Score("no", "", ended: true));
        Assert.Equal(1, next, 1e-4);
    }

    [Fact]
    public void Causal_TextLongerThanTheContext_IsForetoldFromHalfAContextAtLeast()
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        using var model = (CausalLanguage)Create("causal", context: 16);
        var text = string.Join(' ', Reports);
        var score = model.Score(text);
        Assert.InRange(score, -2 * text.Length * Math.Log(29), -text.Length);
        Assert.Equal(score, model.Score(text[..100]) - model.Score(text[..100], "", ended: true) + model.Score(text[..100], text[100..], ended: true), 0.05 * text.Length);
    }

    [Fact]
    public void Causal_Trained_FindsSentencesOfTheClinicLikelierThanOthersAndMovesTheRightHypothesisUp()
    {
        using var model = (CausalLanguage)Create("causal");
        var losses = LanguageTraining.Run(model, new TextStream(Reports, Alphabet.English), 250, 8, Optimiser, 3);
        Assert.InRange(losses[0], 0.8 * model.TrivialLoss, 1.3 * model.TrivialLoss);
        Assert.True(losses[^1] < 0.8, $"the loss ends at {losses[^1]:0.00}");
        Assert.True(model.Score("no acute fracture is seen") > model.Score("no acute factor is seen") + 3);
        Assert.True(model.Score("the heart is", " enlarged") > model.Score("the heart is", " engorged"));
        Hypothesis[] heard = [new("the heart is in large", -5, -5, 0, 0, 0), new("the heart is enlarged", -6, -6, 0, 0, 0)];
        Assert.Equal("the heart is enlarged", Hypothesis.Rescored(heard, model.Score, 0.5)[0].Text);
    }

    [Fact]
    public void Masked_ScoreWords_HidesTheLetterAndTheRestOfItsWord()
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        using var model = (MaskedLanguage)Create("masked");
        const string text = "the heart is";
        long[] tokens = [0, .. Alphabet.English.Encode(text).Select(t => (long)t), 0];
        double Word(int from, int to) => Enumerable.Range(from, to - from).Sum(at =>
        {
            var hidden = tokens.ToArray();
            hidden.AsSpan(at, to - at).Fill(model.Network.Mask);
            return LogSoftmax(model.Network.forward(tensor(hidden, [1, hidden.Length]))[0, at], (int)tokens[at]);
        });
        var words = model.ScoreWords(text);
        Assert.Equal(["the", "heart", "is"], words.Select(w => w.Word));
        Assert.Equal(Word(1, 4), words[0].LogProbability, 1e-3);
        Assert.Equal(Word(5, 10), words[1].LogProbability, 1e-3);
        Assert.Equal(words[1].LogProbability / 5, words[1].PerLetter, 1e-9);
        Assert.Equal(words.Sum(w => w.LogProbability), model.Score(text), 1e-9);
    }

    [Fact]
    public void Masked_Trained_DoubtsTheWordThatDoesNotFit()
    {
        using var model = (MaskedLanguage)Create("masked");
        var losses = LanguageTraining.Run(model, new TextStream(Reports, Alphabet.English), 180, 16, Optimiser, 3);
        Assert.InRange(losses[0], 0.8 * model.TrivialLoss, 1.3 * model.TrivialLoss);
        var (end, right, wrong) = (losses.TakeLast(30).Average(), model.ScoreWords("no acute fracture is seen")[2], model.ScoreWords("no acute tracture is seen")[2]);
        Assert.True(end < 0.6 * model.TrivialLoss && right.LogProbability > wrong.LogProbability + 1, $"the loss ends at {end:0.00}; {right}, {wrong}");
    }

    [Fact]
    public void Masked_LongText_ScoresEveryWordAndNothingIsNothing()
    {
        using var model = (MaskedLanguage)Create("masked", context: 16);
        var text = string.Join(' ', Reports);
        Assert.Equal(text.Split(' '), model.ScoreWords(text).Select(w => w.Word));
        Assert.Empty(model.ScoreWords(""));
        Assert.Single(model.ScoreWords("electroencephalographically"));
    }

    [Theory]
    [InlineData("causal")]
    [InlineData("masked")]
    public void Loss_CalledTwice_IsTheSameReachesEveryWeightAndStartsAtTheTrivialOne(string kind)
    {
        using var scope = NewDisposeScope();
        using var model = Create(kind);
        var windows = new TextStream(Reports, Alphabet.English).Windows(32, model.Window, new RandomStream(4), CPU);
        Assert.Equal([32, model.Window], windows.shape);
        var loss = model.Loss(windows, new RandomStream(5)).Value;
        Assert.Equal(loss.item<float>(), model.Loss(windows, new RandomStream(5)).Value.item<float>());
        Assert.Equal(model.TrivialLoss, loss.item<float>(), 0.5);
        loss.backward();
        Assert.All(model.Network.named_parameters(), p => Assert.NotNull(p.parameter.grad));
    }

    [Fact]
    public void Run_ManySteps_KeepsNoTensors()
    {
        using var model = Create("masked");
        var text = new TextStream(Reports, Alphabet.English);
        LanguageTraining.Run(model, text, 2, 4, Optimiser, 1);
        var live = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        LanguageTraining.Run(model, text, 20, 4, Optimiser, 1);
        model.Score("the heart is normal");
        Assert.Equal(live, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    [Theory]
    [InlineData("causal")]
    [InlineData("masked")]
    public void SaveLoad_GivesTheSameScores(string kind)
    {
        using var folder = new TemporaryFolder();
        using var model = Create(kind);
        model.Network.Save(folder.At("model.safetensors"));
        using var loaded = LanguageModel.Of(LanguageNetwork.Load(folder.At("model.safetensors"), CPU));
        Assert.Equal(model.Network.Spec, loaded.Network.Spec);
        Assert.Equal(model.Score("the heart is normal"), loaded.Score("the heart is normal"));
    }

    [Fact]
    public void Create_ImpossibleSettings_SaysWhy()
    {
        Assert.Contains("kind", Assert.Throws<LearningException>(() => new LanguageNetwork(Small with { Kind = "both" }, 1)).Message);
        Assert.Contains("heads", Assert.Throws<LearningException>(() => new LanguageNetwork(Small with { Heads = 3 }, 1)).Message);
        Assert.Contains("no text", Assert.Throws<LearningException>(() => new TextStream([""], Alphabet.English)).Message);
        using var model = Create("causal");
        Assert.Contains("'É'", Assert.Throws<LearningException>(() => model.Score("É")).Message);
    }
}
