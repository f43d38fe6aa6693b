namespace DomainSsl.Web.Components.Shared;

/// <summary>Where something that a person entered stands.</summary>
public enum Saving
{
    /// <summary>Nothing entered yet.</summary>
    Nothing,
    /// <summary>On its way to the database.</summary>
    Saving,
    /// <summary>Committed.</summary>
    Saved,
    /// <summary>Refused or unreachable; tried again.</summary>
    NotSaved,
}
