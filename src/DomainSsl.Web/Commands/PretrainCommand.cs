using System.CommandLine;
using System.Text.Json;
using DomainSsl.Audio.Recognising;
using DomainSsl.Core;
using DomainSsl.Core.Collections;
using DomainSsl.Core.Library;
using DomainSsl.Core.Runs;
using DomainSsl.Learning;
using DomainSsl.Learning.Encoders;
using DomainSsl.Learning.Training;
using DomainSsl.Worker;
using Microsoft.EntityFrameworkCore;
using Spectre.Console;

namespace DomainSsl.Web.Commands;

/// <summary><c>pretrain COLLECTION</c>: self-supervised pretraining.</summary>
internal static class PretrainCommand
{
    public static Command Create(CommandContext context)
    {
        var collection = new Argument<string>("COLLECTION") { Description = "A collection of images or of recordings, by name or id; it is frozen if it is not." };
        var recipe = new Option<string?>("--recipe") { Description = "A recipe's name, shipped or added in recipes/ of the data folder, or a JSON file. Without it: for images simclr, which continues the public encoder; for recordings hubert, which continues the spoken encoder.", HelpName = "R" };
        var minutes = new Option<double?>("--minutes") { Description = "Minutes of training at most.", HelpName = "M" };
        var steps = new Option<int?>("--steps") { Description = "Steps at most.", HelpName = "N" };
        var seed = new Option<long>("--seed") { Description = "Seed of everything random.", HelpName = "S", DefaultValueFactory = _ => 1 };
        var init = new Option<string?>("--init") { Description = "The encoder to begin from, or scratch.", HelpName = "MODEL" };
        var set = new Option<string[]>("--set") { Description = "Changes a value of the recipe, e.g. optimiser.rate=0.001; may be given several times.", HelpName = "path=value" };
        var name = new Option<string?>("--name") { Description = "The name of the encoder to be made." };
        var here = RunCommands.Here();
        var command = new Command("pretrain", "Lets an encoder learn a collection's images or recordings without labels.") { collection, recipe, minutes, steps, seed, init, set, name, here };
        return context.Runs(command, async run =>
        {
            if (run.Get(minutes) is not (null or > 0 and < double.PositiveInfinity)) throw new UsageException("--minutes must be a number above 0.");
            if (run.Get(steps) is <= 0) throw new UsageException("--steps must be above 0.");
            var services = await RunCommands.ServicesAsync(run);
            var collections = services.GetRequiredService<CollectionService>();
            var chosen = await collections.FindAsync(run.Need(collection), run.Cancel);
            var modality = await ModalityAsync(run, chosen);
            var resolved = Resolve(RecipesCommand.Find(run, run.Get(recipe) ?? (modality == Modalities.Sound ? RecipeCatalog.DefaultForSound : RecipeCatalog.Default)), run.Get(set) ?? []);
            if (resolved.Modality != modality)
                throw new RefusedException("other-kind", $"The recipe {resolved.Name} learns from {Words(resolved.Modality)}, but the collection '{chosen.Name}' holds {Words(modality)}; "
                    + $"choose one of {string.Join(", ", RecipesCommand.All(run).Where(r => r.Modality == modality).Select(r => r.Name))}.");
            if (resolved.Objective.NeedsDrafts && !Pocketsphinx.Installed) throw new RefusedException("no-recogniser", Pocketsphinx.Missing);
            var from = run.Get(init) is { } model && model != "scratch" ? (await RunCommands.ModelAsync(run, model)).Id : run.Get(init);
            chosen = await collections.FrozenForRunAsync(chosen.Id, run.Who, run.Cancel);

            var title = $"{resolved.Name} on {chosen.Name}";
            var request = new PretrainRequest(chosen.Id, resolved.ToJson(), run.Get(name) ?? title, run.Get(seed), run.Get(minutes) * 60, run.Get(steps), from);
            var ended = await RunCommands.CarryOutAsync(run, request, title, run.Get(here));
            var result = JsonSerializer.Deserialize<PretrainRun.Result>(ended.Summary!, RunContext.Json)!;
            run.Output.Result(result, console =>
            {
                console.MarkupLineInterpolated($"[bold]{request.ModelName}[/] ({result.Model}): {result.Steps:#,0} steps, {result.SamplesPerSecond:0} {(modality == Modalities.Sound ? "stretches of sound" : "images")} a second, {result.WaitingForData:0%} waiting for data, {result.PeakMemoryMb:#,0} MB at most.");
                console.WriteLine($"Health: {result.Health.State}. {string.Join(' ', result.Health.Findings)}".TrimEnd());
                foreach (var (key, value) in result.Metrics) console.WriteLine($"  {key} {value:0.000}");
            });
            return CommandLine.Done;
        });
    }

    private static Recipe Resolve(Recipe recipe, IEnumerable<string> changes)
    {
        try { return changes.Aggregate(recipe, (changed, change) => changed.With(change)); }
        catch (LearningException e) { throw new RefusedException("recipe", e.Message); }
    }

    private static async Task<string> ModalityAsync(CommandRun run, Collection collection)
    {
        await using var db = await RunCommands.DatabaseAsync(run);
        var items = db.CollectionItems.Where(c => c.CollectionId == collection.Id);
        if (!await items.AnyAsync(c => c.Item!.Kind == ItemKind.Sound, run.Cancel)) return Modalities.Image;
        if (!await items.AnyAsync(c => c.Item!.Kind == ItemKind.Image, run.Cancel)) return Modalities.Sound;
        throw new RefusedException("mixed", $"The collection '{collection.Name}' holds images and recordings, and an encoder learns from one kind; make a collection of each.");
    }

    private static string Words(string modality) => modality == Modalities.Sound ? "recordings" : "images";
}
