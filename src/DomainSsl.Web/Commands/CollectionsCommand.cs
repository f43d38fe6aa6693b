using System.CommandLine;
using DomainSsl.Core.Collections;
using DomainSsl.Core.Library;
using Spectre.Console;

namespace DomainSsl.Web.Commands;

/// <summary><c>collections list | create NAME [--where EXPR] | show NAME | freeze NAME | delete NAME</c>.</summary>
internal static class CollectionsCommand
{
    public static Command Create(CommandContext context)
    {
        var command = new Command("collections", "Named sets of items; a frozen one never changes and has a hash.")
        {
            context.Runs(new Command("list", "All collections."), async run => Show(run, await (await Service(run)).ListAsync(run.Cancel))),
            Named("show", "One collection.", (service, run, name) => service.FindAsync(name, run.Cancel)),
            Named("freeze", "Freezes a collection: from then on it never changes.", (service, run, name) => service.FreezeAsync(name, run.Who, run.Cancel)),
            CreateOne(),
            Delete(),
        };
        return command;

        Command Named(string verb, string about, Func<CollectionService, CommandRun, string, Task<Collection>> deed)
        {
            var name = new Argument<string>("NAME");
            return context.Runs(new Command(verb, about) { name }, async run => Show(run, [await deed(await Service(run), run, run.Need(name))]));
        }

        Command CreateOne()
        {
            var name = new Argument<string>("NAME");
            var where = new Option<string>("--where")
            {
                Description = "Which items: words and modality:CR from:2020-01-01 to:2020-12-31 in:\"NAME\" kind:image|sound (default: all).", HelpName = "EXPR", DefaultValueFactory = _ => "",
            };
            return context.Runs(new Command("create", "Makes a collection of all items that fit.") { name, where }, async run =>
                Show(run, [await (await Service(run)).CreateAsync(run.Need(name), LibraryFilter.Parse(run.Get(where)), run.Who, run.Cancel)]));
        }

        Command Delete()
        {
            var name = new Argument<string>("NAME");
            return context.Runs(new Command("delete", "Takes a collection away unless something stands on it; its items stay.") { name }, async run =>
            {
                var service = await Service(run);
                var collection = await service.FindAsync(run.Need(name), run.Cancel);
                await service.DeleteAsync(run.Need(name), run.Who, run.Cancel);
                return Show(run, [collection]);
            });
        }
    }

    private static Task<CollectionService> Service(CommandRun run) => run.ServiceAsync<CollectionService>();

    private static int Show(CommandRun run, IReadOnlyList<Collection> collections)
    {
        run.Output.Result(new { Collections = collections.Select(c => new { c.Name, c.Items, c.Patients, c.Hash, Frozen = c.FrozenAt is not null, c.Filter }) }, console =>
        {
            var table = CommandOutput.Table("Collection", "Items", "Patients", "Frozen", "Hash");
            foreach (var c in collections) CommandOutput.Row(table, c.Name, $"{c.Items:#,0}", $"{c.Patients:#,0}", c.FrozenAt is { } at ? $"{at:yyyy-MM-dd}" : "no", c.Hash?[..12] ?? "");
            console.Write(table);
        });
        return CommandLine.Done;
    }
}
