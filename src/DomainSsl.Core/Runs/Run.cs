namespace DomainSsl.Core.Runs;

/// <summary>What a run does.</summary>
public enum RunKind
{
    /// <summary>Self-supervised pretraining of an encoder.</summary>
    Pretrain,
    /// <summary>A classifier from labels, with its comparison arms.</summary>
    FineTune,
    /// <summary>Metrics of a model on labels.</summary>
    Evaluate,
    /// <summary>What pretraining is worth: arms by label budget.</summary>
    LabelEfficiency,
    /// <summary>A classifier's answers for items.</summary>
    Predict,
    /// <summary>Feature vectors of items.</summary>
    Embed,
    /// <summary>A transcriber from transcribed recordings.</summary>
    FineTuneSpeech,
    /// <summary>Error rates of a transcriber.</summary>
    EvaluateSpeech,
    /// <summary>What pretraining is worth: arms by minutes of transcribed speech.</summary>
    LabelEfficiencySpeech,
    /// <summary>What is said in recordings.</summary>
    Transcribe,
    /// <summary>A language model from the clinic's own text.</summary>
    Language,
}

/// <summary>Where a run stands.</summary>
public enum RunState
{
    /// <summary>Waits for a worker.</summary>
    Queued,
    /// <summary>A worker holds its lease.</summary>
    Running,
    /// <summary>Ended well.</summary>
    Done,
    /// <summary>Ended badly; <see cref="Run.Error"/> says why.</summary>
    Failed,
    /// <summary>Stopped by a person; may be resumed from its last checkpoint.</summary>
    Cancelled,
}

/// <summary>
/// One piece of work by a worker; the row is the queue. A worker takes a queued row (or one whose lease has run out) with one conditional update that sets
/// <see cref="Lease"/>; it renews the lease every few seconds, and every later write names it, so a worker that slept through its lease cannot overwrite its successor.
/// </summary>
public sealed class Run
{
    /// <summary>Id, e.g. <c>r-20260102-7k3q</c>; also the name of its folder.</summary>
    public required string Id { get; set; }
    /// <summary>What it does.</summary>
    public RunKind Kind { get; set; }
    /// <summary>One line for people, e.g. <c>SimCLR on chest-all</c>.</summary>
    public required string Title { get; set; }
    /// <summary>The request record as JSON; its type follows from <see cref="Kind"/>.</summary>
    public required string Request { get; set; }
    /// <summary>Where it stands.</summary>
    public RunState State { get; set; }
    /// <summary>Who asked for it.</summary>
    public required string By { get; set; }
    /// <summary>When it was asked for (UTC).</summary>
    public DateTime QueuedAt { get; set; }
    /// <summary>When a worker first took it (UTC).</summary>
    public DateTime? StartedAt { get; set; }
    /// <summary>When it ended (UTC).</summary>
    public DateTime? EndedAt { get; set; }
    /// <summary>The token of the worker that holds it.</summary>
    public string? Lease { get; set; }
    /// <summary>Until when the lease holds (UTC).</summary>
    public DateTime? LeaseUntil { get; set; }
    /// <summary>Process that holds it, as <c>bootid/pid/starttime</c>: on the same machine a dead holder is seen at once, without waiting for the lease.</summary>
    public string? Holder { get; set; }
    /// <summary>How often a worker took it.</summary>
    public int Attempts { get; set; }
    /// <summary>A person asked to stop; the worker looks at it between steps.</summary>
    public bool CancelRequested { get; set; }
    /// <summary>How much is done, 0–1.</summary>
    public double Progress { get; set; }
    /// <summary>What it is at, for people: <c>Decoding 300 of 1,200 images</c>.</summary>
    public string Stage { get; set; } = "";
    /// <summary>Seconds left by the worker's estimate.</summary>
    public double? SecondsLeft { get; set; }
    /// <summary>The device it runs on, e.g. <c>cpu (2 threads)</c>.</summary>
    public string? Device { get; set; }
    /// <summary>Latest summary of the metrics, or the result, as JSON.</summary>
    public string? Summary { get; set; }
    /// <summary>What went wrong, as a sentence.</summary>
    public string? Error { get; set; }
    /// <summary>The task it belongs to, if any.</summary>
    public long? TaskId { get; set; }
}
