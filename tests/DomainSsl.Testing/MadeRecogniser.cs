namespace DomainSsl.Testing;

/// <summary>
/// A program that is found before pocketsphinx until the end of the test, for faults that the real one cannot be made to have. The path is the whole process's: only tests of one class at a time may use it.
/// </summary>
public sealed class MadeRecogniser : IDisposable
{
    private readonly string? _path = Environment.GetEnvironmentVariable("PATH");

    /// <summary>Puts it into a folder.</summary>
    /// <param name="folder">Its own.</param>
    /// <param name="script">What it does, in the shell's words: <c>$folder/$piece.raw</c> for each piece of <c>$list</c>, text to <c>$result</c>.</param>
    public MadeRecogniser(string folder, string script)
    {
        Directory.CreateDirectory(folder);
        var program = Path.Combine(folder, "pocketsphinx_batch");
        File.WriteAllText(program, $"#!/bin/sh\nlist=$2 folder=$4 result=${{10}}\n{script}\n");
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Environment.SetEnvironmentVariable("PATH", $"{folder}{Path.PathSeparator}{_path}");
    }

    /// <summary>One that hears "heard" in every piece, and ends with an error at one of so many samples.</summary>
    public static MadeRecogniser FailingAt(string folder, int samples) => new(folder, $"""
        while read -r piece; do
          [ "$(wc -c < "$folder/$piece.raw")" -ne {2 * samples} ] || exit 3
          echo "heard ($piece -100)"
        done < "$list" > "$result"
        """);

    /// <inheritdoc />
    public void Dispose() => Environment.SetEnvironmentVariable("PATH", _path);
}
