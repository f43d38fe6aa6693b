using System.Globalization;

namespace DomainSsl.Web;

/// <summary>Addresses of pages that others link to: one place, so that a link cannot go stale unseen.</summary>
public static class Paths
{
    /// <summary>What waits for me.</summary>
    public const string Home = "/";
    /// <summary>Name and password.</summary>
    public const string SignIn = "/account/sign-in";
    /// <summary>POST ends the session.</summary>
    public const string SignOut = "/account/sign-out";
    /// <summary>The first administrator.</summary>
    public const string Setup = "/account/setup";
    /// <summary>One's own password.</summary>
    public const string Password = "/account/password";
    /// <summary>Signed in, but not for this page.</summary>
    public const string Denied = "/account/denied";
    /// <summary>Studies and recordings.</summary>
    public const string Library = "/library";
    /// <summary>Bringing files in.</summary>
    public const string Import = "/import";
    /// <summary>Refused files.</summary>
    public const string Quarantine = "/import/quarantine";
    /// <summary>Named sets of items.</summary>
    public const string Collections = "/collections";
    /// <summary>Questions, labels, training, results.</summary>
    public const string Tasks = "/tasks";
    /// <summary>Predictions to be judged.</summary>
    public const string Review = "/review";
    /// <summary>Transcripts to be read through.</summary>
    public const string Transcripts = "/transcripts";
    /// <summary>Those of a list as a zip.</summary>
    public const string TranscriptBundle = "/api/transcripts/export";
    /// <summary>Words over all transcripts: doubtful ones, find and replace, glossary.</summary>
    public const string TranscriptWords = "/transcripts/words";
    /// <summary>What writes transcripts: its rounds, and the next one.</summary>
    public const string Transcriber = "/transcripts/transcriber";
    /// <summary>Pretraining and its runs.</summary>
    public const string Pretraining = "/pretraining";
    /// <summary>Runs of every kind that failed or were stopped.</summary>
    public const string StoppedRuns = Pretraining + "#stopped";
    /// <summary>The registry.</summary>
    public const string Models = "/models";
    /// <summary>Who may sign in.</summary>
    public const string People = "/people";
    /// <summary>Who did what.</summary>
    public const string Audit = "/audit";
    /// <summary>The machine and its parts.</summary>
    public const string System = "/system";

    /// <summary>Collection, recipe, go.</summary>
    public const string NewPretraining = "/pretraining/new";
    /// <summary>Asking for a language model.</summary>
    public const string NewLanguage = "/pretraining/language";

    /// <summary>One run, live.</summary>
    public static string Run(string id) => $"/runs/{id}";
    /// <summary>A file that a comparison made for people to take along.</summary>
    public static string RunFile(string id, string name) => $"/api/runs/{id}/files/{name}";
    /// <summary>One model with its lineage.</summary>
    public static string Model(string id) => $"/models/{id}";
    /// <summary>A study in the viewer.</summary>
    public static string Study(long id) => $"/library/studies/{id}";
    /// <summary>A recording over its waveform.</summary>
    public static string Recording(long id) => $"/library/recordings/{id}";
    /// <summary>A recording with its transcript, to be corrected.</summary>
    public static string Transcript(long recording) => $"{Transcripts}/{recording}";
    /// <summary>The same at a second of it, where that is known.</summary>
    public static string TranscriptAt(long recording, double? seconds) => seconds is { } at ? $"{Transcript(recording)}?at={at.ToString("0.##", CultureInfo.InvariantCulture)}" : Transcript(recording);
    /// <summary>One import's progress and summary.</summary>
    public static string ImportBatch(long id) => $"/import/{id}";
    /// <summary>One collection.</summary>
    public static string Collection(long id) => $"/collections/{id}";
    /// <summary>An item's picture; the size is the longer side in pixels.</summary>
    public static string ItemImage(long item, int size) => $"/api/items/{item}/image?size={size}";
}
