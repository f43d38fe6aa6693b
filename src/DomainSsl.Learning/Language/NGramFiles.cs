using System.Globalization;
using System.Text;
using DomainSsl.Learning.Training;

namespace DomainSsl.Learning.Language;

/// <summary>
/// Files of n-gram models: our own, compact and exact, and ARPA, for other tools to read.
/// </summary>
/// <remarks>
/// Own format, little-endian: 8 bytes of magic; order, unit, number of tokens, number of n-grams (int32 each); the tokens as strings with their lengths; then level by level for each
/// n-gram (the empty one first) the number of those it begins (variable length), and but for the empty one its last token (variable length), ln P and, if it is shorter than
/// the order, ln γ (float32 each).
/// </remarks>
public static class NGramFiles
{
    private static ReadOnlySpan<byte> Magic => "DSSLNGM1"u8;

    private const int MostOrder = 20;

    /// <summary>Writes a model in our own format, under a temporary name, then renamed.</summary>
    public static void Save(NGramModel model, string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        var nodes = model.Nodes().ToList();
        var children = new int[nodes.Count + 1];
        foreach (var node in nodes) children[node.Parent]++;
        var temporary = path + ".tmp";
        using (var file = new FileStream(temporary, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 20))
        {
            using var writer = new BinaryWriter(file, Encoding.UTF8, leaveOpen: true);
            writer.Write(Magic);
            foreach (var n in (int[])[model.Order, (int)model.Unit, model.Tokens.Count, nodes.Count]) writer.Write(n);
            foreach (var token in model.Tokens) writer.Write(token);
            writer.Write7BitEncodedInt(children[0]);
            for (var i = 0; i < nodes.Count; i++)
            {
                var (order, _, token, logProbability, backOff) = nodes[i];
                writer.Write7BitEncodedInt(children[i + 1]);
                writer.Write7BitEncodedInt(token);
                writer.Write(logProbability);
                if (order < model.Order) writer.Write(backOff);
            }
            writer.Flush();
            file.Flush(flushToDisk: true);
        }
        File.Move(temporary, path, overwrite: true);
    }

    /// <summary>Reads a model that <see cref="Save"/> wrote. The reader believes nothing.</summary>
    /// <exception cref="LearningException">The file is absent, damaged, or something else.</exception>
    public static NGramModel Load(string path)
    {
        if (!File.Exists(path)) throw new LearningException($"The language model {path} is not there.");
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 20);
            using var reader = new BinaryReader(file, Encoding.UTF8);
            if (!reader.ReadBytes(8).AsSpan().SequenceEqual(Magic)) throw new FormatException("it does not begin as one");
            var (order, unit, tokenCount, nodes) = (reader.ReadInt32(), reader.ReadInt32(), reader.ReadInt32(), reader.ReadInt32());
            if (order is < 1 or > MostOrder || unit is not (0 or 1)) throw new FormatException("its order or unit cannot be");
            if (tokenCount < 3 || nodes < 1 || tokenCount + 6L * nodes > file.Length) throw new FormatException("it is shorter than it says");
            var tokens = new string[tokenCount];
            for (var i = 0; i < tokenCount; i++) tokens[i] = reader.ReadString();
            if (tokens.Distinct(StringComparer.Ordinal).Count() != tokenCount) throw new FormatException("a token stands twice");

            var (parent, token, level) = (new int[nodes + 1], new int[nodes + 1], new int[nodes + 1]);
            var (logProbability, backOff) = (new float[nodes + 1], new float[nodes + 1]);
            token[0] = -1;
            var known = 1;      // nodes whose parent is known
            for (var i = 0; i <= nodes; i++)
            {
                if (i >= known) throw new FormatException("an n-gram belongs to none");
                var children = reader.Read7BitEncodedInt();
                if (children < 0 || children > nodes + 1 - known || children > 0 && level[i] >= order) throw new FormatException("an n-gram begins too many others");
                for (var c = 0; c < children; c++, known++) (parent[known], level[known]) = (i, level[i] + 1);
                if (i == 0) continue;
                token[i] = reader.Read7BitEncodedInt();
                if ((uint)token[i] >= (uint)tokenCount || parent[i] == parent[i - 1] && i > 1 && token[i] <= token[i - 1]) throw new FormatException("its n-grams are out of order");
                logProbability[i] = reader.ReadSingle();
                if (level[i] < order) backOff[i] = reader.ReadSingle();
                if (!(logProbability[i] <= 1e-3) || float.IsNaN(backOff[i]) || float.IsPositiveInfinity(backOff[i])) throw new FormatException("a probability cannot be");
            }
            if (known != nodes + 1 || file.Position != file.Length) throw new FormatException("its end is missing or has something behind it");
            return new NGramModel(order, (NGramUnit)unit, tokens, parent, token, logProbability, backOff);
        }
        catch (Exception e) when (e is FormatException or EndOfStreamException or ArgumentException or IOException)
        {
            throw new LearningException($"The file {path} is not a sound language model: {(e is FormatException ? e.Message.TrimEnd('.') : "it is cut short or damaged")}. Train it again, or get it again.", e);
        }
    }

    /// <summary>Writes a model as ARPA text (log₁₀; the spaces of a letter model are <c>▁</c>).</summary>
    public static void WriteArpa(NGramModel model, string path)
    {
        var nodes = model.Nodes().ToList();
        var text = new StringBuilder("\\data\\\n");
        foreach (var level in nodes.GroupBy(n => n.Order)) text.Append(CultureInfo.InvariantCulture, $"ngram {level.Key}={level.Count()}\n");
        var words = new string[nodes.Count + 1];
        var order = 0;
        for (var i = 0; i < nodes.Count; i++)
        {
            var node = nodes[i];
            if (node.Order != order) text.Append(CultureInfo.InvariantCulture, $"\n\\{order = node.Order}-grams:\n");
            words[i + 1] = node.Parent == 0 ? model.Tokens[node.Token] : words[node.Parent] + " " + model.Tokens[node.Token];
            text.Append(Log10(node.LogProbability)).Append('\t').Append(words[i + 1]);
            if (node.Order < model.Order) text.Append('\t').Append(Log10(node.BackOff));
            text.Append('\n');
        }
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        Durable.WriteText(path, text.Append("\n\\end\\\n").ToString());

        static string Log10(float natural) => float.IsNegativeInfinity(natural) ? "-99" : (natural / Math.Log(10)).ToString("g9", CultureInfo.InvariantCulture);
    }
}
