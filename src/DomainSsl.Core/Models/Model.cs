using System.Text.Json;
using System.Text.Json.Nodes;
using DomainSsl.Core.Tasks;

namespace DomainSsl.Core.Models;

/// <summary>What a model is.</summary>
public enum ModelKind
{
    /// <summary>Turns an item into features.</summary>
    Encoder,
    /// <summary>Answers a task's question.</summary>
    Classifier,
    /// <summary>Turns speech into text.</summary>
    Transcriber,
    /// <summary>Knows the clinic's language.</summary>
    Language,
}

/// <summary>A model's place in the clinic's life.</summary>
public enum ModelState
{
    /// <summary>Made, not yet used.</summary>
    Candidate,
    /// <summary>The one that answers now: one a task; encoders of images and of sound: the one offered first.</summary>
    InUse,
    /// <summary>Kept, no longer offered.</summary>
    Retired,
}

/// <summary>Weights with their lineage. The files lie in <c>models/ID/</c>: <c>weights.safetensors</c>, <c>model.json</c> (architecture).</summary>
public sealed class Model
{
    /// <summary>Id, e.g. <c>m-7k3qx2</c>; <c>public</c> and <c>spoken</c> are the public encoders.</summary>
    public required string Id { get; set; }
    /// <summary>Name for people; unique.</summary>
    public required string Name { get; set; }
    /// <summary>Encoder, classifier, …</summary>
    public ModelKind Kind { get; set; }
    /// <summary>The current state; each change is a <see cref="ModelStateChange"/>.</summary>
    public ModelState State { get; set; }
    /// <summary>The run that made it; null for what came with the product or was imported.</summary>
    public string? RunId { get; set; }
    /// <summary>The model it began from.</summary>
    public string? ParentId { get; set; }
    /// <summary>The task it answers (classifiers).</summary>
    public long? TaskId { get; set; }
    /// <summary>Recipe name or fine-tuning mode, e.g. <c>simclr</c>, <c>probe</c>.</summary>
    public string Recipe { get; set; } = "";
    /// <summary>The resolved recipe as JSON.</summary>
    public string RecipeJson { get; set; } = "{}";
    /// <summary>The architecture as JSON (Learning's EncoderSpec or classifier description).</summary>
    public string Architecture { get; set; } = "{}";
    /// <summary>Whether it is an encoder of sound rather than of images.</summary>
    public bool OfSound => Kind == ModelKind.Encoder && JsonNode.Parse(Architecture)?["architecture"]?.GetValue<string>() == "sound";
    /// <summary>Hash of the collection or labels it learnt from.</summary>
    public string DataHash { get; set; } = "";
    /// <summary>The program's version and commit.</summary>
    public string CodeVersion { get; set; } = "";
    /// <summary>The seed.</summary>
    public long Seed { get; set; }
    /// <summary>Training steps.</summary>
    public int Steps { get; set; }
    /// <summary>Metrics as JSON: name → number or {value, low, high}.</summary>
    public string Metrics { get; set; } = "{}";
    /// <summary>SHA-256 of the weights file.</summary>
    public string WeightsHash { get; set; } = "";
    /// <summary>When it was made (UTC).</summary>
    public DateTime CreatedAt { get; set; }
    /// <summary>Who asked for it.</summary>
    public required string By { get; set; }

    /// <summary>Its metrics by name, in their order; what is no number and has none is left out.</summary>
    public IReadOnlyDictionary<string, Measured> ReadMetrics()
    {
        var found = new Dictionary<string, Measured>();
        using var metrics = JsonDocument.Parse(Metrics.Length == 0 ? "{}" : Metrics);
        if (metrics.RootElement.ValueKind != JsonValueKind.Object) return found;
        foreach (var metric in metrics.RootElement.EnumerateObject())
        {
            if (metric.Value.ValueKind == JsonValueKind.Number) found[metric.Name] = new Measured(metric.Value.GetDouble(), null, null);
            else if (Number(metric.Value, "value") is { } value) found[metric.Name] = new Measured(value, Number(metric.Value, "low"), Number(metric.Value, "high"));
        }
        return found;

        static double? Number(JsonElement of, string name) => of.ValueKind == JsonValueKind.Object && of.TryGetProperty(name, out var v) && v.ValueKind == JsonValueKind.Number ? v.GetDouble() : null;
    }
}

/// <summary>A promotion, retirement or roll-back: who and when. Rolling back reads these.</summary>
public sealed class ModelStateChange
{
    /// <summary>Row id.</summary>
    public long Id { get; set; }
    /// <summary>Which model.</summary>
    public required string ModelId { get; set; }
    /// <summary>Its state from then on.</summary>
    public ModelState State { get; set; }
    /// <summary>When (UTC).</summary>
    public DateTime At { get; set; }
    /// <summary>Who.</summary>
    public required string By { get; set; }
    /// <summary>Why: <c>promoted</c>, <c>replaced by m-…</c>, <c>rolled back</c>, <c>retired</c>.</summary>
    public string Reason { get; set; } = "";
}
