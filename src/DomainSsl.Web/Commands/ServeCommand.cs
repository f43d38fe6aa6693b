using System.CommandLine;
using DomainSsl.Core;
using DomainSsl.Core.People;
using DomainSsl.Core.Runs;
using DomainSsl.Core.Storage;
using DomainSsl.Web.Security;

namespace DomainSsl.Web.Commands;

/// <summary><c>serve</c>: the site. No command at all means this one.</summary>
internal static class ServeCommand
{
    public static Command Create(CommandContext context)
    {
        var demo = new Option<bool>("--demo") { Description = "With the sample data, its models, and three accounts to try." };
        var urls = new Option<string>("--urls") { Description = "Where the site answers; several with semicolons.", HelpName = "U", DefaultValueFactory = _ => SiteHost.DefaultUrls };
        var command = new Command("serve", "Serves the site; no command at all means this one.") { demo, urls };
        return context.Runs(command, run => ServeAsync(run, run.Get(demo), run.Get(urls)!));
    }

    private static async Task<int> ServeAsync(CommandRun run, bool demo, string urls)
    {
        var folder = new DataFolder(run.DataPath);
        // One site a data folder: the system lets go of the lock when the process ends, however it ends.
        using var serving = InstanceLock.TryTake(InstanceLock.Serve(folder))
            ?? throw new RefusedException("already-served", $"Another site serves {folder.Root} already. Stop it, or name another folder with --data.");
        await using var app = await SiteHost.BuildAsync(new SiteRequest(folder.Root, urls, run.Output.Verbose, WithWorker: true), cancel: run.Cancel);
        var accounts = demo ? await DemoAccounts.EnsureAsync(app.Services.GetRequiredService<Accounts>(), folder, run.Cancel) : [];
        try { await app.StartAsync(run.Cancel); }
        catch (IOException e) when (e.InnerException is Microsoft.AspNetCore.Connections.AddressInUseException)
        {
            throw new RefusedException("address-in-use", $"Another program answers on {urls} already. Stop it, or choose another address with --urls.");
        }
        await SayWhereAsync(app, accounts);
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(run.Cancel, app.Lifetime.ApplicationStopping);
        var demonstration = demo ? new Demonstration(app.Services, Console.Out).RunAsync(stopping.Token) : Task.CompletedTask;
        await app.WaitForShutdownAsync(run.Cancel);
        await demonstration;
        return CommandLine.Done;
    }

    private static async Task SayWhereAsync(WebApplication app, IReadOnlyList<DemoAccount> accounts)
    {
        var first = app.Services.GetRequiredService<FirstStart>();
        var addresses = app.Urls.ToArray();
        Console.WriteLine();
        foreach (var address in addresses) Console.WriteLine($"  DomainSsl answers on {address}{(IsLoopback(address) ? " (this machine only)" : "")}");
        if (accounts.Count > 0)
        {
            Console.WriteLine("  Sign in as");
            foreach (var account in accounts) Console.WriteLine($"    {account.Name,-10} password {account.Password}");
        }
        else if (await first.IsPendingAsync())
        {
            Console.WriteLine("  Nobody has an account yet: open the address and make the first administrator.");
            Console.WriteLine($"  From another machine this needs the code {first.Code}.");
        }
        else Console.WriteLine("  Sign in with your name and password; an administrator can add people and reset passwords (domainssl users).");
        Console.WriteLine("  Ctrl-C stops it.");
        Console.WriteLine();
    }

    private static bool IsLoopback(string address) => Uri.TryCreate(address, UriKind.Absolute, out var uri) && uri.IsLoopback;
}
