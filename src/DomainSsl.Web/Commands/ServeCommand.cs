using System.CommandLine;

namespace DomainSsl.Web.Commands;

/// <summary><c>serve</c>: the site. No command at all means this one.</summary>
internal static class ServeCommand
{
    public static Command Create(CommandContext context)
    {
        var urls = new Option<string>("--urls") { Description = "Where the site answers.", DefaultValueFactory = _ => "http://127.0.0.1:5080" };
        var command = new Command("serve", "Serves the site; no command at all means this one.") { urls };
        return context.Runs(command, async run =>
        {
            var builder = WebApplication.CreateBuilder();
            builder.WebHost.UseUrls(run.Get(urls)!);
            await using var app = builder.Build();
            await app.RunAsync(run.Cancel);
            return CommandLine.Done;
        });
    }
}
