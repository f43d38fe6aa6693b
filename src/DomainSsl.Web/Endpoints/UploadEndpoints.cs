using System.Security.Claims;
using DomainSsl.Core;
using DomainSsl.Core.People;
using DomainSsl.Web.Receiving;
using Microsoft.AspNetCore.Mvc;

namespace DomainSsl.Web.Endpoints;

/// <summary>Uploads in pieces: begin, send each file's pieces, start the import. Bodies are streamed to disk; nothing passes through the circuit, so an upload outlives it.</summary>
internal static class UploadEndpoints
{
    private sealed record StartBody(string? Collection);

    public static void MapUploads(this IEndpointRouteBuilder app)
    {
        var uploads = app.MapGroup("/api/imports").RequireRoles(Roles.Admin).WithRefusals();
        uploads.MapPost("", (Uploads service, ClaimsPrincipal user) => Results.Json(new { id = service.Begin(user.Identity!.Name!) })).WithFormToken();
        // A file's name may be a patient's: in a header, since addresses are written into logs.
        uploads.MapPut("/{id}/files/{number:int}", async (string id, int number, long from, [FromHeader(Name = "File-Name")] string name, Uploads service, HttpContext context) =>
        {
            var length = await service.ReceiveAsync(id, context.User.Identity!.Name!, number, Uri.UnescapeDataString(name), from, context.Request.Body, context.RequestAborted);
            return Results.Json(new { length });
        }).WithFormToken();
        uploads.MapPost("/{id}/start", (string id, StartBody body, Uploads service, ClaimsPrincipal user) =>
        {
            service.Start(id, user.Identity!.Name!, body.Collection);
            return Results.NoContent();
        }).WithFormToken();
        uploads.MapGet("/{id}", (string id, Uploads service) => service.Status(id) is { } status
            ? Results.Json(new
            {
                status.Id, State = status.State.ToString().ToLowerInvariant(), status.Received, status.Progress?.Done, status.Progress?.Total, status.Progress?.Imported, status.Progress?.Duplicates,
                status.Progress?.Refused, status.BatchId, status.CollectionId, status.Problem,
            })
            : Results.Problem("This upload is not known.", statusCode: StatusCodes.Status404NotFound));
    }
}
