using DomainSsl.Core.Collections;
using DomainSsl.Core.Library;

namespace DomainSsl.Core.Tasks;

/// <summary>A question with its answers, asked of a collection's items.</summary>
public sealed class LabelTask
{
    /// <summary>Row id.</summary>
    public long Id { get; set; }
    /// <summary>Name; unique.</summary>
    public required string Name { get; set; }
    /// <summary>The question as a clinician reads it above each image or recording.</summary>
    public string Question { get; set; } = "";
    /// <summary>The collection that it asks about.</summary>
    public long CollectionId { get; set; }
    /// <inheritdoc cref="CollectionId" />
    public Collection? Collection { get; set; }
    /// <summary>The encoder that training begins from; null takes the newest in use.</summary>
    public string? EncoderId { get; set; }
    /// <summary>When it was made (UTC).</summary>
    public DateTime CreatedAt { get; set; }
    /// <summary>By whom.</summary>
    public required string By { get; set; }
    /// <summary>What a clinician asked the administrator to bring in for it, in a sentence; null where nothing is asked for. Earlier ones are in the audit log.</summary>
    public string? Wanted { get; set; }
    /// <summary>Who asks for it.</summary>
    public string? WantedBy { get; set; }
    /// <summary>Since when (UTC).</summary>
    public DateTime? WantedAt { get; set; }
    /// <summary>The answers, in the order of their keys 1–9.</summary>
    public List<TaskClass> Classes { get; } = [];
}

/// <summary>One answer of a task.</summary>
public sealed class TaskClass
{
    /// <summary>Row id.</summary>
    public long Id { get; set; }
    /// <summary>The task.</summary>
    public long TaskId { get; set; }
    /// <summary>Its place, from 0; key place+1.</summary>
    public int Position { get; set; }
    /// <summary>Its name, unique in the task.</summary>
    public required string Name { get; set; }
}

/// <summary>A patient whose items are test items of a task: drawn and frozen before the task's first label; their labels are never fitted and no choice ever looks at them. An encoder that learns without labels may see their items.</summary>
public sealed class TaskTestPatient
{
    /// <summary>The task.</summary>
    public long TaskId { get; set; }
    /// <summary>The patient.</summary>
    public long PatientId { get; set; }
}

/// <summary>What a person said of an item.</summary>
public enum LabelAnswer
{
    /// <summary>One of the classes.</summary>
    Class,
    /// <summary>Looked at, not sure.</summary>
    NotSure,
    /// <summary>Put off; comes again at the end.</summary>
    Skipped,
    /// <summary>An earlier answer taken back (undo).</summary>
    Withdrawn,
}

/// <summary>Where a label came from.</summary>
public enum LabelSource
{
    /// <summary>The labelling page.</summary>
    Labelling,
    /// <summary>A correction or acceptance in review.</summary>
    Review,
    /// <summary>A CSV file.</summary>
    File,
}

/// <summary>One person's answer for one item; never overwritten, only superseded: the current one is that with no <see cref="SupersededAt"/>.</summary>
public sealed class Label
{
    /// <summary>Row id.</summary>
    public long Id { get; set; }
    /// <summary>The task.</summary>
    public long TaskId { get; set; }
    /// <summary>The item.</summary>
    public long ItemId { get; set; }
    /// <inheritdoc cref="ItemId" />
    public Item? Item { get; set; }
    /// <summary>What was said.</summary>
    public LabelAnswer Answer { get; set; }
    /// <summary>The class, where the answer is one.</summary>
    public long? ClassId { get; set; }
    /// <summary>Where it came from.</summary>
    public LabelSource Source { get; set; }
    /// <summary>Who.</summary>
    public required string By { get; set; }
    /// <summary>When (UTC).</summary>
    public DateTime At { get; set; }
    /// <summary>When a later answer took its place (UTC).</summary>
    public DateTime? SupersededAt { get; set; }
    /// <summary>A key made by the page for each answer: the same answer sent twice (a dropped connection) is stored once. Unique.</summary>
    public required string ClientKey { get; set; }
}
