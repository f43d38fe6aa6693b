using Microsoft.Playwright;

namespace DomainSsl.Browser.Tests;

/// <summary>Debian's Chromium, driven by Playwright; skips the test where it is not installed.</summary>
public sealed class Chromium : IAsyncLifetime
{
    private static readonly string[] Places = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

    private readonly List<(string Test, IBrowserContext Pages)> _open = [];
    private IPlaywright? _playwright;

    /// <summary>The running browser.</summary>
    public IBrowser Browser { get; private set; } = null!;

    /// <inheritdoc />
    public async ValueTask InitializeAsync()
    {
        var path = Places.FirstOrDefault(File.Exists);
        if (path is null) return;
        _playwright = await Playwright.CreateAsync();
        Browser = await _playwright.Chromium.LaunchAsync(new()
        {
            ExecutablePath = path,
            // The sandbox needs rights that root in a container lacks; the others keep the browser from calling home.
            Args = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-quic", "--no-first-run"],
        });
    }

    /// <summary>A fresh page with no cookies, at the given size.</summary>
    public async Task<IPage> NewPageAsync(string address, int width = 1440, int height = 900, bool dark = false)
    {
        if (Browser is null) Assert.Skip("Chromium is not installed; bash tests/run.sh installs it (Debian package chromium).");
        var context = await Browser!.NewContextAsync(new()
        {
            BaseURL = address, ViewportSize = new() { Width = width, Height = height }, ColorScheme = dark ? ColorScheme.Dark : ColorScheme.Light,
            ReducedMotion = ReducedMotion.Reduce,
        });
        // What an earlier test of the class left open would go on asking the site that they share.
        var test = TestContext.Current.Test!.UniqueID;
        foreach (var (_, pages) in _open.Where(o => o.Test != test)) await pages.CloseAsync();
        _open.RemoveAll(o => o.Test != test);
        _open.Add((test, context));
        // Far more than anything takes: what never comes is to fail, and not a machine that has much else to do.
        context.SetDefaultTimeout(120_000);
        return await context.NewPageAsync();
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        if (Browser is not null) await Browser.CloseAsync();
        _playwright?.Dispose();
    }
}
