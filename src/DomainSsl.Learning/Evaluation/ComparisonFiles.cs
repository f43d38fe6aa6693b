namespace DomainSsl.Learning.Evaluation;

/// <summary>A comparison of arms for people: its figure as <c>label-efficiency.svg</c> and <c>.png</c>, and each draw in <c>label-efficiency.csv</c> for whoever calculates with them.</summary>
internal static class ComparisonFiles
{
    /// <summary>Writes them into a folder, which is made if it is not there.</summary>
    /// <param name="folder">Where to.</param>
    /// <param name="figure">The figure.</param>
    /// <param name="columns">The table's first line; its first column is the arm.</param>
    /// <param name="rows">The arm, and the rest of its line.</param>
    public static void Write(string folder, Figure figure, string columns, IEnumerable<(string Arm, string Values)> rows)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "label-efficiency.svg"), figure.ToSvg());
        File.WriteAllBytes(Path.Combine(folder, "label-efficiency.png"), figure.ToPng());
        File.WriteAllText(Path.Combine(folder, "label-efficiency.csv"), string.Concat(rows.Select(r => $"{Quoted(r.Arm)},{r.Values}\n").Prepend(columns + "\n")));
    }

    private static string Quoted(string s) => s.AsSpan().ContainsAny(",\"\r\n") ? $"\"{s.Replace("\"", "\"\"")}\"" : s;
}
