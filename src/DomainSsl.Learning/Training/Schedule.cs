namespace DomainSsl.Learning.Training;

/// <summary>How far a run is and what share of the highest rate it has there: pure functions, so that a run that goes on needs none of their state.</summary>
/// <param name="schedule">Shape of the rate.</param>
/// <param name="maxSteps">Steps at most, or null.</param>
/// <param name="maxSeconds">Seconds at most, or null.</param>
public sealed class Schedule(RecipeSchedule schedule, int? maxSteps, double? maxSeconds)
{
    /// <summary>Share of the run that is done. With a limit of steps alone it does not depend on the clock.</summary>
    public double Progress(int step, double seconds) =>
        Math.Min(1, Math.Max(maxSteps is { } n ? (double)step / n : 0, maxSeconds is { } s ? seconds / s : 0));

    /// <summary>Whether the run is at its end.</summary>
    public bool Done(int step, double seconds) => step >= maxSteps || seconds >= maxSeconds;

    /// <summary>Share of the highest rate: up linearly over the warm-up, then down along half a cosine to the floor (Loshchilov and Hutter 2017).</summary>
    public double Rate(double progress)
    {
        if (progress < schedule.Warmup) return Math.Max(progress, 1e-3) / schedule.Warmup;
        var rest = (progress - schedule.Warmup) / (1 - schedule.Warmup);
        return schedule.Floor + (1 - schedule.Floor) * 0.5 * (1 + Math.Cos(Math.PI * rest));
    }
}
