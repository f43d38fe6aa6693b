using System.CommandLine;
using System.Text.Json.Nodes;
using DomainSsl.Core;
using DomainSsl.Core.Audit;
using DomainSsl.Core.Language;
using DomainSsl.Core.Models;
using DomainSsl.Worker;
using Spectre.Console;

namespace DomainSsl.Web.Commands;

/// <summary><c>models list · show · promote · retire · rollback · import · export</c>: the registry.</summary>
internal static class ModelsCommand
{
    public static Command Create(CommandContext context)
    {
        var command = new Command("models", "The registry: every encoder and classifier with its lineage and state.");
        var model = new Argument<string>("M") { Description = "A model, by id or name." };
        command.Add(context.Runs(new Command("list", "All models."), async run => Show(run, await (await RegistryAsync(run)).ListAsync(cancel: run.Cancel))));
        command.Add(context.Runs(new Command("show", "A model with its lineage.") { model }, async run => Show(run, await (await RegistryAsync(run)).ShowAsync(run.Need(model), run.Cancel))));
        command.Add(context.Runs(new Command("promote", "Puts a model in use, in the place of the one that was.") { model }, async run =>
        {
            var registry = await RegistryAsync(run);
            await registry.PromoteAsync(run.Need(model), run.Who, run.Cancel);
            return Show(run, [await registry.GetAsync(run.Need(model), run.Cancel)]);
        }));
        command.Add(context.Runs(new Command("retire", "Takes a model out of use; it is kept.") { model }, async run =>
        {
            var registry = await RegistryAsync(run);
            await registry.RetireAsync(run.Need(model), run.Who, run.Cancel);
            return Show(run, [await registry.GetAsync(run.Need(model), run.Cancel)]);
        }));
        var task = new Argument<string>("TASK") { Description = $"A task, by name or number, or one of {string.Join(", ", ModelRegistry.Places.Select(p => $"'{p}'"))}." };
        command.Add(context.Runs(new Command("rollback", "Puts back in use what the model in use had replaced.") { task }, async run =>
            Show(run, [await (await RegistryAsync(run)).RollbackAsync(run.Need(task), run.Who, run.Cancel)])));
        command.Add(Import(context));
        command.Add(Export(context, model));
        return command;
    }

    private static Command Import(CommandContext context)
    {
        var file = new Argument<string>("FILE.safetensors") { Description = "Weights of an encoder." };
        var architecture = new Option<string>("--as") { Description = $"What they are weights of: {string.Join(", ", EncoderImport.Architectures)}.", HelpName = "ARCH", Required = true };
        var name = new Option<string?>("--name") { Description = "The name of the encoder." };
        return context.Runs(new Command("import", "Takes in an encoder's weights.") { file, architecture, name }, async run =>
        {
            var services = await RunCommands.ServicesAsync(run);
            var (model, match) = await services.GetRequiredService<EncoderImport>().ImportAsync(run.Need(file), run.Need(architecture), run.Get(name), run.Who, run.Cancel);
            run.Output.Result(new { Model = model.Id, Imported = match }, console =>
                console.WriteLine($"{model.Name} ({model.Id}): {match.Matched} tensors matched{(match.Unexpected.Count > 0 ? $", {match.Unexpected.Count} were not needed" : "")}."));
            return CommandLine.Done;
        });
    }

    private static Command Export(CommandContext context, Argument<string> model)
    {
        var format = new Option<string>("--format") { Description = "safetensors; onnx comes with part D.", DefaultValueFactory = _ => "safetensors" };
        format.AcceptOnlyFromAmong("safetensors", "onnx");
        var output = new Option<string>("--out") { Description = "The file; for a classifier, a transcriber or an n-gram model a folder.", HelpName = "FILE", Required = true };
        return context.Runs(new Command("export", "Writes a model's weights.") { model, format, output }, async run =>
        {
            if (run.Get(format) == "onnx") throw new RefusedException("later", "Writing ONNX comes with part D; use --format safetensors.");
            var services = await RunCommands.ServicesAsync(run);
            var (exported, files) = (await RunCommands.ModelAsync(run, run.Need(model)), services.GetRequiredService<ModelFiles>());
            var to = Path.GetFullPath(run.Need(output));
            if (exported.Kind == ModelKind.Encoder)
            {
                Directory.CreateDirectory(Path.GetDirectoryName(to)!);
                File.Copy(files.EncoderWeights(exported), to, overwrite: true);
            }
            else if (exported.Kind == ModelKind.Language)
            {
                // What an n-gram model counted are the words of the clinic's own text.
                run.Output.Note($"{exported.Name} knows words of the text that it has learnt from; guard the copy as you guard that text.");
                files.ExportLanguage(exported, to);
            }
            else
            {
                Directory.CreateDirectory(to);
                var from = exported.Kind == ModelKind.Transcriber ? files.TranscriberFolder(exported) : files.ClassifierFolder(exported);
                foreach (var file in Directory.EnumerateFiles(from)) File.Copy(file, Path.Combine(to, Path.GetFileName(file)), overwrite: true);
            }
            await services.GetRequiredService<AuditLog>().RecordAsync(run.Who, "exported", $"model {exported.Id}", "safetensors", run.Cancel);
            run.Output.Result(new { Model = exported.Id, Out = to }, console => console.WriteLine($"{exported.Name} is in {to}."));
            return CommandLine.Done;
        });
    }

    private static async Task<ModelRegistry> RegistryAsync(CommandRun run) => (await RunCommands.ServicesAsync(run)).GetRequiredService<ModelRegistry>();

    private static object Line(Model m) => new
    {
        m.Id, m.Name, m.Kind, State = StateWord(m.State), m.Steps, Parent = m.ParentId, Run = m.RunId, Metrics = JsonNode.Parse(m.Metrics), m.Recipe, m.TaskId, m.Seed, m.DataHash, m.CodeVersion, m.WeightsHash,
        m.CreatedAt, m.By,
    };

    private static string StateWord(ModelState state) => state switch { ModelState.InUse => "in use", ModelState.Retired => "retired", _ => "candidate" };

    private static int Show(CommandRun run, IReadOnlyList<Model> models)
    {
        run.Output.Result(new { Models = models.Select(Line) }, console =>
        {
            var table = CommandOutput.Table("Id", "Name", "Kind", "State", "Steps", "From", "Made");
            foreach (var m in models) CommandOutput.Row(table, m.Id, m.Name, m.Kind.ToString().ToLowerInvariant(), StateWord(m.State), $"{m.Steps:#,0}", m.ParentId, $"{m.CreatedAt:yyyy-MM-dd HH:mm}");
            console.Write(table);
        });
        return CommandLine.Done;
    }

    private static int Show(CommandRun run, ModelDetails details)
    {
        var m = details.Model;
        run.Output.Result(new
        {
            Models = new[] { Line(m) }, Task = details.TaskName, Lineage = details.Ancestors.Select(a => a.Id), Children = details.Children.Select(c => c.Id),
            Changes = details.Changes.Select(c => new { c.At, c.By, State = StateWord(c.State), c.Reason }), Recipe = JsonNode.Parse(m.RecipeJson), Architecture = JsonNode.Parse(m.Architecture),
        }, console =>
        {
            console.MarkupLineInterpolated($"[bold]{m.Name}[/] ({m.Id}), {m.Kind.ToString().ToLowerInvariant()}, {StateWord(m.State)}");
            if (details.TaskName is { } task) console.WriteLine($"Answers: {task}");
            console.WriteLine($"Made by {m.By}, {m.CreatedAt:yyyy-MM-dd HH:mm} UTC, program {m.CodeVersion}, recipe {m.Recipe}, {m.Steps:#,0} steps, seed {m.Seed}");
            console.WriteLine($"From: {(details.Ancestors.Count == 0 ? "nothing" : string.Join(" ← ", details.Ancestors.Select(a => $"{a.Name} ({a.Id})")))}");
            if (m.DataHash.Length > 0) console.WriteLine($"Data: {m.DataHash}");
            foreach (var change in details.Changes) console.WriteLine($"  {change.At:yyyy-MM-dd HH:mm} {change.Reason}, by {change.By}");
        });
        return CommandLine.Done;
    }
}
