namespace DomainSsl.Web.Security;

/// <summary>
/// Headers on every answer. Scripts come from the site alone, none but one (<see cref="PageGuard"/>) stands in a page; <c>wasm-unsafe-eval</c> is for the viewer's decoders, inline styles are MudBlazor's. Pages hold patients' data: nothing but versioned
/// files is kept by caches.
/// </summary>
internal sealed class SecurityHeaders(RequestDelegate next)
{
    private static readonly string ContentSecurity = $"default-src 'self'; script-src 'self' {PageGuard.Source} 'wasm-unsafe-eval'; worker-src 'self' blob:; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
        + "font-src 'self' data:; media-src 'self' blob:; connect-src 'self' blob: data:; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'";

    public Task InvokeAsync(HttpContext context)
    {
        context.Response.OnStarting(() =>
        {
            var headers = context.Response.Headers;
            headers.ContentSecurityPolicy = ContentSecurity;
            headers.XContentTypeOptions = "nosniff";
            headers.XFrameOptions = "DENY";
            headers["Referrer-Policy"] = "no-referrer";
            headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()";
            headers["Cross-Origin-Opener-Policy"] = "same-origin";
            if (headers.CacheControl.Count == 0) headers.CacheControl = "no-store";
            return Task.CompletedTask;
        });
        return next(context);
    }
}
