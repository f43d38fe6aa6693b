namespace DomainSsl.Core;

/// <summary>Why something that a person asked for is not done: a stable code, one sentence that says what is wrong and what to do.</summary>
/// <param name="Code">Kebab-case, stable: scripts and tests rely on it.</param>
/// <param name="Sentence">What is wrong and what to do, in a clinician's words.</param>
public sealed record Refusal(string Code, string Sentence);

/// <summary>Thrown where bad input reaches a service; shown to people as its sentence, never as a stack trace. Bugs stay other exceptions.</summary>
public sealed class RefusedException(Refusal refusal) : Exception(refusal.Sentence)
{
    /// <summary>Makes the exception from a code and a sentence.</summary>
    public RefusedException(string code, string sentence) : this(new Refusal(code, sentence)) { }

    /// <summary>The code and the sentence.</summary>
    public Refusal Refusal { get; } = refusal;
}
