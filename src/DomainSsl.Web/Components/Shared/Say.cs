using System.Globalization;

namespace DomainSsl.Web.Components.Shared;

/// <summary>Dates, counts and durations as people say them.</summary>
public static class Say
{
    private static readonly CultureInfo Words = CultureInfo.InvariantCulture;

    /// <summary><c>1 image</c>, <c>1,204 images</c>, <c>no images</c>.</summary>
    public static string Count(long number, string one, string? many = null) => number switch
    {
        0 => $"no {many ?? one + "s"}",
        1 => $"1 {one}",
        _ => $"{Number(number)} {many ?? one + "s"}",
    };

    /// <summary><c>1,204</c>.</summary>
    public static string Number(long number) => number.ToString("#,0", Words);

    /// <summary>A figure with so many digits after the point, and a sign where asked for.</summary>
    public static string Figure(double value, int digits, bool signed = false)
    {
        var text = Math.Abs(value).ToString("F" + digits, Words);
        bool zero = text.All(c => c is '0' or '.');
        return (value < 0 && !zero ? "−" : signed && !zero ? "+" : "") + text;
    }

    /// <summary>Digits after the point that an interval allows: those in which its width still shows two places, at most three.</summary>
    public static int Digits(double? low, double? high)
    {
        if (low is not { } l || high is not { } h || h <= l) return 2;
        return Math.Clamp((int)Math.Ceiling(-Math.Log10(h - l)) + 1, 0, 3);
    }

    /// <summary><c>just now</c>, <c>5 minutes ago</c>, <c>today 14:05</c>, <c>yesterday 09:12</c>, <c>3 Feb 2026</c>. Times are UTC in, local out.</summary>
    public static string Ago(DateTime utc, DateTime? nowUtc = null)
    {
        var now = nowUtc ?? DateTime.UtcNow;
        var span = now - utc;
        if (span < TimeSpan.FromMinutes(1)) return "just now";
        if (span < TimeSpan.FromHours(1)) return $"{Count((long)span.TotalMinutes, "minute")} ago";
        var (there, here) = (utc.ToLocalTime(), now.ToLocalTime());
        if (there.Date == here.Date) return $"today {there.ToString("HH:mm", Words)}";
        if (there.Date == here.Date.AddDays(-1)) return $"yesterday {there.ToString("HH:mm", Words)}";
        return Date(DateOnly.FromDateTime(there));
    }

    /// <summary><c>3 Feb 2026</c>.</summary>
    public static string Date(DateOnly date) => date.ToString("d MMM yyyy", Words);

    /// <summary><c>3 Feb 2026 14:05:09</c>, local, for logs.</summary>
    public static string Moment(DateTime utc) => utc.ToLocalTime().ToString("d MMM yyyy HH:mm:ss", Words);

    /// <summary><c>40 seconds</c>, <c>3 min 20 s</c>, <c>2 h 5 min</c>.</summary>
    public static string Duration(TimeSpan span) => span switch
    {
        { TotalSeconds: < 1 } => "less than a second",
        { TotalSeconds: < 60 } => Count((long)span.TotalSeconds, "second"),
        { TotalMinutes: < 60 } => span.Seconds == 0 ? $"{span.Minutes} min" : $"{span.Minutes} min {span.Seconds} s",
        _ => span.Minutes == 0 ? $"{(long)span.TotalHours} h" : $"{(long)span.TotalHours} h {span.Minutes} min",
    };

    /// <summary>Time left, rounded as its uncertainty deserves: <c>about 3 minutes left</c>.</summary>
    public static string Left(double seconds) => seconds switch
    {
        < 10 => "a few seconds left",
        < 90 => $"about {Math.Ceiling(seconds / 10) * 10:0} seconds left",
        < 5400 => $"about {Count((long)Math.Round(seconds / 60), "minute")} left",
        _ => $"about {Math.Round(seconds / 3600, 1).ToString("0.#", Words)} hours left",
    };

    /// <summary><c>12 KB</c>, <c>3.4 GB</c> (powers of 1,000).</summary>
    public static string Bytes(long bytes)
    {
        string[] units = ["bytes", "KB", "MB", "GB", "TB"];
        double value = bytes;
        int unit = 0;
        while (value >= 1000 && unit < units.Length - 1) (value, unit) = (value / 1000, unit + 1);
        return $"{value.ToString(value < 10 && unit > 0 ? "0.0" : "0", Words)} {units[unit]}";
    }
}
