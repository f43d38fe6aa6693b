using System.Diagnostics;
using DomainSsl.Audio;
using DomainSsl.Audio.Decoding;
using DomainSsl.Audio.Resampling;

namespace DomainSsl.SampleData;

/// <summary>
/// Short dictations, spoken by espeak-ng: sentences from a small grammar, speakers made of a voice, a variant, a speed and a pitch, rooms made of
/// noise and level.
/// </summary>
internal static class Speech
{
    private const int SpeakerCount = 10, TranscribedShare = 3;

    private sealed record Speaker(string Id, string Voice, int WordsPerMinute, int Pitch, double NoiseDb);

    public static bool Write(string folder, int clips, ulong seed)
    {
        if (clips == 0) return true;
        var recordings = Directory.CreateDirectory(Path.Combine(folder, "recordings")).FullName;
        foreach (var old in Directory.GetFiles(recordings, "*.wav")) File.Delete(old);
        var random = new Randomness(seed, "speech");
        var speakers = Speakers(random);
        var said = new HashSet<string>();
        var (all, transcribed) = (new List<string> { "file,speaker" }, new List<string> { "file,text,speaker" });
        for (int n = 0; n < clips; n++)
        {
            var speaker = speakers[n % speakers.Count];
            string text = Sentence(random);
            while (!said.Add(text)) text = Sentence(random);
            var spoken = Speak(speaker, text);
            if (spoken is null)
            {
                Console.Error.WriteLine("The recordings need espeak-ng: install it (apt-get install espeak-ng), or leave them out with --clips 0.");
                return false;
            }
            string name = $"dictation-{n + 1:000}.wav";
            using (var file = File.Create(Path.Combine(recordings, name))) SoundFile.WriteWav16k(file, Room(spoken, speaker, random));
            all.Add($"recordings/{name},{speaker.Id}");
            if (n / speakers.Count % TranscribedShare == n % TranscribedShare) transcribed.Add($"recordings/{name},{text},{speaker.Id}");
        }
        File.WriteAllText(Path.Combine(folder, "recordings.csv"), string.Join('\n', all) + "\n");
        File.WriteAllText(Path.Combine(folder, "transcripts.csv"), string.Join('\n', transcribed) + "\n");
        return true;
    }

    private static List<Speaker> Speakers(Randomness random)
    {
        string[] voices = ["en-us+f2", "en-gb+m3", "en-gb-scotland+f4", "en-us+m7", "en-gb-x-rp+f3", "en-029+m1", "en-gb-x-gbclan+m5", "en-us+f5",
            "en-gb-x-gbcwmd+m2", "en-us-nyc+m4"];
        return [.. Enumerable.Range(0, SpeakerCount).Select(i =>
            new Speaker($"speaker-{i + 1:00}", voices[i], 165 + random.Below(45), 35 + random.Below(35), random.Uniform(-58, -40)))];
    }

    private static string Sentence(Randomness random)
    {
        string side = random.Pick(["left", "right"]);
        string lobe = random.Pick([$"{side} upper lobe", $"{side} lower lobe", "right middle lobe", "lingula", $"{side} apex", $"{side} base"]);
        string size = random.Pick(["two", "three", "four", "five", "six", "eight", "ten", "twelve"]) + " millimetre";
        string degree = random.Pick(["small", "mild", "moderate", "faint", "dense", "patchy"]);
        string finding = random.Pick(["opacity", "consolidation", "nodule", "effusion", "atelectasis", "scarring"]);
        return random.Below(8) switch
        {
            0 => $"there is {(size[0] == 'e' ? "an" : "a")} {size} nodule in the {lobe}",
            1 => $"{degree} {finding} in the {lobe}",
            2 => $"no {random.Pick(["pleural effusion", "pneumothorax", "focal consolidation", "acute fracture"])} is seen",
            3 => $"the heart is {random.Pick(["normal in size", "mildly enlarged", "at the upper limit of normal"])}",
            4 => $"{random.Pick(["compared with the prior", "since the last examination"])} the {finding} is {random.Pick(["unchanged", "smaller", "larger", "resolved"])}",
            5 => $"the {random.Pick(["pacemaker", "central line", "feeding tube", "chest drain"])} is in {random.Pick(["good", "unchanged", "satisfactory"])} position",
            6 => $"{random.Pick(["recommend", "suggest", "please arrange"])} follow up in {random.Pick(["two", "three", "six", "twelve"])} {random.Pick(["weeks", "months"])}",
            _ => $"the {random.Pick(["lungs", "costophrenic angles", "visualised bones", "hilar contours", "mediastinal contours"])} are {random.Pick(["clear", "unremarkable", "within normal limits"])}",
        };
    }

    private static Sound? Speak(Speaker speaker, string text)
    {
        var start = new ProcessStartInfo("espeak-ng") { RedirectStandardOutput = true };
        string[] arguments = ["-v", speaker.Voice, "-s", $"{speaker.WordsPerMinute}", "-p", $"{speaker.Pitch}", "--stdout", text];
        foreach (string argument in arguments) start.ArgumentList.Add(argument);
        try
        {
            using var process = Process.Start(start)!;
            using var bytes = new MemoryStream();
            process.StandardOutput.BaseStream.CopyTo(bytes);
            process.WaitForExit();
            if (process.ExitCode != 0) throw new InvalidOperationException($"espeak-ng could not speak with the voice {speaker.Voice}.");
            return Resampler.To16kMono(SoundFile.Read(bytes));
        }
        catch (System.ComponentModel.Win32Exception) { return null; }
    }

    /// <summary>Cuts the silence around the words to a tenth of a second, sets a level, and adds the hiss of a room.</summary>
    private static Sound Room(Sound spoken, Speaker speaker, Randomness random)
    {
        const int margin = Resampler.LearningRate / 10;
        int first = Array.FindIndex(spoken.Samples, x => Math.Abs(x) > 0.01), last = Array.FindLastIndex(spoken.Samples, x => Math.Abs(x) > 0.01);
        var words = spoken.Samples.AsSpan(first, last - first + 1);
        double peak = 0, gain = random.Uniform(0.25, 0.8), noise = Math.Pow(10, speaker.NoiseDb / 20), hiss = 0;
        foreach (float x in words) peak = Math.Max(peak, Math.Abs(x));
        var room = new float[words.Length + 2 * margin];
        for (int i = 0; i < room.Length; i++)
        {
            hiss = 0.7 * hiss + noise * 0.7 * random.Normal();
            int at = i - margin;
            room[i] = (float)((at >= 0 && at < words.Length ? words[at] * gain / peak : 0) + hiss * gain);
        }
        return new Sound(room, Resampler.LearningRate, 1);
    }
}
