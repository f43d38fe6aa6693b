using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using DomainSsl.Core;
using DomainSsl.Learning;
using DomainSsl.Learning.Transcribing;

namespace DomainSsl.Web.Commands;

/// <summary>The settings of a transcriber's training with values changed from the command line.</summary>
internal static class SpeechSettings
{
    /// <summary>The settings as JSON, after changes such as <c>steps=1000</c>, <c>rates=[0.001,0.002]</c> or <c>masks.timeMasks=0</c>; null where nothing is changed.</summary>
    /// <exception cref="RefusedException">There is no such setting, or it cannot be that.</exception>
    public static string? Resolve(IReadOnlyList<string>? changes)
    {
        if (changes is not { Count: > 0 }) return null;
        var root = JsonSerializer.SerializeToNode(new TranscriberSettings(), LearningJson.Options)!.AsObject();
        foreach (var change in changes)
        {
            var at = change.IndexOf('=', StringComparison.Ordinal);
            if (at <= 0) throw new RefusedException("settings", $"'{change}' sets nothing; write path=value, such as steps=1000.");
            var (path, text, node) = (change[..at].Split('.'), change[(at + 1)..], root);
            foreach (var part in path[..^1]) node = node[part] as JsonObject ?? throw Unknown(change, node);
            if (!node.ContainsKey(path[^1])) throw Unknown(change, node);
            try { node[path[^1]] = JsonNode.Parse(text); }
            catch (JsonException) { node[path[^1]] = JsonValue.Create(text); }
        }
        try
        {
            root.Deserialize<TranscriberSettings>(LearningJson.Options)!.Validate();
            return root.ToJsonString(LearningJson.Options);
        }
        catch (JsonException e) { throw new RefusedException("settings", $"One of {string.Join(", ", changes)} has a value that cannot be ({e.Path}); give a number where there was one."); }
        catch (LearningException e) { throw new RefusedException("settings", e.Message); }
    }

    /// <summary>The option that names a language model for decoding.</summary>
    public static Option<string?> Language() => new("--language") { Description = "An n-gram language model, by id or name, that decoding weighs in; without it each frame's likeliest letter counts.", HelpName = "MODEL" };

    /// <summary>The id of the language model that was named, if one was.</summary>
    public static async Task<string?> LanguageIdAsync(CommandRun run, string? named) => named is null ? null : (await RunCommands.ModelAsync(run, named)).Id;

    private static RefusedException Unknown(string change, JsonObject node) => new("settings", $"'{change}' names no setting; there are {string.Join(", ", node.Select(p => p.Key))}.");
}
