using System.Diagnostics;
using DomainSsl.Testing;

namespace DomainSsl.Web.Tests.Client;

/// <summary>The pure parts of the pages' scripts, tested in Node by <c>Client/tests</c>.</summary>
public sealed class ClientTests
{
    [Fact]
    public async Task Scripts_InNode_PassTheirTests()
    {
        var folder = Path.Combine(SharedData.Project, "src", "DomainSsl.Web", "Client");
        var start = new ProcessStartInfo("node") { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in (string[])["--test", "--test-reporter=tap", "tests/"]) start.ArgumentList.Add(argument);
        using var node = Process.Start(start)!;
        var (output, errors) = (node.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken), node.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken));
        await node.WaitForExitAsync(TestContext.Current.CancellationToken);
        var said = await output;
        Assert.True(node.ExitCode == 0, said + await errors);
        // Found nothing would pass too: at least those of the outbox and of the picture must have run.
        Assert.True(said.Split('\n').Count(l => l.StartsWith("ok ", StringComparison.Ordinal)) >= 8, said);
    }
}
