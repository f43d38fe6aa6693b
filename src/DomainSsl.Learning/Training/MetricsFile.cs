using System.Text.Json;
using System.Text.Json.Nodes;

namespace DomainSsl.Learning.Training;

/// <summary>One line of <c>metrics.jsonl</c>.</summary>
/// <param name="Step">Steps done.</param>
/// <param name="Seconds">Training time until then.</param>
/// <param name="Progress">Share of the run, 0 to 1.</param>
/// <param name="Loss">The loss of this step.</param>
/// <param name="Lr">The learning rate of the heads, the highest of all.</param>
/// <param name="SamplesPerSecond">Images or stretches of sound a second since the line before.</param>
/// <param name="WaitingForData">Share of the time until then that was spent waiting for data.</param>
/// <param name="Metrics">The objective's own; in the file they stand beside the others.</param>
public sealed record MetricsLine(int Step, double Seconds, double Progress, double Loss, double Lr, double SamplesPerSecond, double WaitingForData, IReadOnlyDictionary<string, double> Metrics);

/// <summary>The curve of a run: <c>metrics.jsonl</c>, a flat JSON object a line, appended to while the run goes on.</summary>
public sealed class MetricsFile
{
    private readonly string _path;

    /// <summary>Opens the curve of a run; lines after <paramref name="lastStep"/>, which a killed run wrote after its last checkpoint, and half a line at the end are cut.</summary>
    public MetricsFile(string runFolder, int lastStep)
    {
        _path = PathIn(runFolder);
        Lines = [.. Read(runFolder).TakeWhile(l => l.Step <= lastStep)];
        Durable.WriteText(_path, string.Concat(Lines.Select(l => Text(l) + "\n")));
    }

    /// <summary>All lines so far.</summary>
    public List<MetricsLine> Lines { get; }

    /// <summary>Where the curve of a run lies.</summary>
    public static string PathIn(string runFolder) => Path.Combine(runFolder, "metrics.jsonl");

    /// <summary>Appends a line; it is in the file when this returns.</summary>
    public void Append(MetricsLine line)
    {
        Lines.Add(line);
        File.AppendAllText(_path, Text(line) + "\n");
    }

    /// <summary>The lines of a run, up to the first that is not whole.</summary>
    public static IReadOnlyList<MetricsLine> Read(string runFolder)
    {
        var lines = new List<MetricsLine>();
        if (!File.Exists(PathIn(runFolder))) return lines;
        foreach (var text in File.ReadLines(PathIn(runFolder)))
        {
            try
            {
                var all = JsonSerializer.Deserialize<Dictionary<string, double>>(text, LearningJson.Options)!;
                double Take(string name) => all.Remove(name, out var value) ? value : throw new JsonException(name);
                lines.Add(new MetricsLine((int)Take("step"), Take("seconds"), Take("progress"), Take("loss"), Take("lr"), Take("samplesPerSecond"), Take("waitingForData"), all));
            }
            catch (JsonException)
            {
                break;
            }
        }
        return lines;
    }

    private static string Text(MetricsLine line)
    {
        static double Round(double value) => double.IsFinite(value) ? double.Parse(value.ToString("g6")) : 0;
        var json = new JsonObject
        {
            ["step"] = line.Step,
            ["seconds"] = Math.Round(line.Seconds, 3),
            ["progress"] = Math.Round(line.Progress, 5),
            ["loss"] = Round(line.Loss),
            ["lr"] = Round(line.Lr),
            ["samplesPerSecond"] = Round(line.SamplesPerSecond),
            ["waitingForData"] = Math.Round(line.WaitingForData, 5),
        };
        foreach (var (name, value) in line.Metrics) json[name] = Round(value);
        return json.ToJsonString(LearningJson.Options);
    }
}
