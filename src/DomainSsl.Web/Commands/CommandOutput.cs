using System.Diagnostics;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using DomainSsl.Core;
using Spectre.Console;

namespace DomainSsl.Web.Commands;

/// <summary>How far long work is.</summary>
/// <param name="Done">Units done.</param>
/// <param name="Total">All units as far as known; 0 while unknown.</param>
/// <param name="Note">What it is at, e.g. <c>2 refused</c>; may be empty.</param>
/// <param name="SecondsLeft">Seconds left, where the work says so itself; null: by its rate so far.</param>
internal readonly record struct CommandProgress(double Done, double Total, string Note = "", double? SecondsLeft = null);

/// <summary>
/// What a command says. With <c>--json</c> standard output carries exactly one document; without it, tables and sentences for people. Progress, log and errors go to standard error always.
/// </summary>
internal sealed class CommandOutput(bool json, bool quiet, bool verbose)
{
    /// <summary>camelCase, enumerations as words, numbers as numbers (those that JSON has no word for, NaN and the infinities, as null).</summary>
    public static readonly JsonSerializerOptions JsonOptions = new(JsonSerializerDefaults.Web)
    {
        NumberHandling = JsonNumberHandling.Strict,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase), new FiniteDouble(), new FiniteSingle() },
    };

    private static readonly TimeSpan LineEvery = TimeSpan.FromSeconds(10);
    private readonly Stopwatch _begun = Stopwatch.StartNew();
    private bool _written;

    /// <summary>Standard output carries JSON.</summary>
    public bool Json { get; } = json;

    /// <summary>No progress.</summary>
    public bool Quiet { get; } = quiet;

    /// <summary>More log, stack traces.</summary>
    public bool Verbose { get; } = verbose;

    /// <summary>Seconds since the command began.</summary>
    public double Seconds => _begun.Elapsed.TotalSeconds;

    /// <summary>
    /// The command's result, once: as the JSON document (<paramref name="document"/>'s members and <c>seconds</c>, unless it has its own) or, for people, by <paramref name="show"/>.
    /// </summary>
    public void Result(object document, Action<IAnsiConsole> show)
    {
        if (_written) throw new InvalidOperationException("A command has one result.");
        _written = true;
        if (!Json)
        {
            show(AnsiConsole.Console);
            return;
        }
        var node = (JsonObject)JsonSerializer.SerializeToNode(document, JsonOptions)!;
        if (!node.ContainsKey("seconds")) node["seconds"] = Math.Round(Seconds, 3);
        WriteDocument(node);
    }

    /// <summary>One sentence on standard error; with <c>--json</c> also as the document, unless the result is out already.</summary>
    public void Error(string code, string sentence, Exception? exception = null)
    {
        Console.Error.WriteLine(sentence);
        if (Verbose && exception is not null) Console.Error.WriteLine(exception);
        if (!Json || _written) return;
        _written = true;
        WriteDocument(new JsonObject { ["error"] = new JsonObject { ["code"] = code, ["message"] = sentence }, ["seconds"] = Math.Round(Seconds, 3) });
    }

    /// <summary>A sentence for people on standard error, e.g. what the program is about to wait for; nothing with <c>--quiet</c>.</summary>
    public void Note(string sentence)
    {
        if (!Quiet) Console.Error.WriteLine(sentence);
    }

    /// <summary>A table for people.</summary>
    public static Table Table(params string[] columns)
    {
        var table = new Table { Border = TableBorder.Rounded };
        foreach (var column in columns) table.AddColumn(new TableColumn(new Text(column)));
        return table;
    }

    /// <summary>Adds a row of plain text (markup is not interpreted).</summary>
    public static void Row(Table table, params string?[] cells) => table.AddRow(cells.Select(c => new Text(c ?? "")));

    /// <summary>Runs long work under a progress bar with rate and time left on a terminal, a line every ten seconds elsewhere, nothing with <c>--quiet</c>.</summary>
    /// <param name="title">What is done, e.g. <c>Importing</c>.</param>
    /// <param name="unit">What is counted, plural, e.g. <c>files</c>.</param>
    /// <param name="work">The work; it may report from any thread.</param>
    public async Task<T> ProgressAsync<T>(string title, string unit, Func<IProgress<CommandProgress>, Task<T>> work)
    {
        if (Quiet) return await work(new Sink(_ => { }));
        var begun = Stopwatch.StartNew();
        if (Console.IsErrorRedirected)
        {
            var (said, gate) = (TimeSpan.Zero, new Lock());
            return await work(new Sink(p =>
            {
                lock (gate)
                {
                    if (begun.Elapsed - said < LineEvery) return;
                    said = begun.Elapsed;
                }
                Console.Error.WriteLine($"{title}: {Describe(p, unit, begun.Elapsed)}");
            }));
        }
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        return await console.Progress().AutoClear(true)
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn())
            .StartAsync(async context =>
            {
                var bar = context.AddTask(Markup.Escape(title));
                bar.IsIndeterminate = true;
                return await work(new Sink(p =>
                {
                    if (p.Total > 0) (bar.IsIndeterminate, bar.MaxValue, bar.Value) = (false, p.Total, p.Done);
                    bar.Description = Markup.Escape($"{title}: {Describe(p, unit, begun.Elapsed)}");
                }));
            });
    }

    private static string Describe(CommandProgress p, string unit, TimeSpan elapsed)
    {
        // A share has no rate that anybody would want to read.
        bool share = unit == "percent";
        var said = share ? string.Create(CultureInfo.InvariantCulture, $"{p.Done:0} %") : p.Total > 0 ? string.Create(CultureInfo.InvariantCulture, $"{p.Done:#,0} of {p.Total:#,0} {unit}") : string.Create(CultureInfo.InvariantCulture, $"{p.Done:#,0} {unit}");
        if (elapsed.TotalSeconds > 1 && p.Done > 0)
        {
            double rate = p.Done / elapsed.TotalSeconds;
            if (!share) said += string.Create(CultureInfo.InvariantCulture, $", {(rate >= 10 ? rate.ToString("0", CultureInfo.InvariantCulture) : rate.ToString("0.0", CultureInfo.InvariantCulture))} a second");
            if (p.SecondsLeft is null && p.Total > p.Done) said += $", {Duration(TimeSpan.FromSeconds((p.Total - p.Done) / rate))} left";
        }
        // Who does the work knows better: what came before its first step was no slow beginning.
        if (p.SecondsLeft is > 0 and var left) said += $", {Duration(TimeSpan.FromSeconds(left))} left";
        return p.Note.Length > 0 ? $"{said}, {p.Note}" : said;
    }

    /// <summary>A duration as people say it: <c>8 s</c>, <c>4 min</c>, <c>2 h 10 min</c>.</summary>
    public static string Duration(TimeSpan time) =>
        time.TotalSeconds < 90 ? $"{Math.Max(1, Math.Round(time.TotalSeconds)):0} s" : time.TotalMinutes < 90 ? $"{time.TotalMinutes:0} min" : $"{(int)time.TotalHours} h {time.Minutes} min";

    private static void WriteDocument(JsonObject node)
    {
        // Bytes rather than Console.Out, whose encoding follows the locale.
        using var stdout = Console.OpenStandardOutput();
        stdout.Write(JsonSerializer.SerializeToUtf8Bytes(node, JsonOptions));
        stdout.Write("\n"u8);
    }

    private sealed class Sink(Action<CommandProgress> report) : IProgress<CommandProgress>
    {
        public void Report(CommandProgress value) => report(value);
    }

    private sealed class FiniteSingle : JsonConverter<float>
    {
        public override float Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.TokenType == JsonTokenType.Null ? float.NaN : reader.GetSingle();

        public override void Write(Utf8JsonWriter writer, float value, JsonSerializerOptions options)
        {
            if (float.IsFinite(value)) writer.WriteNumberValue(value);
            else writer.WriteNullValue();
        }
    }
}
