using DomainSsl.Core.Audit;
using DomainSsl.Core.Database;
using DomainSsl.Core.Library;
using DomainSsl.Core.People;
using DomainSsl.Core.Storage;
using DomainSsl.Core.Tasks;
using DomainSsl.Dicom;
using Microsoft.EntityFrameworkCore;

namespace DomainSsl.Web.Endpoints;

/// <summary>Images at full depth for the labelling and review pages, which window them in the browser.</summary>
public static class PixelEndpoints
{
    /// <summary>Longer side of an image on these pages; a sharper look is the viewer's.</summary>
    private const int LargestSide = 2048;

    /// <summary>Maps them.</summary>
    public static void MapPixelEndpoints(this IEndpointRouteBuilder app) =>
        app.MapGet("/api/items/{item:long}/pixels", async (long item, IDbContextFactory<DomainSslContext> factory, IBlobStore blobs, ItemImages images, SeenLog seen, HttpContext context) =>
        {
            var cancel = context.RequestAborted;
            await using var db = await factory.CreateDbContextAsync(cancel);
            var found = await db.Items.AsNoTracking().Where(i => i.Id == item && i.InstanceId != null).Select(i => new { i.Instance!.BlobHash, i.Frame }).SingleOrDefaultAsync(cancel);
            if (found is null) return Results.Problem("There is no such image.", title: "no-item", statusCode: StatusCodes.Status404NotFound);
            var block = await Task.Run(() => ScreenPixels.Of(DicomImage.Of(DicomFile.Read(blobs.Read(found.BlobHash))), found.Frame, LargestSide), cancel);
            var picture = block is null ? await images.RenderAsync(item, LargestSide, cancel) : null;
            seen.Saw(context.User.Identity!.Name!, $"item {item}");
            return picture is null ? Results.Bytes(block!, "application/octet-stream") : Results.Bytes(picture.Bytes, picture.ContentType);
        }).RequireRoles(Roles.Anyone).WithRefusals();
}
