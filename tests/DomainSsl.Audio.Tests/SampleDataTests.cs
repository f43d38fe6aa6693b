using System.Diagnostics;
using DomainSsl.Audio.Decoding;
using DomainSsl.Audio.Quality;
using DomainSsl.Testing;

namespace DomainSsl.Audio.Tests;

/// <summary>The samples that come with the product: what their README says of them, and that they can be made again.</summary>
public class SampleDataTests
{
    private static readonly string Folder = Path.Combine(SharedData.Project, "sample-data");

    private static List<string[]> Rows(string csv) => [.. File.ReadAllLines(Path.Combine(Folder, csv)).Skip(1).Select(l => l.Split(','))];

    [Fact]
    public void Labels_AreEightAClass_EachOfAnotherPatient_AndTrue()
    {
        var labels = Rows("labels.csv");
        var truth = Rows("truth.csv").ToDictionary(r => r[0], r => (r[1], r[2]));
        Assert.All(new[] { "normal", "nodule", "opacity" }, c => Assert.Equal(8, labels.Count(r => r[1] == c)));
        Assert.Equal(24, labels.Select(r => r[2]).Distinct().Count());
        Assert.All(labels, r => Assert.Equal(truth[r[0]], (r[1], r[2])));
    }

    [Fact]
    public void Truth_NamesEveryImageOnce_AndAPatientHasOneClass()
    {
        var truth = Rows("truth.csv");
        var files = Directory.GetFiles(Path.Combine(Folder, "images")).Select(f => "images/" + Path.GetFileName(f)).Order(StringComparer.Ordinal);
        Assert.Equal(files, truth.Select(r => r[0]));
        Assert.Equal(240, truth.Count);
        Assert.Equal(90, truth.Select(r => r[2]).Distinct().Count());
        Assert.Equal(90, truth.Select(r => (r[1], r[2])).Distinct().Count());
    }

    [Fact]
    public void Recordings_AreGood16kHzMono_AndTheirTextsAreThere()
    {
        var all = Rows("recordings.csv");
        Assert.Equal(60, all.Count);
        Assert.All(all, row =>
        {
            using var stream = File.OpenRead(Path.Combine(Folder, row[0]));
            var sound = SoundFile.Read(stream);
            Assert.Equal((16_000, 1), (sound.SampleRate, sound.Channels));
            Assert.InRange(sound.Seconds, 0.8, 6);
            Assert.Empty(SoundQuality.Measure(sound).Findings);
        });
        var speakers = all.ToDictionary(r => r[0], r => r[1]);
        Assert.All(Rows("transcripts.csv"), r => Assert.Equal(speakers[r[0]], r[2]));
    }

    [Fact]
    public void SampleData_IsSmallerThan16Megabytes() =>
        Assert.InRange(Directory.EnumerateFiles(Folder, "*", SearchOption.AllDirectories).Sum(f => new FileInfo(f).Length), 10_000_000, 16_000_000);

    [Fact]
    public void Generator_RunTwiceWithTheSameSeed_GivesTheSameBytes()
    {
        using TemporaryFolder first = new(), second = new(), other = new();
        string clips = Generate(first.Path, 1, 2, build: true) ? "2" : "0";
        if (clips == "0") Assert.True(Generate(first.Path, 1, 0));       // no espeak-ng here: the images alone
        Assert.True(Generate(second.Path, 1, int.Parse(clips)));
        Assert.True(Generate(other.Path, 2, 0));

        var files = Directory.GetFiles(first.Path, "*", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(first.Path, f)).ToList();
        Assert.True(files.Count(f => f.EndsWith(".dcm", StringComparison.Ordinal)) >= 6);
        Assert.All(files, f => Assert.Equal(File.ReadAllBytes(first.At(f)), File.ReadAllBytes(second.At(f))));
        string image = Path.Combine("images", "phantom-001-1.dcm");
        Assert.NotEqual(File.ReadAllBytes(first.At(image)), File.ReadAllBytes(other.At(image)));
    }

    private static bool Generate(string folder, int seed, int clips, bool build = false)
    {
        var start = new ProcessStartInfo("dotnet") { WorkingDirectory = SharedData.Project, RedirectStandardError = true, RedirectStandardOutput = true };
        string[] arguments =
        [
            "run", "-c", "Release", .. build ? Array.Empty<string>() : ["--no-build"], "sample-data/generate.cs", "--",
            "--out", folder, "--patients", "3", "--clips", $"{clips}", "--seed", $"{seed}",
        ];
        foreach (string argument in arguments) start.ArgumentList.Add(argument);
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode is 0 or 1, output + errors.Result);
        return process.ExitCode == 0;
    }
}
