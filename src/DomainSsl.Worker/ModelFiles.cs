using System.Security.Cryptography;
using System.Text.Json;
using DomainSsl.Core;
using DomainSsl.Core.Language;
using DomainSsl.Core.Library;
using DomainSsl.Core.Models;
using DomainSsl.Core.Storage;
using DomainSsl.Learning;
using DomainSsl.Learning.Encoders;
using DomainSsl.Learning.FineTuning;
using DomainSsl.Learning.Language;
using DomainSsl.Learning.Transcribing;
using DomainSsl.Learning.Weights;

namespace DomainSsl.Worker;

/// <summary>The files of models: made under another name and renamed before the model's row is written, so that a row's files are always there and whole.</summary>
public sealed class ModelFiles(DataFolder folder, ModelRegistry registry)
{
    private const string Weights = "weights.safetensors", Description = "model.json", Classifier = "classifier", Transcriber = "transcriber";

    /// <summary>The weights of an encoder; those of the encoders that came with the product are put in their place at first use.</summary>
    /// <param name="model">The encoder.</param>
    /// <param name="modality">What it must take, <c>image</c> or <c>sound</c>; null: either.</param>
    /// <exception cref="RefusedException">It is no encoder, one of something else, or its files are gone.</exception>
    public string EncoderWeights(Model model, string? modality = null)
    {
        if (model.Kind != ModelKind.Encoder) throw new RefusedException("no-encoder", $"{model.Name} is a {model.Kind.ToString().ToLowerInvariant()}; name an encoder.");
        if (modality is not null && SpecOf(model).Modality != modality)
            throw new RefusedException("other-encoder", $"{model.Name} is an encoder of {(modality == Modalities.Image ? "sound" : "images")}; name one of {(modality == Modalities.Image ? "images" : "sound")}.");
        var path = registry.WeightsPath(model.Id);
        if (File.Exists(path)) return path;
        var came = PublicModel.All.FirstOrDefault(p => p.Id == model.Id) ?? throw new RefusedException("weights-missing", $"The weights of {model.Name} are no longer in the data folder; restore a backup.");
        Action<string> write = came == PublicModel.Sound ? SpokenEncoder.Copy : PublicEncoder.WriteSafeTensors;
        Place(model.Id, temporary => write(Path.Combine(temporary, Weights)), came.Architecture);
        return path;
    }

    /// <summary>What an encoder is made like.</summary>
    public static EncoderSpec SpecOf(Model model) => JsonSerializer.Deserialize<EncoderSpec>(model.Architecture, LearningJson.Options)
        ?? throw new RefusedException("model-damaged", $"The registry does not say what {model.Name} is made like; restore a backup.");

    /// <summary>What a kind of item is called in recipes and specifications (<see cref="Modalities"/>).</summary>
    public static string ModalityOf(ItemKind kind) => kind == ItemKind.Sound ? Modalities.Sound : Modalities.Image;

    /// <summary>What an encoder or classifier takes.</summary>
    /// <exception cref="RefusedException">It is neither, or its files are gone.</exception>
    public ItemKind KindOf(Model model) => model.Kind switch
    {
        ModelKind.Classifier => KindOf(Learning.FineTuning.Classifier.ReadDescription(ClassifierFolder(model)).Encoder),
        ModelKind.Encoder => KindOf(SpecOf(model)),
        _ => throw new RefusedException("no-encoder", $"{model.Name} is of the kind {model.Kind.ToString().ToLowerInvariant()}; name an encoder or a classifier."),
    };

    private static ItemKind KindOf(EncoderSpec spec) => spec.Modality == Modalities.Sound ? ItemKind.Sound : ItemKind.Image;

    /// <summary>An encoder as an arm of a comparison on items of a kind.</summary>
    /// <exception cref="RefusedException">It takes the other kind.</exception>
    public Arm ArmOf(Model model, string name, ItemKind kind) => new(name, SpecOf(model), EncoderWeights(model, ModalityOf(kind)));

    /// <summary>An encoder of sound as an arm of a comparison of transcribers.</summary>
    public TranscriberArm TranscriberArmOf(Model model, string name) => new(name, SpecOf(model), EncoderWeights(model, Modalities.Sound));

    /// <summary>The folder of a classifier.</summary>
    /// <exception cref="RefusedException">It is no classifier, or its files are gone.</exception>
    public string ClassifierFolder(Model model)
    {
        if (model.Kind != ModelKind.Classifier) throw new RefusedException("no-classifier", $"{model.Name} is an {model.Kind.ToString().ToLowerInvariant()} and answers no question; name a classifier.");
        var path = ClassifierFolder(model.Id);
        return Directory.Exists(path) ? path : throw new RefusedException("weights-missing", $"The files of {model.Name} are no longer in the data folder; restore a backup.");
    }

    /// <summary>Where a classifier's own files lie, whether it is there or not.</summary>
    public string ClassifierFolder(string modelId) => Path.Combine(folder.Model(modelId), Classifier);

    /// <summary>The folder of a transcriber.</summary>
    /// <exception cref="RefusedException">It is no transcriber, or its files are gone.</exception>
    public string TranscriberFolder(Model model)
    {
        if (model.Kind != ModelKind.Transcriber) throw new RefusedException("no-transcriber", $"{model.Name} is of the kind {model.Kind.ToString().ToLowerInvariant()} and cannot write down what is said; name a transcriber.");
        var path = Path.Combine(folder.Model(model.Id), Transcriber);
        return Directory.Exists(path) ? path : throw new RefusedException("weights-missing", $"The files of {model.Name} are no longer in the data folder; restore a backup.");
    }

    /// <summary>Puts an encoder's weights in their place.</summary>
    /// <returns>SHA-256 of the weights.</returns>
    public string PlaceEncoder(string modelId, string weights, string architecture)
    {
        Place(modelId, temporary => File.Copy(weights, Path.Combine(temporary, Weights)), architecture);
        return HashOf(registry.WeightsPath(modelId));
    }

    /// <summary>Puts a classifier that was saved in a run's folder in its place.</summary>
    /// <returns>SHA-256 over its files, by name.</returns>
    public string PlaceClassifier(string modelId, string saved, string architecture) => PlaceFolder(modelId, saved, Classifier, architecture);

    /// <summary>Puts a transcriber that was saved in a run's folder in its place.</summary>
    /// <returns>SHA-256 over its files, by name.</returns>
    public string PlaceTranscriber(string modelId, string saved, string architecture) => PlaceFolder(modelId, saved, Transcriber, architecture);

    private string PlaceFolder(string modelId, string saved, string name, string architecture)
    {
        Place(modelId, temporary =>
        {
            var target = Directory.CreateDirectory(Path.Combine(temporary, name)).FullName;
            foreach (var file in Directory.EnumerateFiles(saved)) File.Copy(file, Path.Combine(target, Path.GetFileName(file)));
        }, architecture);
        return HashOf(Directory.EnumerateFiles(Path.Combine(folder.Model(modelId), name)).Order(StringComparer.Ordinal));
    }

    private static string HashOf(IEnumerable<string> files)
    {
        using var sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var file in files) sha.AppendData(Convert.FromHexString(HashOf(file)));
        return Convert.ToHexStringLower(sha.GetHashAndReset());
    }

    /// <summary>Puts a language model's files, saved in a run's folder, in their place.</summary>
    /// <returns>SHA-256 over them, by name.</returns>
    public string PlaceLanguage(string modelId, string saved, string architecture)
    {
        string[] names = [.. Directory.EnumerateFiles(saved).Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal)];
        Place(modelId, temporary =>
        {
            foreach (var name in names) File.Copy(Path.Combine(saved, name), Path.Combine(temporary, name));
        }, architecture);
        return HashOf(names.Select(name => Path.Combine(folder.Model(modelId), name)));
    }

    /// <summary>The two n-gram models of a language model.</summary>
    /// <exception cref="RefusedException">It is none.</exception>
    /// <exception cref="LearningException">Its files are gone or damaged.</exception>
    public NGramPair NGrams(Model model) => NGramPair.Load(LanguageFolder(model, LanguageKinds.NGram));

    /// <summary>A causal or masked language model, on the CPU unless told otherwise.</summary>
    /// <exception cref="RefusedException">It is none.</exception>
    /// <exception cref="LearningException">Its files are gone or damaged.</exception>
    public LanguageModel LanguageNetworkOf(Model model, string device = "cpu") =>
        LanguageModel.Of(LanguageNetwork.Load(Path.Combine(LanguageFolder(model, LanguageKinds.Causal, LanguageKinds.Masked), Weights), Devices.Choose(device)));

    /// <summary>Copies a language model out: a network's weights as one file, n-gram models as ARPA, which other tools read, into a folder.</summary>
    public void ExportLanguage(Model model, string to)
    {
        if (model.Recipe == LanguageKinds.NGram)
        {
            NGrams(model).WriteArpa(to);
            return;
        }
        Directory.CreateDirectory(Path.GetDirectoryName(to)!);
        File.Copy(Path.Combine(LanguageFolder(model, LanguageKinds.Causal, LanguageKinds.Masked), Weights), to, overwrite: true);
    }

    private string LanguageFolder(Model model, params string[] kinds) => model.Kind == ModelKind.Language && kinds.Contains(model.Recipe) ? folder.Model(model.Id)
        : throw new RefusedException("no-language-model", $"{model.Name} is no language model of the kind {string.Join(" or ", kinds)}; name one.");

    // A folder that is there already was left by a run that was killed between this and its row: it is replaced.
    private void Place(string modelId, Action<string> fill, string architecture)
    {
        var (final, temporary) = (folder.Model(modelId), folder.Model($"{modelId}.{Guid.NewGuid().ToString("n")[..8]}.tmp"));
        Directory.CreateDirectory(temporary);
        try
        {
            fill(temporary);
            File.WriteAllText(Path.Combine(temporary, Description), architecture);
            foreach (var file in Directory.EnumerateFiles(temporary, "*", SearchOption.AllDirectories))
            {
                using var handle = File.OpenHandle(file, access: FileAccess.ReadWrite);
                RandomAccess.FlushToDisk(handle);
            }
            if (Directory.Exists(final)) Directory.Delete(final, recursive: true);
            Directory.Move(temporary, final);
        }
        finally
        {
            if (Directory.Exists(temporary)) Directory.Delete(temporary, recursive: true);
        }
    }

    private static string HashOf(string path)
    {
        using var stream = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }
}
