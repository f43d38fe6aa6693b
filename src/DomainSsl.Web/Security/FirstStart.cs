using System.Security.Cryptography;
using DomainSsl.Core.People;

namespace DomainSsl.Web.Security;

/// <summary>
/// Before there is an account, the site has one page: making the first administrator. From this machine it is open; from elsewhere it wants the code that stands in the terminal, since whoever
/// comes first would own the site.
/// </summary>
public sealed class FirstStart(Accounts accounts)
{
    private volatile bool _somebody;

    /// <summary>The one-time code of this start.</summary>
    public string Code { get; } = RandomNumberGenerator.GetString("0123456789", 8);

    /// <summary>Whether nobody has an account yet. Once somebody has, this never asks the database again.</summary>
    public async Task<bool> IsPendingAsync(CancellationToken cancel = default) => !_somebody && !(_somebody = await accounts.AnyAsync(cancel));

    /// <summary>Whether a code is the one in the terminal, compared in constant time.</summary>
    public bool IsCode(string? code) =>
        CryptographicOperations.FixedTimeEquals(System.Text.Encoding.UTF8.GetBytes(code?.Trim() ?? ""), System.Text.Encoding.UTF8.GetBytes(Code));
}

/// <summary>Leads to what must come first: making the administrator on a site without people; choosing a password for who signed in with a made one.</summary>
internal sealed class FirstSteps(RequestDelegate next, FirstStart first)
{
    public async Task InvokeAsync(HttpContext context)
    {
        var path = context.Request.Path;
        bool isPage = HttpMethods.IsGet(context.Request.Method) && !Path.HasExtension(path.Value) && !path.StartsWithSegments("/account") && !path.StartsWithSegments("/_framework")
            && !path.StartsWithSegments("/_blazor") && !path.StartsWithSegments("/api") && !path.StartsWithSegments("/health");
        if (isPage && await first.IsPendingAsync(context.RequestAborted)) context.Response.Redirect(Paths.Setup);
        else if (PersonClaims.MustChangePassword(context.User) && (isPage || path.StartsWithSegments("/api") || path.StartsWithSegments("/_blazor")))
        {
            if (isPage) context.Response.Redirect(Paths.Password);
            else context.Response.StatusCode = StatusCodes.Status403Forbidden;
        }
        else await next(context);
    }
}
