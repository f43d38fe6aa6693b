namespace DomainSsl.Core.Audit;

/// <summary>Who did what, when: a link of a hash chain, so that a changed or removed entry is seen.</summary>
public sealed class AuditEntry
{
    /// <summary>Row id, without gaps.</summary>
    public long Id { get; set; }
    /// <summary>When (UTC).</summary>
    public DateTime At { get; set; }
    /// <summary>A user's name, <c>cli:NAME</c>, or <c>system</c>.</summary>
    public required string Who { get; set; }
    /// <summary>Verb in the past: <c>imported</c>, <c>signed in</c>, <c>labelled</c>, <c>promoted</c>, <c>viewed</c> (a page), <c>saw</c> (an image, a sound, a file), <c>exported</c>, …</summary>
    public required string Action { get; set; }
    /// <summary>What it was done to: <c>model m-7k3q</c>, <c>collection chest-all</c>.</summary>
    public string Subject { get; set; } = "";
    /// <summary>More, as JSON or a sentence; never a patient's name.</summary>
    public string Details { get; set; } = "";
    /// <summary>Hash of the entry before.</summary>
    public required string PreviousHash { get; set; }
    /// <summary>SHA-256 over this entry's fields and <see cref="PreviousHash"/>.</summary>
    public required string Hash { get; set; }
}
