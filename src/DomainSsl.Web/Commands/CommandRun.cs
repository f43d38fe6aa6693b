using System.CommandLine;
using DomainSsl.Core;
using DomainSsl.Core.Database;
using DomainSsl.Core.Storage;
using Microsoft.EntityFrameworkCore;

namespace DomainSsl.Web.Commands;

/// <summary>One command under way: its arguments, its output, and, once asked for, the data folder and the services on it.</summary>
internal sealed class CommandRun(ParseResult arguments, CommandOutput output, string? data, CancellationToken cancel) : IAsyncDisposable
{
    private ServiceProvider? _services;
    private IConfiguration? _configuration;

    /// <summary>Where results, progress and errors go.</summary>
    public CommandOutput Output { get; } = output;

    /// <summary>Set by Ctrl-C and by a polite end of the process.</summary>
    public CancellationToken Cancel { get; } = cancel;

    /// <summary>Who acts, as the audit log has it: <c>cli:NAME</c>.</summary>
    public string Who { get; } = "cli:" + Environment.UserName;

    /// <summary><c>appsettings.json</c> beside the program, overridden by environment variables (<c>Storage__Root</c>).</summary>
    public IConfiguration Configuration => _configuration ??= new ConfigurationBuilder()
        .AddJsonFile(Path.Combine(AppContext.BaseDirectory, "appsettings.json"), optional: true).AddEnvironmentVariables().Build();

    /// <summary>The path of the data folder; nothing is made there by asking.</summary>
    public string DataPath => Path.GetFullPath(First(data, Environment.GetEnvironmentVariable("DOMAINSSL_DATA"), Configuration["Storage:Root"]) ?? "data");

    /// <summary>An option's value, or its default.</summary>
    public T? Get<T>(Option<T> option) => arguments.GetValue(option);

    /// <summary>An argument's value, or its default.</summary>
    public T? Get<T>(Argument<T> argument) => arguments.GetValue(argument);

    /// <summary>A required argument's value.</summary>
    public T Need<T>(Argument<T> argument) => arguments.GetRequiredValue(argument);

    /// <summary>A required option's value.</summary>
    public T Need<T>(Option<T> option) => arguments.GetRequiredValue(option);

    /// <summary>Core's services on the data folder, its database brought up to date; made at the first call.</summary>
    /// <param name="add">Further services, e.g. the worker's.</param>
    public async Task<IServiceProvider> ServicesAsync(Action<IServiceCollection>? add = null)
    {
        if (_services is not null) return _services;
        var services = new ServiceCollection();
        services.AddSingleton(Configuration);
        services.AddLogging(log =>
        {
            log.AddSimpleConsole(o => o.SingleLine = true);
            log.Services.Configure<Microsoft.Extensions.Logging.Console.ConsoleLoggerOptions>(o => o.LogToStandardErrorThreshold = LogLevel.Trace);
            log.SetMinimumLevel(Output.Verbose ? LogLevel.Information : LogLevel.Warning);
            // A conflict between two importers is met by trying again, not by a line that looks like a fault.
            if (!Output.Verbose) log.AddFilter("Microsoft.EntityFrameworkCore", LogLevel.None);
        });
        services.AddDomainSslCore(new DataFolder(DataPath));
        add?.Invoke(services);
        _services = services.BuildServiceProvider();
        await DatabaseSetup.MigrateAsync(_services.GetRequiredService<IDbContextFactory<DomainSslContext>>(), Cancel);
        return _services;
    }

    /// <summary>One service of <see cref="ServicesAsync"/>.</summary>
    public async Task<T> ServiceAsync<T>() where T : notnull => (await ServicesAsync()).GetRequiredService<T>();

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        if (_services is not null) await _services.DisposeAsync();
    }

    private static string? First(params string?[] values) => values.FirstOrDefault(v => !string.IsNullOrWhiteSpace(v));
}
