using System.Text.Json;
using DomainSsl.Testing;

namespace DomainSsl.Worker.Tests;

/// <summary>The commands around the data folder, as an administrator uses them: looking into files, copies without names, backups, the machine's health.</summary>
public sealed class ToolCommandTests
{
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(2);
    private static readonly string[] Scans = [.. Directory.EnumerateFiles(Path.Combine(SharedData.Project, "sample-data", "images"), "*.dcm").Order(StringComparer.Ordinal).Take(4)];

    [Fact]
    public async Task Deidentify_WritesCopiesThatNameNobody_AndImportsNothing()
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(folder.At("letter.dcm"), "Dear colleague", TestContext.Current.CancellationToken);
        var done = await Product.JsonAsync(folder.At("data"), Long, ["deidentify", .. Scans, folder.At("letter.dcm"), "--out", folder.At("out")]);
        var written = done.GetProperty("written").EnumerateArray().ToDictionary(w => w.GetProperty("file").GetString()!, w => w.GetProperty("to").GetString()!);
        Assert.Equal(Scans, written.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(folder.At("letter.dcm"), Assert.Single(done.GetProperty("refused").EnumerateArray()).GetProperty("file").GetString());

        var before = (await InspectAsync(folder, Scans)).ToDictionary(f => f.GetProperty("file").GetString()!);
        foreach (var (from, to) in written)
        {
            var after = Assert.Single(await InspectAsync(folder, to));
            var name = before[from].GetProperty("patientName").GetString()!;
            Assert.StartsWith("Synthetic^", name, StringComparison.Ordinal);
            Assert.NotEqual(name, after.GetProperty("patientName").GetString());
            Assert.Equal(before[from].GetProperty("pixelSha256").GetString(), after.GetProperty("pixelSha256").GetString());
            Assert.DoesNotContain("Synthetic", System.Text.Encoding.Latin1.GetString(await File.ReadAllBytesAsync(to, TestContext.Current.CancellationToken)), StringComparison.Ordinal);
            Assert.DoesNotContain(Path.GetFileNameWithoutExtension(from), to, StringComparison.Ordinal);
        }
        Assert.Empty((await Product.JsonAsync(folder.At("data"), Long, "collections", "list")).GetProperty("collections").EnumerateArray());
    }

    [Fact]
    public async Task Inspect_FileThatCannotBeRead_IsToldBesideTheOthers_AndByTheExitCode()
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(folder.At("letter.dcm"), "Dear colleague", TestContext.Current.CancellationToken);
        var mixed = await Product.RunAsync(folder.At("data"), Long, "inspect", Scans[0], folder.At("letter.dcm"), "--json");
        Assert.Equal(3, mixed.ExitCode);
        var files = JsonDocument.Parse(mixed.Output).RootElement.GetProperty("files").EnumerateArray().ToList();
        Assert.Equal([("dicom", false), ("unknown", true)], files.Select(f => (f.GetProperty("kind").GetString(), f.GetProperty("error").ValueKind == JsonValueKind.String)));
        Assert.Equal(0, (await Product.RunAsync(folder.At("data"), Long, "inspect", Scans[0])).ExitCode);
    }

    [Fact]
    public async Task Backup_TakenWhileTheSiteRuns_RestoresIntoAnEmptyFolderAlone()
    {
        using var folder = new TemporaryFolder();
        var data = folder.At("data");
        await Product.JsonAsync(data, Long, ["import", .. Scans, "--collection", "few"]);
        await using (await RunningSite.StartAsync(data)) await Product.JsonAsync(data, Long, "backup", folder.At("clinic.zip"));
        await Product.JsonAsync(data, Long, "import", Path.Combine(SharedData.Project, "sample-data", "images"), "--collection", "later");

        var restored = await Product.JsonAsync(folder.At("again"), Long, "restore", folder.At("clinic.zip"));
        Assert.True(restored.GetProperty("files").GetInt32() > Scans.Length);
        var collections = (await Product.JsonAsync(folder.At("again"), Long, "collections", "list")).GetProperty("collections").EnumerateArray().ToList();
        Assert.Equal(("few", Scans.Length), (Assert.Single(collections).GetProperty("name").GetString(), collections[0].GetProperty("items").GetInt32()));
        // The keys came along: the same scan gets the same pseudonym, so importing it once more changes nothing.
        Assert.Equal(Scans.Length, (await Product.JsonAsync(folder.At("again"), Long, ["import", .. Scans])).GetProperty("duplicates").GetInt32());

        var twice = await Product.RunAsync(folder.At("again"), Long, "restore", folder.At("clinic.zip"), "--json");
        Assert.Equal(1, twice.ExitCode);
        Assert.InRange(JsonDocument.Parse(twice.Output).RootElement.GetProperty("error").GetProperty("message").GetString()!.Length, 20, 300);
    }

    [Fact]
    public async Task Doctor_FindsADamagedFile_AndNothingWrongBefore()
    {
        using var folder = new TemporaryFolder();
        var data = folder.At("data");
        await Product.JsonAsync(data, Long, ["import", .. Scans]);
        var well = Checks(await Product.RunAsync(data, Long, "doctor", "--blobs", "--json"));
        Assert.All(well, c => Assert.True(c.Value.Ok, $"{c.Key}: {c.Value.Message}"));

        var blob = Directory.EnumerateFiles(Path.Combine(data, "blobs"), "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal).First();
        var bytes = await File.ReadAllBytesAsync(blob, TestContext.Current.CancellationToken);
        bytes[^1] ^= 1;
        File.SetAttributes(blob, FileAttributes.Normal);
        await File.WriteAllBytesAsync(blob, bytes, TestContext.Current.CancellationToken);
        var damaged = await Product.RunAsync(data, Long, "doctor", "--blobs", "--json");
        Assert.Equal(1, damaged.ExitCode);
        Assert.Single(Checks(damaged), c => !c.Value.Ok);
    }

    private static async Task<List<JsonElement>> InspectAsync(TemporaryFolder folder, params string[] paths) =>
        [.. (await Product.JsonAsync(folder.At("data"), Long, ["inspect", .. paths])).GetProperty("files").EnumerateArray()];

    private static Dictionary<string, (bool Ok, string Message)> Checks(CommandResult result) => JsonDocument.Parse(result.Output).RootElement.GetProperty("checks").EnumerateArray()
        .ToDictionary(c => c.GetProperty("name").GetString()!, c => (c.GetProperty("ok").GetBoolean(), c.GetProperty("message").GetString()!));
}
