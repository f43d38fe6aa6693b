namespace DomainSsl.Core.Tasks;

/// <summary>How many labels a class has.</summary>
/// <param name="Id">The class.</param>
/// <param name="Name">Its name.</param>
/// <param name="Labels">Current labels.</param>
public sealed record ClassProgress(long Id, string Name, int Labels);

/// <summary>How far a task's labelling is. Only current answers count.</summary>
/// <param name="Items">Images or recordings in the collection.</param>
/// <param name="Labelled">Those with a class, and those given one in review of other collections.</param>
/// <param name="LabelledPatients">Patients with at least one class label.</param>
/// <param name="NotSure">Looked at, not sure.</param>
/// <param name="Skipped">Put off; they come again at the end.</param>
/// <param name="Classes">Labels by class, in the order of the keys.</param>
/// <param name="Elsewhere">Of those labelled, how many are outside the collection.</param>
public sealed record TaskProgress(int Items, int Labelled, int LabelledPatients, int NotSure, int Skipped, IReadOnlyList<ClassProgress> Classes, int Elsewhere = 0)
{
    // Where the learning curves of small data sets bend; between them a few labels more change little.
    private static readonly int[] Steps = [20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000];

    /// <summary>The next number of labels at which training again is likely to show a difference; never more than there are items.</summary>
    public int NextUseful => Math.Min(All, Steps.FirstOrDefault(s => s > Labelled, All));

    /// <summary>All that the task is about by now: the collection's and those labelled elsewhere.</summary>
    public int All => Items + Elsewhere;

    /// <summary>The useful number last reached, 0 before the first: where the bar to <see cref="NextUseful"/> begins.</summary>
    public int LastUseful => Steps.LastOrDefault(s => s <= Labelled);

    /// <summary>Items of the collection still without any answer.</summary>
    public int Left => All - Labelled - NotSure - Skipped;
}

/// <summary>What a clinician asked the administrator to bring in for a task.</summary>
/// <param name="What">How many, of what: a sentence.</param>
/// <param name="By">Who asks.</param>
/// <param name="At">Since when (UTC).</param>
public sealed record WantedCases(string What, string By, DateTime At);

/// <summary>A task as the list and its own page show it.</summary>
/// <param name="Id">Row id.</param>
/// <param name="Name">Name.</param>
/// <param name="Question">The question.</param>
/// <param name="CollectionId">The collection asked about.</param>
/// <param name="Collection">Its name.</param>
/// <param name="Kind">What is asked about: images or sounds.</param>
/// <param name="TestPatients">Locked test patients.</param>
/// <param name="Progress">How far labelling is.</param>
/// <param name="ModelInUse">Name of the classifier in use, if any.</param>
/// <param name="NewestModel">Id of the newest classifier that is not retired, if any.</param>
/// <param name="NewestRun">Id of the newest training run, if any.</param>
/// <param name="NewestRunState">Its state.</param>
/// <param name="LabelsSinceRun">Class labels given since that run was asked for.</param>
/// <param name="WaitingForReview">Predictions of the model to review that nobody decided on.</param>
/// <param name="Wanted">What was asked for and has not come yet; null where nothing was.</param>
public sealed record TaskOverview(long Id, string Name, string Question, long CollectionId, string Collection, Library.ItemKind Kind, int TestPatients, TaskProgress Progress, string? ModelInUse,
    string? NewestModel, string? NewestRun, Runs.RunState? NewestRunState, int LabelsSinceRun, int WaitingForReview, WantedCases? Wanted);
