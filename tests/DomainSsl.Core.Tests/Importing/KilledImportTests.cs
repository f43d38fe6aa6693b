using DomainSsl.Core.Storage;
using DomainSsl.Testing;
using Microsoft.EntityFrameworkCore;

namespace DomainSsl.Core.Tests.Importing;

public sealed class KilledImportTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(3);

    [Fact]
    public async Task Import_KilledAgainAndAgain_EndsWithEachFileOnce()
    {
        await using var library = await TestLibrary.MakeAsync();
        const int Files = 300;
        for (int i = 1; i <= Files; i++) library.Put($"{i:000}.dcm", TestScans.Scan(i, $"P{i % 50}", study: i % 50));

        int cutOff = 0;
        for (int round = 0; round < 5; round++)
        {
            using var process = Product.Start(library.Data, "import", library.In, "--collection", "all", "--quiet");
            // The later rounds let more of the work be done, so that each dies at another stage of it.
            await WaitForItemsAsync(library, process, round * 40);
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
            if (process.ExitCode != 0) cutOff++;
        }
        Assert.True(cutOff > 0, "No import was killed in time.");

        var rest = await Product.JsonAsync(library.Data, Limit, "import", library.In, "--collection", "all");
        Assert.Equal(Files, rest.GetProperty("imported").GetInt32() + rest.GetProperty("duplicates").GetInt32());
        Assert.Equal(0, rest.GetProperty("refused").GetArrayLength());
        var again = await Product.JsonAsync(library.Data, Limit, "import", library.In, "--collection", "all");
        Assert.Equal((0, Files), (again.GetProperty("imported").GetInt32(), again.GetProperty("duplicates").GetInt32()));
        var collection = (await Product.JsonAsync(library.Data, Limit, "collections", "show", "all")).GetProperty("collections")[0];
        Assert.Equal((Files, 50), (collection.GetProperty("items").GetInt32(), collection.GetProperty("patients").GetInt32()));
        await library.AssertWholeAsync();

        await using var db = library.Open();
        var images = await db.Studies.SumAsync(s => s.Images, TestContext.Current.CancellationToken);
        Assert.Equal(Files, images);
    }

    private static async Task WaitForItemsAsync(TestLibrary library, System.Diagnostics.Process process, int more)
    {
        await using var db = library.Open();
        int start = await db.Items.CountAsync();
        while (!process.HasExited && await db.Items.CountAsync() <= start + more) await Task.Delay(20);
    }
}
