using System.CommandLine;
using System.Text.Json;
using DomainSsl.Core;
using DomainSsl.Core.Collections;
using DomainSsl.Core.Runs;
using DomainSsl.Core.Tasks;
using DomainSsl.Core.Transcripts;
using DomainSsl.Worker;
using Microsoft.EntityFrameworkCore;
using Spectre.Console;

namespace DomainSsl.Web.Commands;

/// <summary>
/// <c>finetune --labels CSV --encoder MODEL|scratch</c>: a classifier from a table of labels, which become those of a task with its test patients locked; or a transcriber from a table of transcripts.
/// </summary>
internal static class FineTuneCommand
{
    public static Command Create(CommandContext context)
    {
        var labels = new Option<string>("--labels") { Description = "A CSV of images or recordings with the columns file,label and, if wanted, patient or speaker; for a transcriber file,text and, if wanted, speaker.", HelpName = "CSV", Required = true };
        var encoder = new Option<string>("--encoder") { Description = "The encoder to begin from, or scratch.", HelpName = "MODEL", Required = true };
        var mode = new Option<string>("--mode") { Description = "probe, full, or best: both, chosen within the training labels.", DefaultValueFactory = _ => "best" };
        mode.AcceptOnlyFromAmong("probe", "full", "best");
        var task = new Option<string?>("--task") { Description = "The task whose labels these are; made if it is not there. Without it one is made, named like the CSV.", HelpName = "NAME" };
        var name = new Option<string?>("--name") { Description = "The name of the model to be made." };
        var seed = new Option<long>("--seed") { Description = "Seed of everything random.", HelpName = "S", DefaultValueFactory = _ => 1 };
        var set = new Option<string[]>("--set") { Description = "Changes a setting of the training, e.g. steps=1000 of a transcriber, stepShare=0.5 of a classifier; may be given several times.", HelpName = "path=value" };
        var here = RunCommands.Here();
        var command = new Command("finetune", "Trains a classifier on a table of labels, or a transcriber on a table of transcripts.") { labels, encoder, mode, task, name, seed, set, here };
        return context.Runs(command, async run =>
        {
            var spoken = LabelTables.IsSpoken(run.Need(labels));
            if (spoken && run.Get(task) is not null) throw new UsageException("--task is for a classifier, and this is a table of transcripts; leave it out.");
            var settings = spoken ? SpeechSettings.Resolve(run.Get(set)) : SpeechSettings.ResolveClassifier(run.Get(set));
            var services = await RunCommands.ServicesAsync(run);
            var start = run.Need(encoder) == "scratch" ? null : await RunCommands.ModelAsync(run, run.Need(encoder));
            if (start is null && run.Get(mode) == "probe") throw new UsageException("A probe needs a pretrained encoder; from scratch use --mode full or best.");
            var table = await LabelTables.ReadAsync(run, run.Need(labels));
            if (spoken)
                return await TranscriberAsync(run, table, start, run.Get(name) ?? $"{Path.GetFileNameWithoutExtension(run.Need(labels))} on {start?.Name ?? "scratch"}", run.Get(seed), settings, run.Get(here));
            var classes = LabelTables.Classes(table.Rows);
            var target = await TaskAsync(run, services, run.Get(task), Path.GetFileNameWithoutExtension(run.Need(labels)), table, classes, start?.Id);
            await services.GetRequiredService<TaskService>().ImportLabelsAsync(target.Id, [.. table.Rows.Select(r => new GivenLabel(r.Found.Item, r.Class))], run.Who, run.Cancel);

            var labelled = LabelTables.WithPatients([table])[0];
            var (order, test) = await ClassesAndTestPatientsAsync(run, target.Id, table, labelled);
            var request = new FineTuneRequest(target.Id, labelled, order, start?.Id ?? "scratch", run.Get(mode)!, Compare: false, test, run.Get(name) ?? $"{target.Name} on {start?.Name ?? "scratch"}",
                run.Get(seed), PredictRest: false, settings);
            var ended = await RunCommands.CarryOutAsync(run, request, $"Training {target.Name}", run.Get(here), target.Id);
            var result = JsonSerializer.Deserialize<FineTuneRun.Result>(ended.Summary!, RunContext.Json)!;
            run.Output.Result(new { result.Model, result.Run, Task = target.Name, result.Metrics, result.CrossValidated, result.Chosen, result.Verdict, table.Refused }, console =>
            {
                console.MarkupLineInterpolated($"[bold]{request.ModelName}[/] ({result.Model}), answered by {result.Chosen.Mode}. {result.Verdict}");
                foreach (var (key, figure) in result.Metrics) console.WriteLine($"  {key} {figure}");
            });
            return table.Refused.Count > 0 ? CommandLine.SomeRefused : CommandLine.Done;
        });
    }

    private static async Task<int> TranscriberAsync(CommandRun run, LabelTable table, Core.Models.Model? encoder, string name, long seed, string? settings, bool here)
    {
        var heard = await (await RunCommands.ServicesAsync(run)).GetRequiredService<ClinicGlossary>().HeardAsync(null, null, run.Cancel);
        var request = new FineTuneSpeechRequest(LabelTables.WithSpeakers([table])[0], encoder?.Id ?? "scratch", name, seed, settings, Language: heard);
        var ended = await RunCommands.CarryOutAsync(run, request, $"Training {name}", here);
        var result = JsonSerializer.Deserialize<FineTuneSpeechRun.Result>(ended.Summary!, RunContext.Json)!;
        run.Output.Result(new { result.Model, result.Run, result.Metrics, result.Chosen, result.Minutes, result.LeftOut, table.Refused }, console =>
        {
            console.MarkupLineInterpolated($"[bold]{name}[/] ({result.Model}): {result.Chosen.Steps:#,0} steps on {result.Minutes:0.0} minutes of transcribed speech.");
            foreach (var (key, figure) in result.Metrics) console.WriteLine($"  {key} {figure}");
            if (result.Metrics.Count > 0) console.WriteLine($"On {result.Chosen.HeldOutSpeakers:#,0} speakers held out of the table, by whom the number of steps was chosen; 'evaluate' measures on others.");
            if (result.LeftOut > 0) console.WriteLine($"{result.LeftOut:#,0} rows were left out: without words, too long, or with more letters than their sound has room for.");
        });
        return table.Refused.Count > 0 ? CommandLine.SomeRefused : CommandLine.Done;
    }

    private static async Task<LabelTask> TaskAsync(CommandRun run, IServiceProvider services, string? name, string fallback, LabelTable table, IReadOnlyList<string> classes, string? encoder)
    {
        await using var db = await RunCommands.DatabaseAsync(run);
        if (name is not null && await db.Tasks.AsNoTracking().SingleOrDefaultAsync(t => t.Name == name, run.Cancel) is { } there)
        {
            var own = (await db.CollectionItems.Where(i => i.CollectionId == there.CollectionId).Select(i => i.ItemId).ToListAsync(run.Cancel)).ToHashSet();
            var others = table.Rows.Where(r => !own.Contains(r.Found.Item)).ToList();
            if (others.Count == 0) return there;
            throw new RefusedException("item-not-in-task", $"The task '{name}' is about a collection in which {others.Count:#,0} of the {table.Rows.Count:#,0} rows are not, such as {others[0].File}; leave out --task or name a new task, or leave out these rows.");
        }
        name ??= await FreeAsync(n => db.Tasks.AnyAsync(t => t.Name == n, run.Cancel), fallback);
        var collectionName = await FreeAsync(n => db.Collections.AnyAsync(c => c.Name == n, run.Cancel), $"{name} (labelled)");
        var collection = await services.GetRequiredService<CollectionService>().CreateAsync(collectionName, [.. table.Rows.Select(r => r.Found.Item)], run.Who, run.Cancel);
        return await services.GetRequiredService<TaskService>().CreateAsync(name, name, classes, collection.Id, run.Who, encoder, run.Cancel);
    }

    private static async Task<string> FreeAsync(Func<string, Task<bool>> taken, string name)
    {
        if (!await taken(name)) return name;
        for (var i = 2; ; i++) if (!await taken($"{name} {i}")) return $"{name} {i}";
    }

    private static async Task<(IReadOnlyList<string> Classes, IReadOnlyList<string> Test)> ClassesAndTestPatientsAsync(CommandRun run, long taskId, LabelTable table, IReadOnlyList<LabelledItem> labelled)
    {
        await using var db = await RunCommands.DatabaseAsync(run);
        var classes = await db.TaskClasses.Where(c => c.TaskId == taskId).OrderBy(c => c.Position).Select(c => c.Name).ToListAsync(run.Cancel);
        var locked = await db.TaskTestPatients.Where(t => t.TaskId == taskId).Select(t => t.PatientId).ToListAsync(run.Cancel);
        var test = table.Rows.Zip(labelled).Where(r => r.First.Found.PatientId is { } p && locked.Contains(p)).Select(r => r.Second.Patient).Distinct().Order(StringComparer.Ordinal).ToList();
        return (classes, test);
    }
}
