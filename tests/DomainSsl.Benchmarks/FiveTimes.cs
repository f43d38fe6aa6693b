using System.Diagnostics;
using System.Globalization;

namespace DomainSsl.Benchmarks;

/// <summary>How long something takes, of five times, ms.</summary>
internal static class FiveTimes
{
    public static async Task<(double Median, double Worst)> OfAsync(Func<Task> ask)
    {
        var times = new List<double>();
        for (int i = 0; i < 5; i++)
        {
            var watch = Stopwatch.StartNew();
            await ask();
            times.Add(watch.Elapsed.TotalMilliseconds);
        }
        times.Sort();
        return (times[2], times[4]);
    }

    /// <summary>Prints it.</summary>
    public static async Task SayAsync(string what, Func<Task> ask)
    {
        var (median, worst) = await OfAsync(ask);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{what}: median {median:#,0} ms, worst {worst:#,0} ms"));
    }
}
