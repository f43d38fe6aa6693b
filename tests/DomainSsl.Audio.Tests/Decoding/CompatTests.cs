using System.Diagnostics;
using System.Globalization;
using DomainSsl.Audio.Decoding;
using DomainSsl.Testing;

namespace DomainSsl.Audio.Tests.Decoding;

/// <summary>
/// The 149 recordings for importers beside the checkout: what the manifest says of each is what happens.
/// </summary>
public class CompatTests
{
    private sealed record Row(string File, string Expect, string Codec, string Rate, string Channels, string Seconds, string Rms, string Peak,
        double[] Tolerances);

    private static List<Row> Manifest(out string folder)
    {
        folder = SharedData.Path("speech/compat");
        var lines = File.ReadAllLines(Path.Combine(folder, "manifest.csv"));
        var names = lines[0].Split(',').ToList();
        return [.. lines.Skip(1).Select(Split).Select(f => new Row(Get(f, "file"), Get(f, "expect"), Get(f, "codec"), Get(f, "sample_rate"), Get(f, "channels"),
            Get(f, "seconds"), Get(f, "rms"), Get(f, "peak"),
                [Number(Get(f, "seconds_tolerance")), Number(Get(f, "rms_tolerance")), Number(Get(f, "peak_tolerance"))]))];

        string Get(List<string> fields, string name) => fields[names.IndexOf(name)];
    }

    [Fact]
    public void Inspect_EveryFileOfManifest_GivesItsValuesOrRefusesWithASentence()
    {
        var rows = Manifest(out var folder);
        bool ffmpeg = FfmpegProcess.Find("ffmpeg") is not null;
        if (!ffmpeg) TestContext.Current.AddWarning("ffmpeg is not installed: only uncompressed sound is compared.");
        var faults = new List<string>();
        int parsed = 0, refused = 0;
        foreach (var row in rows)
        {
            using var stream = File.OpenRead(Path.Combine(folder, row.File));
            var watch = Stopwatch.StartNew();
            try
            {
                var found = SoundFile.Inspect(stream);
                parsed++;
                if (row.Expect == "refuse") faults.Add($"{row.File}: should be refused");
                else if (row.Codec != "") Compare(row, found, faults);
                Assert.True(double.IsFinite(found.Rms) && double.IsFinite(found.Peak), row.File);
            }
            catch (AudioException e)
            {
                refused++;
                Assert.Contains(e.Code, AudioError.All);
                Assert.Matches(@"^[A-Z0-9].{14,}\.$", e.Message);
                Assert.DoesNotContain("Doe", e.Message, StringComparison.Ordinal);
                if (row.Expect == "parse" && (ffmpeg || e.Code != AudioError.NoDecoder)) faults.Add($"{row.File}: refused: {e.Message}");
            }
            if (watch.Elapsed.TotalSeconds > 5) faults.Add($"{row.File}: {watch.Elapsed.TotalSeconds:0.0} s");
        }
        Assert.Empty(faults);
        Assert.Equal(149, parsed + refused);
        if (ffmpeg) Assert.InRange(parsed, 90, 113);
    }

    [Fact]
    public void Findings_OfFilesWithoutAFault_AreNone()
    {
        var faults = new List<string>();
        foreach (var row in Manifest(out var folder))
        {
            if (row.Expect != "parse") continue;
            using var stream = File.OpenRead(Path.Combine(folder, row.File));
            try
            {
                using var reader = SoundReader.Open(stream);
                var block = new float[4096];
                while (reader.Read(block) > 0) { }
                faults.AddRange(reader.Findings.Select(f => $"{row.File}: {f.Code}"));
            }
            catch (AudioException e) when (e.Code == AudioError.NoDecoder) { /* no ffmpeg: nothing to find */ }
        }
        Assert.Empty(faults);
    }

    [Fact]
    public void IsSound_FirstBytesOfEveryFileThatIsTaken_SaysSo()
    {
        foreach (var row in Manifest(out var folder))
        {
            var bytes = File.ReadAllBytes(Path.Combine(folder, row.File));
            // Junk before the first frame is seen only by looking further.
            if (row.Expect == "parse") Assert.True(SoundFile.IsSound(bytes.AsSpan(0, 12)) && SoundFile.IsSound(bytes), row.File);
        }
    }

    [Theory]
    [InlineData("bad-zero-bytes.wav", AudioError.Empty)]
    [InlineData("bad-picture.wav", AudioError.NotSound)]
    [InlineData("bad-text.mp3", AudioError.NotSound)]
    [InlineData("bad-truncated.wav", AudioError.Truncated)]
    [InlineData("bad-truncated.aiff", AudioError.Truncated)]
    [InlineData("bad-header-cut.wav", AudioError.Truncated)]
    [InlineData("bad-0-channels.wav", AudioError.Header)]
    [InlineData("bad-0-bits.wav", AudioError.Header)]
    [InlineData("bad-300-channels.wav", AudioError.Limit)]
    [InlineData("bad-0-hz.wav", AudioError.Limit)]
    [InlineData("bad-1-hz.wav", AudioError.Limit)]
    [InlineData("bad-10-mhz.wav", AudioError.Limit)]
    [InlineData("bad-all-nan.wav", AudioError.Damaged)]
    [InlineData("bad-no-fmt.wav", AudioError.Header)]
    [InlineData("bad-no-data.wav", AudioError.NoSamples)]
    [InlineData("bad-empty-data.wav", AudioError.NoSamples)]
    [InlineData("bad-unknown-codec.wav", AudioError.Codec)]
    [InlineData("bad-playlist.wav", AudioError.NotSound)]
    [InlineData("bad-concat.mp3", AudioError.NotSound)]
    [InlineData("bad-random.mp3", AudioError.NotSound)]
    [InlineData("bad-no-index.m4a", AudioError.Truncated)]
    public void Read_BadFile_IsRefusedWithItsCode(string file, string code)
    {
        using var stream = File.OpenRead(SharedData.Path("speech/compat/" + file));
        Assert.Equal(code, Assert.Throws<AudioException>(() => SoundFile.Read(stream)).Code);
    }

    private static void Compare(Row row, SoundInspection found, List<string> faults)
    {
        if (row.Codec != found.Codec) faults.Add($"{row.File}: codec {found.Codec}, not {row.Codec}");
        if (row.Rate != found.SampleRate.ToString(CultureInfo.InvariantCulture)) faults.Add($"{row.File}: {found.SampleRate} Hz, not {row.Rate}");
        if (row.Channels != found.Channels.ToString(CultureInfo.InvariantCulture)) faults.Add($"{row.File}: {found.Channels} channels, not {row.Channels}");
        if (row.Seconds != "" && Math.Abs(Number(row.Seconds) - found.Seconds) > row.Tolerances[0]) faults.Add($"{row.File}: {found.Seconds} s, not {row.Seconds}");
        if (row.Rms != "" && Math.Abs(Number(row.Rms) - found.Rms) > row.Tolerances[1] * Number(row.Rms) + 0.002)
            faults.Add($"{row.File}: rms {found.Rms}, not {row.Rms}");
        if (row.Peak != "" && Math.Abs(Number(row.Peak) - found.Peak) > row.Tolerances[2] * Number(row.Peak) + 0.002)
            faults.Add($"{row.File}: peak {found.Peak}, not {row.Peak}");
    }

    private static double Number(string s) => s == "" ? 0 : double.Parse(s, CultureInfo.InvariantCulture);

    private static List<string> Split(string line)
    {
        var (fields, field, quoted) = (new List<string>(), new System.Text.StringBuilder(), false);
        foreach (char c in line)
        {
            if (c == '"') quoted = !quoted;
            else if (c == ',' && !quoted) { fields.Add(field.ToString()); field.Clear(); }
            else field.Append(c);
        }
        fields.Add(field.ToString());
        return fields;
    }
}
