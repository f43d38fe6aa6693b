using System.Text.Json;
using DomainSsl.Core.Models;
using DomainSsl.Core.Runs;
using DomainSsl.Core.Storage;
using DomainSsl.Learning;
using DomainSsl.Learning.Decoding;
using DomainSsl.Learning.FineTuning;
using DomainSsl.Learning.Transcribing;

namespace DomainSsl.Worker;

/// <summary>
/// What pretraining is worth for transcribing: every encoder and from scratch on the same minutes of speech. Each finished fit is kept in <c>fits/</c> of the data folder under a name made of all it depends on, so a run that is
/// killed, or asked for again with more draws, goes on from what is there.
/// </summary>
public sealed class LabelEfficiencySpeechRun(ShardStore shards, ModelFiles files, ModelRegistry registry, DataFolder folder)
{
    /// <summary>Carries it out.</summary>
    public async Task<RunOutcome> CarryOutAsync(LabelEfficiencySpeechRequest request, RunContext context)
    {
        var (arms, names) = (new List<TranscriberArm>(), new Dictionary<string, string>());
        foreach (var id in request.EncoderIds.Where(e => e != Arm.Scratch).Distinct())
        {
            var model = await registry.GetAsync(id, context.Stop);
            arms.Add(files.TranscriberArmOf(model, id));
            names[id] = model.Name;
        }
        arms.Add(TranscriberArm.FromScratch);
        var (train, test) = (await shards.PrepareSpokenAsync(request.Train, context), await shards.PrepareSpokenAsync(request.Test, context));

        TorchProcess.Tune();
        context.Report(new RunReport(Device: SpeechReporting.Name(Devices.Choose("auto")), Stage: "Starting"));
        using var mine = await FitLocks.TakeAsync(folder, arms.Select(a => JsonSerializer.Serialize(new { a.Name, request.Train, request.Test, request.Seed, request.Settings })), context);
        var result = SpeechEfficiency.Run(new SpeechEfficiencyRequest
        {
            Arms = arms, TrainShard = train.Path, TestShard = test.Path, Train = FineTuneSpeechRun.Spoken(request.Train, train.Places, Alphabet.English), Test = FineTuneSpeechRun.Spoken(request.Test, test.Places, Alphabet.English),
            Budgets = request.Budgets, Repeats = request.Repeats, Seed = request.Seed, Folder = Path.Combine(folder.Root, "fits"), Settings = SpeechReporting.Settings(request.Settings),
            Who = request.Train.Concat(request.Test).Any(l => StandIn.Is(l.Speaker)) ? "recordings" : "speakers",
        }, new SpeechReporting(context, names), context.Stop);

        result = result with { Verdict = ArmNames.In(result.Verdict, names) };
        context.Log(result.Verdict);
        result.Write(context.Folder, names);
        await WholeFile.WriteTextAsync(Path.Combine(context.Folder, LabelEfficiencyRun.FileName), JsonSerializer.Serialize(result, RunContext.Json), context.Stop);
        // What the run's page shows; every fit stays in the file.
        var summary = new
        {
            result.Metric, result.Arms, result.Differences, result.Comparisons, result.Wer, result.WerDifferences, result.WerWithLanguage, result.WerWithLanguageDifferences, result.TestItems, result.TestPatients, result.Who, result.Verdict,
        };
        return new RunOutcome(JsonSerializer.Serialize(summary, RunContext.Json));
    }

    /// <summary>The result of a run.</summary>
    public static async Task<SpeechEfficiencyResult> ReadAsync(string runFolder, CancellationToken cancel = default)
    {
        await using var stream = File.OpenRead(Path.Combine(runFolder, LabelEfficiencyRun.FileName));
        return await JsonSerializer.DeserializeAsync<SpeechEfficiencyResult>(stream, RunContext.Json, cancel) ?? throw new InvalidDataException("The run has no result.");
    }
}
