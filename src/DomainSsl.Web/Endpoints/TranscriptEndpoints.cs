using System.Text.Json;
using DomainSsl.Core;
using DomainSsl.Core.Audit;
using DomainSsl.Core.People;
using DomainSsl.Core.Transcripts;

namespace DomainSsl.Web.Endpoints;

/// <summary>What the transcript page asks for and sends: the transcript, edits of it, its history, files of it.</summary>
public static class TranscriptEndpoints
{
    private const int LargestEdit = 8 << 20;

    private sealed record SegmentBody(string? Uid, string? Speaker, double? Start, double? End, JsonElement Words);

    private sealed record ChangeBody(string[]? Replaces, string? After, SegmentBody[]? With);

    /// <summary>An edit as the page sends it; sent twice with the same key, it is stored once.</summary>
    private sealed record EditBody(string? Key, ChangeBody[]? Changes);

    /// <summary>Acceptance of what was seen.</summary>
    private sealed record AcceptBody(string? Key, int Version);

    /// <summary>The version to go back to, and the one that was seen as somebody decided so.</summary>
    private sealed record RestoreBody(string? Key, int Version, int Seen);

    /// <summary>Maps them.</summary>
    public static void MapTranscriptEndpoints(this IEndpointRouteBuilder app)
    {
        var transcript = app.MapGroup("/api/recordings/{recording:long}/transcript").RequireRoles(Roles.Anyone).WithRefusals();

        transcript.MapGet("", async (long recording, int? version, TranscriptService service, HttpContext context) =>
        {
            context.Response.Headers.CacheControl = "no-store";
            return Results.Bytes(Shown(await service.RowsAsync(recording, version, context.RequestAborted)), "application/json");
        });

        // Asked every few seconds by each open page: whether somebody else has changed something, and who else is here.
        transcript.MapGet("/version", async (long recording, TranscriptService service, TranscriptReaders readers, HttpContext context) =>
        {
            context.Response.Headers.CacheControl = "no-store";
            readers.Here(recording, Person(context));
            return Results.Ok(new { version = await service.VersionAsync(recording, context.RequestAborted), others = readers.Others(recording, Person(context)) });
        });

        transcript.MapGet("/next", async (long recording, TranscriptService service, TranscriptReaders readers, HttpContext context) =>
        {
            context.Response.Headers.CacheControl = "no-store";
            var next = await service.NextAsync(recording, readers.TakenFor(Person(context)), context.RequestAborted);
            if (next is { } taken) readers.Here(taken, Person(context));
            return Results.Ok(new { page = next is null ? null : Paths.Transcript(next.Value) });
        });

        transcript.MapPost("/edits", async (long recording, EditBody body, TranscriptService service, HttpContext context) =>
            Stored(await service.EditAsync(recording, Changes(body), Person(context), body.Key ?? "", CancellationToken.None))).WithFormToken().WithMetadata(new Microsoft.AspNetCore.Mvc.RequestSizeLimitAttribute(LargestEdit));

        transcript.MapPost("/accept", async (long recording, AcceptBody body, TranscriptService service, HttpContext context) =>
            Stored(await service.AcceptAsync(recording, body.Version, Person(context), body.Key ?? "", CancellationToken.None))).WithFormToken();

        transcript.MapPost("/restore", async (long recording, RestoreBody body, TranscriptService service, HttpContext context) =>
            Stored(await service.RestoreAsync(recording, body.Version, body.Seen, Person(context), body.Key ?? "", CancellationToken.None))).WithFormToken();

        transcript.MapGet("/history", async (long recording, TranscriptService service, HttpContext context) =>
            Results.Ok((await service.HistoryAsync(recording, context.RequestAborted)).Select(v => new { v.Number, v.At, v.By, deed = v.Deed.ToString(), v.Of, state = v.State.ToString(), v.Changed })));

        transcript.MapGet("/set-aside", async (long recording, TranscriptService service, HttpContext context) =>
            Results.Ok((await service.SetAsideAsync(recording, context.RequestAborted)).Select(e => new { e.At, e.By, text = SetAsideText(e.Edit) })));

        // A transcript made elsewhere: the file's bytes are the body. It is a draft, whoever made it.
        transcript.MapPost("/file", async (long recording, TranscriptService service, HttpContext context) =>
        {
            if (context.Request.ContentLength is > TranscriptFormats.MaxBytes) throw new RefusedException("transcript-too-large", $"The file is larger than the {TranscriptFormats.MaxBytes >> 20} MB that are taken; split it.");
            using var bytes = new MemoryStream();
            await context.Request.Body.CopyToAsync(bytes, context.RequestAborted);
            var brought = TranscriptFormats.Read(bytes.GetBuffer().AsSpan(0, (int)bytes.Length));
            return Stored(await service.BringInAsync(recording, brought, TranscriptDeed.BroughtIn, TranscriptState.Draft, Person(context), TranscriptService.KeyOf(recording, brought), CancellationToken.None));
        }).WithFormToken().WithMetadata(new Microsoft.AspNetCore.Mvc.RequestSizeLimitAttribute(TranscriptFormats.MaxBytes));

        transcript.MapGet("/export", async (long recording, string? format, int? version, TranscriptService service, AuditLog audit, HttpContext context) =>
        {
            var kind = Format(format);
            var stored = await service.LoadAsync(recording, version, context.RequestAborted) ?? throw TranscriptService.NoTranscript();
            await audit.RecordAsync(Person(context), "exported", $"transcript of recording {recording}", $"version {stored.Version} as {kind}", CancellationToken.None);
            return Results.File(TranscriptFormats.Write(stored.Transcript, kind), "application/octet-stream", TranscriptBundle.FileName(recording, kind));
        });

        // All that a list shows, in one zip that begins to come at once.
        app.MapGet(Paths.TranscriptBundle, async (string? format, string? state, string? speaker, string? text, TranscriptBundle bundle, HttpContext context) =>
        {
            var (kind, filter) = (Format(format), TranscriptFilter.Of(state, speaker, text));
            context.Response.ContentType = "application/zip";
            context.Response.Headers.ContentDisposition = "attachment; filename=transcripts.zip";
            try { await bundle.WriteAsync(context.Response.Body, filter, kind, Person(context), context.RequestAborted); }
            catch (RefusedException) when (!context.Response.HasStarted)
            {
                context.Response.Headers.ContentDisposition = default;
                throw;
            }
        }).RequireRoles(Roles.Anyone).WithRefusals();
    }

    private static TranscriptFormat Format(string? named) => TranscriptFormats.Named(named ?? "txt") ?? throw new RefusedException("format-unknown", "Choose txt, srt, vtt, json or textgrid.");

    private static string SetAsideText(string edit)
    {
        using var changes = JsonDocument.Parse(edit);
        return string.Join(" / ", changes.RootElement.EnumerateArray().SelectMany(c => c.GetProperty("with").EnumerateArray()).Select(s => s.GetProperty("text").GetString()));
    }

    private static string Person(HttpContext context) => context.User.Identity!.Name!;

    private static IResult Stored(TranscriptReceipt receipt) => Results.Ok(new { receipt.Version, state = receipt.State.ToString(), receipt.Again, receipt.Conflict });

    private static List<SegmentChange> Changes(EditBody body) =>
        [.. (body.Changes ?? []).Select(c => new SegmentChange(c.Replaces ?? [], [.. (c.With ?? []).Select(s => new NamedSegment(s.Uid ?? "", new TranscriptSegment(s.Speaker, s.Start, s.End, TranscriptWords.Read(s.Words))))], c.After))];

    // Words go as they are stored: an hour of them is half a megabyte, and nobody here needs to look at them.
    private static byte[] Shown(StoredRows? stored)
    {
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes, new JsonWriterOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteNumber("version", stored?.Version ?? 0);
            json.WriteString("state", (stored?.State ?? TranscriptState.Draft).ToString());
            json.WriteStartArray("segments");
            foreach (var row in stored?.Rows ?? [])
            {
                json.WriteStartObject();
                json.WriteString("uid", row.Uid);
                json.WriteString("speaker", row.Speaker);
                if (row.Start is { } start) json.WriteNumber("start", start);
                else json.WriteNull("start");
                if (row.End is { } end) json.WriteNumber("end", end);
                else json.WriteNull("end");
                json.WritePropertyName("words");
                json.WriteRawValue(row.Words, skipInputValidation: true);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteEndObject();
        }
        return bytes.ToArray();
    }
}
