using System.Globalization;
using DomainSsl.Core;
using DomainSsl.Core.Language;
using DomainSsl.Core.People;
using DomainSsl.Core.Runs;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Mvc;

namespace DomainSsl.Web.Endpoints;

/// <summary>Asks for a language model: the form of its page with the texts that were pasted and attached, which are too long for the circuit.</summary>
internal static class LanguageEndpoints
{
    private const int MostFiles = 200, MostBytes = 256 << 20;

    public static void MapLanguage(this IEndpointRouteBuilder app)
    {
        app.MapGroup("/api/language").RequireRoles(Roles.Admin).WithRefusals().MapPost("/runs", async (HttpContext context, LanguageTexts texts, IRunQueue queue) =>
        {
            if (!context.Request.HasFormContentType) throw new RefusedException("no-form", "The request came without its form; load the page again.");
            var form = await context.Request.ReadFormAsync(new FormOptions { MultipartBodyLengthLimit = MostBytes }, context.RequestAborted);
            if (form.Files.Count > MostFiles) throw new RefusedException("too-many-files", $"More than {MostFiles} files are not taken at once; put the reports into fewer files.");
            var kept = new List<string>();
            foreach (var file in form.Files.Where(f => f.Length > 0))
            {
                if (file.Length > LanguageTexts.MostBytes) throw new RefusedException("text-too-long", $"A text is longer than the {LanguageTexts.MostBytes >> 20} MB that are taken at once; split it.");
                using var bytes = new MemoryStream((int)file.Length);
                await file.CopyToAsync(bytes, context.RequestAborted);
                kept.Add(texts.Keep(bytes.GetBuffer().AsSpan(0, (int)bytes.Length)));
            }
            var ask = new LanguageAsk(form["kind"].ToString(), form["transcripts"].Count > 0, long.TryParse(form["collection"], CultureInfo.InvariantCulture, out var collection) ? collection : null, kept, form["name"].ToString(),
                form["minutes"].ToString() is { Length: > 0 } minutes ? double.TryParse(minutes, CultureInfo.InvariantCulture, out var m) ? m : double.NaN : null);
            var (request, title) = await texts.PrepareAsync(ask, context.RequestAborted);
            return Results.Json(new { page = Paths.Run(await queue.EnqueueAsync(request, title, context.User.Identity!.Name!, cancel: CancellationToken.None)) });
        }).WithFormToken().WithMetadata(new RequestSizeLimitAttribute(MostBytes), new RequestFormLimitsAttribute { MultipartBodyLengthLimit = MostBytes });
    }
}
