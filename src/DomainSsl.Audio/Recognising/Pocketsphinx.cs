using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using DomainSsl.Audio.Decoding;

namespace DomainSsl.Audio.Recognising;

/// <summary>
/// CMU's pocketsphinx ("Pocketsphinx: A Free, Real-Time Continuous Speech Recognition System for Hand-Held Devices", Huggins-Daines et al., 2006) as a child: a recogniser of English with models of its own, which Debian has. It is given
/// samples that we have written ourselves and gives back text; no sound file of a stranger reaches it.
/// </summary>
public static partial class Pocketsphinx
{
    private const string Program = "pocketsphinx_batch";

    // Fewer paths are followed than by default: on every eighth file of speechocean's train (820 files) that takes 73 s where the default takes 190, with CER 0.625 where it is 0.630.
    // Its way of taking noise away costs letters there: 0.619 with these bounds and without it.
    private static readonly string[] Settings = ["-maxhmmpf", "1500", "-maxwpf", "5", "-remove_noise", "no"];

    // On two cores a quarter as long as the speech lasts; ten times as long is a fault.
    private const double MostTimesSpoken = 10, LeastSeconds = 60;

    /// <summary>What to say where it is not.</summary>
    public const string Missing = "The recipe learns from what the program pocketsphinx writes down of the recordings, and it is not installed on this machine; install it (Debian: apt install pocketsphinx pocketsphinx-en-us), or choose another recipe.";

    /// <summary>Whether it is there, with the models that it takes by itself.</summary>
    public static bool Installed => FfmpegProcess.Find(Program) is not null && Directory.Exists("/usr/share/pocketsphinx/model/en-us/en-us");

    /// <summary>Writes down pieces of sound.</summary>
    /// <param name="pieces">At 16 kHz, mono, full scale ±32767.</param>
    /// <param name="folder">Where the pieces lie while they are listened to; it is made, and gone afterwards.</param>
    /// <param name="cancel">Kills it.</param>
    /// <returns>Of each piece its words in lower case, empty where it heard none.</returns>
    /// <exception cref="AudioException">It is not installed (<see cref="AudioError.NoDecoder"/>), or has failed (<see cref="AudioError.Damaged"/>).</exception>
    /// <exception cref="IOException">The pieces cannot be written: the disk is full, say.</exception>
    public static IReadOnlyList<string> Write(IReadOnlyList<ReadOnlyMemory<short>> pieces, string folder, CancellationToken cancel = default)
    {
        var program = FfmpegProcess.Find(Program) ?? throw new AudioException(AudioError.NoDecoder, Missing);
        if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
        if (OperatingSystem.IsWindows()) Directory.CreateDirectory(folder);
        else Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        try
        {
            var (list, result) = (Path.Combine(folder, "list"), Path.Combine(folder, "result"));
            for (var i = 0; i < pieces.Count; i++) File.WriteAllBytes(Path.Combine(folder, $"{Name(i)}.raw"), MemoryMarshal.AsBytes(pieces[i].Span));
            File.WriteAllLines(list, Enumerable.Range(0, pieces.Count).Select(Name));
            var spoken = pieces.Sum(p => (long)p.Length) / 16_000.0;
            Run(program, ["-ctl", list, "-cepdir", folder, "-cepext", ".raw", "-adcin", "yes", "-hyp", result, "-logfn", OperatingSystem.IsWindows() ? "NUL" : "/dev/null", .. Settings], LeastSeconds + MostTimesSpoken * spoken, cancel);
            var texts = new string[pieces.Count];
            Array.Fill(texts, "");
            foreach (var line in File.ReadLines(result))
                if (Line().Match(line) is { Success: true } said && int.TryParse(said.Groups["name"].Value, NumberStyles.None, CultureInfo.InvariantCulture, out var i) && i < texts.Length) texts[i] = Words(said.Groups["text"].Value);
            return texts;
        }
        catch (FileNotFoundException e) { throw new AudioException(AudioError.Damaged, "The recogniser pocketsphinx left no result; install it anew, or choose another recipe.", e); }
        finally { Directory.Delete(folder, recursive: true); }
    }

    private static string Name(int piece) => piece.ToString(CultureInfo.InvariantCulture);

    // A word's other pronunciations have a number behind them, and what is no word stands in signs of its own.
    private static string Words(string text) => string.Join(' ', text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Where(w => w[0] is not ('<' or '[' or '+')).Select(w => Pronunciation().Replace(w, "")));

    private static void Run(string program, string[] arguments, double mostSeconds, CancellationToken cancel)
    {
        var start = new ProcessStartInfo(program) { WorkingDirectory = Path.GetTempPath(), UseShellExecute = false, CreateNoWindow = true, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        var libraries = Environment.GetEnvironmentVariable("LD_LIBRARY_PATH");
        start.Environment.Clear();
        start.Environment["LC_ALL"] = "C";
        if (libraries is not null) start.Environment["LD_LIBRARY_PATH"] = libraries;
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        using var process = Started(start);
        process.StandardInput.Close();
        using var late = new CancellationTokenSource(TimeSpan.FromSeconds(mostSeconds));
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancel, late.Token);
        using var stop = either.Token.Register(() =>
        {
            try { process.Kill(); }
            catch (InvalidOperationException) { /* it has ended by itself */ }
        });
        // Read on, so that it never waits for us; what it says is for those who build it.
        var said = Task.WhenAll(process.StandardOutput.BaseStream.CopyToAsync(Stream.Null, CancellationToken.None), process.StandardError.BaseStream.CopyToAsync(Stream.Null, CancellationToken.None));
        process.WaitForExit();
        said.GetAwaiter().GetResult();
        // A signal to all in a terminal reaches it before we are told.
        if (process.ExitCode > 128 && !late.IsCancellationRequested) cancel.WaitHandle.WaitOne(2000);
        cancel.ThrowIfCancellationRequested();
        if (process.ExitCode != 0) throw new AudioException(AudioError.Damaged, $"The recogniser pocketsphinx failed{(late.IsCancellationRequested ? ": it took far longer than the speech lasts" : $" (exit code {process.ExitCode})")}; install it anew, or choose another recipe.");
    }

    private static Process Started(ProcessStartInfo start)
    {
        try { return Process.Start(start)!; }
        catch (System.ComponentModel.Win32Exception e) { throw new AudioException(AudioError.NoDecoder, Missing, e); }
    }

    [GeneratedRegex(@"^(?<text>.*) ?\((?<name>\d+) -?\d+\)$", RegexOptions.CultureInvariant)]
    private static partial Regex Line();

    [GeneratedRegex(@"\(\d+\)$", RegexOptions.CultureInvariant)]
    private static partial Regex Pronunciation();
}
