namespace DomainSsl.Learning;

/// <summary>Something about a recipe, a file of weights, a shard or a run is wrong; the message is one sentence for people: what is wrong and what to do.</summary>
public sealed class LearningException : Exception
{
    /// <summary>With the sentence alone.</summary>
    public LearningException(string message) : base(message) { }

    /// <summary>With the sentence and what lies behind it.</summary>
    public LearningException(string message, Exception inner) : base(message, inner) { }
}
