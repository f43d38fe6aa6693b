using System.Text.Json;
using DomainSsl.Learning.Encoders;
using TorchSharp;
using static TorchSharp.torch;

namespace DomainSsl.Learning.Weights;

/// <summary>An encoder in one safetensors file: its weights, and under the note <c>encoder</c> what it is made like, as JSON.</summary>
public static class EncoderWeights
{
    private const string SpecNote = "encoder";

    /// <summary>Writes weights and specification.</summary>
    public static void Save(Encoder encoder, string path) =>
        SafeTensors.Write(path, encoder.state_dict(), new Dictionary<string, string> { [SpecNote] = JsonSerializer.Serialize(encoder.Spec, LearningJson.Options) });

    /// <summary>Reads an encoder, in evaluation mode.</summary>
    /// <exception cref="LearningException">The file is damaged, or is no encoder.</exception>
    public static Encoder Load(string path, Device device)
    {
        using var content = SafeTensors.Read(path);
        var encoder = EncoderFactory.Create(SpecOf(content, path), 0);
        Restore(encoder, content.Tensors, path);
        encoder.to(device);
        encoder.eval();
        return encoder;
    }

    /// <summary>What an encoder's file says about it, without building it.</summary>
    public static EncoderSpec ReadSpec(string path)
    {
        using var content = SafeTensors.Read(path);
        return SpecOf(content, path);
    }

    /// <summary>Copies tensors into a module, all of them and no others.</summary>
    /// <exception cref="LearningException">Names or shapes do not agree.</exception>
    public static void Restore(nn.Module module, IReadOnlyDictionary<string, Tensor> tensors, string origin)
    {
        var own = module.state_dict();
        var missing = own.Keys.Except(tensors.Keys).ToList();
        var unexpected = tensors.Keys.Except(own.Keys).ToList();
        if (missing.Count + unexpected.Count > 0)
            throw new LearningException($"The weights in {origin} are of another network: {missing.Count} tensors are missing ({string.Join(", ", missing.Take(3))}), "
                + $"{unexpected.Count} are unexpected ({string.Join(", ", unexpected.Take(3))}).");
        using var off = no_grad();
        foreach (var (name, target) in own)
        {
            var source = tensors[name];
            if (!source.shape.SequenceEqual(target.shape))
                throw new LearningException($"The weights in {origin} are of another network: '{name}' is {string.Join("×", source.shape)} where {string.Join("×", target.shape)} is expected.");
            target.copy_(source);
        }
    }

    private static EncoderSpec SpecOf(SafeTensors.Content content, string path)
    {
        if (!content.Metadata.TryGetValue(SpecNote, out var json)) throw new LearningException($"The file {path} does not say which encoder it is for.");
        try { return JsonSerializer.Deserialize<EncoderSpec>(json, LearningJson.Options) ?? throw new JsonException("nothing"); }
        catch (JsonException e) { throw new LearningException($"The file {path} says wrongly which encoder it is for.", e); }
    }
}
