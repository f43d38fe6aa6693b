using System.Diagnostics;
using System.Globalization;
using DomainSsl.Testing;

namespace DomainSsl.Dicom.Tests;

/// <summary>The real files that the tests read, and the peers that read them too.</summary>
internal static class TestFiles
{
    /// <summary>A chest X-ray: CR, 224 × 224, 8 bit, JPEG baseline.</summary>
    public static string ChestXray => SharedData.Path("cxr/files/test/00001.dcm");

    /// <summary>The first chest X-rays of the training part.</summary>
    public static IEnumerable<string> ChestXrays(int count)
    {
        var folder = SharedData.Path("cxr/files/train");
        return Directory.EnumerateFiles(folder).Order(StringComparer.Ordinal).Take(count);
    }

    /// <summary>The compatibility set's rows; the test skips where the set is absent.</summary>
    public static IReadOnlyList<ManifestRow> Manifest()
    {
        var folder = SharedData.Path("dicom-compat");
        var lines = Csv(File.ReadAllText(Path.Combine(folder, "manifest.csv")));
        var head = lines[0];
        return [.. lines.Skip(1).Select(line => new ManifestRow(Path.Combine(folder, "files", line[0]), head.Zip(line).ToDictionary(p => p.First, p => p.Second)))];
    }

    /// <summary>Runs a peer program; the test skips, saying so, where it is not installed.</summary>
    public static string Peer(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        Process? process = null;
        try { process = Process.Start(start); }
        catch (System.ComponentModel.Win32Exception) { Assert.Skip($"{program} is not installed; it comes with Debian's package dcmtk."); }
        using (process)
        {
            var errors = process!.StandardError.ReadToEndAsync();
            var output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', arguments)} ended with {process.ExitCode}: {errors.Result}");
            return output + errors.Result;
        }
    }

    private static List<List<string>> Csv(string text)
    {
        var (rows, row, cell, quoted) = (new List<List<string>>(), new List<string>(), new System.Text.StringBuilder(), false);
        foreach (var c in text)
        {
            if (c == '"') quoted = !quoted;
            else if (c == ',' && !quoted) { row.Add(cell.ToString()); cell.Clear(); }
            else if (c == '\n' && !quoted) { row.Add(cell.ToString().TrimEnd('\r')); cell.Clear(); rows.Add(row); row = []; }
            else cell.Append(c);
        }
        return rows;
    }
}

/// <summary>A row of the compatibility set's manifest.</summary>
internal sealed record ManifestRow(string Path, IReadOnlyDictionary<string, string> Cells)
{
    public string File => Cells["file"];
    public string Expect => Cells["expect"];
    public string Syntax => Cells["transfer_syntax"];
    public string PixelSha256 => Cells["pixel_sha256"];
    public double? Number(string column) => Cells[column].Length == 0 ? null : double.Parse(Cells[column], CultureInfo.InvariantCulture);
}
