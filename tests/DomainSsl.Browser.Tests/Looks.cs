using System.Diagnostics;
using System.Globalization;
using Deque.AxeCore.Commons;
using Microsoft.Playwright;

namespace DomainSsl.Browser.Tests;

/// <summary>A page as it is looked at: on a phone in the dark and on a wide screen in the light, never wider than its window, and without anything serious that axe finds.</summary>
internal static class Looks
{
    private static readonly string Axe = new BundledAxeScriptProvider().GetScript();

    // Colours go over from one scheme to the other, and a busy machine takes its time: what is still wrong after that is wrong.
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(20);

    /// <summary>Looks at the page at both widths. <c>DOMAINSSL_SCREENSHOTS</c> names a folder for whoever wants to see what it saw.</summary>
    /// <param name="page">The page, on its screen.</param>
    /// <param name="name">Of its pictures.</param>
    /// <param name="fullPage">Whether the pictures are of the whole page instead of what the window shows.</param>
    public static async Task AtBothWidthsAsync(IPage page, string name, bool fullPage = true)
    {
        foreach (var (width, height, scheme) in ((int, int, ColorScheme)[])[(390, 844, ColorScheme.Dark), (1440, 900, ColorScheme.Light)])
        {
            await page.SetViewportSizeAsync(width, height);
            await page.EmulateMediaAsync(new() { ColorScheme = scheme, ReducedMotion = ReducedMotion.Reduce });
            // The page's colours come from the server a moment after the system's change.
            await page.WaitForFunctionAsync("""
                dark => { const [r, g, b] = getComputedStyle(document.body).backgroundColor.match(/[\d.]+/g).map(Number); return (r + g + b < 384) === dark && document.documentElement.dataset.scheme === (dark ? 'dark' : 'light'); }
                """, scheme == ColorScheme.Dark);
            await page.WaitForTimeoutAsync(300);
            if (Environment.GetEnvironmentVariable("DOMAINSSL_SCREENSHOTS") is { Length: > 1 } folder) await page.ScreenshotAsync(new() { Path = Path.Combine(folder, $"{name}-{width}.png"), FullPage = fullPage });
            await IsAccessibleAsync(page, $"{name} at {width} pixels");
        }
    }

    /// <summary>Nothing serious that axe finds, and nothing wider than the window.</summary>
    public static async Task IsAccessibleAsync(IPage page, string what)
    {
        for (var since = Stopwatch.StartNew(); ; await page.WaitForTimeoutAsync(500))
        {
            // Asked by hand: Deque's own call for Playwright hands the half megabyte of axe over every time, which takes ten times as long as the looking.
            if (!await page.EvaluateAsync<bool>("() => 'axe' in window")) await page.EvaluateAsync(Axe);
            var faults = (await page.EvaluateAsync<string[]>("""
                async () => (await axe.run(document, { resultTypes: ['violations'] })).violations.filter(v => v.impact === 'serious' || v.impact === 'critical')
                  .map(v => `${v.id}: ${v.help} (${v.nodes.slice(0, 3).map(n => n.html).join(' | ')})`)
                """)).ToList();
            var wide = await page.EvaluateAsync<int>("document.documentElement.scrollWidth - document.documentElement.clientWidth");
            if (wide > 0) faults.Add(string.Create(CultureInfo.InvariantCulture, $"it is {wide} pixels wider than its window"));
            if (faults.Count == 0) return;
            if (since.Elapsed > Settling) Assert.Fail($"{what}, {page.Url}: {string.Join('\n', faults)}");
        }
    }
}
