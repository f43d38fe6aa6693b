using DomainSsl.Learning.Encoders;
using DomainSsl.Learning.Objectives;
using DomainSsl.Learning.Training;
using DomainSsl.Learning.Weights;

namespace DomainSsl.Learning.Tests.Training;

public sealed class RecipeTests
{
    private const string Shortest = """
        {"about":{"for":"a","expect":"b","machine":"c","duration":"d"},"name":"x","objective":{"name":"simclr"},
         "encoder":{"architecture":"resnet","resolution":64,"width":8,"blocks":[1],"stem":"stride4","input":"grey"},"schedule":{"steps":3}}
        """;

    [Fact]
    public void All_AreThere_ImagesFirst_EachKindsDefaultBeforeTheOthers()
    {
        Assert.Equal(["simclr", "simclr-small", "mae-small", "hubert", "pseudo-labels", "hubert-small", "wav2vec2-small", "hubert-base", "wav2vec2-base"], Recipes.All.Select(r => r.Name));
        Assert.Equal(("simclr", "hubert"), (Recipes.Default("image").Name, Recipes.Default("sound").Name));
        Assert.All(Recipes.All, r => Assert.Equal(r.Modality, r.Encoder.Modality));
    }

    [Fact]
    public void Find_InAnyCase_Finds_AndNamesTheNearestOtherwise()
    {
        Assert.Equal("simclr-small", Recipes.Find("SimCLR-Small").Name);
        Assert.Contains("did you mean 'mae-small'", Assert.Throws<LearningException>(() => Recipes.Find("mae-smal")).Message);
    }

    [Fact]
    public void ToJson_ReadBack_IsTheSame()
    {
        foreach (var recipe in Recipes.All) Assert.Equal(recipe.ToJson(), Recipe.Parse(recipe.ToJson()).ToJson());
    }

    [Fact]
    public void Parse_OnlyWhatDiffers_TakesTheDefaults()
    {
        var recipe = Recipe.Parse(Shortest);
        Assert.Equal(64, recipe.ShardResolution);
        Assert.Equal(new RecipeCheckpoint(), recipe.Checkpoint);
        Assert.Equal(0.2, Assert.IsType<SimClrOptions>(recipe.Objective).Temperature);
    }

    [Theory]
    [InlineData("\"schedule\":{\"steps\":3}", "\"schedule\":{\"step\":3}", "'step' in 'schedule' is unknown; did you mean 'steps'?")]
    [InlineData("\"name\":\"x\"", "\"name\":\"x\",\"optimizer\":{}", "'optimizer' in the recipe is unknown; did you mean 'optimiser'?")]
    [InlineData("\"steps\":3", "\"steps\":\"3\"", "'schedule.steps' must be a whole number, not \"3\"")]
    [InlineData("\"steps\":3", "\"steps\":3.5", "'schedule.steps' must be a whole number")]
    [InlineData("[1]", "[true]", "'encoder.blocks[0]' must be a whole number")]
    [InlineData("[1]", "1", "'encoder.blocks' must be a list")]
    [InlineData("{\"name\":\"simclr\"}", "{\"name\":\"simcrl\"}", "did you mean 'simclr'?")]
    [InlineData("{\"name\":\"simclr\"}", "{\"temperature\":1}", "needs a 'name': simclr or mae or wav2vec2 or hubert")]
    [InlineData("{\"name\":\"simclr\"}", "{\"temprature\":1,\"name\":\"simclr\"}", "did you mean 'temperature'?")]
    [InlineData("{\"name\":\"simclr\"}", "7", "'objective' must be an object")]
    [InlineData("\"steps\":3", "\"steps\":0", "schedule.steps and seconds must be above 0")]
    [InlineData("\"steps\":3", "\"warmup\":0.1", "schedule needs steps or seconds")]
    [InlineData("\"name\":\"x\",", "", "name")]
    [InlineData("{\"name\":\"simclr\"}", "{\"name\":\"wav2vec2\"}", "the encoder takes image and the objective sound")]
    [InlineData("\"name\":\"x\"", "\"name\":\"x\",\"modality\":\"sound\"", "modality is sound, but the encoder takes image")]
    [InlineData("\"name\":\"x\"", "\"name\":\"x\",\"data\":{\"seconds\":0}", "data.seconds must be 0.1 to 60")]
    [InlineData("{\"about\"", "{{\"about\"", "cannot be read")]
    public void Parse_WithAMistake_NamesItsPlaceAndTheRightName(string from, string to, string sentence)
    {
        Assert.Contains(from, Shortest);
        Assert.Contains(sentence, Assert.Throws<LearningException>(() => Recipe.Parse(Shortest.Replace(from, to, StringComparison.Ordinal))).Message);
    }

    [Fact]
    public void With_APath_ChangesThatValueAlone()
    {
        var recipe = Recipes.Find("simclr");
        var changed = recipe.With("checkpoint.steps=10").With("objective.temperature=0.5").With("precision=float32").With("objective.projector=[64, 32]").With("schedule.steps=7");
        Assert.Equal(10, changed.Checkpoint.Steps);
        Assert.Equal("float32", changed.Precision);
        Assert.Equal(7, changed.Schedule.Steps);
        Assert.Equal([64, 32], Assert.IsType<SimClrOptions>(changed.Objective).Projector);
        Assert.Equal(0.5, ((SimClrOptions)changed.Objective).Temperature);
        Assert.Equal(recipe.ToJson(), changed.With("checkpoint.steps=200").With("objective.temperature=0.2").With("precision=auto").With("objective.projector=[512,512,128]").With("schedule.steps=null").ToJson());
    }

    [Theory]
    [InlineData("checkpont.steps=10", "did you mean 'checkpoint'?")]
    [InlineData("checkpoint.stepz=10", "did you mean 'steps'?")]
    [InlineData("checkpoint.steps=ten", "must be a whole number")]
    [InlineData("checkpoint.steps", "write path=value")]
    [InlineData("checkpoint=3", "must be an object")]
    public void With_AMistake_SaysWhatWasMeant(string assignment, string sentence) =>
        Assert.Contains(sentence, Assert.Throws<LearningException>(() => Recipes.Find("simclr").With(assignment)).Message);

    [Fact]
    public void StartsFromAnEncoderOfTheProduct_TheEncoderOfTheRecipeIsThatNetwork()
    {
        var started = Recipes.All.Where(r => r.Start != "scratch").ToList();
        Assert.Equal(["public", "spoken"], started.Select(r => r.Start).Distinct().Order());
        Assert.All(started, r => Assert.True(r.Encoder.SameNetwork(r.Start == "public" ? PublicEncoder.Spec : EncoderWeights.ReadSpec(SpokenEncoder.FilePath)), r.Name));
    }
}
