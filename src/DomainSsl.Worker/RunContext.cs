using System.Text.Json;
using System.Text.Json.Serialization;
using DomainSsl.Core;
using DomainSsl.Core.Database;
using DomainSsl.Core.Runs;

namespace DomainSsl.Worker;

/// <summary>What a run is carried out with: its row, its folder, where it says how far it is, and when it must stop.</summary>
public sealed class RunContext(Run run, string folder, RunLog log, CancellationToken stop)
{
    private readonly Lock _gate = new();
    private RunReport? _pending;

    /// <summary>How results are written: camelCase, what JSON has no word for as null.</summary>
    public static JsonSerializerOptions Json { get; } = new(JsonSerializerDefaults.Web)
    {
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase), new FiniteDouble() },
    };

    /// <summary>The row as it was when the run was taken.</summary>
    public Run Run { get; } = run;

    /// <summary>The run's folder, which exists.</summary>
    public string Folder { get; } = folder;

    /// <summary>Set when the run must stop: cancelled, lost, or the worker is ending. Stop at a checkpoint.</summary>
    public CancellationToken Stop { get; } = stop;

    /// <summary>Says how far the run is. Cheap: the row is written about once a second, with the latest of each.</summary>
    public void Report(RunReport report)
    {
        lock (_gate)
        {
            _pending = _pending is null ? report : new RunReport(report.Progress ?? _pending.Progress, report.Stage ?? _pending.Stage, report.SecondsLeft ?? _pending.SecondsLeft,
                report.Device ?? _pending.Device, report.Summary ?? _pending.Summary);
        }
    }

    /// <summary>What has been said since it was asked last.</summary>
    internal RunReport? TakeReport()
    {
        lock (_gate)
        {
            var report = _pending;
            _pending = null;
            return report;
        }
    }

    /// <summary>Adds a line to the run's log.</summary>
    public void Log(string sentence) => log.Write(Run.Id, sentence);
}

/// <summary>What came of a run.</summary>
/// <param name="Summary">The result as JSON, for the row.</param>
/// <param name="Results">Adds what was made (models, predictions) in the transaction that ends the run.</param>
/// <param name="Afterwards">Tidies the run's folder once that is committed.</param>
public sealed record RunOutcome(string Summary, Func<DomainSslContext, CancellationToken, Task>? Results = null, Action? Afterwards = null);
