using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace DomainSsl.Testing;

/// <summary>The built program itself, run as a person would run it: in a process of its own, which can be killed.</summary>
public static class Product
{
    /// <summary>The program's file, as the solution's build left it; beside the test where the test project refers to Web, else in Web's own output.</summary>
    public static string Executable { get; } = Find();

    private static readonly (string, string)[] Briefly = [("Tasks__TrainingShare", "0.05"), ("Demo__PretrainSeconds", "8"), ("Demo__PretrainSoundSeconds", "8"), ("Demo__TranscriberSteps", "60")];

    /// <summary>Runs a command to its end and gives back what it printed. Fails the test if it takes longer than <paramref name="timeout"/>.</summary>
    public static Task<CommandResult> RunAsync(string data, TimeSpan timeout, params string[] arguments) => RunAsync(data, timeout, [], arguments);

    /// <summary>The same with further settings in its environment.</summary>
    public static async Task<CommandResult> RunAsync(string data, TimeSpan timeout, (string Name, string Value)[] environment, params string[] arguments)
    {
        using var process = Start(data, environment, arguments);
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        using var limit = new CancellationTokenSource(timeout);
        try { await process.WaitForExitAsync(limit.Token); }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            Xunit.Assert.Fail($"domainssl {string.Join(' ', arguments)} did not end within {timeout.TotalSeconds:0} s. It said: {await errors}");
        }
        return new CommandResult(process.ExitCode, await output, await errors);
    }

    /// <summary>Runs a command with <c>--json</c> and gives back its document; fails the test on any exit code but 0 and 3.</summary>
    public static async Task<JsonElement> JsonAsync(string data, TimeSpan timeout, params string[] arguments)
    {
        var result = await RunAsync(data, timeout, [.. arguments, "--json", "--quiet"]);
        Xunit.Assert.True(result.ExitCode is 0 or 3, $"domainssl {string.Join(' ', arguments)} ended with {result.ExitCode}: {result.Errors}{result.Output}");
        return JsonDocument.Parse(result.Output).RootElement;
    }

    /// <summary>Starts a command and returns at once; its output is redirected.</summary>
    public static Process Start(string data, params string[] arguments) => Start(data, [], arguments);

    private static Process Start(string data, (string Name, string Value)[] environment, string[] arguments)
    {
        var start = new ProcessStartInfo(Executable) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true, UseShellExecute = false };
        foreach (var argument in (string[])[.. arguments, "--data", data]) start.ArgumentList.Add(argument);
        start.Environment["GOMP_SPINCOUNT"] = "1000";
        foreach (var (name, value) in environment) start.Environment[name] = value;
        // Tests hold the way through, not how good what is trained becomes: that is measured by commands. The README's pictures show the real thing.
        if (Environment.GetEnvironmentVariable("DOMAINSSL_SCREENSHOTS") != "1")
            foreach (var (name, value) in Briefly) start.Environment.TryAdd(name, value);
        return Process.Start(start) ?? throw new InvalidOperationException($"{Executable} did not start.");
    }

    private static string Find()
    {
        var configuration = AppContext.BaseDirectory.Contains($"{Path.DirectorySeparatorChar}Debug{Path.DirectorySeparatorChar}", StringComparison.Ordinal) ? "Debug" : "Release";
        var path = Path.Combine(SharedData.Project, "src", "DomainSsl.Web", "bin", configuration, "net10.0", "domainssl");
        return File.Exists(path) ? path : throw new FileNotFoundException($"{path} is missing; build the solution first: dotnet build -c {configuration} DomainSsl.sln");
    }
}

/// <summary>What a command left behind.</summary>
/// <param name="ExitCode">0 done, 1 failed, 2 wrong usage, 3 some inputs refused, 130 cancelled.</param>
/// <param name="Output">Standard output.</param>
/// <param name="Errors">Standard error.</param>
public sealed record CommandResult(int ExitCode, string Output, string Errors);

/// <summary>A running site on a free port of the loopback address, killed at the end of the test.</summary>
public sealed class RunningSite : IAsyncDisposable
{
    private readonly StringBuilder _said = new();
    private readonly string[] _arguments;
    private Process _process = null!;

    private RunningSite(string data, int port, string[] arguments) => (Data, Port, _arguments) = (data, port, arguments);

    /// <summary>Its data folder.</summary>
    public string Data { get; }
    /// <summary>Its port, kept over restarts.</summary>
    public int Port { get; }
    /// <summary>Its address without a slash at the end.</summary>
    public string Address => $"http://127.0.0.1:{Port}";
    /// <summary>The serving process; its worker is a child.</summary>
    public int ProcessId => _process.Id;
    /// <summary>All that it printed so far.</summary>
    public string Said { get { lock (_said) return _said.ToString(); } }

    /// <summary>Starts <c>serve</c> with further arguments and waits until it answers.</summary>
    public static async Task<RunningSite> StartAsync(string data, params string[] arguments)
    {
        var site = new RunningSite(data, FreePort(), arguments);
        try { await site.StartAgainAsync(); }
        catch
        {
            site.Kill(); // nobody else knows of it
            throw;
        }
        return site;
    }

    /// <summary>Starts it once more on the same folder and port, after <see cref="Kill"/>.</summary>
    public async Task StartAgainAsync()
    {
        _process = Product.Start(Data, ["serve", "--urls", Address, .. _arguments]);
        _process.OutputDataReceived += (_, line) => Note(line.Data);
        _process.ErrorDataReceived += (_, line) => Note(line.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        using var client = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false });
        var begun = Stopwatch.StartNew();
        while (true)
        {
            if (_process.HasExited) Xunit.Assert.Fail($"serve ended at once with {_process.ExitCode}: {Said}");
            try { await client.GetAsync(Address); return; }
            catch (HttpRequestException)
            {
                if (begun.Elapsed > TimeSpan.FromMinutes(3)) Xunit.Assert.Fail($"serve does not answer after {begun.Elapsed.TotalSeconds:0} s; it said: {Said}");
                await Task.Delay(100);
            }
        }
    }

    /// <summary>SIGKILL to the site and its worker, or to one of them. A worker that outlived an earlier site is killed too.</summary>
    public void Kill(bool site = true, bool worker = true)
    {
        // The site first: it cannot start another worker behind our back then.
        if (site && !_process.HasExited) _process.Kill(entireProcessTree: worker);
        if (site) _process.WaitForExit();
        if (!worker) return;
        foreach (var each in Workers())
        {
            using (each)
            {
                try { each.Kill(); }
                catch (InvalidOperationException) { continue; } // it ended meanwhile
                each.WaitForExit();
            }
        }
    }

    // By their command line, "domainssl worker … --data FOLDER": one whose site was killed is nobody's child that we would know of.
    private List<Process> Workers()
    {
        var found = new List<Process>();
        foreach (var folder in Directory.Exists("/proc/self") ? Directory.EnumerateDirectories("/proc") : [])
        {
            if (!int.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out var id)) continue;
            try
            {
                var words = File.ReadAllText(Path.Combine(folder, "cmdline")).Split('\0');
                if (words.Contains("worker") && words.Contains(Data)) found.Add(Process.GetProcessById(id));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException) { } // it ended meanwhile
        }
        return found;
    }

    /// <inheritdoc />
    public ValueTask DisposeAsync()
    {
        Kill();
        _process.Dispose();
        return ValueTask.CompletedTask;
    }

    private void Note(string? line)
    {
        if (line is not null) lock (_said) _said.AppendLine(line);
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
