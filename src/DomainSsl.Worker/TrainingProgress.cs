using System.Text.Json;
using DomainSsl.Core.Runs;
using DomainSsl.Learning;
using DomainSsl.Learning.Health;
using DomainSsl.Learning.Training;

namespace DomainSsl.Worker;

/// <summary>Says of a run how far its training is.</summary>
/// <param name="context">The run.</param>
/// <param name="steps">Its steps; null where time ends it.</param>
/// <param name="begun">What the log says at the start.</param>
/// <param name="summary">What the row holds meanwhile.</param>
/// <param name="ended">What the log says at the end.</param>
internal sealed class TrainingProgress(RunContext context, int? steps, Func<RunStart, string> begun, Func<MetricsLine, RunHealth, object> summary, Func<TrainResult, string> ended) : IRunWatcher
{
    private string _state = "";

    public void Started(RunStart start)
    {
        context.Log(begun(start));
        foreach (var note in start.Notes) context.Log(note);
        // A checkpoint is progress, also where the worker was killed before it could say so: only a run that gets no further is given up (RunQueue.MostAttempts).
        context.Report(new RunReport(start.Progress, Device: start.Device == "cpu" ? $"cpu ({TorchProcess.Cores()} threads)" : start.Device, Stage: $"Step {start.Step:#,0}"));
    }

    public void Stepped(MetricsLine line, RunHealth health)
    {
        var left = line.Progress > 0.001 ? line.Seconds / line.Progress * (1 - line.Progress) : (double?)null;
        context.Report(new RunReport(line.Progress, steps is null ? $"Step {line.Step:#,0}" : $"Step {line.Step:#,0} of {steps:#,0}", left, Summary: JsonSerializer.Serialize(summary(line, health), RunContext.Json)));
        if (health.State == _state) return;
        _state = health.State;
        foreach (var finding in health.Findings) context.Log(finding);
    }

    public void Checked(int step, string folder) => context.Log($"Checkpoint at step {step}.");

    public void Busy(string stage) => context.Report(new RunReport(Stage: stage));

    public void Noted(string sentence) => context.Log(sentence);

    public void Ended(TrainResult result) => context.Log(ended(result));
}
