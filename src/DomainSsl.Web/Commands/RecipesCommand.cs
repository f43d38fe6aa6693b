using System.CommandLine;
using System.Text.Json.Nodes;
using DomainSsl.Core;
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
            run.Output.Result(new { Recipes = Recipes.All.Select(r => new { r.Name, r.Modality, Objective = r.Objective.Title, Encoder = r.Encoder.ToString(), r.Encoder.Resolution, r.About.For, r.About.Duration }) }, console =>
            {
                var table = CommandOutput.Table("Recipe", "Objective", "Encoder", "Input", "For");
                foreach (var r in Recipes.All) CommandOutput.Row(table, r.Name, r.Objective.Title, r.Encoder.ToString(), r.Modality == Modalities.Sound ? "sound" : $"{r.Encoder.Resolution} pixels", r.About.For);
                console.Write(table);
            });
            return Task.FromResult(CommandLine.Done);
        }));
        var name = new Argument<string>("NAME") { Description = "A recipe's name, or a JSON file." };
        command.Add(context.Runs(new Command("show", "A recipe, whole.") { name }, run =>
        {
            string json;
            try { json = Recipes.Find(run.Need(name)).ToJson(); }
            catch (LearningException e) { throw new RefusedException("recipe", e.Message); }
            run.Output.Result(JsonNode.Parse(json)!, console => console.WriteLine(JsonNode.Parse(json)!.ToJsonString(new() { WriteIndented = true })));
            return Task.FromResult(CommandLine.Done);
        }));
        return command;
    }
}
