using System.Text.Json;
using System.Text.Json.Nodes;
using DomainSsl.Audio.Recognising;

namespace DomainSsl.Core.Runs;

/// <summary>A recipe as a page needs it; the whole of it stays JSON, which the worker reads.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Modality">What it learns from: <c>image</c> or <c>sound</c>.</param>
/// <param name="Objective">The objective's name: <c>simclr</c>, <c>mae</c>, <c>hubert</c>, <c>pseudo-labels</c>, <c>wav2vec2</c>.</param>
/// <param name="Resolution">Images: the side that the encoder sees, pixels; sound: samples a second.</param>
/// <param name="StartsFrom">The model that it continues, or null: from scratch.</param>
/// <param name="For">What it is for, in a sentence.</param>
/// <param name="Expect">What it should reach.</param>
/// <param name="Seconds">Its time limit, seconds; null where it counts steps.</param>
/// <param name="Json">The recipe.</param>
public sealed record RecipeSummary(string Name, string Modality, string Objective, int Resolution, string? StartsFrom, string For, string Expect, double? Seconds, string Json)
{
    /// <summary>What this machine lacks for it, in a sentence; null where it lacks nothing.</summary>
    public string? Missing => Objective == RecipeCatalog.PseudoLabels && !Pocketsphinx.Installed ? Pocketsphinx.Missing : null;
}

/// <summary>
/// The recipes that came with the program (<c>Recipes/</c> beside it) and those that the administrator added (<c>recipes/</c> in the data folder). They are told here without loading
/// what trains by them: the site must not.
/// </summary>
/// <param name="dataFolder">The data folder, which need not be there yet.</param>
public sealed class RecipeCatalog(string dataFolder)
{
    /// <summary>The recipes for sound: by what another recogniser writes, and the one that needs no other program.</summary>
    public const string PseudoLabels = "pseudo-labels", Hubert = "hubert";

    /// <summary>The recipe taken for images where none is named.</summary>
    public const string Default = "simclr";

    /// <summary>The recipe taken for sound where none is named: what was measured to be worth most of those that this machine can carry out.</summary>
    public static string DefaultForSound => Pocketsphinx.Installed ? PseudoLabels : Hubert;

    /// <summary>All recipes, those for images first, each kind's default before the others.</summary>
    public IReadOnlyList<RecipeSummary> All()
    {
        var sound = DefaultForSound;
        return [.. Files().Select(Read).OfType<RecipeSummary>().DistinctBy(r => r.Name).OrderBy(r => r.Modality, StringComparer.Ordinal).ThenBy(r => r.Name != Default && r.Name != sound).ThenBy(r => r.Name, StringComparer.Ordinal)];
    }

    /// <summary>A recipe by name.</summary>
    /// <exception cref="RefusedException">There is none.</exception>
    public RecipeSummary Get(string name) => All().FirstOrDefault(r => string.Equals(r.Name, name, StringComparison.OrdinalIgnoreCase))
        ?? throw new RefusedException("no-recipe", $"There is no recipe '{name}'; choose one of {string.Join(", ", All().Select(r => r.Name))}.");

    private IEnumerable<string> Files()
    {
        foreach (var place in (string[])[Path.Combine(AppContext.BaseDirectory, "Recipes"), Path.Combine(dataFolder, "recipes")])
            if (Directory.Exists(place))
                foreach (var file in Directory.EnumerateFiles(place, "*.json").Order(StringComparer.Ordinal)) yield return file;
    }

    // A file that is no recipe is passed over: one bad file of the administrator's must not hide the others.
    private static RecipeSummary? Read(string path)
    {
        try
        {
            var json = File.ReadAllText(path);
            var recipe = JsonNode.Parse(json)!;
            return new RecipeSummary((string?)recipe["name"] ?? Path.GetFileNameWithoutExtension(path), (string?)recipe["modality"] ?? "image", (string?)recipe["objective"]?["name"] ?? "", (int?)recipe["encoder"]?["resolution"] ?? 0,
                (string?)recipe["start"], (string?)recipe["about"]?["for"] ?? "", (string?)recipe["about"]?["expect"] ?? "", (double?)recipe["schedule"]?["seconds"], json);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException or IOException) { return null; }
    }
}
