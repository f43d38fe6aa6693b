using System.CommandLine;
using System.Text.Json;
using DomainSsl.Core.Collections;
using DomainSsl.Core.Runs;
using DomainSsl.Core.Storage;
using DomainSsl.Worker;
using Spectre.Console;

namespace DomainSsl.Web.Commands;

/// <summary><c>embed MODEL --collection C --out FILE.npy</c>.</summary>
internal static class EmbedCommand
{
    private sealed record Size(int Items, int Dimensions);

    public static Command Create(CommandContext context)
    {
        var model = new Argument<string>("MODEL") { Description = "An encoder or classifier, by id or name." };
        var collection = new Option<string>("--collection") { Description = "The collection whose images or recordings are embedded.", HelpName = "C", Required = true };
        var output = new Option<string>("--out") { Description = "The numpy file; the item of each row goes into a CSV beside it.", HelpName = "FILE.npy", Required = true };
        var here = RunCommands.Here();
        var command = new Command("embed", "Writes the features of a collection's images or recordings.") { model, collection, output, here };
        return context.Runs(command, async run =>
        {
            var services = await RunCommands.ServicesAsync(run);
            var embedding = await RunCommands.ModelAsync(run, run.Need(model));
            var chosen = await services.GetRequiredService<CollectionService>().FindAsync(run.Need(collection), run.Cancel);
            var ended = await RunCommands.CarryOutAsync(run, new EmbedRequest(embedding.Id, chosen.Id, null), $"Embedding {chosen.Name}", run.Get(here));
            var folder = services.GetRequiredService<DataFolder>().Run(ended.Id);
            var to = Path.GetFullPath(run.Need(output));
            Directory.CreateDirectory(Path.GetDirectoryName(to)!);
            File.Copy(Path.Combine(folder, EmbedRun.FeaturesFile), to, overwrite: true);
            File.Copy(Path.Combine(folder, EmbedRun.ItemsFile), Path.ChangeExtension(to, ".csv"), overwrite: true);
            var size = JsonSerializer.Deserialize<Size>(ended.Summary!, RunContext.Json)!;
            run.Output.Result(size, console => console.WriteLine($"{size.Items:#,0} items, {size.Dimensions} values each, in {to}."));
            return CommandLine.Done;
        });
    }
}
