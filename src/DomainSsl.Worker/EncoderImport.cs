using System.Text.Json;
using DomainSsl.Core;
using DomainSsl.Core.Database;
using DomainSsl.Core.Models;
using DomainSsl.Core.Runs;
using DomainSsl.Learning;
using DomainSsl.Learning.Encoders;
using DomainSsl.Learning.Training;
using DomainSsl.Learning.Weights;
using Microsoft.EntityFrameworkCore;
using static TorchSharp.torch;

namespace DomainSsl.Worker;

/// <summary>How weights fit an encoder.</summary>
/// <param name="Matched">Tensors of the encoder that the file has.</param>
/// <param name="Missing">Names that the file has not.</param>
/// <param name="Unexpected">Names in the file that the encoder has no use for.</param>
public sealed record WeightsMatch(int Matched, IReadOnlyList<string> Missing, IReadOnlyList<string> Unexpected);

/// <summary>Takes in encoders from files of weights. Nothing in such a file is ever run.</summary>
public sealed class EncoderImport(IDbContextFactory<DomainSslContext> factory, ModelFiles files, ModelRegistry registry)
{
    // What other programs put before the names of an encoder that was part of something larger.
    private static readonly string[] Prefixes = ["", "encoder.", "backbone.", "module.", "model.", "module.encoder.", "module.backbone."];

    /// <summary>What can be named: the public encoder's network, and those of the recipes.</summary>
    public static IReadOnlyList<string> Architectures => [PublicModel.Image.Id, .. Recipes.All.Select(r => r.Name)];

    /// <summary>Registers the encoder in a file.</summary>
    /// <exception cref="RefusedException">The architecture is unknown, or the file has not all of its weights.</exception>
    /// <exception cref="LearningException">The file is no sound safetensors file.</exception>
    public async Task<(Model Model, WeightsMatch Match)> ImportAsync(string path, string architecture, string? name, string by, CancellationToken cancel)
    {
        if (!File.Exists(path)) throw new RefusedException("no-file", $"There is no file {path}; check the path.");
        var spec = architecture == PublicModel.Image.Id ? PublicEncoder.Spec
            : Recipes.All.FirstOrDefault(r => r.Name.Equals(architecture, StringComparison.OrdinalIgnoreCase))?.Encoder
            ?? throw new RefusedException("unknown-architecture", $"There is no architecture '{architecture}'; there are {string.Join(", ", Architectures)}.");
        TorchProcess.Tune();
        using var encoder = EncoderFactory.Create(spec, 0);
        using var content = Read(path);
        var match = Fill(encoder, content.Tensors.ExceptBy(EncoderWeights.Head(content).Keys, t => t.Key).ToDictionary(), path);

        var id = ShortId.Model();
        var temporary = Path.GetTempFileName();
        string hash;
        try
        {
            EncoderWeights.Save(encoder, temporary, content);
            hash = files.PlaceEncoder(id, temporary, JsonSerializer.Serialize(spec, LearningJson.Options));
        }
        finally { File.Delete(temporary); }
        var model = new Model
        {
            Id = id, Name = name ?? Path.GetFileNameWithoutExtension(path), Kind = ModelKind.Encoder, Recipe = "imported", Architecture = JsonSerializer.Serialize(spec, LearningJson.Options),
            WeightsHash = hash, By = by,
        };
        await using var db = await factory.CreateDbContextAsync(cancel);
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        await registry.AddAsync(db, model, cancel);
        await transaction.CommitAsync(cancel);
        return (model, match);
    }

    private static SafeTensors.Content Read(string path)
    {
        try { return SafeTensors.Read(path); }
        catch (LearningException e) { throw new RefusedException("bad-weights", e.Message); }
    }

    private static WeightsMatch Fill(Encoder encoder, IReadOnlyDictionary<string, Tensor> tensors, string path)
    {
        var own = encoder.state_dict();
        var prefix = Prefixes.MaxBy(p => own.Keys.Count(n => tensors.ContainsKey(p + n)))!;
        using var off = no_grad();
        var (matched, missing) = (0, new List<string>());
        foreach (var (name, target) in own)
        {
            // How many batches a normalisation has seen is of no use to anybody, and many files leave it out.
            if (tensors.TryGetValue(prefix + name, out var source) && source.shape.SequenceEqual(target.shape)) { target.copy_(source); matched++; }
            else if (!name.EndsWith("num_batches_tracked", StringComparison.Ordinal)) missing.Add(name);
        }
        var unexpected = tensors.Keys.Where(n => !n.StartsWith(prefix, StringComparison.Ordinal) || !own.ContainsKey(n[prefix.Length..])).Order(StringComparer.Ordinal).ToList();
        return missing.Count == 0 ? new WeightsMatch(matched, missing, unexpected)
            : throw new RefusedException("weights-missing", $"{Path.GetFileName(path)} has {matched} of the {own.Count} tensors; {missing.Count} are missing or of another shape ({string.Join(", ", missing.Take(3))}"
                + $"{(missing.Count > 3 ? ", …" : "")}) and {unexpected.Count} are not needed. Name the architecture that it belongs to.");
    }
}
