using System.Text;

namespace DomainSsl.Core.Importing;

/// <summary>A small table of text with a header (RFC 4180; also with semicolons or tabs, as spreadsheets of some countries write it). UTF-8.</summary>
public sealed class CsvTable
{
    private const int MaxBytes = 256 << 20;
    private readonly Dictionary<string, int> _columns;

    private CsvTable(IReadOnlyList<string> columns, IReadOnlyList<string[]> rows)
    {
        (Columns, Rows) = (columns, rows);
        _columns = new(StringComparer.OrdinalIgnoreCase);
        for (int i = 0; i < columns.Count; i++) _columns.TryAdd(columns[i], i);
    }

    /// <summary>The header.</summary>
    public IReadOnlyList<string> Columns { get; }

    /// <summary>The rows, each as long as the header; empty lines are left out.</summary>
    public IReadOnlyList<string[]> Rows { get; }

    /// <summary>Whether there is such a column; upper and lower case are the same.</summary>
    public bool Has(string column) => _columns.ContainsKey(column);

    /// <summary>A row's value, trimmed; empty where the column is absent.</summary>
    public string Value(string[] row, string column) => _columns.TryGetValue(column, out int i) ? row[i].Trim() : "";

    /// <summary>Reads a table.</summary>
    /// <param name="path">Where it lies.</param>
    /// <param name="called">What messages call it; null for its file's name.</param>
    /// <exception cref="RefusedException"><c>table-damaged</c>: the sentence names the line.</exception>
    public static CsvTable Read(string path, string? called = null)
    {
        called ??= Path.GetFileName(path);
        if (new FileInfo(path).Length > MaxBytes) throw new RefusedException("table-damaged", $"{called} is larger than {MaxBytes >> 20} MB; split the table.");
        return Parse(File.ReadAllText(path, Encoding.UTF8), called);
    }

    /// <summary>A value as it is written into a table with commas: in quotation marks where it needs them.</summary>
    public static string Quoted(string value) => value.AsSpan().ContainsAny(",\"\r\n") ? $"\"{value.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : value;

    /// <summary>Whether the beginning of a file is that of a table with a column <c>file</c>.</summary>
    public static bool LooksLikeFileTable(ReadOnlySpan<byte> first)
    {
        if (first.Contains((byte)0)) return false;
        if (first.StartsWith("\uFEFF"u8)) first = first[3..];
        int end = first.IndexOfAny((byte)'\r', (byte)'\n');
        var header = Encoding.UTF8.GetString(end < 0 ? first : first[..end]);
        return header.Split(SeparatorOf(header)).Any(c => c.Trim().Trim('"').Equals("file", StringComparison.OrdinalIgnoreCase));
    }

    internal static CsvTable Parse(string text, string name)
    {
        int firstLine = text.IndexOfAny(['\r', '\n']);
        char separator = SeparatorOf(firstLine < 0 ? text : text[..firstLine]);
        List<string>? header = null;
        var (rows, row, field) = (new List<string[]>(), new List<string>(), new StringBuilder());
        int line = 1, rowLine = 1;
        bool quoted = false, wasQuoted = false;
        for (int i = text.StartsWith('\uFEFF') ? 1 : 0; i < text.Length; i++)
        {
            char c = text[i];
            if (c == '\n') line++;
            if (quoted)
            {
                if (c != '"') field.Append(c);
                else if (i + 1 < text.Length && text[i + 1] == '"') field.Append(text[++i]);
                else quoted = false;
            }
            else if (c == '"' && field.Length == 0 && !wasQuoted) quoted = wasQuoted = true;
            else if (c == separator) EndField();
            else if (c is '\r' or '\n')
            {
                if (c == '\r' && i + 1 < text.Length && text[i + 1] == '\n') { i++; line++; }
                EndRow();
            }
            else field.Append(c);
        }
        if (quoted) throw new RefusedException("table-damaged", $"{name}: the quotation mark opened in line {rowLine} is never closed; mend the table.");
        if (field.Length > 0 || row.Count > 0 || wasQuoted) EndRow();
        return header is null ? throw new RefusedException("table-damaged", $"{name} is empty; it needs a header line and rows.") : new CsvTable(header, rows);

        void EndField()
        {
            row.Add(field.ToString());
            field.Clear();
            wasQuoted = false;
        }

        void EndRow()
        {
            EndField();
            bool empty = row.Count == 1 && string.IsNullOrWhiteSpace(row[0]);
            if (empty) { /* a blank line says nothing */ }
            else if (header is null) header = row.ConvertAll(c => c.Trim());
            else if (row.Count == header.Count) rows.Add([.. row]);
            else throw new RefusedException("table-damaged", $"{name}, line {rowLine}: {row.Count} columns where the header has {header.Count}; mend the line.");
            row.Clear();
            rowLine = line;
        }
    }

    private static char SeparatorOf(string header) =>
        header.Contains(',', StringComparison.Ordinal) ? ',' : header.Contains('\t', StringComparison.Ordinal) ? '\t' : header.Contains(';', StringComparison.Ordinal) ? ';' : ',';
}
