using System.CommandLine;
using System.Text.Json.Nodes;
using DomainSsl.Core;
using DomainSsl.Core.Runs;
using DomainSsl.Learning;
using DomainSsl.Learning.Encoders;
using DomainSsl.Learning.Training;
using Spectre.Console;

namespace DomainSsl.Web.Commands;

/// <summary><c>recipes list · show NAME</c>.</summary>
internal static class RecipesCommand
{
    public static Command Create(CommandContext context)
    {
        var command = new Command("recipes", "The recipes of pretraining.");
        command.Add(context.Runs(new Command("list", "All recipes."), run =>
        {
            var recipes = All(run);
            run.Output.Result(new { Recipes = recipes.Select(r => new { r.Name, r.Modality, Objective = r.Objective.Title, Encoder = r.Encoder.ToString(), r.Encoder.Resolution, r.About.For, r.About.Duration }) }, console =>
            {
                var table = CommandOutput.Table("Recipe", "Objective", "Encoder", "Input", "For");
                foreach (var r in recipes) CommandOutput.Row(table, r.Name, r.Objective.Title, r.Encoder.ToString(), r.Modality == Modalities.Sound ? "sound" : $"{r.Encoder.Resolution} pixels", r.About.For);
                console.Write(table);
            });
            return Task.FromResult(CommandLine.Done);
        }));
        var name = new Argument<string>("NAME") { Description = "A recipe's name, shipped or added in recipes/ of the data folder, or a JSON file." };
        command.Add(context.Runs(new Command("show", "A recipe, whole.") { name }, run =>
        {
            var json = Find(run, run.Need(name)).ToJson();
            // Past the console, which breaks long lines: what is printed is the beginning of a recipe of one's own.
            run.Output.Result(JsonNode.Parse(json)!, console => console.Profile.Out.Writer.WriteLine(JsonNode.Parse(json)!.ToJsonString(new() { WriteIndented = true })));
            return Task.FromResult(CommandLine.Done);
        }));
        return command;
    }

    /// <summary>The recipes shipped and added, as the site has them. One that cannot be run is passed over with a word on it.</summary>
    public static IReadOnlyList<Recipe> All(CommandRun run)
    {
        var recipes = new List<Recipe>();
        foreach (var added in Catalog(run).All())
        {
            try { recipes.Add(Recipe.Parse(added.Json)); }
            catch (LearningException e) { run.Output.Note($"The recipe {added.Name} is passed over. {e.Message}"); }
        }
        return recipes;
    }

    /// <summary>The recipe of that name, in any case, shipped or added; or the one in a JSON file.</summary>
    /// <exception cref="RefusedException">There is none, or it cannot be run.</exception>
    public static Recipe Find(CommandRun run, string name)
    {
        var json = name.EndsWith(".json", StringComparison.OrdinalIgnoreCase) && File.Exists(name) ? File.ReadAllText(name) : Catalog(run).Get(name).Json;
        try { return Recipe.Parse(json); }
        catch (LearningException e) { throw new RefusedException("recipe", e.Message); }
    }

    private static RecipeCatalog Catalog(CommandRun run) => new(run.DataPath);
}
