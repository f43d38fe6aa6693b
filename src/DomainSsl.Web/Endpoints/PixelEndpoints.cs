using DomainSsl.Core.Database;
using DomainSsl.Core.People;
using DomainSsl.Core.Storage;
using DomainSsl.Core.Tasks;
using Microsoft.EntityFrameworkCore;

namespace DomainSsl.Web.Endpoints;

/// <summary>Images at full depth for the labelling and review pages, which window them in the browser.</summary>
public static class PixelEndpoints
{
    /// <summary>Longer side of an image on these pages; a sharper look is the viewer's.</summary>
    private const int LargestSide = 2048;

    /// <summary>Maps them.</summary>
    public static void MapPixelEndpoints(this IEndpointRouteBuilder app)
    {
        app.MapGet("/api/items/{item:long}/pixels", async (long item, IDbContextFactory<DomainSslContext> factory, IBlobStore blobs, HttpContext context) =>
        {
            await using var db = await factory.CreateDbContextAsync(context.RequestAborted);
            var found = await db.Items.AsNoTracking().Where(i => i.Id == item && i.InstanceId != null).Select(i => new { i.Instance!.BlobHash, i.Frame }).SingleOrDefaultAsync(context.RequestAborted);
            if (found is null) return Results.Problem("There is no such image.", statusCode: StatusCodes.Status404NotFound);
            await using var file = blobs.Open(found.BlobHash);
            return ScreenPixels.Of(file, found.Frame, LargestSide) is { } block ? Results.Bytes(block, "application/octet-stream") : Results.Redirect(Paths.ItemImage(item, LargestSide));
        }).RequireRoles(Roles.Anyone).WithRefusals();
    }
}
