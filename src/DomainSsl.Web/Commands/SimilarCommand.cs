using System.CommandLine;
using System.Globalization;
using DomainSsl.Core;
using DomainSsl.Core.Library;
using DomainSsl.Core.Runs;
using DomainSsl.Core.Storage;
using DomainSsl.Worker;
using Microsoft.EntityFrameworkCore;

namespace DomainSsl.Web.Commands;

/// <summary><c>similar MODEL PATH|ITEM [-k 10]</c>: the images, or recordings, of the library whose features point most the same way.</summary>
internal static class SimilarCommand
{
    public static Command Create(CommandContext context)
    {
        var model = new Argument<string>("MODEL") { Description = "An encoder or classifier, by id or name." };
        var of = new Argument<string>("PATH|ITEM") { Description = "A scan or recording, or the number of an item." };
        var count = new Option<int>("-k") { Description = "How many.", DefaultValueFactory = _ => 10 };
        var here = RunCommands.Here();
        var command = new Command("similar", "Finds the images or recordings most like one.") { model, of, count, here };
        return context.Runs(command, async run =>
        {
            if (run.Get(count) < 1) throw new UsageException("-k must be at least 1.");
            var services = await RunCommands.ServicesAsync(run);
            var embedding = await RunCommands.ModelAsync(run, run.Need(model));
            var item = await ItemAsync(run, run.Need(of));
            var ended = await RunCommands.CarryOutAsync(run, new EmbedRequest(embedding.Id, null, null), "Embedding the library", run.Get(here));
            var features = EmbedRun.Read(services.GetRequiredService<DataFolder>().Run(ended.Id));
            var own = features.FirstOrDefault(f => f.Item == item).Features ?? throw new RefusedException("other-kind", $"{embedding.Name} takes the other of images and recordings; name one that it takes.");
            var nearest = new Neighbours(features).Of(own, run.Get(count), item);
            // What is stored has no name of its own (names may say who it is): what is shown is the file it lies in.
            await using var db = await RunCommands.DatabaseAsync(run);
            var ids = nearest.Select(n => n.Item).ToList();
            var blobs = await db.Items.Where(i => ids.Contains(i.Id)).Select(i => new { i.Id, BlobHash = i.Kind == ItemKind.Sound ? i.Recording!.BlobHash : i.Instance!.BlobHash }).ToDictionaryAsync(i => i.Id, i => i.BlobHash, run.Cancel);
            var neighbours = nearest.Select(n => new { n.Item, File = blobs[n.Item], Distance = Math.Round(n.Distance, 6) }).ToList();
            run.Output.Result(new { Item = item, Neighbours = neighbours }, console =>
            {
                var table = CommandOutput.Table("Item", "Distance", "File");
                foreach (var n in neighbours) CommandOutput.Row(table, $"{n.Item}", $"{n.Distance:0.000}", n.File);
                console.Write(table);
            });
            return CommandLine.Done;
        });
    }

    private static async Task<long> ItemAsync(CommandRun run, string pathOrItem)
    {
        if (File.Exists(pathOrItem))
        {
            var (found, refused) = await LabelTables.FindAsync(run, [Path.GetFullPath(pathOrItem)], kind: null);
            return found.Values.SelectMany(f => f).FirstOrDefault()?.Item ?? throw new RefusedException("no-image", refused.Count > 0 ? refused[0].Reason : $"{pathOrItem} holds no image and no sound.");
        }
        await using var db = await RunCommands.DatabaseAsync(run);
        if (long.TryParse(pathOrItem, NumberStyles.None, CultureInfo.InvariantCulture, out long id) && await db.Items.AnyAsync(i => i.Id == id, run.Cancel)) return id;
        throw new RefusedException("no-item", $"'{pathOrItem}' is neither a file nor the number of an item in the library.");
    }
}
