using Microsoft.AspNetCore.Identity;

namespace DomainSsl.Core.People;

/// <summary>A person who signs in. UserName is what they type.</summary>
public sealed class User : IdentityUser
{
    /// <summary>Kept, but may no longer sign in.</summary>
    public bool Disabled { get; set; }
    /// <summary>Signed in with a made password: must choose another first.</summary>
    public bool MustChangePassword { get; set; }
    /// <summary>When the account was made (UTC).</summary>
    public DateTime CreatedAt { get; set; }
    /// <summary>Last sign-in (UTC).</summary>
    public DateTime? LastSignInAt { get; set; }
}

/// <summary>The three roles, as stored and as named in [Authorize].</summary>
public static class Roles
{
    /// <summary>Imports, pretrains, manages models and people, answers for privacy; may do everything.</summary>
    public const string Admin = "Admin";
    /// <summary>Labels, trains, reads results, reviews predictions.</summary>
    public const string Clinician = "Clinician";
    /// <summary>Reviews predictions and transcripts.</summary>
    public const string Reviewer = "Reviewer";
    /// <summary>Admin or Clinician.</summary>
    public const string AdminOrClinician = Admin + "," + Clinician;
    /// <summary>Any of the three.</summary>
    public const string Anyone = Admin + "," + Clinician + "," + Reviewer;
    /// <summary>All roles.</summary>
    public static IReadOnlyList<string> All { get; } = [Admin, Clinician, Reviewer];
}
