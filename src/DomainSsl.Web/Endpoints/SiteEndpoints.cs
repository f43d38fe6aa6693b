using DomainSsl.Core.Audit;
using DomainSsl.Core.People;
using DomainSsl.Web.Security;

namespace DomainSsl.Web.Endpoints;

/// <summary>All HTTP endpoints that are not pages. Each says its role; a test enumerates them and fails on one that does not.</summary>
public static class SiteEndpoints
{
    // Known to the browser's outbox: what waits there is kept, since nothing is wrong with it.
    private const string PageTooOld = "page-too-old";

    /// <summary>Maps them.</summary>
    public static void MapSiteEndpoints(this WebApplication app)
    {
        app.MapPost(Paths.SignOut, async (ActiveSignIn signIn, EndedSessions ended, AuditLog audit, HttpContext context) =>
        {
            var name = context.User.Identity?.Name ?? "";
            await signIn.SignOutAsync();
            ended.End(context.User);
            await audit.RecordAsync(name, "signed out", $"user {name}");
            return Results.LocalRedirect(Paths.SignIn);
        }).RequireRoles(Roles.Anyone).WithFormToken();
    }

    /// <summary>Asks for one of the roles, given as <see cref="Roles"/> has them.</summary>
    public static TBuilder RequireRoles<TBuilder>(this TBuilder builder, string roles) where TBuilder : IEndpointConventionBuilder =>
        builder.RequireAuthorization(new Microsoft.AspNetCore.Authorization.AuthorizeAttribute { Roles = roles });

    /// <summary>Refuses a request without the token of our own pages, in its form or in the header <c>RequestVerificationToken</c>, with 400.</summary>
    public static RouteHandlerBuilder WithFormToken(this RouteHandlerBuilder builder) => builder.AddEndpointFilter(async (invocation, next) =>
    {
        var forms = invocation.HttpContext.RequestServices.GetRequiredService<Microsoft.AspNetCore.Antiforgery.IAntiforgery>();
        if (!await forms.IsRequestValidAsync(invocation.HttpContext))
            return Results.Problem("This page is too old. Load it again and repeat what you did.", title: PageTooOld, statusCode: StatusCodes.Status400BadRequest);
        return await next(invocation);
    });
}
