namespace DomainSsl.Learning.Weights;

/// <summary>
/// The public encoder of sound that comes with the product: it learnt to read sentences spoken by speech synthesisers, and brings the head along that does. No recording of a clinic is in it. How it is made stands in
/// <c>spoken-encoder/</c> at the top of the checkout, and can be done again.
/// </summary>
public static class SpokenEncoder
{
    /// <summary>The name under which it is known in commands, recipes and the registry.</summary>
    public const string Name = "spoken";

    /// <summary>Where the build puts its file (<see cref="EncoderWeights"/>, half precision).</summary>
    public static string FilePath => Path.Combine(AppContext.BaseDirectory, "weights", "spoken.safetensors");

    /// <summary>Copies its file.</summary>
    /// <exception cref="LearningException">It is absent.</exception>
    public static void Copy(string path)
    {
        if (!File.Exists(FilePath)) throw new LearningException($"The spoken encoder's file {FilePath} is not there; build the program again.");
        File.Copy(FilePath, path, overwrite: true);
    }
}
