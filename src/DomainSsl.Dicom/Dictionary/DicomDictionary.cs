using System.Globalization;

namespace DomainSsl.Dicom;

/// <summary>
/// The data elements of PS3.6 and PS3.7: representation and keyword of each tag. The table is made by <c>generate.mjs</c> in this folder (which says how) and
/// embedded as text; it is read once, at first use, in a few milliseconds.
/// </summary>
public static class DicomDictionary
{
    private static readonly Lazy<Table> Loaded = new(Load);

    /// <summary>The keyword, e.g. <c>PatientName</c>; null for what the standard does not define.</summary>
    public static string? Name(DicomTag tag) => Find(tag)?.Name;

    /// <summary>
    /// The representation to assume where a file does not say it (implicit VR, PS3.5 annex A.1). The standard leaves some open: <paramref name="signed"/> (Pixel
    /// Representation) decides between US and SS; pixels and tables are OW.
    /// </summary>
    public static DicomVr Vr(DicomTag tag, bool signed = false)
    {
        if (tag.IsGroupLength) return DicomVr.UL;
        if (tag.IsPrivate) return tag.Element is >= 0x10 and <= 0xFF ? DicomVr.LO : DicomVr.UN;
        return Find(tag)?.Vr switch
        {
            null or "na" => DicomVr.UN,
            "ox" or "px" => DicomVr.OW,
            "lt" => DicomVr.OW,
            "xs" => signed ? DicomVr.SS : DicomVr.US,
            "up" => DicomVr.UL,
            var letters => DicomVrs.Parse(letters),
        };
    }

    /// <summary>Finds a tag by its keyword.</summary>
    public static bool TryFind(string keyword, out DicomTag tag) => Loaded.Value.ByName.TryGetValue(keyword, out tag);

    /// <summary>How many elements and repeating groups are known.</summary>
    public static int Count => Loaded.Value.ByTag.Count + Loaded.Value.Ranges.Count;

    private static Entry? Find(DicomTag tag)
    {
        var table = Loaded.Value;
        if (table.ByTag.TryGetValue(tag.Value, out var entry)) return entry;
        if (tag.IsPrivate) return null;
        foreach (var (from, to, repeating) in table.Ranges)
            if (tag.Group >= from.Group && tag.Group <= to.Group && tag.Element >= from.Element && tag.Element <= to.Element) return repeating;
        return null;
    }

    private static Table Load()
    {
        using var stream = typeof(DicomDictionary).Assembly.GetManifestResourceStream("dicom-dictionary.tsv")
            ?? throw new InvalidOperationException("The DICOM dictionary is missing from the assembly.");
        using var reader = new StreamReader(stream);
        var table = new Table(new(5000), new(5000, StringComparer.Ordinal), []);
        while (reader.ReadLine() is { } line)
        {
            var field = line.Split('\t');
            var (entry, first) = (new Entry(field[1], field[2]), Hex(field[0].AsSpan(0, 8)));
            if (field[0].Length == 8)
            {
                table.ByTag[first.Value] = entry;
                table.ByName.TryAdd(entry.Name, first);
            }
            else table.Ranges.Add((first, Hex(field[0].AsSpan(9)), entry));
        }
        return table;
    }

    private static DicomTag Hex(ReadOnlySpan<char> digits) => new(uint.Parse(digits, NumberStyles.HexNumber, CultureInfo.InvariantCulture));

    private sealed record Entry(string Vr, string Name);

    private sealed record Table(Dictionary<uint, Entry> ByTag, Dictionary<string, DicomTag> ByName, List<(DicomTag From, DicomTag To, Entry Entry)> Ranges);
}
