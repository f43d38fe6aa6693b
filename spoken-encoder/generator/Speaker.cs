using System.Diagnostics;
using System.Globalization;
using DomainSsl.Audio;
using DomainSsl.Audio.Decoding;
using DomainSsl.Audio.Resampling;
using DomainSsl.SampleData;

namespace DomainSsl.SpokenEncoder;

/// <summary>
/// Who says it: a voice of espeak-ng or flite, how fast, how high, and how long the way from the vocal folds to the lips is. The last is made by playing the sound slower or quicker, which moves all its resonances, as
/// they are moved from a tall man to a child (vocal tract length perturbation, Jaitly and Hinton 2013); the voice is asked for the opposite speed, so that the pace stays what was drawn.
/// </summary>
/// <param name="Name">The voice.</param>
/// <param name="Program">espeak-ng or flite.</param>
/// <param name="Options">What it is told.</param>
/// <param name="Shift">How much higher its resonances are.</param>
internal sealed record Speaker(string Name, string Program, string[] Options, double Shift)
{
    // Hz. Rates that have much in common are resampled quickly.
    private const int Coarse = 200;
    private static readonly string[] Accents = ["en-us", "en-gb", "en-gb-x-rp", "en-gb-scotland", "en-029", "en-gb-x-gbclan", "en-gb-x-gbcwmd", "en-us-nyc"];
    private static readonly string[] Variants = ["m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8", "f1", "f2", "f3", "f4", "f5", "klatt", "klatt2", "klatt3", "klatt4", "klatt5"];
    private static readonly (string Voice, double Pitch)[] Recorded = [("awb", 130), ("rms", 100), ("slt", 170), ("kal16", 105)];

    public static Speaker Draw(Randomness random)
    {
        double shift = Math.Exp(random.Uniform(Math.Log(0.88), Math.Log(1.3)));
        if (random.Chance(0.6))
        {
            string voice = $"{random.Pick(Accents)}+{random.Pick(Variants)}";
            int pace = (int)(random.Uniform(95, 190) / shift), pitch = 10 + random.Below(75), gap = random.Pick([0, 0, 0, 1, 3, 6, 10]);
            return new Speaker(voice, "espeak-ng", ["-v", voice, "-s", $"{Math.Clamp(pace, 80, 240)}", "-p", $"{pitch}", "-g", $"{gap}", "--stdout"], shift);
        }
        var (name, height) = random.Pick(Recorded);
        string Number(double value) => value.ToString("0.###", CultureInfo.InvariantCulture);
        return new Speaker(name, "flite", ["-voice", name, "--setf", $"duration_stretch={Number(random.Uniform(0.85, 1.6) * shift)}", "--setf", $"int_f0_target_mean={Number(height * random.Uniform(0.8, 1.3))}", "-o", "-", "-t"], shift);
    }

    /// <summary>What it sounds like, 16 kHz.</summary>
    public Sound Say(string text)
    {
        // flite writes to a file alone.
        string? to = Program == "flite" ? Path.GetTempFileName() : null;
        try
        {
            var start = new ProcessStartInfo(Program) { RedirectStandardOutput = true };
            foreach (string option in Options) start.ArgumentList.Add(option == "-" ? to! : option);
            start.ArgumentList.Add(text);
            using var process = Process.Start(start)!;
            using var bytes = new MemoryStream();
            process.StandardOutput.BaseStream.CopyTo(bytes);
            process.WaitForExit();
            if (process.ExitCode != 0) throw new InvalidOperationException($"{Program} could not say '{text}' with {string.Join(' ', Options)}.");
            if (to is not null) bytes.Write(File.ReadAllBytes(to));
            bytes.Position = 0;
            var sound = SoundFile.Read(bytes);
            return Resampler.To16kMono(new Sound(sound.Samples, (int)Math.Round(sound.SampleRate * Shift / Coarse) * Coarse, 1));
        }
        finally
        {
            if (to is not null) File.Delete(to);
        }
    }
}
