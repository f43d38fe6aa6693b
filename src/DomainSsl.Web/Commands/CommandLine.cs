using System.CommandLine;
using System.Runtime.InteropServices;

namespace DomainSsl.Web.Commands;

/// <summary>
/// The command line: one root, one file a command. Each command's <c>Create</c> builds its options and hands its work to <see cref="CommandContext.Runs"/>,
/// which gives it the data folder, the services and the output, and turns what is thrown into one sentence and an exit code.
/// </summary>
public static class CommandLine
{
    /// <summary>Exit code: done.</summary>
    public const int Done = 0;
    /// <summary>Exit code: failed.</summary>
    public const int Failed = 1;
    /// <summary>Exit code: wrong usage.</summary>
    public const int WrongUsage = 2;
    /// <summary>Exit code: done, but some inputs were refused.</summary>
    public const int SomeRefused = 3;
    /// <summary>Exit code: cancelled.</summary>
    public const int Cancelled = 130;

    /// <summary>All commands, in the order in which help lists them.</summary>
    private static readonly Func<CommandContext, Command>[] Commands =
    [
        ServeCommand.Create,
        ImportCommand.Create,
        CollectionsCommand.Create,
        InspectCommand.Create,
        DeidentifyCommand.Create,
        BackupCommand.Create,
        RestoreCommand.Create,
        DoctorCommand.Create,
        WorkerCommand.Create,
        RecipesCommand.Create,
        PretrainCommand.Create,
        FineTuneCommand.Create,
        EvaluateCommand.Create,
        LabelEfficiencyCommand.Create,
        PredictCommand.Create,
        TranscribeCommand.Create,
        TranscriptsCommand.Create,
        LanguageCommand.Create,
        EmbedCommand.Create,
        SimilarCommand.Create,
        ModelsCommand.Create,
        UsersCommand.Create,
    ];

    /// <summary>Parses and runs one command line; without a command the site is served.</summary>
    /// <returns>The process's exit code.</returns>
    public static async Task<int> RunAsync(IReadOnlyList<string> args)
    {
        var context = new CommandContext();
        var root = new RootCommand("DomainSsl: from a clinic's unlabelled scans and recordings to an encoder that knows them, and from that to classifiers with few labels.");
        context.AddGlobalOptions(root);
        foreach (var create in Commands) root.Add(create(context));

        // Ours instead of the library's: cancelling waits for the work to stop cleanly, however long its batch takes; a second Ctrl-C ends at once.
        using var cancel = new CancellationTokenSource();
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);

        // No response files: an argument that begins with @ is a name like any other.
        var parsed = root.Parse(WithCommand(root, args), new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (parsed.Errors.Count > 0) return context.Usage(parsed);
        return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null }, cancel.Token);

        void Stop(PosixSignalContext signal)
        {
            signal.Cancel = true;
            if (cancel.IsCancellationRequested) Environment.Exit(Cancelled);
            cancel.Cancel();
        }
    }

    private static IReadOnlyList<string> WithCommand(RootCommand root, IReadOnlyList<string> args)
    {
        bool asksForSomething = args.Any(a => a is "--help" or "-h" or "-?" or "--version" || a.StartsWith('[') || root.Subcommands.Any(c => c.Name == a));
        return asksForSomething || (args.Count > 0 && !args[0].StartsWith('-')) ? args : ["serve", .. args];
    }
}
