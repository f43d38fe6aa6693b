using System.CommandLine;
using System.Globalization;
using DomainSsl.Core;
using DomainSsl.Core.Importing;
using DomainSsl.Core.Runs;
using DomainSsl.Core.Storage;
using DomainSsl.Learning;
using DomainSsl.Worker;
using Spectre.Console;
using LabelDraws = DomainSsl.Learning.FineTuning.LabelDraws;

namespace DomainSsl.Web.Commands;

/// <summary><c>label-efficiency</c>: what pretraining is worth, in labels, or in minutes of transcribed speech.</summary>
internal static class LabelEfficiencyCommand
{
    public static Command Create(CommandContext context)
    {
        var train = new Option<string>("--train") { Description = "A CSV of labels of images or recordings to draw from.", HelpName = "CSV", Required = true };
        var test = new Option<string>("--test") { Description = "A CSV of labels of other patients or speakers, to test on.", HelpName = "CSV", Required = true };
        var encoders = new Option<string[]>("--encoder") { Description = "The encoders to compare, the one of interest first (MODEL@SIDE on images of another size); from scratch is always beside them.", HelpName = "MODEL", AllowMultipleArgumentsPerToken = true, Required = true };
        var budgets = new Option<string?>("--budgets") { Description = "Numbers of labels (10,20,50,100,200), or of minutes where the tables hold transcripts (5,15).", HelpName = "N,N,…" };
        var repeats = new Option<int?>("--repeats") { Description = "Draws of labels for each number (10; of transcribed speech 3).", HelpName = "N" };
        var balanced = new Option<bool>("--balanced") { Description = "Draw every class as often: 100 labels of ten classes are ten of each." };
        var modes = new Option<string>("--modes") { Description = "probe,full, or one of them.", DefaultValueFactory = _ => "probe,full" };
        var seed = new Option<int>("--seed") { Description = "Seed of draws, fits and intervals.", HelpName = "S", DefaultValueFactory = _ => 1 };
        var output = new Option<string?>("--out") { Description = "A folder for the figure (SVG, PNG) and the table (CSV).", HelpName = "DIR" };
        var set = new Option<string[]>("--set") { Description = "Changes a setting of the training, e.g. steps=1000 of a transcriber, stepShare=0.5 of a classifier; may be given several times.", HelpName = "path=value" };
        var here = RunCommands.Here();
        var command = new Command("label-efficiency", "Shows what pretraining is worth: every encoder and from scratch on the same draws of labels.") { train, test, encoders, budgets, repeats, balanced, modes, seed, output, set, here };
        return context.Runs(command, async run =>
        {
            var numbers = run.Get(budgets) is { } named ? Numbers(named) : null;
            if (run.Get(repeats) < 1) throw new UsageException("--repeats must be at least 1.");
            var members = Modes(run.Need(modes));
            var spoken = LabelTables.IsSpoken(run.Need(train));
            if (spoken != LabelTables.IsSpoken(run.Need(test))) throw new RefusedException("other-kind", "One of the tables holds labels and the other transcripts; give two of one kind.");
            if (spoken && run.Get(balanced)) throw new UsageException("--balanced is for classes, and these are tables of transcripts; leave it out.");
            var settings = spoken ? SpeechSettings.Resolve(run.Get(set)) : SpeechSettings.ResolveClassifier(run.Get(set));
            var services = await RunCommands.ServicesAsync(run);
            var ids = new List<string>();
            foreach (var encoder in run.Get(encoders)!.Where(e => e != "scratch"))
            {
                // MODEL@SIDE: the same weights on images of another size.
                var parts = encoder.Split('@', 2);
                if (parts.Length == 2 && (!int.TryParse(parts[1], out var side) || side % 32 != 0 || side is < 32 or > 512))
                    throw new UsageException($"{encoder}: the side behind @ must be a multiple of 32 up to 512, such as public@224.");
                ids.Add((await RunCommands.ModelAsync(run, parts[0])).Id + (parts.Length == 2 ? $"@{parts[1]}" : ""));
            }
            var (drawn, tested) = (await LabelTables.ReadAsync(run, run.Need(train)), await LabelTables.ReadAsync(run, run.Need(test), test: true));
            if (spoken)
            {
                var said = LabelTables.WithSpeakers([drawn, tested]);
                return await SpeechAsync(run, new LabelEfficiencySpeechRequest(said[0], said[1], [.. ids.Distinct()], numbers ?? [5, 15], run.Get(repeats) ?? 3, run.Get(seed), settings),
                    run.Get(here), run.Get(output), [.. drawn.Refused, .. tested.Refused]);
            }
            if (drawn.Rows[0].Found.Kind != tested.Rows[0].Found.Kind) throw new RefusedException("other-kind", "One of the tables is of images and the other of recordings; give two of one kind.");
            var labels = LabelTables.WithPatients([drawn, tested]);
            var request = new LabelEfficiencyRequest(labels[0], labels[1], LabelTables.Classes(drawn.Rows.Concat(tested.Rows)), [.. ids.Distinct()], numbers ?? [10, 20, 50, 100, 200], run.Get(repeats) ?? 10, members,
                run.Get(seed), run.Get(balanced), settings);
            CheckBudgets(request);
            var ended = await RunCommands.CarryOutAsync(run, request, "Comparing what few labels give", run.Get(here));

            var folder = services.GetRequiredService<DataFolder>().Run(ended.Id);
            var result = await LabelEfficiencyRun.ReadAsync(folder, run.Cancel);
            CopyOut(folder, run.Get(output));
            var refused = drawn.Refused.Concat(tested.Refused).ToList();
            run.Output.Result(new
            {
                result.Arms, result.Differences, result.Comparisons, result.LabelsSaved, result.Verdict, result.Metric, result.BalancedAccuracy, result.BalancedAccuracyDifferences, result.Patients, result.Members, result.TestItems,
                result.TestPatients, Run = ended.Id, Refused = refused,
            }, console =>
            {
                var shown = CommandOutput.Table("Arm", "Labels", result.Metric.ToUpperInvariant(), "95 % interval", "Less scratch", "Balanced accuracy");
                foreach (var (arm, right) in result.Arms.Zip(result.BalancedAccuracy))
                {
                    var difference = result.Differences.FirstOrDefault(d => d.Arm == arm.Arm && d.Budget == arm.Budget);
                    CommandOutput.Row(shown, arm.Arm, $"{arm.Budget}", $"{arm.Mean:0.000}", $"{arm.Low:0.000} to {arm.High:0.000}", difference is null ? "" : $"{difference.Mean:+0.000;-0.000} ({difference.Low:+0.000;-0.000} to {difference.High:+0.000;-0.000})", $"{right.Mean:0.000}");
                }
                console.Write(shown);
                foreach (var one in result.Patients) console.WriteLine($"  {one.Arm}, {one.Budget} labels, {one.Patient}: {one.Accuracy:0.000} right of {one.Items:#,0}");
                console.WriteLine(result.Verdict);
            });
            return refused.Count > 0 ? CommandLine.SomeRefused : CommandLine.Done;
        });
    }

    private static async Task<int> SpeechAsync(CommandRun run, LabelEfficiencySpeechRequest request, bool here, string? output, IReadOnlyList<RefusedFile> refused)
    {
        var ended = await RunCommands.CarryOutAsync(run, request, "Comparing what few minutes give", here);
        var folder = (await run.ServiceAsync<DataFolder>()).Run(ended.Id);
        var result = await LabelEfficiencySpeechRun.ReadAsync(folder, run.Cancel);
        CopyOut(folder, output);
        run.Output.Result(new
        {
            result.Arms, result.Differences, result.Ratios, result.Comparisons, result.LabelsSaved, result.Verdict, result.Metric, result.Wer, result.WerWithLanguage, result.WerDifferences, result.WerWithLanguageDifferences, result.Draws, result.TestItems, result.TestPatients, Run = ended.Id, Refused = refused,
        }, console =>
        {
            var shown = CommandOutput.Table("Arm", "Minutes", "CER", "95 % interval", "WER", "WER, language model", "By scratch's CER");
            foreach (var (arm, wer, helped) in result.Arms.Zip(result.Wer, result.WerWithLanguage))
            {
                var ratio = result.Ratios.FirstOrDefault(d => d.Arm == arm.Arm && d.Budget == arm.Budget);
                CommandOutput.Row(shown, arm.Arm, $"{arm.Budget}", $"{arm.Mean:0.000}", $"{arm.Low:0.000} to {arm.High:0.000}", $"{wer.Mean:0.000}", $"{helped.Mean:0.000}", ratio is null ? "" : $"{ratio.Mean:0.00} ({ratio.Low:0.00} to {ratio.High:0.00})");
            }
            console.Write(shown);
            console.WriteLine(result.Verdict);
        });
        return refused.Count > 0 ? CommandLine.SomeRefused : CommandLine.Done;
    }

    private static void CopyOut(string folder, string? to)
    {
        if (to is null) return;
        Directory.CreateDirectory(to);
        foreach (var file in Directory.EnumerateFiles(folder, "label-efficiency.*")) File.Copy(file, Path.Combine(to, Path.GetFileName(file)), overwrite: true);
    }

    // The run would find it out too, but only once the images are prepared.
    private static void CheckBudgets(LabelEfficiencyRequest request)
    {
        var classes = request.Classes.ToList();
        try { LabelDraws.Of([.. request.Train.Select(l => classes.IndexOf(l.Class))], [.. request.Train.Select(l => l.Patient)], classes.Count, request.Budgets, repeats: 1, request.Seed, request.Balanced); }
        catch (LearningException e) { throw new RefusedException("budgets", e.Message); }
    }

    private static string[] Modes(string text)
    {
        var modes = text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        if (modes.FirstOrDefault(m => m is not ("probe" or "full")) is { } unknown) throw new UsageException($"There is no mode '{unknown}'; write --modes probe, --modes full or --modes probe,full.");
        return modes.Length > 0 ? modes : throw new UsageException("--modes names no mode; write --modes probe, --modes full or --modes probe,full.");
    }

    private static int[] Numbers(string text)
    {
        var numbers = new List<int>();
        foreach (var part in text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (!int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out int n) || n < 1) throw new UsageException($"'{part}' is no number of labels; write --budgets 20,50,100.");
            numbers.Add(n);
        }
        return numbers.Count > 0 ? [.. numbers] : throw new UsageException("--budgets names no number of labels; write --budgets 20,50,100.");
    }
}
