using System.Text.Json;
using DomainSsl.Learning.Encoders;
using TorchSharp;
using static TorchSharp.torch;

namespace DomainSsl.Learning.Weights;

/// <summary>
/// An encoder in one safetensors file: its weights, and under the note <c>encoder</c> what it is made like, as JSON. An encoder of sound that has learnt to read may bring its head along: <c>letters.weight</c> V×D and
/// <c>letters.bias</c> V, and under the note <c>letters</c> the letters in the order of their numbers.
/// </summary>
public static class EncoderWeights
{
    /// <summary>The note with the letters of a head that is brought along.</summary>
    public const string LettersNote = "letters";

    /// <summary>What the names of that head's tensors begin with.</summary>
    private const string LettersPrefix = "letters.";

    private const string SpecNote = "encoder";

    /// <summary>Writes weights and specification.</summary>
    public static void Save(Encoder encoder, string path) => Write(path, encoder.Spec, encoder.state_dict(), null);

    /// <summary>The tensors of the head that an encoder brings along, by name; none where it brings none.</summary>
    public static IReadOnlyDictionary<string, Tensor> Head(SafeTensors.Content content) =>
        content.Metadata.ContainsKey(LettersNote) ? content.Tensors.Where(t => t.Key.StartsWith(LettersPrefix, StringComparison.Ordinal)).ToDictionary() : new Dictionary<string, Tensor>();

    /// <summary>Writes an encoder with the head that came with what it began from, if one did.</summary>
    /// <param name="encoder">The encoder as it is now.</param>
    /// <param name="path">Where to.</param>
    /// <param name="origin">The file that it began from.</param>
    public static void Save(Encoder encoder, string path, SafeTensors.Content origin) =>
        Write(path, encoder.Spec, encoder.state_dict().Concat(Head(origin)).ToDictionary(),
            origin.Metadata.GetValueOrDefault(LettersNote));

    /// <summary>Writes an encoder that brings its head along.</summary>
    /// <param name="path">Where to.</param>
    /// <param name="spec">What the encoder is made like.</param>
    /// <param name="tensors">Its tensors by name, those of the head as <see cref="Head"/> has them.</param>
    /// <param name="letters">The head's letters; null: there is none.</param>
    public static void Write(string path, EncoderSpec spec, IReadOnlyDictionary<string, Tensor> tensors, string? letters)
    {
        var notes = new Dictionary<string, string> { [SpecNote] = JsonSerializer.Serialize(spec, LearningJson.Options) };
        if (letters is not null) notes[LettersNote] = letters;
        SafeTensors.Write(path, tensors, notes);
    }

    /// <summary>Reads an encoder, in evaluation mode.</summary>
    /// <exception cref="LearningException">The file is damaged, or is no encoder.</exception>
    public static Encoder Load(string path, Device device)
    {
        using var content = SafeTensors.Read(path);
        var encoder = EncoderFactory.Create(SpecOf(content, path), 0);
        Restore(encoder, content.Tensors.ExceptBy(Head(content).Keys, t => t.Key).ToDictionary(), path);
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
