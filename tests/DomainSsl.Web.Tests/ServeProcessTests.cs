using DomainSsl.Testing;

namespace DomainSsl.Web.Tests;

/// <summary>The program as a person starts it.</summary>
public sealed class ServeProcessTests
{
    [Fact]
    public async Task Serve_Running_HasMappedNoLibTorch()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "/proc is Linux's.");
        using var folder = new TemporaryFolder();
        await using var site = await RunningSite.StartAsync(folder.Path);
        using var client = new HttpClient();
        // A rendered page, so that what pages need is loaded too.
        Assert.Contains("The first administrator", await client.GetStringAsync(site.Address, TestContext.Current.CancellationToken));
        var mapped = await File.ReadAllTextAsync($"/proc/{site.ProcessId}/maps", TestContext.Current.CancellationToken);
        Assert.Contains("libcoreclr", mapped);
        Assert.DoesNotContain("torch", mapped, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Serve_FolderServedAlready_RefusesWithASentence()
    {
        using var folder = new TemporaryFolder();
        await using var site = await RunningSite.StartAsync(folder.Path);
        var second = await Product.RunAsync(folder.Path, TimeSpan.FromSeconds(60), "serve", "--urls", "http://127.0.0.1:0");
        Assert.Equal(1, second.ExitCode);
        Assert.Contains("serves", second.Errors);
        Assert.DoesNotContain("   at ", second.Errors);
    }

    [Theory]
    [InlineData("serve")]
    [InlineData("worker")]
    public async Task Start_UnknownSetting_EndsAtOnceWithASentence(string command)
    {
        using var folder = new TemporaryFolder();
        var result = await Product.RunAsync(folder.Path, TimeSpan.FromSeconds(60), [("Import__KeepOriginal", "true")], command);
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("Import:KeepOriginal", result.Errors);
        Assert.DoesNotContain("   at ", result.Errors);
        Assert.DoesNotContain("answers on", result.Output);
    }

    [Fact]
    public async Task Serve_Demo_PrintsTheSamePasswordsAgain()
    {
        using var folder = new TemporaryFolder();
        await using var site = await RunningSite.StartAsync(folder.Path, "--demo");
        var file = Path.Combine(folder.Path, "keys", "demo-accounts");
        if (!OperatingSystem.IsWindows()) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        var before = Passwords(site.Said);
        Assert.Equal(3, before.Length);
        site.Kill();
        await site.StartAgainAsync();
        for (int i = 0; i < 100 && Passwords(site.Said).Length < 6; i++) await Task.Delay(100, TestContext.Current.CancellationToken);
        Assert.Equal([.. before, .. before], Passwords(site.Said));
    }

    private static string[] Passwords(string said) => [.. said.Split('\n').Where(l => l.Contains(" password ", StringComparison.Ordinal)).Select(l => l.Trim())];
}
