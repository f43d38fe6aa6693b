using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using DomainSsl.Core;
using DomainSsl.Core.Language;
using DomainSsl.Core.Models;
using DomainSsl.Core.Runs;
using DomainSsl.Learning;
using DomainSsl.Learning.FineTuning;
using DomainSsl.Learning.Transcribing;

namespace DomainSsl.Web.Commands;

/// <summary>The settings of a transcriber's training, and of a classifier's, with values changed from the command line.</summary>
internal static class SpeechSettings
{
    /// <summary>The settings as JSON, after changes such as <c>steps=1000</c>, <c>rates=[0.001,0.002]</c> or <c>masks.timeMasks=0</c>; null where nothing is changed.</summary>
    /// <exception cref="RefusedException">There is no such setting, or it cannot be that.</exception>
    public static string? Resolve(IReadOnlyList<string>? changes) => Resolve(changes, new TranscriberSettings(), settings => settings.Validate());

    /// <summary>The same of a classifier, such as <c>stepShare=0.5</c>.</summary>
    /// <exception cref="RefusedException">There is no such setting, or it cannot be that.</exception>
    public static string? ResolveClassifier(IReadOnlyList<string>? changes) => Resolve(changes, new FitSettings(), settings => settings.Validate());

    private static string? Resolve<T>(IReadOnlyList<string>? changes, T defaults, Action<T> validate)
    {
        if (changes is not { Count: > 0 }) return null;
        var root = JsonSerializer.SerializeToNode(defaults, LearningJson.Options)!.AsObject();
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
            validate(root.Deserialize<T>(LearningJson.Options)!);
            return root.ToJsonString(LearningJson.Options);
        }
        catch (JsonException e) { throw new RefusedException("settings", $"One of {string.Join(", ", changes)} has a value that cannot be ({e.Path}); give a number where there was one."); }
        catch (LearningException e) { throw new RefusedException("settings", e.Message); }
    }

    /// <summary>The option that names language models for decoding.</summary>
    public static Option<string[]> Language() => new("--language")
    {
        Description = "A language model that decoding listens to, by id or name: an n-gram one weighs in letter by letter, a causal one ranks the likeliest texts anew; one of each may be given. Without any, each frame's likeliest letter counts; transcribe favours the terms of the glossary either way.", HelpName = "MODEL",
    };

    /// <summary>The language models that were named; null where none was.</summary>
    /// <exception cref="RefusedException">One is not there, or of a kind that decoding takes no model of.</exception>
    public static async Task<SpeechLanguage?> LanguageAsync(CommandRun run, IReadOnlyList<string>? named)
    {
        string? ngram = null, causal = null;
        foreach (var name in named ?? [])
        {
            var model = await RunCommands.ModelAsync(run, name);
            if (model is { Kind: ModelKind.Language, Recipe: LanguageKinds.NGram } && ngram is null) ngram = model.Id;
            else if (model is { Kind: ModelKind.Language, Recipe: LanguageKinds.Causal } && causal is null) causal = model.Id;
            else throw new RefusedException("no-language-model", $"Decoding takes one n-gram and one causal language model, so {model.Name} has no place in it; train one with 'language train --kind ngram'.");
        }
        return SpeechLanguage.Of(ngram, causal);
    }

    private static RefusedException Unknown(string change, JsonObject node) => new("settings", $"'{change}' names no setting; there are {string.Join(", ", node.Select(p => p.Key))}.");
}
