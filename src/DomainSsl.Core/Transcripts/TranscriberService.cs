using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using DomainSsl.Core.Database;
using DomainSsl.Core.Language;
using DomainSsl.Core.Library;
using DomainSsl.Core.Models;
using DomainSsl.Core.People;
using DomainSsl.Core.Runs;
using DomainSsl.Core.Tasks;
using Microsoft.EntityFrameworkCore;

namespace DomainSsl.Core.Transcripts;

/// <summary>What there is to learn transcribing from, and what waits to be transcribed.</summary>
/// <param name="Recordings">Recordings with an accepted transcript.</param>
/// <param name="Minutes">Transcribed speech in them that may be learnt from.</param>
/// <param name="Speakers">Whose it is, as far as somebody said so.</param>
/// <param name="Unnamed">Recordings among them of which nobody said who speaks: each stands by itself.</param>
/// <param name="TestMinutes">Transcribed speech of the locked test speakers.</param>
/// <param name="TestSpeakers">These speakers.</param>
/// <param name="TestUnnamed">Recordings kept for testing of which nobody said who speaks.</param>
/// <param name="Waiting">Recordings that nobody has worked on: without a transcript, or with a model's alone.</param>
/// <param name="WaitingMinutes">How long they are.</param>
/// <param name="LeftOut">Minutes of accepted transcripts that are neither learnt from nor tested with, by why.</param>
public sealed record TranscriberMaterial(int Recordings, double Minutes, int Speakers, int Unnamed, double TestMinutes, int TestSpeakers, int TestUnnamed, int Waiting, double WaitingMinutes, IReadOnlyDictionary<LeftOutFor, double> LeftOut);

/// <summary>What a transcriber gets wrong of a speaker.</summary>
/// <param name="Speaker">Who.</param>
/// <param name="N">Recordings, or stretches of them, that it was measured on.</param>
/// <param name="Cer">The share of letters.</param>
/// <param name="Wer">The share of words.</param>
public sealed record SpeakerErrorRates(string Speaker, int N, double Cer, double Wer);

/// <summary>A transcriber and what was measured of it.</summary>
/// <param name="Model">The transcriber.</param>
/// <param name="Metrics">Its figures by name.</param>
/// <param name="Speakers">Each test speaker, the most errors first; empty where none was kept for testing.</param>
public sealed record TranscriberRound(Model Model, IReadOnlyDictionary<string, Measured> Metrics, IReadOnlyList<SpeakerErrorRates> Speakers)
{
    /// <summary>Behind the name of a figure that was measured as the clinic's transcripts are written: with its language models and its glossary.</summary>
    public const string WithLanguage = "WithLanguage";

    /// <summary>Behind the name of a figure (and of the above) that is what changed from the transcriber before.</summary>
    public const string Changed = "Change";

    /// <summary>Whether it was measured as the clinic's transcripts are written, and not by the sound alone.</summary>
    public bool Listened => Metrics.Keys.Any(name => name.Contains(WithLanguage, StringComparison.Ordinal));

    /// <summary>A figure as the clinic's transcripts are written: with language models and glossary where there were any, else by the sound alone.</summary>
    public Measured? AsWritten(string name) => Listened ? Metrics.GetValueOrDefault(name + WithLanguage) : BySound(name);

    /// <summary>The figure by the sound alone.</summary>
    public Measured? BySound(string name) => Metrics.GetValueOrDefault(name);

    /// <summary>What changed in it from the transcriber before, as the clinic's transcripts are written.</summary>
    public Measured? ChangeAsWritten(string name) => Listened ? Metrics.GetValueOrDefault(name + WithLanguage + Changed) : BySound(name + Changed);

    /// <summary>Whether it gets more letters wrong than the one before, beyond doubt: the whole interval says so.</summary>
    public bool Worse => ChangeAsWritten("cer") is { Low: > 0 };
}

/// <summary>All that the page of transcribers shows.</summary>
/// <param name="Material">What there is to learn from.</param>
/// <param name="Encoders">Encoders of sound, the one to begin from first.</param>
/// <param name="Rounds">All transcribers, the newest first.</param>
/// <param name="Runs">Trainings and transcriptions that wait or run.</param>
public sealed record TranscriberOverview(TranscriberMaterial Material, IReadOnlyList<Model> Encoders, IReadOnlyList<TranscriberRound> Rounds, IReadOnlyList<Run> Runs)
{
    /// <summary>The transcriber that writes now: the one in use, else the newest that was not measured as worse than the one before it.</summary>
    public Model? Current
    {
        get
        {
            var candidates = Rounds.Where(r => r.Model.State == ModelState.Candidate).ToList();
            // Where somebody has retired the better one before it, a worse one is better than none.
            return (Rounds.FirstOrDefault(r => r.Model.State == ModelState.InUse) ?? candidates.FirstOrDefault(r => !r.Worse) ?? candidates.FirstOrDefault())?.Model;
        }
    }
}

/// <summary>
/// Accepted transcripts as the material of the next transcriber, but for what nothing can be learnt from (<see cref="LeftOutFor"/>). From eight speakers on a fifth of them is kept for testing: whether a speaker is one of these
/// follows from the pseudonym alone, so no choice and no round changes it, and nothing is ever chosen by them.
/// </summary>
public sealed class TranscriberService(IDbContextFactory<DomainSslContext> factory, TranscriptService transcripts, IRunQueue queue, ModelRegistry registry, ClinicGlossary glossary, Accounts accounts)
{
    /// <summary>Minutes below which training is refused: nothing would come of it.</summary>
    public const double LeastMinutes = 0.5;

    // Below so many speakers none is kept for testing yet.
    private const int TestShare = 5, FewestSpeakers = 8;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    /// <summary>What there is.</summary>
    public async Task<TranscriberOverview> OverviewAsync(CancellationToken cancel = default) => await OverviewAsync(await RowsAsync(cancel), cancel);

    private async Task<TranscriberOverview> OverviewAsync(IReadOnlyList<SpokenRow> rows, CancellationToken cancel)
    {
        var (learn, test) = (rows.Where(r => r.LeftOut is null && !r.Test).ToList(), rows.Where(r => r.LeftOut is null && r.Test).ToList());
        await using var db = await factory.CreateDbContextAsync(cancel);
        var waiting = await Waiting(db).Select(r => r.Seconds).ToListAsync(cancel);
        var models = await db.Models.AsNoTracking().Where(m => m.Kind == ModelKind.Transcriber || (m.Kind == ModelKind.Encoder && m.State != ModelState.Retired && m.Architecture.Contains("\"sound\"")))
            .OrderByDescending(m => m.CreatedAt).ToListAsync(cancel);
        var runs = await db.Runs.AsNoTracking().Where(r => (r.Kind == RunKind.FineTuneSpeech || r.Kind == RunKind.Transcribe) && (r.State == RunState.Queued || r.State == RunState.Running)).OrderBy(r => r.QueuedAt).ToListAsync(cancel);
        var made = models.Where(m => m.Kind == ModelKind.Transcriber).ToList();
        var ids = made.Select(m => m.RunId).OfType<string>().ToList();
        var summaries = await db.Runs.AsNoTracking().Where(r => ids.Contains(r.Id) && r.Summary != null).Select(r => new { r.Id, r.Summary }).ToDictionaryAsync(r => r.Id, r => r.Summary, cancel);
        double Minutes(IEnumerable<SpokenRow> some) => some.Sum(r => r.Label.End!.Value - r.Label.Start!.Value) / 60;
        int Voices(IEnumerable<SpokenRow> some, bool named) => some.Where(r => r.Named == named).Select(r => r.Group).Distinct().Count();
        var material = new TranscriberMaterial(rows.Select(r => r.Label.ItemId).Distinct().Count(), Minutes(learn), Voices(learn, named: true), Voices(learn, named: false), Minutes(test), Voices(test, named: true), Voices(test, named: false),
            waiting.Count, waiting.Sum() / 60, rows.Where(r => r.LeftOut is not null).GroupBy(r => r.LeftOut!.Value).ToDictionary(g => g.Key, Minutes));
        return new TranscriberOverview(material, [.. ToBeginFrom(models.Where(m => m.Kind == ModelKind.Encoder))],
            [.. made.Select(m => new TranscriberRound(m, m.ReadMetrics(), m.RunId is { } run && summaries.TryGetValue(run, out var summary) ? Speakers(summary!) : []))], runs);
    }

    // What a person has chosen; else what learnt to read the clinic's own voices, which was measured to be worth more than what came with the product and has heard synthetic speech alone (README, Transcribing).
    private static IEnumerable<Model> ToBeginFrom(IEnumerable<Model> newestFirst) => newestFirst
        .OrderByDescending(m => m.State == ModelState.InUse && !PublicModel.Is(m.Id)).ThenByDescending(m => m.Recipe == RecipeCatalog.PseudoLabels).ThenByDescending(m => m.State == ModelState.InUse);

    private sealed record RunSummary(IReadOnlyList<SpeakerErrorRates>? Speakers);

    private static IReadOnlyList<SpeakerErrorRates> Speakers(string summary) => JsonSerializer.Deserialize<RunSummary>(summary, Json)?.Speakers ?? [];

    /// <summary>
    /// Trains the next transcriber on all accepted transcripts, and measures it beside the one before on the locked test speakers: by the sound alone, and as <see cref="TranscribeAsync"/> writes.
    /// </summary>
    /// <param name="encoder">Id of the encoder to begin from, or <c>scratch</c>.</param>
    /// <param name="by">Who asks.</param>
    /// <param name="settings">Settings of the training as JSON; null for the defaults.</param>
    /// <param name="cancel">Gives up asking.</param>
    /// <returns>The run's id.</returns>
    /// <exception cref="RefusedException">Too little is accepted, or a training waits or runs already.</exception>
    public async Task<string> TrainAsync(string encoder, string by, string? settings = null, CancellationToken cancel = default)
    {
        await AllowAsync(by, cancel);
        var rows = await RowsAsync(cancel);
        var overview = await OverviewAsync(rows, cancel);
        if (overview.Runs.FirstOrDefault(r => r.Kind == RunKind.FineTuneSpeech) is not null) throw new RefusedException("already-training", "A transcriber is being trained; wait for it, or stop it on its page.");
        if (overview.Material.Minutes < LeastMinutes)
            throw new RefusedException("too-little-speech", $"There is less than half a minute of accepted speech to learn from ({overview.Material.Minutes * 60:0} seconds); accept more transcripts, a quarter of an hour is a good beginning.");
        if (encoder != "scratch" && overview.Encoders.All(m => m.Id != encoder)) throw new RefusedException("no-encoder", "That encoder of recordings is not there any more; choose another.");
        IReadOnlyList<SpokenLabel> Of(bool test) => [.. rows.Where(r => r.LeftOut is null && r.Test == test).Select(r => r.Label)];
        await using var db = await factory.CreateDbContextAsync(cancel);
        var round = 1 + await db.Models.CountAsync(m => m.Kind == ModelKind.Transcriber, cancel);
        var request = new FineTuneSpeechRequest(Of(test: false), encoder, $"transcriber {round}", Seed: 1, settings, Test: Of(test: true), BeforeId: overview.Current?.Id, Language: await ListenedToAsync(cancel));
        return await queue.EnqueueAsync(request, $"Training transcriber {round}", by, cancel: cancel);
    }

    /// <summary>Lets a transcriber write the recordings that nobody has worked on and that it has not written yet, or all anew where it has written all, with the n-gram language model in use where there is one; the masked one in use, where there is one, points out words that do not fit.</summary>
    /// <returns>The run's id.</returns>
    /// <exception cref="RefusedException">There are none, or a transcription waits or runs already.</exception>
    public async Task<string> TranscribeAsync(string model, string by, CancellationToken cancel = default)
    {
        await AllowAsync(by, cancel);
        await using var db = await factory.CreateDbContextAsync(cancel);
        var transcriber = await db.Models.AsNoTracking().SingleOrDefaultAsync(m => m.Id == model && m.Kind == ModelKind.Transcriber, cancel) ?? throw new RefusedException("no-transcriber", "That transcriber is not there any more; choose another.");
        if (await db.Runs.AnyAsync(r => r.Kind == RunKind.Transcribe && (r.State == RunState.Queued || r.State == RunState.Running), cancel))
            throw new RefusedException("already-transcribing", "Recordings are being transcribed already; wait for it, or stop it on its page.");
        // What this transcriber has written already is written anew only where nothing else waits, e.g. because the glossary has grown.
        var items = await ItemsAsync(Waiting(db).Where(r => !db.TranscriptVersions.Any(v => v.Transcript!.RecordingId == r.Id && v.Number == v.Transcript.Version && v.By == transcriber.Name)));
        if (items.Count == 0) items = await ItemsAsync(Waiting(db));
        if (items.Count == 0) throw new RefusedException("nothing-to-transcribe", "There is no recording that nobody has worked on; import some.");
        var request = new TranscribeRequest(transcriber.Id, items, await ListenedToAsync(cancel), (await registry.LanguageInUseAsync(LanguageKinds.Masked, cancel))?.Id);
        return await queue.EnqueueAsync(request, $"Transcribing {items.Count:#,0} recordings with {transcriber.Name}", by, cancel: cancel);

        Task<List<long>> ItemsAsync(IQueryable<Recording> recordings) => recordings.SelectMany(r => db.Items.Where(i => i.RecordingId == r.Id && i.Kind == ItemKind.Sound).Select(i => i.Id)).OrderBy(i => i).ToListAsync(cancel);
    }

    /// <summary>Puts a transcriber in use, in the place of the one that was.</summary>
    /// <exception cref="RefusedException">There is none of that id.</exception>
    public async Task UseAsync(string model, string by, CancellationToken cancel = default)
    {
        await AllowAsync(by, cancel);
        if (await registry.FindAsync(model, cancel) is not { Kind: ModelKind.Transcriber } transcriber) throw new RefusedException("no-transcriber", "That transcriber is not there any more; choose another.");
        await registry.PromoteAsync(transcriber.Id, by, cancel);
    }

    // The page hides what a reviewer may not do; here it ends, whatever asked.
    private Task AllowAsync(string by, CancellationToken cancel) => accounts.RequireAsync(by, Roles.AdminOrClinician, "A clinician or an administrator trains transcribers, lets them write and puts one in use; ask one of them.", cancel);

    // What transcribing listens to besides the sound: the language models in use, and the glossary.
    private async Task<SpeechLanguage?> ListenedToAsync(CancellationToken cancel) => await glossary.HeardAsync((await registry.LanguageInUseAsync(LanguageKinds.NGram, cancel))?.Id,
        (await registry.LanguageInUseAsync(LanguageKinds.Causal, cancel))?.Id, cancel);

    /// <summary>Of the speakers of all accepted transcripts those who are kept for testing.</summary>
    internal static IReadOnlySet<string> TestOf(IEnumerable<string> speakers)
    {
        var all = speakers.ToHashSet(StringComparer.Ordinal);
        // Of very few speakers chance may take all but one, and what is left would say nothing of either part.
        if (all.Count < FewestSpeakers) all.Clear();
        all.RemoveWhere(s => !IsTest(s));
        return all;
    }

    /// <summary>Whose a recording's speech is: its speaker where the import said who speaks, else it stands alone, whoever its segments name.</summary>
    internal static string SpeakerOf(long recording, string? pseudonym) => pseudonym ?? Alone + recording.ToString(CultureInfo.InvariantCulture);

    /// <summary>The recordings that stand alone among such names, see <see cref="SpeakerOf"/>.</summary>
    public static IReadOnlyList<long> RecordingsAmong(IEnumerable<string> speakers) =>
        [.. speakers.Where(s => s.StartsWith(Alone, StringComparison.Ordinal)).Select(s => long.Parse(s.AsSpan(Alone.Length), CultureInfo.InvariantCulture))];

    private const string Alone = "recording ";

    /// <summary>Whether a speaker is kept for testing. It follows from the name alone, and no round changes it.</summary>
    internal static bool IsTest(string speaker) => SHA256.HashData(Encoding.UTF8.GetBytes("test speaker\n" + speaker))[0] % TestShare == 0;

    private static IQueryable<Recording> Waiting(DomainSslContext db) => db.Recordings.AsNoTracking()
        .Where(r => !db.TranscriptVersions.Any(v => v.Transcript!.RecordingId == r.Id && v.Deed != TranscriptDeed.Transcribed));

    private async Task<IReadOnlyList<SpokenRow>> RowsAsync(CancellationToken cancel)
    {
        var rows = await transcripts.AcceptedRowsAsync(cancel);
        await using var db = await factory.CreateDbContextAsync(cancel);
        var owners = await db.Recordings.AsNoTracking().Where(r => db.Transcripts.Any(t => t.RecordingId == r.Id && t.State == TranscriptState.Accepted))
            .Select(r => new { r.Id, Speaker = r.Speaker!.Pseudonym, Item = db.Items.Where(i => i.RecordingId == r.Id && i.Kind == ItemKind.Sound).Min(i => (long?)i.Id) }).ToDictionaryAsync(r => r.Id, cancel);
        List<(string Group, bool Named, SpokenLabel Label, LeftOutFor? LeftOut)> spoken = [.. rows.Where(r => owners.TryGetValue(r.RecordingId, out var o) && o.Item is not null).Select(r =>
        {
            var owner = owners[r.RecordingId];
            var group = SpeakerOf(r.RecordingId, owner.Speaker);
            return (group, owner.Speaker is not null, new SpokenLabel(owner.Item!.Value, r.Text, group, r.Start, r.End), r.LeftOut);
        })];
        var test = TestOf(spoken.Where(r => r.LeftOut is null).Select(r => r.Group));
        return [.. spoken.Select(r => new SpokenRow(r.Group, r.Named, r.Label, test.Contains(r.Group), r.LeftOut))];
    }

    // Named: somebody said who speaks.
    private sealed record SpokenRow(string Group, bool Named, SpokenLabel Label, bool Test, LeftOutFor? LeftOut);
}
