using DomainSsl.Core.Library;

namespace DomainSsl.Core.Review;

/// <summary>A model's answer for an item, with its uncertainty.</summary>
public sealed class Prediction
{
    /// <summary>Row id.</summary>
    public long Id { get; set; }
    /// <summary>The task.</summary>
    public long TaskId { get; set; }
    /// <summary>The classifier.</summary>
    public required string ModelId { get; set; }
    /// <summary>The item.</summary>
    public long ItemId { get; set; }
    /// <inheritdoc cref="ItemId" />
    public Item? Item { get; set; }
    /// <summary>The likeliest class.</summary>
    public long ClassId { get; set; }
    /// <summary>Probabilities in the order of the classes, as a JSON array.</summary>
    public required string Probabilities { get; set; }
    /// <summary>Entropy over its maximum ln K, 0 (sure) to 1 (no idea).</summary>
    public double Uncertainty { get; set; }
    /// <summary>Nearest labelled items by features, nearest first, as a JSON array of item ids.</summary>
    public string Similar { get; set; } = "[]";
    /// <summary>When (UTC).</summary>
    public DateTime At { get; set; }
}

/// <summary>What a person did with a prediction.</summary>
public enum ReviewDecision
{
    /// <summary>It is right.</summary>
    Accept,
    /// <summary>It is wrong: <see cref="ReviewEntry.ClassId"/> is right.</summary>
    Correct,
    /// <summary>Somebody else shall look.</summary>
    Refer,
    /// <summary>An earlier decision taken back (undo).</summary>
    Withdrawn,
}

/// <summary>A person's decision on a prediction; never overwritten, only superseded.</summary>
public sealed class ReviewEntry
{
    /// <summary>Row id.</summary>
    public long Id { get; set; }
    /// <summary>The prediction.</summary>
    public long PredictionId { get; set; }
    /// <inheritdoc cref="PredictionId" />
    public Prediction? Prediction { get; set; }
    /// <summary>The decision.</summary>
    public ReviewDecision Decision { get; set; }
    /// <summary>The right class (accept and correct).</summary>
    public long? ClassId { get; set; }
    /// <summary>Who.</summary>
    public required string By { get; set; }
    /// <summary>When (UTC).</summary>
    public DateTime At { get; set; }
    /// <summary>When a later decision took its place (UTC).</summary>
    public DateTime? SupersededAt { get; set; }
    /// <summary>A key made by the page for each decision: sent twice, stored once. Unique.</summary>
    public required string ClientKey { get; set; }
}
