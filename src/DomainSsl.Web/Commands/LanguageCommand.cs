using System.CommandLine;
using System.Text.Json;
using DomainSsl.Core;
using DomainSsl.Core.Collections;
using DomainSsl.Core.Language;
using DomainSsl.Worker;
using Spectre.Console;

namespace DomainSsl.Web.Commands;

/// <summary><c>language train</c>: a language model from the clinic's own text.</summary>
internal static class LanguageCommand
{
    public static Command Create(CommandContext context) => new("language", "Language models, which learn how this clinic writes and dictates.") { Train(context) };

    private static Command Train(CommandContext context)
    {
        var kind = new Option<string>("--kind") { Description = "ngram: counts words and letters; causal: a small network that reads forwards (both help transcription); masked: one that points out words that do not fit.", Required = true };
        kind.AcceptOnlyFromAmong([.. LanguageKinds.All]);
        var text = new Option<string[]>("--text") { Description = "Text files to learn from: reports with blank lines between them, or a sentence a line.", HelpName = "FILE", AllowMultipleArgumentsPerToken = true };
        var transcripts = new Option<bool>("--transcripts") { Description = "Learn from the accepted transcripts of the library." };
        var collection = new Option<string?>("--collection") { Description = "With --transcripts: of this collection's recordings alone.", HelpName = "C" };
        var name = new Option<string?>("--name") { Description = "The name of the model to be made." };
        var minutes = new Option<double?>("--minutes") { Description = "Minutes of training at most; without these and steps, as long as suits the text.", HelpName = "M" };
        var steps = new Option<int?>("--steps") { Description = "Steps at most.", HelpName = "N" };
        var seed = new Option<long>("--seed") { Description = "Seed of everything random.", HelpName = "S", DefaultValueFactory = _ => 1 };
        var here = RunCommands.Here();
        return context.Runs(new Command("train", "Trains a language model and measures it on text that it has not seen.") { kind, text, transcripts, collection, name, minutes, steps, seed, here }, async run =>
        {
            if (run.Get(minutes) is not (null or > 0 and < double.PositiveInfinity)) throw new UsageException("--minutes must be a number above 0.");
            if (run.Get(steps) is <= 0) throw new UsageException("--steps must be above 0.");
            if (run.Get(collection) is not null && !run.Get(transcripts)) throw new UsageException("--collection says whose transcripts; give --transcripts too.");
            if (!run.Get(transcripts) && run.Get(text) is not { Length: > 0 }) throw new UsageException("There is nothing to learn from; give --text FILE, --transcripts, or both.");
            var services = await RunCommands.ServicesAsync(run);
            var texts = services.GetRequiredService<LanguageTexts>();
            var kept = new List<string>();
            foreach (var file in run.Get(text) ?? [])
            {
                if (!File.Exists(file)) throw new RefusedException("not-found", $"There is no file {file}; check the path.");
                kept.Add(texts.Keep(await File.ReadAllBytesAsync(file, run.Cancel)));
            }
            var of = run.Get(collection) is { } named ? (await services.GetRequiredService<CollectionService>().FindAsync(named, run.Cancel)).Id : (long?)null;
            var (request, title) = await texts.PrepareAsync(new LanguageAsk(run.Need(kind), run.Get(transcripts), of, kept, run.Get(name), run.Get(minutes), run.Get(steps), run.Get(seed)), run.Cancel);
            var ended = await RunCommands.CarryOutAsync(run, request, title, run.Get(here));
            var result = JsonSerializer.Deserialize<LanguageRun.Result>(ended.Summary!, RunContext.Json)!;
            run.Output.Result(result, console =>
            {
                console.MarkupLineInterpolated($"[bold]{request.ModelName}[/] ({result.Model})");
                console.WriteLine(result.Verdict);
            });
            return CommandLine.Done;
        });
    }
}
