using System.CommandLine;
using DomainSsl.Core;
using DomainSsl.Core.Storage;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;

namespace DomainSsl.Web.Commands;

/// <summary>What all commands share: the global options, and how a command's work is run and its failure told.</summary>
internal sealed class CommandContext
{
    private readonly Option<string?> _data = new("--data")
    {
        Description = "The data folder (default: DOMAINSSL_DATA, else Storage:Root of appsettings.json, else ./data).", HelpName = "DIR", Recursive = true,
    };
    private readonly Option<bool> _json = new("--json") { Description = "One JSON document on standard output and nothing else there.", Recursive = true };
    private readonly Option<bool> _quiet = new("--quiet") { Description = "No progress.", Recursive = true };
    private readonly Option<bool> _verbose = new("--verbose") { Description = "More log, and stack traces of errors.", Recursive = true };

    /// <summary>Adds the options that every command takes.</summary>
    public void AddGlobalOptions(RootCommand root)
    {
        foreach (var option in (Option[])[_data, _json, _quiet, _verbose]) root.Add(option);
    }

    /// <summary>
    /// Gives a command its work. The work returns the exit code; <see cref="RefusedException"/> and <see cref="UsageException"/> become their sentence, a cancellation 130,
    /// anything else a sentence that asks for <c>--verbose</c>.
    /// </summary>
    public Command Runs(Command command, Func<CommandRun, Task<int>> work)
    {
        command.SetAction(async (ParseResult parsed, CancellationToken cancel) =>
        {
            var output = new CommandOutput(parsed.GetValue(_json), parsed.GetValue(_quiet), parsed.GetValue(_verbose));
            await using var run = new CommandRun(parsed, output, parsed.GetValue(_data), cancel);
            try { return await work(run); }
            catch (Exception e) { return Tell(output, e, cancel); }
        });
        return command;
    }

    /// <summary>Tells what is wrong with a command line that does not parse.</summary>
    public int Usage(ParseResult parsed)
    {
        // A broken command line may still say how it wants to be answered.
        bool json = parsed.GetResult(_json) is not null;
        var sentence = string.Join(" ", parsed.Errors.Select(e => e.Message.TrimEnd('.') + "."));
        var names = parsed.CommandResult.Command is RootCommand ? "" : parsed.CommandResult.Command.Name + " ";
        new CommandOutput(json, quiet: true, verbose: false).Error("usage", $"{sentence} See domainssl {names}--help.");
        return CommandLine.WrongUsage;
    }

    private static int Tell(CommandOutput output, Exception e, CancellationToken cancel)
    {
        var (code, sentence, exit) = e switch
        {
            UsageException u => ("usage", u.Message, CommandLine.WrongUsage),
            RefusedException r => (r.Refusal.Code, r.Refusal.Sentence, CommandLine.Failed),
            OperationCanceledException when cancel.IsCancellationRequested => ("cancelled", "Cancelled; what was done stays done.", CommandLine.Cancelled),
            UnauthorizedAccessException => ("no-access", $"{e.Message} Give this user the right to it, or name another folder with --data.", CommandLine.Failed),
            FileNotFoundException or DirectoryNotFoundException => ("not-found", $"{e.Message} Check the path.", CommandLine.Failed),
            _ when Disk.IsFull(e) => ("disk-full", "The disk is full; make room and do it again. What was stored before is kept.", CommandLine.Failed),
            IOException => ("io", $"Reading or writing failed: {e.Message}", CommandLine.Failed),
            SqliteException or DbUpdateException { InnerException: SqliteException } => ("database", $"The database refused: {(e.InnerException ?? e).Message} Run domainssl doctor.", CommandLine.Failed),
            _ => ("unexpected", $"Something went wrong inside the program: {e.GetType().Name}: {e.Message} Run it again with --verbose to see where.", CommandLine.Failed),
        };
        output.Error(code, sentence, exit is CommandLine.Failed && e is not RefusedException ? e : null);
        return exit;
    }
}

/// <summary>A command line that parses but makes no sense: told as its sentence, exit code 2.</summary>
internal sealed class UsageException(string sentence) : Exception(sentence);
