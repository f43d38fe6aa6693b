using DomainSsl.Core;

namespace DomainSsl.Web.Endpoints;

/// <summary>Under /api a refusal is answered with its sentence and code (RFC 9457), never with a stack trace.</summary>
internal sealed class RefusalsAsProblems(RequestDelegate next)
{
    public async Task InvokeAsync(HttpContext context)
    {
        try { await next(context); }
        catch (RefusedException refused) when (!context.Response.HasStarted)
        {
            context.Response.Clear();
            var status = refused.Refusal.Code.StartsWith("no-", StringComparison.Ordinal) || refused.Refusal.Code is "upload-unknown" or "blob-missing" ? StatusCodes.Status404NotFound : StatusCodes.Status400BadRequest;
            await Results.Problem(refused.Refusal.Sentence, statusCode: status, extensions: new Dictionary<string, object?> { ["code"] = refused.Refusal.Code }).ExecuteAsync(context);
        }
    }
}
