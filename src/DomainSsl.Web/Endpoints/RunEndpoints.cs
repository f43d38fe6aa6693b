using DomainSsl.Core.People;
using DomainSsl.Core.Runs;

namespace DomainSsl.Web.Endpoints;

/// <summary>The curves of a run, read from its folder; the first lines of a long run are many, so the browser or a script fetches them here.</summary>
internal static class RunEndpoints
{
    public static void MapRuns(this IEndpointRouteBuilder app) =>
        app.MapGet("/api/runs/{id}/metrics", async (string id, int? from, RunFeed feed, CancellationToken cancel) => Results.Json(await feed.MetricsAsync(id, Math.Max(0, from ?? 0), cancel)))
            .RequireRoles(Roles.AdminOrClinician);
}
