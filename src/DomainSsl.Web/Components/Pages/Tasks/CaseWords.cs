using DomainSsl.Core.Library;

namespace DomainSsl.Web.Components.Pages.Tasks;

/// <summary>What a task is about, as its pages call it.</summary>
/// <param name="One">One of its cases: an image, a recording.</param>
/// <param name="Person">Whose it is: a patient, a speaker.</param>
/// <param name="Whole">What is brought in: scans, recordings.</param>
/// <param name="Kind">The name of it for the browser's side.</param>
public sealed record CaseWords(string One, string Person, string Whole, string Kind)
{
    private static readonly CaseWords Images = new("image", "patient", "scans", "image"), Recordings = new("recording", "speaker", "recordings", "sound");

    /// <summary>The words for a kind of item.</summary>
    public static CaseWords Of(ItemKind kind) => kind == ItemKind.Sound ? Recordings : Images;

    /// <summary>Several cases.</summary>
    public string Many => One + "s";

    /// <summary>Several people.</summary>
    public string People => Person + "s";
}
