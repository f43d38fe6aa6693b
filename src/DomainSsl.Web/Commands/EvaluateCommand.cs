using System.CommandLine;
using System.Text.Json;
using DomainSsl.Core.Library;
using DomainSsl.Core.Runs;
using DomainSsl.Core.Transcripts;
using DomainSsl.Learning.FineTuning;
using DomainSsl.Worker;
using Spectre.Console;

namespace DomainSsl.Web.Commands;

/// <summary><c>evaluate MODEL --labels CSV</c>.</summary>
internal static class EvaluateCommand
{
    public static Command Create(CommandContext context)
    {
        var model = new Argument<string>("MODEL") { Description = "A classifier or a transcriber, by id or name." };
        var labels = new Option<string>("--labels") { Description = "A CSV with the columns file,label, or file,text for a transcriber; rows of patients or speakers that the model was trained on are left out.", HelpName = "CSV", Required = true };
        var language = SpeechSettings.Language();
        var here = RunCommands.Here();
        var command = new Command("evaluate", "Measures a classifier or a transcriber on labels that it was not trained on.") { model, labels, language, here };
        return context.Runs(command, async run =>
        {
            var measured = await RunCommands.ModelAsync(run, run.Need(model));
            var table = await LabelTables.ReadAsync(run, run.Need(labels), test: true);
            if (table.Spoken) return await TranscriberAsync(run, measured, table, run.Get(language), run.Get(here));
            if (run.Get(language) is { Length: > 0 }) throw new UsageException("--language is for a transcriber, and this is a table of labels; leave it out.");
            var given = LabelTables.WithPatients([table])[0];
            var ended = await RunCommands.CarryOutAsync(run, new EvaluateRequest(measured.Id, given), $"Measuring {measured.Name}", run.Get(here));
            var result = JsonSerializer.Deserialize<EvaluateRun.Result>(ended.Summary!, RunContext.Json)!;
            var (items, people) = table.Rows[0].Found.Kind == ItemKind.Sound ? ("recordings", "speakers") : ("images", "patients");
            run.Output.Result(new { result.N, result.Patients, result.LeftOut, result.Metrics, result.Each, table.Refused }, console =>
            {
                console.WriteLine($"{measured.Name} on {result.N:#,0} {items}{LabelTables.Of(given.Select(l => l.Patient), result.Patients, people)}:");
                foreach (var (key, figure) in result.Metrics) console.WriteLine($"  {key} {figure}");
                if (result.LeftOut > 0) console.WriteLine($"{result.LeftOut:#,0} labels were left out, because the model was trained on their {people}.");
                foreach (var one in result.Each) console.WriteLine($"  {one.Patient}: {one.Accuracy:0.000} right of {one.N:#,0}");
            });
            return table.Refused.Count > 0 ? CommandLine.SomeRefused : CommandLine.Done;
        });
    }

    private static async Task<int> TranscriberAsync(CommandRun run, Core.Models.Model measured, LabelTable table, string[]? language, bool here)
    {
        var given = LabelTables.WithSpeakers([table])[0];
        var terms = await (await RunCommands.ServicesAsync(run)).GetRequiredService<ClinicGlossary>().TextsAsync(run.Cancel);
        var listened = await SpeechSettings.LanguageAsync(run, language);
        var request = new EvaluateSpeechRequest(measured.Id, given, listened is null ? null : listened with { Terms = terms }, terms);
        var ended = await RunCommands.CarryOutAsync(run, request, $"Measuring {measured.Name}", here);
        var result = JsonSerializer.Deserialize<EvaluateSpeechRun.Result>(ended.Summary!, RunContext.Json)!;
        run.Output.Result(new { result.N, result.Patients, result.LeftOut, result.Metrics, result.Speakers, table.Refused }, console =>
        {
            console.WriteLine($"{measured.Name} on {result.N:#,0} recordings{LabelTables.Of(given.Select(l => l.Speaker), result.Patients, "speakers")}:");
            foreach (var (key, figure) in result.Metrics) console.WriteLine($"  {key} {figure}");
            if (result.LeftOut > 0) console.WriteLine($"{result.LeftOut:#,0} rows were left out: of speakers that the model was trained on, or without a text that fits.");
            if (result.Speakers.Count > LabelEfficiency.FewPatients) return;
            foreach (var one in result.Speakers) console.WriteLine($"  {one.Speaker}: {one.Wer:0.000} of the words wrong, {one.Cer:0.000} of the letters, in {one.N:#,0}");
        });
        return table.Refused.Count > 0 ? CommandLine.SomeRefused : CommandLine.Done;
    }
}
