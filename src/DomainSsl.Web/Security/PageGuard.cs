using System.Security.Cryptography;
using System.Text;

namespace DomainSsl.Web.Security;

/// <summary>
/// The one script that stands in every page itself. A server that goes away in the middle of a page, or between it and its scripts, leaves a page without what brings it back
/// (shell.ts); until that is there, this looks whether another start of the site answers, and loads the page anew.
/// </summary>
internal static class PageGuard
{
    /// <summary>The script, as it stands between its tags.</summary>
    public const string Script = """
        const untilShell = setInterval(async () => {
          if (window.domainssl) return clearInterval(untilShell);
          try {
            const start = (await fetch('/health', { cache: 'no-store' })).headers.get('Site-Start');
            if (start && start !== document.documentElement.dataset.start && (await fetch(location.href, { cache: 'no-store' })).ok) location.reload();
          } catch { /* not there yet */ }
        }, 1000);
        """;

    /// <summary>Allows this script and no other inline one (Content Security Policy Level 3, section 2.3.1).</summary>
    public static string Source { get; } = $"'sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(Script)))}'";
}
