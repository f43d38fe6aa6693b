using DomainSsl.Core.Audit;
using DomainSsl.Core.Library;
using DomainSsl.Core.People;
using Microsoft.Net.Http.Headers;

namespace DomainSsl.Web.Endpoints;

/// <summary>Pixels, sound and outlines. The browser keeps them and asks each time whether it still may show them; they are a patient's, so nobody in between keeps them. Who is sent a whole image, a sound or a file has seen it, says the audit log, also where a page fetched it ahead or the browser had it already.</summary>
internal static class MediaEndpoints
{
    public static void MapMedia(this IEndpointRouteBuilder app)
    {
        var media = app.MapGroup("/api").WithRefusals();
        media.MapGet("/items/{id:long}/image", async (long id, int? size, ItemImages images, SeenLog seen, HttpContext context) =>
        {
            var image = await images.RenderAsync(id, size ?? ItemImages.Display, context.RequestAborted);
            // Small ones are thumbnails in lists.
            if (size is null or > 2 * ItemImages.Thumbnail) seen.Saw(context.User.Identity!.Name!, $"item {id}");
            return Kept(context, image.Tag, tag => Results.Bytes(image.Bytes, image.ContentType, entityTag: tag));
        }).RequireRoles(Roles.Anyone);
        media.MapGet("/instances/{id:long}/file", async (long id, ItemImages images, SeenLog seen, HttpContext context) =>
        {
            var (stream, tag) = await images.InstanceFileAsync(id, context.RequestAborted);
            seen.Saw(context.User.Identity!.Name!, $"instance {id}");
            return Kept(context, tag, t => Results.Stream(stream, "application/dicom", entityTag: t, enableRangeProcessing: true));
        }).RequireRoles(Roles.AdminOrClinician);
        MapSound(media, "/recordings/{id:long}", (_, id, _) => Task.FromResult(id));
        MapSound(media, "/items/{id:long}", (images, id, cancel) => images.RecordingOfAsync(id, cancel));
        media.MapGet("/recordings/{id:long}/segments", async (long id, ItemImages images, HttpContext context) =>
            Results.Ok((await images.RecordingSegmentsAsync(id, context.RequestAborted)).Select(s => new { s.Start, s.End, s.Channel }))).RequireRoles(Roles.Anyone);
    }

    // What is heard and what is drawn of a recording, which is found by what stands in the address.
    private static void MapSound(RouteGroupBuilder media, string at, Func<ItemImages, long, CancellationToken, Task<long>> recordingOf)
    {
        media.MapGet($"{at}/audio", async (long id, ItemImages images, SeenLog seen, HttpContext context) =>
        {
            var recording = await recordingOf(images, id, context.RequestAborted);
            var (stream, tag) = await images.RecordingAudioAsync(recording, context.RequestAborted);
            seen.Saw(context.User.Identity!.Name!, $"recording {recording}");
            return Kept(context, tag, t => Results.Stream(stream, "audio/wav", entityTag: t, enableRangeProcessing: true));
        }).RequireRoles(Roles.Anyone);
        media.MapGet($"{at}/peaks", async (long id, ItemImages images, HttpContext context) =>
        {
            var peaks = await images.RecordingPeaksAsync(await recordingOf(images, id, context.RequestAborted), context.RequestAborted);
            return Kept(context, peaks.Tag, t => Results.Bytes(peaks.Bytes, peaks.ContentType, entityTag: t));
        }).RequireRoles(Roles.Anyone);
        media.MapGet($"{at}/spectrogram", async (long id, ItemImages images, HttpContext context) =>
        {
            var (stream, tag) = await images.RecordingSpectrogramAsync(await recordingOf(images, id, context.RequestAborted), context.RequestAborted);
            return Kept(context, tag, t => Results.Stream(stream, "application/octet-stream", entityTag: t, enableRangeProcessing: true));
        }).RequireRoles(Roles.Anyone);
    }

    private static IResult Kept(HttpContext context, string tag, Func<EntityTagHeaderValue, IResult> result)
    {
        // The browser asks each time, and is told by the tag that nothing changed: who has signed out hears and sees nothing any more.
        context.Response.Headers.CacheControl = "private, no-cache";
        return result(new EntityTagHeaderValue($"\"{tag}\""));
    }
}
