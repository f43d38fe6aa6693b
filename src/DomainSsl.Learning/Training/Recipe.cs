using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using DomainSsl.Learning.Augmentation;
using DomainSsl.Learning.Encoders;
using DomainSsl.Learning.Objectives;
using DomainSsl.Learning.Weights;

namespace DomainSsl.Learning.Training;

/// <summary>What a recipe is for, for people.</summary>
public sealed record RecipeAbout
{
    /// <summary>For what kind of data and purpose.</summary>
    public required string For { get; init; }

    /// <summary>What figure to expect, on which data.</summary>
    public required string Expect { get; init; }

    /// <summary>On which machine.</summary>
    public required string Machine { get; init; }

    /// <summary>How long it takes there.</summary>
    public required string Duration { get; init; }
}

/// <summary>Items and batches.</summary>
public sealed record RecipeData
{
    /// <summary>Images: side to which a shard for this recipe is prepared, pixels; null: the encoder's. A little more leaves crops something to magnify.</summary>
    public int? Resolution { get; init; }

    /// <summary>Items a step (each gives as many views as the objective asks for). A smaller collection makes smaller batches.</summary>
    public int Batch { get; init; } = 64;

    /// <summary>Sound: seconds of a stretch at most.</summary>
    public double Seconds { get; init; } = 4;
}

/// <summary>AdamW (Loshchilov and Hutter 2019).</summary>
public sealed record RecipeOptimiser
{
    /// <summary>Highest learning rate.</summary>
    public double Rate { get; init; } = 1e-3;

    /// <summary>Highest learning rate of the encoder where it differs, as when it is already trained.</summary>
    public double? EncoderRate { get; init; }

    /// <summary>Weight decay of matrices and kernels; biases and normalisations have none.</summary>
    public double WeightDecay { get; init; } = 1e-4;

    /// <summary>Decay of the mean.</summary>
    public double Beta1 { get; init; } = 0.9;

    /// <summary>Decay of the mean square.</summary>
    public double Beta2 { get; init; } = 0.999;

    /// <summary>Longest gradient over all weights together; 0: not clipped.</summary>
    public double Clip { get; init; }

    /// <summary>One fused operation for all weights rather than some for each.</summary>
    public bool Fused { get; init; } = true;
}

/// <summary>How long, and how the rate goes: up linearly, then down along a cosine.</summary>
public sealed record RecipeSchedule
{
    /// <summary>Steps at most; null: no limit.</summary>
    public int? Steps { get; init; }

    /// <summary>Seconds at most; null: no limit.</summary>
    public double? Seconds { get; init; }

    /// <summary>Share of the run in which the rate rises.</summary>
    public double Warmup { get; init; } = 0.05;

    /// <summary>The rate at the end, as a share of the highest.</summary>
    public double Floor { get; init; } = 0.01;
}

/// <summary>When the whole state is written, whichever comes first.</summary>
public sealed record RecipeCheckpoint
{
    /// <summary>Every so many steps.</summary>
    public int Steps { get; init; } = 200;

    /// <summary>Every so many seconds.</summary>
    public double Seconds { get; init; } = 60;
}

/// <summary>When a line is written.</summary>
public sealed record RecipeLog
{
    /// <summary>Every so many steps.</summary>
    public int Steps { get; init; } = 10;
}

/// <summary>
/// How an encoder is pretrained: objective, encoder, augmentation, optimiser, schedule. A file states only what differs from the defaults; a run keeps the whole.
/// </summary>
public sealed record Recipe
{
    /// <summary>What it is for.</summary>
    public required RecipeAbout About { get; init; }

    /// <summary>As it is called in commands.</summary>
    public required string Name { get; init; }

    /// <summary>What it learns from: <c>image</c> or <c>sound</c>.</summary>
    public string Modality { get; init; } = Modalities.Image;

    /// <summary>The self-supervised loss.</summary>
    public required ObjectiveOptions Objective { get; init; }

    /// <summary>The network.</summary>
    public required EncoderSpec Encoder { get; init; }

    /// <summary>Where its weights come from: <c>scratch</c>, or one of the encoders that come with the product: <c>public</c> for images, <c>spoken</c> for sound.</summary>
    public string Start { get; init; } = "scratch";

    /// <summary>Items and batches.</summary>
    public RecipeData Data { get; init; } = new();

    /// <summary>Images: how views differ.</summary>
    public AugmentationOptions Augmentation { get; init; } = new();

    /// <summary>Sound: how far what is heard differs from the recording.</summary>
    public DistortionOptions Distortion { get; init; } = new();

    /// <summary>The optimiser.</summary>
    public RecipeOptimiser Optimiser { get; init; } = new();

    /// <summary>Length and rate.</summary>
    public RecipeSchedule Schedule { get; init; } = new();

    /// <summary>When the state is written.</summary>
    public RecipeCheckpoint Checkpoint { get; init; } = new();

    /// <summary>When a line is written.</summary>
    public RecipeLog Log { get; init; } = new();

    /// <summary><c>float32</c>, <c>bfloat16</c>, or <c>auto</c>: bfloat16 where the processor multiplies it faster.</summary>
    public string Precision { get; init; } = "auto";

    /// <summary>Side of the images in a shard for this recipe, pixels; nothing for sound.</summary>
    [JsonIgnore]
    public int ShardResolution => Data.Resolution ?? Encoder.Resolution;

    /// <summary>Reads a recipe; unknown keys and wrong types are refused with the nearest right name.</summary>
    /// <exception cref="LearningException">With a sentence that names the place.</exception>
    public static Recipe Parse(string json)
    {
        var recipe = StrictJson.Read<Recipe>(json, "recipe");
        recipe.Validate();
        return recipe;
    }

    /// <summary>The whole recipe, defaults included.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, StrictJson.Options);

    /// <summary>The recipe with one value changed, e.g. <c>checkpoint.steps=10</c>.</summary>
    /// <exception cref="LearningException">No such value, or it cannot be that.</exception>
    public Recipe With(string assignment)
    {
        var at = assignment.IndexOf('=', StringComparison.Ordinal);
        if (at <= 0) throw new LearningException($"'{assignment}' sets nothing; write path=value, such as checkpoint.steps=10.");
        var (path, text) = (assignment[..at].Trim().Split('.'), assignment[(at + 1)..].Trim());
        JsonNode? value;
        try { value = JsonNode.Parse(text); }
        catch (JsonException) { value = JsonValue.Create(text); }
        var root = JsonNode.Parse(ToJson())!.AsObject();
        var place = root;
        foreach (var part in path[..^1])
        {
            place = place[part] as JsonObject
                ?? throw new LearningException($"The recipe has no '{part}' to hold '{path[^1]}'; did you mean '{StrictJson.Nearest(part, place.Where(p => p.Value is JsonObject).Select(p => p.Key))}'?");
        }
        place[path[^1]] = value;
        return Parse(root.ToJsonString());
    }

    private void Validate()
    {
        void Must(bool holds, string sentence)
        {
            if (!holds) throw new LearningException($"The recipe '{Name}' cannot be run: {sentence}");
        }

        Must(Modality is Modalities.Image or Modalities.Sound, "modality is image or sound.");
        Must(Encoder.Modality == Modality && Objective.Modality == Modality,
            $"modality is {Modality}, but the encoder takes {Encoder.Modality} and the objective {Objective.Modality}; all three must be the same.");
        Must(Modality == Modalities.Sound || Encoder.Resolution is >= 8 and <= 4096, "encoder.resolution must be 8 to 4096.");
        Must(Modality == Modalities.Sound || ShardResolution is >= 8 and <= 4096, "data.resolution must be 8 to 4096.");
        Must(Data.Seconds is >= 0.1 and <= 60, "data.seconds must be 0.1 to 60.");
        Must(Distortion is { Speed: >= 0 and <= 0.5, Noise: >= 0 and <= 1 }, "distortion.speed must be 0 to 0.5 and distortion.noise 0 to 1.");
        Must(Data.Batch is >= 2 and <= 65536, "data.batch must be 2 to 65536.");
        Must(Optimiser.Rate > 0 && Optimiser.EncoderRate is null or > 0, "optimiser.rate must be above 0.");
        Must(Optimiser.Beta1 is >= 0 and < 1 && Optimiser.Beta2 is >= 0 and < 1, "optimiser.beta1 and beta2 must be at least 0 and below 1.");
        Must(Optimiser.WeightDecay >= 0 && Optimiser.Clip >= 0, "optimiser.weightDecay and clip must not be negative.");
        Must(Schedule.Steps is not null || Schedule.Seconds is not null, "schedule needs steps or seconds.");
        Must(Schedule.Steps is null or > 0 && Schedule.Seconds is null or > 0, "schedule.steps and seconds must be above 0.");
        Must(Schedule.Warmup is >= 0 and < 1 && Schedule.Floor is >= 0 and <= 1, "schedule.warmup and floor must lie between 0 and 1.");
        Must(Checkpoint.Steps > 0 && Checkpoint.Seconds > 0 && Log.Steps > 0, "checkpoint.steps, checkpoint.seconds and log.steps must be above 0.");
        Must(Augmentation.CropMin is > 0 and <= 1 && Augmentation.CropMax is > 0 and <= 1 && Augmentation.CropMin <= Augmentation.CropMax, "augmentation.cropMin and cropMax must be 0 to 1, in this order.");
        Must(Augmentation is { Flip: >= 0 and <= 1, Blur: >= 0 and <= 1, Contrast: >= 0 and <= 1, Aspect: >= 1, Gamma: >= 0, Brightness: >= 0, Noise: >= 0, Rotation: >= 0 },
            "a value of augmentation is out of its range.");
        var open = Modality == Modalities.Image ? PublicEncoder.Name : SpokenEncoder.Name;
        Must(Start == "scratch" || Start == open, $"start is scratch or {open}.");
        Must(Precision is "auto" or "float32" or "bfloat16", "precision is auto, float32 or bfloat16.");
    }
}

/// <summary>The recipes that come with the product.</summary>
public static class Recipes
{
    /// <summary>All of them: those for images, then those for sound.</summary>
    public static IReadOnlyList<Recipe> All { get; } = [.. Load().OrderBy(r => Array.IndexOf(Order, r.Name) is var i and >= 0 ? i : int.MaxValue).ThenBy(r => r.Name, StringComparer.Ordinal)];

    /// <summary>The first of a kind: its network is what stands beside all of that kind as from scratch.</summary>
    public static Recipe Default(string modality) => All.First(r => r.Modality == modality);

    private static string[] Order => ["simclr", "simclr-small", "mae-small", "hubert", "pseudo-labels", "hubert-small", "wav2vec2-small", "hubert-base", "wav2vec2-base"];

    /// <summary>The recipe of that name, in any case.</summary>
    /// <exception cref="LearningException">There is none; the nearest is named.</exception>
    public static Recipe Find(string name)
    {
        if (All.FirstOrDefault(r => r.Name.Equals(name, StringComparison.OrdinalIgnoreCase)) is { } recipe) return recipe;
        throw new LearningException($"There is no recipe '{name}'; did you mean '{StrictJson.Nearest(name, All.Select(r => r.Name))}'? There are {string.Join(", ", All.Select(r => r.Name))}.");
    }

    private static IEnumerable<Recipe> Load()
    {
        var assembly = Assembly.GetExecutingAssembly();
        foreach (var resource in assembly.GetManifestResourceNames().Where(n => n.EndsWith(".json", StringComparison.Ordinal)))
        {
            using var reader = new StreamReader(assembly.GetManifestResourceStream(resource)!);
            yield return Recipe.Parse(reader.ReadToEnd());
        }
    }
}
