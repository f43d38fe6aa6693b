using System.Security.Claims;
using DomainSsl.Core.People;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;

namespace DomainSsl.Web.Security;

/// <summary>Signing in, which a disabled account may not.</summary>
public sealed class ActiveSignIn(UserManager<User> users, IHttpContextAccessor context, IUserClaimsPrincipalFactory<User> claims, IOptions<IdentityOptions> options,
    ILogger<SignInManager<User>> log, IAuthenticationSchemeProvider schemes, IUserConfirmation<User> confirmation)
    : SignInManager<User>(users, context, claims, options, log, schemes, confirmation)
{
    /// <inheritdoc />
    public override async Task<bool> CanSignInAsync(User user) => !user.Disabled && await base.CanSignInAsync(user);
}

/// <summary>What the cookie says of a person besides name and roles: whether a made password must be changed first, and which session it is.</summary>
public sealed class PersonClaims(UserManager<User> users, RoleManager<IdentityRole> roles, IOptions<IdentityOptions> options)
    : UserClaimsPrincipalFactory<User, IdentityRole>(users, roles, options)
{
    private const string MustChange = "domainssl/must-change-password", Session = "domainssl/session";

    /// <summary>Names a session from sign-in to sign-out.</summary>
    public static string? SessionOf(ClaimsPrincipal person) => person.FindFirstValue(Session);

    /// <summary>A cookie that is written anew is of the session that it was of.</summary>
    public static void KeepSession(ClaimsPrincipal? from, ClaimsPrincipal? to)
    {
        if (from?.FindFirst(Session) is not { } old || to?.Identity is not ClaimsIdentity identity) return;
        foreach (var other in identity.FindAll(Session).ToList()) identity.RemoveClaim(other);
        identity.AddClaim(old.Clone());
    }

    /// <summary>Whether this person may do nothing before choosing a password.</summary>
    public static bool MustChangePassword(ClaimsPrincipal person) => person.HasClaim(c => c.Type == MustChange);

    /// <inheritdoc />
    protected override async Task<ClaimsIdentity> GenerateClaimsAsync(User user)
    {
        var identity = await base.GenerateClaimsAsync(user);
        identity.AddClaim(new Claim(Session, Guid.NewGuid().ToString("n")));
        if (user.MustChangePassword) identity.AddClaim(new Claim(MustChange, "1"));
        return identity;
    }
}
