using System.Text;

namespace DomainSsl.Dicom.Tests.DataSets;

/// <summary>The yardstick of real files from many sources: what must be read, what must be refused, which values must come out.</summary>
public class CompatibilityTests
{
    [Fact]
    public void Read_EveryFileOfTheSet_ParsesOrIsRefusedAsTheManifestSays()
    {
        var (parsed, refused, faults) = (0, 0, new List<string>());
        foreach (var row in TestFiles.Manifest())
        {
            try
            {
                var file = DicomFile.Read(row.Path);
                parsed++;
                if (row.Expect == "refuse") faults.Add($"{row.File}: read, and should be refused");
                if (row.Expect != "parse") continue;
                Compare(row, "sop_class", file.DataSet.GetString(DicomTags.SOPClassUID), faults);
                Compare(row, "modality", file.DataSet.GetString(DicomTags.Modality), faults);
                Compare(row, "rows", file.DataSet.GetInt(DicomTags.Rows)?.ToString(), faults);
                Compare(row, "columns", file.DataSet.GetInt(DicomTags.Columns)?.ToString(), faults);
                Compare(row, "frames", file.DataSet.GetString(DicomTags.NumberOfFrames), faults);
                Compare(row, "photometric", file.DataSet.GetString(DicomTags.PhotometricInterpretation), faults);
                if (row.Cells["patient_name"].Length > 0) Compare(row, "patient_name", Name(file.DataSet.GetString(DicomTags.PatientName)), faults);
                if (row.Number("elements") is { } n && Math.Abs(n - file.DataSet.Count) > Math.Max(16, n * 0.1)) faults.Add($"{row.File}: {file.DataSet.Count} elements instead of {n}");
            }
            catch (DicomException e)
            {
                refused++;
                Assert.True(e.Message.Length > 20 && e.Message.EndsWith('.'), $"{row.File}: no sentence: {e.Message}");
                if (row.Expect == "parse") faults.Add($"{row.File}: refused, {e.Code}: {e.Message} [{e.Tag} at {e.Offset}]");
            }
        }
        Assert.True(faults.Count == 0, $"{parsed} read, {refused} refused; {faults.Count} faults:\n{string.Join('\n', faults.Take(60))}");
        Assert.True(parsed >= 469, $"only {parsed} were read");
    }

    [Fact]
    public void PixelHash_SupportedTransferSyntaxes_EqualsTheAgreedHash()
    {
        var (equal, faults) = (0, new List<string>());
        foreach (var row in TestFiles.Manifest().Where(r => r.Expect == "parse" && r.PixelSha256.Length > 0))
        {
            try
            {
                var hash = PixelHash.Compute(DicomFile.Read(row.Path));
                if (hash == row.PixelSha256) equal++;
                else faults.Add($"{row.File}: other pixels ({row.Syntax}, {row.Cells["bits_allocated"]}/{row.Cells["bits_stored"]}, {row.Cells["photometric"]}): {row.Cells["note"]}");
            }
            catch (DicomException e) when (e.Code is DicomErrors.UnsupportedTransferSyntax or DicomErrors.UnsupportedPixels) { }
            catch (DicomException e) { faults.Add($"{row.File}: {e.Code}: {e.Message} ({row.Syntax})"); }
        }
        Assert.True(faults.Count == 0, $"{equal} equal, {faults.Count} not:\n{string.Join('\n', faults)}");
        Assert.True(equal >= 273, $"only {equal} were compared");
    }

    private static void Compare(ManifestRow row, string column, string? found, List<string> faults)
    {
        var expected = row.Cells[column];
        if (expected.Length == 0 || string.Equals(expected.Normalize(NormalizationForm.FormC), found?.Normalize(NormalizationForm.FormC), StringComparison.Ordinal)) return;
        if (int.TryParse(expected, out var a) && int.TryParse(found, out var b) && a == b) return;
        faults.Add($"{row.File}: {column} is '{found}' instead of '{expected}'");
    }

    // The manifest trims blanks, carets and equals signs that say nothing.
    private static string? Name(string? name) => name?.TrimEnd(' ', '=');
}
