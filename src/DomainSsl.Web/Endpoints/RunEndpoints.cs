using DomainSsl.Core;
using DomainSsl.Core.Audit;
using DomainSsl.Core.Database;
using DomainSsl.Core.People;
using DomainSsl.Core.Runs;
using DomainSsl.Core.Storage;
using Microsoft.EntityFrameworkCore;

namespace DomainSsl.Web.Endpoints;

/// <summary>What a run wrote into its folder: its curves, whose first lines are many for a long one, and the picture and table of a comparison.</summary>
internal static class RunEndpoints
{
    public static void MapRuns(this IEndpointRouteBuilder app)
    {
        var run = app.MapGroup("/api/runs/{id}").RequireRoles(Roles.AdminOrClinician).WithRefusals();

        run.MapGet("/metrics", async (string id, int? from, RunFeed feed, CancellationToken cancel) => Results.Json(await feed.MetricsAsync(id, Math.Max(0, from ?? 0), cancel)));

        run.MapGet("/files/{name}", async (string id, string name, IDbContextFactory<DomainSslContext> database, DataFolder folder, AuditLog audit, HttpContext context) =>
        {
            await using var db = await database.CreateDbContextAsync(context.RequestAborted);
            // Both come from an address: only a run that is there and a file that people take along are looked for on the disk.
            var known = Worth.Files.Contains(name) && await db.Runs.AnyAsync(r => r.Id == id, context.RequestAborted);
            if (!known || new FileInfo(Path.Combine(folder.Run(id), name)) is not { Exists: true } file) throw new RefusedException("no-file", "This run has no such file; go back to its page.");
            await audit.RecordAsync(context.User.Identity!.Name!, "exported", $"run {id}", name, CancellationToken.None);
            return Results.File(file.FullName, Path.GetExtension(name) switch { ".svg" => "image/svg+xml", ".png" => "image/png", _ => "text/csv" }, $"{id}-{name}");
        });
    }
}
