using System.CommandLine;
using DomainSsl.Core.People;
using Spectre.Console;

namespace DomainSsl.Web.Commands;

/// <summary><c>users</c>: who may sign in.</summary>
internal static class UsersCommand
{
    public static Command Create(CommandContext context)
    {
        var name = new Argument<string>("NAME") { Description = "What the person types to sign in." };
        var role = new Option<string>("--role") { Description = "admin, clinician or reviewer.", HelpName = "ROLE", Required = true };
        role.AcceptOnlyFromAmong("admin", "clinician", "reviewer");
        return new Command("users", "Who may sign in.")
        {
            context.Runs(new Command("list", "Everybody who has an account."), ListAsync),
            context.Runs(new Command("add", "Adds a person; a made password is shown once.") { name, role }, async run =>
                Made(run, run.Need(name), await (await run.ServiceAsync<Accounts>()).AddAsync(run.Need(name), run.Need(role), run.Who, run.Cancel))),
            context.Runs(new Command("reset-password", "Gives a person a new password, shown once.") { name }, async run =>
                Made(run, run.Need(name), await (await run.ServiceAsync<Accounts>()).ResetPasswordAsync(run.Need(name), run.Who, run.Cancel))),
            context.Runs(new Command("disable", "Bars a person from signing in.") { name }, async run =>
            {
                await (await run.ServiceAsync<Accounts>()).DisableAsync(run.Need(name), run.Who, run.Cancel);
                return await ListAsync(run);
            }),
            context.Runs(new Command("enable", "Lets a disabled person sign in again.") { name }, async run =>
            {
                await (await run.ServiceAsync<Accounts>()).EnableAsync(run.Need(name), run.Who, run.Cancel);
                return await ListAsync(run);
            }),
        };
    }

    private static async Task<int> ListAsync(CommandRun run)
    {
        var people = await (await run.ServiceAsync<Accounts>()).ListAsync(run.Cancel);
        run.Output.Result(new { users = people.Select(p => new { p.Name, Role = p.Role.ToLowerInvariant(), p.Disabled, p.LockedUntil, p.CreatedAt, p.LastSignInAt }) }, console =>
        {
            var table = CommandOutput.Table("Name", "Role", "State", "Last sign-in");
            foreach (var p in people)
                CommandOutput.Row(table, p.Name, p.Role.ToLowerInvariant(), p.Disabled ? "disabled" : p.LockedUntil is null ? "" : "locked", p.LastSignInAt?.ToLocalTime().ToString("yyyy-MM-dd HH:mm"));
            console.Write(table);
        });
        return CommandLine.Done;
    }

    private static int Made(CommandRun run, string name, string password)
    {
        run.Output.Result(new { users = new[] { new { name, password } } }, console =>
        {
            console.WriteLine($"Password of {name}: {password}");
            console.WriteLine("It is shown this once; at the first sign-in another must be chosen.");
        });
        return CommandLine.Done;
    }
}
